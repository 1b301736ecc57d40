/**
 * Idle: asks a silent user whether they are there, `retries` times, then says goodbye. Only silence in which it is
 * the user's turn counts. Pure; audio time in ms.
 */
export interface IdleSettings {
  idleTimeoutSec: number
  inactivityMaxRetries: number
}

export type IdleDecision = 'none' | 'prompt' | 'goodbye'

export class IdleWatch {
  readonly #timeoutMs: number
  readonly #retries: number
  #prompts = 0
  #quietSinceMs: number | null = null

  constructor(settings: IdleSettings) {
    this.#timeoutMs = settings.idleTimeoutSec * 1_000
    this.#retries = settings.inactivityMaxRetries
  }

  /** The user said something: the prompts begin anew. */
  userTurn(): void {
    this.#prompts = 0
    this.#quietSinceMs = null
  }

  /** `quiet`: nobody speaks and nothing is being prepared. Each answer other than 'none' is given once. */
  tick(atMs: number, quiet: boolean): IdleDecision {
    if (!quiet) {
      this.#quietSinceMs = null
      return 'none'
    }
    this.#quietSinceMs ??= atMs
    if (atMs - this.#quietSinceMs < this.#timeoutMs) return 'none'
    this.#quietSinceMs = null
    if (this.#prompts >= this.#retries) return 'goodbye'
    this.#prompts += 1
    return 'prompt'
  }
}
