/**
 * Bench `soak`: what stays behind, and what drifts. Short calls in churn for the leak, long calls under a background bed
 * for the pacing: a bed is a frame every 20 ms without end, so every frame too many or too few shows in what lies ahead.
 *
 *   short calls: one turn each, one after the other ─► all at rest: (finished, bytes held) ─► leak per call
 *   long calls: bed for the whole time ─► audio ahead at the ear, first minute and last ─► drift
 */
import { CallLoad, emptyTally } from './rig/call-load.ts'
import { SILENT_FRAME, spokenScript } from './rig/canned-speech.ts'
import { Ear } from './rig/ear.ts'
import { percentile } from './rig/histogram.ts'
import { inGroups } from './rig/in-groups.ts'
import { AUTH_TOKEN, checkRig, openLab, sleep, type Lab } from './rig/lab.ts'
import { GAUGE_FLAGS, heldMemory, type HeldMemory } from './rig/heap-gauge.ts'
import { slopePerCall } from './rig/leak.ts'
import { FRAME_MS } from './rig/pacer.ts'
import { rounded, type BenchFigures } from './rig/report.ts'
import { scriptedProbe } from './rig/scripted-probe.ts'
import { ScriptedUser } from './rig/scripted-user.ts'
import { seededRandom } from './rig/seeded-random.ts'
import { judged, loadBetween, rigDoubt, RigUnreliable, snapshot } from './rig/self-check.ts'
import { ServerWatch } from './rig/server-watch.ts'
import { CallRefused, TwilioCall } from './rig/twilio-caller.ts'

const LONG_CALLS = 5
/** −52 dBFS: frames without end, and still silence to a user who waits for the agent to finish. */
const BED_VOLUME = 0.05
const LOOK_MS = 500
/** Share of the run that counts as its beginning and as its end. */
const EDGE_SHARE = 0.1
/** Before the first reading of the memory: caches fill, code is compiled. */
const WARM_SHARE = 0.25
/** Calls that hang up at once, before the run: what is remembered of a call that is over fills its first thousand. */
const WARM_UP_CALLS = 1_500
const WARM_UP_LANES = 25
/** On a machine that is slow the run begins with fewer. */
const WARM_UP_MAX_MS = 90_000
const WARM_UP_HOLD_MS = 300
/** Then calls of the kind that is measured: until then each adds compiled code, and spare blocks of its recording. */
const WARM_UP_WHOLE_CALLS = 2_400
/** Or as many as are measured, when those are more. */
const WARM_UP_WHOLE_LANES = 200
const WARM_UP_WHOLE_MAX_MS = 240_000
const READINGS_LEAST = 4
const READINGS_MOST = 12
/** How long short calls may take to end before a reading, and the server to put their last rows away. */
const REST_WITHIN_MS = 30_000
const AFTER_REST_MS = 2_000
/** A collection stops the server; its sockets are back in step by then. */
const AFTER_COLLECTION_MS = 1_000
const JITTER_LIMIT_MS = 5

export interface SoakOptions {
  /** Short calls at the same time. */
  calls: number
  seconds: number
  seed: number
  diagnose: boolean
  progress(text: string): void
}

/** @throws RigUnreliable when the rig was the bottleneck. */
export async function runSoak(options: SoakOptions): Promise<BenchFigures> {
  const { calls, seconds, seed, progress } = options
  const lines = await spokenScript(undefined, progress)
  const warmUpLanes = Math.max(calls, WARM_UP_WHOLE_LANES)
  const lab = await openLab({
    maxCalls: warmUpLanes + LONG_CALLS,
    ...{ seed, loadControl: false, progress, nodeFlags: GAUGE_FLAGS },
    settings: { backgroundSound: 'office', backgroundVolume: BED_VOLUME, maxDurationSec: 14_400 },
  })
  try {
    let early: string | null = null
    const note = (doubt: string): void => void (early = doubt)
    const checked = await checkRig(lab, 'soak', options.diagnose ? note : undefined)
    progress(`warming up: ${WARM_UP_CALLS} calls that hang up at once`)
    const warmUpCalls = await warmUp(lab)
    const one = { server: lab.server, authToken: AUTH_TOKEN, pacer: lab.pacer, lines, turns: 1 }
    progress(`warming up: ${WARM_UP_WHOLE_CALLS} calls of one turn`)
    const warmUpWholeCalls = await warmUpWhole(
      new CallLoad({ ...one, seed: seed + 1 }),
      warmUpLanes,
    )
    const churn = new CallLoad({ ...one, seed })
    const long = await openLongCalls(lab, lines, seed)
    const watch = new ServerWatch(lab.server, lab.api, () => churn.tally.finished)
    const running = churn.run(calls, 5_000)
    await sleep(6_000)
    const before = snapshot(lab.server)
    lab.pacer.lateness.reset()
    watch.start(Math.min(5_000, Math.max(1_000, seconds * 10)))
    const reading = readMemory({ lab, churn, long, seconds, progress })
    const ahead = await listen(long, seconds * 1_000, progress)
    const memory = await reading
    watch.stop()
    const load = loadBetween(before, snapshot(lab.server))
    const endedEarly = long.calls.filter((call) => call.isOver).length
    churn.end()
    await running
    await Promise.all(long.calls.map((call) => call.hangup()))
    const { handles, rssMaxMb } = watch.seen
    const edge = Math.max(1, Math.floor(handles.length * EDGE_SHARE))
    const result: BenchFigures = {
      bench: 'soak',
      seed,
      settings: {
        seconds,
        rigCore: lab.rigCore,
        longCalls: LONG_CALLS,
        warmUpCalls,
        warmUpWholeCalls,
      },
      figures: {
        calls,
        leakBytesPerCall: perCall(memory, 'allBytes'),
        dataBytesPerCall: perCall(memory, 'dataBytes'),
        bufferBytesPerCall: perCall(memory, 'bufferBytes'),
        codeBytesPerCall: perCall(memory, 'codeBytes'),
        driftFrames: driftFrames(ahead),
        jitterP99Ms: long.tally.jitter.percentileMs(0.99),
        callsFinished: churn.tally.finished,
        callsFailed: churn.tally.failed,
        ...Object.fromEntries(
          [...churn.tally.failures].map(([name, count]) => [`failed_${name}`, count]),
        ),
        longCallsEndedEarly: endedEarly,
        holes: long.tally.holes,
        lateP99Ms: long.tally.lateness.percentileMs(0.99),
        readings: memory.length,
        heapStartMb: mb(memory[0]?.allBytes ?? 0),
        heapEndMb: mb(memory.at(-1)?.allBytes ?? 0),
        codeStartMb: mb(memory[0]?.codeBytes ?? 0),
        codeEndMb: mb(memory.at(-1)?.codeBytes ?? 0),
        handlesStart: percentile(handles.slice(0, edge), 0.5) ?? -1,
        handlesEnd: percentile(handles.slice(-edge), 0.5) ?? -1,
        serverRssMb: Math.round(rssMaxMb),
        coresPerCall: rounded(load.serverCores / (calls + LONG_CALLS), 5),
        rigBusy: rounded(load.rigBusy, 3),
        rigLateP99Ms: lab.pacer.lateness.percentileMs(0.99),
        ...checked,
      },
    }
    if (early !== null) throw new RigUnreliable(early, result)
    const { driftFrames: drift = -1, jitterP99Ms = Infinity } = result.figures
    const proven = drift === 0 && jitterP99Ms <= JITTER_LIMIT_MS
    const { lateness } = lab.pacer
    return judged(result, { doubt: rigDoubt(load, lateness), proven, lateness })
  } finally {
    await lab.stop()
  }
}

/** Calls that are answered and end before anything is said. One that fails is of no interest yet. @returns how many */
async function warmUp(lab: Lab): Promise<number> {
  const untilMs = performance.now() + WARM_UP_MAX_MS
  let calls = 0
  await inGroups(WARM_UP_CALLS, WARM_UP_LANES, async (index) => {
    if (performance.now() > untilMs) return
    calls++
    try {
      const call = await TwilioCall.place({
        ...{ server: lab.server.url, publicUrl: lab.server.url, authToken: AUTH_TOKEN },
        ...{ pacer: lab.pacer, record: false, to: '+525587654321' },
        from: `+5255${20_000_000 + index}`,
        probe: { frame: () => SILENT_FRAME, receive: () => {} },
      })
      await sleep(WARM_UP_HOLD_MS)
      await call.hangup()
    } catch (error) {
      if (!(error instanceof CallRefused)) throw error
    }
  })
  return calls
}

/** Calls as they are measured, until enough have finished or the time is up. @returns how many finished */
async function warmUpWhole(load: CallLoad, lanes: number): Promise<number> {
  const untilMs = performance.now() + WARM_UP_WHOLE_MAX_MS
  const running = load.run(lanes, 5_000)
  while (load.tally.finished < WARM_UP_WHOLE_CALLS && performance.now() < untilMs) {
    await sleep(LOOK_MS)
  }
  await load.rest(REST_WITHIN_MS)
  load.end()
  await running
  return load.tally.finished
}

interface LongCalls {
  calls: TwilioCall[]
  ears: Ear[]
  tally: ReturnType<typeof emptyTally>
}

async function openLongCalls(
  lab: Lab,
  lines: Awaited<ReturnType<typeof spokenScript>>,
  seed: number,
): Promise<LongCalls> {
  const long: LongCalls = { calls: [], ears: [], tally: emptyTally() }
  await inGroups(LONG_CALLS, 1, async (index) => {
    const ear = new Ear(long.tally)
    const user = new ScriptedUser({
      ...{ ear, lines, turns: Infinity, random: seededRandom(seed + index) },
      onLatency: (ms) => long.tally.latenciesMs.push(ms),
      onTalkedOver: () => long.tally.talkedOver++,
    })
    long.ears[index] = ear
    long.calls[index] = await TwilioCall.place({
      ...{ server: lab.server.url, publicUrl: lab.server.url, authToken: AUTH_TOKEN },
      ...{ pacer: lab.pacer, record: false, from: '+525510000001', to: '+525587654321' },
      probe: scriptedProbe(user, ear, () => long.calls[index]?.playOut.clearsMs.length ?? 0),
    })
  })
  return long
}

interface Reading extends HeldMemory {
  finishedCalls: number
}

function perCall(readings: readonly Reading[], of: keyof HeldMemory): number {
  const points = readings.map((one) => ({ finishedCalls: one.finishedCalls, bytes: one[of] }))
  return Math.round(slopePerCall(points))
}

function mb(bytes: number): number {
  return rounded(bytes / 2 ** 20, 2)
}

/** What the server holds while no short call is live, several times between a quarter of the run and its end. */
async function readMemory({
  lab,
  churn,
  long,
  seconds,
  progress,
}: {
  lab: Lab
  churn: CallLoad
  long: LongCalls
  seconds: number
  progress(text: string): void
}): Promise<Reading[]> {
  const readings: Reading[] = []
  const count = Math.min(READINGS_MOST, Math.max(READINGS_LEAST, Math.round(seconds / 60)))
  const beganMs = performance.now()
  const restMs = Math.min(REST_WITHIN_MS, seconds * 250)
  for (let i = 0; i < count; i++) {
    const share = WARM_SHARE + ((1 - WARM_SHARE) * i) / (count - 1)
    const dueMs = beganMs + share * seconds * 1_000 - restMs / 2
    await sleep(Math.max(0, dueMs - performance.now()))
    await churn.rest(restMs)
    // One that is still live holds a hundred times what is looked for.
    if (churn.live > 0) {
      progress(`no reading: ${churn.live} short calls are still live`)
      churn.resume()
      continue
    }
    await sleep(AFTER_REST_MS)
    long.tally.paused = true
    const { finished: finishedCalls } = churn.tally
    const held = await heldMemory(lab.server)
    readings.push({ finishedCalls, ...held })
    await sleep(AFTER_COLLECTION_MS)
    long.tally.paused = false
    const data = `${mb(held.dataBytes)} MB held, ${mb(held.bufferBytes)} of it in buffers`
    progress(`${finishedCalls} calls finished: ${data}; ${mb(held.codeBytes)} MB of code`)
    churn.resume()
  }
  return readings
}

/** Audio ahead at the ears of the long calls, twice a second. */
async function listen(
  long: LongCalls,
  forMs: number,
  progress: (text: string) => void,
): Promise<number[]> {
  const ahead: number[] = []
  const untilMs = performance.now() + forMs
  let nextNoteMs = performance.now() + 60_000
  while (performance.now() < untilMs) {
    await sleep(LOOK_MS)
    const nowMs = performance.now()
    const live = long.ears.filter((_, i) => long.calls[i]?.isOver === false)
    ahead.push(
      percentile(
        live.map((ear) => ear.aheadMs(nowMs)),
        0.5,
      ) ?? 0,
    )
    if (nowMs < nextNoteMs) continue
    progress(`${Math.round((untilMs - nowMs) / 60_000)} min to go`)
    nextNoteMs += 60_000
  }
  return ahead
}

/** Frames that the line gained (+) or lost (−) between the beginning and the end of the run. */
export function driftFrames(ahead: readonly number[]): number {
  const edge = Math.max(1, Math.floor(ahead.length * EDGE_SHARE))
  const first = percentile(ahead.slice(0, edge), 0.5) ?? 0
  const last = percentile(ahead.slice(-edge), 0.5) ?? 0
  const frames = Math.round((last - first) / FRAME_MS)
  return frames === 0 ? 0 : frames
}
