/** A bench for the playout: 8 kHz, wall time fed by hand, everything that left in order. */
import { Playout } from '../../server/media/playout.ts'
import { FakeLane, FakeStream } from './media-doubles.ts'

/** `ms` of agent audio at 8 kHz whose samples are all `value`. */
export function voice(ms: number, value = 1): Int16Array {
  return new Int16Array(ms * 8).fill(value)
}

/** A playout between a lane and a stream that are driven by hand. */
export class PlayoutBench {
  readonly lane = new FakeLane()
  readonly stream = new FakeStream()
  readonly told: string[] = []
  readonly carrierMs: (number | null | undefined)[] = []
  readonly recorded: number[] = []
  recorderClears = 0
  droppedSamples = 0
  onStarted: () => void = () => undefined
  readonly playout = new Playout({
    lane: this.lane,
    stream: this.stream,
    ttsRateHz: 8_000,
    events: {
      onSegmentStarted: (id, atMs) => {
        this.told.push(`started ${id} at ${atMs}`)
        this.onStarted()
      },
      onAudioPrepared: () => this.told.push('prepared'),
      onSegmentHeard: (id, atMs, carrierMs) => {
        this.told.push(`heard ${id} at ${atMs}`)
        this.carrierMs.push(carrierMs)
      },
    },
    clockMs: () => 7_000,
    sent: { frameSent: (payload) => void this.recorded.push(payload[0]!) },
    onCleared: () => this.recorderClears++,
    onDropped: (samples) => (this.droppedSamples += samples),
  })

  at(nowMs: number): this {
    this.stream.nowMs = nowMs
    this.playout.turn(nowMs)
    return this
  }

  /** Turns of 5 ms, both ends included. */
  run(fromMs: number, toMs: number): this {
    for (let nowMs = fromMs; nowMs <= toMs; nowMs += 5) this.at(nowMs)
    return this
  }

  say(id: number, ms: number, value = id): this {
    this.playout.append(id, voice(ms, value))
    this.playout.finish(id)
    return this
  }

  times(): number[] {
    return this.stream.sent.filter(({ kind }) => kind === 'payload').map(({ atMs }) => atMs)
  }

  /** Frames of each message, in order. */
  messages(): number[] {
    const sizes: number[] = []
    const frames = this.stream.sent.flatMap((sent) =>
      sent.kind === 'payload' ? [sent.frames] : [],
    )
    for (let at = 0; at < frames.length; at += frames[at]!) sizes.push(frames[at]!)
    return sizes
  }

  marks(): string[] {
    return this.stream.sent.flatMap((sent) => (sent.kind === 'mark' ? [sent.name] : []))
  }

  clears(): number {
    return this.stream.sent.filter(({ kind }) => kind === 'clear').length
  }
}
