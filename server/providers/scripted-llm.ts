/**
 * The demo brain: no language model. It follows a script (scripted/dialogue.ts) in Spanish or English, so that a newcomer
 * without any key can have a call that goes somewhere, and it says what it is when asked.
 *
 * It streams its words as a model would, a few ms apart, so that everything behind it works as with a model.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ChatMessage, LlmEvent, LlmProvider, LlmRequest } from './llm.ts'
import { replyTo } from './scripted/dialogue.ts'

/** Between two words; fast models write about 200 words a second. */
const WORD_INTERVAL_MS = 4

const WARM_UP = {
  es: [
    'Sí, le escucho muy bien.',
    'Tengo un restaurante con doce empleados.',
    'Emito facturas todos los días.',
    '¿Cuánto cuesta la llamada?',
    'Me llamo Ana, mañana a las cinco.',
  ],
  en: [
    'Yes, I can hear you very well.',
    'I run a bakery with twelve employees.',
    'We issue invoices every day.',
    'How much is the call?',
    'My name is Ann, tomorrow at five.',
  ],
}
/** Each with other words, since sentences that were seen are remembered: 0.1 s in all. */
const WARM_UP_ROUNDS = 6

export class ScriptedLlm implements LlmProvider {
  readonly name = 'scripted'
  readonly scripted = true

  async warm(): Promise<void> {
    // Nothing to load, but the first replies of a process would take ten times as long as the others.
    for (const language of ['es', 'en'] as const) {
      for (let round = 0; round < WARM_UP_ROUNDS; round += 1) {
        const messages: ChatMessage[] = []
        for (const line of WARM_UP[language]) {
          messages.push({ role: 'user', content: `${line} ${round}` })
          const { text } = replyTo(messages, { language, canTransfer: false })
          messages.push({ role: 'assistant', content: text })
        }
      }
    }
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
