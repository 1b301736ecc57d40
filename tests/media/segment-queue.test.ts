import { describe, expect, it } from 'vitest'
import { SegmentQueue } from '../../server/media/segment-queue.ts'
import { FakeLane } from '../support/media-doubles.ts'

function open() {
  const lane = new FakeLane()
  const dropped: number[] = []
  const queue = new SegmentQueue(8_000, (samples) => dropped.push(samples))
  /** Lets the lane play everything that fits, and returns the first sample of each frame. */
  const play = (): number[] => {
    const played: number[] = []
    queue.pump(lane)
    for (let frame = lane.nextOutbound(); frame; frame = lane.nextOutbound()) {
      played.push(frame.payload[0]!)
      queue.pump(lane)
    }
    return played
  }
  return { lane, dropped, queue, play }
}

const voice = (ms: number, value = 1) => new Int16Array(ms * 8).fill(value)

describe('segment queue', () => {
  it('plays segments in the order of their first append, also when their chunks come side by side', () => {
    const { queue, play } = open()
    queue.append(1, voice(20, 1))
    queue.append(2, voice(40, 2))
    queue.append(1, voice(20, 3))
    queue.finish(1)
    queue.append(2, voice(20, 4))
    queue.finish(2)
    expect(play()).toEqual([1, 3, 2, 2, 4])
  })

  it('holds a segment back until the one before it is finished', () => {
    const { queue, play } = open()
    queue.append(1, voice(20, 1))
    queue.append(2, voice(20, 2))
    expect(play()).toEqual([1])
    queue.finish(1)
    expect(play()).toEqual([2])
  })

  it('feeds 1 s through a lane of 320 ms without losing or repeating a sample', () => {
    const { queue, lane } = open()
    const pcm = Int16Array.from({ length: 8_000 }, (_, i) => i % 251)
    queue.append(1, pcm)
    const played: number[] = []
    queue.pump(lane)
    for (let frame = lane.nextOutbound(); frame; frame = lane.nextOutbound()) {
      played.push(...frame.payload)
      queue.pump(lane)
    }
    expect(played).toEqual([...pcm])
  })

  it('drops and counts what exceeds 120 s of waiting audio', () => {
    const { queue, dropped } = open()
    queue.append(1, voice(119_990))
    queue.append(1, voice(10))
    queue.append(1, voice(20))
    expect(dropped).toEqual([160])
  })

  it('takes audio again when the lane has taken some', () => {
    const { queue, lane, dropped } = open()
    queue.append(1, voice(120_000))
    queue.pump(lane)
    queue.append(1, voice(320))
    expect(dropped).toEqual([])
  })

  it('drops audio for a segment that is finished, confirmed or cleared', () => {
    const { queue, dropped, play } = open()
    queue.append(1, voice(20))
    queue.finish(1)
    queue.append(1, voice(10))
    play()
    queue.nextToMark(20)
    queue.confirm('1.1')
    queue.append(1, voice(20))
    queue.append(2, voice(20))
    queue.clear(0)
    queue.append(2, voice(30))
    expect(dropped).toEqual([80, 160, 240])
    expect(queue.busy).toBe(false)
  })

  it('ignores an empty chunk and a second finish', () => {
    const { queue, dropped } = open()
    queue.append(1, new Int16Array(0))
    expect(queue.busy).toBe(false)
    queue.append(1, voice(20))
    queue.finish(1)
    queue.finish(1)
    expect(dropped).toEqual([])
  })

  it('marks a segment 0.5 ms before its end, the rounding between two sample rates, and not 0.6 ms', () => {
    const { queue, play } = open()
    queue.append(1, voice(100))
    queue.finish(1)
    play()
    expect(queue.nextToMark(99.4)).toBeNull()
    expect(queue.nextToMark(99.5)?.mark).toBe('1.1')
    expect(queue.nextToMark(99.5)).toBeNull()
  })

  it('names marks by epoch, so that segment 2 after a clear is not taken for one before', () => {
    const { queue, play } = open()
    queue.append(1, voice(20))
    queue.clear(0)
    queue.append(2, voice(20))
    queue.finish(2)
    play()
    expect(queue.nextToMark(20)?.mark).toBe('2.2')
    expect(queue.confirm('1.2')).toEqual([])
  })

  it('divides a heard position of 130 ms between segments of 100 and 200 ms', () => {
    const { queue, play } = open()
    queue.append(1, voice(100))
    queue.append(2, voice(200))
    queue.finish(1)
    queue.finish(2)
    play()
    expect([queue.heardMs(1, 130), queue.heardMs(2, 130)]).toEqual([100, 30])
    queue.clear(130)
    expect([queue.heardMs(1, 0), queue.heardMs(2, 0)]).toEqual([100, 30])
  })

  it('remembers the heard position of the last 64 segments', () => {
    const { queue, play } = open()
    for (let id = 1; id <= 65; id++) {
      queue.append(id, voice(20))
      queue.finish(id)
    }
    play()
    queue.clear(65 * 20)
    expect([queue.heardMs(1, 0), queue.heardMs(2, 0), queue.heardMs(65, 0)]).toEqual([0, 20, 20])
  })
})
