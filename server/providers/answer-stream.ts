/**
 * Answer stream: a chat completion as it is read.
 *
 *   packet ─► event-stream.ts ─► JSON ─► chat-completion.ts ─► events
 *
 * It is read to the end of its body, not to `[DONE]`, because the connection is free for the next request only then.
 */
import { ProviderError } from '../errors.ts'
import { AnswerReader } from './chat-completion.ts'
import { packetsOf } from './event-stream-client.ts'
import { EventStreamParser } from './event-stream.ts'
import type { LlmEvent } from './llm.ts'
import type { StallGuard } from './stall-guard.ts'

/**
 * The events of an answer; `tokens` rests while they are used.
 * @throws ProviderError LLM_BAD_RESPONSE for what is no event stream, not JSON, of an unknown shape or without an end; for an error in
 *   the stream by its code. Error of Node when the connection breaks.
 */
export async function* readAnswer(response: Response, tokens: StallGuard): AsyncIterable<LlmEvent> {
  const parser = new EventStreamParser()
  const answer = new AnswerReader()
  let isComplete = false
  // One by one: the words of a packet in front of an error are heard.
  function* accept(texts: string[]): Iterable<LlmEvent> {
    for (const text of texts) {
      isComplete ||= text.trim() === '[DONE]'
      if (!isComplete) yield* answer.accept(parseJson(text))
    }
  }
  for await (const packet of packetsOf(response)) {
    for (const event of accept(parser.push(packet))) {
      tokens.pause()
      yield event
    }
    if (answer.begun) tokens.progress()
  }
  yield* accept(parser.end())
  yield* answer.end({ complete: isComplete })
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new ProviderError('LLM_BAD_RESPONSE', 'The language model sent a line that is not JSON', {
      cause,
    })
  }
}
