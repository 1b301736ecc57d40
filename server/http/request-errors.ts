/**
 * One error shape for everything that goes wrong with a request:
 *
 *   { "error": { code, message, hint?, field?, requestId } }
 *
 * Whatever is thrown below this middleware is turned into it. What we did not foresee is a 500 whose cause goes to the log and
 * never to the client; the request id joins the two.
 */
import type { Middleware, ParameterizedContext } from 'koa'
import { z } from 'zod'
import { AndreaError, errorText, RequestError, StoreError } from '../errors.ts'
import type { Log } from '../log.ts'
import { isDatabaseAway } from '../store/database.ts'
import type { HttpState } from './http-state.ts'

export const errorBody = z
  .object({
    error: z.object({
      code: z.string().meta({ description: 'Stable, for programs', example: 'NOT_FOUND' }),
      message: z.string().meta({ description: 'For people' }),
      hint: z.string().optional().meta({ description: 'What to do about it' }),
      field: z.string().optional().meta({ description: 'Path of the field that is wrong' }),
      requestId: z.string().meta({ description: 'Also in the header X-Request-Id' }),
    }),
  })
  .meta({ id: 'Error' })

interface Problem {
  status: number
  code: string
  message: string
  hint?: string | undefined
  field?: string | undefined
}

/** Codes for statuses that libraries below us throw (body parser, file sender, router). */
const LIBRARY_PROBLEMS: Record<number, Omit<Problem, 'status'>> = {
  400: { code: 'BAD_REQUEST', message: 'The request cannot be read.' },
  403: { code: 'FORBIDDEN', message: 'This address is not served.' },
  404: { code: 'NOT_FOUND', message: 'There is nothing at this address.' },
  413: {
    code: 'BODY_TOO_LARGE',
    message: 'The body is larger than this address takes.',
    hint: 'JSON bodies may have 256 kB, forms 64 kB.',
  },
  415: {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    message: 'The body has a type, encoding or character set that this address does not take.',
  },
  501: { code: 'METHOD_UNKNOWN', message: 'This method is not known here.' },
}

const INTERNAL: Problem = {
  status: 500,
  code: 'INTERNAL',
  message: 'The server failed to answer; the reason is in its log under this request id.',
}

const AWAY: Problem = {
  status: 503,
  code: 'STORE_UNAVAILABLE',
  message: 'The database does not answer at the moment.',
  hint: 'Calls go on; try again in a few seconds.',
}

/** The outermost middleware but for the request log. */
export function answerErrors(log: Log): Middleware<HttpState> {
  return async (ctx, next) => {
    try {
      await next()
      refuseUnanswered(ctx)
    } catch (error) {
      const problem = problemOf(error)
      const { requestId } = ctx.state
      if (problem === INTERNAL) log.error({ err: error, requestId }, 'request failed')
      if (problem === AWAY) log.warn({ reason: errorText(error), requestId }, 'database away')
      writeProblem(ctx, problem)
    }
  }
}

/** Nobody answered: the address does not exist, or not with this method. */
function refuseUnanswered(ctx: ParameterizedContext<HttpState>): void {
  if (ctx.body != null || ctx.respond === false) return
  if (ctx.status === 404) {
    throw new RequestError(404, 'NOT_FOUND', `There is nothing at ${ctx.path}.`)
  }
  if (ctx.status === 405) {
    const message = `${ctx.path} does not take ${ctx.method}; it takes ${ctx.response.get('Allow')}.`
    throw new RequestError(405, 'METHOD_NOT_ALLOWED', message)
  }
  if (ctx.status === 501) {
    throw new RequestError(501, 'METHOD_UNKNOWN', 'This method is not known here.')
  }
}

function writeProblem(ctx: ParameterizedContext<HttpState>, problem: Problem): void {
  const { status, ...shown } = problem
  // A file sender may have described the file that it then failed to open.
  for (const name of ['Content-Encoding', 'Content-Length', 'Content-Type', 'Last-Modified']) {
    ctx.remove(name)
  }
  ctx.status = status
  ctx.set('Cache-Control', 'no-store')
  if (status === 401) ctx.set('WWW-Authenticate', 'ApiKey')
  if (status === 503) ctx.set('Retry-After', '5')
  ctx.body = { error: { ...shown, requestId: ctx.state.requestId } } satisfies z.input<
    typeof errorBody
  >
}

function problemOf(error: unknown): Problem {
  if (error instanceof RequestError) {
    const { status, code, message, field, hint } = error
    return { status, code, message, field: field ?? undefined, hint: hint ?? undefined }
  }
  if (error instanceof StoreError) return storeProblem(error)
  if (isDatabaseAway(error)) return AWAY
  if (!(error instanceof AndreaError)) {
    const library = libraryProblem(error)
    if (library !== null) return library
  }
  return INTERNAL
}

function storeProblem(error: StoreError): Problem {
  if (error.code === 'STORE_VERSION_CONFLICT') {
    return {
      status: 409,
      code: error.code,
      message: error.message,
      field: 'baseVersion',
    }
  }
  if (/_NOT_FOUND$/.test(error.code)) {
    return { status: 404, code: 'NOT_FOUND', message: error.message }
  }
  return error.retryable ? AWAY : INTERNAL
}

function libraryProblem(error: unknown): Problem | null {
  if (!(error instanceof Error)) return null
  const { status, code } = error as Error & { status?: unknown; code?: unknown }
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return { status: 400, code: 'BAD_REQUEST', message: 'The body cannot be decompressed.' }
  }
  if (status === 400 && error instanceof SyntaxError) {
    return { status: 400, code: 'INVALID_JSON', message: `The body is not JSON: ${error.message}` }
  }
  if (typeof status !== 'number' || status < 400) return null
  const known = LIBRARY_PROBLEMS[status]
  if (known !== undefined) return { status, ...known }
  return status < 500 ? { status, code: 'BAD_REQUEST', message: error.message } : null
}

/** @throws RequestError 422 INVALID_REQUEST naming the first wrong field; the hint lists further ones */
export function parseRequest<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const [first, ...others] = parsed.error.issues.map((issue) => ({
    field: fieldOf(issue),
    message: issue.message,
  }))
  const names = others.map((other) => other.field).filter((field) => field !== '')
  throw new RequestError(422, 'INVALID_REQUEST', first?.message ?? 'The request is not valid.', {
    ...(first === undefined || first.field === '' ? {} : { field: first.field }),
    ...(names.length === 0 ? {} : { hint: `Also wrong: ${names.slice(0, 20).join(', ')}.` }),
  })
}

function fieldOf(issue: z.core.$ZodIssue): string {
  const extra = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  return [...issue.path, ...extra].map(String).join('.')
}
