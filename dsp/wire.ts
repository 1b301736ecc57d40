/**
 * Wire: the sockets' thread's own instance of the core, for the bytes of media messages (assembly/wire.ts). It has a memory of
 * its own, so that what comes from a connection is worked on where it was read.
 *
 *   kernel ─► read ─► unmask ─► message ─► scan ─► decode ─► payload          payload ─► frame ─► kernel
 *
 * A result lasts until the next call of the same kind: one connection's bytes are dealt with before another's are read.
 */
import { abort, constant, layoutOf, type Layout } from './layout.ts'
import { moduleBytes } from './module.ts'

/** One read takes what came from one connection; a media message is about 350 bytes, a burst after a stall 100 of them. */
const READ_BYTES = 65_536
/** The longest message, and the longest base64 either way; payloads are three quarters of it. */
export const WIRE_TEXT_MAX_BYTES = 65_536
/** The core reads, and writes, up to 16 bytes beyond what it was asked for. */
const SLACK_BYTES = 64
const FOUND_BYTES = 24
/** Carriers name two fields each in their own way. */
const SHAPES_MAX = 8
/** Of the four texts that its streams have in common, each with its length. */
const TEXTS_BYTES = 256
/** Texts of single streams, each behind its length: two for each of 2 048 streams. Untouched, they cost no memory. */
const OWN_TEXTS_MAX = 4_096
const OWN_TEXT_STEP_BYTES = 320
/** Of 8 KiB of payload, its text before and behind. */
const FRAME_STEP_BYTES = 12_288
const PAGE_BYTES = 65_536

/** Where the payload's base64 lies in the message, and the stream time of its first sample. */
export interface FoundMedia {
  from: number
  to: number
  timestampMs: number
  /** Counts the stream's media messages. */
  chunk: number
}

/** The texts around a stream's numbers and payload: see scan(). */
export interface MediaTexts {
  /** Where those lie that its carrier's streams have in common. */
  readonly sharedAt: number
  /** Where its own lies (keepText). */
  readonly closingAt: number
}

interface WireFunctions {
  unmask(from: number, to: number, length: number, mask: number): void
  scanMedia(message: number, length: number, texts: number, closing: number, found: number): number
  decodeBase64(from: number, count: number, to: number): number
  frameMedia(head: number, payload: number, count: number, to: number): number
}

type Area =
  'read' | 'message' | 'texts' | 'ownTexts' | 'found' | 'payload' | 'plain' | 'base64' | 'frames'

export class WireCore {
  /** Connections read into it. */
  readonly read: Buffer
  /** A message without its mask. */
  readonly message: Buffer
  readonly #core: WireFunctions
  readonly #layout: Layout
  readonly #memory: Uint8Array
  readonly #view: DataView
  readonly #at: Record<Area, number>
  readonly #found: FoundMedia = { from: 0, to: 0, timestampMs: 0, chunk: 0 }
  /** Places of the texts that were put down, by their text. */
  readonly #shapes = new Map<string, number>()
  /** Places that no stream's text has, the lowest last. */
  readonly #freeTexts: number[] = []
  /** The beginning of `payload`, as long as the last result: nearly all are of one length. */
  #decoded: Uint8Array
  /** Frames by place and length. */
  readonly #framed = new Map<number, Buffer>()

  /** @throws DspError DSP_NOT_BUILT when the WASM module is missing. */
  constructor() {
    let end = SLACK_BYTES
    const take = (bytes: number): number => {
      const at = end
      end += bytes + SLACK_BYTES
      return at
    }
    this.#at = {
      read: take(READ_BYTES),
      message: take(WIRE_TEXT_MAX_BYTES),
      texts: take(SHAPES_MAX * TEXTS_BYTES),
      ownTexts: take(OWN_TEXTS_MAX * OWN_TEXT_STEP_BYTES),
      found: take(FOUND_BYTES),
      payload: take(WIRE_TEXT_MAX_BYTES),
      plain: take(WIRE_TEXT_MAX_BYTES),
      base64: take(WIRE_TEXT_MAX_BYTES),
      frames: take(2 * FRAME_STEP_BYTES),
    }
    for (let i = OWN_TEXTS_MAX - 1; i >= 0; i--) {
      this.#freeTexts.push(this.#at.ownTexts + i * OWN_TEXT_STEP_BYTES)
    }
    const pages = Math.ceil(end / PAGE_BYTES)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()), {
      env: { memory, abort },
    })
    this.#core = exports as unknown as WireFunctions
    this.#layout = layoutOf(exports)
    this.#memory = new Uint8Array(memory.buffer)
    this.#view = new DataView(memory.buffer)
    this.read = Buffer.from(memory.buffer, this.#at.read, READ_BYTES)
    this.message = Buffer.from(memory.buffer, this.#at.message, WIRE_TEXT_MAX_BYTES)
    this.#decoded = this.#memory.subarray(this.#at.payload, this.#at.payload)
  }

  /** `length` bytes of `read` at `from`, behind their mask, into `message`. */
  unmask(from: number, length: number): void {
    const at = this.#at.read + from
    this.#core.unmask(at, this.#at.message, length, this.#view.getInt32(at - 4, true))
  }

  /** `length` bytes of `read` at `from`, which no mask hides, into `message`. */
  take(from: number, length: number): void {
    this.#core.unmask(this.#at.read + from, this.#at.message, length, 0)
  }

  /**
   * For scan(): four texts and the closing one (assembly/wire.ts, scanMedia). Null when one is too long, or there are too many kinds or
   * streams. The closing one is to be given back (dropText).
   */
  textsOf(texts: readonly [string, string, string, string], closing: string): MediaTexts | null {
    const each = constant(this.#layout, 'WIRE_TEXT_BYTES')
    if (texts.some((text) => text.length > each)) return null
    const sharedAt = this.#shapeOf(texts, 4 + each)
    if (sharedAt === null) return null
    const closingAt = this.keepText(closing)
    return closingAt === null ? null : { sharedAt, closingAt }
  }

  /** A stream's own text, where the core can read it; null when it is too long, or 4 096 are kept already. */
  keepText(text: string): number | null {
    const bytes = Buffer.from(text)
    if (bytes.length > constant(this.#layout, 'WIRE_OWN_TEXT_BYTES')) return null
    const at = this.#freeTexts.pop()
    if (at === undefined) return null
    this.#view.setInt32(at, bytes.length, true)
    this.#memory.set(bytes, at + 4)
    return at
  }

  /** Once for each text that was kept. */
  dropText(at: number): void {
    this.#freeTexts.push(at)
  }

  #shapeOf(texts: readonly string[], eachBytes: number): number | null {
    const key = texts.join('\0')
    const known = this.#shapes.get(key)
    if (known !== undefined) return known
    if (this.#shapes.size === SHAPES_MAX) return null
    const at = this.#at.texts + this.#shapes.size * TEXTS_BYTES
    texts.forEach((text, i) => {
      this.#view.setInt32(at + i * eachBytes, text.length, true)
      this.#memory.set(Buffer.from(text, 'latin1'), at + i * eachBytes + 4)
    })
    this.#shapes.set(key, at)
    return at
  }

  /**
   * The payload of a media message, the first `length` bytes of `bytes`, with those texts around it (textsOf). Null when it is anything else.
   * The result is reused.
   */
  scan(bytes: Buffer, length: number, sharedAt: number, closingAt: number): FoundMedia | null {
    if (bytes !== this.message) {
      if (length > WIRE_TEXT_MAX_BYTES) return null
      this.message.set(bytes.subarray(0, length))
    }
    const { message, found } = this.#at
    if (this.#core.scanMedia(message, length, sharedAt, closingAt, found) === 0) return null
    this.#found.from = this.#view.getInt32(found, true)
    this.#found.to = this.#view.getInt32(found + 4, true)
    this.#found.chunk = this.#view.getFloat64(found + 8, true)
    this.#found.timestampMs = this.#view.getFloat64(found + 16, true)
    return this.#found
  }

  /**
   * The bytes that `text[from…to)` writes in base64 (RFC 4648 section 4), valid until the next call. Null when it is not that: a
   * length that is no multiple of 4, or none, a character outside the alphabet, padding anywhere but at the end.
   */
  decode(text: Uint8Array, from: number, to: number): Uint8Array | null {
    const { message, base64, payload } = this.#at
    let at = message + from
    if (text !== this.message) {
      if (to - from > WIRE_TEXT_MAX_BYTES) return null
      this.#memory.set(text.subarray(from, to), base64)
      at = base64
    }
    const bytes = this.#core.decodeBase64(at, to - from, payload)
    if (bytes < 0) return null
    if (this.#decoded.length !== bytes) {
      this.#decoded = this.#memory.subarray(payload, payload + bytes)
    }
    return this.#decoded
  }

  /**
   * A media message of `payload`, at most 8 KiB, as a whole WebSocket frame: behind the text at `head` (keepText) its base64, then `"}}`. Valid until
   * the next call with the same `place`.
   */
  frame(head: number, payload: Uint8Array, place: 0 | 1 = 0): Buffer {
    const { plain, frames } = this.#at
    this.#memory.set(payload, plain)
    const at = frames + place * FRAME_STEP_BYTES
    const bytes = this.#core.frameMedia(head, plain, payload.length, at)
    const key = place * FRAME_STEP_BYTES + bytes
    let framed = this.#framed.get(key)
    if (framed === undefined) {
      framed = Buffer.from(this.#view.buffer, at, bytes)
      this.#framed.set(key, framed)
    }
    return framed
  }
}

let core: WireCore | null = null

/** The thread's own. @throws DspError DSP_NOT_BUILT when the WASM module is missing. */
export function wireCore(): WireCore {
  core ??= new WireCore()
  return core
}
