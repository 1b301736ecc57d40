/**
 * Event stream client: what language models are asked through. A `fetch` over Node's own HTTP client, whose event streams come as the
 * bytes are read.
 *
 *   fetch() ─► kept connection ─► head ─┬─ an event stream ─► EventStreamResponse ─► bytes, packet by packet
 *                                        └─ anything else ─► its whole body, as a Response
 *
 * Node's global fetch has a web stream, with promises of its own for each packet, between the connection and who reads it. Language
 * models took an eighth of the main thread of 300 calls that way, and take a third less this way (docs/performance.md). It also gives a
 * connection up after 4 s without a request, and the next answer then waits for a new one and its TLS.
 *
 * Redirects are not followed: the base URL of an API is what was configured. Nothing is compressed, because nothing is asked for.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import { OVER, ProviderError } from '../errors.ts'

/** A list of models has 20 KB, an error less. */
const WHOLE_BODY_LIMIT_BYTES = 2 ** 20

/** A connection that waits is probed: routers forget a silent one after a minute, and the next answer would wait for it in vain. */
const KEPT = { keepAlive: true, keepAliveMsecs: 15_000 }

export class EventStreamClient {
  readonly #http = new HttpAgent(KEPT)
  readonly #https = new HttpsAgent(KEPT)

  /**
   * As the global `fetch`, for a text as body and headers that are sent as they are.
   * Rejects with an AbortError when `init.signal` aborts, with Node's error when the connection fails before the answer's head.
   */
  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
  ): Promise<Response> => {
    const { body, headers, method = 'GET', signal } = init
    if (typeof input === 'object' && 'url' in input) throw new TypeError('a URL, not a Request')
    if (body !== undefined && body !== null && typeof body !== 'string') {
      throw new TypeError('the body of a request must be a text')
    }
    signal?.throwIfAborted()
    const options = { method, headers: Object.fromEntries(new Headers(headers)) }
    const message = await this.#head(new URL(input), { options, body: body ?? '', signal })
    return isEventStream(message) ? new EventStreamResponse(message) : wholeResponse(message)
  }

  /** Closes the connections that wait for a request. */
  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #head(
    url: URL,
    asked: { options: RequestOptions; body: string; signal: AbortSignal | null | undefined },
  ): Promise<IncomingMessage> {
    const { options, body, signal } = asked
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, agent: this.#https })
        : httpRequest(url, { ...options, agent: this.#http })
    return new Promise((resolve, reject) => {
      let open: { destroy(error: Error): unknown } = request
      // One error for all: each of its own would be made with a trace, three times on its way through Node.
      const abort = (): void => void open.destroy(OVER)
      signal?.addEventListener('abort', abort, { once: true })
      request.once('close', () => signal?.removeEventListener('abort', abort))
      // Behind the head it is the body that fails, and tells its reader.
      request.on('error', reject)
      request.once('response', (message) => {
        open = message
        resolve(message)
      })
      request.end(body)
    })
  }
}

/** An answer of which the head has come. Its connection is free for the next request when all bytes were read. */
class EventStreamResponse extends Response {
  /** Bytes of the body; an error of the connection is thrown. */
  readonly packets: AsyncIterable<Uint8Array>

  constructor(message: IncomingMessage) {
    super(null, headOf(message))
    this.packets = message
  }
}

/**
 * The packets of an answer that must be an event stream.
 * @throws ProviderError LLM_BAD_RESPONSE for any other kind of answer
 */
export function packetsOf(response: Response): AsyncIterable<Uint8Array> {
  if (response instanceof EventStreamResponse) return response.packets
  const type = response.headers.get('content-type')
  throw new ProviderError(
    'LLM_BAD_RESPONSE',
    `The language model answered ${type ?? 'nothing'} instead of an event stream`,
  )
}

function isEventStream(message: IncomingMessage): boolean {
  const type = message.headers['content-type'] ?? ''
  return message.statusCode === 200 && type.includes('text/event-stream')
}

async function wholeResponse(message: IncomingMessage): Promise<Response> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of message as AsyncIterable<Uint8Array>) {
    bytes += part.length
    if (bytes > WHOLE_BODY_LIMIT_BYTES) {
      throw new ProviderError('LLM_BAD_RESPONSE', 'The language model sent a body without end')
    }
    parts.push(part)
  }
  // A Response of status 204 must have no body at all.
  return new Response(bytes === 0 ? null : Buffer.concat(parts), headOf(message))
}

function headOf(message: IncomingMessage): { status: number; headers: Headers } {
  const headers = new Headers()
  for (const [name, values = []] of Object.entries(message.headersDistinct)) {
    headers.set(name, values.join(', '))
  }
  return { status: message.statusCode ?? 0, headers }
}
