/**
 * Barge-in: 200 real interruptions, and 200 sounds that must not stop the agent, over the real Conversation, Playout and audio
 * core and the rig's play-out clock (rig-line.ts).
 *
 *   agent's frame ──► user's ear          user's line: speech or sound + echo of the agent + noise ──► chain ──► decisions
 *        └─ 40-250 ms, −20 dB ────────────────────────────┘      closed loop: a paused agent makes no echo
 *
 *   stop      first audible 10 ms of the interruption → the agent's last sound before it lost the floor
 *   missed    the agent kept the floor for 4 s
 *   false     the agent lost the floor to a backchannel, a cough, a noise burst or its own echo; a pause after which it
 *             goes on is no loss, and is counted apart
 */
import type { ConversationEvent } from '../../server/conversation/conversation-events.ts'
import { SentenceSplitter } from '../../server/conversation/sentences.ts'
import { speakable } from '../../server/conversation/speakable.ts'
import { asSpeaker, type SpeechVoice } from '../rig/speech.ts'
import { audible, withNoise, wordTimes } from './hesitant-speech.ts'
import { recognise, type RecognitionEvent, type SpokenWord } from './scripted-recogniser.ts'
import type { Seeded } from './seeded.ts'
import type { SetTexts } from './set-texts.ts'
import { RigLine } from './rig-line.ts'
import { SimulatedCall, type AgentSpeech } from './simulated-call.ts'
import { FRAME_MS, FRAME_SAMPLES, SAMPLES_PER_MS, type UserLine } from './user-line.ts'

export type OverlapKind = 'interruption' | 'backchannel' | 'cough' | 'noise' | 'echo'

export interface OverlapCase {
  kind: OverlapKind
  language: 'es-MX' | 'en-US'
  agent: AgentSpeech
  /** Who speaks for the agent. */
  agentVoice: SpeechVoice
  /** Of the agent's text, from its first sample: what an echo would be recognised as. */
  agentWords: SpokenWord[]
  /** Empty for an echo. */
  sound: Int16Array
  text: string
  /** After the agent's first sample. */
  atMs: number
  echo: { gain: number; delayMs: number }
}

export interface OverlapResult {
  one: OverlapCase
  /** Null: the agent kept the floor. */
  stopMs: number | null
  pauses: number
  pausedMs: number
  duckedMs: number
  /** What the product says was heard of the cut turn; null without a cut. */
  textHeard: string | null
  /** Agent audio that the line played, ms. */
  playedMs: number
  bargeIn: Extract<ConversationEvent, { kind: 'bargeIn' }> | null
}

/** −20 dB. */
const ECHO_GAIN = 0.1
const ECHO_DELAY_MS = { least: 40, most: 250 }
const WATCHED_MS = 4_000
/** What Azure now and then makes of a cough. */
const COUGH_WORDS = ['Mm.', 'Ah.', '']

export interface OverlapSet {
  texts: SetTexts
  voice: SpeechVoice
}

const speakerOf = (set: OverlapSet, seeded: Seeded) => seeded.pick(set.texts.speakers)

export async function interruptionCases(
  count: number,
  seeded: Seeded,
  set: OverlapSet,
): Promise<OverlapCase[]> {
  const cases: OverlapCase[] = []
  for (let i = 0; i < count; i++) {
    const language = i % 2 === 0 ? 'es-MX' : 'en-US'
    const text = seeded.pick(set.texts.interruptions[language])
    const pcm = audible((await set.voice.say(text, language, speakerOf(set, seeded))).pcm)
    const sound = louder(pcm, seeded.between(-6, 3))
    cases.push({ ...(await shared(language, seeded, set)), kind: 'interruption', text, sound })
  }
  return cases
}

/** A quarter of each kind. */
export async function harmlessCases(
  count: number,
  seeded: Seeded,
  set: OverlapSet,
): Promise<OverlapCase[]> {
  const kinds = ['backchannel', 'cough', 'noise', 'echo'] as const
  const cases: OverlapCase[] = []
  for (let i = 0; i < count; i++) {
    const kind = kinds[i % kinds.length] ?? 'noise'
    const language = seeded.next() < 0.5 ? 'es-MX' : 'en-US'
    const one = { ...(await shared(language, seeded, set)), kind, text: '' }
    if (kind === 'backchannel') {
      const text = seeded.pick(set.texts.backchannels[language])
      const sound = audible((await set.voice.say(text, language, speakerOf(set, seeded))).pcm)
      cases.push({ ...one, text, sound })
    } else if (kind === 'echo') {
      const delayMs = seeded.between(ECHO_DELAY_MS.least, ECHO_DELAY_MS.most)
      const echo = { gain: ECHO_GAIN, delayMs }
      cases.push({ ...one, sound: new Int16Array(0), echo })
    } else {
      const text = kind === 'cough' ? seeded.pick(COUGH_WORDS) : ''
      const sound = kind === 'cough' ? cough(seeded) : noiseBurst(seeded)
      cases.push({ ...one, text, sound })
    }
  }
  return cases
}

async function shared(
  language: 'es-MX' | 'en-US',
  seeded: Seeded,
  set: OverlapSet,
): Promise<Omit<OverlapCase, 'kind' | 'text' | 'sound'>> {
  const text = seeded.pick(set.texts.agents[language])
  const agentVoice = asSpeaker(set.voice, speakerOf(set, seeded))
  const splitter = new SentenceSplitter(language)
  const pcmOf = new Map<string, Int16Array>()
  const agentWords: SpokenWord[] = []
  let atMs = 0
  for (const sentence of [...splitter.push(text), ...splitter.flush()].map(speakable)) {
    const { pcm } = await agentVoice.say(sentence, language)
    pcmOf.set(sentence, pcm)
    agentWords.push(...wordTimes(sentence, atMs, pcm.length / SAMPLES_PER_MS))
    atMs += pcm.length / SAMPLES_PER_MS
  }
  const agent = { text, pcmOf }
  const echo = { gain: 0, delayMs: 0 }
  return { language, agent, agentVoice, agentWords, echo, atMs: seeded.between(500, 3_500) }
}

/** One call: the agent speaks, the sound comes over it. */
export async function runOverlap(
  one: OverlapCase,
  line: UserLine,
  seeded: Seeded,
): Promise<OverlapResult> {
  const rig = new RigLine(line)
  const call = new SimulatedCall({
    settings: { language: one.language },
    answer: one.agent,
    line: rig,
  })
  const run = new OverlapRun(one, { call, rig }, seeded)
  call.conversation.typed('hola')
  for (let i = 0; i < 20 && !rig.busy; i++) await new Promise(setImmediate)
  while (run.goesOn) {
    const detection = rig.step(run.userFrame(), call.nowMs + FRAME_MS)
    run.look()
    await call.frame(detection, run.recognised(detection.atMs + FRAME_MS))
    run.judge()
  }
  call.conversation.close()
  return run.result()
}

class OverlapRun {
  readonly #one: OverlapCase
  readonly #call: SimulatedCall
  readonly #rig: RigLine
  readonly #seeded: Seeded
  readonly #played: Int16Array[] = []
  #said: RecognitionEvent[] | null = null
  #agentStartMs: number | null = null
  #lastSoundMs = 0
  #stopMs: number | null = null

  constructor(
    one: OverlapCase,
    { call, rig }: { call: SimulatedCall; rig: RigLine },
    seeded: Seeded,
  ) {
    this.#one = one
    this.#call = call
    this.#rig = rig
    this.#seeded = seeded
  }

  get goesOn(): boolean {
    const endMs = this.#onsetMs + WATCHED_MS
    return this.#stopMs === null && this.#call.nowMs < endMs
  }

  /** Nothing is said before the agent is heard. */
  get #onsetMs(): number {
    return (this.#agentStartMs ?? 2_000) + this.#one.atMs
  }

  userFrame(): Int16Array {
    const frame = new Int16Array(FRAME_SAMPLES)
    const { sound, echo } = this.#one
    const at = Math.round((this.#call.nowMs - this.#onsetMs) * SAMPLES_PER_MS)
    const delay = Math.round(echo.delayMs * SAMPLES_PER_MS)
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const own = this.#agentStartMs === null ? 0 : (sound[at + i] ?? 0)
      frame[i] = own + (echo.gain === 0 ? 0 : echo.gain * this.#playedSample(i - delay))
    }
    return withNoise(frame, this.#seeded)
  }

  /** Of what was played, `offset` samples from now. */
  #playedSample(offset: number): number {
    const at = this.#played.length * FRAME_SAMPLES + offset
    return this.#played[Math.floor(at / FRAME_SAMPLES)]?.[at % FRAME_SAMPLES] ?? 0
  }

  recognised(untilMs: number): RecognitionEvent[] {
    if (this.#agentStartMs === null) return []
    this.#said ??= recognise(this.#spoken(), {
      language: this.#one.language,
      segmentationMs: 700,
      seeded: this.#seeded,
    })
    const now = this.#said.filter((event) => event.atMs <= untilMs)
    this.#said = this.#said.filter((event) => event.atMs > untilMs)
    return now
  }

  #spoken(): SpokenWord[] {
    const { kind, agentWords, echo, text, sound } = this.#one
    if (kind !== 'echo') return wordTimes(text, this.#onsetMs, sound.length / SAMPLES_PER_MS)
    const byMs = (this.#agentStartMs ?? 0) + echo.delayMs
    return agentWords.map((word) => ({
      text: word.text,
      startMs: word.startMs + byMs,
      endMs: word.endMs + byMs,
    }))
  }

  /** What the user heard in the 20 ms that have just gone by. */
  look(): void {
    const { heard, isSounding } = this.#rig
    this.#played.push(heard)
    if (!isSounding) return
    const nowMs = this.#call.nowMs + FRAME_MS
    this.#agentStartMs ??= nowMs
    this.#lastSoundMs = nowMs
  }

  judge(): void {
    if (this.#call.events.some((event) => event.kind === 'bargeIn')) {
      this.#stopMs ??= Math.max(0, this.#lastSoundMs - this.#onsetMs)
    }
  }

  result(): OverlapResult {
    const { events } = this.#call
    const rig = this.#rig
    const bargeIn = events.find((event) => event.kind === 'bargeIn') ?? null
    const turns = events.flatMap((event) =>
      event.kind === 'turn' && event.final ? [event.turn] : [],
    )
    const cut = turns.findLast((turn) => turn.role === 'agent')
    return {
      one: this.#one,
      stopMs: this.#stopMs,
      pauses: rig.pauses,
      pausedMs: rig.pausedMs,
      duckedMs: rig.duckedMs,
      textHeard: bargeIn && cut ? cut.textHeard : null,
      playedMs: rig.playedMs,
      bargeIn,
    }
  }
}

function louder(pcm: Int16Array, db: number): Int16Array {
  const gain = 10 ** (db / 20)
  return pcm.map((sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * gain))))
}

/** One to three bursts of noise with a hard attack and a fall of 60-150 ms, coloured as a throat does. */
function cough(seeded: Seeded): Int16Array {
  const bursts = seeded.whole(1, 3)
  const pcm = new Int16Array(bursts * 320 * SAMPLES_PER_MS)
  for (let burst = 0; burst < bursts; burst++) {
    const fallMs = seeded.between(60, 150)
    const loud = seeded.between(3_000, 9_000)
    let low = 0
    for (let i = 0; i < 300 * SAMPLES_PER_MS; i++) {
      low += 0.35 * (seeded.between(-1, 1) - low)
      const envelope = Math.min(1, i / 40) * Math.exp(-i / (fallMs * SAMPLES_PER_MS))
      pcm[burst * 320 * SAMPLES_PER_MS + i] = Math.round(loud * 2 * low * envelope)
    }
  }
  return pcm
}

/** A door, a lorry, a plate: 50-800 ms of noise. */
function noiseBurst(seeded: Seeded): Int16Array {
  const pcm = new Int16Array(Math.round(seeded.between(50, 800) * SAMPLES_PER_MS))
  const loud = seeded.between(1_000, 8_000)
  const colour = seeded.between(0.1, 1)
  let low = 0
  for (let i = 0; i < pcm.length; i++) {
    low += colour * (seeded.between(-1, 1) - low)
    const edge = Math.min(1, i / 80, (pcm.length - i) / 400)
    pcm[i] = Math.round(loud * low * edge)
  }
  return pcm
}
