import { describe, expect, it } from 'vitest'
import { encodePcmu } from '../../bench/rig/mulaw.ts'
import { SentLevel } from '../../server/media/sent-level.ts'

const tone = (amplitude: number) =>
  Int16Array.from({ length: 160 }, (_, i) => Math.round(amplitude * Math.sin(i * 0.7)))

describe('sent level', () => {
  it('is −13 dBFS for a tone of 0.32 of full scale in PCMU, and −90 when nothing was sent since', () => {
    const level = new SentLevel({ codec: 'PCMU', sampleRateHz: 8_000 })
    level.sent(encodePcmu(tone(1_000)))
    level.sent(encodePcmu(tone(10_362)))
    expect(level.takeDbfs()).toBeCloseTo(-13, 0)
    expect(level.takeDbfs()).toBe(-90)
  })

  it('reads L16 as little-endian', () => {
    const level = new SentLevel({ codec: 'L16', sampleRateHz: 8_000 })
    level.sent(new Uint8Array(tone(10_362).buffer))
    expect(level.takeDbfs()).toBeCloseTo(-13, 0)
  })
})
