import type { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDspMemory, type DspMemory } from '../../dsp/host.ts'
import type { AudioLane } from '../../workers/audio-lane.ts'
import { Crew, type Station } from '../../workers/crew.ts'

const LANE = {} as AudioLane

let dsp: DspMemory
let crew: Crew
let workers: Worker[]
let cameBack: number[]
const noted = (worker: Worker): void => void workers.push(worker)

beforeEach(async () => {
  workers = []
  cameBack = []
  process.on('worker', noted)
  dsp = await createDspMemory({ slots: 2, lists: 1 })
  crew = new Crew({
    threads: 1,
    share: dsp.share,
    onBack: (lanes) => cameBack.push(lanes.length),
  })
  await crew.start()
  cameBack = []
})
afterEach(async () => {
  process.off('worker', noted)
  await crew.close()
})

/** The only worker's station, with one lane of slot `slot`. */
function batchOf(slot: number): Station {
  const station = crew.next()!
  dsp.setListed(station.index, 0, slot)
  station.lanes.push(LANE)
  return station
}

async function untilIdle(): Promise<void> {
  while (crew.idleWorkers === 0) await new Promise((resolve) => setImmediate(resolve))
}

describe('crew', () => {
  it('has 1 idle worker from the start, none while it is rung for, and 1 when the batch of 1 lane is back', async () => {
    expect(crew.idleWorkers).toBe(1)
    crew.ring(batchOf(0))
    expect(crew.idleWorkers).toBe(0)
    await untilIdle()
    expect(cameBack).toEqual([1])
    expect(crew.lostBatches).toBe(0)
  })

  it('settles drained() behind the batch that is under way', async () => {
    crew.ring(batchOf(0))
    await crew.drained()
    expect(cameBack).toEqual([1])
  })

  it('brings back the lane of a batch that failed, counts 1, and runs the next', async () => {
    // No slot of this number: its trap cannot even be noted where it should be.
    crew.ring(batchOf(100_000_000))
    await untilIdle()
    expect(crew.lostBatches).toBe(1)
    expect(cameBack).toEqual([1, 0])
    crew.ring(batchOf(1))
    await untilIdle()
    expect(cameBack).toEqual([1, 0, 1])
    expect(crew.lostBatches).toBe(1)
  })

  it('has the next worker serve the bell of one that died, and loses nothing of an idle one', async () => {
    await workers[0]!.terminate()
    expect(crew.idleWorkers).toBe(0)
    await untilIdle()
    expect(workers).toHaveLength(2)
    crew.ring(batchOf(0))
    await untilIdle()
    expect(cameBack).toEqual([0, 1])
    expect(crew.lostBatches).toBe(0)
  })

  it('rejects the start of 2 workers that cannot load the core, and leaves neither of them', async () => {
    const { share } = dsp
    const crewOf2 = new Crew({
      threads: 2,
      // Memory in the place of the compiled module.
      share: { ...share, module: share.memory as never },
      onBack: () => {},
    })
    await expect(crewOf2.start()).rejects.toThrow(/WebAssembly/)
    const started = workers.slice(1)
    expect(started.length).toBeGreaterThanOrEqual(2)
    // Node's sign of a thread that has ended.
    expect(started.filter((worker) => worker.threadId !== -1)).toEqual([])
  })
})
