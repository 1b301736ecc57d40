import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Wheel, type WheelRider } from '../../server/media/wheel.ts'

/** Fake timers move `nowMs` too; `stallMs` is time that a turn itself takes. */
function open() {
  const state = {
    turnsAtMs: [] as number[],
    ticksAtMs: [] as number[],
    stallMs: 0,
    faults: [] as unknown[],
  }
  const lateness: number[] = []
  let spentMs = 0
  const nowMs = () => vi.getMockedSystemTime()!.valueOf() + spentMs
  const wheel = new Wheel({
    nowMs,
    tickPool: (at) => {
      state.ticksAtMs.push(at)
      spentMs += state.stallMs
      state.stallMs = 0
    },
    onLateness: (ms) => lateness.push(ms),
    onFault: (error, rider) => state.faults.push(rider ? [error, rider] : error),
  })
  wheel.add({ turn: (at) => state.turnsAtMs.push(at) })
  return { state, lateness, wheel }
}

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('wheel', () => {
  it('turns every 5 ms, each rider every 20 ms, and is never late on an idle machine', () => {
    const { state, lateness, wheel } = open()
    wheel.start()
    vi.advanceTimersByTime(25)
    wheel.stop()
    expect(state.ticksAtMs).toEqual([5, 10, 15, 20, 25])
    expect(state.turnsAtMs).toEqual([5, 25])
    expect(lateness).toEqual([0, 0, 0, 0, 0])
  })

  it('lets a rider look at each of the 3 turns in 4 that are not its own, before the pool has its tick', () => {
    const order: string[] = []
    const wheel = new Wheel({
      nowMs: () => 0,
      tickPool: () => order.push('pool'),
      onLateness: () => undefined,
      onFault: () => undefined,
    })
    wheel.add({ turn: (at) => order.push(`turn${at}`), look: (at) => order.push(`look${at}`) })
    for (const atMs of [0, 5, 10, 15, 20]) wheel.turn(atMs)
    const withoutPool = order.filter((_, i) => i % 2 === 0)
    expect(withoutPool).toEqual(['turn0', 'look5', 'look10', 'look15', 'turn20'])
    expect(order.filter((_, i) => i % 2 === 1)).toEqual(Array(5).fill('pool'))
  })

  it('reports a rider whose look throws, and lets the others look', () => {
    const faults: unknown[] = []
    const wheel = new Wheel({
      nowMs: () => 0,
      tickPool: () => undefined,
      onLateness: () => undefined,
      onFault: (error, rider) => faults.push([error, rider]),
    })
    const error = new Error('broken')
    const broken: WheelRider = {
      turn: () => undefined,
      look: () => {
        throw error
      },
    }
    let looks = 0
    wheel.add(broken)
    wheel.add({ turn: () => undefined, look: () => void looks++ })
    for (const atMs of [0, 5, 10, 15]) wheel.turn(atMs)
    expect([faults.length, faults[0], looks]).toEqual([3, [error, broken], 3])
  })

  it('gives the pool one tick per turn, after the riders', () => {
    const order: string[] = []
    const wheel = new Wheel({
      nowMs: () => 0,
      tickPool: () => order.push('pool'),
      onLateness: () => undefined,
      onFault: () => undefined,
    })
    wheel.add({ turn: () => order.push('rider') })
    wheel.turn(0)
    expect(order).toEqual(['rider', 'pool'])
  })

  it('keeps its 5 ms grid after a turn that took 13 ms, without making up the 2 it missed', () => {
    const { state, wheel } = open()
    wheel.start()
    state.stallMs = 13
    vi.advanceTimersByTime(22)
    wheel.stop()
    expect(state.ticksAtMs).toEqual([5, 20, 25, 30, 35])
    expect(state.turnsAtMs).toEqual([5, 25])
  })

  it('reports to a fault the rider that threw, and turns the others and the pool all the same', () => {
    const { state, wheel } = open()
    const error = new Error('broken')
    const broken: WheelRider = {
      turn: () => {
        throw error
      },
    }
    const last: number[] = []
    wheel.add(broken)
    wheel.add({ turn: (at) => last.push(at) })
    for (const atMs of [5, 10, 15]) wheel.turn(atMs)
    expect([state.turnsAtMs, last, state.ticksAtMs]).toEqual([[5], [15], [5, 10, 15]])
    expect(state.faults).toEqual([[error, broken]])
  })

  it('goes on after a pool that threw', () => {
    const faults: unknown[] = []
    let ticks = 0
    const wheel = new Wheel({
      nowMs: () => Date.now(),
      tickPool: () => {
        if (++ticks === 1) throw new Error('pool')
      },
      onLateness: () => undefined,
      onFault: (error, rider) => faults.push([error, rider]),
    })
    wheel.start()
    vi.advanceTimersByTime(10)
    wheel.stop()
    expect(ticks).toBe(2)
    expect(faults).toEqual([[new Error('pool'), null]])
  })

  it('gives 4 riders their turns in 4 turns of the wheel, and all of them after a stall of 20 ms', () => {
    const { wheel } = open()
    const turned: string[] = []
    for (const name of ['b', 'c', 'd']) wheel.add({ turn: (at) => turned.push(`${name}${at}`) })
    for (const atMs of [5, 10, 15, 20, 40]) wheel.turn(atMs)
    expect(turned).toEqual(['b10', 'c15', 'd20', 'b40', 'c40', 'd40'])
  })

  it('keeps every rider its place when turns are 3 ms late: 20 ms later it is its turn again', () => {
    const { state, wheel } = open()
    const second: number[] = []
    wheel.add({ turn: (at) => second.push(at) })
    for (const atMs of [5, 13, 15, 20, 28, 30, 35, 40, 45]) wheel.turn(atMs)
    expect([state.turnsAtMs, second]).toEqual([
      [5, 28, 45],
      [13, 30],
    ])
  })

  it('lets a rider leave during its own turn', () => {
    const { state, wheel } = open()
    let turns = 0
    const rider = {
      turn: () => {
        turns++
        wheel.remove(rider)
      },
    }
    wheel.add(rider)
    for (const atMs of [0, 20, 40]) wheel.turn(atMs)
    expect([turns, state.turnsAtMs]).toEqual([1, [0, 20, 40]])
  })

  it('stays still when a rider stops it in the middle of a turn', () => {
    const { state, wheel } = open()
    wheel.add({ turn: () => wheel.stop() })
    wheel.start()
    vi.advanceTimersByTime(50)
    expect(state.turnsAtMs).toEqual([5])
  })

  it('turns once per 5 ms when it is started twice', () => {
    const { state, wheel } = open()
    wheel.start()
    wheel.start()
    vi.advanceTimersByTime(10)
    wheel.stop()
    expect(state.ticksAtMs).toEqual([5, 10])
  })

  it('looks at a rider with a row only from the time that stands in it: 2 of 3 looks spared', () => {
    const { wheel } = open()
    const looks: number[] = []
    const lookRow = { values: new Float64Array([0, 12]), at: 1 }
    wheel.add({ turn: () => undefined, look: (at) => looks.push(at), lookRow })
    for (const nowMs of [0, 5, 10, 15]) wheel.turn(nowMs)
    expect(looks).toEqual([15])
    lookRow.values[1] = Infinity
    for (const nowMs of [20, 25, 30, 35]) wheel.turn(nowMs)
    expect(looks).toEqual([15])
  })

  it('looks at and turns the other 7 of 8 riders when one leaves during a look of another', () => {
    const { wheel } = open()
    const seen: string[] = []
    const riders: WheelRider[] = Array.from({ length: 8 }, (_, i) => ({
      turn: () => seen.push(`turn ${i}`),
      look: () => {
        if (i === 3) wheel.remove(riders[7]!)
        seen.push(`look ${i}`)
      },
    }))
    for (const rider of riders) wheel.add(rider)
    for (const nowMs of [0, 5, 10, 15]) wheel.turn(nowMs)
    seen.length = 0
    for (const nowMs of [20, 25, 30, 35]) wheel.turn(nowMs)
    const counts = riders.map((_, i) => [
      seen.filter((what) => what === `turn ${i}`).length,
      seen.filter((what) => what === `look ${i}`).length,
    ])
    expect(counts.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => [1, 3]))
    expect(counts[7]).toEqual([0, 0])
  })
})
