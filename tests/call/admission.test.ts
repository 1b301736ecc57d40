import { describe, expect, it } from 'vitest'
import { AdmissionGate } from '../../server/call/admission.ts'

function open(maxCalls = 3) {
  const gate = new AdmissionGate({ maxCalls, reservationMs: 60_000 })
  gate.setReady()
  return gate
}
const FULL = { ok: false, reason: 'full' }

describe('admission', () => {
  it('refuses with notReady until the server is ready', () => {
    const gate = new AdmissionGate({ maxCalls: 3, reservationMs: 60_000 })
    expect(gate.admit(0, 0)).toEqual({ ok: false, reason: 'notReady' })
    expect(gate.ready).toBe(false)
    gate.setReady()
    expect(gate.admit(0, 0)).toEqual({ ok: true })
    expect(gate.ready).toBe(true)
  })

  it('admits 3 calls of 3 and refuses the 4th as full', () => {
    const gate = open()
    expect([0, 1, 2, 3].map(() => gate.admit(0, 0).ok)).toEqual([true, true, true, false])
    expect(gate.admit(0, 0)).toEqual(FULL)
  })

  it('counts live calls and reservations together', () => {
    const gate = open()
    expect(gate.admit(2, 0).ok).toBe(true)
    expect(gate.admit(2, 0)).toEqual(FULL)
  })

  it('turns a reservation into a live call: the sum stays 3', () => {
    const gate = open()
    for (let call = 0; call < 3; call++) gate.admit(0, 0)
    gate.settle()
    expect(gate.admit(1, 0)).toEqual(FULL)
    expect(gate.admit(0, 0).ok).toBe(true)
  })

  it('gives a place back 60 s after a webhook whose stream never came, not 1 ms earlier', () => {
    const gate = open(1)
    gate.admit(0, 1_000)
    expect(gate.admit(0, 60_999)).toEqual(FULL)
    expect(gate.admit(0, 61_000).ok).toBe(true)
  })

  it('reserves nothing for a call that it refuses', () => {
    const gate = open(1)
    gate.admit(0, 0)
    for (let refused = 0; refused < 10; refused++) gate.admit(0, 30_000)
    expect(gate.admit(0, 60_000).ok).toBe(true)
  })

  it('refuses with draining from drain() on, also a server that is full', () => {
    const gate = open(1)
    gate.admit(0, 0)
    gate.drain()
    expect(gate.admit(0, 0)).toEqual({ ok: false, reason: 'draining' })
    expect(gate.ready).toBe(false)
  })

  it('takes a settle() without a reservation as nothing', () => {
    const gate = open(1)
    gate.settle()
    expect(gate.admit(0, 0).ok).toBe(true)
    expect(gate.admit(0, 0)).toEqual(FULL)
  })

  it('refuses as overload when there is a place but no room, and asks with the ringing calls', () => {
    const asked: [number, number][] = []
    let hasRoom = true
    const gate = new AdmissionGate({
      maxCalls: 10,
      reservationMs: 60_000,
      room: (live, ringing) => {
        asked.push([live, ringing])
        return hasRoom
      },
    })
    gate.setReady()
    expect(gate.admit(5, 0).ok).toBe(true)
    hasRoom = false
    expect(gate.admit(5, 0)).toEqual({ ok: false, reason: 'overload' })
    expect(asked).toEqual([
      [5, 0],
      [5, 1],
    ])
    // The call that rings keeps its place whatever the load says now.
    expect(gate.ringing(59_999)).toBe(1)
    expect(gate.ringing(60_000)).toBe(0)
  })
})
