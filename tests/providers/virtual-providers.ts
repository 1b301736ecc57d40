/**
 * Providers without a network, with the latencies that the emulated services have by default, for virtual time: what
 * they take, they take from timers and from the audio they are given.
 */
import type { ProviderFailures } from '../../bench/rig/provider-process.ts'
import { textOfTone } from '../../bench/rig/spoken-tone.ts'
import type { LlmEvent, LlmProvider } from '../../server/providers/llm.ts'
import type { SttEvents, SttProvider, SttSession } from '../../server/providers/stt.ts'
import type { TtsEvent, TtsProvider } from '../../server/providers/tts.ts'
import { broken, forever, transcript } from './doubles.ts'

const CONNECT_MS = 100
const REFUSE_MS = 50
const PARTIAL_MS = 250
const FINAL_MS = 1_000
const FIRST_TOKEN_MS = 400
const TOKEN_MS = 1_000 / 60
const FIRST_AUDIO_MS = 150

/** What fails at the moment, shared by the providers of one service. */
export class Trouble {
  now: ProviderFailures = {}
  readonly sessions = new Set<VirtualEar>()

  fail(failures: ProviderFailures): void {
    const { drop, ...others } = failures
    Object.assign(this.now, others)
    if (drop !== undefined) for (const session of [...this.sessions]) session.fail()
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}

export class VirtualEars implements SttProvider {
  readonly name: string
  readonly maxSessionMs = 480_000
  readonly #trouble: Trouble

  constructor(name: string, trouble: Trouble) {
    this.name = name
    this.#trouble = trouble
  }

  async warm(): Promise<void> {
    await sleep(CONNECT_MS)
    if (this.#trouble.now.stt?.kind === 'refuse') throw broken('STT')
  }

  open(_options: unknown, events: SttEvents): SttSession {
    return new VirtualEar(events, this.#trouble)
  }

  async close(): Promise<void> {}
}

/** Answers CONNECT_MS behind the audio; which utterance it was follows from the tone. */
class VirtualEar implements SttSession {
  readonly #events: SttEvents
  readonly #trouble: Trouble
  readonly #timers = new Set<NodeJS.Timeout>()
  #speech: { startMs: number; endMs: number; partials: number; crossings: number } | null = null
  #heardMs = 0
  #last = 0
  #closed = false

  constructor(events: SttEvents, trouble: Trouble) {
    this.#events = events
    this.#trouble = trouble
    trouble.sessions.add(this)
    if (trouble.now.stt?.kind === 'refuse') this.#later(REFUSE_MS, () => this.fail())
  }

  push(pcm: Int16Array, atMs: number): void {
    const failure = this.#trouble.now.stt
    this.#heardMs += 20
    if (failure?.kind === 'close' && this.#heardMs >= failure.afterAudioMs) {
      return this.#later(REFUSE_MS, () => this.fail())
    }
    if (failure?.kind === 'silent') {
      this.#speech = null
      return
    }
    const isLoud = pcm.some((sample) => Math.abs(sample) > 400)
    if (isLoud) this.#speech ??= { startMs: atMs, endMs: atMs, partials: 0, crossings: 0 }
    const speech = this.#speech
    if (speech === null) return
    if (isLoud) {
      speech.endMs = atMs + 20
      for (const sample of pcm) {
        if (sample < 0 !== this.#last < 0) speech.crossings++
        this.#last = sample
      }
    }
    if (atMs - speech.startMs >= (speech.partials + 1) * PARTIAL_MS && isLoud) {
      speech.partials++
      const partial = transcript('frase', speech.startMs, atMs)
      this.#later(CONNECT_MS, () => this.#events.onPartial(partial))
    }
    if (atMs - speech.endMs >= FINAL_MS) this.#final(speech)
  }

  speechStarted(): void {}
  speechEnded(): void {}

  fail(): void {
    if (this.#closed) return
    this.close()
    this.#events.onError(broken('STT'))
  }

  close(): void {
    this.#closed = true
    this.#trouble.sessions.delete(this)
    for (const timer of this.#timers) clearTimeout(timer)
  }

  #final({ startMs, endMs, crossings }: { startMs: number; endMs: number; crossings: number }) {
    this.#speech = null
    const hz = (crossings / 2 / (endMs - startMs)) * 1_000
    const final = transcript(textOfTone({ hz }), startMs, endMs)
    const times = this.#trouble.now.stt?.kind === 'twice' ? 2 : 1
    for (let i = 0; i < times; i++) this.#later(CONNECT_MS, () => this.#events.onFinal(final))
  }

  #later(ms: number, run: () => void): void {
    this.#timers.add(setTimeout(() => !this.#closed && run(), ms))
  }
}

export class VirtualModel implements LlmProvider {
  readonly name: string
  readonly scripted = false
  readonly #trouble: Trouble

  constructor(name: string, trouble: Trouble) {
    this.name = name
    this.#trouble = trouble
  }

  async warm(): Promise<void> {
    await sleep(CONNECT_MS)
    if (this.#trouble.now.llm) throw broken('LLM')
  }

  async *stream(_request: unknown, signal: AbortSignal): AsyncIterable<LlmEvent> {
    const failure = this.#trouble.now.llm
    if (failure?.kind === 'silent') return void (await forever(signal))
    await sleep(failure?.kind === 'status' ? REFUSE_MS : FIRST_TOKEN_MS, signal)
    if (failure?.kind === 'status') throw broken('LLM')
    for (const [index, word] of ['Claro', ' que', ' sí,', ' con', ' mucho', ' gusto.'].entries()) {
      // As the emulated service does: what is under way at that moment is hit as well.
      const { llm } = this.#trouble.now
      if (llm?.kind === 'cut' && index >= llm.afterTokens) throw broken('LLM')
      if (llm?.kind === 'stall' && index >= llm.afterTokens) return void (await forever(signal))
      yield { kind: 'text', text: word }
      await sleep(TOKEN_MS, signal)
    }
    yield { kind: 'done', finishReason: 'stop', usage: null }
  }

  async close(): Promise<void> {}
}

export class VirtualVoice implements TtsProvider {
  readonly name: string
  readonly sampleRateHz = 16_000
  readonly #trouble: Trouble

  constructor(name: string, trouble: Trouble) {
    this.name = name
    this.#trouble = trouble
  }

  async warm(): Promise<void> {
    await sleep(CONNECT_MS)
    if (this.#trouble.now.tts) throw broken('TTS')
  }

  async voices() {
    return []
  }

  async *synthesize(_request: unknown, signal: AbortSignal): AsyncIterable<TtsEvent> {
    const failure = this.#trouble.now.tts
    if (failure?.kind === 'silent') return void (await forever(signal))
    await sleep(failure?.kind === 'refuse' ? REFUSE_MS : FIRST_AUDIO_MS, signal)
    if (failure?.kind === 'refuse' || failure?.kind === 'close') throw broken('TTS')
    for (let chunk = 0; chunk < 5; chunk++) {
      yield { kind: 'audio', pcm: new Int16Array(3_200) }
      if (failure?.kind === 'stall') return void (await forever(signal))
      await sleep(10, signal)
    }
  }

  async close(): Promise<void> {}
}
