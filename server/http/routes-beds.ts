/** Beds: background sounds to choose from; list, hear, upload, delete. */
import { z } from 'zod'
import { BedError } from '../beds/wav-file.ts'
import { RequestError } from '../errors.ts'
import type { AppDeps } from './app-deps.ts'
import type { AgentSettings } from '../agent-settings.ts'
import { route, type Route } from './route.ts'
import { pcmWav } from '../media/pcm-wav.ts'

/** Five minutes of stereo at 16 kHz and 16 bits, or one at 44.1 kHz. */
export const BED_MAX_BYTES = 10 * 1_048_576
const BED_RATE_HZ = 16_000

const bedName = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,39}$/u, '1 to 40 letters, digits, spaces, . _ -')
const byName = z.object({ name: z.string().min(1).max(60) })

const bed = z
  .object({
    name: z.string().meta({ description: 'What backgroundSound is set to' }),
    builtIn: z.boolean(),
    durationMs: z.number(),
    author: z.string().nullable(),
    createdAt: z.number().nullable(),
  })
  .meta({ id: 'Bed' })

/** Of each refusal; 422 where the file is at fault. */
const STATUS: Readonly<Record<string, number>> = {
  BED_NAME_TAKEN: 409,
  BED_IN_USE: 409,
  BED_BUILT_IN: 409,
  BED_MEMORY_FULL: 409,
  BED_NOT_WAV: 415,
}

export function bedRoutes({ beds }: AppDeps): Route[] {
  if (beds === undefined) return []
  return [
    route({
      method: 'GET',
      path: '/api/v1/beds',
      summary: 'Background sounds, and how much memory the uploaded ones take',
      tag: 'beds',
      access: 'key',
      answer: {
        status: 200,
        description: 'Beds',
        json: z.object({
          items: z.array(bed),
          memory: z.object({ usedBytes: z.int(), limitBytes: z.int() }),
        }),
      },
      respond: async () => ({ items: await beds.list(), memory: beds.memory }),
    }),
    uploadRoute(beds),
    route({
      method: 'GET',
      path: '/api/v1/beds/:name/audio',
      summary: 'Hear a background sound: its loop once, as a WAV file',
      tag: 'beds',
      access: 'key',
      params: byName,
      answer: { status: 200, description: 'Audio', mediaType: 'audio/wav' },
      async respond({ params, ctx }) {
        const pcm = await beds.pcm(params.name)
        if (pcm === null) throw notFound(params.name)
        ctx.type = 'audio/wav'
        ctx.body = pcmWav(pcm, BED_RATE_HZ)
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/v1/beds/:name',
      summary: 'Delete an uploaded background sound that no agent uses',
      tag: 'beds',
      access: 'key',
      params: byName,
      answer: { status: 204, description: 'Deleted' },
      errors: [409],
      async respond({ params }) {
        if (!(await refusing(() => beds.remove(params.name)))) throw notFound(params.name)
      },
    }),
  ]
}

function uploadRoute(beds: NonNullable<AppDeps['beds']>): Route {
  return route({
    method: 'POST',
    path: '/api/v1/beds',
    summary: 'Upload a background sound: a WAV file of 2 s to 5 min',
    tag: 'beds',
    access: 'key',
    query: z.object({ name: bedName }),
    upload: {
      mediaTypes: ['audio/wav', 'audio/x-wav', 'audio/wave', 'audio/vnd.wave'],
      maxBytes: BED_MAX_BYTES,
    },
    answer: { status: 201, description: 'The bed', json: bed },
    errors: [409],
    respond: ({ query, ctx }) =>
      refusing(() =>
        beds.add({
          name: query.name,
          file: ctx.state.upload ?? new Uint8Array(0),
          author: ctx.state.identity?.name ?? 'unknown',
        }),
      ),
  })
}

/** @throws RequestError 422 naming the first background sound that is not there */
export function requireBeds(beds: AppDeps['beds'], settings: AgentSettings): void {
  if (beds === undefined) return
  const places = [
    ['base', settings.base.backgroundSound] as const,
    ...Object.entries(settings.profiles).map(
      ([profile, values]) => [`profiles.${profile}`, values.backgroundSound] as const,
    ),
  ]
  for (const [place, name] of places) {
    if (name === undefined || beds.has(name)) continue
    throw new RequestError(422, 'BED_UNKNOWN', `There is no background sound called ${name}.`, {
      field: `settings.${place}.backgroundSound`,
      hint: 'GET /api/v1/beds lists them; upload it first.',
    })
  }
}

function notFound(name: string): RequestError {
  return new RequestError(404, 'BED_NOT_FOUND', `There is no background sound called ${name}.`)
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BedError)) throw error
    const { code, message, hint } = error
    throw new RequestError(STATUS[code] ?? 422, code, message, { hint, cause: error })
  }
}
