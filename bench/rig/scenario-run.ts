/**
 * Runs a scenario on one simulated call and measures it at the user's ear.
 *
 *   response     end of the user's last audible sound → the agent's next audible sound
 *   barge-in     the user's first audible sound, while the agent speaks → the agent's last sound before it yields
 *   greeting     `start` → the agent's first audible sound
 *
 * All three come from the play-out and from the speech itself, not from what the server says about
 * itself.
 */
import { encodePcmu } from './mulaw.ts'
import type { Scenario, Step } from './scenario.ts'
import type { SpeechVoice } from './speech.ts'
import type { SimulatedCall } from './simulated-call.ts'
import { TwilioCall, type CallEnd, type CallerOptions } from './twilio-caller.ts'
import { audibleSpan } from './voice-activity.ts'

/** How often a waiting step looks at the play-out: half a frame. */
const LOOK_MS = 10
/** How long the agent may take to yield before the interruption counts as ignored. */
const YIELD_LIMIT_MS = 5_000
const DIGIT_GAP_MS = 250

export interface Said {
  text: string
  /** Audible part, ms since `start`. */
  startMs: number
  endMs: number
  interrupting: boolean
}

export interface Interruption {
  onsetMs: number
  /** Onset → silence at the user's ear; null when the agent did not yield within 5 s. */
  stopMs: number | null
}

export interface ScenarioResult {
  callSid: string
  greetingMs: number | null
  said: Said[]
  /** One per `say` that the agent answered. */
  responsesMs: number[]
  interruptions: Interruption[]
  failures: string[]
  end: CallEnd
  /** 8 kHz, from `start`. */
  user: Int16Array
  agent: Int16Array
  agentTalkspurts: { startMs: number; endMs: number }[]
  warnings: Record<string, number>
  underruns: number
  quickReturns: number
}

export interface PlayOptions {
  scenario: Scenario
  voice: SpeechVoice
  onSaid?(said: Said): void
}

export type ScenarioOptions = Omit<CallerOptions, 'record' | 'from' | 'to'> & PlayOptions

/**
 * @throws CallRefused when the server does not take the call; a step that times out is a failure in
 * the result.
 */
export async function runScenario(options: ScenarioOptions): Promise<ScenarioResult> {
  const { from, to } = options.scenario
  return playScenario(options, () => TwilioCall.place({ ...options, record: true, from, to }))
}

/** The same on a call of any carrier. */
export async function playScenario(
  options: PlayOptions,
  place: () => Promise<SimulatedCall>,
): Promise<ScenarioResult> {
  const { scenario, voice } = options
  // Speech is made before the call, so that a step never waits for synthesis.
  const speech = new Map<string, Int16Array>()
  for (const step of scenario.steps) {
    if ('say' in step) speech.set(step.say, (await voice.say(step.say, scenario.language)).pcm)
  }
  const call = await place()
  const run = new ScenarioRun(call, speech, options)
  for (const step of scenario.steps) {
    if (call.isOver || !(await run.step(step))) break
  }
  if (!call.isOver) await call.hangup()
  return run.result(await call.ended)
}

class ScenarioRun {
  readonly #call: SimulatedCall
  readonly #speech: Map<string, Int16Array>
  readonly #options: PlayOptions
  readonly #said: Said[] = []
  readonly #failures: string[] = []
  /**
   * The agent must be heard after this for `waitForAgent`: what came before was an earlier reply.
   */
  #heardFromMs = 0

  constructor(call: SimulatedCall, speech: Map<string, Int16Array>, options: PlayOptions) {
    this.#call = call
    this.#speech = speech
    this.#options = options
  }

  /** False when the scenario cannot go on. */
  async step(step: Step): Promise<boolean> {
    if ('interruptAfterMs' in step) return this.#interrupt(step.interruptAfterMs, step.say)
    if ('say' in step) await this.#say(step.say, false)
    else if ('waitForAgent' in step) return this.#waitForAgent(step.waitForAgent)
    else if ('waitForSilence' in step) return this.#waitForSilence(step.waitForSilence)
    else if ('pressDigits' in step) await this.#press(step.pressDigits)
    else if ('breakLine' in step) this.#call.drop()
    else if ('pause' in step) await sleep(step.pause)
    else if ('waitForHangup' in step) {
      return this.#until('the agent to hang up', step.waitForHangup, () => this.#call.isOver)
    } else await this.#call.hangup()
    return true
  }

  result(end: CallEnd): ScenarioResult {
    const { playOut, carrierCallId, user, warnings } = this.#call
    const heard = playOut.heard
    const interrupting = this.#said.filter((said) => said.interrupting)
    return {
      callSid: carrierCallId,
      greetingMs: heard.firstMs,
      said: this.#said,
      responsesMs: this.#responses(),
      interruptions: interrupting.map((said) => this.#interruption(said)),
      failures: this.#failures,
      end,
      user: user.recording(),
      agent: playOut.recording(),
      agentTalkspurts: heard.talkspurts,
      warnings: Object.fromEntries(warnings),
      underruns: playOut.underruns,
      quickReturns: playOut.quickReturns,
    }
  }

  async #say(text: string, interrupting: boolean): Promise<void> {
    const pcm = this.#speech.get(text) ?? new Int16Array(0)
    const audible = audibleSpan(pcm) ?? { startMs: 0, endMs: 0 }
    const span = await this.#call.user.speak(encodePcmu(pcm))
    const said = {
      text,
      startMs: span.startMs + audible.startMs,
      endMs: span.startMs + audible.endMs,
      interrupting,
    }
    this.#heardFromMs = said.endMs
    this.#said.push(said)
    this.#options.onSaid?.(said)
  }

  async #interrupt(afterMs: number, text: string): Promise<boolean> {
    if (!(await this.#waitForAgent(YIELD_LIMIT_MS))) return false
    await sleep(afterMs)
    await this.#say(text, true)
    return true
  }

  async #press(digits: string): Promise<void> {
    for (const digit of digits) {
      this.#call.pressDigit(digit)
      await sleep(DIGIT_GAP_MS)
    }
  }

  #waitForAgent(withinMs: number): Promise<boolean> {
    const isHeard = (): boolean => {
      const lastMs = this.#call.playOut.heard.lastMs
      return lastMs !== null && lastMs > this.#heardFromMs
    }
    return this.#until('the agent to speak', withinMs, isHeard)
  }

  async #waitForSilence(forMs: number): Promise<boolean> {
    const isSilent = (): boolean => {
      const lastMs = this.#call.playOut.heard.lastMs ?? 0
      return this.#call.nowMs() - lastMs >= forMs
    }
    const isDone = await this.#until('the agent to fall silent', 60_000, isSilent)
    this.#heardFromMs = this.#call.nowMs()
    return isDone
  }

  async #until(what: string, withinMs: number, isTrue: () => boolean): Promise<boolean> {
    const call = this.#call
    const deadlineMs = call.nowMs() + withinMs
    for (;;) {
      call.playOut.listen(performance.now())
      if (isTrue()) return true
      if (call.isOver || call.nowMs() > deadlineMs) break
      await sleep(LOOK_MS)
    }
    const why = call.isOver ? 'but the call ended' : `in ${withinMs} ms`
    this.#failures.push(`waited for ${what} ${why} (at ${Math.round(call.nowMs())} ms)`)
    return false
  }

  /**
   * Each `say` that did not interrupt, to the agent's next sound, when that comes before the user's
   * next sound.
   */
  #responses(): number[] {
    const responses: number[] = []
    this.#said.forEach((said, i) => {
      const answerMs = this.#call.playOut.heard.startAfter(said.endMs)
      const untilMs = this.#said[i + 1]?.startMs ?? Infinity
      if (answerMs !== null && answerMs < untilMs) responses.push(answerMs - said.endMs)
    })
    return responses
  }

  /**
   * The agent yields when it clears its queue. What counts is the last sound heard of it until
   * then, also when the onset fell into a pause between two sentences; a sentence that just ends
   * proves nothing.
   */
  #interruption(said: Said): Interruption {
    const { clearsMs, heard } = this.#call.playOut
    const onsetMs = said.startMs
    const clearMs = clearsMs.find((atMs) => atMs >= onsetMs && atMs - onsetMs < YIELD_LIMIT_MS)
    const last = heard.talkspurts.findLast((spurt) => spurt.startMs < (clearMs ?? 0))
    if (clearMs === undefined || last === undefined) return { onsetMs, stopMs: null }
    return { onsetMs, stopMs: Math.max(0, last.endMs - onsetMs) }
  }
}

/** What of the scenario's expectations did not come true, as sentences; empty when all did. */
export function checkExpectations(scenario: Scenario, result: ScenarioResult): string[] {
  const { greetingMs, bargeInMs, replies, endedBy } = scenario.expect
  const wrong = [...result.failures]
  const heardMs = result.greetingMs
  if (greetingMs !== undefined && (heardMs === null || heardMs > greetingMs)) {
    wrong.push(`greeting after ${heardMs ?? '∞'} ms, expected within ${greetingMs} ms`)
  }
  for (const { stopMs } of bargeInMs === undefined ? [] : result.interruptions) {
    if (stopMs === null) wrong.push('the agent did not yield to an interruption')
    else if (stopMs > (bargeInMs ?? 0)) {
      wrong.push(`silent ${Math.round(stopMs)} ms after an interruption, expected ${bargeInMs} ms`)
    }
  }
  if (replies !== undefined && result.responsesMs.length < replies) {
    wrong.push(`${result.responsesMs.length} replies heard, expected ${replies}`)
  }
  if (endedBy !== undefined && result.end.by !== endedBy) {
    wrong.push(`the call was ended by ${result.end.by}, expected ${endedBy}`)
  }
  return wrong
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
