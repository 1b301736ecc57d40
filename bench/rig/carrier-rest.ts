/**
 * The REST half of the simulated carriers: one HTTP server on this machine that the server's real SDK clients talk to. It
 * keeps what it was asked, answers as it is told (a refusal, an error page, silence), and hands the rest to its owner.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RestRequest {
  method: string
  path: string
  authorization: string
  /** The body's fields: of a form as text, of JSON as they are. */
  body: Record<string, unknown>
}

export interface RestAnswer {
  status: number
  body: unknown
}

export class CarrierRest {
  readonly url: string
  /** Everything asked so far. */
  readonly seen: RestRequest[] = []
  /** Said instead of the next answers, one each; null is silence. */
  readonly instead: (RestAnswer | null)[] = []
  readonly #server: Server

  static async open(answer: (request: RestRequest) => RestAnswer, port = 0): Promise<CarrierRest> {
    const server = createServer()
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return new CarrierRest(server, answer)
  }

  private constructor(server: Server, answer: (request: RestRequest) => RestAnswer) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (incoming, outgoing) => {
      void readRequest(incoming).then((request) => {
        this.seen.push(request)
        const instead = this.instead.shift()
        if (instead === null) return
        send(outgoing, instead ?? answer(request))
      })
    })
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

async function readRequest(incoming: IncomingMessage): Promise<RestRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString('utf8')
  const isJson = (incoming.headers['content-type'] ?? '').includes('json')
  return {
    method: incoming.method ?? '',
    path: incoming.url ?? '',
    authorization: incoming.headers.authorization ?? '',
    body: isJson
      ? (JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>)
      : Object.fromEntries(new URLSearchParams(text)),
  }
}

function send(outgoing: ServerResponse, { status, body }: RestAnswer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/html' : 'application/json'
  outgoing.writeHead(status, { 'content-type': type }).end(text)
}
