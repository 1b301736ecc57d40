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
  LaneFormat,
  LaneSettings,
  ProgressTone,
  TtsRateHz,
} from '../../workers/pool.ts'
import type { CarrierStream } from '../carriers/carrier.ts'
import type { AudioFormat } from './audio-format.ts'
import type { PlaybackEvents } from './playback.ts'
import { PlayedLevel } from './played-level.ts'
import { Playout } from './playout.ts'
import { Recorder, type RecordingFacts } from './recorder.ts'
import { UserAudio } from './user-audio.ts'

/** Half a frame: what a turn would find so soon behind a batch is what the batch has just found. */
const PASSED_OVER_MS = 10

export interface LegDeps {
  pool: AudioPool
  stream: CarrierStream
  format: AudioFormat
  /** Of the frames for onUserFrame. */
  sttRateHz: LaneFormat['sttRateHz']
  ttsRateHz: TtsRateHz
  settings: LaneSettings
  /** Where the recording goes; null for none. */
  recordingPath: string | null
  playback: PlaybackEvents
  onUserFrame(detection: Detection, pcm: Int16Array): void
  /** A digit heard in the audio; left out where the carrier sends digits as events. */
  onDigit?: ((digit: string) => void) | undefined
  /** A call-progress tone heard in the audio; `atMs` is audio time. */
  onTone?: ((tone: ProgressTone, atMs: number) => void) | undefined
  onFault(status: number): void
  onDropped(queue: string, count: number): void
}

export class Leg {
  readonly playout: Playout
  readonly userAudio: UserAudio
  readonly #lane: AudioLane
  readonly #recorder: Recorder | null
  readonly #playedLevel: PlayedLevel
  readonly #onDropped: LegDeps['onDropped']
  #audioTimeMs = 0
  /** When a batch last served the line. */
  #servedMs = -Infinity
  #closed = false

  /** @throws DspError DSP_NO_SLOT when every slot is taken. */
  constructor(deps: LegDeps) {
    this.#lane = deps.pool.openLane(
      { line: deps.format, sttRateHz: deps.sttRateHz, ttsRateHz: deps.ttsRateHz },
      deps.settings,
      {
        onUserFrame: (detection, pcm) => {
          this.#audioTimeMs = detection.atMs + 20
          if (detection.digit) deps.onDigit?.(detection.digit)
          if (detection.tone) deps.onTone?.(detection.tone, detection.atMs)
          deps.onUserFrame(detection, pcm)
        },
        onPrepared: (nowMs) => this.#prepared(nowMs),
        onFault: deps.onFault,
      },
    )
    const recorder = deps.recordingPath ? new Recorder(deps.recordingPath, deps.format) : null
    this.#recorder = recorder
    const playedLevel = new PlayedLevel(deps.format)
    this.#playedLevel = playedLevel
    this.#onDropped = deps.onDropped
    this.userAudio = new UserAudio(this.#lane, deps.format, {
      onAudio: (payload) => recorder?.user(payload),
      onSkipped: (ms) => recorder?.skipped(ms),
    })
    this.playout = new Playout({
      lane: this.#lane,
      stream: deps.stream,
      ttsRateHz: deps.ttsRateHz,
      events: deps.playback,
      clockMs: () => this.#audioTimeMs,
      onSent: (payload, endMs) => {
        playedLevel.sent(payload, endMs)
        recorder?.agent(payload)
      },
      onCleared: (nowMs) => {
        playedLevel.cleared(nowMs)
        recorder?.cleared()
      },
      onDropped: (samples) => deps.onDropped('agentAudio', samples),
    })
  }

  /** Audio of the user that has been processed, ms: the clock of the call. */
  get audioTimeMs(): number {
    return this.#audioTimeMs
  }

  /** The loudest frame that the line has played since the last call, dBFS; −90 for silence. `nowMs` is monotonic. */
  playedLevelDbfs(nowMs: number): number {
    return this.#playedLevel.playedDbfs(nowMs)
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

  /** Frames that are due leave at once, not at the next turn. */
  #prepared(nowMs: number): void {
    if (this.#closed) return
    this.#servedMs = nowMs
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
    const recorder = this.#recorder
    if (!recorder) return null
    const facts = await recorder.finish()
    if (recorder.droppedBlocks > 0) this.#onDropped('recordingBlocks', recorder.droppedBlocks)
    if (recorder.droppedAgentPayloads > 0) {
      this.#onDropped('recordingAgent', recorder.droppedAgentPayloads)
    }
    return facts
  }
}
