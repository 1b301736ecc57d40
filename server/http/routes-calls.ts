/** Calls: the history, one call with all that was said, its recording, and the hang-up button. */
import { rm } from 'node:fs/promises'
import { z } from 'zod'
import { errorText, RequestError } from '../errors.ts'
import { getAnalysis } from '../store/analyses.ts'
import { deleteCalls, getCall, listCalls, type CallRow } from '../store/calls.ts'
import type { Database } from '../store/database.ts'
import { listEvents } from '../store/events.ts'
import { getRecordingForCall } from '../store/recordings.ts'
import { listTurns } from '../store/turns.ts'
import type { AppDeps } from './app-deps.ts'
import { recordingPath, sendRecording } from './recording-file.ts'
import { route, type Route } from './route.ts'
import {
  analysis,
  byId,
  call,
  callEvent,
  callState,
  carrierName,
  optionalQuery,
  recordingLink,
  turn,
  uuid,
} from './schemas.ts'

const DELETE_MAX = 100

const listQuery = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  carrier: optionalQuery(carrierName),
  status: optionalQuery(callState.or(z.literal('live'))),
  search: optionalQuery(z.string().trim().max(100)).meta({
    description: 'Part of a number, a carrier call id or what was said',
  }),
})

export function callRoutes(deps: AppDeps): Route[] {
  return [
    listRoute(deps),
    oneRoute(deps),
    recordingRoute(deps),
    hangupRoute(deps),
    deleteRoute(deps),
  ]
}

function listRoute({ db }: AppDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/calls',
    summary: 'The call history, newest first',
    tag: 'calls',
    access: 'key',
    query: listQuery,
    answer: {
      status: 200,
      description: 'One page of calls',
      json: z.object({ items: z.array(call), total: z.int(), page: z.int(), limit: z.int() }),
    },
    async respond({ query }) {
      const { items, total } = await listCalls(db, query)
      return { items, total, page: query.page, limit: query.limit }
    },
  })
}

function oneRoute({ db }: AppDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/calls/:id',
    summary: 'A call with its turns, events and recording',
    tag: 'calls',
    access: 'key',
    params: byId,
    answer: {
      status: 200,
      description: 'Call',
      json: z.object({
        call,
        turns: z.array(turn),
        events: z.array(callEvent),
        recording: recordingLink.nullable(),
        analysis: analysis.nullable(),
      }),
    },
    async respond({ params: { id } }) {
      const [row, turns, events, recording, found] = await Promise.all([
        existingCall(db, id),
        listTurns(db, id),
        listEvents(db, id),
        getRecordingForCall(db, id),
        getAnalysis(db, id),
      ])
      return {
        call: row,
        turns,
        events,
        analysis: found,
        recording:
          recording === null
            ? null
            : {
                durationMs: recording.durationMs,
                channels: recording.channels,
                url: `/api/v1/calls/${id}/recording`,
              },
      }
    },
  })
}

function recordingRoute({ db, config }: AppDeps): Route {
  return route({
    method: 'GET',
    path: '/api/v1/calls/:id/recording',
    summary: 'The recording: stereo WAV, user left, agent right; ranges are served',
    tag: 'calls',
    access: 'key',
    params: byId,
    answer: { status: 200, description: 'Audio', mediaType: 'audio/wav' },
    errors: [416],
    async respond({ params: { id }, ctx }) {
      const recording = await getRecordingForCall(db, id)
      if (recording === null) {
        throw new RequestError(404, 'RECORDING_NOT_FOUND', 'This call has no recording.')
      }
      ctx.set('Content-Disposition', `inline; filename="andrea-${id}.wav"`)
      await sendRecording(ctx, recordingPath(config.dataDir, recording.path))
    },
  })
}

function hangupRoute({ db, calls }: AppDeps): Route {
  return route({
    method: 'POST',
    path: '/api/v1/calls/:id/hangup',
    summary: 'End a live call',
    tag: 'calls',
    access: 'key',
    params: byId,
    answer: {
      status: 202,
      description: 'The call is ending',
      json: z.object({ id: uuid, status: z.literal('ending') }),
    },
    errors: [409],
    async respond({ params: { id } }) {
      if (calls.hangup(id)) return { id, status: 'ending' as const }
      await existingCall(db, id)
      throw new RequestError(409, 'CALL_NOT_LIVE', 'This call is already over.')
    },
  })
}

function deleteRoute({ db, config, log }: AppDeps): Route {
  return route({
    method: 'DELETE',
    path: '/api/v1/calls',
    summary: `Delete up to ${DELETE_MAX} calls with all that belongs to them; live calls stay`,
    tag: 'calls',
    access: 'key',
    body: z.strictObject({ ids: z.array(uuid).min(1).max(DELETE_MAX) }),
    answer: {
      status: 200,
      description: 'How many went',
      json: z.object({ deleted: z.int() }),
    },
    async respond({ body: { ids } }) {
      const { deleted, recordingPaths } = await deleteCalls(db, ids)
      // Rows first: a file without a row is a leftover, a row without its file is an error to the reader.
      for (const stored of recordingPaths) {
        const path = recordingPath(config.dataDir, stored)
        if (path === null) continue
        await rm(path, { force: true }).catch((error: unknown) => {
          log.warn({ path, reason: errorText(error) }, 'recording file not deleted')
        })
      }
      return { deleted }
    },
  })
}

async function existingCall(db: Database, id: string): Promise<CallRow> {
  const found = await getCall(db, id)
  if (found === null) throw new RequestError(404, 'CALL_NOT_FOUND', 'There is no such call.')
  return found
}
