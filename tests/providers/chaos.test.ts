/** The real SDKs over emulated services while each preferred provider stalls, refuses, disconnects and recovers. */
import { describe, expect, it } from 'vitest'
import { runChaos } from '../../bench/rig/provider-chaos.ts'

const QUICK = ['--final-ms', '300', '--first-token-ms', '20', '--first-audio-ms', '20']

describe('3 calls while 12 failures come one after the other', () => {
  // A failure lasts until an utterance was answered in spite of it: a slow machine takes longer and counts the same. How
  // soon each utterance is answered is a matter of limits in ms: silence-budget.test.ts, in virtual time.
  it('go on, and lose and double none of their finalised words', async () => {
    const result = await runChaos({ calls: 3, lastMs: null, flags: QUICK })
    expect(result).toMatchObject({ callsEnded: 0, wordsLost: 0, wordsDoubled: 0 })
    expect(result.utterances).toBeGreaterThan(12)
    expect(result.switches).toBeGreaterThan(0)
  }, 180_000)
})
