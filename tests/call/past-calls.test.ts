import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, resolveProfile } from '../../server/agent-settings.ts'
import { PastCalls } from '../../server/call/past-calls.ts'
import type { PhoneCall } from '../../server/call/phone-call.ts'
import { heldBytes } from '../support/held-bytes.ts'

const AGENT = { id: 'agent', version: 1, settings: DEFAULT_SETTINGS } as PhoneCall['agent']

function phoneCall(index: number): PhoneCall {
  return {
    ...{ id: randomUUID(), carrier: 'twilio', account: null, direction: 'inbound', agent: AGENT },
    // As a form has it: a copy of its own.
    carrierCallId: Buffer.from(`CA${String(index).padStart(32, '0')}`).toString(),
    ...{ from: '+525512345678', to: '+525587654321', profile: 'twilio', variables: {} },
    ...{ early: [], streamTimer: null, invited: true },
    settings: resolveProfile(AGENT.settings, 'twilio'),
  }
}

describe('past calls', () => {
  it('know the ids of the newest 10 000 calls, and what is still asked of the newest 1 000', () => {
    const past = new PastCalls()
    const calls = Array.from({ length: 10_001 }, (_, i) => phoneCall(i))
    for (const call of calls) past.add(call)
    const newest = calls.slice(1)
    expect(newest.map(({ carrierCallId }) => past.idOf(carrierCallId!))).toEqual(
      newest.map(({ id }) => id),
    )
    expect(calls.filter(({ id }) => past.recall(id))).toEqual(calls.slice(-1_000))
    expect([past.has('CA-other'), past.idOf('CA-other')]).toEqual([false, undefined])
  })

  it('know of a call of an earlier process that it is over, and nothing else', () => {
    const [past, id] = [new PastCalls(), randomUUID()]
    past.note('v3:a', id)
    expect([past.has('v3:a'), past.idOf('v3:a'), past.recall(id)]).toEqual([true, id, undefined])
  })

  it('hold, once 1 000 are there, less than 20 bytes more of each further call', () => {
    const past = new PastCalls()
    const addTo = (from: number, to: number): void => {
      for (let i = from; i < to; i++) past.add(phoneCall(i))
    }
    addTo(0, 4_000)
    const before = heldBytes()
    addTo(4_000, 24_000)
    expect((heldBytes() - before) / 20_000).toBeLessThan(20)
  })
})
