/**
 * Wire: the sockets' thread's own instance of the core, for the bytes of media messages (assembly/wire.ts). It has a memory of
 * its own, so that what comes from a connection is worked on where it was read.
 *
 *   kernel ─► read ─► unmask ─► message ─► scan ─► decode ─► payload          payload ─► encode ─► a message of the caller's
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
const TEXTS = 5
const PAGE_BYTES = 65_536

/** Where the payload's base64 lies in the message, and the stream time of its first sample. */
export interface FoundMedia {
  from: number
  to: number
  timestampMs: number
  /** Counts the stream's media messages. */
  chunk: number
}

interface WireFunctions {
  unmask(from: number, to: number, length: number, mask: number): void
  scanMedia(message: number, length: number, texts: number, found: number): number
  decodeBase64(from: number, count: number, to: number): number
  encodeBase64(from: number, count: number, to: number): number
}

type Area = 'read' | 'message' | 'texts' | 'found' | 'payload' | 'plain' | 'base64'

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
  /** The beginnings of `payload` and `base64`, as long as the last results: nearly all are of one length. */
  #decoded: Uint8Array
  #encoded: Uint8Array

  /** @throws DspError DSP_NOT_BUILT when the WASM module is missing. */
  constructor() {
    let end = SLACK_BYTES
    const take = (bytes: number): number => {
      const at = end
      end += bytes + SLACK_BYTES
      return at
    }
    this.#at = {
      ...{ read: take(READ_BYTES), message: take(WIRE_TEXT_MAX_BYTES), texts: take(1_024) },
      ...{ found: take(FOUND_BYTES), payload: take(WIRE_TEXT_MAX_BYTES) },
      ...{ plain: take(WIRE_TEXT_MAX_BYTES), base64: take(WIRE_TEXT_MAX_BYTES) },
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
    this.#encoded = this.#memory.subarray(this.#at.base64, this.#at.base64)
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

  /** The texts around a stream's numbers and payload (assembly/wire.ts, scanMedia), for scan(). Null when one is too long. */
  textsOf(texts: readonly [string, string, string, string, string]): Uint8Array | null {
    const each = 4 + constant(this.#layout, 'WIRE_TEXT_BYTES')
    const closing = constant(this.#layout, 'WIRE_CLOSING_BYTES')
    const last = Buffer.byteLength(texts[TEXTS - 1]!)
    if (last > closing || texts.slice(0, -1).some((text) => text.length + 4 > each)) return null
    // Memory of its own: a short Buffer that lives as long as a call would keep the 64 KiB of Node's pool that it is cut from.
    const bytes = Buffer.allocUnsafeSlow(each * (TEXTS - 1) + 4 + last).fill(0)
    texts.forEach((text, i) => {
      bytes.writeInt32LE(Buffer.byteLength(text), i * each)
      bytes.write(text, i * each + 4)
    })
    return bytes
  }

  /**
   * The payload of a media message, the first `length` bytes of `bytes`, with `texts` around it. Null when it is anything else.
   * The result is reused.
   */
  scan(bytes: Buffer, length: number, texts: Uint8Array): FoundMedia | null {
    if (bytes !== this.message) {
      if (length > WIRE_TEXT_MAX_BYTES) return null
      this.message.set(bytes.subarray(0, length))
    }
    const { message, texts: textsAt, found } = this.#at
    this.#memory.set(texts, textsAt)
    if (this.#core.scanMedia(message, length, textsAt, found) === 0) return null
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

  /** Writes `bytes`, at most 48 KiB of them, into `out` at `at` in base64. */
  encode(bytes: Uint8Array, out: Uint8Array, at: number): void {
    const { plain, base64 } = this.#at
    this.#memory.set(bytes, plain)
    const characters = this.#core.encodeBase64(plain, bytes.length, base64)
    if (this.#encoded.length !== characters) {
      this.#encoded = this.#memory.subarray(base64, base64 + characters)
    }
    out.set(this.#encoded, at)
  }
}

let core: WireCore | null = null

/** The thread's own. @throws DspError DSP_NOT_BUILT when the WASM module is missing. */
export function wireCore(): WireCore {
  core ??= new WireCore()
  return core
}

/** Characters of `bytes` bytes in base64. */
export function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4
}
