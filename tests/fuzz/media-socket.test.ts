/**
 * 2 000 foreign messages on the media sockets of one server, while a neighbour talks with Andrea:
 * what is wrong is counted, its own call goes on where the protocol allows it, and nobody else
 * notices.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { runScenario, type ScenarioResult } from '../../bench/rig/scenario-run.ts'
import type { Scenario } from '../../bench/rig/scenario.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { openVoice, type SpeechVoice } from '../../bench/rig/speech.ts'
import { TwilioCall, type CallerOptions } from '../../bench/rig/twilio-caller.ts'
import { freshDatabase } from '../support/postgres.ts'
import { ForeignMessages } from './foreign-messages.ts'

const SEED = 20_261_124
const MESSAGES = 2_000
const SOCKETS = 6
const AUTH_TOKEN = 'fuzz-auth-token-0123456789'

const NEIGHBOUR: Scenario = {
  name: 'neighbour',
  language: 'es-MX',
  from: '+523312345678',
  to: '+525587654321',
  agent: {},
  steps: [
    { waitForAgent: 8_000 },
    { waitForSilence: 1_200 },
    { say: 'Tengo un restaurante en Guadalajara.' },
    { waitForAgent: 10_000 },
    { waitForSilence: 1_200 },
    { hangup: true },
  ],
  expect: {},
}

describe('media socket', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let server: ServerProcess
  let voice: SpeechVoice
  let api: ServerApi
  const pacer = new Pacer()

  beforeAll(async () => {
    database = await freshDatabase()
    const env = { DATABASE_URL: database.url, TWILIO_AUTH_TOKEN: AUTH_TOKEN, LOG_LEVEL: 'error' }
    ;[server, voice] = await Promise.all([ServerProcess.start({ env }), openVoice()])
    api = new ServerApi(server.url, server.adminKey)
  })
  afterAll(async () => {
    await voice?.close()
    await server?.stop()
    await database?.drop()
  })

  const caller = (): CallerOptions => ({
    server: server.url,
    publicUrl: server.url,
    authToken: AUTH_TOKEN,
    pacer,
    record: false,
    from: '+525500000001',
    to: '+525587654321',
  })

  it('takes 2 000 foreign messages on 6 sockets, counts them, and a neighbour’s call goes on untouched', async () => {
    const before = await badInputs(api)
    const neighbour = runScenario({ ...caller(), scenario: NEIGHBOUR, voice })
    const sent = await fuzz(caller(), pacer)
    const result: ScenarioResult = await neighbour

    expect(sent.messages).toBe(MESSAGES)
    expect(sent.kinds.size).toBeGreaterThan(30)
    // About a quarter is legal at any time (odd lengths, jumping timestamps, unknown marks); the
    // rest must be counted.
    expect((await badInputs(api)) - before).toBeGreaterThan(MESSAGES / 2)
    expect(result.failures).toEqual([])
    expect(result.responsesMs).toHaveLength(1)
    expect(result.warnings).toEqual({})
    expect(result.end.by).toBe('user')
    const page = await api.finished(result.callSid)
    expect(page.call.endReason).toBe('userHangup')
    expect(page.turns.filter((turn) => turn.role === 'user')).toHaveLength(1)
  }, 120_000)

  it('stays healthy afterwards: no call is left over, and the next one is answered', async () => {
    const health = await fetch(`${server.url}/health`)
    expect(health.status).toBe(200)
    const next = await runScenario({
      ...caller(),
      scenario: { ...NEIGHBOUR, steps: [NEIGHBOUR.steps[0]!] },
      voice,
    })
    expect(next.greetingMs).not.toBeNull()
    await api.finished(next.callSid)
    expect(await liveCalls(api)).toBe(0)
  }, 60_000)
})

/**
 * One message per socket and frame, besides the frame itself: the 2 000 take 7 s, in which the
 * neighbour talks. A socket that its own message ended, or whose line broke, is opened again.
 */
async function fuzz(
  options: CallerOptions,
  pacer: Pacer,
): Promise<{ messages: number; kinds: Set<string> }> {
  const foreign = new ForeignMessages(SEED)
  const kinds = new Set<string>()
  let messages = 0
  const socket = async (): Promise<void> => {
    while (messages < MESSAGES) {
      const call = await TwilioCall.place(options)
      let isDoomed = false
      const leave = pacer.join(() => {
        if (isDoomed || call.isOver) return
        if (messages >= MESSAGES) return void call.hangup()
        const message = foreign.next(call.identity.streamSid)
        kinds.add(message.kind)
        messages++
        isDoomed = message.fatal
        if (message.kind === 'lineBreaks') call.drop()
        else call.sendRaw(message.data, { isText: message.asText })
      })
      await call.ended
      leave()
    }
  }
  await Promise.all(Array.from({ length: SOCKETS }, socket))
  return { messages, kinds }
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
