/** A sentence from the service to the line at the line's own rate: the real SDK, playout and audio core; the clock is the test's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { GrowingText } from '../../server/growing-text.ts'
import type { CarrierStream } from '../../server/carriers/carrier.ts'
import type { AudioFormat } from '../../server/media/audio-format.ts'
import { Playout } from '../../server/media/playout.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import { voiceFor, type LineVoice, type TtsEvent } from '../../server/providers/tts.ts'
import { AudioPool } from '../../workers/pool.ts'

const TEXT = 'Con mucho gusto le explico los beneficios.'
/** 65 ms per character in the emulator. */
const LENGTH_MS = TEXT.length * 65
const REQUEST = {
  callId: 'call-1',
  text: TEXT,
  voice: { name: 'en-US-AvaMultilingualNeural', language: 'es-MX', style: null, speed: 1 },
}
const PATIENT = { firstMs: 15_000, gapMs: 15_000, streamFirstMs: 15_000 }
const never = new AbortController().signal

let service: AzureService
let tts: AzureTts
let pool: AudioPool
beforeAll(async () => {
  service = await AzureService.start({ firstAudioMs: 1 })
  tts = new AzureTts({ key: 'k', region: 'r', host: service.host }, PATIENT)
  pool = await AudioPool.create({ slots: 1, threads: 1 })
})
afterAll(async () => {
  await Promise.all([tts.close(), pool.close()])
  await service.close()
})

/** Gathers what leaves; marks come back when the test says so. */
class Line implements CarrierStream {
  readonly carrier = 'twilio' as const
  readonly bufferedBytes = 0
  readonly payloads: Uint8Array[] = []
  readonly marks: string[] = []

  sendPayload(payload: Uint8Array): boolean {
    this.payloads.push(payload.slice())
    return true
  }

  sendMark(name: string): void {
    this.marks.push(name)
  }

  clear(): void {}
  sendEvent(): void {}
  close(): void {}

  get bytes(): Buffer {
    return Buffer.concat(this.payloads)
  }
}

function open(format: AudioFormat, voice: LineVoice) {
  const stream = new Line()
  const ttsRateHz = voice.sampleRateHz
  const settings = { vadSensitivity: 0.5, bed: 'none', bedGain: 0 }
  const events = { onUserFrame: () => undefined, onFault: () => undefined }
  const lane = pool.openLane({ line: format, ttsRateHz }, settings, events)
  let dropped = 0
  const playout = new Playout({
    ...{ lane, stream, ttsRateHz, clockMs: () => 0 },
    events: { onSegmentStarted: () => undefined, onSegmentHeard: () => undefined },
    sent: { frameSent: () => undefined },
    onCleared: () => undefined,
    onDropped: (samples) => (dropped += samples),
  })
  /** Turns of 5 ms until the line has played so much. */
  const run = async (fromMs: number, toMs: number): Promise<void> => {
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 5) {
      pool.tick(nowMs)
      while (lane.inFlight) await new Promise((resolve) => setImmediate(resolve))
      playout.turn(nowMs)
    }
  }
  const close = async (): Promise<void> => {
    lane.close()
    while (lane.inFlight) await new Promise((resolve) => setImmediate(resolve))
  }
  return { stream, playout, run, close, dropped: () => dropped }
}

/** Hands over what the voice says; returns it. */
async function speak(playout: Playout, events: AsyncIterable<TtsEvent>): Promise<Int16Array> {
  const pcm: number[] = []
  for await (const event of events) {
    if (event.kind !== 'audio') continue
    pcm.push(...event.pcm)
    playout.append(1, event.pcm)
  }
  playout.finish(1)
  return Int16Array.from(pcm)
}

const L16: AudioFormat = { codec: 'L16', sampleRateHz: 8_000 }
const PCMU: AudioFormat = { codec: 'PCMU', sampleRateHz: 8_000 }

describe('a voice of 8 kHz on a line of 8 kHz', () => {
  it('comes out sample by sample, none lost, none late: 2 730 ms', async () => {
    const voice = voiceFor(tts, L16.sampleRateHz)
    const { stream, playout, run, close, dropped } = open(L16, voice)
    const spoken = await speak(playout, voice.synthesize(REQUEST, never))
    await run(0, LENGTH_MS + 200)
    const { bytes } = stream
    const heard = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    expect(spoken).toHaveLength(LENGTH_MS * 8)
    expect(heard.subarray(0, spoken.length)).toEqual(spoken)
    // The last frame is filled with silence.
    expect(heard.length - spoken.length).toBeLessThan(160)
    expect(heard.subarray(spoken.length).every((sample) => sample === 0)).toBe(true)
    expect([dropped(), playout.counters.underruns, playout.counters.framesRefused]).toEqual([
      0, 0, 0,
    ])
    await close()
  })

  it('is heard as far as the line has played: 500 ms after 500 ms, and whole with its mark', async () => {
    const voice = voiceFor(tts, PCMU.sampleRateHz)
    const { stream, playout, run, close, dropped } = open(PCMU, voice)
    await speak(playout, voice.synthesize(REQUEST, never))
    await run(0, 500)
    // The first frames leave with the turn that finds them.
    expect(playout.heardMs(1)).toBeGreaterThanOrEqual(490)
    expect(playout.heardMs(1)).toBeLessThanOrEqual(500)
    await run(505, LENGTH_MS + 200)
    expect(stream.marks).toEqual(['1.1'])
    playout.markPlayed('1.1')
    expect(playout.heardMs(1)).toBe(LENGTH_MS)
    expect([dropped(), playout.busy, stream.bytes.length]).toEqual([0, false, LENGTH_MS * 8 + 80])
    await close()
  })

  it('plays what was not heard again after a pause of 1 s, from where it was', async () => {
    const voice = voiceFor(tts, PCMU.sampleRateHz)
    const { playout, run, close, dropped } = open(PCMU, voice)
    await speak(playout, voice.synthesize(REQUEST, never))
    await run(0, 1_000)
    const heardMs = playout.heardMs(1)
    playout.setPaused(true)
    await run(1_005, 2_000)
    expect(playout.heardMs(1)).toBe(heardMs)
    playout.setPaused(false)
    await run(2_005, 2_000 + LENGTH_MS)
    expect(playout.heardMs(1)).toBe(LENGTH_MS)
    expect(dropped()).toBe(0)
    await close()
  })

  it('streams a text that is being written to the line, all of its audio', async () => {
    const voice = voiceFor(tts, L16.sampleRateHz)
    const { stream, playout, run, close, dropped } = open(L16, voice)
    const text = new GrowingText()
    text.grow('Con mucho gusto le ')
    const speaking = speak(playout, voice.synthesizeStream!({ ...REQUEST, text }, never))
    text.finish(TEXT)
    const spoken = await speaking
    await run(0, LENGTH_MS + 200)
    const { bytes } = stream
    const heard = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    expect(heard.subarray(0, spoken.length)).toEqual(spoken)
    expect(playout.heardMs(1)).toBeCloseTo(spoken.length / 8, 3)
    expect([dropped(), playout.counters.underruns]).toEqual([0, 0])
    await close()
  })
})

describe('a voice of 16 kHz on a line of 16 kHz', () => {
  it('comes out sample by sample as well', async () => {
    const wide: AudioFormat = { codec: 'L16', sampleRateHz: 16_000 }
    const voice = voiceFor(tts, wide.sampleRateHz)
    const { stream, playout, run, close } = open(wide, voice)
    const spoken = await speak(playout, voice.synthesize(REQUEST, never))
    await run(0, LENGTH_MS + 200)
    const { bytes } = stream
    const heard = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    expect(spoken).toHaveLength(LENGTH_MS * 16)
    expect(heard.subarray(0, spoken.length)).toEqual(spoken)
    await close()
  })
})
