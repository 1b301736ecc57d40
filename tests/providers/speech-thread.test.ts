import { describe, expect, it } from 'vitest'
import type { ProviderError } from '../../server/errors.ts'
import { SpeechThread } from '../../server/providers/speech-thread.ts'

/** A worker file of one line. */
function thread(source: string) {
  const messages: unknown[] = []
  const down: ProviderError[] = []
  let heard: () => void = () => undefined
  const speech = new SpeechThread<unknown, unknown>({
    file: new URL(`data:text/javascript,${encodeURIComponent(source)}`),
    data: null,
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
})
