/**
 * Scripted user: one user of a load test, driven by the line's own 20 ms frames. Pure: no timers, no I/O.
 *
 *   greet ─► think ─► speak ─► await ─► listen ─┐      speak: the line's frames     await: until the agent is heard
 *              ▲                                │
 *              └────────── next turn ◄──────────┘      listen: until it was silent for a while
 *
 * A turn's latency is what the user hears: from the end of the last audible sound to the agent's next one. An agent that
 * is audible at that moment has answered into a hesitation; such a turn is talked over, and has no latency.
 */
import { SILENT_FRAME, type SpokenLine } from './canned-speech.ts'
import type { Ear } from './ear.ts'

const GREETING_WITHIN_MS = 15_000
const ANSWER_WITHIN_MS = 15_000
/** The agent has finished when it was silent for so long, plus 0-500 ms that differ from turn to turn. */
const SILENCE_MS = 700
const THINK_MAX_MS = 500
/** The agent counts as speaking when its last sound is this close to the user's. */
const OVER_MS = 100

type Phase = 'greet' | 'speak' | 'await' | 'listen' | 'done'
export type UserFailure = 'noGreeting' | 'noAnswer'

export interface UserOptions {
  ear: Ear
  lines: readonly SpokenLine[]
  /** Turns until the user has finished; the lines repeat. */
  turns: number
  /** 0…1, seeded. */
  random(): number
  onLatency(ms: number): void
  onTalkedOver(): void
}

export class ScriptedUser {
  failure: UserFailure | null = null
  readonly #options: UserOptions
  #phase: Phase = 'greet'
  #turn = 0
  #frame = 0
  #sinceMs: number | null = null
  #silenceMs: number
  #endOfSpeechMs = 0

  constructor(options: UserOptions) {
    this.#options = options
    this.#silenceMs = SILENCE_MS + options.random() * THINK_MAX_MS
  }

  /** True when the script is over, or has failed. */
  get isDone(): boolean {
    return this.#phase === 'done'
  }

  get turnsTaken(): number {
    return this.#turn
  }

  /** The next 20 ms of the line, which end at `deadlineMs`. */
  frame(deadlineMs: number): Buffer {
    this.#sinceMs ??= deadlineMs
    if (this.#phase === 'speak') return this.#speak(deadlineMs)
    if (this.#phase === 'greet') this.#greet(deadlineMs)
    else if (this.#phase === 'await') this.#await(deadlineMs)
    else if (this.#phase === 'listen' && this.#isQuiet(deadlineMs)) this.#nextTurn(deadlineMs)
    return SILENT_FRAME
  }

  #greet(nowMs: number): void {
    if (this.#isQuiet(nowMs)) this.#enter('speak', nowMs)
    else if (this.#options.ear.lastAudibleMs === null && this.#waitedMs(nowMs) > GREETING_WITHIN_MS)
      this.#fail('noGreeting', nowMs)
  }

  #speak(deadlineMs: number): Buffer {
    const { lines, ear } = this.#options
    const line = lines[this.#turn % lines.length]
    if (line === undefined) return SILENT_FRAME
    const frame = line.frames[this.#frame++] ?? SILENT_FRAME
    if (this.#frame === 1) this.#endOfSpeechMs = deadlineMs - 20 + line.audibleEndMs
    if (this.#frame >= line.frames.length) {
      this.#frame = 0
      ear.listenFrom(this.#endOfSpeechMs)
      this.#enter('await', deadlineMs)
    }
    return frame
  }

  #await(nowMs: number): void {
    const { ear, onLatency, onTalkedOver } = this.#options
    const lastMs = ear.lastAudibleMs
    if (ear.onsetMs !== null) {
      const latencyMs = ear.onsetMs - this.#endOfSpeechMs
      if (latencyMs < OVER_MS) onTalkedOver()
      else onLatency(latencyMs)
      this.#enter('listen', nowMs)
    } else if (lastMs !== null && lastMs > this.#endOfSpeechMs - OVER_MS) {
      onTalkedOver()
      this.#enter('listen', nowMs)
    } else if (this.#waitedMs(nowMs) > ANSWER_WITHIN_MS) {
      this.#fail('noAnswer', nowMs)
    }
  }

  #nextTurn(nowMs: number): void {
    this.#turn++
    this.#silenceMs = SILENCE_MS + this.#options.random() * THINK_MAX_MS
    this.#enter(this.#turn >= this.#options.turns ? 'done' : 'speak', nowMs)
  }

  #isQuiet(nowMs: number): boolean {
    const lastMs = this.#options.ear.lastAudibleMs
    return lastMs !== null && nowMs - lastMs >= this.#silenceMs
  }

  #waitedMs(nowMs: number): number {
    return nowMs - (this.#sinceMs ?? nowMs)
  }

  #enter(phase: Phase, nowMs: number): void {
    this.#phase = phase
    this.#sinceMs = nowMs
  }

  #fail(failure: UserFailure, nowMs: number): void {
    this.failure = failure
    this.#enter('done', nowMs)
  }
}
