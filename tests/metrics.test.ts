import { describe, expect, it } from 'vitest'
import { createMetrics, observeTurn, watchAudioFaults } from '../server/metrics.ts'

describe('metrics', () => {
  it('keep a registry of their own: two sets do not share counts', async () => {
    const [a, b] = [createMetrics(), createMetrics()]
    a.badInputs.inc({ carrier: 'twilio', code: 'BAD_JSON' })
    expect(await a.registry.metrics()).toContain(
      'andrea_bad_inputs_total{carrier="twilio",code="BAD_JSON"} 1',
    )
    expect(await b.registry.metrics()).not.toContain('BAD_JSON')
  })

  it('enter a turn in seconds, each stage that is known under its label', async () => {
    const metrics = createMetrics()
    observeTurn(metrics, {
      endpointingMs: 500,
      sttMs: null,
      llmFirstTokenMs: 200,
      firstSentenceMs: 50,
      ttsFirstAudioMs: 100,
      responseMs: 860,
      ownMs: 10,
    })
    const text = await metrics.registry.metrics()
    expect(text).toContain('andrea_turn_latency_seconds_sum{stage="response"} 0.86')
    expect(text).toContain('andrea_turn_latency_seconds_bucket{le="0.015",stage="own"} 1')
    expect(text).not.toContain('stage="stt"')
  })

  it('read watched gauges when they are scraped', async () => {
    const metrics = createMetrics()
    let depth = 1
    metrics.watch('journal_queued', 'Entries that wait', () => depth)
    depth = 7
    expect(await metrics.registry.metrics()).toContain('andrea_journal_queued 7')
  })

  it('show what the audio pool refused, by reason, as totals read at each scrape', async () => {
    const metrics = createMetrics()
    const counts = { badPayload: 3, deadLane: 0 }
    watchAudioFaults(metrics, () => counts)
    counts.badPayload = 5
    await metrics.registry.metrics()
    const text = await metrics.registry.metrics()
    expect(text).toContain('andrea_audio_faults_total{reason="badPayload"} 5')
    expect(text).toContain('andrea_audio_faults_total{reason="deadLane"} 0')
  })
})
