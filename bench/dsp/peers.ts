/**
 * The peers: what else npm offers for the same work. Installed into a folder of their own
 * (bench/peers, exact versions, its own lock file) the first time the bench runs, so that the server
 * never depends on them.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const FOLDER = fileURLToPath(new URL('../peers/', import.meta.url))

/** Installs the peers when they are missing. Throws with a clear message when that is impossible. */
export function installPeers(progress: (text: string) => void): void {
  if (existsSync(`${FOLDER}node_modules/.package-lock.json`)) return
  progress('installing the peers into bench/peers: npm ci --prefix bench/peers')
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', FOLDER], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  } catch (cause) {
    throw new Error(
      'the peers could not be installed: run `npm ci --prefix bench/peers` where npm reaches a registry',
      { cause },
    )
  }
}

export interface G711Peer {
  name: string
  encodeMulaw(pcm: Int16Array): Uint8Array
  encodeAlaw(pcm: Int16Array): Uint8Array
  decodeMulaw(codes: Uint8Array): ArrayLike<number>
}

interface LawPair {
  mulaw: {
    encode(pcm: Int16Array): Uint8Array
    decode(codes: Uint8Array): Int16Array
  }
  alaw: { encode(pcm: Int16Array): Uint8Array }
}

interface G711Module {
  ulawFromPCM(pcm: Int16Array): Uint8Array
  alawFromPCM(pcm: Int16Array): Uint8Array
  ulawToPCM(codes: Uint8Array, bits: number): Int16Array
}

interface WaveFileModule {
  WaveFile: new () => {
    fromScratch(channels: number, rateHz: number, depth: string, samples: ArrayLike<number>): void
    toMuLaw(): void
    toALaw(): void
    fromMuLaw(depth: string): void
    getSamples(interleaved: boolean, type: unknown): ArrayLike<number>
    data: { samples: Uint8Array }
  }
}

const require = createRequire(new URL('../peers/package.json', import.meta.url))

async function load<T>(name: string, path: string): Promise<T> {
  const url = pathToFileURL(`${FOLDER}node_modules/${name}/${path}`).href
  return (await import(url)) as T
}

export async function g711Peers(): Promise<G711Peer[]> {
  const lawPeer = (name: string, module: LawPair): G711Peer => ({
    name,
    encodeMulaw: (pcm) => module.mulaw.encode(pcm),
    encodeAlaw: (pcm) => module.alaw.encode(pcm),
    decodeMulaw: (codes) => module.mulaw.decode(codes),
  })
  const g711 = await load<G711Module>('g711', 'dist/module.js').catch(
    () => require('g711') as G711Module,
  )
  const { WaveFile } = require('wavefile') as WaveFileModule
  const wave = (pcm: Int16Array): InstanceType<WaveFileModule['WaveFile']> => {
    const file = new WaveFile()
    file.fromScratch(1, 8_000, '16', pcm)
    return file
  }
  return [
    lawPeer('x-law', await load<LawPair>('x-law', 'dist/index.js')),
    lawPeer('alawmulaw', require('alawmulaw') as LawPair),
    {
      name: 'g711',
      encodeMulaw: (pcm) => g711.ulawFromPCM(pcm),
      encodeAlaw: (pcm) => g711.alawFromPCM(pcm),
      decodeMulaw: (codes) => g711.ulawToPCM(codes, 16),
    },
    {
      name: 'wavefile',
      encodeMulaw(pcm) {
        const file = wave(pcm)
        file.toMuLaw()
        return file.data.samples
      },
      encodeAlaw(pcm) {
        const file = wave(pcm)
        file.toALaw()
        return file.data.samples
      },
      decodeMulaw(codes) {
        const file = new WaveFile()
        file.fromScratch(1, 8_000, '8m', codes)
        file.fromMuLaw('16')
        return file.getSamples(false, Int16Array)
      },
    },
  ]
}

/** Streams blocks of 20 ms; the result is valid until the next call. */
export interface ResamplerPeer {
  name: string
  convert(block: Float32Array): Float32Array
}

interface Emscripten {
  HEAPF32: Float32Array
  HEAPU32?: Uint32Array
  _malloc(bytes: number): number
}

interface SpeexModule extends Emscripten {
  _speex_resampler_init(
    channels: number,
    fromHz: number,
    toHz: number,
    quality: number,
    error: number,
  ): number
  _speex_resampler_process_float(
    state: number,
    channel: number,
    input: number,
    inputLength: number,
    output: number,
    outputLength: number,
  ): number
}

/** speexdsp's resampler with SIMD, at a quality of 0…10. Its heap does not grow after start. */
export async function speexPeer(
  fromHz: number,
  toHz: number,
  quality: number,
): Promise<ResamplerPeer> {
  const { default: create } = await load<{ default(): Promise<SpeexModule> }>(
    '@echogarden/speex-resampler-wasm',
    'wasm/speex-resampler-simd.js',
  )
  const speex = await create()
  const at = speex._malloc(32_768)
  const state = speex._speex_resampler_init(1, fromHz, toHz, quality, at)
  const { HEAPF32 } = speex
  const lengths = new Uint32Array(HEAPF32.buffer)
  const input = at + 64
  const output = at + 16_384
  return {
    name: `speex q${quality}`,
    convert(block) {
      HEAPF32.set(block, input >> 2)
      lengths[at >> 2] = block.length
      lengths[(at >> 2) + 1] = 4_000
      speex._speex_resampler_process_float(state, 0, input, at, output, at + 4)
      return HEAPF32.subarray(output >> 2, (output >> 2) + (lengths[(at >> 2) + 1] ?? 0))
    },
  }
}

interface SampleRateModule {
  create(
    channels: number,
    fromHz: number,
    toHz: number,
    options: { converterType: number },
  ): Promise<{ full(data: Float32Array): Float32Array }>
}

/** libsamplerate: 0 best, 1 medium, 2 fastest. */
export async function sampleRatePeer(
  fromHz: number,
  toHz: number,
  converterType: 0 | 1 | 2,
): Promise<ResamplerPeer> {
  const module = require('@alexanderolsen/libsamplerate-js') as SampleRateModule
  const source = await module.create(1, fromHz, toHz, { converterType })
  const name = `libsamplerate ${['best', 'medium', 'fastest'][converterType]}`
  return { name, convert: (block) => source.full(block) }
}

interface RnnoiseModule extends Emscripten {
  _rnnoise_create(model: number): number
  _rnnoise_process_frame(state: number, out: number, input: number): number
}

/** RNNoise 0.1 at 48 kHz: 20 ms are two of its frames. */
export async function rnnoisePeer(): Promise<() => void> {
  const { default: create } = await load<{ default(): Promise<RnnoiseModule> }>(
    '@echogarden/rnnoise-wasm',
    'rnnoise.js',
  )
  const module = await create()
  const state = module._rnnoise_create(0)
  const at = module._malloc(480 * 4)
  for (let n = 0; n < 480; n++) module.HEAPF32[(at >> 2) + n] = 9_000 * Math.sin(n * 0.07)
  return () => {
    module._rnnoise_process_frame(state, at, at)
    module._rnnoise_process_frame(state, at, at)
  }
}
