/**
 * The demo brain: no language model. It follows a script (scripted/dialogue.ts) in Spanish or English, so that a newcomer
 * without any key can have a call that goes somewhere, and it says what it is when asked.
 *
 * It streams its words as a model would, a few ms apart, so that everything behind it works as with a model.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { LlmEvent, LlmProvider, LlmRequest } from './llm.ts'
import { replyTo } from './scripted/dialogue.ts'

/** Between two words; fast models write about 200 words a second. */
const WORD_INTERVAL_MS = 4

export class ScriptedLlm implements LlmProvider {
  readonly name = 'scripted'
  readonly scripted = true

  async warm(): Promise<void> {
    // Nothing to load: the examples are scored when the module is imported.
  }

  async *stream(request: LlmRequest, signal: AbortSignal): AsyncIterable<LlmEvent> {
    const offered = new Set(request.tools.map((tool) => tool.name))
    const reply = replyTo(request.messages, {
      language: request.language.toLowerCase().startsWith('en') ? 'en' : 'es',
      canTransfer: offered.has('transfer_call'),
    })
    for (const [index, word] of (reply.text.match(/\S+\s*/g) ?? []).entries()) {
      if (index > 0 && !(await waited(signal))) return
      if (signal.aborted) return
      yield { kind: 'text', text: word }
    }
    if (signal.aborted) return
    const tool = reply.tool !== null && offered.has(reply.tool) ? reply.tool : null
    if (tool !== null) {
      // The id only has to differ from those already in the history.
      const id = `scripted_${request.messages.length}`
      yield { kind: 'toolCall', call: { id, name: tool, arguments: '{}' } }
    }
    yield { kind: 'done', finishReason: tool === null ? 'stop' : 'tool_calls', usage: null }
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}

/** False when the signal aborted the wait. */
function waited(signal: AbortSignal): Promise<boolean> {
  return pause(WORD_INTERVAL_MS, true, { signal }).catch(() => false)
}
