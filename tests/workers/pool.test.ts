import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { AudioPool, type AudioLane, type Detection, type LaneEvents } from '../../workers/pool.ts'
import { FAULT_OWNER } from '../../workers/audio-lane.ts'

const PHONE = { line: { codec: 'PCMU', sampleRateHz: 8_000 }, ttsRateHz: 16_000 } as const
const PLAIN = { vadSensitivity: 0.5, bed: 'none', bedGain: 0 } as const
const IGNORE: LaneEvents = { onUserFrame: () => undefined, onFault: () => undefined }
const FRAME = new Uint8Array(160).fill(0xff)

let pool: AudioPool
beforeAll(async () => {
  pool = await AudioPool.create({ slots: 3, threads: 2 })
})
afterAll(() => pool.close())

/** A closed lane keeps its slot until its batch is done: the next test begins with all three. */
afterEach(async () => {
  for (let free = 0, tries = 0; free < 3 && tries < 100_000; tries++) {
    const lanes: AudioLane[] = []
    try {
      while (lanes.length < 3) lanes.push(pool.openLane(PHONE, PLAIN, IGNORE))
    } catch {
      await new Promise((resolve) => setImmediate(resolve))
    }
    free = lanes.length
    for (const lane of lanes) lane.close()
  }
})

/**
 * Ticks until `done`, giving the event loop to results in between; the test's own time limit bounds
 * it.
 */
async function tickUntil(done: () => boolean, nowMs = 0): Promise<void> {
  while (!done()) {
    pool.tick(nowMs)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Closes the lanes behind `body`, and waits for batches that still hold their slots. */
function closing<T>(lanes: AudioLane[], body: () => Promise<T>): Promise<T> {
  return body().finally(async () => {
    lanes.forEach((lane) => lane.close())
    await tickUntil(() => lanes.every((lane) => !lane.inFlight))
  })
}

describe('pool', () => {
  it('returns a detection and 320 samples for each 20 ms payload, in order', async () => {
    const times: number[] = []
    let samples = 0
    const lane = pool.openLane(PHONE, PLAIN, {
      ...IGNORE,
      onUserFrame(detection: Detection, pcm16k: Int16Array) {
        times.push(detection.atMs)
        samples += pcm16k.length
      },
    })
    await closing([lane], async () => {
      for (let f = 0; f < 5; f++) expect(lane.pushUserPayload(FRAME)).toBe(true)
      await tickUntil(() => times.length === 5)
      expect(times).toEqual([0, 20, 40, 60, 80])
      expect(samples).toBe(5 * 320)
    })
  })

  it('turns agent PCM at 16 kHz into PCMU frames of 160 bytes', async () => {
    const lane = pool.openLane(PHONE, PLAIN, IGNORE)
    await closing([lane], async () => {
      expect(lane.pushAgentPcm(new Int16Array(640).fill(1_000), 0)).toBe(640)
      let frame = lane.nextOutbound()
      await tickUntil(() => (frame = lane.nextOutbound()) !== null)
      expect(frame).toMatchObject({ hasAgent: true, agentMs: 20 })
      expect(frame?.payload).toHaveLength(160)
    })
  })

  it('tells that frames are prepared when their batch is done, and prepares more when 1 was taken', async () => {
    let told = 0
    const lane = pool.openLane(PHONE, PLAIN, { ...IGNORE, onPrepared: () => told++ })
    await closing([lane], async () => {
      lane.pushAgentPcm(new Int16Array(1_600).fill(1_000), 0)
      await tickUntil(() => told > 0)
      let taken = 0
      await tickUntil(() => {
        if (lane.nextOutbound() !== null) taken++
        return taken === 5
      })
      expect(lane.nextOutbound()).toBeNull()
    })
  })

  it('hands out the user audio of 3 lanes before it tells one of them of prepared frames', async () => {
    const seen: string[] = []
    const one = await AudioPool.create({ slots: 3, threads: 1 })
    const lanes = [1, 2, 3].map(() =>
      one.openLane(PHONE, PLAIN, {
        ...IGNORE,
        onUserFrame: () => seen.push('user'),
        onPrepared: () => seen.push('prepared'),
      }),
    )
    for (const lane of lanes) {
      lane.pushUserPayload(FRAME)
      lane.pushAgentPcm(new Int16Array(320).fill(1_000), 0)
    }
    one.tick(0)
    while (seen.length < 6) await new Promise((resolve) => setImmediate(resolve))
    expect(seen).toEqual(['user', 'user', 'user', 'prepared', 'prepared', 'prepared'])
    await one.close()
  })

  it('counts a lane whose owner throws at prepared frames as a fault, and ends it', async () => {
    const faults: number[] = []
    const lane = pool.openLane(PHONE, PLAIN, {
      ...IGNORE,
      onPrepared() {
        throw new Error('a bug of the owner')
      },
      onFault: (status) => faults.push(status),
    })
    const before = pool.stats().faults
    await closing([lane], async () => {
      lane.pushAgentPcm(new Int16Array(320).fill(1_000), 0)
      await tickUntil(() => faults.length > 0)
      expect(faults).toEqual([FAULT_OWNER])
      expect(pool.stats().faults).toBe(before + 1)
    })
  })

  it.each([
    [200, 2],
    [199, 1],
  ])(
    'with %d lanes waiting when a batch comes back, makes %d batches of one tick',
    async (waiting, batches) => {
      const many = await AudioPool.create({ slots: 201, threads: 1 })
      try {
        const told: string[] = []
        const first = many.openLane(PHONE, PLAIN, {
          ...IGNORE,
          onPrepared: () => told.push(`batch ${many.stats().batches}`),
        })
        let frames = 0
        const others = Array.from({ length: waiting }, () =>
          many.openLane(PHONE, PLAIN, { ...IGNORE, onUserFrame: () => frames++ }),
        )
        // What was just opened has been looked at, and waits for nothing.
        many.tick(0)
        first.pushAgentPcm(new Int16Array(320).fill(1_000), 0)
        many.tick(0)
        for (const lane of others) lane.pushUserPayload(FRAME)
        while (told.length === 0) await new Promise((resolve) => setImmediate(resolve))
        // The lane is told of its results when the worker has the next batch already.
        expect(told).toEqual([`batch ${batches}`])
        if (batches === 1) many.tick(0)
        while (frames < waiting) await new Promise((resolve) => setImmediate(resolve))
        expect(many.stats()).toMatchObject({ batches: 2, framesIn: waiting })
      } finally {
        await many.close()
      }
    },
  )

  it('makes a batch of 200 lanes whose frames have come in without waiting for a tick, and none of 199', async () => {
    const many = await AudioPool.create({ slots: 200, threads: 1 })
    try {
      let frames = 0
      const lanes = Array.from({ length: 200 }, () =>
        many.openLane(PHONE, PLAIN, { ...IGNORE, onUserFrame: () => frames++ }),
      )
      many.tick(0)
      for (const lane of lanes.slice(1)) lane.pushUserPayload(FRAME)
      await Promise.resolve()
      expect(many.stats().batches).toBe(0)
      lanes[0]!.pushUserPayload(FRAME)
      await Promise.resolve()
      expect(many.stats().batches).toBe(1)
      while (frames < 200) await new Promise((resolve) => setImmediate(resolve))
    } finally {
      await many.close()
    }
  })

  it('makes no batch for 3 lanes in which nothing has changed', async () => {
    const lanes = [1, 2, 3].map(() => pool.openLane(PHONE, PLAIN, IGNORE))
    await closing(lanes, () => {
      const { batches } = pool.stats()
      for (let nowMs = 0; nowMs < 100; nowMs += 5) pool.tick(nowMs)
      expect(pool.stats().batches).toBe(batches)
      return Promise.resolve()
    })
  })

  it('sends a tail of 5 ms after 40 ms without new audio, and not after 39', async () => {
    const lane = pool.openLane(PHONE, PLAIN, IGNORE)
    await closing([lane], async () => {
      lane.pushAgentPcm(new Int16Array(80), 0)
      pool.tick(1_000)
      pool.tick(1_039)
      const { batches } = pool.stats()
      expect(lane.nextOutbound()).toBeNull()
      expect(pool.stats().batches).toBe(batches)
      let agentMs = 0
      await tickUntil(() => {
        agentMs = lane.nextOutbound()?.agentMs ?? agentMs
        return agentMs > 0
      }, 1_040)
      expect(agentMs).toBe(5)
    })
  })

  it('takes payloads of 10 to 100 ms and counts every other length', async () => {
    let frames = 0
    const lane = pool.openLane(PHONE, PLAIN, { ...IGNORE, onUserFrame: () => frames++ })
    await closing([lane], async () => {
      const before = pool.stats().badPayloads
      for (const length of [0, 1, 79, 161, 880, 5_000]) {
        expect(lane.pushUserPayload(new Uint8Array(length))).toBe(false)
      }
      expect(pool.stats().badPayloads - before).toBe(6)
      for (const length of [80, 80, 240, 800]) {
        expect(lane.pushUserPayload(new Uint8Array(length))).toBe(true)
      }
      await tickUntil(() => frames === 7)
    })
  })

  it('drops and counts user audio beyond 1.92 s of PCMU that nobody processed', () => {
    const lane = pool.openLane(PHONE, PLAIN, IGNORE)
    const before = pool.stats().inboundOverflows
    const taken = Array.from({ length: 100 }, () => lane.pushUserPayload(FRAME))
    lane.close()
    expect(taken.filter(Boolean)).toHaveLength(96)
    expect(pool.stats().inboundOverflows - before).toBe(4)
  })

  it.each([
    ['codec OPUS', 'DSP_BAD_CODEC', { ...PHONE, line: { ...PHONE.line, codec: 'OPUS' as never } }],
    [
      'line rate of 11 025 Hz',
      'DSP_BAD_RATE',
      { ...PHONE, line: { ...PHONE.line, sampleRateHz: 11_025 as never } },
    ],
    ['TTS rate of 44 100 Hz', 'DSP_BAD_RATE', { ...PHONE, ttsRateHz: 44_100 as never }],
  ] as const)('refuses a %s with %s, counts it, and keeps the slot free', (_, code, format) => {
    const before = pool.stats()
    expect(() => pool.openLane(format, PLAIN, IGNORE)).toThrow(expect.objectContaining({ code }))
    expect(pool.stats().refusedLanes - before.refusedLanes).toBe(1)
    expect(pool.faultCounts()['refusedLane']).toBe(before.refusedLanes + 1)
    const lanes = [1, 2, 3].map(() => pool.openLane(PHONE, PLAIN, IGNORE))
    for (const lane of lanes) lane.close()
  })

  it('takes nothing for a closed lane, either way, and counts both', () => {
    const lane = pool.openLane(PHONE, PLAIN, IGNORE)
    lane.close()
    const before = pool.faultCounts()['deadLane'] ?? NaN
    expect(lane.pushUserPayload(FRAME)).toBe(false)
    expect(lane.pushAgentPcm(new Int16Array(320), 0)).toBe(0)
    expect(lane.nextOutbound()).toBeNull()
    expect(pool.faultCounts()['deadLane']).toBe(before + 2)
  })

  it('refuses a fourth lane with DSP_NO_SLOT, and takes it when one has closed', () => {
    const lanes = [1, 2, 3].map(() => pool.openLane(PHONE, PLAIN, IGNORE))
    expect(() => pool.openLane(PHONE, PLAIN, IGNORE)).toThrow(
      expect.objectContaining({ code: 'DSP_NO_SLOT', retryable: true }),
    )
    lanes[1]?.close()
    lanes[1]?.close()
    const fourth = pool.openLane(PHONE, PLAIN, IGNORE)
    expect(fourth.slot).toBe(lanes[1]?.slot)
    for (const lane of [...lanes, fourth]) lane.close()
    expect(pool.stats().liveLanes).toBe(0)
  })

  it('keeps a slot until its batch is done when the lane closes meanwhile', async () => {
    let frames = 0
    const lanes = [1, 2, 3].map(() =>
      pool.openLane(PHONE, PLAIN, { ...IGNORE, onUserFrame: () => frames++ }),
    )
    lanes[0]?.pushUserPayload(FRAME)
    pool.tick(0)
    lanes[0]?.close()
    expect(() => pool.openLane(PHONE, PLAIN, IGNORE)).toThrow('in use')
    await tickUntil(() => {
      try {
        pool.openLane(PHONE, PLAIN, IGNORE).close()
        return true
      } catch {
        return false
      }
    })
    expect(frames).toBe(0)
    for (const lane of lanes) lane.close()
  })

  it('ends only the lane whose owner throws', async () => {
    const faults: number[] = []
    let frames = 0
    const bad = pool.openLane(PHONE, PLAIN, {
      onUserFrame() {
        throw new Error('a bug of the owner')
      },
      onFault: (status) => faults.push(status),
    })
    const good = pool.openLane(PHONE, PLAIN, { ...IGNORE, onUserFrame: () => frames++ })
    await closing([bad, good], async () => {
      bad.pushUserPayload(FRAME)
      good.pushUserPayload(FRAME)
      await tickUntil(() => frames === 1 && faults.length === 1)
      expect(faults).toEqual([FAULT_OWNER])
      expect(bad.pushUserPayload(FRAME)).toBe(false)
      expect(good.pushUserPayload(FRAME)).toBe(true)
    })
  })

  it('does nothing after close, and closes twice as once', async () => {
    const other = await AudioPool.create({ slots: 1, threads: 1 })
    const lane = other.openLane(PHONE, PLAIN, IGNORE)
    await Promise.all([other.close(), other.close()])
    other.tick(0)
    expect(lane.pushUserPayload(FRAME)).toBe(false)
    expect(lane.nextOutbound()).toBeNull()
    expect(() => other.openLane(PHONE, PLAIN, IGNORE)).toThrow('in use')
  })
})
