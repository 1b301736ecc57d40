import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, resolveProfile } from '../../server/agent-settings.ts'
import { LevelFilter } from '../../server/conversation/level-filter.ts'
import { Rig } from './rig.ts'

function say(filter: LevelFilter, voicedLevelDbfs: number, frames = 20) {
  for (let i = 0; i < frames; i++) filter.frame({ speech: true, voicedLevelDbfs })
  return filter.turn()
}

function after(turns: number, adaptiveLevelFilter = true): LevelFilter {
  const filter = new LevelFilter({ adaptiveLevelFilter })
  for (let i = 0; i < turns; i++) say(filter, -20)
  return filter
}

describe('level filter', () => {
  it('drops after 5 turns at −20 dBFS what comes at −29, and keeps what comes at −27', () => {
    expect(say(after(5), -29)).toBe('tooQuiet')
    expect(say(after(5), -27)).toBeNull()
  })

  it('drops nothing before the fifth turn, when it is off, and of fewer than 5 voiced frames', () => {
    expect(say(after(4), -40)).toBeNull()
    expect(say(after(9, false), -40)).toBeNull()
    expect(say(after(5), -40, 4)).toBeNull()
  })

  it('hears a user again who stays softer, after 7 turns at −32 dBFS', () => {
    const filter = after(5)
    const dropped = Array.from({ length: 30 }, () => say(filter, -32)).filter(Boolean)
    expect(dropped).toHaveLength(7)
  })

  it('is on in the browser and off on the telephone, as the original was', () => {
    const on = (profile: 'browser' | 'twilio' | 'telnyx') =>
      resolveProfile(DEFAULT_SETTINGS, profile).adaptiveLevelFilter
    expect([on('browser'), on('twilio'), on('telnyx')]).toEqual([true, false, false])
  })

  it('makes no turn of the television behind a user of five turns', async () => {
    const rig = new Rig({ adaptiveLevelFilter: true })
    const turn = async (text: string): Promise<void> => {
      await rig.user(text)
      await rig.run(1_500)
      if (rig.conversation.state === 'thinking') await rig.reply('Bien.')
      await rig.run(1_500)
    }
    for (let i = 1; i <= 5; i++) await turn(`Quiero la cita ${i} por favor.`)
    rig.voiceDbfs = -35
    await turn('Y ahora las noticias.')
    expect(rig.of('ignored')).toMatchObject([{ reason: 'tooQuiet' }])
    expect(rig.llm.answers).toHaveLength(5)
  })
})
