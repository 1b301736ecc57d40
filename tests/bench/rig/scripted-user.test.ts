import { describe, expect, it } from 'vitest'
import { emptyTally } from '../../../bench/rig/call-load.ts'
import { SILENT_FRAME, spokenLine } from '../../../bench/rig/canned-speech.ts'
import { Ear } from '../../../bench/rig/ear.ts'
import { encodeSample } from '../../../bench/rig/mulaw.ts'
import { ScriptedUser } from '../../../bench/rig/scripted-user.ts'

const TONE = new Uint8Array(800).fill(encodeSample(4_000))
const LOUD = TONE.subarray(0, 160)
/** 100 ms, 600 ms of hesitation, 100 ms. */
const LINE = spokenLine(TONE, 600, TONE)

/** A line on which the agent says 200 ms at each of `agentAtMs`; returns what came of it after `untilMs`. */
function call(agentAtMs: readonly number[], untilMs: number, turns = 2) {
  const ear = new Ear(emptyTally())
  const latencies: number[] = []
  let talkedOver = 0
  const user = new ScriptedUser({
    ear,
    lines: [LINE],
    turns,
    random: () => 0,
    onLatency: (ms) => latencies.push(ms),
    onTalkedOver: () => talkedOver++,
  })
  const spoken: number[] = []
  for (let atMs = 20; atMs <= untilMs; atMs += 20) {
    if (agentAtMs.includes(atMs)) for (let i = 0; i < 10; i++) ear.payload(LOUD, atMs)
    if (user.frame(atMs) !== SILENT_FRAME) spoken.push(atMs)
  }
  return { user, latencies, talkedOver, spoken }
}

describe('scripted user', () => {
  it('speaks 700 ms after the greeting, and times the answer from the end of its own sound', () => {
    // Greeting 100-300 ms, silent until 1 000; the line lasts 800 ms, from the frame that ends at 1 020.
    const { spoken, latencies } = call([100, 3_000], 4_500)
    expect(spoken[0]).toBe(1_020)
    expect(latencies).toEqual([3_000 - 1_800])
  })

  it('has finished after its turns, each answered', () => {
    const { user, latencies } = call([100, 3_000, 5_800], 9_000)
    expect([user.isDone, user.failure, user.turnsTaken]).toEqual([true, null, 2])
    expect(latencies).toHaveLength(2)
  })

  it('counts an answer into its hesitation as talked over, without a latency', () => {
    const { latencies, talkedOver } = call([100, 1_700], 2_000)
    expect([latencies, talkedOver]).toEqual([[], 1])
  })

  it('fails as noGreeting after 15 s of silence, as noAnswer 15 s after its own words', () => {
    expect(call([], 15_100).user.failure).toBe('noGreeting')
    expect(call([100], 17_100).user.failure).toBe('noAnswer')
    expect(call([100], 16_700).user.failure).toBeNull()
  })
})

describe('spoken line', () => {
  it('holds its hesitation and ends on a whole frame', () => {
    const { frames, audibleEndMs } = spokenLine(TONE.subarray(0, 808), 700, TONE.subarray(0, 10))
    expect(audibleEndMs).toBe(800 / 8 + 700 + 10 / 8)
    expect(frames).toHaveLength(Math.ceil(audibleEndMs / 20))
    expect(frames.every((frame) => frame.length === 216)).toBe(true)
  })
})
