/**
 * Echo probe: sends a tone code on one call and finds every frame again in what comes back.
 *
 *   send   1 s silence │ code frames, each stamped with its deadline │ silence
 *   receive  arrival, symbol ─► expected? matched : collect 4 symbols, look up the place ─► lost, repeated or damaged
 *
 * Delay of a frame = arrival at the rig − the deadline at which the rig owed it to the line. So the
 * rig's own lateness counts against the server, never for it. "Late" is what exceeds the smallest
 * delay of the call: the pipeline's constant. Counting frames alone would prove nothing, since a
 * server that lost one may fill in silence; the code cannot be guessed.
 */
import { CODE_LENGTH, decodeHalf, HALF_SAMPLES, ToneCode, WORD_LENGTH } from './tone-code.ts'
import { SILENCE_BYTE } from './mulaw.ts'

const LEAD_FRAMES = 50
/** So many tonal frames decide which half of the received frames is the clean one. */
const TRIAL_FRAMES = 25
const SILENCE_BASE64 = Buffer.from(Buffer.alloc(160, SILENCE_BYTE).toString('base64'), 'latin1')

interface Received {
  atMs: number
  first: number
  second: number
}

export interface EchoResult {
  sent: number
  /** Frames that came back whole. */
  matched: number
  /** Frames that never came back. */
  lost: number
  /** Frames that came back at their place, but without their tone. */
  damaged: number
  repeated: number
  /** Silent frames received between code frames: the server had nothing to send at its deadline. */
  holes: number
  /** Of the frames behind the warm-up. */
  delaysMs: Float32Array
}

export class EchoProbe {
  readonly #code: ToneCode
  /**
   * Calls start at different places of the code, so that another call's audio is not mistaken for
   * one's own.
   */
  readonly #offset: number
  readonly #codeFrames: number
  readonly #warmUpFrames: number
  readonly #deadlinesMs: Float64Array
  readonly #trial: Received[] = []
  #codeFrom: number
  #released = false
  #useSecond = false
  #trialOver = false
  #next = 0
  #sent = 0
  #pending: { symbol: number; atMs: number }[] = []
  #holesSince = 0
  readonly #result = { matched: 0, lost: 0, damaged: 0, repeated: 0, holes: 0 }
  /** Made once: arrays that grow under 15 000 frames a second would have the rig collect garbage while it measures. */
  readonly #delaysMs: Float32Array
  #delays = 0

  /**
   * `hold`: the code waits for `release()`, the line is silent until then. `warmUpFrames`: the delay of so many first frames of the
   * code is not kept; whether they come back is.
   */
  constructor(
    code: ToneCode,
    options: { callIndex: number; codeFrames: number; hold?: boolean; warmUpFrames?: number },
  ) {
    this.#code = code
    this.#codeFrom = options.hold ? Infinity : LEAD_FRAMES
    this.#offset = (options.callIndex * 37) % CODE_LENGTH
    this.#codeFrames = options.codeFrames
    this.#warmUpFrames = options.warmUpFrames ?? 0
    this.#deadlinesMs = new Float64Array(options.codeFrames)
    this.#delaysMs = new Float32Array(options.codeFrames)
  }

  /** The frame that the line carries as its `index`-th. */
  frame(index: number, deadlineMs: number): Buffer {
    if (this.#released) {
      this.#released = false
      this.#codeFrom = index + LEAD_FRAMES
    }
    const n = index - this.#codeFrom
    if (n < 0 || n >= this.#codeFrames) return SILENCE_BASE64
    this.#deadlinesMs[n] = deadlineMs
    this.#sent = n + 1
    return this.#code.frames[(n + this.#offset) % CODE_LENGTH] ?? SILENCE_BASE64
  }

  /** Lets the code begin after 50 more frames of silence. */
  release(): void {
    this.#released = true
  }

  /** True once the warm-up was sent. */
  get isWarm(): boolean {
    return this.#sent > this.#warmUpFrames
  }

  /** True once every code frame was sent. */
  get isSent(): boolean {
    return this.#sent === this.#codeFrames
  }

  /** True once every code frame was sent and accounted for. */
  get isComplete(): boolean {
    return this.isSent && this.#next >= this.#codeFrames
  }

  receive(payload: Uint8Array, atMs: number): void {
    for (let from = 0; from + 2 * HALF_SAMPLES <= payload.length; from += 2 * HALF_SAMPLES) {
      this.#receiveFrame(payload, from, atMs)
    }
  }

  /** Closes the account: what has not come back by now is lost. */
  finish(): EchoResult {
    if (!this.#trialOver) this.#endTrial()
    const result = this.#result
    result.damaged += this.#pending.length
    this.#next += this.#pending.length
    this.#pending = []
    result.lost += Math.max(0, this.#sent - this.#next)
    return { sent: this.#sent, ...result, delaysMs: this.#delaysMs.subarray(0, this.#delays) }
  }

  #receiveFrame(payload: Uint8Array, from: number, atMs: number): void {
    if (this.#trialOver) {
      const half = this.#useSecond ? from + HALF_SAMPLES : from
      this.#take(decodeHalf(payload, half, this.#symbolAt(this.#next)), atMs)
      return
    }
    const first = decodeHalf(payload, from)
    const second = decodeHalf(payload, from + HALF_SAMPLES)
    if (first === -1 && second === -1 && this.#trial.length === 0) return
    this.#trial.push({ atMs, first, second })
    if (this.#trial.length === TRIAL_FRAMES) this.#endTrial()
  }

  #endTrial(): void {
    this.#trialOver = true
    const clean = (half: 'first' | 'second'): number =>
      this.#trial.filter((received) => received[half] >= 0).length
    this.#useSecond = clean('second') >= clean('first')
    for (const received of this.#trial) {
      this.#take(this.#useSecond ? received.second : received.first, received.atMs)
    }
  }

  #take(symbol: number, atMs: number): void {
    if (symbol === -1) {
      // Silence inside the code is a hole; silence after it is the end.
      if (this.#next > 0 && this.#next < this.#codeFrames) this.#holesSince++
      return
    }
    this.#result.holes += this.#holesSince
    this.#holesSince = 0
    if (this.#pending.length === 0 && symbol === this.#symbolAt(this.#next)) {
      this.#match(atMs)
      return
    }
    this.#pending.push({ symbol, atMs })
    if (this.#pending.length === WORD_LENGTH) this.#resynchronise()
  }

  /**
   * Four unexpected symbols: they tell where in the code we are, or that the first of them is
   * damaged.
   */
  #resynchronise(): void {
    const place = this.#code.placeOf(this.#pending.map((received) => received.symbol))
    if (place === null) {
      this.#pending.shift()
      this.#next++
      this.#result.damaged++
      this.#replay()
      return
    }
    const expected = (this.#next + this.#offset) % CODE_LENGTH
    const ahead = ((place - expected + CODE_LENGTH * 1.5) % CODE_LENGTH) - CODE_LENGTH / 2
    const target = this.#next + ahead
    if (target < 0 || target + WORD_LENGTH > this.#sent) {
      // A place that was not sent yet: another call's audio, or noise that happens to spell a word.
      this.#result.damaged += WORD_LENGTH
      this.#next += WORD_LENGTH
      this.#pending = []
      return
    }
    if (ahead > 0) this.#result.lost += ahead
    else this.#result.repeated += -ahead
    this.#next = target
    this.#replay()
  }

  #replay(): void {
    const pending = this.#pending
    this.#pending = []
    for (const { symbol, atMs } of pending) this.#take(symbol, atMs)
  }

  #match(atMs: number): void {
    const deadlineMs = this.#deadlinesMs[this.#next]
    // A server that repeats itself could match more frames than the code has.
    if (deadlineMs !== undefined && this.#next >= this.#warmUpFrames) {
      if (this.#delays < this.#delaysMs.length) this.#delaysMs[this.#delays++] = atMs - deadlineMs
    }
    this.#next++
    this.#result.matched++
  }

  #symbolAt(n: number): number {
    return this.#code.symbols[(n + this.#offset) % CODE_LENGTH] ?? -2
  }
}
