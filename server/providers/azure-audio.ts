/**
 * The audio of one recognition at Azure: what of the user's is sent, in which pieces, and at which place it then is.
 *
 *   push ─► quiet-gate ─┬─ sent ─► pieces of 100 ms, as the SDK sends them ─► push stream (from the start: a queue)
 *                       └─ held ─► pre-roll ─ sent first when a sound begins, with its own times ┘
 *
 * A written buffer is kept by the SDK, not copied. The SDK also keeps all audio that no final has confirmed, and Azure bills
 * what it is sent: silence costs three times. Audio that the line left out is replaced by silence; audio that was held is
 * not, the quiet behind the last sound was sent in full.
 */
import { BoundedQueue } from '../bounded-queue.ts'
import { SpareMemory } from '../spare-memory.ts'
import { PreRoll } from './pre-roll.ts'
import { QuietGate } from './quiet-gate.ts'
import { StreamClock } from './stream-clock.ts'
import type { FrameSound, SttRateHz } from './stt.ts'

/** `held`: audio is sent while something can be heard; `sent`: all of it. */
export type SilencePolicy = 'held' | 'sent'

/** A tick is one second, so that a line which gives no audio gets silence soon, and a phrase its end. */
export const TICK_MS = 1_000
const GAP_SILENCE_MS = 200
/**
 * While audio is held the connection is only kept: one piece in 5 s is 2 % of what was sent before. Nothing says how long the
 * service waits in mid-stream; others of its kind end a recognition after 30 s, proxies a connection after 60 s.
 */
const HELD_TICKS = 5
/** Silence put in for what the line left out: enough to keep two sentences apart. */
const GAP_MAX_MS = 2_000
/** What the SDK sends at a time, at any rate. Handed over in any other size, each frame would be copied, and searched for, once more. */
const PIECE_MS = 100
/** Pieces kept until the recogniser is built, in the next tick at the earliest: 20 s that are heard again, and 5 s more. */
const EARLY_PIECES = 250

/** 1.6 and 3.3 MB: what 100 calls have in their last 3 s. */
export const sparePieces: Readonly<Record<SttRateHz, SpareMemory>> = {
  8_000: new SpareMemory({ bytes: pieceBytes(8_000), most: 1_024 }),
  16_000: new SpareMemory({ bytes: pieceBytes(16_000), most: 1_024 }),
}

function pieceBytes(rateHz: SttRateHz): number {
  return (PIECE_MS * rateHz * 2) / 1_000
}

/** A piece comes back when a final has confirmed it (azure-sdk-replay.ts). */
export function givePiece(piece: ArrayBuffer): void {
  sparePieces[piece.byteLength === pieceBytes(8_000) ? 8_000 : 16_000].give(piece)
}

/** What became of audio since the last time it was told, ms. */
export type AudioTally = (sentMs: number, heldMs: number) => void

export class AzureAudio {
  readonly #samplesPerMs: number
  readonly #pieceSamples: number
  readonly #spare: SpareMemory
  readonly #gate: QuietGate | null
  readonly #preRoll: PreRoll
  readonly #clock = new StreamClock()
  readonly #early = new BoundedQueue<ArrayBuffer>('azureSttEarlyPieces', EARLY_PIECES)
  readonly #tally: AudioTally
  #stream: { write(exact: ArrayBuffer): void } | null = null
  #piece: Int16Array<ArrayBuffer>
  #pieceLength = 0
  #hasSent = true
  #idleTicks = 0
  #sentMs = 0
  #heldMs = 0
  #told = { sentMs: 0, heldMs: 0 }

  constructor(options: {
    rateHz: SttRateHz
    silence: SilencePolicy
    segmentationSilenceMs: number
    tally: AudioTally
  }) {
    const { rateHz, silence, segmentationSilenceMs, tally } = options
    this.#samplesPerMs = rateHz / 1_000
    this.#pieceSamples = PIECE_MS * this.#samplesPerMs
    this.#spare = sparePieces[rateHz]
    this.#piece = new Int16Array(this.#spare.take())
    this.#preRoll = new PreRoll(rateHz)
    this.#gate = silence === 'held' ? new QuietGate(segmentationSilenceMs) : null
    this.#tally = tally
  }

  /** Audio and silence that were sent in all, ms. */
  get sentMs(): number {
    return this.#sentMs
  }

  /** What came so far, and from now on all, goes to `stream`. */
  attach(stream: { write(exact: ArrayBuffer): void }): void {
    for (const exact of this.#early.takeAll()) stream.write(exact)
    this.#stream = stream
  }

  push(pcm: Int16Array, atMs: number, sound?: FrameSound): void {
    const gate = this.#gate
    const wasOpen = gate === null || gate.isOpen
    if (wasOpen) gate?.sentQuiet(this.#fillGap(atMs))
    const durationMs = pcm.length / this.#samplesPerMs
    if (gate !== null && !gate.frame(sound, durationMs) && this.#preRoll.hold(pcm, atMs)) {
      this.#heldMs += durationMs
      return
    }
    if (!wasOpen) this.#resume(atMs)
    this.#send(pcm, atMs)
  }

  /** A phrase was begun by the service, or ended. */
  owes(isOwed: boolean): void {
    this.#gate?.owes(isOwed)
  }

  /** The moment of the call at a place of the stream, ms. */
  callMs(streamMs: number): number {
    return this.#clock.callMs(streamMs)
  }

  /** To be called each TICK_MS: without any audio the service would end the session. */
  tick(): void {
    this.#tell(this.#preRoll.keptMs)
    if (this.#hasSent) {
      this.#hasSent = false
      this.#idleTicks = 0
      return
    }
    this.#idleTicks++
    if (this.#gate?.isOpen === false) {
      if (this.#idleTicks % HELD_TICKS === 0) this.#silence(PIECE_MS)
      return
    }
    this.#gate?.sentQuiet(GAP_SILENCE_MS)
    this.#silence(GAP_SILENCE_MS)
  }

  close(): void {
    this.#early.takeAll()
    this.#tell(0)
  }

  #resume(atMs: number): void {
    let isFirst = true
    this.#preRoll.release((held, heldAtMs) => {
      if (!isFirst) this.#fillGap(heldAtMs)
      isFirst = false
      this.#heldMs -= held.length / this.#samplesPerMs
      this.#send(held, heldAtMs)
    })
    if (!isFirst) this.#fillGap(atMs)
  }

  /** @returns ms of silence that were put in */
  #fillGap(atMs: number): number {
    const gapMs = this.#clock.gapMs(atMs)
    if (gapMs <= 1) return 0
    const silenceMs = Math.min(gapMs, GAP_MAX_MS)
    this.#silence(silenceMs)
    return silenceMs
  }

  #send(pcm: Int16Array, atMs: number): void {
    const durationMs = pcm.length / this.#samplesPerMs
    this.#clock.audio(durationMs, atMs)
    this.#sentMs += durationMs
    this.#hasSent = true
    this.#collect(pcm)
  }

  #silence(ms: number): void {
    const samples = Math.round(ms * this.#samplesPerMs)
    const durationMs = samples / this.#samplesPerMs
    this.#clock.silence(durationMs)
    this.#sentMs += durationMs
    this.#collect(new Int16Array(samples))
  }

  #collect(pcm: Int16Array): void {
    for (let at = 0; at < pcm.length;) {
      const room = this.#pieceSamples - this.#pieceLength
      // A view is an object: five frames of 20 ms fill a piece, and need none.
      const part = at === 0 && pcm.length <= room ? pcm : pcm.subarray(at, at + room)
      this.#piece.set(part, this.#pieceLength)
      this.#pieceLength += part.length
      at += part.length
      if (this.#pieceLength < this.#pieceSamples) return
      this.#write(this.#piece.buffer)
      this.#piece = new Int16Array(this.#spare.take())
      this.#pieceLength = 0
    }
  }

  #write(exact: ArrayBuffer): void {
    if (this.#stream === null) this.#early.push(exact)
    else this.#stream.write(exact)
  }

  /** `pendingMs`: held so far, and may still be sent. */
  #tell(pendingMs: number): void {
    const told = this.#told
    const heldMs = this.#heldMs - pendingMs
    if (this.#sentMs === told.sentMs && heldMs === told.heldMs) return
    this.#tally(this.#sentMs - told.sentMs, heldMs - told.heldMs)
    told.sentMs = this.#sentMs
    told.heldMs = heldMs
  }
}
