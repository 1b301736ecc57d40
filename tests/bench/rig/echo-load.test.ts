import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { delaysOf, echoEnv, EchoLoad, type EchoedCall } from '../../../bench/rig/echo-load.ts'
import { Pacer } from '../../../bench/rig/pacer.ts'
import { ServerProcess } from '../../../bench/rig/server-process.ts'

function echoed(delaysMs: number[]): EchoedCall {
  const none = { lost: 0, damaged: 0, repeated: 0, holes: 0 }
  const { length } = delaysMs
  const result = { sent: length, matched: length, ...none, delaysMs: Float32Array.from(delaysMs) }
  return { result, warnings: 0, endedEarly: false }
}

describe('echo load', () => {
  let server: ServerProcess
  beforeAll(async () => {
    server = await ServerProcess.start({ program: 'floor' })
  }, 60_000)
  afterAll(() => server.stop())

  it('gets every timed frame of 3 calls back from a server that only echoes, behind its warm-up', async () => {
    const pacer = new Pacer()
    const options = { calls: 3, seconds: 1, seed: 1, server, authToken: null, pacer }
    const echoes = await EchoLoad.place(options)
    expect(echoes.live).toBe(3)
    await echoes.release()
    await echoes.sent()
    await echoes.returned()
    const calls = await echoes.hangup()
    expect(calls.map(({ result }) => [result.sent, result.lost])).toEqual(Array(3).fill([200, 0]))
    expect(calls.map(({ result }) => result.delaysMs.length)).toEqual([50, 50, 50])
    expect([echoes.live, calls.filter((call) => call.endedEarly).length]).toEqual([0, 0])
  }, 60_000)

  it('takes for late what exceeds the smallest delay of the same call', () => {
    const { delay, late } = delaysOf([echoed([10, 10, 30]), echoed([50, 50, 50])])
    expect([delay.maxMs, late.maxMs]).toEqual([50, 20])
    expect([late.count, late.percentileMs(0.5)]).toEqual([6, 0.1])
  })

  it('has places for 10 to 2 000 calls', () => {
    expect([1, 500, 9_000].map((calls) => echoEnv(calls, 'token')['MAX_CALLS'])).toEqual([
      ...['10', '500', '2000'],
    ])
  })
})
