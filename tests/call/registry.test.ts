import { describe, expect, it } from 'vitest'
import type { EndReason } from '../../server/call/call-state.ts'
import { CallRegistry, type LiveCall } from '../../server/call/registry.ts'

/** A call that ends when told to, at once or when `finish` is called. */
class ScriptedCall implements LiveCall {
  readonly id: string
  readonly carrierCallId: string
  readonly ended: Promise<void>
  readonly reasons: EndReason[] = []
  finish: () => void = () => undefined
  readonly #slow: boolean

  constructor(id: string, options: { slow: boolean } = { slow: false }) {
    this.id = id
    this.carrierCallId = `carrier-${id}`
    this.#slow = options.slow
    this.ended = new Promise((resolve) => (this.finish = resolve))
  }

  readonly rungs: number[] = []

  degrade(rung: number): void {
    this.rungs.push(rung)
  }

  hangup(reason: EndReason): void {
    this.reasons.push(reason)
    if (!this.#slow) this.finish()
  }
}

describe('registry', () => {
  it('knows a call by its id until it has ended', async () => {
    const registry = new CallRegistry()
    const call = new ScriptedCall('a', { slow: true })
    registry.add(call)
    call.hangup('idle')
    expect([registry.size, registry.get('a')]).toEqual([1, call])
    call.finish()
    await call.ended
    expect([registry.size, registry.get('a')]).toEqual([0, undefined])
  })

  it('tells every live call what the process gives up', () => {
    const registry = new CallRegistry()
    const calls = [new ScriptedCall('a'), new ScriptedCall('b')]
    for (const call of calls) registry.add(call)
    registry.degradeAll(1)
    expect(calls.map((call) => call.rungs)).toEqual([[1], [1]])
  })

  it('hangs up the one call that is meant, with the reason', () => {
    const registry = new CallRegistry()
    const calls = ['a', 'b'].map((id) => new ScriptedCall(id))
    for (const call of calls) registry.add(call)
    expect(registry.hangup('b', 'adminHangup')).toBe(true)
    expect(calls.map(({ reasons }) => reasons)).toEqual([[], ['adminHangup']])
  })

  it('finds the call of 2 that a carrier reports on, and nothing for one it does not know', () => {
    const registry = new CallRegistry()
    const calls = ['a', 'b'].map((id) => new ScriptedCall(id))
    for (const call of calls) registry.add(call)
    expect(registry.findByCarrier('carrier-b')).toBe(calls[1])
    expect(registry.findByCarrier('carrier-c')).toBeUndefined()
  })

  it('says false for a call that is not alive', () => {
    expect(new CallRegistry().hangup('a', 'adminHangup')).toBe(false)
  })

  it('ends all 3 calls at once and waits for the slowest', async () => {
    const registry = new CallRegistry()
    const slow = new ScriptedCall('slow', { slow: true })
    const calls = [slow, new ScriptedCall('b'), new ScriptedCall('c')]
    for (const call of calls) registry.add(call)
    let settled = false
    const all = registry.endAll('serverStopped').then(() => (settled = true))
    await Promise.all(calls.slice(1).map((call) => call.ended))
    expect(calls.map(({ reasons }) => reasons[0])).toEqual([
      'serverStopped',
      'serverStopped',
      'serverStopped',
    ])
    expect([settled, registry.size]).toEqual([false, 1])
    slow.finish()
    await all
    expect(registry.size).toBe(0)
  })

  it('settles at once when there is no call', async () => {
    await expect(new CallRegistry().endAll('serverStopped')).resolves.toBeUndefined()
  })
})
