/** Calls whose stream does not come: ten seconds of injected time, one outcome, one row. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import type { AdmissionGate } from '../../server/call/admission.ts'
import type { AgentSource } from '../../server/call/agent-source.ts'
import {
  PhoneDesk,
  STREAM_WITHIN_MS,
  type PhoneCall,
  type PhoneCarrier,
} from '../../server/call/phone-desk.ts'
import { CallRegistry, type LiveCall } from '../../server/call/registry.ts'
import { SOCKET_ONLY_LINE } from '../../server/carriers/carrier.ts'
import { loadConfig } from '../../server/config.ts'
import { silentLog } from '../../server/log.ts'
import { createMetrics } from '../../server/metrics.ts'
import type { Journal } from '../../server/store/journal.ts'

const RING = {
  carrier: 'telnyx',
  account: null,
  carrierCallId: 'v3:a',
  callId: null,
  from: '+525512345678',
  to: '+525587654321',
} as const

let desk: PhoneDesk
let registry: CallRegistry
let hungUp: string[]
let dialling: PromiseWithResolvers<void>
let placing: PromiseWithResolvers<string>
let endings: { id: string; endReason: string }[]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  ;[registry, hungUp, endings] = [new CallRegistry(), [], []]
  dialling = Promise.withResolvers<void>()
  placing = Promise.withResolvers<string>()
  const record = (entry: { id: string; changes?: { endReason?: string } }) => {
    const endReason = entry.changes?.endReason
    if (endReason !== undefined) endings.push({ id: entry.id, endReason })
  }
  const agent = { id: 'agent', version: 1, settings: DEFAULT_SETTINGS }
  desk = new PhoneDesk({
    registry,
    gate: { admit: () => ({ ok: true }), settle: () => undefined } as unknown as AdmissionGate,
    agents: { find: () => Promise.resolve(agent) } as unknown as AgentSource,
    journal: { record, flush: () => Promise.resolve() } as unknown as Journal,
    metrics: createMetrics(),
    log: silentLog(),
    outbound: loadConfig({}).outbound,
    lineFor: () => ({
      ...SOCKET_ONLY_LINE,
      hangup: (id) => Promise.resolve(void hungUp.push(id)),
      dial: () => {
        dialling.resolve()
        return placing.promise
      },
    }),
    issueToken: () => 'token',
    mediaUrl: () => 'wss://andrea.example/media',
    dateMs: () => 0,
    monotonicMs: () => 0,
  })
})
afterEach(() => vi.useRealTimers())

async function invited(carrier: PhoneCarrier = 'telnyx'): Promise<PhoneCall> {
  const call = await desk.incoming({ ...RING, carrier })
  if (typeof call === 'string') throw new Error(call)
  desk.invite(call)
  return call
}

describe('a call without a stream', () => {
  it.each(['twilio', 'telnyx'] as const)(
    'of %s ends as noStream after 10 s, not before, at the carrier too, and stays ended',
    async (carrier) => {
      const call = await invited(carrier)
      vi.advanceTimersByTime(STREAM_WITHIN_MS - 1)
      expect([endings, hungUp]).toEqual([[], []])
      vi.advanceTimersByTime(1)
      expect(endings).toEqual([{ id: call.id, endReason: 'noStream' }])
      expect(hungUp).toEqual(['v3:a'])
      desk.streamRefused(call.id, 'badFormat')
      vi.advanceTimersByTime(STREAM_WITHIN_MS)
      expect(endings).toHaveLength(1)
      expect(await desk.incoming(RING)).toBe('over')
    },
  )

  it('has its 10 s again when it is invited again', async () => {
    const call = await invited()
    vi.advanceTimersByTime(9_000)
    desk.invite(call)
    vi.advanceTimersByTime(9_999)
    expect(endings).toEqual([])
    vi.advanceTimersByTime(1)
    expect(endings).toEqual([{ id: call.id, endReason: 'noStream' }])
  })

  it('goes on when the stream opens within 10 s', async () => {
    const call = await invited()
    vi.advanceTimersByTime(STREAM_WITHIN_MS - 1)
    expect(desk.opened(call.id)).toBe(call)
    vi.advanceTimersByTime(STREAM_WITHIN_MS)
    expect([endings, hungUp]).toEqual([[], []])
  })

  it('ends at once when its stream can never be used, and when the carrier says that it failed', async () => {
    const call = await invited()
    desk.streamRefused(call.id, 'badFormat')
    expect(endings).toEqual([{ id: call.id, endReason: 'noStream' }])
    expect(hungUp).toEqual(['v3:a'])
    const other = await desk.incoming({ ...RING, carrierCallId: 'v3:b' })
    const detail = 'connection_failed'
    desk.report({ ...RING, carrierCallId: 'v3:b', kind: 'streamFailed', detail })
    expect(endings[1]).toEqual({ id: (other as PhoneCall).id, endReason: 'noStream' })
  })

  it('ends when it is asked to, with the reason given, and when the server stops', async () => {
    const call = await invited()
    const other = (await desk.incoming({ ...RING, carrierCallId: 'v3:b' })) as PhoneCall
    expect([desk.hangup(call.id, 'adminHangup'), desk.hangup(call.id, 'idle')]).toEqual([
      true,
      false,
    ])
    expect(desk.hangup('nobody', 'adminHangup')).toBe(false)
    await desk.endAll('serverStopped')
    expect(endings).toEqual([
      { id: call.id, endReason: 'adminHangup' },
      { id: other.id, endReason: 'serverStopped' },
    ])
    expect(hungUp).toEqual(['v3:a', 'v3:b'])
  })

  it('leaves what a transfer still asks for: numbers, variables, two settings, and nothing of its agent', async () => {
    const call = await invited()
    desk.hangup(call.id, 'userHangup')
    const { transferAnnouncement, language } = call.settings
    expect(desk.recall(call.id)).toEqual({
      ...{ from: RING.from, to: RING.to, variables: {} },
      settings: { transferAnnouncement, language },
    })
  })

  it('of an earlier process is over: its webhooks bring nothing back', async () => {
    desk.isOver('v3:a', '0f9c8a52-5d0e-4c1b-9f3a-6a4be1d0c7e2')
    expect(await desk.incoming(RING)).toBe('over')
    desk.report({ ...RING, kind: 'answered' })
    expect([endings, hungUp]).toEqual([[], []])
  })

  it('that ends while it is being placed is hung up as soon as the carrier names it', async () => {
    const order = { ...RING, agentId: null, profile: 'telnyx', variables: {} } as const
    const outcome = desk.dial(order)
    await dialling.promise
    await desk.endAll('serverStopped')
    expect(hungUp).toEqual([])
    placing.resolve('v3:late')
    expect(await outcome).toMatchObject({ ok: true, carrierCallId: 'v3:late' })
    expect(hungUp).toEqual(['v3:late'])
    expect(endings.map(({ endReason }) => endReason)).toEqual(['serverStopped'])
  })

  it('that lives already ends as streamLost when another stream of it can never be used', async () => {
    const call = await invited()
    const reasons: string[] = []
    const { promise: ended } = Promise.withResolvers<void>()
    const live: LiveCall = {
      ...{ id: call.id, carrierCallId: 'v3:a', ended, degrade: () => undefined },
      hangup: (reason) => reasons.push(reason),
    }
    registry.add(live)
    desk.streamRefused(call.id, 'badFormat')
    expect(reasons).toEqual(['streamLost'])
    expect(endings).toEqual([])
  })
})
