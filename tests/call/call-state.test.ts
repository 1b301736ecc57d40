import { describe, expect, it } from 'vitest'
import {
  advance,
  END_REASONS,
  isOver,
  type CallPhase,
  type CallState,
} from '../../server/call/call-state.ts'

const STATES: CallState[] = [
  'dialing',
  'ringing',
  'answered',
  'screening',
  'conversing',
  'ending',
  'ended',
]
const phase = (state: CallState): CallPhase => ({ state, endReason: null })

function walk(...states: CallState[]): CallPhase | null {
  const [first, ...rest] = states
  return rest.reduce<CallPhase | null>((at, next) => at && advance(at, next, 'idle'), phase(first!))
}

describe('call-state', () => {
  it('allows ringing → answered → conversing → ending → ended', () => {
    expect(walk('ringing', 'answered', 'conversing', 'ending', 'ended')).toEqual({
      state: 'ended',
      endReason: 'idle',
    })
  })

  it('allows dialing → ringing → answered → screening → conversing → ending → ended', () => {
    const outbound = [
      'dialing',
      'ringing',
      'answered',
      'screening',
      'conversing',
      'ending',
      'ended',
    ]
    expect(walk(...(outbound as CallState[]))?.state).toBe('ended')
  })

  it('allows exactly these 12 of the 49 steps', () => {
    const legal = STATES.flatMap((from) =>
      STATES.filter((to) => advance(phase(from), to)).map((to) => `${from} → ${to}`),
    )
    expect(legal).toEqual([
      'dialing → ringing',
      'dialing → answered',
      'dialing → ending',
      'ringing → answered',
      'ringing → ending',
      'answered → screening',
      'answered → conversing',
      'answered → ending',
      'screening → conversing',
      'screening → ending',
      'conversing → ending',
      'ending → ended',
    ])
  })

  it('reaches ending from each of the 5 states before it, always with a reason', () => {
    for (const state of STATES.slice(0, 5)) {
      expect(advance(phase(state), 'ending', 'userHangup')).toEqual({
        state: 'ending',
        endReason: 'userHangup',
      })
    }
  })

  it('keeps the first EndReason when two arrive', () => {
    const ending = advance(phase('conversing'), 'ending', 'userHangup')!
    expect(advance(ending, 'ending', 'noMedia')).toBeNull()
    expect(advance(ending, 'ended', 'noMedia')?.endReason).toBe('userHangup')
  })

  it('calls an end without a reason internalError', () => {
    expect(advance(phase('answered'), 'ending')?.endReason).toBe('internalError')
  })

  it('gives no reason to a step that does not end the call', () => {
    expect(advance(phase('answered'), 'conversing', 'idle')?.endReason).toBeNull()
  })

  it('leaves the phase it was given unchanged', () => {
    const before = Object.freeze(phase('conversing'))
    advance(before, 'ending', 'idle')
    expect(before).toEqual({ state: 'conversing', endReason: null })
  })

  it('is over in ending and ended only', () => {
    expect(STATES.filter((state) => isOver(phase(state)))).toEqual(['ending', 'ended'])
  })

  it('knows 19 reasons, each once', () => {
    expect(new Set(END_REASONS).size).toBe(19)
    expect(END_REASONS.length).toBe(19)
  })
})
