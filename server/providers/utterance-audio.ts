/**
 * The audio of one user: the last 600 ms while nobody speaks, the whole utterance while somebody does.
 *
 *   push ─► [ … 600 ms … ]        begin(atMs): from 300 ms before the onset       cut(): the utterance, copied out
 *
 * The VAD needs a few frames to be sure, and soft first sounds ("s", "f") come before its onset: hence the pre-roll.
 */
import type { SttRateHz } from './stt.ts'

const PRE_ROLL_MS = 300
/** Pre-roll plus what the VAD may take to report an onset. */
const KEEP_MS = 600
/** A pre-roll may reach this far into the hangover of the utterance before, never into its words. */
const OVERLAP_MS = 100
/** A jump of the audio time beyond this is a gap: what came before does not belong to what follows. */
const GAP_MS = 100
const MAX_UTTERANCE_MS = 20_000
/** An utterance that is too long is cut at its quietest moment of the last 4 s. */
const SPLIT_WINDOW_MS = 4_000
const SPLIT_FRAME_MS = 200

export interface UtteranceCut {
  pcm: Int16Array<ArrayBuffer>
  startMs: number
  endMs: number
}

export class UtteranceAudio {
  readonly #samplesPerMs: number
  readonly #keepSamples: number
  #samples: Int16Array<ArrayBuffer>
  #length = 0
  /** Audio time of #samples[0]. */
  #originMs = 0
  /** Index of the utterance's first sample; null while nobody speaks. */
  #from: number | null = null
  /** Audio time before which everything belongs to an earlier utterance. */
  #usedMs = -Infinity

  constructor(rateHz: SttRateHz) {
    this.#samplesPerMs = rateHz / 1_000
    this.#keepSamples = KEEP_MS * this.#samplesPerMs
    this.#samples = new Int16Array(4 * this.#keepSamples)
  }

  get speaking(): boolean {
    return this.#from !== null
  }

  /** Of the utterance so far; 0 while nobody speaks. */
  get utteranceMs(): number {
    return this.#from === null ? 0 : (this.#length - this.#from) / this.#samplesPerMs
  }

  get full(): boolean {
    return this.utteranceMs >= MAX_UTTERANCE_MS
  }

  push(pcm: Int16Array, atMs: number): void {
    const expectedMs = this.#originMs + this.#length / this.#samplesPerMs
    if (this.#length === 0 || (this.#from === null && Math.abs(atMs - expectedMs) > GAP_MS)) {
      this.#length = 0
      this.#originMs = atMs
    }
    this.#makeRoom(pcm.length)
    this.#samples.set(pcm, this.#length)
    this.#length += pcm.length
  }

  /** Speech began at `atMs`; no effect within an utterance. */
  begin(atMs: number): void {
    if (this.#from !== null) return
    const startMs = Math.max(atMs - PRE_ROLL_MS, this.#usedMs - OVERLAP_MS)
    const start = Math.round((startMs - this.#originMs) * this.#samplesPerMs)
    this.#from = Math.min(Math.max(0, start), this.#length)
  }

  /** The utterance so far, copied. */
  copy(): UtteranceCut {
    const from = this.#from ?? this.#length
    return {
      pcm: this.#samples.slice(from, this.#length),
      startMs: this.#originMs + from / this.#samplesPerMs,
      endMs: this.#originMs + this.#length / this.#samplesPerMs,
    }
  }

  /** Ends the utterance and returns it. */
  end(): UtteranceCut {
    const cut = this.copy()
    this.#from = null
    this.#usedMs = cut.endMs
    return cut
  }

  /** Cuts an utterance that is too long at a quiet place; the rest begins a new one. */
  split(): UtteranceCut {
    const whole = this.copy()
    const cutAt = quietest(whole.pcm, this.#samplesPerMs)
    this.#from = (this.#from ?? 0) + cutAt
    return {
      pcm: whole.pcm.slice(0, cutAt),
      startMs: whole.startMs,
      endMs: whole.startMs + cutAt / this.#samplesPerMs,
    }
  }

  #makeRoom(samples: number): void {
    if (this.#length + samples <= this.#samples.length) return
    const keepFrom = this.#from ?? Math.max(0, this.#length - this.#keepSamples)
    const kept = this.#length - keepFrom
    const wanted = Math.max(kept + samples, 4 * this.#keepSamples)
    const target =
      wanted > this.#samples.length || (this.#from === null && this.#samples.length > wanted)
        ? new Int16Array(this.#from === null ? wanted : wanted * 2)
        : this.#samples
    target.set(this.#samples.subarray(keepFrom, this.#length))
    this.#samples = target
    this.#originMs += keepFrom / this.#samplesPerMs
    this.#length = kept
    if (this.#from !== null) this.#from = 0
  }
}

/** Index in the middle of the quietest 200 ms of the last 4 s. */
function quietest(pcm: Int16Array, samplesPerMs: number): number {
  const frame = SPLIT_FRAME_MS * samplesPerMs
  let bestAt = pcm.length
  let bestEnergy = Infinity
  const start = Math.max(0, pcm.length - SPLIT_WINDOW_MS * samplesPerMs)
  for (let at = start; at + frame <= pcm.length; at += frame / 2) {
    let energy = 0
    for (let index = at; index < at + frame; index += 1) energy += pcm[index]! * pcm[index]!
    if (energy < bestEnergy) {
      bestEnergy = energy
      bestAt = at + frame / 2
    }
  }
  return bestAt
}
