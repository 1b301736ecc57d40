import { describe, expect, it } from 'vitest'
import { UserAudio } from '../../server/media/user-audio.ts'
import { FakeLane } from '../support/media-doubles.ts'

function open() {
  const lane = new FakeLane()
  const seen: string[] = []
  const audio = new UserAudio(
    lane,
    { codec: 'PCMU', sampleRateHz: 8_000 },
    {
      user: (payload) => seen.push(`${payload[0]}`),
      skipped: (ms) => seen.push(`skip ${ms}`),
    },
  )
  /** A payload of 20 ms whose bytes are all `value`. */
  const push = (value: number, atMs: number, ms = 20) =>
    audio.push(new Uint8Array(ms * 8).fill(value), atMs)
  const inLane = () => lane.userPayloads.map((payload) => payload[0])
  return { lane, audio, seen, push, inLane }
}

describe('user audio: order', () => {
  it('passes payloads in order into the lane, from whatever time the stream begins at', () => {
    const { push, inLane, audio } = open()
    expect([push(1, 40), push(2, 60), push(3, 80)]).toEqual([true, true, true])
    expect(inLane()).toEqual([1, 2, 3])
    expect(audio.counters.payloads).toBe(3)
  })

  it('drops and counts a payload that repeats or comes 20 ms late', () => {
    const { push, inLane, audio } = open()
    push(1, 0)
    push(2, 20)
    expect([push(2, 20), push(1, 0)]).toEqual([false, false])
    expect(push(3, 40)).toBe(true)
    expect(inLane()).toEqual([1, 2, 3])
    expect(audio.counters.latePayloads).toBe(2)
  })

  it('takes timestamps that are up to 9 ms off as in order', () => {
    const { push, inLane } = open()
    push(1, 0)
    push(2, 29)
    push(3, 40)
    push(4, 69)
    expect(inLane()).toEqual([1, 2, 3, 4])
  })

  it('follows a carrier whose clock jumps back after 10 late payloads in a row', () => {
    const { push, audio, inLane } = open()
    push(1, 999_999_999_999)
    for (let late = 0; late < 9; late++) expect(push(2, late * 20)).toBe(false)
    expect(push(3, 180)).toBe(true)
    expect(push(4, 200)).toBe(true)
    expect(inLane()).toEqual([1, 3, 4])
    expect(audio.counters).toMatchObject({ latePayloads: 9, concealedFrames: 0 })
  })

  it('drops 9 late payloads, and 9 more after one in order', () => {
    const { push, audio } = open()
    push(1, 1_000)
    for (let late = 0; late < 9; late++) push(2, 0)
    push(3, 1_020)
    for (let late = 0; late < 9; late++) push(4, 0)
    expect(audio.counters).toMatchObject({ payloads: 2, latePayloads: 18 })
  })
})

describe('user audio: gaps', () => {
  it('fills a gap of 60 ms with 3 frames of PCMU silence (0xFF)', () => {
    const { push, inLane, audio, lane } = open()
    push(1, 0)
    push(2, 80)
    expect(inLane()).toEqual([1, 255, 255, 255, 2])
    expect(lane.userPayloads[1]).toEqual(new Uint8Array(160).fill(0xff))
    expect(audio.counters.concealedFrames).toBe(3)
  })

  it('fills a gap of 10 s with 4 frames and reports the other 9 920 ms as skipped', () => {
    const { push, inLane, seen } = open()
    push(1, 0)
    push(2, 10_020)
    expect(inLane()).toEqual([1, 255, 255, 255, 255, 2])
    expect(seen).toEqual(['1', '255', '255', '255', '255', 'skip 9920', '2'])
  })

  it('conceals with the silence of each codec: PCMA 0xD5, L16 0', () => {
    for (const [codec, silence] of [
      ['PCMA', 0xd5],
      ['L16', 0],
    ] as const) {
      const lane = new FakeLane()
      const audio = new UserAudio(lane, { codec, sampleRateHz: 8_000 })
      const bytes = codec === 'L16' ? 320 : 160
      audio.push(new Uint8Array(bytes).fill(1), 0)
      audio.push(new Uint8Array(bytes).fill(1), 40)
      expect(lane.userPayloads[1]).toEqual(new Uint8Array(bytes).fill(silence))
    }
  })
})

describe('user audio: bursts', () => {
  it('keeps a burst of 50 payloads for a lane that takes 8, in order, until it has room', () => {
    const { push, lane, audio, inLane } = open()
    lane.userRoom = 8
    for (let i = 0; i < 50; i++) expect(push(i, i * 20)).toBe(true)
    expect(inLane().length).toBe(8)
    for (let turn = 0; turn < 6; turn++) {
      lane.userRoom = 8
      audio.turn()
    }
    expect(inLane()).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(audio.counters).toMatchObject({ payloads: 50, refusedPayloads: 0 })
  })

  it('keeps order when the lane has room again but the backlog is not empty', () => {
    const { push, lane, audio, inLane } = open()
    lane.userRoom = 0
    push(1, 0)
    lane.userRoom = 8
    push(2, 20)
    audio.turn()
    expect(inLane()).toEqual([1, 2])
  })

  it('keeps a copy, because the payload is only valid during the call', () => {
    const { audio, lane, inLane } = open()
    lane.userRoom = 0
    const payload = new Uint8Array(160).fill(1)
    audio.push(payload, 0)
    payload.fill(9)
    lane.userRoom = 1
    audio.turn()
    expect(inLane()).toEqual([1])
  })

  it('refuses and counts what exceeds 100 waiting payloads', () => {
    const { push, lane, audio, seen } = open()
    lane.userRoom = 0
    const taken = Array.from({ length: 103 }, (_, i) => push(1, i * 20))
    expect(taken.filter(Boolean).length).toBe(100)
    expect(audio.counters.refusedPayloads).toBe(3)
    expect(seen.slice(-3)).toEqual(['skip 20', 'skip 20', 'skip 20'])
  })
})

describe('user audio: lengths', () => {
  it.each([10, 20, 30, 60, 100])('takes a payload of %i ms', (ms) => {
    const { push, audio } = open()
    expect(push(1, 0, ms)).toBe(true)
    expect(push(2, ms)).toBe(true)
    expect(audio.counters.concealedFrames).toBe(0)
  })

  it.each([0, 5, 15, 110])('refuses a payload of %i ms and goes on with the next', (ms) => {
    const { push, inLane, audio } = open()
    push(1, 0)
    expect(push(2, 20, ms)).toBe(false)
    expect(push(3, 20 + ms)).toBe(true)
    expect(inLane()).toEqual([1, 3])
    expect(audio.counters.refusedPayloads).toBe(1)
  })
})
