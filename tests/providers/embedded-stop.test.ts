/** A process that ends while onnxruntime works in a thread; before the gate it was aborted nearly every time. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const PROGRAM = fileURLToPath(new URL('./embedded-stop-program.ts', import.meta.url))
const PATIENCE_MS = 25_000

interface Ending {
  code: number | null
  signal: string | null
  stderr: string
}

function stopped(...args: string[]): Promise<Ending> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
}

it.each([
  ['0', 'close'],
  ['500', 'close'],
  ['1200', 'close'],
  ['ready', 'close'],
  ['600', 'exit'],
  ['ready', 'exit'],
])('ends with code 0 when it stops at %s ms by %s', async (when, how) => {
  expect(await stopped(when, how)).toEqual({ code: 0, signal: null, stderr: '' })
})
