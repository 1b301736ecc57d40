/** The voice at the rate of the line: what is asked of Azure over the real SDK, and how voices of different rates stand in. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { GrowingText } from '../../server/growing-text.ts'
import { loadAzureSdk } from '../../server/providers/azure-sdk.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { EmbeddedTts } from '../../server/providers/embedded-tts.ts'
import { FailoverTts } from '../../server/providers/failover-tts.ts'
import { CachedTts } from '../../server/providers/phrase-cache.ts'
import { voiceFor, type TtsEvent, type TtsProvider } from '../../server/providers/tts.ts'
import { ScriptedVoice, broken } from './doubles.ts'

const TEXT = 'Con mucho gusto le explico los beneficios.'
const VOICE = { name: 'es-MX-DaliaNeural', language: 'es-MX', style: null, speed: 1 }
const STREAMING = { ...VOICE, name: 'en-US-AvaMultilingualNeural' }
const REQUEST = { callId: 'call-1', text: TEXT, voice: VOICE }
const PATIENT = { firstMs: 15_000, gapMs: 15_000, streamFirstMs: 15_000 }
const never = new AbortController().signal

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const list: TtsEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

const samplesOf = (events: TtsEvent[]): number =>
  events.reduce((sum, event) => sum + (event.kind === 'audio' ? event.pcm.length : 0), 0)
const wordsOf = (events: TtsEvent[]): TtsEvent[] => events.filter(({ kind }) => kind === 'word')

describe('azure, asked for the rate of the line', () => {
  let service: AzureService
  let tts: AzureTts
  beforeEach(async () => {
    service = await AzureService.start({ firstAudioMs: 1 })
    tts = new AzureTts({ key: 'k', region: 'r', host: service.host }, PATIENT)
  })
  afterEach(async () => {
    await tts.close()
    await service.close()
  })

  it.each([
    [8_000, 8_000, 'raw-8khz-16bit-mono-pcm'],
    [16_000, 16_000, 'raw-16khz-16bit-mono-pcm'],
    [24_000, 16_000, 'raw-16khz-16bit-mono-pcm'],
    [48_000, 16_000, 'raw-16khz-16bit-mono-pcm'],
  ])('a line of %i Hz gets %i Hz, asked for as %s', async (lineRateHz, rateHz, format) => {
    const voice = voiceFor(tts, lineRateHz)
    expect(voice.sampleRateHz).toBe(rateHz)
    const events = await all(voice.synthesize(REQUEST, never))
    expect(service.formats).toEqual([format])
    // 65 ms per character in the emulator.
    expect(samplesOf(events)).toBe((TEXT.length * 65 * rateHz) / 1_000)
    expect(wordsOf(events)).toHaveLength(7)
  })

  it.each([
    [8_000, 'raw-8khz-16bit-mono-pcm'],
    [16_000, 'raw-16khz-16bit-mono-pcm'],
  ])('streams a text to a line of %i Hz as %s, all of its audio', async (rateHz, format) => {
    const voice = voiceFor(tts, rateHz)
    expect(voice.streamsText?.(STREAMING)).toBe(true)
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(1)
    const text = new GrowingText()
    text.grow('Con mucho gusto le ')
    const reading = all(voice.synthesizeStream!({ ...REQUEST, text, voice: STREAMING }, never))
    text.finish(TEXT)
    const events = await reading
    expect(service.formats).toEqual([format])
    expect(service.paths.every((path) => path.endsWith('/v2'))).toBe(true)
    expect(samplesOf(events)).toBeCloseTo((TEXT.length * 65 * rateHz) / 1_000, -1)
    expect(wordsOf(events)).toHaveLength(7)
    // The one that was opened ahead, and two spares: all of the one rate.
    await expect.poll(() => service.paths.length, { timeout: 15_000 }).toBe(3)
  })

  it('speaks a refused text stream as markup at the same rate', async () => {
    service.streamFailure = { kind: 'refuse', status: 404 }
    const voice = voiceFor(tts, 8_000)
    const text = new GrowingText()
    text.finish(TEXT)
    await all(voice.synthesizeStream!({ ...REQUEST, text, voice: STREAMING }, never))
    expect(service.formats).toEqual(['raw-8khz-16bit-mono-pcm'])
    expect(service.ssml).toHaveLength(1)
  })

  it('places words and lasts as long at 8 kHz as at 16 kHz', async () => {
    const narrow = await all(voiceFor(tts, 8_000).synthesize(REQUEST, never))
    const wide = await all(voiceFor(tts, 16_000).synthesize(REQUEST, never))
    expect(wordsOf(narrow)).toEqual(wordsOf(wide))
    expect(samplesOf(wide)).toBe(2 * samplesOf(narrow))
  })

  it('never uses a connection of one rate for the other: 3 of each for 10 sentences in turns', async () => {
    for (let sentence = 0; sentence < 5; sentence++) {
      for (const lineRateHz of [8_000, 16_000]) {
        const events = await all(voiceFor(tts, lineRateHz).synthesize(REQUEST, never))
        expect(samplesOf(events)).toBe((TEXT.length * 65 * lineRateHz) / 1_000)
      }
    }
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(6)
    expect(service.paths).toHaveLength(6)
  })

  it('opens a connection of each rate ahead, since nobody knows the next line', async () => {
    await tts.warm()
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(2)
    expect(tts.idle).toBe(2)
  })

  it('refuses a rate that it does not give, with TTS_RATE', async () => {
    const reading = all(tts.synthesize({ ...REQUEST, rateHz: 24_000 }, never))
    await expect(reading).rejects.toMatchObject({ code: 'TTS_RATE', retryable: false })
  })
})

describe('the emulated service', () => {
  it('ends a connection that asks for a format it does not speak', async () => {
    const service = await AzureService.start({ firstAudioMs: 1 })
    const sdk = await loadAzureSdk()
    const config = sdk.SpeechConfig.fromHost(new URL(service.host), 'k')
    config.speechSynthesisOutputFormat = sdk.SpeechSynthesisOutputFormat.Audio16Khz32KBitRateMonoMp3
    const synthesizer = new sdk.SpeechSynthesizer(config, null)
    const result = await new Promise<{ reason: number; errorDetails: string }>((resolve, reject) =>
      synthesizer.speakTextAsync(TEXT, resolve, reject),
    )
    expect(result.reason).toBe(sdk.ResultReason.Canceled)
    expect(result.errorDetails).toContain('1007')
    expect([service.ssml, service.formats]).toEqual([[], []])
    synthesizer.close()
    await service.close()
  })
})

const audio = (ms: number, rateHz: number): TtsEvent => ({
  kind: 'audio',
  pcm: new Int16Array((ms * rateHz) / 1_000),
})
const word = (text: string, textOffset: number, offsetMs: number): TtsEvent => ({
  ...{ kind: 'word', text, textOffset, offsetMs },
})
const failover = (...voices: TtsProvider[]): FailoverTts =>
  new FailoverTts(voices, { accounts: new CallAccounts() })

/** Has 8 kHz too. */
const azureLike = (steps: ScriptedVoice['steps']): ScriptedVoice =>
  Object.assign(new ScriptedVoice('azure', steps), { otherRatesHz: [8_000] })

describe('voices of different rates in order', () => {
  it('halve the one that has only 16 kHz: 300 ms stay 300 ms, at the rate of the line', async () => {
    const stand = new ScriptedVoice('embedded', [audio(300, 16_000)])
    const tts = failover(azureLike([broken('TTS')]), stand)
    const voice = voiceFor(tts, 8_000)
    expect(voice.sampleRateHz).toBe(8_000)
    expect(samplesOf(await all(voice.synthesize(REQUEST, never)))).toBe(300 * 8)
    expect(stand.ratesHz).toEqual([16_000])
    await tts.close()
  })

  it('find the place of a break by the rate of the line: the words behind 600 ms', async () => {
    const text = 'uno dos tres cuatro'
    const first = azureLike([
      word('uno', 0, 0),
      word('dos', 4, 300),
      audio(600, 8_000),
      broken('TTS'),
    ])
    const next = new ScriptedVoice('embedded', [word('tres', 1, 0), audio(200, 16_000)])
    const tts = failover(first, next)
    const voice = voiceFor(tts, 8_000)
    const events = await all(voice.synthesize({ ...REQUEST, text }, never))
    expect([first.ratesHz, next.ratesHz]).toEqual([[8_000], [16_000]])
    expect(next.texts).toEqual([' tres cuatro'])
    expect(wordsOf(events).at(-1)).toEqual(word('tres', 8, 600))
    expect(samplesOf(events)).toBe(800 * 8)
    await tts.close()
  })

  it('stay at 16 kHz on a wider line, and on any where the preferred one has nothing else', async () => {
    expect(failover(azureLike([]), new ScriptedVoice('embedded', [])).rateFor(16_000)).toBe(16_000)
    expect(failover(new ScriptedVoice('embedded', []), azureLike([])).rateFor(8_000)).toBe(16_000)
  })

  it('stay at 16 kHz where one can deliver neither 8 kHz nor what halves to it', () => {
    const odd = Object.assign(new ScriptedVoice('odd', []), { otherRatesHz: [16_000] })
    odd.rateFor = (lineRateHz) => (lineRateHz === 16_000 ? 16_000 : 24_000)
    expect(failover(azureLike([]), odd).rateFor(8_000)).toBe(16_000)
  })

  it('are refused with TTS_RATE when one has no rate that can be made the first one’s', () => {
    const odd = Object.assign(new ScriptedVoice('odd', []), { rateFor: () => 24_000 as const })
    expect(() => failover(azureLike([]), odd)).toThrow(
      expect.objectContaining({ code: 'TTS_RATE' }),
    )
  })

  it('know a held phrase at the rate of each, and speak it while the services are out', async () => {
    const held = new CachedTts(azureLike([audio(100, 16_000)]), { limitBytes: 100_000 })
    await held.prefill([TEXT], VOICE)
    const tts = failover(held)
    expect(tts.holds({ ...REQUEST, rateHz: 8_000 })).toBe(true)
    expect(samplesOf(await all(voiceFor(tts, 8_000).synthesize(REQUEST, never)))).toBe(100 * 8)
    await tts.close()
  })

  it('give Pico to a telephone line: 8 kHz, half of what it speaks, as long as before', async () => {
    const pico = new EmbeddedTts()
    const tts = failover(azureLike([broken('TTS')]), pico)
    const wide = await all(pico.synthesize(REQUEST, never))
    const narrow = await all(voiceFor(tts, 8_000).synthesize(REQUEST, never))
    expect(samplesOf(narrow)).toBe(Math.ceil(samplesOf(wide) / 2))
    await tts.close()
  }, 30_000)
})
