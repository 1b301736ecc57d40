/**
 * Every codec that a Telnyx account may be set to, both ways, on one server with an account each: a tone code goes through
 * the whole media path, is echoed, and is found again frame by frame. Another codec, or another byte order, would be noise.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EchoProbe } from '../../bench/rig/echo-probe.ts'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TelnyxCall } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { ToneCode } from '../../bench/rig/tone-code.ts'
import { freshDatabase } from '../support/postgres.ts'

const ACCOUNTS = [
  { name: 'mulaw', codec: 'PCMU', l16ByteOrder: 'big' },
  { name: 'alaw', codec: 'PCMA', l16ByteOrder: 'big' },
  { name: 'wide', codec: 'L16', l16ByteOrder: 'big' },
  { name: 'wide-little', codec: 'L16', l16ByteOrder: 'little' },
] as const
const CODE_FRAMES = 100

describe('audio through Telnyx', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let carriers: TelnyxCarrier[]
  let server: ServerProcess
  const pacer = new Pacer()

  beforeAll(async () => {
    database = await freshDatabase()
    carriers = await Promise.all(ACCOUNTS.map(() => TelnyxCarrier.open()))
    const accounts = ACCOUNTS.map((account, i) => ({
      ...account,
      apiKey: `KEY-${account.name}`,
      publicKey: carriers[i]?.publicKey,
      apiBaseUrl: `${carriers[i]?.rest.url}/v2`,
    }))
    server = await ServerProcess.start({
      env: {
        ...{ TELNYX_ACCOUNTS: JSON.stringify(accounts), DATABASE_URL: database.url },
        ...{ MEDIA_ECHO: '1', LOG_LEVEL: 'warn' },
      },
    })
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await Promise.all((carriers ?? []).map((carrier) => carrier.close()))
    await database?.drop()
  })

  it.each(ACCOUNTS)(
    'in $codec ($l16ByteOrder) comes back as it was sent, on the account $name',
    async ({ name, codec, l16ByteOrder }) => {
      const at = ACCOUNTS.findIndex((account) => account.name === name)
      const carrier = carriers[at]!
      const probe = new EchoProbe(new ToneCode(7), { callIndex: at, codeFrames: CODE_FRAMES })
      const call = await TelnyxCall.place({
        ...{ carrier, pacer, server: server.url, signed: true, record: false, l16ByteOrder },
        ...{ from: '+523312345678', to: '+525587654321' },
        probe,
      })
      expect(call.streams).toMatchObject([
        { stream_codec: codec, stream_bidirectional_codec: codec },
      ])
      expect(carrier.rest.seen.map(({ authorization }) => authorization)).toEqual([
        ...[`Bearer KEY-${name}`, `Bearer KEY-${name}`],
      ])
      while (!probe.isSent) await new Promise((resolve) => setTimeout(resolve, 50))
      // What is on its way arrives, or is late on a busy machine: half of it proves the codec.
      const heard = call.receivedFrames
      while (call.receivedFrames < heard + 10) await new Promise((r) => setTimeout(r, 50))
      await call.hangup()
      const { matched, damaged } = probe.finish()
      expect(matched).toBeGreaterThan(CODE_FRAMES / 2)
      expect(damaged).toBeLessThan(CODE_FRAMES / 4)
      expect(call.warnings.size).toBe(0)
    },
    120_000,
  )
})
