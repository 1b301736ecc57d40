/**
 * A gate in front of native code that must not be interrupted, shared by a worker thread and its main thread.
 *
 *   worker:  run(work) ── counts itself in, looks at the stage ──► native code ──► counts itself out
 *   main:    close(), shut() ── sets the stage ──► idle() ──► now terminate() and process.exit() are safe
 *
 * The surprising fact, measured: a thread that is terminated while onnxruntime loads, runs or releases a model takes the
 * whole process with it (SIGABRT, Napi::Error), and process.exit() terminates every thread. Native code cannot be
 * interrupted, so whoever ends the thread has to wait; a process.exit() that nobody announced waits in here.
 *
 * Invariants: once shut and idle, the worker never enters native code again; the stage only goes up; all waits end.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** Open: everything runs. Closing: only releases run. Shut: nothing runs. */
const OPEN = 0
const CLOSING = 1
const SHUT = 2

const STAGE = 0
const RUNNING = 1

/** A model loads in 0.3…1 s, on a crowded machine in several; after this a thread counts as stuck for good. */
export const NATIVE_LIMIT_MS = 10_000
const POLL_MS = 10

export class NativeGate {
  readonly shared: SharedArrayBuffer
  readonly #cells: Int32Array

  /** The worker's side is made of the main thread's `shared`. */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.shared = shared
    this.#cells = new Int32Array(shared)
  }

  /** Work under way should stop at its next chance; new work is refused. */
  get closing(): boolean {
    return Atomics.load(this.#cells, STAGE) !== OPEN
  }

  /** Worker. @throws Error when the gate is closing. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#enter(work, OPEN)
  }

  /** Worker: run() for what frees memory, which closing still lets through. @throws Error when the gate is shut. */
  release(work: () => Promise<void>): Promise<void> {
    return this.#enter(work, CLOSING)
  }

  /** Refuses new work. */
  close(): void {
    Atomics.compareExchange(this.#cells, STAGE, OPEN, CLOSING)
  }

  /** Refuses everything. */
  shut(): void {
    Atomics.store(this.#cells, STAGE, SHUT)
  }

  /** Resolves with true when no work is running, with false after `limitMs`. */
  async idle(limitMs: number): Promise<boolean> {
    const untilMs = performance.now() + limitMs
    while (Atomics.load(this.#cells, RUNNING) > 0) {
      if (performance.now() >= untilMs) return false
      await delay(POLL_MS)
    }
    return true
  }

  /** Blocks this thread until no work is running or `limitMs` are over; only for a process that is exiting. */
  blockUntilIdle(limitMs: number): void {
    const untilMs = performance.now() + limitMs
    for (;;) {
      const running = Atomics.load(this.#cells, RUNNING)
      const leftMs = untilMs - performance.now()
      if (running === 0 || leftMs <= 0) return
      Atomics.wait(this.#cells, RUNNING, running, leftMs)
    }
  }

  async #enter<T>(work: () => Promise<T>, lastStage: number): Promise<T> {
    // Counted in first and looked second: either this sees the new stage, or the other side sees the count.
    Atomics.add(this.#cells, RUNNING, 1)
    try {
      if (Atomics.load(this.#cells, STAGE) > lastStage) throw new Error('The thread is closing')
      return await work()
    } finally {
      Atomics.sub(this.#cells, RUNNING, 1)
      Atomics.notify(this.#cells, RUNNING)
    }
  }
}

const watched = new Set<NativeGate>()

function onProcessExit(): void {
  const untilMs = performance.now() + NATIVE_LIMIT_MS
  for (const gate of watched) gate.shut()
  for (const gate of watched) gate.blockUntilIdle(Math.max(0, untilMs - performance.now()))
}

/** Lets a process.exit() wait for the gate's native code, until unwatchGate(): its thread has gone. */
export function watchGate(gate: NativeGate): void {
  if (watched.size === 0) process.on('exit', onProcessExit)
  watched.add(gate)
}

export function unwatchGate(gate: NativeGate): void {
  watched.delete(gate)
  if (watched.size === 0) process.off('exit', onProcessExit)
}
