/**
 * How long a call is silent while a provider fails, with the limits that the product has and the latencies that the
 * services have; in virtual time, so that the figures are those of the design and not of the machine.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { driveChaos, FAILURES, type ChaosResult } from '../../bench/rig/chaos-schedule.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { FailoverLlm } from '../../server/providers/failover-llm.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import { FailoverTts } from '../../server/providers/failover-tts.ts'
import { Trouble, VirtualEars, VirtualModel, VirtualVoice } from './virtual-providers.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

async function runVirtually(calls: number, lastMs: { failure: number; calm: number }) {
  const accounts = new CallAccounts()
  const [preferred, second] = [new Trouble(), new Trouble()]
  const stt = new FailoverStt(
    [new VirtualEars('first', preferred), new VirtualEars('second', second)],
    { accounts },
  )
  const llm = new FailoverLlm(
    [new VirtualModel('first', preferred), new VirtualModel('second', second)],
    { accounts },
  )
  const tts = new FailoverTts(
    [new VirtualVoice('first', preferred), new VirtualVoice('second', second)],
    { accounts },
  )
  const fail = preferred.fail.bind(preferred)
  let result: ChaosResult | null = null
  void driveChaos({ accounts, stt, llm, tts, fail }, { calls, lastMs }).then(
    (done) => (result = done),
  )
  for (let ms = 0; result === null && ms < 300_000; ms += 200)
    await vi.advanceTimersByTimeAsync(200)
  await Promise.all([stt.close(), llm.close(), tts.close()])
  expect(accounts.size).toBe(0)
  return result as unknown as ChaosResult
}

describe('50 calls in virtual time while 12 failures come one after the other', () => {
  it('are silent for 3 s at most, go on, and lose and double no word', async () => {
    const result = await runVirtually(50, { failure: 1_500, calm: 7_000 })
    expect(FAILURES).toHaveLength(12)
    expect(result).toMatchObject({ callsEnded: 0, unanswered: 0, wordsLost: 0, wordsDoubled: 0 })
    expect(result.utterances).toBeGreaterThan(1_000)
    expect(result.switches).toBeGreaterThan(50)

    expect(result.silenceMaxMs).toBeLessThanOrEqual(3_000)
  }, 60_000)
})
