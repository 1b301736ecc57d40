import { BoundedQueue } from '../../server/bounded-queue.ts'
import { describe, expect, it } from 'vitest'
import { HeardLedger } from '../../server/conversation/heard.ts'
import { Speech, SPEECH_QUEUE_LIMIT } from '../../server/conversation/speech.ts'
import { ProviderError } from '../../server/errors.ts'
import type { TtsEvent, TtsProvider, TtsRequest } from '../../server/providers/tts.ts'

/** A voice of 1 s per sentence, and a line that notes what it gets. */
function setUp(
  options: { pacingMs?: number; fail?: (text: string) => boolean; audioMs?: number } = {},
) {
  const asked: string[] = []
  const line: string[] = []
  const failures: string[] = []
  const ledger = new HeardLedger()
  let ids = 0
  const tts: TtsProvider = {
    name: 'voice',
    sampleRateHz: 8_000,
    warm: async () => {},
    voices: async () => [],
    close: async () => {},
    async *synthesize(request: TtsRequest): AsyncGenerator<TtsEvent> {
      asked.push(request.text)
      await Promise.resolve()
      if (options.fail?.(request.text)) throw new ProviderError('TTS_TIMEOUT', 'slow')
      yield { kind: 'word', text: request.text, offsetMs: 0, textOffset: 0 }
      yield { kind: 'audio', pcm: new Int16Array((options.audioMs ?? 1_000) * 8) }
    },
  }
  const playback = {
    append: (id: number, pcm: Int16Array) => void line.push(`${id}:${pcm.length / 8}`),
    finish: (id: number) => void line.push(`${id}.`),
    clear: () => {},
    setDucked: () => {},
    setPaused: () => {},
    paused: false,
    heardMs: () => 0,
    busy: false,
  }
  const voice = { name: 'v', language: 'es-MX', style: null, speed: 1 }
  const nextSegmentId = () => ++ids
  const speech = new Speech(
    { callId: 'c', tts, voice, playback, ledger, pacingMs: options.pacingMs ?? 0, nextSegmentId },
    {
      onAsked: () => {},
      onAudio: () => {},
      onHandedOver: () => {},
      onFailed: (error) => failures.push(error.code) < 2,
      onProgress: () => {},
    },
  )
  const settle = () => new Promise(setImmediate)
  const start = (id: number) => {
    Object.assign(ledger.get(id) ?? {}, { started: true })
    speech.progressed()
  }
  return { speech, ledger, asked, line, failures, settle, start }
}

describe('speech', () => {
  it('synthesises no further than 1500 ms ahead of the sentence being played', async () => {
    const { speech, asked, settle, start } = setUp({ audioMs: 2_000 })
    for (const text of ['A.', 'B.', 'C.', 'D.']) speech.say(text)
    await settle()
    expect(asked).toEqual(['A.'])
    start(1)
    await settle()
    expect(asked).toEqual(['A.', 'B.'])
    start(2)
    await settle()
    expect(asked).toEqual(['A.', 'B.', 'C.'])
  })

  it('finishes each segment once, in order, and is complete after end()', async () => {
    const { speech, line, settle } = setUp({ audioMs: 100 })
    speech.say('A.')
    speech.say('B.')
    await settle()
    expect(speech.complete).toBe(false)
    speech.end()
    await settle()
    expect(line).toEqual(['1:100', '1.', '2:100', '2.'])
    expect(speech.complete).toBe(true)
  })

  it('puts 300 ms of silence between sentences, not before the first, and moves the word offsets', async () => {
    const { speech, ledger, line, settle } = setUp({ pacingMs: 300, audioMs: 100 })
    speech.say('A.')
    speech.say('B.')
    await settle()
    expect(line).toEqual(['1:100', '1.', '2:300', '2:100', '2.'])
    expect(ledger.get(2)).toMatchObject({ audioMs: 400, words: [{ offsetMs: 300, textOffset: 0 }] })
  })

  it('holds finished audio back until release()', async () => {
    const { speech, line, settle } = setUp()
    speech.hold()
    speech.say('A.')
    speech.end()
    await settle()
    expect(line).toEqual([])
    expect(speech.complete).toBe(false)
    speech.release()
    expect(line).toEqual(['1:1000', '1.'])
    expect(speech.complete).toBe(true)
  })

  it('appends nothing after abort()', async () => {
    const { speech, line, settle } = setUp()
    speech.say('A.')
    speech.abort()
    speech.say('B.')
    await settle()
    expect(line).toEqual([])
  })

  it('tries a failed sentence once more, then leaves it out', async () => {
    const { speech, asked, line, failures, settle } = setUp({
      fail: (text) => text === 'A.',
      audioMs: 100,
    })
    speech.say('A.')
    speech.say('B.')
    speech.end()
    await settle()
    expect(asked).toEqual(['A.', 'A.', 'B.'])
    expect(failures).toEqual(['TTS_TIMEOUT', 'TTS_TIMEOUT'])
    expect(line).toEqual(['2:100', '2.'])
  })

  it('refuses and counts sentences above the queue limit', async () => {
    const { speech } = setUp()
    const before = BoundedQueue.onDropped
    const names: string[] = []
    // The metric `dropped_items_total{queue}` hangs on this.
    BoundedQueue.onDropped = (name) => names.push(name)
    for (let i = 0; i < SPEECH_QUEUE_LIMIT + 11; i++) speech.say(`${i}.`)
    BoundedQueue.onDropped = before
    // One sentence left the queue for the voice.
    expect(speech.dropped).toBe(10)
    expect(names).toEqual(Array.from({ length: 10 }, () => 'speechSentences'))
    speech.abort()
  })
})
