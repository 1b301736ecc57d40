import { describe, expect, it } from 'vitest'
import { LatencyLedger } from '../../server/conversation/latency.ts'

describe('latency', () => {
  it('divides 1000 ms into the wait, the providers and our own 25 ms', () => {
    const ledger = new LatencyLedger(
      { startMs: 4_000, speechEndMs: 5_000, dueMs: 5_240, committedMs: 5_340 },
      100,
    )
    ledger.pass('llmAsked', 105)
    ledger.pass('llmToken', 405)
    ledger.pass('llmToken', 500)
    ledger.pass('sentence', 555)
    ledger.pass('ttsAsked', 560)
    ledger.pass('ttsAudio', 745)
    ledger.pass('handedOver', 746)
    ledger.pass('prepared', 751)
    expect(ledger.result).toBeNull()
    ledger.firstAudioSent(760)
    ledger.firstAudioSent(9_999)
    expect(ledger.result).toEqual({
      endpointingMs: 240,
      sttMs: 100,
      llmFirstTokenMs: 300,
      firstSentenceMs: 150,
      ttsFirstAudioMs: 185,
      responseMs: 1_000,
      queueMs: 5,
      dspMs: 5,
      pacingMs: 10,
      ownMs: 25,
    })
  })

  it('keeps the first 83 ms that a mark tells as the time of the carrier', () => {
    const ledger = new LatencyLedger({ startMs: 0, speechEndMs: 0, dueMs: 0, committedMs: 0 }, 0)
    ledger.carrier(50)
    ledger.firstAudioSent(10)
    ledger.carrier(null)
    expect(ledger.result?.carrierMs).toBeNull()
    ledger.carrier(83.04)
    ledger.carrier(400)
    expect(ledger.result).toMatchObject({ responseMs: 10, carrierMs: 83 })
  })

  it('has no endpointing and no STT for typed turns', () => {
    const ledger = new LatencyLedger({ startMs: 0, speechEndMs: null, dueMs: 0, committedMs: 0 }, 0)
    ledger.firstAudioSent(50)
    expect(ledger.result).toMatchObject({
      endpointingMs: 0,
      sttMs: null,
      responseMs: 50,
      ownMs: 50,
    })
  })
})
