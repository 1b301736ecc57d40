/**
 * Echo conversation: what stands in Conversation's place while the media path is measured. The audio core itself sends the
 * user's voice back (dsp/assembly/loopback.ts), so every frame goes the whole way, in and out, and neither a provider nor a
 * sentence is in it.
 */
import type { Transcript } from '../providers/stt.ts'
import type { PlaybackEvents } from '../media/playback.ts'
import type { Detection } from '../../workers/pool.ts'
import type { ConversationState } from './conversation-events.ts'

export class EchoConversation implements PlaybackEvents {
  #state: ConversationState = 'listening'

  get state(): ConversationState {
    return this.#state
  }

  start(): void {
    this.#state = 'speaking'
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
    this.#state = 'ended'
  }
}
