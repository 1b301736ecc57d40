/** What happens while audio of the agent waits to be heard: nothing that takes it for silence. */
import { describe, expect, it } from 'vitest'
import { LONG_REPLY, speaking } from './rig.ts'

describe('audio that was synthesised and is not yet heard', () => {
  it('keeps the idle prompt back: it comes 5 s after the last word was heard, not after it was made', async () => {
    const rig = await speaking({
      idleTimeoutSec: 5,
      inactivityMaxRetries: 1,
      idleMessage: '¿Hola?',
    })
    await rig.run(14_000)
    const [reply, idle] = rig.turns.filter(({ role }) => role === 'agent')
    expect(reply).toMatchObject({ textHeard: LONG_REPLY, truncated: false })
    expect(idle?.kind).toBe('idle')
    const waitedMs = (idle?.startMs ?? 0) - (reply?.endMs ?? 0)
    expect(waitedMs).toBeGreaterThanOrEqual(5_000)
    expect(waitedMs).toBeLessThanOrEqual(5_100)
  })

  it('keeps the idle prompt back too while the agent is paused by a sound over it', async () => {
    const rig = await speaking({ idleTimeoutSec: 5, inactivityMaxRetries: 1 })
    await rig.run(300)
    await rig.sound(1_800)
    await rig.run(4_000)
    expect(rig.turns.filter(({ kind }) => kind === 'idle')).toEqual([])
  })
})
