/** Sessions for calls that still ring: when they are built, who gets them, what becomes of the rest. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BoundedQueue } from '../../server/bounded-queue.ts'
import { PreparedSessions } from '../../server/providers/prepared-sessions.ts'

interface Session {
  number: number
  closed: boolean
  close(): void
}

let made: Session[]
let gone: (() => void)[]
let prepared: PreparedSessions<Session>

beforeEach(() => {
  vi.useFakeTimers()
  made = []
  gone = []
  prepared = new PreparedSessions('ringing')
})
afterEach(() => {
  prepared.close()
  vi.useRealTimers()
})

function build(onGone: () => void): Session {
  const session = { number: made.length, closed: false, close: () => void (session.closed = true) }
  made.push(session)
  gone.push(onGone)
  return session
}

describe('sessions for calls that ring', () => {
  it('are not built by who asks for them, but one every 20 ms', () => {
    for (let call = 0; call < 3; call++) prepared.add('es', build)
    expect(made).toHaveLength(0)
    vi.advanceTimersByTime(20)
    expect(made).toHaveLength(1)
    vi.advanceTimersByTime(19)
    expect(made).toHaveLength(1)
    vi.advanceTimersByTime(21)
    expect(made).toHaveLength(3)
  })

  it('are taken by a call of their key, once', () => {
    prepared.add('es', build)
    vi.advanceTimersByTime(20)
    expect(prepared.take('en')).toBeUndefined()
    expect(prepared.take('es')).toBe(made[0])
    expect(prepared.take('es')).toBeUndefined()
    vi.advanceTimersByTime(60_000)
    expect(made[0]!.closed).toBe(false)
  })

  it('are forgotten when the call comes before they were built', () => {
    prepared.add('es', build)
    expect(prepared.take('es')).toBeUndefined()
    vi.advanceTimersByTime(60_000)
    expect(made).toHaveLength(0)
  })

  it('are closed when nobody took them for 20 s', () => {
    prepared.add('es', build)
    vi.advanceTimersByTime(20 + 20_000)
    expect(made[0]!.closed).toBe(true)
    expect(prepared.take('es')).toBeUndefined()
  })

  it('are not given to anybody once they are gone', () => {
    prepared.add('es', build)
    vi.advanceTimersByTime(20)
    gone[0]!()
    expect(prepared.take('es')).toBeUndefined()
  })

  it('are at most 50 that wait, the rest is counted under the name; and 50 built, of which the oldest goes', () => {
    const before = BoundedQueue.onDropped
    const names: string[] = []
    BoundedQueue.onDropped = (name) => names.push(name)
    for (let call = 0; call < 52; call++) prepared.add('es', build)
    BoundedQueue.onDropped = before
    expect(names).toEqual(['ringing', 'ringing'])
    vi.advanceTimersByTime(50 * 20)
    prepared.add('es', build)
    vi.advanceTimersByTime(20)
    expect(made.filter(({ closed }) => closed).map(({ number }) => number)).toEqual([0])
  })

  it('are all closed at the end, and none is built after it', () => {
    prepared.add('es', build)
    vi.advanceTimersByTime(20)
    prepared.add('es', build)
    prepared.close()
    vi.advanceTimersByTime(60_000)
    expect(made.map(({ closed }) => closed)).toEqual([true])
  })
})
