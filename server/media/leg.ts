/**
 * A leg: the user's connection with its media, both directions, from the first payload to the closed lane.
 *
 *   carrier ─► user-audio ─► lane ─► onUserFrame        append ─► playout ─► lane ─► carrier
 *                   └─────────► recorder ◄─────────────────────────┘
 */
import type {
  AudioLane,
  AudioPool,
  Detection,
  LaneEvents,
  LaneFormat,
  LaneSettings,
  ProgressTone,
  TtsRateHz,
} from '../../workers/pool.ts'
import type { CarrierStream } from '../carriers/carrier.ts'
import { FRAME_MS, type AudioFormat } from './audio-format.ts'
import type { PlaybackEvents } from './playback.ts'
import { FLOOR_DBFS, PlayedLevel } from './played-level.ts'
import { Playout, type SentFrames } from './playout.ts'
import { Recorder, type RecordingFacts } from './recorder.ts'
import { UserAudio } from './user-audio.ts'

/** A frame and a half: a line whose batches come every 20 ms is served by them, and by the looks between, and needs no turn. */
const PASSED_OVER_MS = 30

/** Who hears the user. Both arguments are reused: copy what you keep. */
export interface UserFrames {
  userFrame(detection: Detection, pcm: Int16Array): void
}

export interface LegDeps {
  pool: AudioPool
  stream: CarrierStream
  format: AudioFormat
  /** Of the frames for onUserFrame. */
  sttRateHz: LaneFormat['sttRateHz']
  ttsRateHz: TtsRateHz
  settings: LaneSettings
  /** Somebody will ask for playedLevelDbfs(). */
  levels: boolean
  /** Where the recording goes; null for none. */
  recordingPath: string | null
  playback: PlaybackEvents
  user: UserFrames
  /** A digit heard in the audio; left out where the carrier sends digits as events. */
  onDigit?: ((digit: string) => void) | undefined
  /** A call-progress tone heard in the audio; `atMs` is audio time. */
  onTone?: ((tone: ProgressTone, atMs: number) => void) | undefined
  onFault(status: number): void
  onDropped(queue: string, count: number): void
}

export class Leg implements LaneEvents, SentFrames {
  readonly playout: Playout
  readonly userAudio: UserAudio
  readonly #lane: AudioLane
  readonly #user: UserFrames
  #audioTimeMs = 0
  /** When a batch last served the line; a whole number, which needs no object of its own. */
  #servedMs = -PASSED_OVER_MS
  #closed = false
  readonly #recorder: Recorder | null
  readonly #playedLevel: PlayedLevel | null
  readonly #deps: LegDeps

  /** @throws DspError DSP_NO_SLOT when every slot is taken. */
  constructor(deps: LegDeps) {
    const { format, sttRateHz, ttsRateHz } = deps
    this.#deps = deps
    this.#user = deps.user
    this.#lane = deps.pool.openLane({ line: format, sttRateHz, ttsRateHz }, deps.settings, this)
    const recorder = deps.recordingPath ? new Recorder(deps.recordingPath, format) : null
    this.#recorder = recorder
    this.#playedLevel = deps.levels ? new PlayedLevel(format) : null
    this.userAudio = new UserAudio(this.#lane, format, recorder)
    this.playout = new Playout({
      lane: this.#lane,
      stream: deps.stream,
      ttsRateHz,
      events: deps.playback,
      clockMs: () => this.#audioTimeMs,
      sent: this,
      onCleared: (nowMs) => {
        this.#playedLevel?.cleared(nowMs)
        recorder?.cleared()
      },
      onDropped: (samples) => deps.onDropped('agentAudio', samples),
    })
  }

  /** From the pool: 20 ms of the user. */
  onUserFrame(detection: Detection, pcm: Int16Array): void {
    this.#audioTimeMs = detection.atMs + FRAME_MS
    if (detection.digit) this.#deps.onDigit?.(detection.digit)
    if (detection.tone) this.#deps.onTone?.(detection.tone, detection.atMs)
    this.#user.userFrame(detection, pcm)
  }

  /** From the pool: the lane is dead. */
  onFault(status: number): void {
    this.#deps.onFault(status)
  }

  /** From the playout. */
  frameSent(payload: Uint8Array, endMs: number): void {
    this.#playedLevel?.sent(payload, endMs)
    this.#recorder?.agent(payload)
  }

  /** Audio of the user that has been processed, ms: the clock of the call. */
  get audioTimeMs(): number {
    return this.#audioTimeMs
  }

  /**
   * The loudest frame that the line has played since the last call, dBFS; −90 for silence, and where nobody was to ask. `nowMs` is
   * monotonic.
   */
  playedLevelDbfs(nowMs: number): number {
    return this.#playedLevel?.playedDbfs(nowMs) ?? FLOOR_DBFS
  }

  push(payload: Uint8Array, timestampMs: number): void {
    if (!this.#closed) this.userAudio.push(payload, timestampMs)
  }

  /** The bed costs a frame every 20 ms also while nobody speaks; under load the line does without. */
  set bedOn(isOn: boolean) {
    this.#lane.bedOn = isOn
  }

  /** The line is away: what the agent had not been heard to say waits. */
  pause(): void {
    if (!this.#closed) this.playout.setPaused(true)
  }

  /** Another stream took the line's place after `awayMs`: its time begins anew. */
  resume(awayMs: number): void {
    if (this.#closed) return
    this.userAudio.restart(awayMs)
    this.playout.setPaused(false)
  }

  /** From the pool: frames that are due leave at once, not at the next turn. */
  onPrepared(nowMs: number): void {
    if (this.#closed) return
    this.#servedMs = Math.trunc(nowMs)
    this.userAudio.turn()
    this.playout.prepared(nowMs)
  }

  /** One turn of the wheel. A line that its batch has just served, and that has nothing more to send, is passed over. */
  turn(nowMs: number): void {
    if (this.#closed) return
    if (nowMs - this.#servedMs < PASSED_OVER_MS && !this.#lane.hasPrepared) return
    this.userAudio.turn()
    this.playout.turn(nowMs)
  }

  /** A turn of the wheel that is another line's. */
  look(nowMs: number): void {
    if (!this.#closed) this.playout.look(nowMs)
  }

  /** Frees the lane at once; the recording is complete when the promise settles (null when there is none). */
  async close(): Promise<RecordingFacts | null> {
    if (this.#closed) return null
    this.#closed = true
    this.#lane.close()
    this.playout.release()
    this.#playedLevel?.release()
    const recorder = this.#recorder
    if (!recorder) return null
    const facts = await recorder.finish()
    if (recorder.droppedBlocks > 0) this.#deps.onDropped('recordingBlocks', recorder.droppedBlocks)
    if (recorder.droppedAgentPayloads > 0) {
      this.#deps.onDropped('recordingAgent', recorder.droppedAgentPayloads)
    }
    return facts
  }
}
