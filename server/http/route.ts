/**
 * Routes: each address is one value that says what it takes, who may use it and what it answers.
 *
 *   route({ … zod schemas … }) ─┬─► @koa/router   parses requests with the schemas
 *                               └─► openapi.ts    documents them with the same schemas
 *
 * So the documentation cannot differ from the behaviour, and an address without documentation cannot exist.
 * Order per request: access (401, 403, 429), then body (413, 415, 400), then schemas (404 for the path, 422), then respond().
 */
import { z } from 'zod'
import { RequestError } from '../errors.ts'
import type { HttpContext } from './http-state.ts'
import { parseRequest } from './request-errors.ts'

export type Tag =
  'session' | 'status' | 'agents' | 'beds' | 'prices' | 'calls' | 'media' | 'webhooks' | 'probes'

export interface Answer<A> {
  status: number
  description: string
  /** JSON of the answer; absent when respond() writes something else, or nothing. */
  json?: A
  /** Media type of an answer that is not JSON. */
  mediaType?: string
}

/** A file as the whole body. */
export interface Upload {
  /** The first is what the documentation says. */
  mediaTypes: readonly string[]
  maxBytes: number
}

export interface RouteSpec<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  A extends z.ZodType,
> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Router syntax: `/api/v1/agents/:id`. */
  path: string
  summary: string
  tag: Tag
  /** open: everybody; key: API key or session; login: open but counted per address; webhook: a carrier. */
  access: 'open' | 'key' | 'login' | 'webhook'
  params?: P
  query?: Q
  body?: B
  /** Instead of a JSON body; respond() finds it in ctx.state.upload. */
  upload?: Upload
  answer: Answer<A>
  /** Statuses that this route answers besides those that every route may. */
  errors?: readonly number[]
  respond(request: {
    params: z.output<P>
    query: z.output<Q>
    body: z.output<B>
    ctx: HttpContext
  }): z.input<A> | Promise<z.input<A>>
}

/** A route whose types are settled: what the router and the document need of it. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  summary: string
  tag: Tag
  access: 'open' | 'key' | 'login' | 'webhook'
  params: z.ZodType | null
  query: z.ZodType | null
  body: z.ZodType | null
  upload: Upload | null
  answer: Answer<z.ZodType>
  errors: readonly number[]
  run(ctx: HttpContext): Promise<void>
}

/** Describes one address. `respond` gets parsed values only and returns the JSON of `answer`, or writes `ctx.body` itself. */
export function route<
  P extends z.ZodType = z.ZodVoid,
  Q extends z.ZodType = z.ZodVoid,
  B extends z.ZodType = z.ZodVoid,
  A extends z.ZodType = z.ZodVoid,
>(spec: RouteSpec<P, Q, B, A>): Route {
  return {
    ...spec,
    params: spec.params ?? null,
    query: spec.query ?? null,
    body: spec.body ?? null,
    upload: spec.upload ?? null,
    answer: spec.answer,
    errors: spec.errors ?? [],
    async run(ctx) {
      const params = parsePath(spec.params, ctx)
      const query = parseRequest(spec.query ?? z.unknown(), { ...ctx.query }) as z.output<Q>
      const body = parseRequest(spec.body ?? z.unknown(), ctx.request.body) as z.output<B>
      ctx.status = spec.answer.status
      const json = await spec.respond({ params, query, body, ctx })
      if (json !== undefined) ctx.body = json
      else if (ctx.body == null && spec.answer.status === 204) ctx.body = null
    },
  }
}

/** An id that cannot be one names nothing that exists: 404, not 422. */
function parsePath<P extends z.ZodType>(schema: P | undefined, ctx: HttpContext): z.output<P> {
  const parsed = (schema ?? z.unknown()).safeParse(ctx.params)
  if (!parsed.success) {
    throw new RequestError(404, 'NOT_FOUND', `There is nothing at ${ctx.path}.`)
  }
  return parsed.data as z.output<P>
}
