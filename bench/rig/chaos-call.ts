/**
 * One simulated call of the chaos run: speaks utterances, one after the other, and measures the silence behind each.
 *
 *   tone k ─► FailoverStt ─► "frase k fin" ─► FailoverLlm ─► FailoverTts ─► first audio ─► tone k + 1
 *             └──── sttMs ─────────────┘└──── llmMs ────┘└──── ttsMs ────┘
 *
 * It waits for finals: a call's early commit on a partial would be faster. It has no filler phrases either. An answer that
 * breaks off before it has 11 characters, the first sentence, is begun anew, as in a call.
 */
import { errorText } from '../../server/errors.ts'
import type { CallAccounts } from '../../server/providers/call-accounts.ts'
import type { LlmProvider } from '../../server/providers/llm.ts'
import type { SttOptions, SttProvider, SttSession } from '../../server/providers/stt.ts'
import type { TtsProvider } from '../../server/providers/tts.ts'
import { phraseOf, TONES, toneFrame } from './spoken-tone.ts'

const SPEECH_MS = 900
const LEAD_MS = 300
/** An utterance that nobody answered for so long is given up, so that a broken run ends. */
const GIVE_UP_MS = 20_000
/** A rig that stood still for longer goes on where it was: no line gives a minute of audio at once. */
const STOOD_STILL_MS = 2_000
/** Of the telephone line that every call has. */
const RATE_HZ = 8_000
const SILENCE = new Int16Array(RATE_HZ / 50)

export interface ChaosParts {
  accounts: CallAccounts
  stt: SttProvider
  llm: LlmProvider
  tts: TtsProvider
  onSwitch(): void
  onAnswered(): void
}

/** The silence between the user's last sample and the agent's first, and where it was spent, ms. */
export interface Silence {
  atMs: number
  totalMs: number
  sttMs: number
  llmMs: number
  ttsMs: number
}

export class ChaosCall {
  readonly done: Promise<void>
  readonly silences: Silence[] = []
  ended = false
  /** Why each utterance that was not answered was not. */
  readonly unanswered: string[] = []
  readonly #id: string
  readonly #parts: ChaosParts
  readonly #stt: SttSession
  readonly #heard: string[] = []
  #beganMs = performance.now()
  #caughtUpMs = this.#beganMs
  #finish: () => void = () => undefined
  #atMs = 0
  /** Utterances begun, and the one that is the last. */
  #utterance = 0
  #last = TONES - 1
  #startMs: number
  #speechEndMs: number | null = null
  #isAnswering = false

  /** Speaks until finishSoon(). `index` also delays its first words, so that calls are not in step. */
  constructor(index: number, parts: ChaosParts) {
    this.#id = `call-${index}`
    this.#parts = parts
    this.#startMs = LEAD_MS + (index % 20) * 100
    this.done = new Promise((resolve) => (this.#finish = resolve))
    parts.accounts.open(this.#id, () => parts.onSwitch())
    const options: SttOptions = {
      callId: this.#id,
      rateHz: RATE_HZ,
      language: 'es-MX',
      phrases: [],
      segmentationSilenceMs: 500,
      initialSilenceMs: 30_000,
    }
    this.#stt = parts.stt.open(options, {
      onPartial: () => undefined,
      onFinal: ({ text }) => this.#final(text),
      onError: () => {
        this.ended = true
        this.#close()
      },
    })
  }

  get utterances(): number {
    return Math.min(this.#utterance, this.#last + 1)
  }

  get lost(): number {
    return Array.from({ length: this.utterances }, (_, k) => phraseOf(k)).filter(
      (text) => !this.#heard.includes(text),
    ).length
  }

  get doubled(): number {
    return this.#heard.length - new Set(this.#heard).size
  }

  /** The utterance under way is the last, or that with the number `least` if that comes later. */
  finishSoon(least = 0): void {
    this.#last = Math.min(TONES - 1, Math.max(this.#utterance, least))
  }

  /** Sends the frames that are due. */
  catchUp(): void {
    const sinceMs = performance.now() - this.#caughtUpMs
    this.#caughtUpMs += sinceMs
    if (sinceMs > STOOD_STILL_MS) this.#beganMs += sinceMs
    while (this.#utterance <= this.#last && this.#atMs < performance.now() - this.#beganMs) {
      this.#frame()
    }
  }

  #frame(): void {
    const atMs = this.#atMs
    const isSpeech = atMs >= this.#startMs && atMs < this.#startMs + SPEECH_MS
    this.#stt.push(
      isSpeech ? toneFrame(this.#utterance, atMs - this.#startMs, RATE_HZ) : SILENCE,
      atMs,
    )
    if (atMs === this.#startMs) this.#stt.speechStarted(atMs)
    this.#atMs += 20
    if (this.#atMs === this.#startMs + SPEECH_MS) {
      this.#stt.speechEnded(this.#atMs)
      this.#speechEndMs = this.#atMs
    }
    if (this.#speechEndMs !== null && this.#atMs - this.#speechEndMs > GIVE_UP_MS) {
      this.unanswered.push(this.#isAnswering ? 'the answer never came' : 'no final')
      this.#next()
    }
  }

  #final(text: string): void {
    this.#heard.push(text)
    if (text === phraseOf(this.#utterance) && !this.#isAnswering) void this.#answer(text)
  }

  get #nowMs(): number {
    return performance.now() - this.#beganMs
  }

  async #answer(said: string): Promise<void> {
    this.#isAnswering = true
    const utterance = this.#utterance
    const heardMs = this.#nowMs
    try {
      const answer = await this.#think(said)
      const thoughtMs = this.#nowMs
      await this.#speak(answer)
      const audioMs = this.#nowMs
      const endMs = this.#speechEndMs ?? heardMs
      this.silences.push({
        atMs: heardMs,
        totalMs: audioMs - endMs,
        sttMs: heardMs - endMs,
        llmMs: thoughtMs - heardMs,
        ttsMs: audioMs - thoughtMs,
      })
    } catch (error) {
      if (this.#utterance === utterance) this.unanswered.push(errorText(error))
    }
    this.#isAnswering = false
    this.#parts.onAnswered()
    if (this.#utterance === utterance) this.#next()
  }

  async #think(said: string): Promise<string> {
    let answer = ''
    const request = {
      callId: this.#id,
      rateHz: RATE_HZ,
      model: 'llama-3.3-70b-versatile',
      messages: [{ role: 'user' as const, content: said }],
      tools: [],
      temperature: 0,
      maxTokens: 100,
      language: 'es-MX',
      // Nothing is spoken before the loop is left.
      mayRestart: () => true,
    }
    for await (const event of this.#parts.llm.stream(request, new AbortController().signal)) {
      if (event.kind === 'restart') answer = ''
      if (event.kind === 'text') answer += event.text
      // The first sentence: what follows it is not waited for, as in a call.
      if (answer.length > 10) break
    }
    return answer
  }

  /** Until the first audio; the rest of the sentence follows in the background, as in a call. */
  async #speak(text: string): Promise<void> {
    const voice = { name: '', language: 'es-MX', style: null, speed: 1 }
    const request = { callId: this.#id, text, voice }
    const events = this.#parts.tts.synthesize(request, new AbortController().signal)
    const iterator = events[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await iterator.next()
      if (done === true) throw new Error('no audio')
      if (value.kind === 'audio') break
    }
    void drain(iterator)
  }

  #next(): void {
    this.#utterance++
    this.#speechEndMs = null
    this.#startMs = this.#atMs + LEAD_MS
    if (this.#utterance > this.#last) this.#close()
  }

  #close(): void {
    this.#last = Math.min(this.#last, this.#utterance - 1)
    this.#stt.close()
    this.#parts.accounts.close(this.#id)
    this.#finish()
  }
}

async function drain(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    while ((await iterator.next()).done !== true) continue
  } catch {
    // It broke off behind its first audio, and nobody else had the words: counted by the failover, heard as a cut.
  }
}
