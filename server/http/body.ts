/**
 * Bodies: read only where a route wants one, after the client was let in, and never more than the limit.
 *
 * Carriers' forms are kept as raw text: a signature covers every value, empty and repeated ones too, and any parser that makes
 * an object of them loses some.
 */
import { bodyParser } from '@koa/bodyparser'
import type { Middleware } from 'koa'
import { RequestError } from '../errors.ts'
import type { HttpState } from './http-state.ts'
import type { Upload } from './route.ts'

/** The largest agent has 100 kB of prompts and phrases. */
export const JSON_MAX_BYTES = 262_144
export const FORM_MAX_BYTES = 65_536
const FORM = 'application/x-www-form-urlencoded'
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE']

const parseJson = bodyParser({
  enableTypes: ['json'],
  jsonLimit: JSON_MAX_BYTES,
  parsedMethods: METHODS,
})
const readText = bodyParser({
  enableTypes: ['text'],
  extendTypes: { text: [FORM, 'application/json'] },
  textLimit: FORM_MAX_BYTES,
  parsedMethods: METHODS,
})

/** Puts the parsed JSON into ctx.request.body. Errors: 400, 413, 415. */
export const jsonBody = only('application/json', parseJson)

/** Puts a carrier's form or JSON, as it came, into ctx.request.rawBody. Errors: 413, 415. */
export const webhookText = only([FORM, 'application/json'], readText)

/** Puts a file into ctx.state.upload. Errors: 413, 415. */
export function uploadBody(upload: Upload): Middleware<HttpState> {
  const megabytes = Math.floor(upload.maxBytes / 1_048_576)
  const tooLarge = () =>
    new RequestError(413, 'FILE_TOO_LARGE', `The file is larger than ${megabytes} MB.`, {
      hint: 'Cut it, or save it as mono at a lower rate.',
    })
  return async (ctx, next) => {
    if (ctx.request.is([...upload.mediaTypes]) === false) {
      const [first] = upload.mediaTypes
      throw new RequestError(415, 'UNSUPPORTED_MEDIA_TYPE', `The body must be ${first}.`, {
        hint: `Send the file itself as the body, with the header Content-Type: ${first}.`,
      })
    }
    if ((ctx.request.length ?? 0) > upload.maxBytes) throw tooLarge()
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of ctx.req as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > upload.maxBytes) throw tooLarge()
      pieces.push(piece)
    }
    ctx.state.upload = Buffer.concat(pieces)
    await next()
  }
}

function only(mediaTypes: string | string[], parse: Middleware): Middleware<HttpState> {
  return async (ctx, next) => {
    const mediaType = [mediaTypes].flat().join(' or ')
    if (ctx.request.is([mediaTypes].flat()) === false) {
      throw new RequestError(415, 'UNSUPPORTED_MEDIA_TYPE', `The body must be ${mediaType}.`, {
        hint: `Send the header Content-Type: ${mediaType}.`,
      })
    }
    await parse(ctx, next)
  }
}
