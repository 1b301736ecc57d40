/** A local chat-completions server whose every byte the test decides. */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ChatServer {
  url: string
  /** Bodies of the requests, parsed. */
  requests: Record<string, unknown>[]
  paths: string[]
  headers: IncomingMessage['headers'][]
  /** What the next requests get; the last one stays. */
  answers: ((response: ServerResponse) => void)[]
  /** Resolves when a client has closed a response before its end. */
  clientLeft: Promise<void>
  close(): Promise<void>
}

export async function startChatServer(): Promise<ChatServer> {
  let left: () => void = () => undefined
  const http = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const text = Buffer.concat(parts).toString()
      server.requests.push(text === '' ? {} : (JSON.parse(text) as Record<string, unknown>))
      server.paths.push(request.url ?? '')
      server.headers.push(request.headers)
      response.on('close', () => {
        if (!response.writableFinished) left()
      })
      const answer = server.answers.length > 1 ? server.answers.shift() : server.answers[0]
      answer?.(response)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const server: ChatServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    requests: [],
    paths: [],
    headers: [],
    answers: [],
    clientLeft: new Promise((resolve) => (left = resolve)),
    close: async () => {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
  return server
}

export function textChunk(content: string): string {
  return sse({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
}

export function finishChunk(reason: string): string {
  return sse({
    choices: [{ index: 0, delta: {}, finish_reason: reason }],
    usage: { prompt_tokens: 12, completion_tokens: 5 },
  })
}

export function sse(json: unknown): string {
  return `data: ${JSON.stringify(json)}\n\n`
}

/** 200 with these parts, each in a packet of its own, then the end. */
export function streams(...parts: (string | Buffer)[]): (response: ServerResponse) => void {
  return (response) => {
    begin(response)
    const waiting = [...parts]
    const next = (): void => {
      const part = waiting.shift()
      if (part === undefined) response.end()
      else response.write(part, () => setImmediate(next))
    }
    next()
  }
}

/** 200 with these parts, and then nothing for ever. */
export function hangsAfter(...parts: string[]): (response: ServerResponse) => void {
  return (response) => {
    begin(response)
    for (const part of parts) response.write(part)
  }
}

/** 200 with these parts, and then the connection is cut. */
export function cutsAfter(...parts: string[]): (response: ServerResponse) => void {
  return (response) => {
    begin(response)
    response.write(parts.join(''), () => setImmediate(() => response.socket?.destroy()))
  }
}

export function refuses(
  status: number,
  error: Record<string, unknown>,
  headers: Record<string, string> = {},
): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(JSON.stringify({ error }))
  }
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  response.flushHeaders()
}
