import { describe, expect, it } from 'vitest'
import { agentHasFloor, nextState } from '../../server/conversation/turn-state.ts'

describe('turn-state', () => {
  it('goes listening → thinking → speaking → listening', () => {
    expect(nextState('listening', 'commit')).toBe('thinking')
    expect(nextState('thinking', 'voice')).toBe('speaking')
    expect(nextState('speaking', 'finished')).toBe('listening')
  })

  it('yields by ducking, and from there resumes or gives the floor', () => {
    expect(nextState('speaking', 'duck')).toBe('yielding')
    expect(nextState('yielding', 'resume')).toBe('speaking')
    expect(nextState('yielding', 'takeFloor')).toBe('listening')
  })

  it('has no step out of ended, and none that the table does not show', () => {
    for (const event of ['commit', 'voice', 'duck', 'takeFloor', 'end'] as const) {
      expect(nextState('ended', event)).toBeNull()
    }
    expect(nextState('listening', 'duck')).toBeNull()
    expect(nextState('thinking', 'takeFloor')).toBeNull()
  })

  it('reaches ended from every other state', () => {
    for (const state of ['listening', 'thinking', 'speaking', 'yielding'] as const) {
      expect(nextState(state, 'end')).toBe('ended')
    }
  })

  it('gives the agent the floor in speaking and yielding only', () => {
    expect(
      ['listening', 'thinking', 'speaking', 'yielding', 'ended'].filter((s) =>
        agentHasFloor(s as never),
      ),
    ).toEqual(['speaking', 'yielding'])
  })
})
