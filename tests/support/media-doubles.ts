/** Stand-ins for the two sides of the media layer: a lane without WASM and a carrier without a socket. */
import type { CarrierStream } from '../../server/carriers/carrier.ts'
import type { OutboundFrame } from '../../workers/pool.ts'

const FRAME_SAMPLES = 160
/** What the real slot's ring holds: 320 ms at 8 kHz. */
const RING_SAMPLES = 2_560

/** 8 kHz in, 8 kHz out; a payload's bytes are the agent's samples, 0 where there are none. */
export class FakeLane {
  /** Frames come all the time, with or without agent audio. */
  bed = false
  /** The worker is behind: nothing is ready. */
  stalled = false
  /** Frames that the worker has prepared. */
  ready = Infinity
  userRoom = Infinity
  readonly userPayloads: Uint8Array[] = []
  readonly gainsDb: number[] = []
  clears = 0
  #ring: number[] = []
  #agentMs = 0
  readonly #frame: OutboundFrame = {
    payload: new Uint8Array(FRAME_SAMPLES),
    hasAgent: false,
    agentMs: 0,
  }

  get agentSpaceSamples(): number {
    return RING_SAMPLES - this.#ring.length
  }

  pushUserPayload(payload: Uint8Array): boolean {
    if (this.userRoom <= 0) return false
    this.userRoom--
    this.userPayloads.push(payload.slice())
    return true
  }

  pushAgentPcm(pcm: Int16Array, from: number): number {
    const accepted = Math.min(pcm.length - from, this.agentSpaceSamples)
    this.#ring.push(...pcm.subarray(from, from + accepted))
    return accepted
  }

  flushes = 0

  flushAgent(): void {
    this.flushes++
  }

  clearAgent(): void {
    this.clears++
    this.#ring = []
    this.#agentMs = 0
  }

  setAgentGainDb(db: number): void {
    this.gainsDb.push(db)
  }

  get hasPrepared(): boolean {
    return !this.stalled && this.ready > 0 && (this.#ring.length > 0 || this.bed)
  }

  nextOutbound(): OutboundFrame | null {
    if (!this.hasPrepared) return null
    this.ready--
    const samples = this.#ring.splice(0, FRAME_SAMPLES)
    this.#agentMs += samples.length / 8
    this.#frame.payload.fill(0)
    this.#frame.payload.set(samples)
    this.#frame.hasAgent = samples.length > 0
    this.#frame.agentMs = this.#agentMs
    return this.#frame
  }

  close(): void {}
}

/** What went to the line, in order: a payload is named by its first byte. */
export type Sent = { atMs: number } & (
  | { kind: 'payload'; first: number; frames: number }
  | { kind: 'mark'; name: string }
  | { kind: 'clear' }
)

export class FakeStream implements CarrierStream {
  readonly carrier = 'twilio' as const
  readonly bufferedBytes = 0
  nowMs = 0
  taking = true
  readonly sent: Sent[] = []

  /** Each frame of a payload is noted by itself; `frames` says how many came in its message. */
  sendPayload(payload: Uint8Array): boolean {
    const frames = payload.length / FRAME_SAMPLES
    for (let i = 0; i < (this.taking ? frames : 0); i++) {
      const first = payload[i * FRAME_SAMPLES]!
      this.sent.push({ kind: 'payload', atMs: this.nowMs, first, frames })
    }
    return this.taking
  }

  sendMark(name: string): void {
    this.sent.push({ kind: 'mark', atMs: this.nowMs, name })
  }

  clear(): void {
    this.sent.push({ kind: 'clear', atMs: this.nowMs })
  }

  sendEvent(): void {}

  close(): void {}
}
