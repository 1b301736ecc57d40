/** The client of language models against a real HTTP server: which connections are kept, which are closed, and what is thrown. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EventStreamClient, packetsOf } from '../../server/providers/event-stream-client.ts'

let url: string
let connections: number
let open: number
let seen: { method: string; headers: IncomingMessage['headers']; body: string }[]
let answer: (response: ServerResponse) => void
let client: EventStreamClient

const server = createServer((request, response) => {
  let body = ''
  request.setEncoding('utf8').on('data', (part: string) => (body += part))
  request.on('end', () => {
    seen.push({ method: request.method ?? '', headers: request.headers, body })
    answer(response)
  })
})
server.on('connection', (socket) => {
  connections++
  open++
  socket.on('close', () => open--)
})

beforeEach(async () => {
  connections = open = 0
  seen = []
  client = new EventStreamClient()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/chat`
})
afterEach(async () => {
  client.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function streams(...parts: string[]): (response: ServerResponse) => void {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-limit': '7' })
    for (const part of parts) response.write(part)
    response.end()
  }
}

/** The head and the first packet, then nothing. */
function stalls(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write('data: 1\n\n')
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const packet of packetsOf(response)) parts.push(packet)
  return Buffer.concat(parts).toString()
}

describe('event stream client', () => {
  it('reads 3 event streams, one after the other, through 1 connection', async () => {
    answer = streams('data: 1\n\n', 'data: ñ\n\n')
    for (let i = 0; i < 3; i++) {
      const body = `{"number":${i}}`
      const response = await client.fetch(url, { method: 'POST', body, headers: { 'X-Key': 'k' } })
      expect(response.status).toBe(200)
      expect(response.headers.get('x-limit')).toBe('7')
      expect(await textOf(response)).toBe('data: 1\n\ndata: ñ\n\n')
    }
    expect(connections).toBe(1)
    expect(seen.map(({ body }) => body)).toEqual(['{"number":0}', '{"number":1}', '{"number":2}'])
    expect(seen[0]).toMatchObject({
      method: 'POST',
      headers: { 'x-key': 'k', 'content-length': '12' },
    })
  })

  it('closes its waiting connections, and opens another for the next request', async () => {
    answer = streams('data: 1\n\n')
    await textOf(await client.fetch(url))
    client.close()
    await expect.poll(() => open).toBe(0)
    await textOf(await client.fetch(url))
    expect(connections).toBe(2)
  })

  it('gives any other answer whole: a status of 429 with its JSON, a redirect unfollowed, 204 without a body', async () => {
    answer = (response) =>
      response.writeHead(429, { 'content-type': 'application/json' }).end('{"a":1}')
    const refused = await client.fetch(url)
    expect([refused.status, refused.ok]).toEqual([429, false])
    expect(await refused.json()).toEqual({ a: 1 })
    answer = (response) => response.writeHead(307, { location: url }).end()
    expect((await client.fetch(url)).status).toBe(307)
    answer = (response) => response.writeHead(204).end()
    expect((await client.fetch(url)).status).toBe(204)
    expect(seen).toHaveLength(3)
  })

  it('says which kind of answer is no event stream', async () => {
    answer = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>')
    const response = await client.fetch(url)
    expect(() => packetsOf(response)).toThrow('answered text/html instead of an event stream')
  })

  it('rejects a body above 1 MB that is no event stream', async () => {
    answer = (response) => response.writeHead(500).end('x'.repeat(2 ** 20 + 1))
    await expect(client.fetch(url)).rejects.toMatchObject({ code: 'LLM_BAD_RESPONSE' })
  })

  it('rejects with an AbortError before the head, and closes the connection', async () => {
    const controller = new AbortController()
    answer = () => controller.abort()
    const asked = client.fetch(url, { signal: controller.signal })
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => open).toBe(0)
    await expect(client.fetch(url, { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(connections).toBe(1)
  })

  it('throws an AbortError behind the first packet, and closes the connection', async () => {
    const controller = new AbortController()
    answer = stalls
    const read = async (): Promise<void> => {
      for await (const packet of packetsOf(
        await client.fetch(url, { signal: controller.signal }),
      )) {
        expect(Buffer.from(packet).toString()).toBe('data: 1\n\n')
        controller.abort()
      }
    }
    await expect(read()).rejects.toMatchObject({ name: 'AbortError' })
    await expect.poll(() => open).toBe(0)
  })

  it('closes the connection of an answer that its reader leaves', async () => {
    answer = stalls
    for await (const packet of packetsOf(await client.fetch(url))) {
      expect(packet.length).toBe(9)
      break
    }
    await expect.poll(() => open).toBe(0)
  })

  it('throws when the connection breaks behind the head', async () => {
    answer = (response) => {
      stalls(response)
      setImmediate(() => response.destroy())
    }
    const response = await client.fetch(url)
    await expect(textOf(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('rejects with the code of a connection that is refused', async () => {
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    await expect(client.fetch(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  })

  it('takes no body but a text', async () => {
    const body = new Uint8Array(1)
    await expect(client.fetch(url, { method: 'POST', body })).rejects.toThrow('must be a text')
  })
})
