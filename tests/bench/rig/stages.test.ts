import { describe, expect, it } from 'vitest'
import { stageOf, timeByStage, type CpuProfile } from '../../../bench/rig/stages.ts'

function node(id: number, functionName: string, url: string, children: number[] = []) {
  return { id, callFrame: { functionName, url }, children }
}

const PROFILE: CpuProfile = {
  startTime: 1_000,
  nodes: [
    node(1, '(root)', '', [2, 3, 8]),
    node(2, '(idle)', ''),
    node(3, 'onStreamRead', 'node:internal/stream_base_commons', [4, 5]),
    node(4, 'dataMessage', 'file:///a/node_modules/ws/lib/receiver.js'),
    node(5, 'readMedia', 'file:///a/server/carriers/twilio-media.ts', [6]),
    node(6, 'base64Write', 'node:buffer'),
    node(8, 'turn', 'file:///a/server/media/wheel.ts', [9]),
    node(9, 'sendPayload', 'file:///a/server/carriers/twilio.ts'),
  ],
  samples: [2, 4, 6, 8, 9, 9],
  timeDeltas: [100, 10, 20, 30, 40, 50],
}

describe('stages', () => {
  it('give a sample to the innermost function that a rule knows', () => {
    const all = timeByStage(PROFILE, { fromUs: 0, toUs: Infinity })
    expect(all).toEqual({ receive: 10, parse: 20, dsp: 0, pace: 30, send: 90, gc: 0, other: 0 })
  })

  it('leave out what lies before and after the measured seconds', () => {
    const some = timeByStage(PROFILE, { fromUs: 1_125, toUs: 1_200 })
    expect(some).toMatchObject({ receive: 0, parse: 20, pace: 30, send: 40 })
  })

  it('know the garbage collector, the worker and the WASM core', () => {
    expect(stageOf('(garbage collector)', '')).toBe('gc')
    expect(stageOf('runBatch', 'file:///a/workers/audio-worker.ts')).toBe('dsp')
    expect(stageOf('wasm-function[12]', 'wasm://wasm/dsp-1234')).toBe('dsp')
    expect(stageOf('anything', 'file:///a/server/log.ts')).toBeNull()
  })
})
