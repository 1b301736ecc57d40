import { describe, expect, test } from 'vitest'
import { PlaybackQueue } from '../../dashboard/src/call/playback-queue.ts'

const ramp = (from: number, length: number) => Int16Array.from({ length }, (_, i) => from + i)

/** Pulls samples and gives them back as the integers that were pushed. */
function pull(queue: PlaybackQueue, length: number): { samples: number[]; marks: string[] } {
  const out = new Float32Array(length)
  const marks = queue.pull(out)
  return { samples: [...out].map((sample) => Math.round(sample * 32_768)), marks }
}

describe('playback queue', () => {
  test('plays samples in order across the end of a ring of 8', () => {
    const queue = new PlaybackQueue({ capacitySamples: 8, leadSamples: 0 })
    queue.push(ramp(1, 6))
    expect(pull(queue, 5).samples).toEqual([1, 2, 3, 4, 5])
    queue.push(ramp(7, 6))
    expect(pull(queue, 8).samples).toEqual([6, 7, 8, 9, 10, 11, 12, 0])
  })

  test('drops the newest samples above its capacity and counts them', () => {
    const queue = new PlaybackQueue({ capacitySamples: 4, leadSamples: 0 })
    queue.push(ramp(1, 7))
    expect(queue.droppedSamples).toBe(3)
    expect(pull(queue, 5).samples).toEqual([1, 2, 3, 4, 0])
  })

  test('waits 4 samples of play time before it begins, and again after it ran dry', () => {
    const queue = new PlaybackQueue({ capacitySamples: 32, leadSamples: 4 })
    expect(pull(queue, 3).samples).toEqual([0, 0, 0])
    queue.push(ramp(1, 4))
    expect(pull(queue, 3).samples).toEqual([0, 0, 0])
    expect(pull(queue, 4).samples).toEqual([0, 1, 2, 3])
    queue.push(ramp(5, 1))
    expect(pull(queue, 3).samples).toEqual([4, 5, 0])
    queue.push(ramp(6, 1))
    expect(pull(queue, 6).samples).toEqual([0, 0, 0, 0, 6, 0])
  })

  test('reports a mark when the sample before it was pulled, not earlier', () => {
    const queue = new PlaybackQueue({ capacitySamples: 32, leadSamples: 0 })
    queue.push(ramp(1, 4))
    expect(queue.mark('a')).toBe(false)
    queue.push(ramp(5, 2))
    expect(queue.mark('b')).toBe(false)
    expect(pull(queue, 3).marks).toEqual([])
    expect(pull(queue, 1).marks).toEqual(['a'])
    expect(pull(queue, 4).marks).toEqual(['b'])
  })

  test('reports marks of the same position in the order in which they came', () => {
    const queue = new PlaybackQueue({ capacitySamples: 32, leadSamples: 0 })
    queue.push(ramp(1, 2))
    queue.mark('a')
    queue.mark('b')
    expect(pull(queue, 2).marks).toEqual(['a', 'b'])
  })

  test('counts a mark in an empty queue as played at once', () => {
    const queue = new PlaybackQueue({ capacitySamples: 32, leadSamples: 0 })
    expect(queue.mark('a')).toBe(true)
    expect(pull(queue, 4).marks).toEqual([])
  })

  test('is silent after clear() and never reports the marks it forgot', () => {
    const queue = new PlaybackQueue({ capacitySamples: 32, leadSamples: 0 })
    queue.push(ramp(1, 10))
    queue.mark('forgotten')
    expect(pull(queue, 2).samples).toEqual([1, 2])
    queue.clear()
    expect(queue.queuedSamples).toBe(0)
    expect(pull(queue, 10)).toEqual({ samples: new Array(10).fill(0), marks: [] })
    queue.push(ramp(50, 2))
    queue.mark('next')
    expect(pull(queue, 2)).toEqual({ samples: [50, 51], marks: ['next'] })
  })
})
