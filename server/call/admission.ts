/**
 * Admission: may one more call come in? Decided before any media exists, so that a refusal is polite. A call that has been
 * admitted but whose stream is not open yet (it rings) holds a reservation, counted as if it were live already; one that
 * never opens gives it back when it expires. Load decides beside the number of places: load.ts.
 */
export interface AdmissionLimits {
  maxCalls: number
  /** A webhook's media token lives 60 s; the reservation as long. */
  reservationMs: number
  /** Whether the machine bears one more call. Default: always. */
  room?(liveCalls: number, ringingCalls: number): boolean
}

export type Admission =
  { ok: true } | { ok: false; reason: 'full' | 'overload' | 'draining' | 'notReady' }

export class AdmissionGate {
  readonly #limits: AdmissionLimits
  #reservations: number[] = []
  #draining = false
  #ready = false

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  /** Decides for one more call and, when it is admitted, reserves its place. */
  admit(liveCalls: number, nowMs: number): Admission {
    this.#expire(nowMs)
    if (this.#draining) return { ok: false, reason: 'draining' }
    if (!this.#ready) return { ok: false, reason: 'notReady' }
    const ringing = this.#reservations.length
    if (liveCalls + ringing >= this.#limits.maxCalls) return { ok: false, reason: 'full' }
    if (this.#limits.room?.(liveCalls, ringing) === false) return { ok: false, reason: 'overload' }
    this.#reservations.push(nowMs + this.#limits.reservationMs)
    return { ok: true }
  }

  /** The stream of an admitted call is open: it counts as live from here on. */
  settle(): void {
    this.#reservations.shift()
  }

  /** Calls admitted whose stream is not open yet. */
  ringing(nowMs: number): number {
    this.#expire(nowMs)
    return this.#reservations.length
  }

  setReady(): void {
    this.#ready = true
  }

  drain(): void {
    this.#draining = true
  }

  get ready(): boolean {
    return this.#ready && !this.#draining
  }

  #expire(nowMs: number): void {
    while (this.#reservations.length > 0 && this.#reservations[0]! <= nowMs)
      this.#reservations.shift()
  }
}
