/**
 * Slot: the main thread's view of one call's record in the shared memory.
 *
 *   payload ─► inbound ring ─► ( worker ) ─► PCM + detection ─► drain()
 *   PCM ─────► TTS ring ─────► ( worker ) ─► outbound ring ───► nextOutbound()
 *
 * All views are made when the object is, so moving a frame allocates nothing. Positions are 32-bit
 * counts that run freely; the densest (bytes of 24 kHz L16) wraps after 12 hours of audio, and a
 * call ends after 4.
 */
import { noDetection, readDetection, type Detection } from './detection.ts'
import { constant, type DspMemory } from './host.ts'
import type { SlotOffsets } from './slot-offsets.ts'
import { setUpSlot, type SlotFormat, type SlotSettings } from './slot-setup.ts'

export type { Detection, ProgressTone } from './detection.ts'
export { vadThreshold, type SlotFormat, type SlotSettings } from './slot-setup.ts'

/** A frame for the line. The pool's object: copy or send it before the next call. */
export interface OutboundFrame {
  payload: Uint8Array
  hasAgent: boolean
  /** Agent audio consumed up to this frame's end, since the slot was opened or last cleared. */
  agentMs: number
}

export type PushResult = 'taken' | 'full' | 'badLength'

const FRAME_MS = 20

/** The longest payload taken in one piece, in frames: 100 ms. */
const LONGEST_PAYLOAD_FRAMES = 5

export class Slot {
  readonly index: number
  readonly #dsp: DspMemory
  readonly #at: number
  readonly #word: number
  readonly #words: Int32Array
  readonly #floats: Float32Array
  readonly #bytes: Uint8Array
  readonly #samples: Int16Array
  /** Where the ring of the user's payloads begins in `#bytes`, and the agent's in `#samples`. */
  readonly #inbound: number
  readonly #tts: number
  readonly #pcm: Int16Array[]
  readonly #records: Uint8Array[]
  readonly #c: SlotOffsets
  #outbound: Uint8Array[] = []
  #sttFrames: Int16Array[] = []
  readonly #frame: OutboundFrame = { payload: new Uint8Array(0), hasAgent: false, agentMs: 0 }
  readonly #detection: Detection = noDetection()
  #payloadBytes = 0
  #ttsFrameSamples = 0
  #hasBed = false
  #bedGain = 0

  constructor(dsp: DspMemory, index: number) {
    this.index = index
    this.#dsp = dsp
    this.#c = dsp.views.offsets
    const c = this.#c
    const { buffer } = dsp.share.memory
    this.#at = dsp.slotAddress(index)
    this.#word = this.#at >> 2
    this.#words = dsp.views.words
    this.#floats = dsp.views.floats
    this.#bytes = dsp.views.bytes
    this.#samples = dsp.views.samples
    this.#inbound = this.#at + c.inRing
    this.#tts = (this.#at + c.ttsRing) >> 1
    this.#pcm = Array.from(
      { length: c.pcmFrames },
      (_, i) => new Int16Array(buffer, this.#at + c.pcmRing + i * 640, 320),
    )
    this.#records = Array.from(
      { length: c.outFrames },
      (_, i) => new Uint8Array(buffer, this.#at + c.outRing + i * c.outRecord, c.outRecord),
    )
  }

  /**
   * Zeroes the slot and sets it up; the caller knows that no worker holds it.
   * Throws DspError DSP_BAD_RATE or DSP_BAD_CODEC for what the core does not know, DSP_NO_BED for a
   * bed that nobody has loaded.
   */
  open(format: SlotFormat, settings: SlotSettings): void {
    const shape = setUpSlot(this.#dsp, this.#at, format, settings)
    this.#payloadBytes = shape.payloadBytes
    this.#ttsFrameSamples = shape.ttsSamples
    this.#bedGain = shape.bedGain
    this.#hasBed = shape.bedGain > 0
    this.#sttFrames = this.#pcm.map((frame) => frame.subarray(0, shape.sttSamples))
    const header = constant(this.#dsp.layout, 'OUT_HEADER_BYTES')
    this.#outbound = this.#records.map((r) => r.subarray(header, header + shape.payloadBytes))
    this.#setWord('LIVE', 1)
  }

  close(): void {
    this.#setWord('LIVE', 0)
  }

  /** Not 0 after a trap: the slot must not be processed again before it is reopened. For a slot whose batch has come back. */
  get fault(): number {
    return this.#get(this.#c.fault)
  }

  /** Copies a payload of 10…100 ms into the ring; the worker takes it in frames of 20 ms. */
  pushPayload(payload: Uint8Array): PushResult {
    const c = this.#c
    const { length } = payload
    const half = this.#payloadBytes / 2
    if (
      length === 0 ||
      length % half !== 0 ||
      length > this.#payloadBytes * LONGEST_PAYLOAD_FRAMES
    ) {
      return 'badLength'
    }
    const write = this.#words[this.#word + c.inWrite] ?? 0
    const read = Atomics.load(this.#words, this.#word + c.inRead)
    if (write - read + length > c.inRingBytes) return 'full'
    const at = write % c.inRingBytes
    const room = c.inRingBytes - at
    if (length <= room) {
      this.#bytes.set(payload, this.#inbound + at)
    } else {
      this.#bytes.set(payload.subarray(0, room), this.#inbound + at)
      this.#bytes.set(payload.subarray(room), this.#inbound)
    }
    Atomics.store(this.#words, this.#word + c.inWrite, write + length)
    return 'taken'
  }

  /** Samples of agent audio that fit now. */
  get agentSpaceSamples(): number {
    return this.#ttsFrameSamples * this.#c.ttsFrames - this.#agentWaiting()
  }

  /** Samples pushed and not yet taken by the worker. */
  #agentWaiting(): number {
    const c = this.#c
    // A clear the worker has not seen yet already counts: what it voids may be overwritten at once,
    // since the frame that might still read it carries the old epoch and is dropped.
    const pending = this.#get(c.clearEpoch) !== this.#get(c.epochSeen)
    return this.#get(c.ttsWrite) - this.#get(pending ? c.clearTo : c.ttsRead)
  }

  /** Copies samples from index `from` on; returns how many fitted. */
  pushPcm(pcm: Int16Array, from: number): number {
    const c = this.#c
    const count = Math.min(pcm.length - from, this.agentSpaceSamples)
    if (count <= 0) return 0
    const ring = this.#ttsFrameSamples * c.ttsFrames
    const write = this.#get(c.ttsWrite)
    if (this.#agentWaiting() === 0 && this.preparedFrames === 0) this.#set(c.spurtFrom, write)
    const at = write % ring
    const first = Math.min(count, ring - at)
    // A view is an object; whole chunks, nearly all there are, need none.
    const whole = from === 0 && first === pcm.length
    this.#samples.set(whole ? pcm : pcm.subarray(from, from + first), this.#tts + at)
    if (count > first) this.#samples.set(pcm.subarray(from + first, from + count), this.#tts)
    Atomics.store(this.#words, this.#word + c.ttsWrite, write + count)
    return count
  }

  /** Counts pushed so far; changes exactly when agent audio arrives. */
  get agentPushed(): number {
    return this.#get(this.#c.ttsWrite)
  }

  /**
   * Everything pushed so far is complete: a tail shorter than a frame is sent, padded with silence.
   */
  flushAgent(): void {
    const c = this.#c
    Atomics.store(this.#words, this.#word + c.flushTo, this.#get(c.ttsWrite))
  }

  /**
   * Voids the TTS ring and the prepared frames; the bed resumes where the first of them stood.
   * Never blocks.
   */
  clearAgent(): void {
    const c = this.#c
    const pending = this.#get(c.clearEpoch) !== this.#get(c.epochSeen)
    if (!pending) this.#set(c.clearFrom, this.#get(c.outRead))
    this.#set(c.clearTo, this.#get(c.ttsWrite))
    Atomics.store(this.#words, this.#word + c.clearEpoch, this.#get(c.clearEpoch) + 1)
    Atomics.store(this.#words, this.#word + c.outRead, this.#get(c.outWrite))
  }

  /** Linear gain of the agent's voice, reached along a ramp of one frame. */
  setAgentGain(gain: number): void {
    this.#floats[this.#word + this.#c.agentGain] = gain
  }

  /** Fades the bed out within a second, or in again; a slot opened without one stays without. */
  setBedOn(isOn: boolean): void {
    this.#hasBed = isOn && this.#bedGain > 0
    this.#setFloat('BED_GAIN', this.#hasBed ? this.#bedGain : 0)
  }

  set wantFrames(want: boolean) {
    this.#set(this.#c.wantFrames, want ? 1 : 0)
  }

  get wantFrames(): boolean {
    return this.#get(this.#c.wantFrames) !== 0
  }

  get preparedFrames(): number {
    return this.#get(this.#c.outWrite) - this.#get(this.#c.outRead)
  }

  /** Would a worker find something to do? A few loads; asked for every slot at every tick. */
  hasWork(): boolean {
    const c = this.#c
    if (this.#get(c.inWrite) - this.#get(c.inRead) >= this.#payloadBytes) return true
    if (this.#get(c.clearEpoch) !== this.#get(c.epochSeen)) return true
    if (this.preparedFrames >= c.prepared) return false
    if (this.#hasBed || this.#get(c.wantFrames) !== 0) return true
    const waiting = this.#agentWaiting()
    if (waiting >= this.#ttsFrameSamples) return true
    return waiting > 0 && this.#get(c.flushTo) - this.#get(c.ttsRead) > 0
  }

  /** Agent audio is there and no frame of it is prepared: the line waits for a worker. */
  get isStarving(): boolean {
    return this.preparedFrames === 0 && this.#agentWaiting() >= this.#ttsFrameSamples
  }

  /** A tail shorter than a frame waits for a flush. */
  get hasUnflushedTail(): boolean {
    const c = this.#c
    const waiting = this.#agentWaiting()
    if (waiting <= 0 || waiting >= this.#ttsFrameSamples) return false
    return this.#get(c.flushTo) - this.#get(c.ttsWrite) !== 0
  }

  /** The next prepared frame, or null. The object and its bytes are valid until the next call. */
  nextOutbound(): OutboundFrame | null {
    const c = this.#c
    const epoch = this.#get(c.clearEpoch)
    const written = Atomics.load(this.#words, this.#word + c.outWrite)
    let read = this.#get(c.outRead)
    while (read !== written) {
      const place = read & (c.outFrames - 1)
      read++
      Atomics.store(this.#words, this.#word + c.outRead, read)
      const record = (this.#at + c.outRing + place * c.outRecord) >> 2
      if (this.#words[record + c.recordEpoch] !== epoch) continue
      this.#frame.payload = this.#outbound[place] ?? this.#frame.payload
      this.#frame.hasAgent = this.#words[record + c.recordHasAgent] !== 0
      const consumed = this.#words[record + c.recordConsumed] ?? 0
      this.#frame.agentMs = (consumed * FRAME_MS) / this.#ttsFrameSamples
      return this.#frame
    }
    return null
  }

  /**
   * Hands out every processed frame; returns their number. Both arguments are reused after the
   * call.
   */
  drain(take: (detection: Detection, pcm: Int16Array) => void): number {
    const c = this.#c
    const written = Atomics.load(this.#words, this.#word + c.pcmWrite)
    let read = this.#get(c.pcmRead)
    let count = 0
    while (read !== written) {
      const place = read & (c.pcmFrames - 1)
      const pcm = this.#sttFrames[place]
      readDetection(
        this.#words,
        this.#floats,
        (this.#at + c.detectionRing + place * c.detectionBytes) >> 2,
        this.#detection,
      )
      if (pcm !== undefined) take(this.#detection, pcm)
      read++
      count++
      Atomics.store(this.#words, this.#word + c.pcmRead, read)
    }
    return count
  }

  /**
   * A plain load, an eighth of an atomic one's cost: for fields that this thread alone writes, and for hints that may be a moment
   * old. What says that other bytes are ready is loaded atomically where it is used.
   */
  #get(word: number): number {
    return this.#words[this.#word + word] ?? 0
  }

  #set(word: number, value: number): void {
    Atomics.store(this.#words, this.#word + word, value)
  }

  #setWord(name: string, value: number): void {
    this.#set(constant(this.#dsp.layout, name) >> 2, value)
  }

  #setFloat(name: string, value: number): void {
    this.#floats[this.#word + (constant(this.#dsp.layout, name) >> 2)] = value
  }
}
