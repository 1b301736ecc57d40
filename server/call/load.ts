/**
 * Load: how busy this process is, and what it gives up before calls suffer. Pure: a sample comes in once a second.
 *
 *   samples ─► median of the last 3 s ÷ limit, per signal ─► rung 0 … 3 ─► bed off, speculation off, refuse
 *                                                        └► room(): live + ringing calls at the price of the live ones
 *
 * What fails first on this runtime is the main thread: latency climbs at 65-80 % of a core and collapses within another
 * 15 % of load, so the ladder begins at 60 %. Event-loop delay alone proves little (a collection of garbage is one late
 * turn); it only counts together with a busy loop. Climbing takes 2 s, coming down one rung takes 5 s of calm well below
 * the limit, so that the ladder does not swing with the calls it has just refused.
 *
 * Invariants: fewer than `floorCalls` live calls never degrade anything, because then the load is not theirs; a call that
 * was admitted and is ringing is never refused later. Used by: admission.ts (room), main.ts (samples, effects).
 */

/** One second of this process. */
export interface LoadSample {
  liveCalls: number
  /** Share of the second in which the event loop was not idle, 0…1. */
  loopUtilisation: number
  loopDelayP99Ms: number
  /** How late the turns of the 5 ms wheel began. */
  wheelLateP99Ms: number
  /** From handing a batch to the audio pool until its result, less the run itself. */
  poolWaitP99Ms: number
  /** Frames that left for the line, and those that came too late for it or that the socket did not take. */
  framesSent: number
  framesMissed: number
}

export const RUNGS = ['normal', 'bedOff', 'speculationOff', 'refusing'] as const
export type Rung = (typeof RUNGS)[number]
export type RungIndex = 0 | 1 | 2 | 3

export const LOAD_SIGNALS = [
  'loopUtilisation',
  'loopDelay',
  'wheelLateness',
  'poolWait',
  'missedFrames',
] as const
export type LoadSignal = (typeof LOAD_SIGNALS)[number]

/** Where each signal reaches rung 1, 2 and 3. */
export const LOAD_LIMITS: Record<LoadSignal, readonly [number, number, number]> = {
  loopUtilisation: [0.6, 0.68, 0.75],
  loopDelay: [10, 15, 20],
  wheelLateness: [5, 10, 15],
  poolWait: [4, 6, 8],
  missedFrames: [0.0003, 0.0006, 0.001],
}

/** Below this many live calls nothing is degraded. */
export const FLOOR_CALLS = 10
const UP_SAMPLES = 3
const DOWN_SAMPLES = 5
/** A rung is left when every signal of the last 5 s was below this share of its limit. */
const DOWN_SHARE = 0.85
/** Event-loop delay counts when the loop is at least this busy. */
const BUSY_LOOP = 0.5
/** A handful of missed frames is a share of nothing. */
const MISSED_AT_LEAST = 5

export interface LoadState {
  rung: Rung
  /** The signal that brought it there; null on rung 0. */
  because: LoadSignal | null
  /** Calls, ringing ones included, that fit by what the live ones cost; null while there is no pressure. */
  admittedCalls: number | null
  /** Medians of the last 3 s: share, ms, ms, ms, share. */
  signals: Record<LoadSignal, number>
}

type Limits = typeof LOAD_LIMITS

export class LoadLadder {
  readonly #limits: Limits
  readonly #floorCalls: number
  readonly #onRung: (rung: RungIndex) => void
  #samples: LoadSample[] = []
  #rung: RungIndex = 0
  #because: LoadSignal | null = null
  #sinceChange = 0

  /** `onRung` hears of every change, with the new rung. */
  constructor(
    onRung: (rung: RungIndex) => void = () => undefined,
    options: { limits?: Limits; floorCalls?: number } = {},
  ) {
    this.#onRung = onRung
    this.#limits = options.limits ?? LOAD_LIMITS
    this.#floorCalls = options.floorCalls ?? FLOOR_CALLS
  }

  get rung(): RungIndex {
    return this.#rung
  }

  /** Takes one second's sample and moves at most: up to the rung it demands, or one rung down. */
  sample(sample: LoadSample): void {
    this.#samples = [...this.#samples, sample].slice(-DOWN_SAMPLES)
    this.#sinceChange++
    const demanded = this.#demanded()
    if (demanded.rung > this.#rung) {
      this.#because = demanded.signal
      return this.#move(demanded.rung)
    }
    if (this.#rung > 0 && this.#sinceChange >= DOWN_SAMPLES && this.#isCalm()) {
      const next = (this.#rung - 1) as RungIndex
      if (next === 0) this.#because = null
      this.#move(next)
    }
  }

  /** Is there room for one more call beside those live and those admitted but still ringing? */
  room(liveCalls: number, ringingCalls: number): boolean {
    if (this.#rung === 3) return false
    const admitted = this.#admittedCalls()
    return admitted === null || liveCalls + ringingCalls < admitted
  }

  state(): LoadState {
    const signals = Object.fromEntries(
      LOAD_SIGNALS.map((signal) => [signal, this.#recent(signal)]),
    ) as LoadState['signals']
    return {
      rung: RUNGS[this.#rung],
      because: this.#because,
      admittedCalls: this.#admittedCalls(),
      signals,
    }
  }

  #move(rung: RungIndex): void {
    this.#rung = rung
    this.#sinceChange = 0
    this.#onRung(rung)
  }

  /** The highest rung that a signal's recent median asks for. */
  #demanded(): { rung: RungIndex; signal: LoadSignal | null } {
    let highest: { rung: RungIndex; signal: LoadSignal | null } = { rung: 0, signal: null }
    if (this.#samples.length < UP_SAMPLES || !this.#hasCalls()) return highest
    for (const signal of LOAD_SIGNALS) {
      const value = this.#recent(signal)
      const rung = this.#limits[signal].filter((limit) => value >= limit).length as RungIndex
      if (rung > highest.rung) highest = { rung, signal }
    }
    return highest
  }

  #isCalm(): boolean {
    if (!this.#hasCalls()) return true
    const limitAt = this.#rung - 1
    return this.#samples.every((sample) =>
      LOAD_SIGNALS.every(
        (signal) => value(sample, signal) < DOWN_SHARE * (this.#limits[signal][limitAt] ?? 0),
      ),
    )
  }

  #hasCalls(): boolean {
    return (this.#samples.at(-1)?.liveCalls ?? 0) >= this.#floorCalls
  }

  /**
   * Under pressure a ringing call costs what a live one does: so many fit until the loop is at its last limit. Below
   * rung 1 the estimate would be too low, since an idle wheel costs something too.
   */
  #admittedCalls(): number | null {
    if (this.#rung === 0 || !this.#hasCalls()) return null
    const utilisation = this.#recent('loopUtilisation')
    const [first, , last] = this.#limits.loopUtilisation
    if (utilisation < first * DOWN_SHARE) return null
    const recent = this.#samples.slice(-UP_SAMPLES).map((sample) => sample.liveCalls)
    return Math.floor((median(recent) * last) / utilisation)
  }

  #recent(signal: LoadSignal): number {
    const recent = this.#samples.slice(-UP_SAMPLES)
    return recent.length === 0 ? 0 : median(recent.map((sample) => value(sample, signal)))
  }
}

function value(sample: LoadSample, signal: LoadSignal): number {
  if (signal === 'loopUtilisation') return sample.loopUtilisation
  if (signal === 'wheelLateness') return sample.wheelLateP99Ms
  if (signal === 'poolWait') return sample.poolWaitP99Ms
  if (signal === 'loopDelay') {
    return sample.loopUtilisation >= BUSY_LOOP ? sample.loopDelayP99Ms : 0
  }
  return sample.framesMissed < MISSED_AT_LEAST ? 0 : sample.framesMissed / sample.framesSent
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? 0
}
