/**
 * Admission: may one more call come in? Decided before any media exists, so that a refusal is polite. A call that has been
 * admitted but whose stream is not open yet holds a reservation; one that never opens gives it back when it expires.
 */
export interface AdmissionLimits {
  maxCalls: number
  /** A webhook's media token lives 60 s; the reservation as long. */
  reservationMs: number
}

export type Admission = { ok: true } | { ok: false; reason: 'full' | 'draining' | 'notReady' }

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
    if (liveCalls + this.#reservations.length >= this.#limits.maxCalls)
      return { ok: false, reason: 'full' }
    this.#reservations.push(nowMs + this.#limits.reservationMs)
    return { ok: true }
  }

  /** The stream of an admitted call is open: it counts as live from here on. */
  settle(): void {
    this.#reservations.shift()
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
