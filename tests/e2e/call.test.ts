/**
 * The whole call: a real server with its own PostgreSQL and embedded providers, a simulated Twilio,
 * a user who really speaks. What the user heard, what the API tells and what was recorded must
 * agree.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import {
  checkExpectations,
  runScenario,
  type ScenarioResult,
} from '../../bench/rig/scenario-run.ts'
import { readScenario, type Scenario } from '../../bench/rig/scenario.ts'
import { ServerApi, type ApiCallPage } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { openVoice, type SpeechVoice } from '../../bench/rig/speech.ts'
import { transcribe } from '../../bench/rig/transcribe.ts'
import { postForm } from '../../bench/rig/twilio-webhook.ts'
import { audibleSpan } from '../../bench/rig/voice-activity.ts'
import { decodeWav } from '../../bench/rig/wav.ts'

const AUTH_TOKEN = 'e2e-auth-token-0123456789'
/** The real call takes 60-75 s: it is spoken in real time. */
const CALL_TIMEOUT_MS = 240_000

describe('a call through Twilio', () => {
  let server: ServerProcess
  let voice: SpeechVoice
  let api: ServerApi
  let scenario: Scenario
  let result: ScenarioResult
  let page: ApiCallPage

  beforeAll(async () => {
    const env = { TWILIO_AUTH_TOKEN: AUTH_TOKEN, LOG_LEVEL: 'warn' }
    ;[server, voice] = await Promise.all([ServerProcess.start({ env }), openVoice()])
    api = new ServerApi(server.url, server.adminKey)
    // How fast it goes is the benches' matter; here a busy machine must not fail.
    const expected = { greetingMs: 15_000, bargeInMs: 15_000, replies: 5 }
    const read = await readScenario('bench/scenarios/saludo.yaml')
    const steps = read.steps.map((step) =>
      'waitForAgent' in step ? { waitForAgent: 3 * step.waitForAgent } : step,
    )
    scenario = { ...read, steps, expect: expected }
    const { url } = server
    const target = { server: url, publicUrl: url, authToken: AUTH_TOKEN }
    result = await runScenario({ ...target, scenario, voice, pacer: new Pacer() })
    page = await api.finished(result.callSid)
  }, CALL_TIMEOUT_MS)
  afterAll(async () => {
    await voice?.close()
    await server?.stop()
  })

  it('goes as the scenario expects: greeted, 5 replies, silence after the interruption', () => {
    expect(checkExpectations(scenario, result)).toEqual([])
  })

  it('sends nothing that Twilio would warn about', () => {
    expect(result.warnings).toEqual({})
  })

  it('stores the call as ended by the user, with a duration within 3 s of the real one', () => {
    expect(page.call).toMatchObject({ carrier: 'twilio', status: 'ended', endReason: 'userHangup' })
    expect(Math.abs((page.call.durationMs ?? 0) - result.end.atMs)).toBeLessThan(3_000)
  })

  it('stores the greeting first and then what both sides said, by the time it began to be heard', () => {
    expect(page.turns[0]).toMatchObject({ role: 'agent', kind: 'greeting', truncated: false })
    expect(page.turns[0]?.textSpoken).toContain('Andrea')
    const starts = page.turns.map((turn) => turn.startMs)
    expect(starts).toEqual([...starts].sort((a, b) => a - b))
    expect(page.turns.filter((turn) => turn.role === 'agent').length).toBeGreaterThanOrEqual(5)
  })

  it('understands at least 4 of the 6 answers by their weightiest word', () => {
    const heard = page.turns.filter((turn) => turn.role === 'user').map((turn) => turn.textSpoken)
    const words = ['escucho', 'momento', 'restaurante', 'empleados', 'llamada', 'gracias']
    const understood = words.filter((word) =>
      heard.some((text) => text.toLowerCase().includes(word)),
    )
    expect(understood.length, `heard: ${heard.join(' | ')}`).toBeGreaterThanOrEqual(4)
  })

  it('is heard by the user as it was said: the greeting comes back from the sound as its own words', async () => {
    const heard = await transcribe(result.agent, result.agentTalkspurts, scenario.language)
    const spoken = words(page.turns[0]?.textSpoken ?? '')
    const recognised = new Set(words(heard[0]?.text ?? ''))
    const found = spoken.filter((word) => recognised.has(word)).length
    expect(found / spoken.length, `heard: ${heard[0]?.text ?? 'nothing'}`).toBeGreaterThan(0.5)
  }, 240_000)

  it('keeps of the interrupted turn only what was heard', () => {
    const cut = page.turns.filter((turn) => turn.role === 'agent' && turn.truncated)
    expect(cut.length).toBeGreaterThanOrEqual(1)
    for (const turn of cut) expect(turn.textHeard.length).toBeLessThan(turn.textSpoken.length)
    const whole = page.turns.filter((turn) => turn.role === 'agent' && !turn.truncated)
    for (const turn of whole) expect(turn.textHeard).toBe(turn.textSpoken)
  })

  it('measures 4 replies or more: no part is negative, and our own share is a part of the whole', () => {
    const latencies = page.turns.flatMap((turn) => (turn.latency === null ? [] : [turn.latency]))
    expect(latencies.length).toBeGreaterThanOrEqual(4)
    for (const latency of latencies) {
      for (const part of Object.values(latency)) expect(part ?? 0).toBeGreaterThanOrEqual(0)
      expect(latency.ownMs).toBeLessThanOrEqual(latency.responseMs)
    }
  })

  it('records both sides: stereo, as long as the call, neither channel silent', async () => {
    expect(page.recording).toMatchObject({ channels: 2 })
    const wav = decodeWav(await api.bytes(page.recording?.url ?? ''))
    expect(wav.channels).toHaveLength(2)
    const [user, agent] = wav.channels.map((pcm) => audibleSpan(pcm))
    expect(user).not.toBeNull()
    expect(agent).not.toBeNull()
    const lengthMs = ((wav.channels[0]?.length ?? 0) / wav.sampleRateHz) * 1_000
    expect(Math.abs(lengthMs - result.end.atMs)).toBeLessThan(4_000)
  })

  it('refuses a webhook with a wrong signature with 403', async () => {
    const target = { server: server.url, publicUrl: server.url, authToken: 'wrong' }
    const fields = { CallSid: `CA${'0'.repeat(32)}`, From: '+1', To: '+2' }
    const answer = await postForm(target, '/api/v1/twilio/incoming-call', fields)
    expect(answer.status).toBe(403)
  })
})

function words(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+/gu) ?? []
}
