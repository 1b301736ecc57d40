/** The real SDKs over emulated services while each preferred provider stalls, refuses, disconnects and recovers. */
import { describe, expect, it } from 'vitest'
import { runChaos } from '../../bench/rig/provider-chaos.ts'

describe('3 calls while providers fail', () => {
  // A failure lasts until an utterance was answered in spite of it: a slow machine takes longer and counts the same.
  it('ends none of them, and loses and doubles none of their 6 finalised utterances', async () => {
    const result = await runChaos({ calls: 3, utterances: 2, phaseMs: null })
    expect(result).toMatchObject({ callsEnded: 0, lostUtterances: 0, doubledUtterances: 0 })
    expect(result.switches).toBeGreaterThan(0)
  }, 60_000)
})
