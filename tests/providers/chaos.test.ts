/** The real SDKs over emulated services while each preferred provider stalls, refuses, disconnects and recovers. */
import { describe, expect, it } from 'vitest'
import { runChaos } from '../../bench/rig/provider-chaos.ts'

describe('10 calls while providers fail', () => {
  it('ends none of them, answers every utterance, and loses and doubles no finalised word', async () => {
    const result = await runChaos({ calls: 10, utterances: 3, phaseMs: 900 })
    expect(result).toMatchObject({
      callsEnded: 0,
      lostUtterances: 0,
      doubledUtterances: 0,
      unanswered: 0,
    })
    expect(result.switches).toBeGreaterThan(0)
  }, 120_000)
})
