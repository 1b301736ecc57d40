/**
 * Sends a recording, whole or one range of it: players jump inside a long call without loading what they skip.
 *
 * The path comes from our own store, yet nothing outside the data directory is ever sent.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve } from 'node:path'
import { RequestError } from '../errors.ts'
import type { HttpContext } from './http-state.ts'

export interface ByteRange {
  first: number
  last: number
}

/**
 * The range that a Range header asks for, in a file of `sizeBytes`.
 *
 * @returns null when the whole file is to be sent (no header, several ranges, another unit); 'unsatisfiable' for 416
 */
export function parseRange(header: string, sizeBytes: number): ByteRange | null | 'unsatisfiable' {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim())
  if (match === null) return null
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return null
  if (from === '') {
    const length = Math.min(Number(to), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { first: sizeBytes - length, last: sizeBytes - 1 }
  }
  const first = Number(from)
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1)
  if (to !== '' && Number(to) < first) return null
  return first >= sizeBytes ? 'unsatisfiable' : { first, last }
}

/** The file of a stored path, or null when it would lie outside of `dataDir`. */
export function recordingPath(dataDir: string, stored: string): string | null {
  const path = resolve(dataDir, stored)
  const inside = relative(dataDir, path)
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? null : path
}

/** @throws RequestError 404 RECORDING_GONE, 416 RANGE_NOT_SATISFIABLE */
export async function sendRecording(ctx: HttpContext, path: string | null): Promise<void> {
  const facts = path === null ? null : await stat(path).catch(() => null)
  if (path === null || facts === null || !facts.isFile()) {
    throw new RequestError(404, 'RECORDING_GONE', 'The recording is no longer on the disk.')
  }
  const modified = facts.mtime.toUTCString()
  ctx.type = 'audio/wav'
  ctx.set('Accept-Ranges', 'bytes')
  ctx.set('Last-Modified', modified)
  ctx.set('Cache-Control', 'private, no-cache')
  const unchanged = ctx.get('If-Range') === '' || ctx.get('If-Range') === modified
  const range = unchanged ? parseRange(ctx.get('Range'), facts.size) : null
  if (range === 'unsatisfiable') {
    ctx.set('Content-Range', `bytes */${facts.size}`)
    throw new RequestError(416, 'RANGE_NOT_SATISFIABLE', `The recording has ${facts.size} bytes.`)
  }
  if (range === null) {
    ctx.length = facts.size
    ctx.body = ctx.method === 'HEAD' ? '' : createReadStream(path)
    if (ctx.method === 'HEAD') ctx.length = facts.size
    return
  }
  ctx.status = 206
  ctx.set('Content-Range', `bytes ${range.first}-${range.last}/${facts.size}`)
  ctx.body =
    ctx.method === 'HEAD' ? '' : createReadStream(path, { start: range.first, end: range.last })
  ctx.length = range.last - range.first + 1
}
