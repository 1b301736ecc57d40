/**
 * Echo conversation: says back what it hears. It takes the place of Conversation when the media path is measured, so
 * that every frame goes the whole way, in and out, and no provider is in it.
 */
import { STT_RATE_HZ } from '../providers/stt.ts'
import type { Transcript } from '../providers/stt.ts'
import type { Playback, PlaybackEvents } from '../media/playback.ts'
import type { Detection } from '../../workers/pool.ts'
import type { ConversationState } from './conversation-events.ts'

export interface EchoDeps {
  playback: Playback
  /** The rate the playback takes: 8 000, 16 000 or 24 000. Other than 16 000 the echo is resampled, crudely. */
  ttsRateHz: number
}

/** The call has one segment, never finished: an endless sentence. */
const SEGMENT_ID = 1

export class EchoConversation implements PlaybackEvents {
  readonly #deps: EchoDeps
  #state: ConversationState = 'listening'

  constructor(deps: EchoDeps) {
    this.#deps = deps
  }

  get state(): ConversationState {
    return this.#state
  }

  start(): void {
    this.#state = 'speaking'
  }

  /** 16 kHz mono PCM of the user, any length; copied. */
  userPcm(pcm: Int16Array): void {
    if (this.#state !== 'speaking') return
    this.#deps.playback.append(SEGMENT_ID, atRate(pcm, this.#deps.ttsRateHz))
  }

  userFrame(_detection: Detection): void {}
  partial(_transcript: Transcript): void {}
  final(_transcript: Transcript): void {}
  typed(_text: string): void {}
  digit(_digit: string): void {}
  onSegmentStarted(_segmentId: number, _atMs: number): void {}
  onSegmentHeard(_segmentId: number, _atMs: number): void {}

  close(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#deps.playback.clear()
  }
}

/** Nearest sample: good enough for a bench, where only the count of samples matters. Always a new array. */
function atRate(pcm: Int16Array, rateHz: number): Int16Array {
  if (rateHz === STT_RATE_HZ) return pcm.slice()
  const out = new Int16Array(Math.round((pcm.length * rateHz) / STT_RATE_HZ))
  for (let i = 0; i < out.length; i++) out[i] = pcm[Math.floor((i * STT_RATE_HZ) / rateHz)] ?? 0
  return out
}
