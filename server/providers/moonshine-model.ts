/**
 * One Moonshine model (encoder, merged decoder with cache) and our greedy decode loop.
 *
 *   PCM ─► trim ─► ½ s of silence on both sides ─► encoder ─► decoder, one token at a time ─► text
 *
 * The surprising facts, all measured on telephone speech: without the padding and with "end" allowed as the first
 * token, 35 % of single words ("sí", "no", digits) come back empty; with more than one ONNX thread, or with spinning,
 * the model is slower and starves the server.
 *
 * Invariant: a transcript costs at most `tokenLimit` decoder steps; `shouldStop` is asked before each of them.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import llamaTokenizer from 'llama-tokenizer-js'
import type { MoonshinePaths } from './moonshine-package.ts'

const RATE_HZ = 16_000
const PAD_SAMPLES = RATE_HZ / 2
const START_TOKEN = 1
const END_TOKEN = 2
/** Words come at most at 4 a second and take about 3 tokens in Spanish. */
const TOKENS_PER_SEC = 13
const MIN_TOKENS = 12
/** A single word is shorter. Where the model hears nothing in more than that, it is noise and not a short answer. */
const LONGEST_WORD_SAMPLES = RATE_HZ * 1.2
/** Quieter than this (about -57 dBFS in its loudest 20 ms) there is no speech on any line. */
const SILENT = 45
/** A phrase of up to this many tokens repeated this often is the model stuck in a loop, not speech. */
const LOOP_TOKENS = 6
const LOOP_REPEATS = 4

const STOPPED = 'Loading the speech model was stopped'

export interface ModelResult {
  text: string
  /** Mean probability of the chosen tokens, 0…1. */
  confidence: number
}

type Feeds = Record<string, Tensor>

export class MoonshineModel {
  readonly #encoder: InferenceSession
  readonly #decoder: InferenceSession
  /** Names of the decoder's cache inputs, e.g. past_key_values.0.decoder.key, and what they start as. */
  readonly #emptyCache: Feeds

  /** Use load(). */
  constructor(encoder: InferenceSession, decoder: InferenceSession) {
    this.#encoder = encoder
    this.#decoder = decoder
    this.#emptyCache = emptyCache(decoder)
  }

  /**
   * Loads both graphs; 0.3…1 s.
   * @param shouldStop asked before each of them
   * @throws Error when told to stop
   */
  static async load(paths: MoonshinePaths, shouldStop: () => boolean): Promise<MoonshineModel> {
    const options: InferenceSession.SessionOptions = {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    }
    if (shouldStop()) throw new Error(STOPPED)
    const encoder = await InferenceSession.create(paths.encoder, options)
    try {
      if (shouldStop()) throw new Error(STOPPED)
      return new MoonshineModel(encoder, await InferenceSession.create(paths.decoder, options))
    } catch (error) {
      await encoder.release()
      throw error
    }
  }

  /**
   * @param pcm 16 kHz mono, at most about 20 s; not modified
   * @param shouldStop asked before the encoder and every decoder step; true gives the transcript up
   * @returns null when given up
   */
  async transcribe(pcm: Int16Array, shouldStop: () => boolean): Promise<ModelResult | null> {
    const speech = trimmed(pcm)
    if (speech.length === 0) return { text: '', confidence: 0 }
    const input = padded(speech)
    if (shouldStop()) return null
    const encoded = await this.#encoder.run({
      input_values: new Tensor('float32', input, [1, input.length]),
    })
    const hidden = encoded['last_hidden_state']!
    const limit = Math.ceil((speech.length / RATE_HZ) * TOKENS_PER_SEC) + MIN_TOKENS
    const tokens: number[] = []
    let logProbability = 0
    let heardNothing = false
    let cache = this.#emptyCache
    for (let step = 0; step < limit; step += 1) {
      if (shouldStop()) return null
      const outputs = await this.#decoder.run({
        ...cache,
        encoder_hidden_states: hidden,
        input_ids: new Tensor('int64', [BigInt(tokens.at(-1) ?? START_TOKEN)], [1, 1]),
        use_cache_branch: new Tensor('bool', [step > 0], [1]),
      })
      const best = bestToken(outputs['logits']!.data as Float32Array, step === 0)
      if (best.endWasBest && speech.length > LONGEST_WORD_SAMPLES) heardNothing = true
      if (heardNothing) break
      logProbability += best.logProbability
      if (best.token === END_TOKEN) break
      tokens.push(best.token)
      if (removeLoop(tokens)) break
      cache = nextCache(cache, outputs as Feeds, step)
    }
    return {
      text: textOf(tokens),
      confidence: Math.exp(logProbability / Math.max(1, tokens.length + 1)),
    }
  }

  async close(): Promise<void> {
    await this.#encoder.release()
    await this.#decoder.release()
  }
}

function emptyCache(decoder: InferenceSession): Feeds {
  const feeds: Feeds = {}
  for (const input of decoder.inputMetadata) {
    if (!input.name.startsWith('past_key_values.') || !input.isTensor) continue
    const heads = Number(input.shape[1])
    const width = Number(input.shape[3])
    feeds[input.name] = new Tensor('float32', new Float32Array(0), [1, heads, 0, width])
  }
  return feeds
}

/** The decoder's own cache grows each step; the one over the encoder's output is made once, in step 0. */
function nextCache(cache: Feeds, outputs: Feeds, step: number): Feeds {
  const next: Feeds = {}
  for (const name of Object.keys(cache)) {
    const made = outputs[name.replace('past_key_values', 'present')]!
    next[name] = step === 0 || name.includes('.decoder.') ? made : cache[name]!
  }
  return next
}

function bestToken(
  logits: Float32Array,
  noEnd: boolean,
): { token: number; logProbability: number; endWasBest: boolean } {
  let token = 0
  let top = -Infinity
  for (let index = 0; index < logits.length; index += 1) {
    const value = logits[index]!
    if (value > top && !(noEnd && index === END_TOKEN)) {
      top = value
      token = index
    }
  }
  let sum = 0
  for (let index = 0; index < logits.length; index += 1) {
    const distance = logits[index]! - top
    // e^-12 of 32 000 tokens is below 0.2; most of the vocabulary is far under that.
    if (distance > -12) sum += Math.exp(distance)
  }
  const endWasBest = noEnd && logits[END_TOKEN]! > top
  return { token, logProbability: -Math.log(sum), endWasBest }
}

/** Cuts a repeated tail down to one and says whether there was one. */
function removeLoop(tokens: number[]): boolean {
  for (let length = 1; length <= LOOP_TOKENS; length += 1) {
    if (tokens.length < length * LOOP_REPEATS) return false
    const tail = tokens.slice(-length)
    let repeats = 1
    while (
      tail.every((token, index) => tokens.at(-length * (repeats + 1) + index) === token) &&
      repeats < LOOP_REPEATS
    ) {
      repeats += 1
    }
    if (repeats === LOOP_REPEATS) {
      tokens.length -= length * (LOOP_REPEATS - 1)
      return true
    }
  }
  return false
}

function textOf(tokens: number[]): string {
  const bytes: number[] = []
  for (const token of tokens) {
    const piece = llamaTokenizer.vocabById[token]
    // 0…2 are unknown, start and end; above the vocabulary lie tokens that only training used.
    if (piece === undefined || token < 3) continue
    const byte = /^<0x([0-9A-F]{2})>$/.exec(piece)
    if (byte !== null) bytes.push(Number.parseInt(byte[1]!, 16))
    else bytes.push(...Buffer.from(piece.replaceAll('\u2581', ' '), 'utf8'))
  }
  return Buffer.from(bytes).toString('utf8').replace(/\s+/g, ' ').trim()
}

const TRIM_FRAME = RATE_HZ / 50
/** What lies this far below the loudest frame is line noise or room, not the start of a word. */
const TRIM_BELOW = 10 ** (-32 / 20)
const TRIM_MARGIN_FRAMES = 5

/** Cuts silence off both ends, leaving 100 ms around the speech. */
function trimmed(pcm: Int16Array): Int16Array {
  const frames = Math.floor(pcm.length / TRIM_FRAME)
  const levels = new Float64Array(frames)
  let loudest = 0
  for (let frame = 0; frame < frames; frame += 1) {
    let energy = 0
    for (let index = frame * TRIM_FRAME; index < (frame + 1) * TRIM_FRAME; index += 1) {
      energy += pcm[index]! * pcm[index]!
    }
    levels[frame] = Math.sqrt(energy / TRIM_FRAME)
    loudest = Math.max(loudest, levels[frame]!)
  }
  if (loudest < SILENT) return pcm.subarray(0, 0)
  const threshold = loudest * TRIM_BELOW
  const first = levels.findIndex((level) => level > threshold)
  const last = levels.findLastIndex((level) => level > threshold)
  const from = Math.max(0, first - TRIM_MARGIN_FRAMES) * TRIM_FRAME
  return pcm.subarray(from, Math.min(pcm.length, (last + 1 + TRIM_MARGIN_FRAMES) * TRIM_FRAME))
}

function padded(pcm: Int16Array): Float32Array {
  const input = new Float32Array(pcm.length + 2 * PAD_SAMPLES)
  for (let index = 0; index < pcm.length; index += 1) {
    input[PAD_SAMPLES + index] = pcm[index]! / 32_768
  }
  return input
}
