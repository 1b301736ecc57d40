/** Text streams of Azure's voice: the real SDK over websocket version 2, spoken while the text is still being written. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import type { TtsFailure } from '../../bench/rig/azure-speaker.ts'
import type { ProviderError } from '../../server/errors.ts'
import { GrowingText } from '../../server/growing-text.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import type { TtsEvent, Voice } from '../../server/providers/tts.ts'

const KEY = 'azure-secret-key-0123456789'
const VOICE: Voice = {
  name: 'en-US-AvaMultilingualNeural',
  language: 'es-MX',
  style: null,
  speed: 1,
}
const TEXT = 'Con mucho gusto le explico los beneficios.'
const BEGINNING = 'Con mucho gusto le '
/** A busy machine must not look like a service that stalls. */
const PATIENT = { firstMs: 15_000, gapMs: 15_000, streamFirstMs: 15_000 }
const never = new AbortController().signal

let service: AzureService
let tts: AzureTts
let refusals: ProviderError[]

function open(limits: Partial<typeof PATIENT> = {}): AzureTts {
  const account = { key: KEY, region: 'eastus', host: service.host }
  const onRefused = (error: ProviderError): void => void refusals.push(error)
  return new AzureTts(account, { ...PATIENT, ...limits }, { onRefused })
}

beforeEach(async () => {
  service = await AzureService.start({ firstAudioMs: 1, key: KEY })
  refusals = []
  tts = open()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await tts.close()
  await service.close()
})

function growing(beginning = BEGINNING): GrowingText {
  const text = new GrowingText()
  text.grow(beginning)
  return text
}

function stream(text: GrowingText, signal: AbortSignal = never, voice: Voice = VOICE) {
  return tts.synthesizeStream({ callId: 'call-1', text, voice }, signal)[Symbol.asyncIterator]()
}

async function rest(events: AsyncIterator<TtsEvent>): Promise<TtsEvent[]> {
  const list: TtsEvent[] = []
  for (let step = await events.next(); step.done !== true; step = await events.next())
    list.push(step.value)
  return list
}

async function untilAudio(events: AsyncIterator<TtsEvent>): Promise<TtsEvent[]> {
  const list: TtsEvent[] = []
  while (list.at(-1)?.kind !== 'audio') {
    const step = await events.next()
    if (step.done === true) break
    list.push(step.value)
  }
  return list
}

const lengthMs = (events: TtsEvent[]): number =>
  events.reduce((ms, event) => ms + (event.kind === 'audio' ? event.pcm.length / 16 : 0), 0)
const places = (events: TtsEvent[]): number[] =>
  events.flatMap((event) => (event.kind === 'word' ? [event.textOffset] : []))

describe('a text that is still being written', () => {
  it('is heard after 4 of its 7 words, before the others are there, and whole at its end', async () => {
    const text = growing()
    const events = stream(text)
    const first = await untilAudio(events)
    expect(lengthMs(first)).toBeGreaterThan(0)
    expect(text.ended).toBe(false)
    text.grow('Con mucho gusto le explico los ')
    text.finish(TEXT)
    const all = [...first, ...(await rest(events))]
    expect(service.textPieces.join('')).toBe(TEXT)
    expect(service.ssml).toEqual([])
    // 65 ms per character in the emulator.
    expect(lengthMs(all)).toBeCloseTo(TEXT.length * 65, -1)
    expect(places(all)).toEqual([0, 4, 10, 16, 19, 27, 31])
  })

  it('carries voice, language, speed, pitch, volume and style as properties, without markup', async () => {
    const voice = { ...VOICE, speed: 1.1, pitch: -5, volume: 20, style: 'cheerful' }
    const text = growing()
    text.finish(TEXT)
    await rest(stream(text, never, voice))
    expect(service.streamInputs.at(-1)).toEqual({
      bidirectionalStreamingMode: true,
      ...{ voiceName: 'en-US-AvaMultilingualNeural', language: 'es-MX', style: 'cheerful' },
      ...{ rate: '+10%', pitch: '-5%', volume: '+20%' },
    })
  })

  it.each([
    ['a multilingual voice', {}, true],
    ['an HD voice', { name: 'en-US-Ava:DragonHDLatestNeural' }, true],
    ['one with style and without a degree', { style: 'cheerful', styleDegree: 1 }, true],
    ['one with a degree of style, which needs markup', { style: 'sad', styleDegree: 1.5 }, false],
    ['a voice of the older kind', { name: 'es-MX-DaliaNeural' }, false],
  ])('is taken or not, by voice: %s', (_what, voice, takes) => {
    expect(tts.streamsText({ ...VOICE, ...voice })).toBe(takes)
  })

  it('is never asked for where AZURE_TEXT_STREAMING is off', async () => {
    const account = { key: KEY, region: 'eastus', host: service.host }
    const off = new AzureTts(account, PATIENT, { isOn: false })
    expect(off.streamsText(VOICE)).toBe(false)
    await off.close()
  })

  it('finds a connection open: it was opened when the voice was asked whether it takes streams', async () => {
    expect(tts.streamsText(VOICE)).toBe(true)
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(1)
    const text = growing()
    text.finish(TEXT)
    await rest(stream(text))
    // That one, and two spares for what follows.
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(3)
    expect(service.paths.every((path) => path.endsWith('/websocket/v2'))).toBe(true)
  })

  it('uses a connection of 7 minutes again and none of 9', async () => {
    let nowMs = 1_000_000
    vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
    const say = async (): Promise<void> => {
      const text = growing()
      text.finish(TEXT)
      expect(lengthMs(await rest(stream(text)))).toBeGreaterThan(0)
    }
    await say()
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(3)
    nowMs += 7 * 60_000
    await say()
    expect(service.paths).toHaveLength(3)
    nowMs += 2 * 60_000
    await say()
    const seen = () => [service.paths.length, service.open]
    await expect.poll(seen, { timeout: 15_000 }).toEqual([6, 3])
  })
})

describe('a text stream that the user cuts', () => {
  it('is over before anything else happens, and its connection is closed', async () => {
    const abort = new AbortController()
    const events = stream(growing(), abort.signal)
    await untilAudio(events)
    // What was on its way may be there already; then it waits for text.
    const waiting = (async () => {
      while ((await events.next()).done !== true) continue
    })()
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(3)
    const order: string[] = []
    setImmediate(() => order.push('event loop'))
    setTimeout(() => order.push('timer'), 0)
    abort.abort()
    await waiting.then(() => order.push('over'))
    expect(order).toEqual(['over'])
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(2)
  })

  it('leaves no reader behind: text that comes later is not sent', async () => {
    const abort = new AbortController()
    const text = growing()
    const events = stream(text, abort.signal)
    await untilAudio(events)
    abort.abort()
    expect((await events.next()).done).toBe(true)
    text.grow('Con mucho gusto le explico los ')
    text.finish(TEXT)
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(2)
    expect(service.textPieces).toEqual([BEGINNING])
  })

  it('is over at once also where the service refused it and the rest of the text is waited for', async () => {
    service.streamFailure = { kind: 'refuse', status: 404 }
    const abort = new AbortController()
    const events = stream(growing(), abort.signal)
    const ended = events.next()
    await expect.poll(() => refusals.length, { timeout: 15_000 }).toBe(1)
    const order: string[] = []
    setImmediate(() => order.push('event loop'))
    abort.abort()
    await ended.then(({ done }) => order.push(done === true ? 'over' : 'audio'))
    expect(order).toEqual(['over'])
    expect(service.ssml).toEqual([])
  })
})

describe('a service that does not take text streams', () => {
  it.each<[string, TtsFailure]>([
    ['401', { kind: 'refuse', status: 401 }],
    ['404', { kind: 'refuse', status: 404 }],
    ['closes with 1007', { kind: 'close', code: 1_007, afterAudioMs: 0 }],
    ['closes with 1006', { kind: 'close', code: 1_006, afterAudioMs: 0 }],
    ['leaves out the response', { kind: 'missing', what: 'response' }],
    ['sends garbage', { kind: 'garbage' }],
    ['says nothing', { kind: 'silent' }],
  ])(
    'and %s: the sentence is spoken whole, as markup, the next ones too for 5 minutes',
    async (_what, failure) => {
      let nowMs = 1_000_000
      vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
      await tts.close()
      tts = open({ streamFirstMs: 300 })
      service.streamFailure = failure
      const text = growing()
      const events = stream(text)
      const first = events.next()
      text.finish(TEXT)
      const all = [(await first).value as TtsEvent, ...(await rest(events))]
      expect(lengthMs(all)).toBeCloseTo(TEXT.length * 65, -1)
      expect(service.ssml).toHaveLength(1)
      expect(service.ssml[0]).toContain(TEXT)
      expect(refusals).toHaveLength(1)
      for (const { message } of refusals) expect(message).not.toContain(KEY)
      nowMs += 4 * 60_000
      expect(tts.streamsText(VOICE)).toBe(false)
      nowMs += 2 * 60_000
      expect(tts.streamsText(VOICE)).toBe(true)
    },
  )

  it('keeps no connection of that kind open', async () => {
    service.streamFailure = { kind: 'close', code: 1_007, afterAudioMs: 0 }
    const text = growing()
    text.finish(TEXT)
    await rest(stream(text))
    // One has spoken the markup, two spares.
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(3)
  })
})

describe('a text stream that breaks off', () => {
  it.each<[string, TtsFailure]>([
    ['stalls', { kind: 'stall', afterAudioMs: 400 }],
    ['closes', { kind: 'close', code: 1_011, afterAudioMs: 400 }],
    ['never says that it is over', { kind: 'missing', what: 'turn.end' }],
  ])(
    'and %s behind its first audio: an error, and the next one is not streamed',
    async (_what, failure) => {
      await tts.close()
      tts = open({ gapMs: 300 })
      service.streamFailure = failure
      const text = growing()
      const events = stream(text)
      await untilAudio(events)
      text.finish(TEXT)
      const error = await rest(events).then(
        () => null,
        (reason: unknown) => reason as ProviderError,
      )
      expect(error?.code).toMatch(/^TTS_(TIMEOUT|UNAVAILABLE)$/)
      expect(error?.retryable).toBe(true)
      expect(error?.message).not.toContain(KEY)
      expect(tts.streamsText(VOICE)).toBe(false)
    },
  )
})
