/**
 * A worker thread that holds a speech model: started once, watched, started again after it died.
 *
 *   provider ── post ──► worker file        worker file ── ready, results ──► onMessage
 *
 * Speech models compute for tens to hundreds of ms at a time; on the main thread that would hold up every call's audio.
 *
 * Invariants: at most one live thread; messages of a dead thread are never delivered; close() is final and idempotent;
 * no thread is terminated while it is behind its NativeGate, because that would abort the process.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Transferable } from 'node:worker_threads'
import { ProviderError, errorText } from '../errors.ts'
import { NATIVE_LIMIT_MS, NativeGate, unwatchGate, watchGate } from './embedded-native-gate.ts'

/** What a worker file finds as its workerData. */
export interface ThreadData<Options> {
  /** For a NativeGate: what must not be interrupted runs behind it. */
  gate: SharedArrayBuffer
  options: Options
}

/** What every worker file answers to, besides its own messages. */
export type ThreadReady = { kind: 'ready' }
export type ThreadUnready = { kind: 'unready'; code: string; message: string }
export type ThreadClose = { kind: 'close' }

export interface SpeechThreadOptions<Out> {
  file: URL
  /** The `options` of the worker file's ThreadData. */
  data: unknown
  /** Code of the ProviderError when the thread cannot start or dies. */
  errorCode: string
  onMessage(message: Out): void
  /** A thread that was ready is gone, not by close(). A thread that never got ready rejects start() instead. */
  onDown(error: ProviderError): void
}

/** How long a closing thread may take to release its models before it is terminated, if its gate allows that. */
const RELEASE_MS = 2_000

interface LiveThread {
  worker: Worker
  gate: NativeGate
  exited: Promise<void>
}

export class SpeechThread<In, Out> {
  readonly #options: SpeechThreadOptions<Out>
  #thread: LiveThread | null = null
  readonly #retiring = new Set<Promise<void>>()
  #starting: Promise<void> | null = null
  #ready = false
  #closed = false

  constructor(options: SpeechThreadOptions<Out>) {
    this.#options = options
  }

  /** Ready for messages. */
  get live(): boolean {
    return this.#ready
  }

  /**
   * Resolves when the worker has said that it is ready.
   * @throws ProviderError with the options' code when it cannot get ready, or after close().
   */
  start(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#error('the provider was closed'))
    this.#starting ??= this.#launch()
    return this.#starting
  }

  /** Sends a message to the live thread; without one the message is lost, and onDown has said so. */
  post(message: In, transfer: Transferable[] = []): void {
    this.#thread?.worker.postMessage(message, transfer)
  }

  /** Ends a thread that hangs; onDown is called, the next start() makes a new one. */
  async abandon(reason: string): Promise<void> {
    const thread = this.#thread
    if (thread === null) return
    this.#down(thread, this.#error(reason))
    await this.#retire(thread, { releaseMs: 0 })
  }

  /**
   * Resolves when the thread has gone: at once when it idles, after the native call it is in otherwise, and after 10 s
   * at the latest.
   */
  async close(): Promise<void> {
    this.#closed = true
    const thread = this.#thread
    this.#forget()
    if (thread !== null) void this.#retire(thread, { releaseMs: RELEASE_MS })
    await Promise.all(this.#retiring)
  }

  #launch(): Promise<void> {
    const gate = new NativeGate()
    const workerData: ThreadData<unknown> = { gate: gate.shared, options: this.#options.data }
    // execArgv: the parent's flags (a test runner's loaders, --watch) are not for this thread.
    const worker = new Worker(this.#options.file, { workerData, execArgv: [] })
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    const thread: LiveThread = { worker, gate, exited }
    this.#thread = thread
    watchGate(gate)
    void exited.then(() => unwatchGate(gate))
    return new Promise<void>((resolve, reject) => {
      worker.on('message', (message: Out | ThreadReady | ThreadUnready) => {
        if (this.#thread !== thread) return
        if (isReady(message)) {
          this.#ready = true
          resolve()
        } else if (isUnready(message)) {
          const error = new ProviderError(message.code, message.message)
          this.#down(thread, error)
          reject(error)
          void this.#retire(thread, { releaseMs: RELEASE_MS })
        } else this.#options.onMessage(message)
      })
      const gone = (why: string, cause?: unknown): void => {
        const error = this.#error(why, cause)
        this.#down(thread, error)
        reject(error)
      }
      worker.on('error', (cause) => gone(errorText(cause), cause))
      worker.on('exit', (code) => gone(`it exited with code ${code}`))
    })
  }

  #retire(thread: LiveThread, limits: { releaseMs: number }): Promise<void> {
    const retired = endThread(thread, limits.releaseMs).finally(() => {
      this.#retiring.delete(retired)
    })
    this.#retiring.add(retired)
    return retired
  }

  #down(thread: LiveThread, error: ProviderError): void {
    if (this.#thread !== thread) return
    const wasReady = this.#ready
    this.#forget()
    if (wasReady) this.#options.onDown(error)
  }

  #forget(): void {
    this.#thread = null
    this.#starting = null
    this.#ready = false
  }

  #error(why: string, cause?: unknown): ProviderError {
    const file = this.#options.file.pathname.split('/').at(-1) ?? ''
    return new ProviderError(this.#options.errorCode, `The speech thread ${file} is down: ${why}`, {
      retryable: !this.#closed,
      cause,
    })
  }
}

/** Asks the thread to end, then ends it between two native calls. One that is stuck in such a call is left behind. */
async function endThread({ worker, gate, exited }: LiveThread, releaseMs: number): Promise<void> {
  gate.close()
  worker.postMessage({ kind: 'close' } satisfies ThreadClose)
  const stopWaiting = new AbortController()
  const late = delay(releaseMs, true, { signal: stopWaiting.signal }).catch(() => false)
  const isLate = await Promise.race([late, exited.then(() => false)])
  stopWaiting.abort()
  if (!isLate) return
  gate.shut()
  if (await gate.idle(NATIVE_LIMIT_MS - releaseMs)) await worker.terminate()
  else worker.unref()
}

function isReady(message: unknown): message is ThreadReady {
  return (message as ThreadReady).kind === 'ready'
}

function isUnready(message: unknown): message is ThreadUnready {
  return (message as ThreadUnready).kind === 'unready'
}
