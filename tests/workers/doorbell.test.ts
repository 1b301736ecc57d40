import { describe, expect, it } from 'vitest'
import { answerBell, bellMemory, Doorbell } from '../../workers/doorbell.ts'

const ENOUGH = new Error('the test has seen enough')

/**
 * Lets a worker answer in this thread until it has run `batches` batches; behind each it is rung for again, for it would sleep and the
 * thread with it.
 */
function answer(memory: SharedArrayBuffer, bell: Doorbell, batches: number) {
  const seen = { run: [] as [number, number][], told: 0 }
  const run = (list: number, count: number): void => {
    if (seen.run.length === batches) throw ENOUGH
    seen.run.push([list, count])
    bell.ring(9, 9)
  }
  expect(() => answerBell(memory, 0, { run, tell: () => seen.told++ })).toThrow(ENOUGH)
  return seen
}

describe('doorbell', () => {
  it('runs list 2 with 5 slots, and says nothing when nobody asked for a message', () => {
    const memory = bellMemory(1)
    const bell = new Doorbell(memory, 0)
    bell.ring(2, 5)
    expect(bell.isAnswered()).toBe(false)
    expect(answer(memory, bell, 1)).toEqual({ run: [[2, 5]], told: 0 })
  })

  it('sends 1 message behind the batch that it was asked to tell of, and none behind the next', () => {
    const memory = bellMemory(1)
    const bell = new Doorbell(memory, 0)
    bell.ring(0, 1)
    expect(bell.wantMessage()).toBe(false)
    expect(answer(memory, bell, 2)).toMatchObject({ told: 1 })
  })

  it('needs no message for a batch that is answered already', () => {
    const memory = bellMemory(2)
    const bell = new Doorbell(memory, 1)
    bell.ring(0, 1)
    bell.abandon()
    expect(bell.isAnswered()).toBe(true)
    expect(bell.wantMessage()).toBe(true)
  })

  it('leaves a batch that was abandoned to nobody: the next worker begins with the one behind it', () => {
    const memory = bellMemory(1)
    const bell = new Doorbell(memory, 0)
    bell.ring(0, 3)
    bell.abandon()
    bell.ring(0, 4)
    expect(answer(memory, bell, 1).run).toEqual([[0, 4]])
  })
})
