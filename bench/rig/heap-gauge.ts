/**
 * Heap gauge: what a server's memory holds after a collection of garbage, read through Node's inspector. The server has no code for it:
 * it is started with `--inspect=127.0.0.1:0`, and nothing is attached while it is measured.
 *
 *   "Debugger listening on ws://…" ─► collectGarbage ─► getHeapUsage: heap + buffers outside of it
 *
 * A collection stops the server for 100-200 ms, which nobody would do to one in service: the reader leaves those moments out.
 */
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { z } from 'zod'
import type { ServerProcess } from './server-process.ts'

/** For ServerProcess: a port of its own, on this machine only. */
export const GAUGE_FLAGS = ['--inspect=127.0.0.1:0']
const LISTENING = /Debugger listening on (ws:\/\/\S+)/
const ANSWER_MS = 20_000

const usage = z.object({
  usedSize: z.number(),
  embedderHeapUsedSize: z.number().default(0),
  backingStorageSize: z.number().default(0),
})
const answerShape = z.object({ id: z.number(), result: z.unknown() })

/** Bytes that are still held after a full collection. @throws Error when the server was not started with GAUGE_FLAGS, or is silent. */
export async function heldBytes(server: ServerProcess): Promise<number> {
  const url = LISTENING.exec(server.output)?.[1]
  if (url === undefined) throw new Error('the server was started without GAUGE_FLAGS')
  const ws = new WebSocket(url, { perMessageDeflate: false })
  try {
    await once(ws, 'open')
    // Twice: what a first collection finalises, a second one frees.
    await ask(ws, 1, 'HeapProfiler.collectGarbage')
    await ask(ws, 2, 'HeapProfiler.collectGarbage')
    const used = usage.parse(await ask(ws, 3, 'Runtime.getHeapUsage'))
    return used.usedSize + used.embedderHeapUsedSize + used.backingStorageSize
  } finally {
    ws.close()
  }
}

function ask(ws: WebSocket, id: number, method: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS)
    const read = (data: Buffer): void => {
      const answer = answerShape.safeParse(JSON.parse(data.toString()))
      if (!answer.success || answer.data.id !== id) return
      clearTimeout(timer)
      ws.off('message', read)
      resolve(answer.data.result)
    }
    ws.on('message', read)
    ws.send(JSON.stringify({ id, method }))
  })
}
