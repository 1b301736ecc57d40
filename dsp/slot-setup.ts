/**
 * Slot setup: what is written into a call's record once, when its slot is opened.
 *
 * Format and settings become addresses, sizes and thresholds here, so that the chains look nothing up.
 */
import { DspError } from '../server/errors.ts'
import { LINE_RATES_HZ, planHistory, TTS_RATES_HZ } from './filters.ts'
import { constant, type DspMemory } from './host.ts'

export interface SlotFormat {
  codec: 'PCMU' | 'PCMA' | 'L16'
  /** Of L16 on the line; `little` unless said. */
  byteOrder?: 'little' | 'big' | undefined
  /** 8, 16, 24 or 48 kHz. */
  lineRateHz: number
  /** 8, 16, 22.05, 24 or 48 kHz. */
  ttsRateHz: number
  /** What speech-to-text wants: 16 kHz unless said. */
  sttRateHz?: number | undefined
  /**
   * Between 8 and 16 kHz, nothing above 4.05 kHz (85 dB) instead of 4.6 kHz: 4.5 ms late instead of 2.4, and about four times
   * the work. Not unless said; other rates have no such filter.
   */
  strictRates?: boolean | undefined
}

export interface SlotSettings {
  /** 0 (only loud, clear speech) … 1 (the faintest voice). */
  vadSensitivity: number
  /** `none`, one of BED_NAMES, or one that was uploaded. */
  bed: string
  /** 0…1; 1 is −26 dBFS. */
  bedGain: number
  /** Take steady noise out of what speech-to-text gets; not unless said. 10 ms late at 8 kHz, 6 ms at 16. */
  suppressNoise?: boolean
  /** Look for DTMF and call-progress tones in the user's audio; not unless said. */
  tones?: boolean
  /** RMS of comfort noise under everything the agent sends, dBFS; none unless said. */
  comfortNoiseDbfs?: number
  /** Send the user's own voice back as the agent's: media loopback. Not unless said; takes the same rate for TTS and speech-to-text. */
  loopback?: boolean
}

/** What the main thread's half keeps in mind of an opened slot. */
export interface SlotShape {
  payloadBytes: number
  ttsSamples: number
  sttSamples: number
  /** 0 without a bed. */
  bedGain: number
}

const CODECS: ReadonlyMap<string, number> = new Map([
  ['PCMU', 0],
  ['PCMA', 1],
  ['L16', 2],
  ['L16-big', 3],
])
const FRAME_MS = 20
const STT_RATES_HZ = [8_000, 16_000]

function requireRate(rateHz: number, known: readonly number[], what: string): void {
  if (known.includes(rateHz)) return
  throw new DspError('DSP_BAD_RATE', `${what} must be one of ${known.join(', ')} Hz, not ${rateHz}`)
}

function codecNumber(format: SlotFormat): number {
  const big = format.codec === 'L16' && format.byteOrder === 'big'
  const number = CODECS.get(big ? 'L16-big' : format.codec)
  if (number !== undefined) return number
  throw new DspError('DSP_BAD_CODEC', `there is no codec called ${format.codec}`)
}

/**
 * Clears the slot at `at` and writes all but LIVE.
 * Throws DspError DSP_BAD_RATE or DSP_BAD_CODEC for what the core does not know, DSP_NO_BED for a
 * bed that nobody has loaded.
 */
export function setUpSlot(
  dsp: DspMemory,
  at: number,
  format: SlotFormat,
  settings: SlotSettings,
): SlotShape {
  const line = format.lineRateHz
  const stt = format.sttRateHz ?? 16_000
  requireRate(line, LINE_RATES_HZ, 'the line rate')
  requireRate(format.ttsRateHz, TTS_RATES_HZ, 'the TTS rate')
  requireRate(stt, STT_RATES_HZ, 'the speech-to-text rate')
  if (settings.loopback === true) requireRate(format.ttsRateHz, [stt], 'the TTS rate in loopback')
  const codec = codecNumber(format)
  const { regions, layout, share } = dsp
  const bed =
    settings.bed === 'none' || settings.bedGain <= 0 ? null : findBed(dsp, settings.bed, line)
  clearSlot(dsp, at)
  const view = new DataView(share.memory.buffer, at, constant(layout, 'SLOT_BYTES'))
  const word = (name: string, value: number): void =>
    view.setInt32(constant(layout, name), value, true)
  const float = (name: string, value: number): void =>
    view.setFloat32(constant(layout, name), value, true)
  const samples = (rateHz: number): number => (rateHz * FRAME_MS) / 1_000
  const shape = {
    payloadBytes: samples(line) * (format.codec === 'L16' ? 2 : 1),
    ttsSamples: samples(format.ttsRateHz),
    sttSamples: samples(stt),
    bedGain: bed === null ? 0 : Math.min(1, settings.bedGain),
  }
  word('CODEC', codec)
  word('LINE_SAMPLES', samples(line))
  word('PAYLOAD_BYTES', shape.payloadBytes)
  word('TTS_SAMPLES', shape.ttsSamples)
  word('STT_SAMPLES', shape.sttSamples)
  word('HIGH_PASS_PTR', regions.highPass.get(line) ?? 0)
  for (const [name, value] of plans(dsp, format, stt)) word(name, value)
  word('BED_PTR', bed?.at ?? 0)
  word('BED_SAMPLES', bed?.samples ?? 0)
  float('BED_GAIN', shape.bedGain)
  float('AGENT_GAIN', 1)
  word('TONES_WANTED', settings.tones === true ? 1 : 0)
  word('LOOPBACK', settings.loopback === true ? 1 : 0)
  if (settings.suppressNoise === true) {
    const windows = Math.min(line, stt) === 8_000 ? 'SUPPRESSOR_8K' : 'SUPPRESSOR_16K'
    word('SUPPRESSOR_PTR', constant(layout, windows))
  }
  if (settings.comfortNoiseDbfs !== undefined) {
    float('COMFORT_RMS', 10 ** (Math.min(-20, settings.comfortNoiseDbfs) / 20))
  }
  const on = vadThreshold(settings.vadSensitivity)
  float('VAD_ON', on)
  float('VAD_OFF', on * 0.6)
  return shape
}

/**
 * Zeroes what a chain may read before it has written it: fields, states and detections. The rings of audio are written before they are
 * read; to zero them too would make five pages more of each slot resident than a telephone line ever uses.
 */
function clearSlot({ layout, share }: DspMemory, at: number): void {
  const of = (name: string): number => constant(layout, name)
  const bytes = new Uint8Array(share.memory.buffer, at, of('SLOT_BYTES'))
  bytes.fill(0, 0, of('IN_RING'))
  const detections = of('DETECTION_RING')
  bytes.fill(0, detections, detections + of('PCM_FRAMES') * of('DETECTION_BYTES'))
}

function plans(
  dsp: DspMemory,
  format: SlotFormat,
  stt: number,
): Array<[name: string, value: number]> {
  const { lineRateHz: line, ttsRateHz: tts } = format
  const { filters } = dsp.regions
  const key = (from: number, to: number): string => {
    const strict = `${from}-${to}-strict`
    return format.strictRates === true && filters.has(strict) ? strict : `${from}-${to}`
  }
  // The detector looks at less than 4 kHz anyway, and must not wait.
  const forDetector = `${line}-8000`
  return [
    ['TO_STT_PTR', filters.get(key(line, stt)) ?? 0],
    ['TO_8K_PTR', filters.get(forDetector) ?? 0],
    ['TO_LINE_PTR', filters.get(key(tts, line)) ?? 0],
    ['USER_KEEP', Math.max(planHistory(key(line, stt)), planHistory(forDetector))],
    ['AGENT_KEEP', planHistory(key(tts, line))],
  ]
}

function findBed(dsp: DspMemory, name: string, rateHz: number): { at: number; samples: number } {
  const { regions } = dsp
  const at = regions.beds.get(`${name}-${rateHz}`)
  if (at !== undefined) return { at, samples: regions.bedSec * rateHz }
  const uploaded = dsp.uploadedBeds.find(name, rateHz)
  if (uploaded !== null) return uploaded
  throw new DspError('DSP_NO_BED', `there is no bed called ${name}`)
}

/** Probability at which speech begins: 0.9 at sensitivity 0, 0.5 at 0.5, 0.1 at 1. */
export function vadThreshold(sensitivity: number): number {
  return 0.9 - 0.8 * Math.min(1, Math.max(0, sensitivity))
}
