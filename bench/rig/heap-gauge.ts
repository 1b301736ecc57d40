/**
 * Heap gauge: what a server's memory holds after a collection of garbage, read through Node's inspector. The server has no code for it:
 * it is started with `--inspect=127.0.0.1:0`, and nothing is attached while it is measured.
 *
 *   "Debugger listening on ws://…" ─► collectGarbage ─► getHeapUsage, heap spaces ─► objects, buffers outside of the heap, compiled code
 *
 * Compiled code is told apart: it belongs to a function, not to a call. V8 compiles a function again, into more bytes, after it
 * has run some hundred times and some thousand times, so that of a server whose calls hold nothing it still grows for hours.
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
/** Machine code, and what V8 keeps beside it: bytecode, and the tables by which it leaves optimised code. */
const CODE_SPACES = new Set([
  ...['code_space', 'code_large_object_space', 'trusted_space', 'trusted_large_object_space'],
])
const SPACES = `process.getBuiltinModule('node:v8').getHeapSpaceStatistics()`
const spaces = z.object({
  result: z.object({
    value: z.array(z.object({ space_name: z.string(), space_used_size: z.number() })),
  }),
})
const answerShape = z.object({ id: z.number(), result: z.unknown() })

export interface HeldMemory {
  /** Objects on the heap, and buffers outside of it. */
  dataBytes: number
  /** Of which buffers. */
  bufferBytes: number
  codeBytes: number
  /** Data and code. */
  allBytes: number
}

/** What is still held after a full collection. @throws Error when the server was not started with GAUGE_FLAGS, or is silent. */
export async function heldMemory(server: ServerProcess): Promise<HeldMemory> {
  const url = LISTENING.exec(server.output)?.[1]
  if (url === undefined) throw new Error('the server was started without GAUGE_FLAGS')
  const ws = new WebSocket(url, { perMessageDeflate: false })
  try {
    await once(ws, 'open')
    // Twice: what a first collection finalises, a second one frees.
    await ask(ws, { id: 1, method: 'HeapProfiler.collectGarbage' })
    await ask(ws, { id: 2, method: 'HeapProfiler.collectGarbage' })
    const used = usage.parse(await ask(ws, { id: 3, method: 'Runtime.getHeapUsage' }))
    const params = { expression: SPACES, returnByValue: true }
    const { result } = spaces.parse(await ask(ws, { id: 4, method: 'Runtime.evaluate', params }))
    const codeBytes = result.value
      .filter(({ space_name: name }) => CODE_SPACES.has(name))
      .reduce((sum, space) => sum + space.space_used_size, 0)
    const bufferBytes = used.embedderHeapUsedSize + used.backingStorageSize
    const allBytes = used.usedSize + bufferBytes
    return { dataBytes: allBytes - codeBytes, bufferBytes, codeBytes, allBytes }
  } finally {
    ws.close()
  }
}

interface Question {
  id: number
  method: string
  params?: Record<string, unknown>
}

function ask(ws: WebSocket, question: Question): Promise<unknown> {
  const { id, method } = question
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
    ws.send(JSON.stringify(question))
  })
}
