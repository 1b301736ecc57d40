/**
 * Stream handle: what lies beneath a Socket in Node, for the two steps that a call makes fifty times a second.
 *
 *   kernel ─► handle ─► onread ─► Socket ─► …          … ─► Socket ─► Writable ─► writeBuffer ─► handle ─► kernel
 *                         └─► ours                          ours ─────────────────┘
 *
 * A Socket hands each read through three objects, and makes a request, a callback and a turn of the tick queue for each write, though
 * the system nearly always takes a frame at once. None of it is public: `streamParts` is null where anything is not as expected.
 */
export interface WriteRequest {
  oncomplete: ((status: number) => void) | null
  /** What is being written must not be collected before the system has it. */
  buffer: Buffer | null
}

/** The parts of Node's handle of a connection that are used here. */
export interface StreamHandle {
  onread: (this: StreamHandle, bytes: unknown) => unknown
  useUserBuffer(buffer: Uint8Array): void
  /** 0, or a negative errno. Whether the system took all of it at once: wasQueued(). */
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
}

export interface StreamParts {
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

export const streamParts = findParts()

/** Has this handle all that is used of it? */
export function isStreamHandle(handle: unknown): handle is StreamHandle {
  if (typeof handle !== 'object' || handle === null) return false
  const { useUserBuffer, writeBuffer } = handle as Partial<StreamHandle>
  return typeof useUserBuffer === 'function' && typeof writeBuffer === 'function'
}
