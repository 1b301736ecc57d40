/**
 * Log: pino lines on standard output, JSON for machines and one readable line each when a person watches.
 *
 *   log.info({ callId }, 'call answered') ─► pino JSON line ─► mask ─► (text) ─► stdout
 *
 * Secrets are masked on the finished line, not in the objects that callers pass: a key inside an error message, a URL or a
 * child binding is caught as well, and no caller has to remember anything. Three nets: the values known to be secret, fields
 * whose name says so, and the shapes in which secrets travel (`Bearer …`, `token=…`, `postgres://user:password@`).
 */
import { pino, type Logger } from 'pino'
import type { LogLevel } from './config.ts'

export type Log = Logger

const MASK = '***'
/** Shorter secrets would mask ordinary words; config.ts asks for 16 characters where it can. */
const SECRET_MIN_CHARACTERS = 6

/** A JSON member with a telling name and a string, or a list of strings, as its value. `promptTokens: 12` is a number and stays. */
const SECRET_MEMBER =
  /"([^"\\]*(?:api[-_]?key|token|secret|password|authorization|cookie|signature))":(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\])/gi
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi
const QUERY = /\b((?:api[-_]?key|token|secret|password|signature|andrea_session)=)[^&\s"'\\;]+/gi
const URL_PASSWORD = /(\w:\/\/[^:/\s"@]*:)[^@/\s"]+@/g

/** Knows what must not be seen, and takes it out of text. */
export class SecretMask {
  readonly #secrets = new Set<string>()

  constructor(secrets: readonly string[] = []) {
    for (const secret of secrets) this.add(secret)
  }

  /** From now on `secret` is masked wherever it appears. */
  add(secret: string): void {
    if (secret.length < SECRET_MIN_CHARACTERS) return
    this.#secrets.add(secret)
    this.#secrets.add(JSON.stringify(secret).slice(1, -1))
    this.#secrets.add(encodeURIComponent(secret))
    this.#secrets.add(Buffer.from(secret).toString('base64'))
  }

  /** Takes out the values that are known, in every form in which they travel, and nothing else. */
  maskKnown(text: string): string {
    let clean = text
    for (const secret of this.#secrets) clean = clean.replaceAll(secret, MASK)
    return clean
  }

  mask(line: string): string {
    return this.maskKnown(line)
      .replace(SECRET_MEMBER, `"$1":"${MASK}"`)
      .replace(BEARER, `$1 ${MASK}`)
      .replace(QUERY, `$1${MASK}`)
      .replace(URL_PASSWORD, `$1${MASK}@`)
  }
}

export interface LogOptions {
  level: LogLevel
  mask?: SecretMask
  /** One line of text for people instead of JSON. Default: when standard output is a terminal. */
  text?: boolean
  /** Receives each finished line, newline included. Default: standard output. */
  write?: (line: string) => void
}

/** Makes the process's log. Parts get `log.child({ part: 'journal' })`. */
export function createLog(options: LogOptions): Log {
  const mask = options.mask ?? new SecretMask()
  const text = options.text ?? process.stdout.isTTY === true
  const write = options.write ?? ((line: string) => void process.stdout.write(line))
  return pino(
    { level: options.level, base: null, formatters: { level: (label) => ({ level: label }) } },
    {
      write(line: string) {
        const clean = mask.mask(line)
        write(text ? formatLine(clean) : clean)
      },
    },
  )
}

/** A log that says nothing: for tests and tools. */
export function silentLog(): Log {
  return pino({ level: 'silent' })
}

/** `17:03:02.120 info  call answered  callId=… ms=12`; an error's stack follows on its own lines. */
export function formatLine(line: string): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    // Masking a field inside an odd line can break its JSON; what is left is still worth reading.
    return line
  }
  if (typeof parsed !== 'object' || parsed === null) return line
  const { level, time, msg, err, ...fields } = parsed as Record<string, unknown>
  const clock = new Date(typeof time === 'number' ? time : 0).toISOString().slice(11, 23)
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${plain(value)}`)
  const stack = stackOf(err)
  return (
    [clock, String(level).padEnd(5), String(msg ?? ''), ...pairs].join(' ').trimEnd() +
    (stack === null ? '\n' : `\n${stack}\n`)
  )
}

function plain(value: unknown): string {
  return typeof value === 'string' && !/\s/.test(value) ? value : JSON.stringify(value)
}

function stackOf(err: unknown): string | null {
  if (typeof err !== 'object' || err === null) return null
  const { stack, message } = err as { stack?: unknown; message?: unknown }
  return typeof stack === 'string' ? stack : typeof message === 'string' ? message : null
}
