/** The real Speech SDK and our adapters against a service that speaks the wire protocol. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { azureVoiceName, ssmlFor } from '../../server/providers/azure-ssml.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import type { SttEvents, SttSession } from '../../server/providers/stt.ts'
import type { TtsEvent, TtsRequest } from '../../server/providers/tts.ts'
import type { TtsFailure } from '../../bench/rig/azure-speaker.ts'
import { AzureService } from '../../bench/rig/azure-service.ts'

/** 500 ms of a sawtooth. */
const EMULATED_PCM = Int16Array.from({ length: 8_000 }, (_, at) => (at % 100) * 100 - 5_000)

let emulator: AzureService
const key = 'secret-key-of-the-test'
const account = () => ({ key, region: 'eastus', host: emulator.host })

beforeEach(async () => {
  emulator = await AzureService.start({
    firstAudioMs: 1,
    audioOf: () => EMULATED_PCM,
    textOf: () => 'Quiero información.',
  })
})

afterEach(async () => {
  await emulator.close()
})

const request: TtsRequest = {
  callId: 'call-1',
  text: '¿Hola? Tú & yo <ya>',
  voice: { name: 'es-MX-DaliaNeural', language: 'es-MX', style: 'cheerful', speed: 1.1 },
}

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const list: TtsEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

function open(stt: AzureStt, events: Partial<SttEvents>): SttSession {
  return stt.open(
    {
      callId: 'call-1',
      language: 'es-MX',
      phrases: ['Ubrokers'],
      segmentationSilenceMs: 500,
      initialSilenceMs: 30_000,
    },
    { onPartial: () => undefined, onFinal: () => undefined, onError: () => undefined, ...events },
  )
}

function feed(session: SttSession, frames: number): void {
  // A view into a larger buffer, as the audio path hands it over.
  const shared = new Int16Array(4_096)
  for (let frame = 0; frame < frames; frame += 1) {
    // 100 ms of silence, 900 ms of a voice, silence.
    const isVoice = frame >= 5 && frame < 50
    for (let at = 32; at < 352; at += 1) shared[at] = isVoice && at % 20 < 10 ? 5_000 : 0
    session.push(shared.subarray(32, 352), 1_000 + frame * 20)
  }
}

describe('azure voice', () => {
  it('streams the sentence sample by sample, with the word at its place in the text', async () => {
    const tts = new AzureTts(account())
    await tts.warm()
    const events = await all(tts.synthesize(request, new AbortController().signal))
    const pcm = events.flatMap((event) => (event.kind === 'audio' ? [...event.pcm] : []))
    expect(pcm).toEqual([...EMULATED_PCM])
    expect(events.find((event) => event.kind === 'word')).toEqual({
      kind: 'word',
      text: 'Hola',
      offsetMs: expect.closeTo(500 / 19, 2),
      textOffset: 1,
    })
    expect(emulator.ssml[0]).toContain('¿Hola? Tú &amp; yo &lt;ya&gt;')
    await tts.close()
  })

  it('uses 3 connections for 9 sentences, of which 2 wait as spares', async () => {
    const tts = new AzureTts(account())
    for (let sentence = 0; sentence < 9; sentence += 1) {
      await all(tts.synthesize(request, new AbortController().signal))
    }
    expect(emulator.ssml).toHaveLength(9)
    expect(emulator.paths).toHaveLength(3)
    await tts.close()
  })

  it('fails with TTS_UNAVAILABLE, not retryable and without the key, when the key is refused', async () => {
    emulator.ttsFailure = { kind: 'refuse', status: 401 }
    const tts = new AzureTts(account())
    const error = await all(tts.synthesize(request, new AbortController().signal)).catch(
      (caught: unknown) => caught,
    )
    expect(error).toMatchObject({ code: 'TTS_UNAVAILABLE', retryable: false })
    expect((error as Error).message).not.toContain(key)
    await tts.close()
  })

  it('fails with TTS_TIMEOUT when no audio comes within 200 ms', async () => {
    emulator.ttsFailure = { kind: 'silent' }
    const tts = new AzureTts(account(), { firstMs: 200 })
    await expect(all(tts.synthesize(request, new AbortController().signal))).rejects.toMatchObject({
      code: 'TTS_TIMEOUT',
      retryable: true,
    })
    await tts.close()
  })

  it('fails with TTS_TIMEOUT when the audio stops for 200 ms in mid-sentence', async () => {
    emulator.ttsFailure = { kind: 'stall', afterAudioMs: 200 }
    const tts = new AzureTts(account(), { gapMs: 200 })
    await expect(all(tts.synthesize(request, new AbortController().signal))).rejects.toMatchObject({
      code: 'TTS_TIMEOUT',
      message: expect.stringContaining('mid-sentence'),
    })
    await tts.close()
  })

  it('throws connections away that the service has closed, and speaks on a new one', async () => {
    const tts = new AzureTts(account())
    await all(tts.synthesize(request, new AbortController().signal))
    await expect.poll(() => emulator.open).toBe(3)
    emulator.dropConnections(1_000)
    await expect.poll(() => tts.idle).toBe(0)
    const events = await all(tts.synthesize(request, new AbortController().signal))
    expect(events.some(({ kind }) => kind === 'audio')).toBe(true)
    await tts.close()
  })

  it('gives every word its place, and all audio, though the service tells of the words behind the audio', async () => {
    const tts = new AzureTts(account())
    const inTime = await all(tts.synthesize(request, new AbortController().signal))
    emulator.ttsFailure = { kind: 'lateMetadata' }
    const late = await all(tts.synthesize(request, new AbortController().signal))
    const words = (events: TtsEvent[]) => events.filter(({ kind }) => kind === 'word')
    const samples = (events: TtsEvent[]) =>
      events.reduce((sum, event) => sum + (event.kind === 'audio' ? event.pcm.length : 0), 0)
    expect(words(late).length).toBeGreaterThan(1)
    expect(words(late)).toEqual(words(inTime))
    expect(samples(late)).toBe(samples(inTime))
    expect(late.at(-1)?.kind).toBe('word')
    await tts.close()
  })

  it('fails, never hangs, whatever the service leaves out, closes or garbles', async () => {
    const tts = new AzureTts(account(), { firstMs: 250, gapMs: 250 })
    for (const failure of TTS_FAILURES) {
      emulator.ttsFailure = failure
      const reading = all(tts.synthesize(request, new AbortController().signal))
      await expect(reading, JSON.stringify(failure)).rejects.toMatchObject({
        code: expect.stringMatching(/^TTS_/),
      })
    }
    emulator.ttsFailure = null
    expect(await all(tts.synthesize(request, new AbortController().signal))).not.toEqual([])
    await tts.close()
  })

  it('ends without an error when aborted after the first chunk', async () => {
    emulator.ttsFailure = { kind: 'stall', afterAudioMs: 200 }
    const tts = new AzureTts(account())
    const abort = new AbortController()
    const events: TtsEvent[] = []
    for await (const event of tts.synthesize(request, abort.signal)) {
      events.push(event)
      abort.abort()
    }
    expect(events).toHaveLength(1)
    await tts.close()
  })
})

const TTS_FAILURES: TtsFailure[] = [
  { kind: 'refuse', status: 429, retryAfterSec: 1 },
  { kind: 'refuse', status: 503 },
  { kind: 'silent' },
  { kind: 'slow', firstAudioMs: 5_000 },
  { kind: 'stall', afterAudioMs: 200 },
  ...[1_000, 1_006, 1_007, 1_011].map((code) => ({
    kind: 'close' as const,
    code,
    afterAudioMs: 200,
  })),
  { kind: 'missing', what: 'response' },
  { kind: 'missing', what: 'streamId' },
  { kind: 'missing', what: 'turn.end' },
  { kind: 'garbage' },
]

describe('ssml', () => {
  it('writes style, degree, rate, pitch and volume, each within its range', () => {
    const voice = { ...request.voice, styleDegree: 9, pitch: -5, volume: 80 }
    expect(ssmlFor('hola', voice)).toContain(
      '<mstts:express-as style="cheerful" styledegree="2">' +
        '<prosody rate="+10%" pitch="-5%" volume="+50%">hola</prosody></mstts:express-as>',
    )
  })

  it('escapes the five characters of XML and drops control characters', () => {
    expect(ssmlFor(`a&b<c>"d"'e'\u0000\u001b`, request.voice)).toContain(
      'a&amp;b&lt;c&gt;&quot;d&quot;&apos;e&apos;',
    )
  })

  it('leaves out a style that is not a plain word', () => {
    expect(ssmlFor('hola', { ...request.voice, style: '"><audio' })).not.toContain('express-as')
  })

  it('takes the default voice of the language for an id that is not of Azure', () => {
    expect(azureVoiceName({ ...request.voice, name: 'pico-es-ES' })).toBe('es-MX-DaliaNeural')
    expect(azureVoiceName({ ...request.voice, name: 'x', language: 'en-US' })).toBe(
      'en-US-JennyNeural',
    )
  })
})

describe('azure recogniser', () => {
  it('reports a partial and a final with word times in the audio time of the call', async () => {
    const stt = new AzureStt(account())
    const partials: string[] = []
    const final = await new Promise((resolve, reject) => {
      const session = open(stt, {
        onPartial: ({ text }) => partials.push(text),
        onFinal: resolve,
        onError: reject,
      })
      feed(session, 110)
    })
    expect(partials).toEqual(['quiero', 'quiero información.', 'quiero información.'])
    expect(final).toMatchObject({
      text: 'Quiero información.',
      language: 'es-MX',
      startMs: 1_100,
      endMs: 2_000,
      confidence: 0.9,
      words: [
        { text: 'quiero', startMs: 1_100, endMs: 1_550 },
        { text: 'información.', startMs: 1_550, endMs: 2_000 },
      ],
    })
    expect(emulator.paths[0]).toBe('/stt/speech/universal/v2')
    // Frames of 640 bytes, not the 8 kB buffer that they are views of.
    expect(emulator.audioBytes).toBeLessThanOrEqual(110 * 640)
    await stt.close()
  })

  it('reports STT_UNAVAILABLE once, without the key, when the key is refused', async () => {
    emulator.sttFailure = { kind: 'refuse', status: 401 }
    const stt = new AzureStt(account())
    const error = await new Promise<Error>((resolve) => {
      feed(open(stt, { onError: resolve }), 10)
    })
    expect(error).toMatchObject({ code: 'STT_UNAVAILABLE' })
    expect(error.message).not.toContain(key)
    await stt.close()
  })

  it('takes the connection that was opened while the call rang', async () => {
    const stt = new AzureStt(account())
    await stt.warm()
    stt.prepare({
      language: 'es-MX',
      phrases: ['Ubrokers'],
      segmentationSilenceMs: 500,
      initialSilenceMs: 30_000,
    })
    await expect.poll(() => emulator.paths.length).toBe(1)
    const final = await new Promise<{ text: string }>((resolve, reject) => {
      feed(open(stt, { onFinal: resolve, onError: reject }), 110)
    })
    expect(final.text).toBe('Quiero información.')
    expect(emulator.paths).toHaveLength(1)
    await stt.close()
  })

  it('asks for swear words as spoken, and for the silence that ends a phrase', async () => {
    const stt = new AzureStt(account())
    feed(open(stt, {}), 10)
    await expect.poll(() => emulator.queries.length).toBe(1)
    expect(emulator.queries[0]!.get('profanity')).toBe('raw')
    await stt.close()
  })

  it('keeps the time of the call where the line left 3 s out', async () => {
    const stt = new AzureStt(account())
    const final = await new Promise<{ startMs: number }>((resolve, reject) => {
      const session = open(stt, { onFinal: resolve, onError: reject })
      session.push(new Int16Array(320), 1_000)
      for (let frame = 0; frame < 110; frame++) {
        const pcm = new Int16Array(320)
        if (frame >= 5 && frame < 50) pcm.forEach((_, at) => (pcm[at] = at % 20 < 10 ? 5_000 : 0))
        session.push(pcm, 4_020 + frame * 20)
      }
    })
    expect(final.startMs).toBe(4_120)
    await stt.close()
  })

  it('probes by opening a connection, and fails with the reason', async () => {
    const stt = new AzureStt(account())
    await stt.probe()
    emulator.sttFailure = { kind: 'refuse', status: 503 }
    await expect(stt.probe()).rejects.toMatchObject({ code: 'STT_UNAVAILABLE' })
    await stt.close()
  })

  it('close() returns at once from a service that never answers, and nothing follows', async () => {
    emulator.sttFailure = { kind: 'silent' }
    const stt = new AzureStt(account())
    let events = 0
    await stt.warm()
    const session = open(stt, { onFinal: () => (events += 1), onError: () => (events += 1) })
    feed(session, 10)
    session.close()
    session.close()
    session.push(new Int16Array(320), 0)
    await stt.close()
    expect(events).toBe(0)
  })
})
