/**
 * Media wire: a connection under a WebSocket, with a fast lane for the fifty small messages a second that a call brings.
 *
 *   kernel ─► one read buffer for all calls ─► whole text frame? ─yes─► unmask ─► reader took it? ─yes─► done
 *                                                   └─no──────────────────────────────┴─no─► copy ─► WebSocket (ws)
 *
 * ws reads every chunk into a new 64 kB block, cuts it, and hands it through three layers: 20 µs a message and most of the
 * garbage of a busy server. Here a message is read where the kernel put it. Everything unusual (fragments, control frames,
 * binary, long, split over two reads, anything that the reader does not take) goes to ws byte by byte as it came, so ws stays
 * the only judge of the protocol.
 *
 * An HTTP server counts its connections: the handle moves to a Socket of our own, past which it is read (stream-handle.ts). Where
 * Node's inside is not as expected, the connection stays with ws alone.
 *
 * Invariants: messages keep their order, because the lane is closed while ws holds bytes it has not handled; a frame goes
 * to one of the two as a whole.
 */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { wireCore } from '../../dsp/wire.ts'
import type { MediaReader, MediaWire } from '../carriers/carrier.ts'
import { Bypass, canBypass, handleOf, leaveHandle, type ByteTaker } from './stream-handle.ts'

/** Longest message of the fast lane, RFC 6455 section 5.2: lengths of 126 to 65 535 have two bytes. */
const LANE_MESSAGE_MAX_BYTES = 4_096
const LANE_MESSAGE_MIN_BYTES = 126
/** FIN and opcode 1: a text message in one piece. */
const WHOLE_TEXT = 0x81

/**
 * Moves an upgraded connection to a Socket with the fast lane. Null when this Node does not allow it: use `connection`.
 * The old Socket is spent afterwards; hand `wire.socket` to ws, with `wire.feed(head)` once ws listens.
 */
export function takeWire(connection: Duplex): FastWire | null {
  if (!(connection instanceof Socket)) return null
  const handle = handleOf(connection)
  if (!canBypass(handle)) return null
  connection.setTimeout(0)
  leaveHandle(connection)
  const wire = new FastWire(handle)
  // Its server counts connections: this one is ours now, and must not keep the server from closing.
  connection.destroy()
  return wire
}

export class FastWire extends Bypass implements MediaWire {
  readonly #lane: TextLane

  /** `handle` is one that canBypass(). */
  constructor(handle: object) {
    const lane = new TextLane(true)
    // Types know only the handles that Node lets out by itself.
    super(new Socket({ handle: handle as never, allowHalfOpen: true }), lane)
    lane.socket = this.socket
    this.#lane = lane
  }

  get reader(): MediaReader | null {
    return this.#lane.reader
  }

  set reader(reader: MediaReader | null) {
    this.#lane.reader = reader
  }

  /** Bytes that were read before this wire existed. */
  feed(head: Buffer): void {
    if (head.length > 0) this.#lane.take(head, head.length)
  }
}

/** The bytes of one connection, parted into frames: short whole text messages to its reader, everything else to the socket, which ws reads. */
export class TextLane implements ByteTaker {
  reader: MediaReader | null = null
  readonly #core = wireCore()
  readonly #headerBytes: 4 | 8
  readonly #masked: boolean
  /** A fragmented message is under way: its control and continuation frames are for ws. */
  #fragmented = false
  /** The socket may hold bytes: it was given some, here or before, and has not been seen without since. */
  #isBehind = true
  /** Bytes of the current frame that still have to go to ws. */
  #owed = 0
  /** The first bytes of a frame whose header is not complete. */
  #partHeader: Buffer | null = null
  /** Set before the first bytes come. */
  socket: Pick<Socket, 'push' | 'readableLength'> | null = null
  /** One memory for every connection, since reads finish before the next begins. */
  readonly buffer = this.#core.read

  /** `masked`: the other end is a client. */
  constructor(masked: boolean) {
    this.#masked = masked
    this.#headerBytes = masked ? 8 : 4
  }

  /** The first `length` bytes of `read`, in the order of the connection; copied where they are kept. */
  take(read: Buffer, length: number): void {
    let bytes = read
    let end = length
    if (this.#partHeader) {
      bytes = Buffer.concat([this.#partHeader, read.subarray(0, length)])
      end = bytes.length
      this.#partHeader = null
    }
    let at = 0
    /** Where the bytes for ws begin that have not been handed over. */
    let slow = 0
    while (at < end) {
      if (this.#owed > 0) {
        const some = Math.min(this.#owed, end - at)
        this.#owed -= some
        at += some
        continue
      }
      const frameBytes = this.#wholeTextFrame(bytes, at, end)
      if (frameBytes > 0 && at === slow && this.#offer(bytes, at, frameBytes)) {
        at += frameBytes
        slow = at
        continue
      }
      const size = frameSize(bytes, at, end)
      if (size === 0) {
        this.#partHeader = Buffer.from(bytes.subarray(at, end))
        end = at
        break
      }
      const opcode = bytes[at]! & 0x0f
      if (opcode < 8) this.#fragmented = (bytes[at]! & 0x80) === 0
      this.#owed = size
    }
    // A copy: the next read overwrites the buffer, and ws keeps what it has not handled.
    if (end > slow) {
      this.#isBehind = true
      this.socket!.push(Buffer.from(bytes.subarray(slow, end)))
    }
  }

  /** Bytes of the frame at `at` when it is a whole, unfragmented text message of the lane's size, else 0. */
  #wholeTextFrame(bytes: Buffer, at: number, end: number): number {
    const header = this.#headerBytes
    if (end - at < header + LANE_MESSAGE_MIN_BYTES) return 0
    if (bytes[at] !== WHOLE_TEXT || bytes[at + 1] !== (this.#masked ? 0xfe : 0x7e)) return 0
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!
    if (length < LANE_MESSAGE_MIN_BYTES || length > LANE_MESSAGE_MAX_BYTES - 4) return 0
    return at + header + length <= end ? header + length : 0
  }

  /** ws has not read all that came before. */
  #holdsBytes(): boolean {
    if (this.#isBehind) this.#isBehind = this.socket!.readableLength > 0
    return this.#isBehind
  }

  #offer(bytes: Buffer, at: number, frameBytes: number): boolean {
    if (this.reader === null || this.#fragmented || this.#holdsBytes()) return false
    const from = at + this.#headerBytes
    const length = at + frameBytes - from
    const { read, message } = this.#core
    // A frame whose header came with an earlier read lies elsewhere.
    if (bytes !== read) read.set(bytes.subarray(at, at + frameBytes))
    const start = bytes === read ? from : this.#headerBytes
    if (this.#masked) this.#core.unmask(start, length)
    else this.#core.take(start, length)
    return this.reader.readText(message, length)
  }
}

/** Bytes of the frame at `at`, header included (RFC 6455 section 5.2); 0 while its header is not complete. */
function frameSize(bytes: Buffer, at: number, end: number): number {
  if (end - at < 2) return 0
  const masked = (bytes[at + 1]! & 0x80) !== 0 ? 4 : 0
  const short = bytes[at + 1]! & 0x7f
  if (short < 126) return 2 + masked + short
  if (short === 126) return end - at < 4 ? 0 : 4 + masked + bytes.readUInt16BE(at + 2)
  // Far beyond every limit of ours: ws closes the connection at such a header.
  return end - at < 10 ? 0 : 10 + masked + Number(bytes.readBigUInt64BE(at + 2))
}
