/**
 * Errors: one family, each with a stable code. The code is what tests, logs, metrics and API clients rely on;
 * the message is for people and says what, where and how to mend it.
 */

/** Base of every expected failure. `retryable` says whether the same call may succeed when tried again. */
export class AndreaError extends Error {
  readonly code: string
  readonly retryable: boolean

  constructor(
    code: string,
    message: string,
    options: { retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
  }
}

/** The configuration is wrong; the server refuses to start. */
export class ConfigError extends AndreaError {}

/** A carrier said no, or somebody posing as one sent something that we cannot take. */
export class CarrierError extends AndreaError {
  /** The carrier's own number for what went wrong, e.g. 21211 of Twilio; null when it gave none. */
  readonly carrierCode: string | null
  /** What to do about it. */
  readonly hint: string | null

  constructor(
    code: string,
    message: string,
    options: {
      retryable?: boolean
      cause?: unknown
      carrierCode?: string | null
      hint?: string | null
    } = {},
  ) {
    super(code, message, options)
    this.carrierCode = options.carrierCode ?? null
    this.hint = options.hint ?? null
  }
}

/** A speech or language provider failed. */
export class ProviderError extends AndreaError {}

/** The DSP core refused a request: a slot that is not open, a length or codec that does not exist. */
export class DspError extends AndreaError {}

/** The database is away or said no. */
export class StoreError extends AndreaError {}

/** An HTTP request that cannot be served; `status`, `field` and `hint` (what to do about it) reach the client. */
export class RequestError extends AndreaError {
  readonly status: number
  readonly field: string | null
  readonly hint: string | null

  constructor(
    status: number,
    code: string,
    message: string,
    options: { field?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(code, message, options)
    this.status = status
    this.field = options.field ?? null
    this.hint = options.hint ?? null
  }
}

/** The text of anything thrown, for logs: never `[object Object]`. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The reason for which whatever may still be open behind an answer is aborted. One for all: abort() would make one each time, with a trace. */
export const OVER = new DOMException('This is over', 'AbortError')
