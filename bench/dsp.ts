/**
 * `npm run bench -- dsp`: the audio core beside its peers on npm, in one run.
 *
 * Contenders of a row run in turn, round after round; figures are medians. "With copies" is what a
 * caller pays who has an Int16Array and wants a Uint8Array; without, the audio lies in the core's
 * memory already, as it does in a call.
 */
import { coreResampler, coreRound, openCore, roundUs, type Core } from './dsp/core.ts'
import { alawCompress, alawExpand, ulawCompress, ulawExpand } from './dsp/g191.ts'
import {
  type G711Peer,
  g711Peers,
  installPeers,
  rnnoisePeer,
  sampleRatePeer,
  speexPeer,
} from './dsp/peers.ts'
import { suppressionRows } from './dsp/noise-suppression.ts'
import { resamplerQuality } from './dsp/quality.ts'
import { talkOffRows } from './dsp/talk-off.ts'
import { medianNs } from './dsp/timing.ts'
import { rounded, type BenchFigures } from './rig/report.ts'

interface DspBench {
  measured: BenchFigures
  /** The table of peers, for people. */
  text: string
}

type Row = readonly string[]
type Figures = Record<string, number>

export async function runDsp(progress: (text: string) => void): Promise<DspBench> {
  installPeers(progress)
  const core = await openCore()
  const figures: Figures = {}
  const parts: string[] = []
  progress('G.711')
  parts.push(await g711(core, figures))
  progress('resamplers')
  parts.push(await resamplers(core, figures))
  progress('mixing, and the whole core')
  parts.push(mixing(core, figures))
  parts.push(await wholeCore(core, figures))
  progress('noise suppression')
  parts.push(columns(await suppressionRows(figures)))
  progress('digits and tones in speech')
  parts.push(columns(await talkOffRows(figures)))
  const measured = { bench: 'dsp', seed: 1, settings: { frameMs: 20 }, figures }
  return { measured, text: parts.join('\n\n') }
}

/** Codes that differ from G.191, over all 65 536 samples. */
function encodeDiffs(
  encode: (pcm: Int16Array) => Uint8Array,
  expected: (sample: number) => number,
): number {
  let diffs = 0
  for (let from = -32_768; from < 32_768; from += 160) {
    const pcm = Int16Array.from({ length: 160 }, (_, n) => Math.min(from + n, 32_767))
    const codes = encode(pcm)
    pcm.forEach((sample, n) => {
      if (codes[n] !== expected(sample)) diffs++
    })
  }
  return diffs
}

async function g711(core: Core, figures: Figures): Promise<string> {
  const { functions } = core.dsp
  const { samples, out, codes } = core.at
  // Copies are written out: TypedArray.set is slower on shared memory. What is returned is valid until the next call.
  const codeView = new Int32Array(core.bytes.buffer, codes, 40)
  const pcmView = new Int32Array(core.bytes.buffer, out, 80)
  const codesOut = new Uint8Array(160)
  const pcmOut = new Int16Array(160)
  const codesWide = new Int32Array(codesOut.buffer)
  const pcmWide = new Int32Array(pcmOut.buffer)
  // A caller that reuses its array makes this view once.
  let seen: ArrayBufferView | null = null
  let seenWide: Int32Array = codesWide
  const wide = (view: ArrayBufferView): Int32Array => {
    if (view !== seen) {
      seen = view
      seenWide = new Int32Array(view.buffer, view.byteOffset, view.byteLength / 4)
    }
    return seenWide
  }
  const ours: G711Peer = {
    name: 'Andrea, with copies',
    encodeMulaw(pcm) {
      const from = wide(pcm)
      for (let n = 0; n < 80; n++) pcmView[n] = from[n]!
      functions.encodeMulawPcm(out, codes, 160)
      for (let n = 0; n < 40; n++) codesWide[n] = codeView[n]!
      return codesOut
    },
    encodeAlaw(pcm) {
      pcmView.set(wide(pcm))
      functions.pcmToFloat(out, samples, 160)
      functions.encodeAlaw(samples, codes, 160)
      codesWide.set(codeView)
      return codesOut
    },
    decodeMulaw(payload) {
      const from = wide(payload)
      for (let n = 0; n < 40; n++) codeView[n] = from[n]!
      functions.decodeMulawPcm(codes, out, 160)
      for (let n = 0; n < 80; n++) pcmWide[n] = pcmView[n]!
      return pcmOut
    },
  }
  const all = [ours, ...(await g711Peers())]
  const pcm = Int16Array.from({ length: 160 }, (_, n) => 9_000 * Math.sin(n * 0.3))
  const payload = ours.encodeMulaw(pcm).slice()
  const encode = medianNs([
    { name: 'core', run: () => functions.encodeMulaw(samples, codes, 160) },
    { name: 'core A-law', run: () => functions.encodeAlaw(samples, codes, 160) },
    ...all.map((one) => ({ name: one.name, run: () => void one.encodeMulaw(pcm) })),
  ])
  const decode = medianNs([
    { name: 'core', run: () => functions.decodeMulaw(codes, samples, 160) },
    { name: 'core A-law', run: () => functions.decodeAlaw(codes, samples, 160) },
    ...all.map((one) => ({ name: one.name, run: () => void one.decodeMulaw(payload) })),
  ])
  const diffs = all.map((one) => [
    encodeDiffs((x) => one.encodeMulaw(x), ulawCompress),
    encodeDiffs((x) => one.encodeAlaw(x), alawCompress),
  ])
  // A telephone call does both, so a library is as fast as its round trip.
  const roundTrip = (name: string): number =>
    (encode.get(name) ?? Infinity) + (decode.get(name) ?? Infinity)
  const best = Math.min(...all.slice(1).map((one) => roundTrip(one.name)))
  figures['g711EncodeDiffs'] = (diffs[0]?.[0] ?? NaN) + (diffs[0]?.[1] ?? NaN)
  figures['g711DecodeDiffs'] = decodeDiffs(core)
  figures['g711EncodeNs'] = rounded(encode.get('core') ?? NaN, 1)
  figures['g711DecodeNs'] = rounded(decode.get('core') ?? NaN, 1)
  figures['g711EncodeAlawNs'] = rounded(encode.get('core A-law') ?? NaN, 1)
  figures['g711DecodeAlawNs'] = rounded(decode.get('core A-law') ?? NaN, 1)
  figures['g711EncodeWithCopiesNs'] = rounded(encode.get(ours.name) ?? NaN, 1)
  figures['g711DecodeWithCopiesNs'] = rounded(decode.get(ours.name) ?? NaN, 1)
  figures['g711VsBestNpm'] = rounded(best / roundTrip(ours.name), 1)
  const ns = (value: number | undefined): string => (value ?? NaN).toFixed(0)
  return columns([
    ['G.711, 160 samples', 'encode µ ns', 'decode µ ns', 'µ-law differs', 'A-law differs'],
    ['Andrea, in memory', ns(encode.get('core')), ns(decode.get('core')), '', ''],
    ...all.map(({ name }, i) => [
      name,
      ns(encode.get(name)),
      ns(decode.get(name)),
      String(diffs[i]?.[0]),
      String(diffs[i]?.[1]),
    ]),
  ])
}

function decodeDiffs(core: Core): number {
  const { samples, codes } = core.at
  const { functions } = core.dsp
  let diffs = 0
  const laws = [
    [functions.decodeMulaw, ulawExpand],
    [functions.decodeAlaw, alawExpand],
  ] as const
  for (const [decode, expand] of laws) {
    for (let code = 0; code < 256; code++) core.bytes[codes + code] = code
    decode(codes, samples, 256)
    for (let code = 0; code < 256; code++) {
      if ((core.floats[(samples >> 2) + code] ?? 0) * 32_768 !== expand(code)) diffs++
    }
  }
  return diffs
}

const CONVERSIONS: ReadonlyArray<readonly [number, number]> = [
  [8_000, 16_000],
  [16_000, 8_000],
  [24_000, 8_000],
  [48_000, 8_000],
  [8_000, 24_000],
]

async function resamplers(core: Core, figures: Figures): Promise<string> {
  const rows: Row[] = [['resampling, 20 ms', '', 'µs', 'ripple dB', 'image / alias dB']]
  const ratios = new Map<string, number>()
  for (const [fromHz, toHz] of CONVERSIONS) {
    const key = `${fromHz / 1_000}to${toHz / 1_000}`
    const opens = [
      () => coreResampler(core, fromHz, toHz),
      () => speexPeer(fromHz, toHz, 5),
      () => sampleRatePeer(fromHz, toHz, 1),
    ]
    const contenders = await Promise.all(opens.map(async (open) => open()))
    const block = Float32Array.from({ length: fromHz / 50 }, (_, n) => 0.5 * Math.sin(n * 0.3))
    const inMemory = { name: 'core', run: coreOnly(core, fromHz, toHz) }
    const times = medianNs([
      inMemory,
      ...contenders.map((one) => ({ name: one.name, run: () => void one.convert(block) })),
    ])
    const us = (name: string): number => (times.get(name) ?? NaN) / 1_000
    figures[`resample${key}Us`] = rounded(us('core'), 2)
    ratios.set(key, us('speex q5') / us('Andrea'))
    for (const [i, open] of opens.entries()) {
      const name = contenders[i]?.name ?? ''
      const quality = await resamplerQuality(open, { fromHz, toHz })
      if (i === 0) {
        figures[`resample${key}RippleDb`] = rounded(quality.rippleDb, 4)
        figures[`resample${key}ImageDb`] = rounded(quality.imageDb, 1)
      }
      rows.push([
        name,
        key,
        us(name).toFixed(2),
        quality.rippleDb.toFixed(4),
        quality.imageDb.toFixed(0),
      ])
    }
  }
  rows.push(...(await strictResamplers(core, figures)))
  const ratio = (...keys: string[]): number =>
    rounded(Math.min(...keys.map((key) => ratios.get(key) ?? NaN)), 1)
  figures['resampleVsSpeexQ5'] = ratio('8to16', '16to8')
  figures['resample24And48VsSpeexQ5'] = ratio('24to8', '48to8', '8to24')
  return columns(rows)
}

/** The strict filters, which have no peer of the same delay: their own row, images and aliases from 4.05 kHz. */
async function strictResamplers(core: Core, figures: Figures): Promise<Row[]> {
  const rows: Row[] = []
  const rates = [
    { fromHz: 8_000, toHz: 16_000, stopHz: 4_050 },
    { fromHz: 16_000, toHz: 8_000, stopHz: 4_050 },
  ]
  for (const one of rates) {
    const { fromHz, toHz } = one
    const key = `${fromHz / 1_000}to${toHz / 1_000}`
    const run = coreOnly(core, fromHz, toHz, '-strict')
    const us = (medianNs([{ name: 'core', run }]).get('core') ?? NaN) / 1_000
    const quality = await resamplerQuality(() => coreResampler(core, fromHz, toHz, '-strict'), one)
    figures[`strict${key}Us`] = rounded(us, 2)
    figures[`strict${key}ImageDb`] = rounded(quality.imageDb, 1)
    const [ripple, image] = [quality.rippleDb.toFixed(4), quality.imageDb.toFixed(0)]
    rows.push(['Andrea strict, from 4.05 kHz', key, us.toFixed(2), ripple, image])
  }
  return rows
}

function coreOnly(core: Core, fromHz: number, toHz: number, kind: '' | '-strict' = ''): () => void {
  const plan = core.dsp.regions.filters.get(`${fromHz}-${toHz}${kind}`) ?? 0
  const { samples, out, work } = core.at
  return () => core.dsp.functions.resample(plan, samples, out, toHz / 50, work)
}

function mixing(core: Core, figures: Figures): string {
  const { functions, regions } = core.dsp
  const { samples, codes } = core.at
  const bed = regions.beds.get('office-8000') ?? 0
  const length = regions.bedSec * 8_000
  const js = plainJs(core, bed >> 1)
  const times = medianNs([
    {
      name: 'core',
      run() {
        // Two frames: the second takes out what the first put in.
        functions.addBed(samples, 160, bed, length, 1_000, 0.2, 0.3)
        functions.encodeMulaw(samples, codes, 160)
        functions.addBed(samples, 160, bed, length, 1_000, -0.2, -0.3)
        functions.encodeMulaw(samples, codes, 160)
      },
    },
    { name: 'plain JS', run: js },
  ])
  const ns = (name: string): number => (times.get(name) ?? NaN) / (name === 'core' ? 2 : 1)
  figures['mixEncodeNs'] = rounded(ns('core'), 0)
  figures['mixEncodeVsJs'] = rounded(ns('plain JS') / ns('core'), 1)
  return columns([
    ['mix, duck, limit, encode', 'ns'],
    ['Andrea', ns('core').toFixed(0)],
    ['plain JS', ns('plain JS').toFixed(0)],
  ])
}

/** The same work as a reader would write it in JavaScript, with a table for the code. */
function plainJs(core: Core, bed: number): () => void {
  const table = Uint8Array.from({ length: 65_536 }, (_, i) => ulawCompress(i - 32_768))
  const agent = core.floats.slice(core.at.samples >> 2, (core.at.samples >> 2) + 160)
  const payload = new Uint8Array(160)
  const loop = core.words.slice(bed, bed + 48_000)
  return () => {
    let gain = 0.2
    for (let n = 0; n < 160; n++) {
      gain += 0.1 / 160
      let x = (agent[n] ?? 0) + ((loop[1_000 + n] ?? 0) / 32_768) * gain
      const size = Math.abs(x)
      if (size > 0.8) {
        const u = (size - 0.8) / 0.2
        x = Math.sign(x) * (0.8 + (0.2 * u) / (1 + u))
      }
      payload[n] = table[Math.round(x * 32_768) + 32_768] ?? 0
    }
  }
}

async function wholeCore(core: Core, figures: Figures): Promise<string> {
  const cases = [
    { name: 'PCMU, TTS at 24 kHz, bed', ttsRateHz: 24_000, bed: true },
    { name: 'PCMU, TTS at 16 kHz, bed', ttsRateHz: 16_000, bed: true },
    { name: 'PCMU, TTS at 8 kHz', ttsRateHz: 8_000, bed: false },
    { name: 'PCMU, TTS and STT at 8 kHz', ttsRateHz: 8_000, sttRateHz: 8_000, bed: false },
  ]
  // Each case has the memory of its own calls.
  const cores = await Promise.all(cases.map(() => openCore()))
  const us = roundUs(cases.map((one, i) => coreRound(cores[i] ?? core, one)))
  figures['coreUs'] = rounded(us[0] ?? NaN, 2)
  figures['core16kUs'] = rounded(us[1] ?? NaN, 2)
  figures['core8kUs'] = rounded(us[2] ?? NaN, 2)
  figures['coreTelephoneUs'] = rounded(us[3] ?? NaN, 2)
  const rnnoise = await rnnoisePeer()
  const rnnoiseUs = (medianNs([{ name: 'rnnoise', run: rnnoise }]).get('rnnoise') ?? NaN) / 1_000
  return columns([
    ['the whole core, both directions', 'µs per 20 ms'],
    ...cases.map((one, i) => [one.name, (us[i] ?? NaN).toFixed(2)]),
    ['RNNoise 0.1 alone, 48 kHz', rnnoiseUs.toFixed(0)],
  ])
}

function columns(rows: readonly Row[]): string {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0)))
        .join('  '),
    )
    .join('\n')
}
