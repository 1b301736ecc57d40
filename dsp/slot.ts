/**
 * Slot: the main thread's view of one call's record in the shared memory.
 *
 *   payload ─► inbound ring ─► ( worker ) ─► PCM + detection ─► drain()
 *   PCM ─────► TTS ring ─────► ( worker ) ─► outbound ring ───► nextOutbound()
 *
 * Moving a frame allocates nothing. Positions are 32-bit
 * counts that run freely; the densest (bytes of 24 kHz L16) wraps after 12 hours of audio, and a
 * call ends after 4.
 */
import { readDetection, type Detection } from './detection.ts'
import type { FrameMemory, OutboundFrame } from './handed-out.ts'
import { constant, type DspMemory, type SlotViews } from './host.ts'
import { setUpSlot, type SlotFormat, type SlotSettings } from './slot-setup.ts'

export type { Detection, ProgressTone } from './detection.ts'
export type { OutboundFrame } from './handed-out.ts'
export { vadThreshold, type SlotFormat, type SlotSettings } from './slot-setup.ts'

export type PushResult = 'taken' | 'full' | 'badLength'

const FRAME_MS = 20

/** The longest payload taken in one piece, in frames: 100 ms. */
const LONGEST_PAYLOAD_FRAMES = 5

export class Slot {
  readonly index: number
  /** The whole memory and the fields' places: the same objects for all slots. */
  readonly #v: SlotViews
  /** Of the slot in the memory. */
  readonly #word: number
  /** A batch holds it: a worker may be reading while this thread writes. The pool's field. */
  isHeld = false
  #payloadBytes = 0
  #ttsFrameSamples = 0
  #hasBed = false
  #heard: FrameMemory
  #payload: FrameMemory
  readonly #dsp: DspMemory
  #bedGain = 0

  constructor(dsp: DspMemory, index: number) {
    this.index = index
    this.#dsp = dsp
    this.#v = dsp.views
    this.#word = dsp.slotAddress(index) >> 2
    this.#heard = this.#v.handedOut.memoryOf('pcm', 0)
    this.#payload = this.#v.handedOut.memoryOf('payload', 0)
  }

  /**
   * Clears the slot and sets it up; the caller knows that no worker holds it.
   * Throws DspError DSP_BAD_RATE or DSP_BAD_CODEC for what the core does not know, DSP_NO_BED for a
   * bed that nobody has loaded.
   */
  open(format: SlotFormat, settings: SlotSettings): void {
    const shape = setUpSlot(this.#dsp, this.#word * 4, format, settings)
    this.#payloadBytes = shape.payloadBytes
    this.#ttsFrameSamples = shape.ttsSamples
    this.#bedGain = shape.bedGain
    this.#hasBed = shape.bedGain > 0
    const { handedOut } = this.#v
    this.#heard = handedOut.memoryOf('pcm', shape.sttSamples * 2)
    this.#payload = handedOut.memoryOf('payload', shape.payloadBytes)
    this.#setWord('LIVE', 1)
  }

  close(): void {
    this.#setWord('LIVE', 0)
  }

  /** Not 0 after a trap: the slot must not be processed again before it is reopened. For a slot whose batch has come back. */
  get fault(): number {
    return this.#get(this.#v.offsets.fault)
  }

  /** Copies a payload of 10…100 ms into the ring; the worker takes it in frames of 20 ms. */
  pushPayload(payload: Uint8Array): PushResult {
    const c = this.#v.offsets
    const { length } = payload
    const half = this.#payloadBytes / 2
    if (
      length === 0 ||
      length % half !== 0 ||
      length > this.#payloadBytes * LONGEST_PAYLOAD_FRAMES
    ) {
      return 'badLength'
    }
    const write = this.#v.words[this.#word + c.inWrite] ?? 0
    const read = this.#fetch(c.inRead)
    if (write - read + length > c.inRingBytes) return 'full'
    const at = write % c.inRingBytes
    const room = c.inRingBytes - at
    const ring = this.#word * 4 + c.inRing
    if (length <= room) {
      this.#v.bytes.set(payload, ring + at)
    } else {
      this.#v.bytes.set(payload.subarray(0, room), ring + at)
      this.#v.bytes.set(payload.subarray(room), ring)
    }
    this.#publish(c.inWrite, write + length)
    return 'taken'
  }

  /** Samples of agent audio that fit now. */
  get agentSpaceSamples(): number {
    return this.#ttsFrameSamples * this.#v.offsets.ttsFrames - this.#agentWaiting()
  }

  /** Samples pushed and not yet taken by the worker. */
  #agentWaiting(): number {
    const c = this.#v.offsets
    // A clear the worker has not seen yet already counts: what it voids may be overwritten at once,
    // since the frame that might still read it carries the old epoch and is dropped.
    const pending = this.#get(c.clearEpoch) !== this.#get(c.epochSeen)
    return this.#get(c.ttsWrite) - this.#get(pending ? c.clearTo : c.ttsRead)
  }

  /** Copies samples from index `from` on; returns how many fitted. */
  pushPcm(pcm: Int16Array, from: number): number {
    const c = this.#v.offsets
    const count = Math.min(pcm.length - from, this.agentSpaceSamples)
    if (count <= 0) return 0
    const ring = this.#ttsFrameSamples * c.ttsFrames
    const write = this.#get(c.ttsWrite)
    if (this.#agentWaiting() === 0 && this.preparedFrames === 0) this.#set(c.spurtFrom, write)
    const at = write % ring
    const first = Math.min(count, ring - at)
    const place = this.#word * 2 + (c.ttsRing >> 1)
    // A view is an object; whole chunks, nearly all there are, need none.
    const whole = from === 0 && first === pcm.length
    this.#v.samples.set(whole ? pcm : pcm.subarray(from, from + first), place + at)
    if (count > first) this.#v.samples.set(pcm.subarray(from + first, from + count), place)
    this.#publish(c.ttsWrite, write + count)
    return count
  }

  /** Counts pushed so far; changes exactly when agent audio arrives. */
  get agentPushed(): number {
    return this.#get(this.#v.offsets.ttsWrite)
  }

  /**
   * Everything pushed so far is complete: a tail shorter than a frame is sent, padded with silence.
   */
  flushAgent(): void {
    const c = this.#v.offsets
    Atomics.store(this.#v.words, this.#word + c.flushTo, this.#get(c.ttsWrite))
  }

  /**
   * Voids the TTS ring and the prepared frames; the bed resumes where the first of them stood.
   * Never blocks.
   */
  clearAgent(): void {
    const c = this.#v.offsets
    const pending = this.#get(c.clearEpoch) !== this.#get(c.epochSeen)
    if (!pending) this.#set(c.clearFrom, this.#get(c.outRead))
    this.#set(c.clearTo, this.#get(c.ttsWrite))
    Atomics.store(this.#v.words, this.#word + c.clearEpoch, this.#get(c.clearEpoch) + 1)
    Atomics.store(this.#v.words, this.#word + c.outRead, this.#get(c.outWrite))
  }

  /** Linear gain of the agent's voice, reached along a ramp of one frame. */
  setAgentGain(gain: number): void {
    this.#v.floats[this.#word + this.#v.offsets.agentGain] = gain
  }

  /** Fades the bed out within a second, or in again; a slot opened without one stays without. */
  setBedOn(isOn: boolean): void {
    this.#hasBed = isOn && this.#bedGain > 0
    this.#setFloat('BED_GAIN', this.#hasBed ? this.#bedGain : 0)
  }

  set wantFrames(want: boolean) {
    this.#set(this.#v.offsets.wantFrames, want ? 1 : 0)
  }

  get wantFrames(): boolean {
    return this.#get(this.#v.offsets.wantFrames) !== 0
  }

  get preparedFrames(): number {
    return this.#get(this.#v.offsets.outWrite) - this.#get(this.#v.offsets.outRead)
  }

  /** Would a worker find something to do? A few loads; asked for every slot at every tick. */
  hasWork(): boolean {
    const c = this.#v.offsets
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
    const c = this.#v.offsets
    const waiting = this.#agentWaiting()
    if (waiting <= 0 || waiting >= this.#ttsFrameSamples) return false
    return this.#get(c.flushTo) - this.#get(c.ttsWrite) !== 0
  }

  /** The next prepared frame, or null. The object and its bytes are valid until the next call. */
  nextOutbound(): OutboundFrame | null {
    const c = this.#v.offsets
    const epoch = this.#get(c.clearEpoch)
    const { words } = this.#v
    const written = this.#fetch(c.outWrite)
    let read = this.#get(c.outRead)
    while (read !== written) {
      const record = this.#word + ((c.outRing + (read & (c.outFrames - 1)) * c.outRecord) >> 2)
      read++
      const isVoid = words[record + c.recordEpoch] !== epoch
      if (!isVoid) this.#handOut(record)
      this.#publish(c.outRead, read)
      if (!isVoid) return this.#v.handedOut.frame
    }
    return null
  }

  /** The record at word `record`, before a worker may use its place again. */
  #handOut(record: number): void {
    const { words, offsets, handedOut } = this.#v
    const { frame } = handedOut
    const payload = this.#payload
    copyWords(words, record + offsets.outHeader, payload.words)
    frame.payload = payload.bytes
    frame.hasAgent = words[record + offsets.recordHasAgent] !== 0
    frame.agentMs =
      ((words[record + offsets.recordConsumed] ?? 0) * FRAME_MS) / this.#ttsFrameSamples
  }

  /** What the core found in the frame that nextUserFrame() gave last, whichever slot's. */
  get detection(): Detection {
    return this.#v.handedOut.detection
  }

  /**
   * The next processed frame of the user's, or null; `detection` belongs to it. Both are reused at the next call, whichever slot's.
   * For a slot that no batch holds: then a plain store gives its place back, and the next batch's dispatch makes it seen.
   */
  nextUserFrame(): Int16Array | null {
    const { offsets: c, words, floats, handedOut } = this.#v
    const read = words[this.#word + c.pcmRead] ?? 0
    if (read === words[this.#word + c.pcmWrite]) return null
    const place = read & (c.pcmFrames - 1)
    const heard = this.#heard
    copyWords(words, this.#word + ((c.pcmRing + place * c.pcmFrameBytes) >> 2), heard.words)
    const record = this.#word + ((c.detectionRing + place * c.detectionBytes) >> 2)
    readDetection(words, floats, record, handedOut.detection)
    words[this.#word + c.pcmRead] = read + 1
    return heard.samples
  }

  /** Hands out every processed frame; returns their number. As nextUserFrame() for each. */
  drain(take: (detection: Detection, pcm: Int16Array) => void): number {
    let count = 0
    for (let pcm = this.nextUserFrame(); pcm !== null; pcm = this.nextUserFrame()) {
      take(this.detection, pcm)
      count++
    }
    return count
  }

  /**
   * A plain load, an eighth of an atomic one's cost: for fields that this thread alone writes, and for hints that may be a moment
   * old. What says that other bytes are ready is loaded atomically where it is used.
   */
  #get(word: number): number {
    return this.#v.words[this.#word + word] ?? 0
  }

  /**
   * Tells the worker that bytes are written, or read. While no batch holds the slot a plain store will do: handing a batch over is a
   * barrier for everything before it. An atomic one waits for all stores that are under way, into far memory too.
   */
  #publish(word: number, value: number): void {
    if (this.isHeld) Atomics.store(this.#v.words, this.#word + word, value)
    else this.#v.words[this.#word + word] = value
  }

  /** What the worker has published; where no batch holds the slot, all of it was seen when the last one came back. */
  #fetch(word: number): number {
    const at = this.#word + word
    return this.isHeld ? Atomics.load(this.#v.words, at) : this.#v.words[at]!
  }

  #set(word: number, value: number): void {
    Atomics.store(this.#v.words, this.#word + word, value)
  }

  #setWord(name: string, value: number): void {
    this.#set(constant(this.#dsp.layout, name) >> 2, value)
  }

  #setFloat(name: string, value: number): void {
    this.#v.floats[this.#word + (constant(this.#dsp.layout, name) >> 2)] = value
  }
}

/** Fills `to` with the words of `from` at `at`: for a frame's length a loop is cheaper than set(), which goes byte by byte through shared memory. */
function copyWords(from: Int32Array, at: number, to: Int32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = from[at + i]!
}
