import { beforeEach, describe, expect, it } from 'vitest'
import { Ear } from '../../../bench/rig/ear.ts'
import { emptyTally } from '../../../bench/rig/call-load.ts'
import { encodeSample, SILENCE_BYTE } from '../../../bench/rig/mulaw.ts'

const LOUD = new Uint8Array(160).fill(encodeSample(4_000))
const SILENT = new Uint8Array(160).fill(SILENCE_BYTE)

let counts = emptyTally()
let ear = new Ear(counts)
beforeEach(() => {
  counts = emptyTally()
  ear = new Ear(counts)
})

/** Four frames at once, then one each 20 ms: a server that sends 60 ms ahead. */
function sendAhead(frames: number, fromMs = 1_000): number {
  let atMs = fromMs
  for (let i = 0; i < frames; i++) {
    if (i >= 4) atMs += 20
    ear.payload(LOUD, atMs)
  }
  return atMs
}

describe('ear', () => {
  it('finds no frame of a stream late that is sent 60 ms ahead and then every 20 ms', () => {
    const lastMs = sendAhead(50)
    expect([counts.frames, counts.lateFrames, counts.holes]).toEqual([50, 0, 0])
    expect(counts.lateness.maxMs).toBe(0)
    expect(counts.jitter.maxMs).toBe(0)
    // What was sent ahead, and what has just arrived.
    expect(ear.aheadMs(lastMs)).toBe(80)
  })

  it('finds no jitter in pairs of frames that come every 40 ms', () => {
    let atMs = sendAhead(50)
    const pair = new Uint8Array(320).fill(encodeSample(4_000))
    // The first pair waits 20 ms for its second frame.
    for (let i = 0; i < 20; i++) ear.payload(pair, (atMs += 40))
    expect([counts.frames, counts.lateFrames, counts.holes]).toEqual([90, 0, 0])
    expect([counts.lateness.maxMs, counts.jitter.maxMs]).toEqual([20, 20])
    expect(counts.jitter.percentileMs(0.95)).toBeLessThanOrEqual(0.1)
  })

  it('counts nothing of what comes 500 ms late while the rig hangs up', () => {
    const lastMs = sendAhead(50)
    counts.paused = true
    ear.payload(LOUD, lastMs + 500)
    expect([counts.frames, counts.lateFrames, counts.holes]).toEqual([50, 0, 0])
    expect(counts.lateness.maxMs).toBe(0)
  })

  it('finds frames late by 45 ms after a stall that the lead has covered', () => {
    const lastMs = sendAhead(50)
    ear.payload(LOUD, lastMs + 65)
    ear.payload(LOUD, lastMs + 65)
    expect(counts.lateFrames).toBe(2)
    expect(counts.lateness.maxMs).toBe(45)
    expect(counts.jitter.maxMs).toBe(45)
    expect(counts.holes).toBe(0)
  })

  it('counts a hole of 50 ms, and takes one of 250 ms for a pause of the agent', () => {
    const lastMs = sendAhead(50)
    ear.payload(LOUD, lastMs + 130)
    expect([counts.holes, counts.lateFrames]).toEqual([1, 1])
    // The schedule begins anew behind the hole: what follows in time is not late.
    ear.payload(LOUD, lastMs + 130)
    ear.payload(LOUD, lastMs + 150)
    ear.payload(LOUD, lastMs + 440)
    expect([counts.holes, counts.lateFrames]).toEqual([1, 1])
  })

  it('hears the onset when the first audible frame plays, behind the silence before it', () => {
    ear.listenFrom(1_000)
    ear.payload(SILENT, 1_000)
    ear.payload(SILENT, 1_000)
    expect(ear.onsetMs).toBeNull()
    ear.payload(LOUD, 1_005)
    expect([ear.onsetMs, ear.lastAudibleMs]).toEqual([1_040, 1_060])
  })

  it('forgets what was queued when the queue is cleared, and begins a new run', () => {
    const lastMs = sendAhead(50)
    ear.clear(lastMs + 5)
    expect([ear.aheadMs(lastMs + 5), ear.lastAudibleMs]).toEqual([0, lastMs + 5])
    ear.payload(LOUD, lastMs + 100)
    expect([counts.lateFrames, counts.holes]).toEqual([0, 0])
  })
})
