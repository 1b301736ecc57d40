/**
 * Warm synthesizers of one endpoint of Azure Speech. The SDK cannot stop a synthesis, and a broken one never settles: one that
 * was cut is closed, and another is opened in its place, so that the next sentence finds it ready.
 *
 *   checkOut() ─► newest idle one, or a new one ─► giveBack() ─┬─ finished: idle again (≤ 8)
 *                                                               └─ cut, failed, or too many: closed
 */
import type { SpeechSynthesizer } from 'microsoft-cognitiveservices-speech-sdk'
import { closeSynthesizer } from './azure-close.ts'
import type { AzureSdk } from './azure-sdk.ts'

const IDLE_LIMIT = 8
/** Connections kept open beyond those that speak: a barge-in throws one away. */
const SPARE = 2
/** The service closes connections of 10 minutes; ours go before, when nobody speaks on them. */
const AGE_MS = 8 * 60_000

export interface PooledSynthesizer {
  synthesizer: SpeechSynthesizer
  bornMs: number
}

export class AzurePool {
  readonly #make: (sdk: AzureSdk) => SpeechSynthesizer
  #idle: PooledSynthesizer[] = []
  #closed = false

  /** `make`: a synthesizer without a connection. */
  constructor(make: (sdk: AzureSdk) => SpeechSynthesizer) {
    this.#make = make
  }

  /** Connections that wait for a sentence. */
  get idle(): number {
    return this.#idle.length
  }

  /** The newest healthy one; spares are opened behind it. */
  checkOut(sdk: AzureSdk): PooledSynthesizer {
    this.#discardOld()
    const pooled = this.#idle.pop() ?? this.#create(sdk)
    this.#addSpares(sdk, SPARE)
    return pooled
  }

  /** One connection at least is open, or being opened. */
  warm(sdk: AzureSdk): void {
    this.#discardOld()
    this.#addSpares(sdk, 1)
  }

  /** `complete`: the service said that all was sent. */
  giveBack(pooled: PooledSynthesizer, complete: boolean): void {
    if (complete && !this.#closed && this.#idle.length < IDLE_LIMIT) this.#idle.push(pooled)
    else closeSynthesizer(pooled.synthesizer)
  }

  /** Closes those that wait; those that speak are closed when they are given back. */
  close(): void {
    this.#closed = true
    this.drop()
  }

  /** Closes those that wait. */
  drop(): void {
    for (const { synthesizer } of this.#idle.splice(0)) closeSynthesizer(synthesizer)
  }

  #create(sdk: AzureSdk): PooledSynthesizer {
    const pooled = { synthesizer: this.#make(sdk), bornMs: performance.now() }
    // One that the service has closed is as slow as a new one, and may hang: it goes.
    sdk.Connection.fromSynthesizer(pooled.synthesizer).disconnected = () => this.#discard(pooled)
    return pooled
  }

  #addSpares(sdk: AzureSdk, count: number): void {
    while (!this.#closed && this.#idle.length < count) {
      const pooled = this.#create(sdk)
      this.#idle.push(pooled)
      // A connection that cannot be opened shows, with its reason, at the first sentence.
      const { synthesizer } = pooled
      sdk.Connection.fromSynthesizer(synthesizer).openConnection(undefined, () => undefined)
    }
  }

  #discardOld(): void {
    const nowMs = performance.now()
    for (const pooled of [...this.#idle]) {
      if (nowMs - pooled.bornMs > AGE_MS) this.#discard(pooled)
    }
  }

  #discard(pooled: PooledSynthesizer): void {
    const index = this.#idle.indexOf(pooled)
    if (index < 0) return
    this.#idle.splice(index, 1)
    closeSynthesizer(pooled.synthesizer)
  }
}
