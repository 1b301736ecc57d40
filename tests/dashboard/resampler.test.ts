import { describe, expect, test } from 'vitest'
import { Resampler, toPcm16 } from '../../dashboard/src/call/resampler.ts'

function tone(hz: number, rateHz: number, seconds: number): Float32Array {
  const samples = new Float32Array(Math.round(rateHz * seconds))
  for (let i = 0; i < samples.length; i++) {
    samples[i] = 0.5 * Math.sin((2 * Math.PI * hz * i) / rateHz)
  }
  return samples
}

/** Runs a signal through in render quanta of 128 samples, as a worklet does. */
function run(resampler: Resampler, input: Float32Array): Float32Array {
  const output: number[] = []
  for (let i = 0; i < input.length; i += 128) {
    output.push(...resampler.process(input.subarray(i, i + 128)))
  }
  return Float32Array.from(output)
}

/** Level in dBFS of the middle of a signal, past the filter's run-in. */
function levelDbfs(samples: Float32Array): number {
  const middle = samples.subarray(samples.length >> 2, (samples.length * 3) >> 2)
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length
  return 10 * Math.log10(power + 1e-20)
}

describe('resampler', () => {
  for (const [fromHz, toHz] of [
    [48_000, 16_000],
    [44_100, 16_000],
    [16_000, 48_000],
    [16_000, 44_100],
    [16_000, 16_000],
  ] as const) {
    test(`keeps a 1 kHz tone within 0.1 dB from ${fromHz} to ${toHz} Hz`, () => {
      const output = run(new Resampler({ fromHz, toHz }), tone(1_000, fromHz, 0.5))
      expect(Math.abs(levelDbfs(output) + 9.03)).toBeLessThan(0.1)
    })

    test(`makes ${toHz} samples of ${fromHz}, give or take the delay of the filter`, () => {
      const output = run(new Resampler({ fromHz, toHz }), new Float32Array(fromHz))
      expect(Math.abs(output.length - toHz)).toBeLessThanOrEqual(1)
    })
  }

  test('keeps a 6 kHz tone within 0.5 dB on the way to 16 kHz', () => {
    const output = run(new Resampler({ fromHz: 48_000, toHz: 16_000 }), tone(6_000, 48_000, 0.5))
    expect(Math.abs(levelDbfs(output) + 9.03)).toBeLessThan(0.5)
  })

  test('lets no alias of a 10 kHz tone above −70 dBFS into 16 kHz', () => {
    const output = run(new Resampler({ fromHz: 48_000, toHz: 16_000 }), tone(10_000, 48_000, 0.5))
    expect(levelDbfs(output)).toBeLessThan(-70)
  })

  test('gives the same samples for any division of the stream', () => {
    const input = tone(700, 44_100, 0.2)
    const whole = new Resampler({ fromHz: 44_100, toHz: 16_000 })
    const parts = new Resampler({ fromHz: 44_100, toHz: 16_000 })
    const expected: number[] = []
    for (let i = 0; i < input.length; i += 4_096) {
      expected.push(...whole.process(input.subarray(i, i + 4_096)))
    }
    expect([...run(parts, input)]).toEqual(expected)
  })

  test('passes a constant unchanged', () => {
    const output = run(
      new Resampler({ fromHz: 44_100, toHz: 16_000 }),
      new Float32Array(4_410).fill(0.25),
    )
    for (const sample of output.subarray(100)) expect(sample).toBeCloseTo(0.25, 5)
  })

  test('is silent after reset()', () => {
    const resampler = new Resampler({ fromHz: 16_000, toHz: 48_000 })
    resampler.process(tone(500, 16_000, 0.02))
    resampler.reset()
    expect(Math.max(...resampler.process(new Float32Array(128)))).toBe(0)
  })

  test('saturates 16-bit samples at −32768 and 32767', () => {
    const pcm = new Int16Array(4)
    toPcm16(Float32Array.of(1.5, -1.5, 0, 0.5), pcm)
    expect([...pcm]).toEqual([32_767, -32_768, 0, 16_384])
  })
})
