/**
 * Barge-in: decides, while the agent speaks, whether a sound of the user takes the floor.
 *
 *   onset ─► duck ─► (100 ms of voice, 800 of any sound) pause ─┬─ enough words, or a stop word ──► takeFloor
 *                                                                ├─ a backchannel, an echo ────────► resume
 *                                                                └─ no words 800 ms after the sound ► resume (sooner, see below)
 *
 * While the agent is paused, one final word is enough, whatever the count (changed: it is silent anyway, and a user who
 * says one word into that silence waits for an answer). Partials always need the count: they may be a cough's guess.
 *
 * Sound that the echo guard takes for the agent's own voice neither ducks nor pauses, and of its words only those count
 * that the agent did not say: the bar is raised, not closed.
 *
 * Sound alone silences the agent but takes nothing from it (unless interruptionWords is 0): coughs, lorries and the
 * agent's own echo are sound too, and after them it goes on where the user stopped hearing. Pure: audio time in ms comes in as argument. One object serves the whole call; reset() between turns.
 */
import { hasStopWord, isBackchannel, isEchoOf, normalise, wordsOf } from './words.ts'

/**
 * A sound that lasts this long is taken for the user speaking, and speaking against a voice is unpleasant: the agent falls
 * silent. With the VAD's onset and the way to the carrier the user hears silence about 150 ms after the first sound.
 */
export const PAUSE_AFTER_MS = 100

/**
 * The same for a sound without pitch: coughs, knocks and lorries have none, while every word has some within 100 ms of its
 * first sound. Whoever whispers is still given way to, by their words if not before.
 */
export const PAUSE_UNVOICED_AFTER_MS = 800

/** How long the agent waits after a voice from which no words came: a recogniser's partial takes 300-600 ms. */
export const NO_WORDS_MS = 800

/**
 * A cough or a knock: shorter than this with the VAD's hangover of 200 ms. Should it be a word after all, the agent has
 * gone on for a moment when its transcript takes the floor.
 */
const SHORT_SOUND_MS = 500
const NO_WORDS_SHORT_MS = 300

/** Silence behind a partial "ajá", with the VAD's hangover, after which its final is not waited for, which takes a second. */
const BACKCHANNEL_OVER_MS = 100

/**
 * A continuous sound without a word is noise after this long: the agent speaks up again until the next onset. The sound itself goes on
 * and must not silence it again: that would be 40 ms of voice in every 60. A recogniser that is late looks the same.
 */
export const NOISE_MS = 2_000

export interface BargeInSettings {
  language: string
  interruptionWords: number
  /** Default 0: words alone count. */
  interruptionCharacters?: number
  stopWords: readonly string[]
}

export type BargeInAction =
  | { kind: 'none' }
  | { kind: 'duck' }
  | { kind: 'pause' }
  /** `ignored`: the words which did not take the floor, if any, and why. */
  | { kind: 'resume'; ignored: 'backchannel' | 'echo' | null }
  | { kind: 'takeFloor'; reason: 'words' | 'stopWord'; onsetMs: number }

export interface OverlapWords {
  /** What the user has said over the agent so far. */
  text: string
  isFinal: boolean
  startMs: number
  /** What the agent is saying: its last sentences. */
  agentSpeech: string
  /** The input filter would make no turn of them: a hallucination takes nothing by its finality. */
  refused?: boolean
}

/** What else is known of the sound of this frame. */
export interface SoundHint {
  /** The echo guard takes it for the agent's own. */
  isEcho: boolean
  /** It has a pitch, as voices have. Absent: nobody can tell. */
  isVoice?: boolean
}

const NONE: BargeInAction = { kind: 'none' }
const NO_HINT: SoundHint = { isEcho: false }
/** From this share of its frames on a sound is treated as an echo. */
const ECHO_SHARE = 0.6

export class BargeIn {
  readonly #settings: BargeInSettings
  #ducked = false
  #paused = false
  /** The user makes a sound. */
  #sounds = false
  /** The sound had a pitch so far. */
  #hasVoice = false
  /** The sound was found to be noise: holds until it ends, through reset(), since it goes on under the agent's next turn. */
  #isNoise = false
  #onsetMs: number | null = null
  /** Since when the sound is taken for the user's own. */
  #ownMs = 0
  #offsetMs: number | null = null
  #hasWords = false
  /** The words so far are a backchannel. */
  #isBackchannel = false
  /** Frames of the sound so far, and how many of them were suspected. */
  #soundFrames = 0
  #echoFrames = 0

  constructor(settings: BargeInSettings) {
    this.#settings = settings
  }

  onset(startMs: number, { isEcho, isVoice = true }: SoundHint = NO_HINT): BargeInAction {
    this.#sounds = true
    this.#isNoise = false
    // What goes on within the hangover is the same sound.
    this.#hasVoice = isVoice || (this.#hasVoice && this.#ducked)
    this.#offsetMs = null
    this.#onsetMs = startMs
    this.#ownMs = startMs
    this.#soundFrames = 0
    this.#echoFrames = 0
    return isEcho ? NONE : this.#heardUser(startMs)
  }

  /** A turn of the agent begins to be heard at `atMs`, behind reset(), under a sound of the user that goes on. */
  goesOn(atMs: number, hint: SoundHint = NO_HINT): BargeInAction {
    return this.#isNoise ? NONE : this.onset(atMs, hint)
  }

  /** A sound that is the user's own. */
  #heardUser(startMs: number): BargeInAction {
    if (this.#settings.interruptionWords === 0) return this.#take('words', startMs)
    if (this.#ducked) return NONE
    this.#ducked = true
    this.#hasWords = false
    this.#isBackchannel = false
    return { kind: 'duck' }
  }

  offset(atMs: number): void {
    this.#sounds = false
    this.#isNoise = false
    this.#offsetMs = atMs
  }

  words(words: OverlapWords): BargeInAction {
    const count = wordsOf(words.text).length
    if (count === 0) return NONE
    this.#hasWords = true
    const onsetMs = this.#onsetMs ?? words.startMs
    const own = this.#isEcho ? ownWords(words.text, words.agentSpeech) : []
    // A stop word that the agent did not say is the user's, echo or not.
    const isStop = hasStopWord(own.join(' '), this.#settings.stopWords)
    const isEcho = this.#isEcho && !isStop && own.length < this.#leastWords
    if (isEcho || isEchoOf(words.text, words.agentSpeech))
      return words.isFinal ? this.#resume('echo') : NONE
    if (hasStopWord(words.text, this.#settings.stopWords)) return this.#take('stopWord', onsetMs)
    this.#isBackchannel = isBackchannel(words.text, this.#settings.language)
    if (this.#isBackchannel) return words.isFinal ? this.#resume('backchannel') : NONE
    const isEnough = this.#paused && words.isFinal && words.refused !== true
    if (isEnough || count >= this.#settings.interruptionWords || this.#isLong(words.text)) {
      return this.#take('words', onsetMs)
    }
    return NONE
  }

  tick(atMs: number, { isEcho, isVoice = true }: SoundHint = NO_HINT): BargeInAction {
    if (this.#sounds) {
      this.#hasVoice ||= isVoice
      this.#soundFrames += 1
      if (isEcho) this.#echoFrames += 1
      else if (!this.#ducked && !this.#isNoise && this.#onsetMs !== null) {
        this.#ownMs = atMs
        return this.#heardUser(this.#onsetMs)
      }
    }
    if (!this.#ducked || isEcho) return NONE
    if (this.#offsetMs !== null && !this.#sounds) {
      const silentMs = atMs - this.#offsetMs
      if (this.#isBackchannel && silentMs >= BACKCHANNEL_OVER_MS) return this.#resume('backchannel')
      if (silentMs >= this.#patienceMs(this.#offsetMs)) return this.#resume(null)
    }
    if (this.#sounds && !this.#hasWords && atMs - this.#ownMs >= NOISE_MS) {
      this.#isNoise = true
      return this.#resume(null)
    }
    const sinceOnsetMs = atMs - (this.#onsetMs ?? atMs)
    const pauseAfterMs = this.#hasVoice ? PAUSE_AFTER_MS : PAUSE_UNVOICED_AFTER_MS
    if (this.#sounds && !this.#paused && sinceOnsetMs >= pauseAfterMs) {
      this.#paused = true
      return { kind: 'pause' }
    }
    return NONE
  }

  reset(): void {
    this.#ducked = false
    this.#paused = false
    this.#sounds = false
    this.#hasVoice = false
    this.#onsetMs = null
    this.#offsetMs = null
    this.#hasWords = false
    this.#isBackchannel = false
  }

  /** How long words are waited for after a sound. */
  #patienceMs(offsetMs: number): number {
    const isShort = offsetMs - (this.#onsetMs ?? offsetMs) < SHORT_SOUND_MS
    return (isShort || !this.#hasVoice) && !this.#hasWords ? NO_WORDS_SHORT_MS : NO_WORDS_MS
  }

  #isLong(text: string): boolean {
    const { interruptionCharacters = 0 } = this.#settings
    return interruptionCharacters > 0 && normalise(text).length >= interruptionCharacters
  }

  get #isEcho(): boolean {
    return this.#echoFrames > 0 && this.#echoFrames >= ECHO_SHARE * this.#soundFrames
  }

  /** With an echo on the line one word is too little, whatever the setting says. */
  get #leastWords(): number {
    return Math.max(2, this.#settings.interruptionWords)
  }

  #resume(ignored: 'backchannel' | 'echo' | null): BargeInAction {
    this.#ducked = false
    this.#paused = false
    this.#hasWords = false
    this.#isBackchannel = false
    return { kind: 'resume', ignored }
  }

  #take(reason: 'words' | 'stopWord', onsetMs: number): BargeInAction {
    this.reset()
    this.#isNoise = false
    return { kind: 'takeFloor', reason, onsetMs }
  }
}

/** The words that the agent did not say. */
function ownWords(text: string, agentSpeech: string): string[] {
  const agent = new Set(wordsOf(agentSpeech))
  return wordsOf(text).filter((word) => !agent.has(word))
}
