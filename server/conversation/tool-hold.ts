/**
 * Tool hold: what the model wants done waits until it is sure what the user said.
 *
 *   committed on a partial ─► model ─► action ─┬─ the final says the same, or 2.5 s are over ─► done
 *                                              ├─ other words, answered anew ───────────────► never
 *                                              └─ other words, the answer is being heard ───► refused, the model hears why
 *
 * An answer may be made from words that a final still changes. Its text costs nothing when it is thrown away; a booking,
 * a key pressed or a changed language cannot be taken back. The limit is the one of endpointing: behind it the turn is
 * taken as it is also where no final ever comes. Audio time in ms; the promises are the waiting turns' own.
 *
 * Invariants: an action is decided once; none is done once its turn was given up.
 */
import type { ToolAction } from './tools.ts'
import { NO_TRANSCRIPT_MS } from './turn-wait.ts'

/** A sound of the user without words for this long is noise, as the start hold has it. */
const DISTURBED_MAX_MS = 3_000

/** What the model is told of `changed`; its next request has the right words. */
export const WORDS_CHANGED =
  'error: not done, because the words of the user were understood differently since'

/** `changed`: the model asked for it on other words than the user's. `aborted`: its turn is over. */
export type Verdict = 'sure' | 'changed' | 'aborted'

/** Of one request to the model, for the words that it was asked with. */
export interface ActionGate {
  /** Resolves once the action may be done (`sure`), or must not be. Never rejects. */
  pass(action: ToolAction, signal: AbortSignal): Promise<Verdict>
  /** Resolves once every action asked for so far is decided. */
  decided(): Promise<unknown>
}

export interface ToolHoldDeps {
  clockMs(): number
  /** True once no final can change the words with this key. */
  settled(wordsKey: number): boolean
  /** True while a sound of the user may be the rest of the turn. */
  isDisturbed(): boolean
}

interface Waiting {
  version: number
  sinceMs: number
  decide(verdict: Verdict): void
}

export class ToolHold {
  readonly #deps: ToolHoldDeps
  #key: number | null = null
  #untilMs = 0
  /** Counts the wordings: an action belongs to the one that its request was made with. */
  #version = 0
  #hasActed = false
  #waiting: Waiting[] = []

  constructor(deps: ToolHoldDeps) {
    this.#deps = deps
  }

  /** Something was done for the present turn that an answer made anew would do again. */
  get hasActed(): boolean {
    return this.#hasActed
  }

  /** An answer begins. `key` of the words it answers, null for what was typed or keyed; `speechEndMs` likewise. */
  answering(key: number | null, speechEndMs: number | null): void {
    this.#key = key
    this.#untilMs = (speechEndMs ?? 0) + NO_TRANSCRIPT_MS
    this.#hasActed = false
    this.#version += 1
  }

  /** The user's words turned out to be others, and the answer goes on: what it asked for is refused. */
  changed(): void {
    this.#version += 1
    this.tick()
  }

  /** The gate of a request that is made now. */
  gate(): ActionGate {
    const version = this.#version
    const passes: Promise<Verdict>[] = []
    const pass = async (action: ToolAction, signal: AbortSignal): Promise<Verdict> => {
      const verdict = await this.#decision({ action, signal, version })
      if (signal.aborted) return 'aborted'
      if (verdict === 'sure' && isFinal(action)) this.#hasActed = true
      return verdict
    }
    return {
      pass: (action, signal) => {
        const verdict = pass(action, signal)
        passes.push(verdict)
        return verdict
      },
      decided: () => Promise.all(passes),
    }
  }

  /** With each frame, and with each final. */
  tick(): void {
    if (this.#waiting.length === 0) return
    const still: Waiting[] = []
    for (const waiting of this.#waiting) {
      const verdict = this.#verdict(waiting)
      if (verdict === null) still.push(waiting)
      else waiting.decide(verdict)
    }
    this.#waiting = still
  }

  #decision(asked: {
    action: ToolAction
    signal: AbortSignal
    version: number
  }): Verdict | Promise<Verdict> {
    const { action, signal, version } = asked
    if (signal.aborted) return 'aborted'
    if (!hasEffect(action)) return 'sure'
    const sinceMs = this.#deps.clockMs()
    const now = this.#verdict({ version, sinceMs })
    if (now !== null) return now
    return new Promise((decide) => {
      const waiting = { version, sinceMs, decide }
      this.#waiting.push(waiting)
      signal.addEventListener('abort', () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting)
        decide('aborted')
      })
    })
  }

  /** Null while it is not known. */
  #verdict({ version, sinceMs }: Omit<Waiting, 'decide'>): Verdict | null {
    if (version !== this.#version) return 'changed'
    const nowMs = this.#deps.clockMs()
    if (this.#deps.isDisturbed() && nowMs - sinceMs < DISTURBED_MAX_MS) return null
    const isSettled = this.#key === null || this.#deps.settled(this.#key)
    return isSettled || nowMs >= this.#untilMs ? 'sure' : null
  }
}

/** GET only looks something up (RFC 9110, 9.2.1): asked in vain it has changed nothing, and it is what answers wait for. */
export function hasEffect(action: ToolAction): boolean {
  if (action.kind === 'http') return action.tool.method !== 'GET'
  return action.kind !== 'refused'
}

/** Done at once, and outside: `endCall` and `transfer` happen when the answer was heard. */
function isFinal(action: ToolAction): boolean {
  return action.kind === 'digits' || (action.kind === 'http' && hasEffect(action))
}
