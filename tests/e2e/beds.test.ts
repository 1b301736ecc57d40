/**
 * Uploaded beds from end to end: a real server on real PostgreSQL takes a file, an agent is published
 * with it, a call hears it, a restart keeps it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TwilioCall } from '../../bench/rig/twilio-caller.ts'
import { toneOf, wavOf, write16 } from '../beds/wav-files.ts'
import { amplitudeAt, rms } from '../dsp/signals.ts'
import { freshDatabase } from '../support/postgres.ts'

const SHAPE = { kind: 1, bits: 16, channels: 2, chunks: true } as const
const TONE_HZ = 1_100

describe('an uploaded bed', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let server: ServerProcess

  const start = () =>
    ServerProcess.start({
      env: {
        DATABASE_URL: database.url,
        LOG_LEVEL: 'warn',
        BED_MEMORY_MB: '1',
        // Nothing is said or understood in these calls.
        ADMIN_API_KEY: 'beds-test-key-0123456789abcdef',
      },
    })
  beforeAll(async () => {
    database = await freshDatabase()
    server = await start()
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await database?.drop()
  })

  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${server.url}/api/v1${path}`, {
      ...init,
      headers: { 'x-api-key': server.adminKey, ...init.headers },
    })
  const upload = (name: string, file: Uint8Array, type = 'audio/wav'): Promise<Response> =>
    ask(`/beds?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: Uint8Array.from(file),
    })
  async function refusal(reply: Promise<Response>): Promise<[status: number, code: string]> {
    const response = await reply
    const body = (await response.json()) as { error: { code: string; message: string } }
    return [response.status, body.error.code]
  }
  const wav = (sec: number, rateHz: number): Uint8Array =>
    wavOf(toneOf(sec, rateHz, TONE_HZ), { ...SHAPE, rateHz }, write16)

  /** Resolves once a second of what the user hears is the bed's tone. @throws Error after 30 s */
  async function hearsTone(): Promise<void> {
    const call = await TwilioCall.place({
      ...{ server: server.url, publicUrl: server.url, authToken: null },
      ...{ pacer: new Pacer(), record: true, from: '+525500000001', to: '+525587654321' },
    })
    let share = 0
    for (let polls = 0; polls < 60 && !(share > 0.6); polls++) {
      await new Promise((resolve) => setTimeout(resolve, 500))
      call.playOut.listen(performance.now())
      const heard = call.playOut.recording().subarray(-8_000)
      share = amplitudeAt(heard, TONE_HZ, 8_000) / Math.SQRT2 / rms(heard)
    }
    await call.hangup()
    await call.ended
    if (!(share > 0.6)) throw new Error(`the tone is ${share} of what is heard`)
  }

  it('is taken, stereo at 44.1 kHz with other chunks, and listed beside the built-in ones', async () => {
    const made = await upload('Patio 2', wav(3, 44_100))
    expect(made.status).toBe(201)
    expect(await made.json()).toMatchObject({ name: 'Patio 2', builtIn: false })
    const list = (await (await ask('/beds')).json()) as {
      items: { name: string; builtIn: boolean }[]
      memory: { usedBytes: number; limitBytes: number }
    }
    expect(list.items.map((one) => one.name)).toEqual(['office', 'cafe', 'callcenter', 'Patio 2'])
    expect(list.memory.limitBytes).toBe(1_048_576)
    expect(list.memory.usedBytes).toBeGreaterThan(100_000)
    const sound = await ask('/beds/Patio%202/audio')
    expect(sound.headers.get('content-type')).toContain('audio/wav')
    expect((await sound.arrayBuffer()).byteLength).toBeGreaterThan(60_000)
  }, 120_000)

  it('that is no good is refused with what is wrong', async () => {
    expect(await refusal(upload('a', new Uint8Array(2_000)))).toEqual([415, 'BED_NOT_WAV'])
    expect(await refusal(upload('a', wav(3, 8_000), 'text/plain'))).toEqual([
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ])
    expect(await refusal(upload('a', wav(1, 8_000)))).toEqual([422, 'BED_TOO_SHORT'])
    expect(await refusal(upload('Patio 2', wav(3, 8_000)))).toEqual([409, 'BED_NAME_TAKEN'])
    expect(await refusal(upload('cafe', wav(3, 8_000)))).toEqual([409, 'BED_NAME_TAKEN'])
    expect(await refusal(upload('a/b', wav(3, 8_000)))).toEqual([422, 'INVALID_REQUEST'])
    expect(await refusal(upload('long', wav(40, 8_000)))).toEqual([409, 'BED_MEMORY_FULL'])
    const huge = new Uint8Array(10 * 1_048_576 + 1)
    expect(await refusal(upload('huge', huge))).toEqual([413, 'FILE_TOO_LARGE'])
    expect(await refusal(ask('/beds/office', { method: 'DELETE' }))).toEqual([409, 'BED_BUILT_IN'])
    expect(await refusal(ask('/beds/none-such', { method: 'DELETE' }))).toEqual([
      404,
      'BED_NOT_FOUND',
    ])
  }, 120_000)

  it('is heard by a call once an agent is published with it, and is not deleted meanwhile', async () => {
    const api = new ServerApi(server.url, server.adminKey)
    const quiet = { firstMessageMode: 'wait-for-user', backgroundVolume: 1 } as const
    await expect(api.configureAgent({ ...quiet, backgroundSound: 'no such bed' })).rejects.toThrow(
      /422|BED_UNKNOWN/,
    )
    await api.configureAgent({ ...quiet, backgroundSound: 'Patio 2' })
    await hearsTone()
    expect(await refusal(ask('/beds/Patio%202', { method: 'DELETE' }))).toEqual([409, 'BED_IN_USE'])
  }, 120_000)

  it('is there after a restart, and goes when no agent uses it', async () => {
    await server.stop()
    server = await start()
    await hearsTone()
    await new ServerApi(server.url, server.adminKey).configureAgent({ backgroundSound: 'none' })
    expect((await ask('/beds/Patio%202', { method: 'DELETE' })).status).toBe(204)
    expect(await refusal(ask('/beds/Patio%202/audio'))).toEqual([404, 'BED_NOT_FOUND'])
  }, 240_000)
})
