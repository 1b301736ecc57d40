/**
 * Doorbell: how a batch crosses to its worker and its end comes back, in shared memory.
 *
 *   main thread   ring(list, count) ─► ASKED ─► Atomics.wait ─► run ─► DONE   worker
 *                 isAnswered() ◄────── a plain look, as often as it likes ─┘
 *                 wantMessage() ─► only then does the worker also send a message, which wakes the event loop
 *
 * A message each way, with its promise and its wake-up, costs the main thread as much as ten frames. A busy main thread passes by
 * anyway and looks; one that is about to sleep asks to be woken.
 *
 * Invariants: one batch is under way per bell; each field has one writer. A wake-up is never lost: DONE is written before WANTED is
 * read, and WANTED before DONE is read again.
 */

/** Words of a bell: ASKED, LIST, COUNT and WANTED are the main thread's, … */
const ASKED = 0
const LIST = 1
const COUNT = 2
/** … the number of the batch whose end the main thread wants to be told of, … */
const WANTED = 3
/** … and the worker's lie in a cache line of their own. */
const DONE = 16
const RUN_US = 17
const BELL_WORDS = 32

/** Memory for the bells of `workers` workers. */
export function bellMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * BELL_WORDS * Int32Array.BYTES_PER_ELEMENT)
}

/** The main thread's side. */
export class Doorbell {
  readonly #words: Int32Array

  constructor(memory: SharedArrayBuffer, index: number) {
    this.#words = bellWords(memory, index)
  }

  /** Gives the worker `count` slots of list `list`. Only when the last batch is answered. */
  ring(list: number, count: number): void {
    this.#words[LIST] = list
    this.#words[COUNT] = count
    Atomics.add(this.#words, ASKED, 1)
    Atomics.notify(this.#words, ASKED)
  }

  /** The worker has nothing of ours: what the batch has written can be read. */
  isAnswered(): boolean {
    return Atomics.load(this.#words, DONE) === this.#words[ASKED]
  }

  /** True when the batch is answered already; else the worker will send a message behind it. */
  wantMessage(): boolean {
    Atomics.store(this.#words, WANTED, this.#words[ASKED]!)
    return this.isAnswered()
  }

  /** How long the last batch ran, ms. */
  get runMs(): number {
    return this.#words[RUN_US]! / 1_000
  }

  /** The worker is dead: its batch is nobody's, and the next worker must not take it for its own. */
  abandon(): void {
    Atomics.store(this.#words, DONE, this.#words[ASKED]!)
  }
}

/** The worker's side: runs each batch that is rung for, until the thread is ended. */
export function answerBell(
  memory: SharedArrayBuffer,
  index: number,
  worker: { run(list: number, count: number): void; tell(): void },
): never {
  const words = bellWords(memory, index)
  for (let done = Atomics.load(words, DONE); ;) {
    Atomics.wait(words, ASKED, done)
    const asked = Atomics.load(words, ASKED)
    // A thread may wake without a reason.
    if (asked === done) continue
    const startedMs = performance.now()
    worker.run(words[LIST]!, words[COUNT]!)
    words[RUN_US] = Math.round((performance.now() - startedMs) * 1_000)
    Atomics.store(words, DONE, asked)
    done = asked
    if (Atomics.load(words, WANTED) === asked) worker.tell()
  }
}

function bellWords(memory: SharedArrayBuffer, index: number): Int32Array {
  return new Int32Array(memory, index * BELL_WORDS * Int32Array.BYTES_PER_ELEMENT, BELL_WORDS)
}
