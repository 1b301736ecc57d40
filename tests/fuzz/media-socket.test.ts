/**
 * 10 000 foreign messages through each carrier on the media sockets of one server, while a neighbour is on the line: what
 * is wrong is counted, its own call goes on where the protocol allows it, and nobody else notices.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TelnyxCall } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { TwilioCall, type CallerOptions } from '../../bench/rig/twilio-caller.ts'
import { freshDatabase } from '../support/postgres.ts'
import { ForeignMessages } from './foreign-messages.ts'

const SEED = 20_261_124
const MESSAGES_EACH = 10_000
const SOCKETS_EACH = 3
/** Per socket and 20 ms: no more than a slow machine reads in that time would wait in the kernel, which is fine too. */
const BURST = 10
const AUTH_TOKEN = 'fuzz-auth-token-0123456789'

type FuzzedCall = TwilioCall | TelnyxCall

describe('media socket', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let carrier: TelnyxCarrier
  let server: ServerProcess
  let api: ServerApi
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, carrier] = await Promise.all([freshDatabase(), TelnyxCarrier.open()])
    // A machine that is busy with this test must not turn its own calls away.
    const load = { LOAD_CONTROL: '0', LOG_LEVEL: 'error' }
    const env = { ...carrier.env, ...load, DATABASE_URL: database.url }
    server = await ServerProcess.start({ env: { ...env, TWILIO_AUTH_TOKEN: AUTH_TOKEN } })
    api = new ServerApi(server.url, server.adminKey)
  }, 120_000)
  afterAll(async () => {
    await server?.stop()
    await carrier?.close()
    await database?.drop()
  })

  const caller = (): CallerOptions => ({
    ...{ server: server.url, publicUrl: server.url, authToken: AUTH_TOKEN, pacer, record: false },
    ...{ from: '+525500000001', to: '+525587654321' },
  })
  const places = {
    twilio: (): Promise<FuzzedCall> => TwilioCall.place(caller()),
    telnyx: (): Promise<FuzzedCall> => TelnyxCall.place({ ...caller(), carrier, signed: true }),
  }

  it('takes 10 000 foreign messages of each of two carriers on 6 sockets, counts them, and a neighbour’s call goes on', async () => {
    const before = await badInputs(api)
    const neighbour = await TwilioCall.place(caller())
    await until(() => neighbour.receivedFrames > 10)
    const sent = await Promise.all([
      fuzz('twilio', places.twilio, pacer),
      fuzz('telnyx', places.telnyx, pacer),
    ])

    expect(sent.map(({ messages }) => messages)).toEqual([MESSAGES_EACH, MESSAGES_EACH])
    for (const { kinds } of sent) expect(kinds.size).toBeGreaterThan(30)
    // About a quarter is legal at any time (odd lengths, jumping timestamps, unknown marks); the
    // rest must be counted.
    expect((await badInputs(api)) - before).toBeGreaterThan(MESSAGES_EACH)
    // The neighbour presses a key, and the agent answers.
    const heard = neighbour.receivedFrames
    neighbour.pressDigit('1')
    neighbour.pressDigit('#')
    await until(() => neighbour.receivedFrames > heard + 10)
    expect(neighbour.isOver).toBe(false)
    expect(neighbour.warnings.size).toBe(0)
    expect((await neighbour.hangup()).by).toBe('user')
    const page = await api.finished(neighbour.carrierCallId)
    expect(page.call.endReason).toBe('userHangup')
  }, 120_000)

  it('stays healthy afterwards: no call is left over, and the next one is answered', async () => {
    const health = await fetch(`${server.url}/health`)
    expect(health.status).toBe(200)
    for (const place of Object.values(places)) {
      const next = await place()
      await until(() => next.receivedFrames > 10)
      await next.hangup()
      await api.finished(next.carrierCallId)
    }
    while ((await liveCalls(api)) > 0) await pause()
  }, 60_000)
})

/** Bursts on several sockets until all are sent. A socket that its own message ended, or whose line broke, comes again. */
async function fuzz(
  carrier: 'twilio' | 'telnyx',
  place: () => Promise<FuzzedCall>,
  pacer: Pacer,
): Promise<{ messages: number; kinds: Set<string> }> {
  const foreign = new ForeignMessages(SEED, carrier)
  const kinds = new Set<string>()
  let messages = 0
  /** Sends some; false when the stream will not outlive the last one. */
  const burst = (call: FuzzedCall): boolean => {
    for (let i = 0; i < BURST && messages < MESSAGES_EACH; i++) {
      const message = foreign.next(streamOf(call))
      kinds.add(message.kind)
      messages++
      if (message.kind === 'lineBreaks') call.drop()
      else call.sendRaw(message.data, { isText: message.asText })
      if (message.fatal) return false
    }
    return true
  }
  const socket = async (): Promise<void> => {
    while (messages < MESSAGES_EACH) {
      const call = await place()
      // A Telnyx call outlives its stream and gets another one.
      let doomed: string | null = null
      const step = (): void => {
        if (call.isOver) return
        if (messages >= MESSAGES_EACH) return void call.hangup()
        const stream = streamOf(call)
        if (stream !== doomed && !burst(call)) doomed = stream
      }
      const leave = pacer.join({ step })
      await call.ended
      leave()
    }
  }
  await Promise.all(Array.from({ length: SOCKETS_EACH }, socket))
  return { messages, kinds }
}

function streamOf(call: FuzzedCall): string {
  return call instanceof TwilioCall ? call.identity.streamSid : call.identity.streamId
}

async function badInputs(api: ServerApi): Promise<number> {
  return sumOf(await api.metrics(), 'andrea_bad_inputs_total')
}

async function liveCalls(api: ServerApi): Promise<number> {
  return sumOf(await api.metrics(), 'andrea_live_calls')
}

function sumOf(metrics: string, name: string): number {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 20))

/** Waits as long as the test may take. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await pause()
}
