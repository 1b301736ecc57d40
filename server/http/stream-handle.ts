/**
 * Stream handle: what lies beneath a Socket in Node, for the two steps that a call makes fifty times a second.
 *
 *   kernel ─► handle ─► onread ─► Socket ─► …          … ─► Socket ─► Writable ─► writeBuffer ─► handle ─► kernel
 *                         └─► ours                          ours ─────────────────┘
 *
 * A Socket hands each read through three objects, and makes a request, a callback and a turn of the tick queue for each write, though
 * the system nearly always takes a frame at once. None of it is public: `streamParts` is null where anything is not as expected.
 */
import type { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'

interface WriteRequest {
  oncomplete: ((status: number) => void) | null
  /** What is being written must not be collected before the system has it. */
  buffer: Buffer | null
}

/** The parts of Node's handle of a connection that are used here. */
interface StreamHandle {
  onread: (this: StreamHandle, bytes: unknown) => unknown
  useUserBuffer(buffer: Uint8Array): void
  /** 0, or a negative errno. Whether the system took all of it at once: wasQueued(). */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
}

interface StreamParts {
  newRequest(): WriteRequest
  /** Within onread: the bytes that were read, or a negative errno. */
  readBytes(): number
  /** Behind writeBuffer: its request is under way, and will complete later. */
  wasQueued(): boolean
}

interface Binding {
  WriteWrap: new () => WriteRequest
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

function isBinding(found: unknown): found is Binding {
  if (typeof found !== 'object' || found === null) return false
  const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = found as Binding
  return (
    typeof WriteWrap === 'function' &&
    streamBaseState instanceof Int32Array &&
    Number.isInteger(kReadBytesOrError) &&
    Number.isInteger(kLastWriteWasAsync)
  )
}

/** `process.binding` is deprecated in Node's documentation (DEP0111), with no end set; it gives what Node's own net module uses. */
function findParts(): StreamParts | null {
  const { binding } = process as unknown as { binding?: (name: string) => unknown }
  if (typeof binding !== 'function') return null
  let found: unknown
  try {
    found = binding.call(process, 'stream_wrap')
  } catch {
    // A Node that no longer knows the name: the Socket's own way remains.
    return null
  }
  if (!isBinding(found)) return null
  const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = found
  return {
    newRequest: () => new WriteWrap(),
    readBytes: () => streamBaseState[kReadBytesOrError]!,
    wasQueued: () => streamBaseState[kLastWriteWasAsync] !== 0,
  }
}

const streamParts = findParts()

/** Has this handle all that is used of it? */
function isStreamHandle(handle: unknown): handle is StreamHandle {
  if (typeof handle !== 'object' || handle === null) return false
  const { useUserBuffer, writeBuffer } = handle as Partial<StreamHandle>
  return typeof useUserBuffer === 'function' && typeof writeBuffer === 'function'
}

/** Takes what comes in on a connection. */
export interface ByteTaker {
  /** What the connection is read into. */
  readonly buffer: Buffer
  /** The first `length` bytes of `bytes`, which are valid during the call only. */
  take(bytes: Buffer, length: number): void
}

/** The handle of a connection whose reads go to a taker. */
interface TakenHandle extends StreamHandle {
  taker: ByteTaker
}

/** A request that no write holds, for the next: nearly every write is over when it returns. */
let spareRequest: WriteRequest | null = null

/** What Node gives every Socket's handle; known from the first. */
let nodesOnread: StreamHandle['onread'] | null = null

/** One function for all connections: of each one's own, it would be two objects more to fetch for every read. */
function onread(this: StreamHandle, bytes: unknown): unknown {
  const length = streamParts!.readBytes()
  // Errors and the end are the Socket's.
  if (length <= 0) return nodesOnread!.call(this, bytes)
  const { taker } = this as TakenHandle
  taker.take(taker.buffer, length)
  // Undefined: the buffer stays.
  return undefined
}

/** Can a connection of this handle, of which a Socket has been or will be made, be read and written past it? */
export function canBypass(handle: unknown): handle is object {
  if (streamParts === null || !isStreamHandle(handle)) return false
  nodesOnread ??= handle.onread
  return handle.onread === nodesOnread
}

/** A connection past its Socket, which stays its owner: errors, the end and everything that is not written here are the Socket's. */
export class Bypass {
  readonly #handle: StreamHandle
  readonly socket: Socket
  /** Written here, and not yet taken by the system. */
  #queuedBytes = 0
  /** The Socket may hold bytes back: it was given some, here or before, and has not been seen without since. */
  #isSocketBehind = true

  /**
   * From now on `taker` gets what comes in.
   * @throws TypeError for a Socket whose handle is not one that canBypass().
   */
  constructor(socket: Socket, taker: ByteTaker) {
    const handle = handleOf(socket)
    if (!canBypass(handle)) throw new TypeError('this connection cannot be read past its Socket')
    this.socket = socket
    this.#handle = handle as StreamHandle
    const taken = handle as TakenHandle
    taken.taker = taker
    taken.useUserBuffer(taker.buffer)
    taken.onread = onread
    this.#noteWritesOf(socket)
  }

  /** Bytes that the system has not taken yet; while it is 0 no written buffer is in use any more. */
  get writableLength(): number {
    return this.#socketBytes() + this.#queuedBytes
  }

  /** To ask the Socket is to fetch three objects for every frame, of which it is given none. */
  #socketBytes(): number {
    if (!this.#isSocketBehind) return 0
    const bytes = this.socket.writableLength
    if (bytes === 0) this.#isSocketBehind = false
    return bytes
  }

  #noteWritesOf(socket: Socket): void {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean
    socket.write = (...args: unknown[]) => {
      this.#isSocketBehind = true
      return write(...args)
    }
  }

  /** The connection is over: nothing that was written is in use any more. */
  get isSpent(): boolean {
    return this.socket.closed
  }

  /** `bytes` must not change before `writableLength` is 0. */
  write(bytes: Buffer): void {
    // Behind what the Socket itself holds back they wait in its line.
    if (this.#socketBytes() > 0) return void this.socket.write(bytes)
    const request = spareRequest ?? streamParts!.newRequest()
    spareRequest = request
    const status = this.#handle.writeBuffer(request, bytes)
    if (status !== 0) this.#failed(status)
    else if (streamParts!.wasQueued()) this.#queued(request, bytes)
  }

  /** The system has taken a part; the rest follows by itself, and before anything that is written now. */
  #queued(request: WriteRequest, bytes: Buffer): void {
    spareRequest = null
    this.#queuedBytes += bytes.length
    request.buffer = bytes
    request.oncomplete = (status) => {
      this.#queuedBytes -= bytes.length
      if (status < 0) this.#failed(status)
    }
  }

  /** Of a connection that is over already this changes nothing. */
  #failed(status: number): void {
    this.socket.destroy(new Error(`write ${getSystemErrorName(status)}`))
  }
}

interface Inside {
  _handle?: unknown
}

/** What Node keeps inside a Socket; null for one that is over. */
export function handleOf(socket: Socket): unknown {
  return (socket as unknown as Inside)._handle ?? null
}

/** The handle is another Socket's from now on: this one must not close it. */
export function leaveHandle(socket: Socket): void {
  const inside = socket as unknown as Inside
  inside._handle = null
}
