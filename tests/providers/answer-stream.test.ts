/** What is read of an answer when several of its events come in one packet. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { readAnswer } from '../../server/providers/answer-stream.ts'
import { EventStreamClient } from '../../server/providers/event-stream-client.ts'
import { StallGuard } from '../../server/providers/stall-guard.ts'

it('gives 1 text that lies in one packet with an error behind it, and then throws the error', async () => {
  const text = JSON.stringify({ choices: [{ delta: { content: 'Hola' } }] })
  const error = JSON.stringify({ error: { message: 'full', code: 'rate_limit_exceeded' } })
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`data: ${text}\n\ndata: ${error}\n\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = new EventStreamClient()
  const guard = new StallGuard({ firstMs: 15_000, gapMs: 15_000 }, () => undefined)
  const heard: unknown[] = []
  const read = async (): Promise<void> => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    for await (const event of readAnswer(await client.fetch(url), guard)) heard.push(event)
  }
  await expect(read()).rejects.toMatchObject({ code: 'LLM_RATE_LIMITED' })
  expect(heard).toEqual([{ kind: 'text', text: 'Hola' }])
  guard.stop()
  client.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
