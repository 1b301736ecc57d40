/** Limits on calls out, through the real API, the real SDK and the simulated Telnyx; time is the test's. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { runApp, type RunningApp } from './running-app.ts'

let carrier: TelnyxCarrier
let app: RunningApp
let placed = 0

beforeAll(async () => {
  carrier = await TelnyxCarrier.open()
  carrier.onDial = () => {
    placed++
    const callControlId = `v3:${randomUUID()}`
    return { callControlId, isAnswered: false, isOver: false, command: () => undefined }
  }
  app = await runApp({
    env: {
      ...{ ...carrier.env, PUBLIC_URL: 'https://andrea.example', TELNYX_FROM: '+525587654321' },
      ...{ OUTBOUND_CALLS_PER_SEC: '2', OUTBOUND_MAX_CALLS: '3' },
    },
  })
}, 60_000)
afterAll(async () => {
  await app?.desk.endAll('serverStopped')
  await app?.close()
  await carrier?.close()
})

const order = () =>
  app.ask('/api/v1/calls', { method: 'POST', body: { carrier: 'telnyx', to: '+523399999999' } })

it('takes 2 calls a second and answers the third 429 with its reason, before Telnyx hears of it; a second later it is placed', async () => {
  expect([(await order()).status, (await order()).status]).toEqual([202, 202])
  app.nowMs += 999
  const early = await order()
  expect(early.status).toBe(429)
  expect(early.headers['retry-after']).toBe('1')
  expect(early.json).toMatchObject({ error: { code: 'OUTBOUND_LIMIT' } })
  expect(placed).toBe(2)
  app.nowMs += 1
  expect((await order()).status).toBe(202)
  expect(placed).toBe(3)
})

it('answers 429 while 3 calls ring, however much later it is', async () => {
  app.nowMs += 60_000
  const full = await order()
  expect([full.status, full.headers['retry-after']]).toEqual([429, '5'])
  expect(placed).toBe(3)
})
