/**
 * Golden audio: what both chains made of the same input when it was last listened to.
 *
 *   integers from a seed ─► user or agent chain ─► bytes ─► compared with tests/dsp/golden/<case>.raw
 *
 * The input is made of whole numbers only, so it is the same on every machine and is not stored. A user case holds 400 ms
 * of PCM for speech-to-text (i16, little-endian); an agent case 800 ms of payloads (240 ms where the line is wide): a quarter
 * of bed, half of voice over the ducked bed, a quarter of bed again.
 */
import { alawCompress, ulawCompress } from '../../../bench/dsp/g191.ts'
import type { SlotFormat } from '../../../dsp/slot.ts'
import { hearUser, QUIET, slotOf, type ChainRig } from '../chain-rig.ts'

export interface GoldenCase {
  name: string
  /** How the bytes are compared: 16-bit samples or codes. */
  kind: 'PCMU' | 'PCMA' | 'L16'
  run(rig: ChainRig): Uint8Array
}

const SEED = 7
const USER_FRAMES = 20
/** Of an agent case, at 8 kHz and on a wide line. */
const AGENT_FRAMES = { narrow: 40, wide: 12 }

/** A buzzing voice with noise, four syllables a second, in 16 bits: sums and shifts of integers. */
function voice(rateHz: number, frames: number): Int16Array {
  const step = (hz: number): number => Math.floor((2 ** 32 * hz) / rateHz)
  const triangle = (phase: number): number => Math.abs((phase >>> 16) - 32_768) - 16_384
  let [buzz, formant, random] = [0, 0, SEED]
  return Int16Array.from({ length: (rateHz / 50) * frames }, (_, n) => {
    buzz = (buzz + step(130)) >>> 0
    formant = (formant + step(1_170)) >>> 0
    random ^= random << 13
    random ^= random >>> 17
    random ^= random << 5
    const noise = (random >>> 17) - 16_384
    const place = Math.floor((n * 4 * 512) / rateHz) % 512
    const loudness = 256 - Math.abs(place - 256)
    const sum = triangle(buzz) * 12 + triangle(formant) * 6 + noise * 3
    return ((sum >> 4) * loudness) >> 8
  })
}

function lineBytes(format: SlotFormat, pcm: Int16Array): Uint8Array {
  if (format.codec === 'PCMU') return Uint8Array.from(pcm, ulawCompress)
  if (format.codec === 'PCMA') return Uint8Array.from(pcm, alawCompress)
  const bytes = new Uint8Array(pcm.length * 2)
  const view = new DataView(bytes.buffer)
  pcm.forEach((sample, n) => view.setInt16(n * 2, sample, format.byteOrder !== 'big'))
  return bytes
}

/** As little-endian bytes, whatever the machine. */
function samplesAsBytes(pcm: Int16Array): Uint8Array {
  return lineBytes({ codec: 'L16', lineRateHz: 8_000, ttsRateHz: 8_000 }, pcm)
}

function hear(rig: ChainRig, format: SlotFormat): Uint8Array {
  slotOf(rig, 0).open(format, QUIET)
  const line = lineBytes(format, voice(format.lineRateHz, USER_FRAMES))
  const { pcm } = hearUser(rig, 0, line, line.length / USER_FRAMES)
  const perFrame = (format.sttRateHz ?? 16_000) / 50
  // The rig leaves room for 16 kHz in every frame.
  const packed = Int16Array.from({ length: USER_FRAMES * perFrame }, (_, n) => {
    return pcm[Math.floor(n / perFrame) * 320 + (n % perFrame)] ?? 0
  })
  return samplesAsBytes(packed)
}

function speak(rig: ChainRig, format: SlotFormat): Uint8Array {
  const slot = slotOf(rig, 0)
  slot.open(format, { ...QUIET, bed: 'office', bedGain: 0.8 })
  const frames = format.lineRateHz === 8_000 ? AGENT_FRAMES.narrow : AGENT_FRAMES.wide
  const pcm = voice(format.ttsRateHz, frames / 2)
  const out: number[] = []
  let from = 0
  for (let frame = 0; frame < frames; frame++) {
    if (frame >= frames / 4 && from < pcm.length) {
      from += slot.pushPcm(pcm, from)
      if (from === pcm.length) slot.flushAgent()
    }
    rig.run(0)
    out.push(...(slot.nextOutbound()?.payload ?? []))
  }
  if (format.byteOrder !== 'big') return Uint8Array.from(out)
  return Uint8Array.from(out, (_, i) => out[i ^ 1] ?? 0)
}

const USER: readonly SlotFormat[] = [
  { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 8_000 },
  { codec: 'PCMA', lineRateHz: 8_000, ttsRateHz: 8_000 },
  { codec: 'PCMU', lineRateHz: 8_000, ttsRateHz: 8_000, sttRateHz: 8_000 },
  { codec: 'L16', lineRateHz: 16_000, ttsRateHz: 8_000 },
  { codec: 'L16', lineRateHz: 16_000, ttsRateHz: 8_000, sttRateHz: 8_000, byteOrder: 'big' },
  { codec: 'L16', lineRateHz: 24_000, ttsRateHz: 8_000, byteOrder: 'big' },
  { codec: 'L16', lineRateHz: 48_000, ttsRateHz: 8_000, sttRateHz: 8_000 },
]

const AGENT: readonly SlotFormat[] = [8_000, 16_000, 22_050, 24_000, 48_000].flatMap((ttsRateHz) =>
  (['PCMU', 'PCMA', 'L16'] as const).map((codec) => ({ codec, lineRateHz: 8_000, ttsRateHz })),
)

/** The wide lines, in both byte orders; stored little-endian. */
const WIDE: readonly SlotFormat[] = [
  { codec: 'L16', lineRateHz: 16_000, ttsRateHz: 16_000 },
  { codec: 'L16', lineRateHz: 16_000, ttsRateHz: 24_000 },
  { codec: 'L16', lineRateHz: 16_000, ttsRateHz: 22_050, byteOrder: 'big' },
  { codec: 'L16', lineRateHz: 24_000, ttsRateHz: 24_000, byteOrder: 'big' },
  { codec: 'L16', lineRateHz: 48_000, ttsRateHz: 24_000 },
]

export const GOLDEN: readonly GoldenCase[] = [
  ...USER.map((format): GoldenCase => {
    const from = `${format.codec}-${format.lineRateHz}`
    const name = `user-${from}-to-${format.sttRateHz ?? 16_000}`
    return { name, kind: 'L16', run: (rig) => hear(rig, format) }
  }),
  ...AGENT.map((format): GoldenCase => ({
    name: `agent-${format.ttsRateHz}-to-${format.codec}`,
    kind: format.codec,
    run: (rig) => speak(rig, format),
  })),
  ...WIDE.map((format): GoldenCase => ({
    name: `agent-${format.ttsRateHz}-to-${format.codec}-${format.lineRateHz}`,
    kind: format.codec,
    run: (rig) => speak(rig, format),
  })),
]

export function goldenFile(name: string): URL {
  return new URL(`${name}.raw`, import.meta.url)
}
