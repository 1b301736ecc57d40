/** One call's ears across recognisers: see failover-stt.ts for the rules, replay-audio.ts for what is kept. */
import { ProviderError } from '../errors.ts'
import type { CallAccounts } from './call-accounts.ts'
import { inOrder, type ProviderHealth } from './provider-health.ts'
import { ReplayAudio } from './replay-audio.ts'
import { STT_RATE_HZ } from './stt.ts'
import type {
  FrameSound,
  SttEvents,
  SttOptions,
  SttProvider,
  SttSession,
  Transcript,
} from './stt.ts'

/** Azure answers the first words within 0.6 s; a recogniser that says nothing for so much speech is deaf. */
const DEAF_SPEAKING_MS = 2_000
/** Azure's final comes 0.5 s behind the silence that ends a phrase; so much more is too much. At least 1.8 s in all. */
const DEAF_AFTER_MS = 1_800
const DEAF_SLACK_MS = 1_300
/** Behind so much speech without even a partial, which comes 0.3…0.6 s into it, it takes no more than this. */
const MUTE_SPEECH_MS = 700
const MUTE_AFTER_MS = 1_200
/** A shorter sound may be a cough. */
const WORTH_WORDS_MS = 400
/** After so long without words a sound was none. */
const NOISE_MS = 6_000
/** The beginning of speech lies before its onset. */
const PRE_ROLL_MS = 600
const QUIET_KEPT_MS = 1_000
const LOOK_EVERY_MS = 100
/** A line that is never quiet so long behind a session's age gets a new one all the same: the service ends it at 10 minutes. */
const OVERDUE_MS = 90_000
/** A provider that just failed is not gone back to at once, whatever its breaker says. */
const STAY_MS = 5_000
/** A final repeats another when so much of it was final already. */
const REPEATED_SHARE = 0.5

export interface SttEntry {
  provider: SttProvider
  health: ProviderHealth
}

export interface SessionDeps extends SttEvents {
  options: SttOptions
  accounts: CallAccounts
  retryMs: number
  giveUpMs: number
  /** Monotonic clock: audio may come in bursts, and a recogniser must have had the time to answer. */
  nowMs(): number
  onClosed(): void
}

interface Attempt {
  entry: SttEntry
  session: SttSession | null
  openedMs: number
  /** It has given a transcript with words. */
  hasHeard: boolean
  pushedMs: number
  /** The one before was silent about this audio: if this one hears words in it, that one was deaf. */
  suspect: SttEntry | null
}

export class FailoverSttSession implements SttSession {
  readonly #entries: SttEntry[]
  readonly #deps: SessionDeps
  readonly #samplesPerMs: number
  readonly #audio: ReplayAudio
  readonly #failed = new Set<SttEntry>()
  #attempt: Attempt | null = null
  #nowMs = 0
  #lookedMs = 0
  /** Speech without a final so far: where it began; null when there is none. */
  #openMs: number | null = null
  #speechStartMs: number | null = null
  #speechEndMs: number | null = null
  #eventMs = -Infinity
  /** The same on the machine's clock. */
  #eventWallMs = 0
  #finalEndMs = -Infinity
  #retryTimer: NodeJS.Timeout | null = null
  #failingMs = 0
  #closed = false

  constructor(entries: SttEntry[], deps: SessionDeps) {
    this.#entries = entries
    this.#deps = deps
    const { rateHz = STT_RATE_HZ } = deps.options
    this.#samplesPerMs = rateHz / 1_000
    this.#audio = new ReplayAudio(rateHz)
  }

  begin(): void {
    this.#open(inOrder(this.#entries)[0]!, { code: 'PROVIDER_OUT', suspect: null })
  }

  push(pcm: Int16Array, atMs: number, sound?: FrameSound): void {
    if (this.#closed) return
    const durationMs = pcm.length / this.#samplesPerMs
    this.#nowMs = atMs + durationMs
    this.#audio.push(pcm, atMs)
    if (this.#attempt !== null) this.#feed(this.#attempt, pcm, atMs, sound)
    if (this.#nowMs - this.#lookedMs >= LOOK_EVERY_MS) this.#look()
  }

  speechStarted(atMs: number): void {
    if (this.#closed) return
    this.#openMs ??= atMs
    this.#speechStartMs = atMs
    this.#speechEndMs = null
    this.#audio.hint({ kind: 'started', atMs })
    this.#attempt?.session?.speechStarted(atMs)
  }

  speechEnded(atMs: number): void {
    if (this.#closed) return
    this.#speechEndMs = atMs
    this.#audio.hint({ kind: 'ended', atMs })
    this.#attempt?.session?.speechEnded(atMs)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer)
    this.#drop()
    this.#audio.clear()
    this.#deps.onClosed()
  }

  #feed(attempt: Attempt, pcm: Int16Array, atMs: number, sound?: FrameSound): void {
    attempt.pushedMs += pcm.length / this.#samplesPerMs
    attempt.session?.push(pcm, atMs, sound)
  }

  /** Opens a session and lets it hear what no final has confirmed. */
  #open(entry: SttEntry, why: { code: string; suspect: SttEntry | null }): void {
    this.#drop()
    const { options, accounts } = this.#deps
    const attempt: Attempt = {
      entry,
      session: null,
      openedMs: this.#nowMs,
      hasHeard: false,
      pushedMs: 0,
      suspect: why.suspect,
    }
    this.#attempt = attempt
    this.#noteEvent()
    const { name: provider } = entry.provider
    const preferred = this.#entries[0]!.provider.name
    accounts.used(options.callId, { part: 'stt', provider, preferred, code: why.code })
    const isCurrent = (): boolean => this.#attempt === attempt && !this.#closed
    attempt.session = entry.provider.open(options, {
      onPartial: (transcript) => {
        if (isCurrent()) this.#partial(attempt, transcript)
      },
      onFinal: (transcript) => {
        if (isCurrent()) this.#final(attempt, transcript)
      },
      onError: (error) => {
        if (isCurrent()) this.#broken(attempt, error)
      },
    })
    if (!isCurrent()) return
    this.#audio.replay(this.#unconfirmedMs, {
      push: (pcm, atMs) => this.#feed(attempt, pcm, atMs),
      speechStarted: (atMs) => attempt.session?.speechStarted(atMs),
      speechEnded: (atMs) => attempt.session?.speechEnded(atMs),
    })
  }

  /** Ends the current attempt and books its audio. */
  #drop(): void {
    const attempt = this.#attempt
    this.#attempt = null
    if (attempt === null) return
    attempt.session?.close()
    const { accounts, options } = this.#deps
    const seconds = (attempt.session?.sentMs ?? attempt.pushedMs) / 1_000
    accounts.spent(options.callId, { part: 'stt', provider: attempt.entry.provider.name, seconds })
  }

  /** From here on the audio must be heard again by a new session. */
  get #unconfirmedMs(): number {
    const fromMs = this.#openMs === null ? this.#nowMs - QUIET_KEPT_MS : this.#openMs - PRE_ROLL_MS
    return Math.max(fromMs, this.#finalEndMs)
  }

  #partial(attempt: Attempt, transcript: Transcript): void {
    if (this.#isRepeated(transcript)) return
    this.#heard(attempt, transcript)
    this.#openMs ??= transcript.startMs
    this.#deps.onPartial(transcript)
  }

  #final(attempt: Attempt, transcript: Transcript): void {
    if (this.#isRepeated(transcript)) return
    this.#heard(attempt, transcript)
    // Not at a partial: one that never makes a final of them would never be out.
    if (transcript.text.trim() !== '') attempt.entry.health.worked()
    this.#finalEndMs = Math.max(this.#finalEndMs, transcript.endMs)
    const isStillSpeaking =
      this.#speechStartMs !== null && this.#speechStartMs > transcript.endMs && !this.#isQuiet
    this.#openMs = isStillSpeaking ? this.#speechStartMs : null
    this.#audio.forget(this.#unconfirmedMs)
    this.#deps.onFinal(transcript)
  }

  #heard(attempt: Attempt, transcript: Transcript): void {
    this.#noteEvent()
    if (transcript.text.trim() === '') return
    attempt.hasHeard = true
    this.#failed.clear()
    this.#failingMs = 0
    if (attempt.suspect === null) return
    const text = `${attempt.suspect.provider.name} heard nothing in speech that has words`
    attempt.suspect.health.failed(new ProviderError('STT_TIMEOUT', text))
    attempt.suspect = null
  }

  #isRepeated({ text, startMs, endMs }: Transcript): boolean {
    if (text.trim() === '' || endMs <= startMs) return false
    return (this.#finalEndMs - startMs) / (endMs - startMs) > REPEATED_SHARE
  }

  #noteEvent(): void {
    this.#eventMs = this.#nowMs
    this.#eventWallMs = this.#deps.nowMs()
  }

  get #isQuiet(): boolean {
    return this.#speechStartMs === null || this.#speechEndMs !== null
  }

  #broken(attempt: Attempt, error: ProviderError): void {
    attempt.entry.health.failed(error)
    const again = attempt.hasHeard && attempt.entry.health.isUsable
    if (!again) this.#failed.add(attempt.entry)
    const next = again ? attempt.entry : this.#untried()
    if (next !== undefined) this.#open(next, { code: error.code, suspect: null })
    else this.#retryOrGiveUp(error)
  }

  #untried(): SttEntry | undefined {
    return inOrder(this.#entries).find((entry) => !this.#failed.has(entry))
  }

  /** All have failed. The user goes on talking, and is heard when one works again within giveUpMs. */
  #retryOrGiveUp(error: ProviderError): void {
    this.#drop()
    const isHopeless = this.#entries.length === 1 && !error.retryable
    if (isHopeless || this.#failingMs >= this.#deps.giveUpMs) {
      this.close()
      this.#deps.onError(error)
      return
    }
    this.#failingMs += this.#deps.retryMs
    this.#retryTimer = setTimeout(() => {
      this.#failed.clear()
      const entry = inOrder(this.#entries)[0]!
      this.#open(entry, { code: error.code, suspect: null })
    }, this.#deps.retryMs)
  }

  /** Ten times a second of audio: deaf, old, or no longer the best? */
  #look(): void {
    this.#lookedMs = this.#nowMs
    const quietMs = this.#speechEndMs === null ? 0 : this.#nowMs - this.#speechEndMs
    const silentMs = Math.min(
      this.#deps.nowMs() - this.#eventWallMs,
      this.#nowMs - Math.max(this.#eventMs, this.#openMs ?? 0),
    )
    if (this.#openMs !== null && this.#isQuiet && quietMs > NOISE_MS && silentMs > NOISE_MS) {
      this.#openMs = null
    }
    if (this.#openMs === null) this.#audio.forget(this.#unconfirmedMs)
    const attempt = this.#attempt
    if (attempt === null || attempt.entry.provider.maxSessionMs === undefined) {
      if (attempt !== null && this.#isAtRest) this.#returnToPreferred(attempt)
      return
    }
    if (this.#isDeaf(quietMs)) return this.#leaveDeaf(attempt)
    const oldMs = this.#nowMs - attempt.openedMs - attempt.entry.provider.maxSessionMs
    if (!this.#isAtRest && oldMs <= OVERDUE_MS) return
    if (oldMs > 0) this.#open(attempt.entry, { code: 'SESSION_OLD', suspect: null })
    else this.#returnToPreferred(attempt)
  }

  get #isAtRest(): boolean {
    return this.#openMs === null && this.#isQuiet
  }

  #isDeaf(quietMs: number): boolean {
    if (this.#openMs === null || this.#speechStartMs === null) return false
    const waitedMs = this.#deps.nowMs() - this.#eventWallMs
    const silentMs = Math.min(waitedMs, this.#nowMs - Math.max(this.#eventMs, this.#speechStartMs))
    if (this.#speechEndMs === null) return silentMs > DEAF_SPEAKING_MS
    const soundMs = this.#speechEndMs - this.#speechStartMs
    const { segmentationSilenceMs } = this.#deps.options
    const isMute = this.#eventMs < this.#speechStartMs && soundMs >= MUTE_SPEECH_MS
    const limitMs = isMute
      ? MUTE_AFTER_MS
      : Math.max(DEAF_AFTER_MS, segmentationSilenceMs + DEAF_SLACK_MS)
    return soundMs > WORTH_WORDS_MS && quietMs > limitMs && silentMs > limitMs
  }

  #leaveDeaf(attempt: Attempt): void {
    this.#failed.add(attempt.entry)
    const next = this.#untried()
    if (next === undefined || !next.health.isUsable) {
      // Nobody else could hear it better: a fresh session of the same, once for this silence.
      this.#failed.clear()
      this.#open(attempt.entry, { code: 'STT_TIMEOUT', suspect: null })
      return
    }
    this.#open(next, { code: 'STT_TIMEOUT', suspect: attempt.entry })
  }

  #returnToPreferred(attempt: Attempt): void {
    if (this.#nowMs - attempt.openedMs < STAY_MS) return
    const best = this.#entries.find(({ health }) => health.isUsable)
    if (best === undefined || best === attempt.entry) return
    if (this.#entries.indexOf(best) > this.#entries.indexOf(attempt.entry)) return
    this.#failed.clear()
    this.#open(best, { code: 'PROVIDER_BACK', suspect: null })
  }
}
