/**
 * A worker thread that holds a speech model: started once, watched, started again after it died.
 *
 *   provider ── post ──► worker file        worker file ── ready, results ──► onMessage
 *
 * Speech models compute for tens to hundreds of ms at a time; on the main thread that would hold up every call's audio.
 *
 * Invariants: at most one live thread; messages of a dead thread are never delivered; close() is final and idempotent.
 */
import { Worker } from 'node:worker_threads'
import type { Transferable } from 'node:worker_threads'
import { ProviderError, errorText } from '../errors.ts'

/** What every worker file answers to, besides its own messages. */
export type ThreadReady = { kind: 'ready' }
export type ThreadUnready = { kind: 'unready'; code: string; message: string }
export type ThreadClose = { kind: 'close' }

export interface SpeechThreadOptions<Out> {
  file: URL
  data: unknown
  /** Code of the ProviderError when the thread cannot start or dies. */
  errorCode: string
  onMessage(message: Out): void
  /** A thread that was ready is gone, not by close(). A thread that never got ready rejects start() instead. */
  onDown(error: ProviderError): void
}

/** How long a closing thread may take to release its models before it is terminated. */
const CLOSE_MS = 2_000

export class SpeechThread<In, Out> {
  readonly #options: SpeechThreadOptions<Out>
  #worker: Worker | null = null
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
    this.#worker?.postMessage(message, transfer)
  }

  /** Ends a thread that hangs; onDown is called, the next start() makes a new one. */
  async abandon(reason: string): Promise<void> {
    const worker = this.#worker
    if (worker === null) return
    this.#down(worker, this.#error(reason))
    await worker.terminate()
  }

  async close(): Promise<void> {
    this.#closed = true
    const worker = this.#worker
    this.#forget()
    if (worker === null) return
    worker.removeAllListeners('message')
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.postMessage({ kind: 'close' } satisfies ThreadClose)
    const timer = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await exited
    clearTimeout(timer)
  }

  #launch(): Promise<void> {
    // execArgv: the parent's flags (a test runner's loaders, --watch) are not for this thread.
    const worker = new Worker(this.#options.file, { workerData: this.#options.data, execArgv: [] })
    this.#worker = worker
    return new Promise<void>((resolve, reject) => {
      worker.on('message', (message: Out | ThreadReady | ThreadUnready) => {
        if (this.#worker !== worker) return
        if (isReady(message)) {
          this.#ready = true
          resolve()
        } else if (isUnready(message)) {
          const error = new ProviderError(message.code, message.message)
          this.#down(worker, error)
          reject(error)
          void worker.terminate()
        } else this.#options.onMessage(message)
      })
      const gone = (why: string, cause?: unknown): void => {
        const error = this.#error(why, cause)
        this.#down(worker, error)
        reject(error)
      }
      worker.on('error', (cause) => gone(errorText(cause), cause))
      worker.on('exit', (code) => gone(`it exited with code ${code}`))
    })
  }

  #down(worker: Worker, error: ProviderError): void {
    if (this.#worker !== worker) return
    const wasReady = this.#ready
    this.#forget()
    if (wasReady) this.#options.onDown(error)
  }

  #forget(): void {
    this.#worker = null
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

function isReady(message: unknown): message is ThreadReady {
  return (message as ThreadReady).kind === 'ready'
}

function isUnready(message: unknown): message is ThreadUnready {
  return (message as ThreadUnready).kind === 'unready'
}
