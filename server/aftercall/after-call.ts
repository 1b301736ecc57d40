/**
 * After the call: what it came to is extracted, stored and posted. Nothing here is on the audio path, and nothing waits
 * for it but the end of the server.
 *
 *   ended call ─► [ queue ≤ 200 ] ─► journal written ─► analyse (LLM) ─► store ─► webhook, signed
 *                                        one at a time: live calls need the model more
 */
import type { ProfileSettings } from '../agent-settings.ts'
import type { Turn } from '../conversation/conversation-events.ts'
import { errorText } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { LlmProvider } from '../providers/llm.ts'
import { analyse, type Analysis } from './extraction.ts'
import { postWebhook, type WebhookDeps } from './webhook.ts'

export interface EndedCall {
  id: string
  agentId: string
  carrier: string
  from: string | null
  to: string | null
  /** ms since 1970. */
  startedAt: number
  durationMs: number
  endReason: string
  settings: ProfileSettings
  turns: Turn[]
}

export interface AfterCallDeps {
  llm: LlmProvider
  log: Pick<Log, 'warn' | 'info'>
  metrics: Pick<Metrics, 'droppedItems'>
  /** The call's rows are written when this settles. */
  written(): Promise<void>
  save(callId: string, analysis: Analysis): Promise<void>
  /** Null: no secret is configured, so nothing is posted. */
  webhook: WebhookDeps | null
}

const QUEUE_LIMIT = 200

export class AfterCall {
  readonly #deps: AfterCallDeps
  readonly #queue: EndedCall[] = []
  readonly #abort = new AbortController()
  #work: Promise<void> | null = null

  constructor(deps: AfterCallDeps) {
    this.#deps = deps
  }

  /** take(), to be handed on. */
  readonly accept = (call: EndedCall): void => this.take(call)

  /** Takes an ended call, or drops and counts it when the queue is full. Never throws. */
  take(call: EndedCall): void {
    if (this.#abort.signal.aborted || this.#queue.length >= QUEUE_LIMIT) {
      this.#deps.metrics.droppedItems.inc({ queue: 'afterCall' })
      return
    }
    this.#queue.push(call)
    this.#work ??= this.#run()
  }

  /** Everything taken so far is done. */
  async idle(): Promise<void> {
    await this.#work
  }

  /** What waits is dropped and counted; what is under way is cut short. */
  async stop(): Promise<void> {
    this.#abort.abort()
    const left = this.#queue.splice(0).length
    if (left > 0) this.#deps.metrics.droppedItems.inc({ queue: 'afterCall' }, left)
    await this.#work
  }

  async #run(): Promise<void> {
    for (let call = this.#queue.shift(); call; call = this.#queue.shift()) {
      try {
        await this.#finish(call)
      } catch (error) {
        this.#deps.log.warn({ callId: call.id, error: errorText(error) }, 'analysis was not stored')
      }
    }
    this.#work = null
  }

  async #finish(call: EndedCall): Promise<void> {
    const { llm, written, save, webhook, log } = this.#deps
    const { signal } = this.#abort
    const analysis = await analyse(call.turns, call.settings, { callId: call.id, llm, signal })
    await written()
    await save(call.id, analysis)
    const url = call.settings.webhookUrl
    if (url === '' || signal.aborted) return
    if (webhook === null) {
      log.warn({ callId: call.id }, 'webhook not sent: WEBHOOK_SECRET is not set')
      return
    }
    const failure = await postWebhook(url, report(call, analysis), { ...webhook, signal })
    if (failure !== null) log.warn({ callId: call.id, failure }, 'webhook was not taken')
  }
}

/** What the receiver gets. */
function report(call: EndedCall, analysis: Analysis): Record<string, unknown> {
  const { id, agentId, carrier, from, to, startedAt, durationMs, endReason, turns } = call
  return {
    event: 'call.ended',
    call: { id, agentId, carrier, from, to, startedAt, durationMs, endReason },
    analysis,
    transcript: turns.map(({ role, textSpoken, textHeard, truncated, startMs, endMs }) => {
      return { role, textSpoken, textHeard, truncated, startMs, endMs }
    }),
  }
}
