import { beforeEach, describe, expect, it } from 'vitest'
import type { ProviderError } from '../../server/errors.ts'
import { SpeechThread } from '../../server/providers/speech-thread.ts'

/** What the workers below tell besides messages; cleared for each test. */
const flags = new Int32Array(new SharedArrayBuffer(8))
beforeEach(() => flags.fill(0))

const GATED = `
import { parentPort, workerData } from 'node:worker_threads'
import { NativeGate } from '${new URL('../../server/providers/embedded-native-gate.ts', import.meta.url).href}'
`

/** A worker file of one line. */
function thread(source: string) {
  const messages: unknown[] = []
  const down: ProviderError[] = []
  let heard: () => void = () => undefined
  const speech = new SpeechThread<unknown, unknown>({
    file: new URL(`data:text/javascript,${encodeURIComponent(source)}`),
    data: { flags: flags.buffer },
    errorCode: 'STT_UNAVAILABLE',
    onMessage: (message) => {
      messages.push(message)
      heard()
    },
    onDown: (error) => {
      down.push(error)
      heard()
    },
  })
  return { speech, messages, down, next: () => new Promise<void>((resolve) => (heard = resolve)) }
}

const ECHO = `import { parentPort as port } from 'node:worker_threads'
port.on('message', (m) => {
  if (m.kind === 'close') port.close()
  else if (m === 'die') process.exit(3)
  else port.postMessage(m)
})
port.postMessage({ kind: 'ready' })`

describe('speech thread', () => {
  it('starts once for 2 calls of start() and delivers messages', async () => {
    const { speech, messages, next } = thread(ECHO)
    await Promise.all([speech.start(), speech.start()])
    const answered = next()
    speech.post({ kind: 'hello' })
    await answered
    expect(messages).toEqual([{ kind: 'hello' }])
    await speech.close()
  })

  it('says once that it is down when the thread dies, and starts again', async () => {
    const { speech, messages, down, next } = thread(ECHO)
    await speech.start()
    const died = next()
    speech.post('die')
    await died
    expect(down).toHaveLength(1)
    expect(down[0]).toMatchObject({ code: 'STT_UNAVAILABLE', retryable: true })
    expect(speech.live).toBe(false)
    await speech.start()
    const answered = next()
    speech.post({ kind: 'again' })
    await answered
    expect(messages).toEqual([{ kind: 'again' }])
    await speech.close()
  })

  it('rejects start() with the code that the thread gives when it cannot get ready', async () => {
    const { speech, down } = thread(
      `import { parentPort } from 'node:worker_threads'
       parentPort.postMessage({ kind: 'unready', code: 'STT_MODEL_MISSING', message: 'install it' })`,
    )
    await expect(speech.start()).rejects.toMatchObject({
      code: 'STT_MODEL_MISSING',
      message: 'install it',
    })
    expect(down).toEqual([])
    await speech.close()
  })

  it('rejects start() when the file fails to run, and after close()', async () => {
    const { speech } = thread(`throw new Error('broken file')`)
    await expect(speech.start()).rejects.toMatchObject({
      code: 'STT_UNAVAILABLE',
      message: expect.stringContaining('broken file'),
    })
    await speech.close()
    await speech.close()
    await expect(speech.start()).rejects.toMatchObject({ retryable: false })
  })

  it('ends a thread that hangs', async () => {
    const { speech, down } = thread(`${ECHO}; setTimeout(() => { for (;;); }, 5)`)
    await speech.start()
    await speech.abandon('no sign of life')
    expect(down[0]!.message).toContain('no sign of life')
    await speech.close()
  })
  it('waits for the native call of a thread that close() finds in one, and lets it release', async () => {
    const { speech, next } = thread(`${GATED}
      const gate = new NativeGate(workerData.gate)
      const flags = new Int32Array(workerData.options.flags)
      parentPort.on('message', () => gate.release(async () => Atomics.store(flags, 1, 1))
        .then(() => parentPort.close()))
      parentPort.postMessage({ kind: 'ready' })
      gate.run(async () => {
        parentPort.postMessage('inside')
        Atomics.wait(flags, 0, 0, 300)
        Atomics.store(flags, 0, 1)
      })`)
    const inside = next()
    await speech.start()
    await inside
    await speech.close()
    expect([...flags]).toEqual([1, 1])
  })

  it('abandons a thread in a native call only when that call is over', async () => {
    const { speech, down, next } = thread(`${GATED}
      const gate = new NativeGate(workerData.gate)
      const flags = new Int32Array(workerData.options.flags)
      parentPort.on('message', () => undefined)
      parentPort.postMessage({ kind: 'ready' })
      gate.run(async () => {
        parentPort.postMessage('inside')
        Atomics.wait(flags, 0, 0, 300)
        Atomics.store(flags, 0, 1)
      }).then(() => gate.run(async () => Atomics.store(flags, 1, 1)))`)
    const inside = next()
    await speech.start()
    await inside
    await speech.abandon('no answer')
    expect(down).toHaveLength(1)
    expect([...flags]).toEqual([1, 0])
    await speech.close()
  })
})
