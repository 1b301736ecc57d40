import { describe, expect, it } from 'vitest'
import { allowedAction, toolAction, toolDefinitions } from '../../server/conversation/tools.ts'

const ALL = {
  enableEndCall: true,
  enableDialKeypad: true,
  transferPhoneNumber: '+525512345678',
  httpTools: [],
  languages: [],
}
const NONE = {
  enableEndCall: false,
  enableDialKeypad: false,
  transferPhoneNumber: null,
  httpTools: [],
  languages: [],
}
const call = (name: string, args = '{}') => ({ id: 'x', name, arguments: args })

describe('tools', () => {
  it('offers what the settings allow', () => {
    expect(toolDefinitions(ALL).map((tool) => tool.name)).toEqual([
      'end_call',
      'transfer_call',
      'send_dtmf',
    ])
    expect(toolDefinitions(NONE)).toEqual([])
  })

  it('understands the three tools', () => {
    expect(toolAction(call('end_call', ''), ALL)).toEqual({ kind: 'endCall' })
    expect(toolAction(call('transfer_call'), ALL)).toEqual({
      kind: 'transfer',
      to: '+525512345678',
    })
    expect(toolAction(call('send_dtmf', '{"digits":"1#"}'), ALL)).toEqual({
      kind: 'digits',
      digits: '1#',
    })
  })

  it.each(['{"digits":"12e"}', '{"digits":5}', '{', 'null', '{"digits":""}'])(
    'refuses the digits %s',
    (args) => {
      expect(toolAction(call('send_dtmf', args), ALL).kind).toBe('refused')
    },
  )

  it('refuses what is off or unknown, and says why', () => {
    expect(toolAction(call('end_call'), NONE)).toEqual({
      kind: 'refused',
      reason: 'ending the call is not allowed',
    })
    expect(toolAction(call('rm'), ALL)).toEqual({ kind: 'refused', reason: 'there is no tool rm' })
    expect(allowedAction({ kind: 'transfer' }, NONE).kind).toBe('refused')
    expect(allowedAction({ kind: 'digits', digits: '1' }, NONE).kind).toBe('refused')
  })
})
