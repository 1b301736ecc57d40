import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Leg } from '../../server/media/leg.ts'
import type { AudioPool, Detection, LaneEvents } from '../../workers/pool.ts'
import { FakeLane, FakeStream } from '../support/media-doubles.ts'

const folder = mkdtempSync(join(tmpdir(), 'andrea-leg-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

function open(recordingPath: string | null = join(folder, `${files++}.wav`)) {
  const lane = new FakeLane()
  const stream = new FakeStream()
  const dropped: [string, number][] = []
  const heard: string[] = []
  let laneEvents: LaneEvents | null = null
  const pool = {
    openLane: (_format: unknown, _settings: unknown, events: LaneEvents) => {
      laneEvents = events
      return lane
    },
  } as unknown as AudioPool
  const leg = new Leg({
    pool,
    stream,
    format: { codec: 'PCMU', sampleRateHz: 8_000 },
    sttRateHz: 8_000,
    ttsRateHz: 8_000,
    settings: { vadSensitivity: 0.5, bed: 'none', bedGain: 0 },
    levels: true,
    recordingPath,
    playback: { onSegmentStarted: () => undefined, onSegmentHeard: () => undefined },
    user: { userFrame: () => undefined },
    onDigit: (digit) => heard.push(digit),
    onTone: (tone, atMs) => heard.push(`${tone} ${atMs}`),
    onFault: () => undefined,
    onDropped: (queue, count) => dropped.push([queue, count]),
  })
  return { lane, stream, dropped, heard, leg, recordingPath, laneEvents: laneEvents! as LaneEvents }
}

const frame = (value: number) => new Uint8Array(160).fill(value)

/** First user and agent byte of each 20 ms of the recording. */
function framesOf(path: string): number[][] {
  const data = readFileSync(path).subarray(58)
  return Array.from({ length: data.length / 320 }, (_, i) => [data[i * 320]!, data[i * 320 + 1]!])
}

describe('leg', () => {
  it('moves its clock with the user frames that were processed: 20 ms after the first', () => {
    const { leg, laneEvents } = open(null)
    expect(leg.audioTimeMs).toBe(0)
    laneEvents.onUserFrame({ atMs: 0 } as Detection, new Int16Array(320))
    expect(leg.audioTimeMs).toBe(20)
  })

  it('tells of digits and tones in the audio, each once', () => {
    const { laneEvents, heard } = open(null)
    const pcm = new Int16Array(320)
    laneEvents.onUserFrame({ atMs: 0, digit: '5', tone: null } as Detection, pcm)
    laneEvents.onUserFrame({ atMs: 20, digit: null, tone: 'beep' } as Detection, pcm)
    laneEvents.onUserFrame({ atMs: 40, digit: null, tone: null } as Detection, pcm)
    expect(heard).toEqual(['5', 'beep 20'])
  })

  it('is passed over by the wheel 25 ms after its batch served it, and served 30 ms after', () => {
    const { leg, laneEvents, stream } = open(null)
    leg.playout.append(1, new Int16Array(160).fill(1))
    laneEvents.onPrepared?.(100)
    leg.playout.finish(1)
    leg.turn(125)
    expect(stream.sent.map(({ kind }) => kind)).toEqual(['payload'])
    leg.turn(130)
    expect(stream.sent.map(({ kind }) => kind)).toEqual(['payload', 'mark'])
  })

  it('is served by the wheel 5 ms after its batch when a frame still waits', () => {
    const { leg, laneEvents, lane, stream } = open(null)
    lane.ready = 1
    leg.playout.append(1, new Int16Array(320).fill(1))
    laneEvents.onPrepared?.(100)
    lane.ready = 1
    leg.turn(105)
    expect(stream.sent.map(({ kind }) => kind)).toEqual(['payload', 'payload'])
  })

  it('records both sides in step: the agent as the carrier plays it, not as it was sent', async () => {
    const { leg, recordingPath } = open()
    leg.push(frame(1), 0)
    leg.playout.append(1, new Int16Array(640).fill(11))
    leg.turn(0)
    for (let i = 1; i < 6; i++) leg.push(frame(i + 1), i * 20)
    await leg.close()
    expect(framesOf(recordingPath!)).toEqual([
      [1, 255],
      [2, 11],
      [3, 11],
      [4, 11],
      [5, 11],
      [6, 255],
    ])
  })

  it('records what the lane gets: concealment for a gap of 40 ms, nothing for a late payload', async () => {
    const { leg, lane, recordingPath } = open()
    leg.push(frame(1), 0)
    leg.push(frame(2), 60)
    leg.push(frame(2), 60)
    const facts = await leg.close()
    expect(facts?.durationMs).toBe(80)
    expect(framesOf(recordingPath!).map(([user]) => user)).toEqual([1, 255, 255, 2])
    expect(lane.userPayloads.length).toBe(4)
  })

  it('loses nothing of a burst of 50 payloads, in the lane and in the recording', async () => {
    const { leg, lane } = open()
    lane.userRoom = 8
    for (let i = 0; i < 50; i++) leg.push(frame(i), i * 20)
    for (let turn = 0; turn < 6; turn++) {
      lane.userRoom = 8
      leg.turn(turn * 5)
    }
    expect(lane.userPayloads.length).toBe(50)
    expect((await leg.close())?.durationMs).toBe(1_000)
  })

  it('counts under recordingAgent what the recording could not hold of the agent', async () => {
    const { leg, lane, dropped } = open()
    lane.bed = true
    for (let nowMs = 0; nowMs < 10_000; nowMs += 20) leg.turn(nowMs)
    await leg.close()
    expect(dropped).toEqual([['recordingAgent', 6]])
  })

  it('closes once: the second close() resolves to null, and later payloads and turns do nothing', async () => {
    const { leg, lane } = open()
    expect(await leg.close()).not.toBeNull()
    expect(await leg.close()).toBeNull()
    leg.push(frame(1), 0)
    leg.turn(0)
    expect(lane.userPayloads).toEqual([])
  })

  it('resolves to null when nothing is recorded', async () => {
    expect(await open(null).leg.close()).toBeNull()
  })
})
