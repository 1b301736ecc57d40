/**
 * Calls that go on while their providers fail: each call speaks, is transcribed, answered and spoken to, over two of
 * each provider, of which the preferred one stalls, refuses, disconnects and recovers in turn.
 *
 *   tone of utterance k ─► FailoverStt ─► "frase k" ─► FailoverLlm ─► FailoverTts ─► first audio ─► utterance k + 1
 *
 * The emulated ears read the pitch, so that the same audio always gives the same words: a lost or doubled word shows.
 */
import { performance } from 'node:perf_hooks'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { FailoverLlm } from '../../server/providers/failover-llm.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import { FailoverTts } from '../../server/providers/failover-tts.ts'
import { GroqLlm } from '../../server/providers/groq-llm.ts'
import { OpenAiLlm } from '../../server/providers/openai-llm.ts'
import type { SttSession } from '../../server/providers/stt.ts'
import { AzureService } from './azure-service.ts'
import { GroqService } from './groq-service.ts'

export interface ChaosResult {
  calls: number
  utterances: number
  callsEnded: number
  lostUtterances: number
  doubledUtterances: number
  unanswered: number
  switches: number
  /** From the last sample of the user's speech to the first of the agent's, the worst and the usual. */
  silenceMaxMs: number
  silenceP50Ms: number
}

const SPEECH_MS = 900
const LEAD_MS = 300
/** An utterance that nobody answered for so long is given up, so that a broken run ends. */
const GIVE_UP_MS = 20_000
const LOWEST_HZ = 300
const STEP_HZ = 60

const textOf = ({ hz }: { hz: number }): string =>
  `frase ${Math.round((hz - LOWEST_HZ) / STEP_HZ)} fin`

export async function runChaos(options: {
  calls: number
  utterances: number
  /** From one phase to the next; null: a phase ends when an utterance was answered, however long that takes. */
  phaseMs: number | null
}): Promise<ChaosResult> {
  const world = await openWorld()
  const calls = Array.from({ length: options.calls }, (_, index) => {
    return new ChaosCall(`call-${index}`, world, options.utterances)
  })
  const phases = schedule(world)
  let phase = 0
  const change = (): void => phases[phase++ % phases.length]!()
  if (options.phaseMs === null) {
    change()
    world.onAnswered = change
  }
  const changing = options.phaseMs === null ? undefined : setInterval(change, options.phaseMs)
  const pacing = setInterval(() => calls.forEach((call) => call.catchUp()), 10)
  await Promise.all(calls.map((call) => call.done))
  clearInterval(changing)
  clearInterval(pacing)
  await world.close()
  const silences = calls.flatMap((call) => call.silencesMs).sort((a, b) => a - b)
  const sum = (of: (call: ChaosCall) => number): number =>
    calls.reduce((total, call) => total + of(call), 0)
  return {
    calls: options.calls,
    utterances: options.calls * options.utterances,
    callsEnded: sum((call) => (call.ended ? 1 : 0)),
    lostUtterances: sum((call) => call.lost),
    doubledUtterances: sum((call) => call.doubled),
    unanswered: sum((call) => call.unanswered),
    switches: world.switches,
    silenceMaxMs: Math.round(silences.at(-1) ?? 0),
    silenceP50Ms: Math.round(silences[silences.length >> 1] ?? 0),
  }
}

type World = Awaited<ReturnType<typeof openWorld>>

async function openWorld() {
  const quick = { finalMs: 700, firstAudioMs: 100, textOf }
  const azure = await AzureService.start(quick)
  const other = await AzureService.start(quick)
  const groq = await GroqService.start({ firstTokenMs: 150 })
  const second = await GroqService.start({ firstTokenMs: 150 })
  const accounts = new CallAccounts()
  const health = { probeEveryMs: 1_000 }
  const account = (service: AzureService) => ({ key: 'k', region: 'r', host: service.host })
  const renamed = <T extends object>(provider: T): T =>
    Object.defineProperty(provider, 'name', { value: 'second' })
  const stt = new FailoverStt(
    [new AzureStt(account(azure)), renamed(new AzureStt(account(other)))],
    { accounts, health },
  )
  const tts = new FailoverTts(
    [new AzureTts(account(azure)), renamed(new AzureTts(account(other)))],
    { accounts, health },
  )
  const llm = new FailoverLlm(
    [
      new GroqLlm({ apiKey: 'k', baseUrl: groq.url }),
      new OpenAiLlm({
        baseUrl: `${second.url}/openai/v1`,
        apiKey: null,
        model: 'openai/gpt-oss-120b',
      }),
    ],
    { accounts, health },
  )
  await Promise.all([stt.warm(), tts.warm(), llm.warm()])
  return {
    azure,
    groq,
    accounts,
    stt,
    tts,
    llm,
    switches: 0,
    onAnswered: (): void => undefined,
    async close() {
      await Promise.all([stt.close(), tts.close(), llm.close()])
      await Promise.all([azure.close(), other.close(), groq.close(), second.close()])
    },
  }
}

/** One failure after the other, each followed by a recovery. */
function schedule({ azure, groq }: World): (() => void)[] {
  const well = (): void => {
    azure.sttFailure = null
    azure.ttsFailure = null
    groq.failure = null
  }
  const failures: (() => void)[] = [
    () => (azure.sttFailure = { kind: 'silent' }),
    () => (groq.failure = { kind: 'silent' }),
    () => (azure.ttsFailure = { kind: 'silent' }),
    () => {
      azure.sttFailure = { kind: 'refuse', status: 503 }
      azure.ttsFailure = { kind: 'refuse', status: 429, retryAfterSec: 1 }
      azure.dropConnections(1_006)
    },
    () => (groq.failure = { kind: 'status', status: 503 }),
    () => azure.dropConnections(1_011),
    () => (azure.ttsFailure = { kind: 'stall', afterAudioMs: 200 }),
    () => (azure.sttFailure = { kind: 'twice' }),
    () => (azure.sttFailure = { kind: 'close', code: 1_007, afterAudioMs: 300 }),
  ]
  return failures.flatMap((fail) => [
    fail,
    () => {
      well()
    },
  ])
}

class ChaosCall {
  readonly done: Promise<void>
  readonly silencesMs: number[] = []
  ended = false
  unanswered = 0
  readonly #id: string
  readonly #world: World
  readonly #count: number
  readonly #stt: SttSession
  readonly #heard: string[] = []
  readonly #beganMs = performance.now()
  #finish: () => void = () => undefined
  #atMs = 0
  #utterance = 0
  #startMs = LEAD_MS
  #speechEndMs: number | null = null
  #isAnswering = false

  constructor(id: string, world: World, count: number) {
    this.#id = id
    this.#world = world
    this.#count = count
    this.done = new Promise((resolve) => (this.#finish = resolve))
    world.accounts.open(id, () => world.switches++)
    this.#stt = world.stt.open(
      {
        callId: id,
        language: 'es-MX',
        phrases: [],
        segmentationSilenceMs: 500,
        initialSilenceMs: 30_000,
      },
      {
        onPartial: () => undefined,
        onFinal: ({ text }) => this.#final(text),
        onError: () => {
          this.ended = true
          this.#close()
        },
      },
    )
  }

  get lost(): number {
    return Array.from({ length: this.#count }, (_, k) => `frase ${k} fin`).filter(
      (text) => !this.#heard.includes(text),
    ).length
  }

  get doubled(): number {
    return this.#heard.length - new Set(this.#heard).size
  }

  /** Sends the frames that are due. */
  catchUp(): void {
    while (this.#utterance < this.#count && this.#atMs < performance.now() - this.#beganMs) {
      this.#frame()
    }
  }

  #frame(): void {
    const atMs = this.#atMs
    const isSpeech = atMs >= this.#startMs && atMs < this.#startMs + SPEECH_MS
    this.#stt.push(isSpeech ? tone(this.#utterance, atMs - this.#startMs) : SILENCE, atMs)
    if (atMs === this.#startMs) this.#stt.speechStarted(atMs)
    this.#atMs += 20
    if (this.#atMs === this.#startMs + SPEECH_MS) {
      this.#stt.speechEnded(this.#atMs)
      this.#speechEndMs = this.#atMs
    }
    if (this.#speechEndMs !== null && this.#atMs - this.#speechEndMs > GIVE_UP_MS) {
      this.unanswered++
      this.#next()
    }
  }

  #final(text: string): void {
    this.#heard.push(text)
    if (text === `frase ${this.#utterance} fin` && !this.#isAnswering) void this.#answer(text)
  }

  async #answer(said: string): Promise<void> {
    this.#isAnswering = true
    const utterance = this.#utterance
    try {
      let answer = ''
      const request = {
        callId: this.#id,
        model: 'llama-3.3-70b-versatile',
        messages: [{ role: 'user' as const, content: said }],
        tools: [],
        temperature: 0,
        maxTokens: 100,
        language: 'es-MX',
      }
      for await (const event of this.#world.llm.stream(request, new AbortController().signal)) {
        if (event.kind === 'text') answer += event.text
        // The first words are a sentence: what follows is not waited for, as in a call.
        if (answer.length > 10) break
      }
      await this.#speak(answer)
    } catch {
      this.unanswered++
    }
    this.#isAnswering = false
    this.#world.onAnswered()
    if (this.#utterance === utterance) this.#next()
  }

  async #speak(text: string): Promise<void> {
    const voice = { name: '', language: 'es-MX', style: null, speed: 1 }
    let isFirst = true
    const request = { callId: this.#id, text, voice }
    for await (const event of this.#world.tts.synthesize(request, new AbortController().signal)) {
      if (event.kind !== 'audio' || !isFirst) continue
      isFirst = false
      const nowMs = performance.now() - this.#beganMs
      this.silencesMs.push(nowMs - (this.#speechEndMs ?? nowMs))
    }
  }

  #next(): void {
    this.#utterance++
    this.#speechEndMs = null
    this.#startMs = this.#atMs + LEAD_MS
    if (this.#utterance >= this.#count) this.#close()
  }

  #close(): void {
    this.#utterance = this.#count
    this.#stt.close()
    this.#world.accounts.close(this.#id)
    this.#finish()
  }
}

const SILENCE = new Int16Array(320)

/** 20 ms of the tone that says "frase k". */
function tone(k: number, fromMs: number): Int16Array {
  const hz = LOWEST_HZ + STEP_HZ * k
  return Int16Array.from({ length: 320 }, (_, i) =>
    Math.round(6_000 * Math.sin((2 * Math.PI * hz * (fromMs * 16 + i)) / 16_000)),
  )
}
