/**
 * Server-sent events, the part that language models use: bytes in, the text of each event's `data` out.
 *
 *   packets ─► UTF-8 (a letter may be split) ─► lines (LF, CR or CRLF) ─► data of one event
 *
 * Comments and fields other than `data` are ignored. An event that the end of the stream cuts off before its blank
 * line is still delivered: some servers leave that line out.
 */
import { ProviderError } from '../errors.ts'

/** A data line longer than this is not a token. */
const MAX_PENDING_CHARACTERS = 1_000_000

export class EventStreamParser {
  readonly #decoder = new TextDecoder('utf-8')
  #line = ''
  #data: string[] = []
  /** The last character was a CR; a LF that follows belongs to it. */
  #afterReturn = false

  /**
   * The data of the events that these bytes complete.
   * @throws ProviderError LLM_BAD_RESPONSE when an event grows beyond 1 M characters.
   */
  push(bytes: Uint8Array): string[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }))
  }

  /** The data of what the end of the stream leaves complete enough. */
  end(): string[] {
    return [...this.#take(`${this.#decoder.decode()}\n`), ...this.#take('\n')]
  }

  #take(text: string): string[] {
    const events: string[] = []
    let from = 0
    for (let at = 0; at < text.length; at += 1) {
      const character = text[at]
      if (character !== '\n' && character !== '\r') {
        this.#afterReturn = false
        continue
      }
      if (character === '\n' && this.#afterReturn) {
        this.#afterReturn = false
        from = at + 1
        continue
      }
      this.#afterReturn = character === '\r'
      const event = this.#endLine(this.#line + text.slice(from, at))
      if (event !== null) events.push(event)
      this.#line = ''
      from = at + 1
    }
    this.#line += text.slice(from)
    if (this.#line.length > MAX_PENDING_CHARACTERS) {
      throw new ProviderError('LLM_BAD_RESPONSE', 'The event stream holds a line without end')
    }
    return events
  }

  #endLine(line: string): string | null {
    if (line === '') {
      if (this.#data.length === 0) return null
      const event = this.#data.join('\n')
      this.#data = []
      return event
    }
    if (line.startsWith('data:')) this.#data.push(line.slice(line[5] === ' ' ? 6 : 5))
    return null
  }
}
