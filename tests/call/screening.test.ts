import { describe, expect, it } from 'vitest'
import { Screening } from '../../server/call/screening.ts'

type Settings = ConstructorParameters<typeof Screening>[0]

function screening(settings: Partial<Settings> = {}): Screening {
  const shipped = { onMachine: 'leaveMessage', onFax: 'hangup', onUnknownParty: 'talk' } as const
  return new Screening({ machineDetection: true, ...shipped, ...settings }, 1_000)
}

describe('screening of a call out', () => {
  it('is silent until the verdict, and talks at once to a human', () => {
    const call = screening()
    expect([call.silent, call.tick(1_500)]).toEqual([true, { kind: 'none' }])
    expect(call.verdict('human', false, 2_000)).toEqual({ kind: 'talk' })
    expect(call.silent).toBe(false)
  })

  it('talks 5 s after the answer without a verdict, and says nothing into a machine that is found later', () => {
    const call = screening()
    expect(call.tick(5_999)).toEqual({ kind: 'none' })
    expect(call.tick(6_000)).toEqual({ kind: 'talk' })
    expect(call.verdict('machine', false, 9_000)).toEqual({ kind: 'none' })
    expect(call.silent).toBe(true)
  })

  it('leaves the message once when the machine’s greeting is over, or 40 s later', () => {
    const beeped = screening()
    beeped.verdict('machine', false, 2_000)
    expect(beeped.verdict('machine', true, 9_000)).toEqual({ kind: 'leaveMessage' })
    expect(beeped.verdict('machine', true, 9_100)).toEqual({ kind: 'none' })
    const mute = screening()
    mute.verdict('machine', false, 2_000)
    expect(mute.tick(41_999)).toEqual({ kind: 'none' })
    expect(mute.tick(42_000)).toEqual({ kind: 'leaveMessage' })
  })

  it('hangs up on a fax and, where that is set, on a machine', () => {
    expect(screening().verdict('fax', false, 2_000)).toEqual({ kind: 'hangup', reason: 'fax' })
    const call = screening({ onMachine: 'hangup' })
    expect(call.verdict('machine', true, 2_000)).toEqual({ kind: 'hangup', reason: 'voicemail' })
  })

  it('does not leave somebody it already talks with because nobody found out who it is', () => {
    const call = screening({ onUnknownParty: 'hangup' })
    call.tick(6_000)
    expect(call.verdict('unknown', false, 7_000)).toEqual({ kind: 'none' })
  })
})
