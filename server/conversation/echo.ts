/**
 * Echo conversation: says back what it hears. It takes the place of Conversation when the media path is measured, so
 * that every frame goes the whole way, in and out, and no provider is in it.
 */
import type { Transcript } from '../providers/stt.ts'
import { FRAME_MS } from '../media/audio-format.ts'
import type { Playback, PlaybackEvents } from '../media/playback.ts'
import type { Detection } from '../../workers/pool.ts'
import type { ConversationState } from './conversation-events.ts'

/** The call has one segment, never finished: an endless sentence. */
const SEGMENT_ID = 1

/**
 * Frames that are lent to the playback at a time: 0.96 s, more than it keeps of what was played. A new array for each frame would have the garbage collector stop
 * every call for 8 ms a second, which is not what a media bench wants to measure.
 */
const LENT_FRAMES = 48

/** Calls whose lent frames share one buffer: of each call's own, a buffer is one object more to fetch for every frame. */
const CALLS_PER_BUFFER = 64
let shared = new Int16Array(0)
let sharedFrom = 0

/** A frame of `samples`, part of the buffer that is being lent from. */
function lend(samples: number): Int16Array {
  if (sharedFrom + samples > shared.length) {
    shared = new Int16Array(CALLS_PER_BUFFER * LENT_FRAMES * samples)
    sharedFrom = 0
  }
  sharedFrom += samples
  return shared.subarray(sharedFrom - samples, sharedFrom)
}

/**
 * What may wait between the user's frame and its echo. Beyond it silence is left out, as a jitter buffer shrinks in silence: without,
 * one stall while the calls are being set up would delay every frame for the rest of them.
 */
const BACKLOG_MS = 60
/** Loudest sample of a silent frame; the code of a PCMU line has none between 0 and 8. */
const SILENT_PEAK = 8

export class EchoConversation implements PlaybackEvents {
  readonly #playback: Playback
  readonly #lent: Int16Array[] = []
  #frames = 0
  #state: ConversationState = 'listening'

  constructor(playback: Playback) {
    this.#playback = playback
  }

  get state(): ConversationState {
    return this.#state
  }

  start(): void {
    this.#state = 'speaking'
  }

  /** 20 ms of mono PCM of the user at the rate that the playback takes; copied. */
  userPcm(pcm: Int16Array): void {
    if (this.#state !== 'speaking') return
    // The cheap question first: sound answers it at its first samples.
    if (isSilent(pcm) && this.#waitingMs() > BACKLOG_MS) return
    const at = this.#frames++ % LENT_FRAMES
    const lent = (this.#lent[at] ??= lend(pcm.length))
    lent.set(pcm)
    this.#playback.append(SEGMENT_ID, lent)
  }

  #waitingMs(): number {
    return this.#frames * FRAME_MS - this.#playback.heardMs(SEGMENT_ID)
  }

  userFrame(_detection: Detection): void {}
  partial(_transcript: Transcript): void {}
  final(_transcript: Transcript): void {}
  typed(_text: string): void {}
  digit(_digit: string): void {}
  onSegmentStarted(_segmentId: number, _atMs: number): void {}
  onAudioPrepared(): void {}

  onSegmentHeard(_segmentId: number, _atMs: number): void {}

  close(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#playback.clear()
  }
}

function isSilent(pcm: Int16Array): boolean {
  for (const sample of pcm) if (sample > SILENT_PEAK || sample < -SILENT_PEAK) return false
  return true
}
