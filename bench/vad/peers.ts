/**
 * Peers: the voice detectors of others, run on the same audio. They come from a small npm folder of
 * their own (bench/vad/peers), installed on the first run and never part of the product; Silero's
 * models run in the onnxruntime-node that Andrea uses for speech.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Candidate } from '../../dsp/training/measure.ts'

const FOLDER = fileURLToPath(new URL('peers/', import.meta.url))
const MODULES = `${FOLDER}node_modules/`

/** Installs the peers when absent. Throws an Error that says what to do where npm cannot. */
export function installPeers(): void {
  if (existsSync(`${MODULES}@ricky0123/vad-web`)) return
  try {
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: FOLDER,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  } catch (cause) {
    throw new Error(`The peers are absent: run \`npm ci --ignore-scripts\` in ${FOLDER}`, { cause })
  }
}

/** 256 samples, 32 ms at 8 kHz, after the last 32 of the chunk before. */
const CHUNK = 256
const CONTEXT = 32

/** Silero VAD (MIT). A frame's score is that of the last chunk complete at its end. */
export async function silero(version: 'v5' | 'v6'): Promise<Candidate> {
  const path = `${MODULES}@ricky0123/vad-web/dist/silero_vad_${version}.onnx`
  const session = await InferenceSession.create(path, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  })
  const rate = new Tensor('int64', BigInt64Array.of(8_000n), [])
  return {
    name: `Silero ${version}`,
    async run(samples) {
      const scores = new Float64Array(Math.floor(samples.length / 160))
      const input = new Float32Array(CONTEXT + CHUNK)
      let state: Tensor = new Tensor('float32', new Float32Array(256), [2, 1, 128])
      let frame = 0
      let score = 0
      for (let at = 0; at + CHUNK <= samples.length; at += CHUNK) {
        for (; (frame + 1) * 160 < at + CHUNK && frame < scores.length; frame++)
          scores[frame] = score
        input.copyWithin(0, CHUNK)
        input.set(samples.subarray(at, at + CHUNK), CONTEXT)
        const tensor = new Tensor('float32', input, [1, CONTEXT + CHUNK])
        const out = await session.run({ input: tensor, state, sr: rate })
        score = Number(out.output?.data[0])
        state = out.stateN as Tensor
      }
      scores.fill(score, frame)
      return { scores }
    },
  }
}

/** What emscripten exports of libfvad. */
interface Fvad {
  HEAP16: Int16Array
  _malloc(bytes: number): number
  _fvad_new(): number
  _fvad_free(detector: number): void
  _fvad_set_sample_rate(detector: number, rateHz: number): number
  _fvad_set_mode(detector: number, mode: number): number
  _fvad_process(detector: number, frame: number, length: number): number
}

/** WebRTC's VAD (BSD-3). It only says yes or no, so its four modes together make a score of 0…4. */
export async function webRtc(): Promise<Candidate> {
  const path = `${MODULES}@echogarden/fvad-wasm/fvad.js`
  const { default: load } = (await import(path)) as { default: () => Promise<Fvad> }
  const fvad = await load()
  const frame = fvad._malloc(320)
  return {
    name: 'WebRTC (libfvad)',
    run(samples) {
      const scores = new Float64Array(Math.floor(samples.length / 160))
      const modes = [0, 1, 2, 3].map((mode) => {
        const detector = fvad._fvad_new()
        fvad._fvad_set_sample_rate(detector, 8_000)
        fvad._fvad_set_mode(detector, mode)
        return detector
      })
      for (let f = 0; f < scores.length; f++) {
        for (let n = 0; n < 160; n++) {
          fvad.HEAP16[(frame >> 1) + n] = Math.round((samples[f * 160 + n] ?? 0) * 32_767)
        }
        let sum = 0
        for (const detector of modes) sum += Math.max(0, fvad._fvad_process(detector, frame, 160))
        scores[f] = sum
      }
      for (const detector of modes) fvad._fvad_free(detector)
      return Promise.resolve({ scores })
    },
  }
}
