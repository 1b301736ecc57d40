/**
 * A call's line in virtual time, between the real Conversation and the user's ear:
 *
 *   append ─► Playout ─► slot (agent chain, PCMU) ─► line clock, 120 ms ahead ─► the rig's play-out clock ─► ear
 *                └──────────── marks as they are played, all of them at once on clear ◄────────────┘
 *   user's 20 ms ─► slot (user chain) ─► detection
 *
 * Everything but the sockets and the worker threads is what a telephone call goes through; a step is 20 ms, with the wheel's turns in it.
 */
import { PlayedLevel } from '../../server/media/played-level.ts'
import { Playout } from '../../server/media/playout.ts'
import type { Playback, PlaybackEvents } from '../../server/media/playback.ts'
import { WHEEL_MS } from '../../server/media/wheel.ts'
import type { Detection } from '../../dsp/slot.ts'
import { PlayOut } from '../rig/play-out.ts'
import { FRAME_MS, TTS_RATE_HZ, type UserLine } from './user-line.ts'

/** In which of the four turns of a step the call has its own. */
const OWN_TURN = 2

export class RigLine implements Playback {
  events: PlaybackEvents | null = null
  /** What the user heard in the last step. */
  heard: Int16Array = new Int16Array((TTS_RATE_HZ * FRAME_MS) / 1_000)
  pauses = 0
  /** How long the agent was silenced, and how long it was only softer, ms. */
  pausedMs = 0
  duckedMs = 0
  readonly #userLine: UserLine
  readonly #playedLevel = new PlayedLevel({ codec: 'PCMU', sampleRateHz: 8_000 })
  readonly #playout: Playout
  readonly #ear: PlayOut
  #nowMs = 0
  #ducked = false
  #levelDbfs = -90

  constructor(userLine: UserLine) {
    this.#userLine = userLine
    userLine.reset(0.5)
    const ear = new PlayOut({
      ...{ startMs: 0, record: true, ownTimer: false },
      onMark: (name) => this.#playout.markPlayed(name),
    })
    this.#ear = ear
    this.#playout = new Playout({
      lane: userLine.lane,
      stream: {
        carrier: 'twilio',
        bufferedBytes: 0,
        sendPayload: (payload) => {
          ear.push(payload, this.#nowMs)
          return true
        },
        sendMark: (name) => ear.mark(name, this.#nowMs),
        clear: () => ear.clear(this.#nowMs),
        sendEvent: () => undefined,
        close: () => undefined,
      },
      ttsRateHz: TTS_RATE_HZ,
      events: {
        onSegmentStarted: (id, atMs) => this.events?.onSegmentStarted(id, atMs),
        onAudioPrepared: () => this.events?.onAudioPrepared?.(),
        onSegmentHeard: (id, atMs, carrierMs) => this.events?.onSegmentHeard(id, atMs, carrierMs),
      },
      clockMs: () => this.#nowMs,
      sent: { frameSent: (payload, endMs) => this.#playedLevel.sent(payload, endMs) },
      onCleared: (nowMs) => this.#playedLevel.cleared(nowMs),
      onDropped: () => undefined,
    })
  }

  /** The 20 ms before `nowMs`, in which the user said `said`: the agent plays meanwhile, then the chain hears it. */
  step(said: Int16Array, nowMs: number): Detection {
    const fromMs = nowMs - FRAME_MS
    if (this.paused) this.pausedMs += FRAME_MS
    else if (this.#ducked) this.duckedMs += FRAME_MS
    for (let turn = 0; turn < FRAME_MS / WHEEL_MS; turn++) {
      this.#nowMs = fromMs + turn * WHEEL_MS
      this.#ear.echoDue(this.#nowMs)
      if (turn === OWN_TURN) this.#playout.turn(this.#nowMs)
      if (this.#userLine.prepare() > 0) this.#playout.prepared(this.#nowMs)
    }
    this.#nowMs = nowMs
    this.#ear.echoDue(nowMs)
    this.heard = this.#ear.between(fromMs, nowMs)
    this.#levelDbfs = levelDbfs(this.heard)
    return this.#userLine.hear(said)
  }

  /** Agent audio that the user heard in all, ms. */
  get playedMs(): number {
    return this.#ear.playedMs(this.#nowMs)
  }

  /** Whether what the user heard last was a sound. */
  get isSounding(): boolean {
    return this.#levelDbfs > -60
  }

  playedLevelDbfs(): number {
    return this.#playedLevel.playedDbfs(this.#nowMs)
  }

  append(segmentId: number, pcm: Int16Array): void {
    this.#playout.append(segmentId, pcm)
  }

  finish(segmentId: number): void {
    this.#playout.finish(segmentId)
  }

  clear(): void {
    this.#ducked = false
    this.#playout.clear()
  }

  setDucked(ducked: boolean): void {
    this.#ducked = ducked
    this.#playout.setDucked(ducked)
  }

  setPaused(paused: boolean): void {
    if (paused && !this.paused) this.pauses += 1
    this.#playout.setPaused(paused)
  }

  get paused(): boolean {
    return this.#playout.paused
  }

  heardMs(segmentId: number): number {
    return this.#playout.heardMs(segmentId)
  }

  get busy(): boolean {
    return this.#playout.busy
  }
}

/** −90…0 dBFS. */
function levelDbfs(pcm: Int16Array): number {
  let power = 0
  for (const sample of pcm) power += sample * sample
  const level = 10 * Math.log10(power / Math.max(1, pcm.length) / 32_768 ** 2)
  return Math.max(-90, level)
}
