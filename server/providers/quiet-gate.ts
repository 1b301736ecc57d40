/**
 * Quiet gate: is this frame of the user worth a recogniser that is paid by the second?
 *
 *   level ─► smoothed ─┬─► its lowest of the last 6 s = the floor
 *                      └─► 6 dB above the floor? ───┐
 *   probability of speech ─► 0.15 or more? ─────────┴─► sent, and hangoverMs of quiet behind it ─► held
 *
 * It fails open: a frame of which nothing is known is sent, as is the first second, and no decision of the VAD alone holds
 * anything. The recogniser finds the end of a phrase in the audio it is given, so the hangover counts what was sent, not
 * what passed; while a phrase is owed it lasts longer. Pure; audio time only; nothing is allocated per frame.
 * Measured by `npm run bench -- vad`; decision: docs/adr/0009.
 */
import type { FrameSound } from './stt.ts'

/** Voices are above 0.5, quiet lines below 0.05. Half of it would send another 5 % of a call. */
const PROBABILITY_LEAST = 0.15
/** Steady noise keeps within 4 dB of its floor. */
const RISE_DB = 6
/** Of the newest frame in the smoothed level: about 100 ms, which the pre-roll covers. */
const LEVEL_SHARE = 0.2
/** Longer than anybody speaks without a gap between two words. */
const WINDOW_MS = 1_000
const WINDOWS = 6
/** Below it is digital silence, or the rounding of PCMU. */
const FLOOR_LEAST_DBFS = -75
/** Above it no line is called quiet, however steady: a voice that fills 6 s must not become the floor. */
const FLOOR_MOST_DBFS = -40
/** Longer than the silence that ends a phrase, of which the service gets this much more; at least 1.5 s. */
const MARGIN_MS = 1_000
const HANGOVER_LEAST_MS = 1_500
/** For a phrase that is owed so much more silence is sent; then nobody believes in it any more. */
const OWED_MS = 4_000

export class QuietGate {
  readonly #hangoverMs: number
  readonly #minima = new Float64Array(WINDOWS).fill(Infinity)
  #window = 0
  #windowMs = 0
  #lowestDbfs = Infinity
  /** The lowest of the minima. */
  #pastDbfs = Infinity
  #levelDbfs: number | null = null
  #knownMs = 0
  #quietMs = 0
  #isOwed = false
  #isOpen = true

  /** @param segmentationSilenceMs silence by which the recogniser ends a phrase */
  constructor(segmentationSilenceMs: number) {
    this.#hangoverMs = Math.max(HANGOVER_LEAST_MS, segmentationSilenceMs + MARGIN_MS)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Silence that is sent behind the last sound, ms. */
  get hangoverMs(): number {
    return this.#hangoverMs
  }

  /** Whether the next `durationMs` are sent. `sound`: what is known of them; undefined: nothing. */
  frame(sound: FrameSound | undefined, durationMs: number): boolean {
    if (sound === undefined || this.#isHeard(sound, durationMs)) {
      this.#quietMs = 0
      this.#isOpen = true
    } else if (this.#isOpen) this.sentQuiet(durationMs)
    return this.#isOpen
  }

  /** Counts quiet: the user's, or what is sent for audio that the line left out. Closes behind the hangover. */
  sentQuiet(durationMs: number): void {
    if (durationMs === 0) return
    const limitMs = this.#hangoverMs + (this.#isOwed ? OWED_MS : 0)
    if (this.#quietMs >= limitMs) this.#isOpen = false
    this.#quietMs += durationMs
  }

  /** Whether the recogniser has begun a phrase and not ended it. */
  owes(isOwed: boolean): void {
    this.#isOwed = isOwed
  }

  #isHeard(sound: FrameSound, durationMs: number): boolean {
    const before = this.#levelDbfs ?? sound.levelDbfs
    const levelDbfs = before + LEVEL_SHARE * (sound.levelDbfs - before)
    this.#levelDbfs = levelDbfs
    this.#learn(levelDbfs, durationMs)
    if (this.#knownMs <= WINDOW_MS) return true
    if (sound.speech || sound.probability >= PROBABILITY_LEAST) return true
    return levelDbfs >= this.#floorDbfs + RISE_DB
  }

  #learn(levelDbfs: number, durationMs: number): void {
    this.#knownMs += durationMs
    this.#windowMs += durationMs
    this.#lowestDbfs = Math.min(this.#lowestDbfs, levelDbfs)
    if (this.#windowMs < WINDOW_MS) return
    this.#minima[this.#window] = this.#lowestDbfs
    this.#pastDbfs = Math.min(...this.#minima)
    this.#window = (this.#window + 1) % WINDOWS
    this.#windowMs = 0
    this.#lowestDbfs = Infinity
  }

  get #floorDbfs(): number {
    const lowestDbfs = Math.min(this.#lowestDbfs, this.#pastDbfs)
    return Math.min(FLOOR_MOST_DBFS, Math.max(FLOOR_LEAST_DBFS, lowestDbfs))
  }
}
