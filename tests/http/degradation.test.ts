import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import type { LiveCall } from '../../server/call/registry.ts'
import type { LoadSample } from '../../server/call/load.ts'
import { runApp, type RunningApp } from './running-app.ts'

const SECOND: LoadSample = {
  liveCalls: 100,
  loopUtilisation: 0.3,
  loopDelayP99Ms: 2,
  wheelLateP99Ms: 1,
  poolWaitP99Ms: 0.5,
  framesSent: 5_000,
  framesMissed: 0,
}

let carrier: TelnyxCarrier
let app: RunningApp
/** The rungs that a live call was told of. */
const told: number[] = []

beforeAll(async () => {
  carrier = await TelnyxCarrier.open()
  app = await runApp({ env: carrier.env })
  app.admission = null
  const call = { id: 'live', ended: new Promise(() => undefined), hangup: () => undefined }
  app.registry.add({ ...call, degrade: (rung: number) => told.push(rung) } as unknown as LiveCall)
})
afterAll(async () => {
  await app.close()
  await carrier.close()
})

/** So many seconds of a process whose loop is busy for this share of the time. */
function seconds(count: number, loopUtilisation: number): void {
  for (let i = 0; i < count; i++) app.load.ladder.sample({ ...SECOND, loopUtilisation })
}

let calls = 0

/** Twilio's next call: the TwiML that it gets. */
async function twilio(): Promise<string> {
  const fields = { CallSid: `CA${String(++calls).padStart(32, '0')}`, From: '+525512345678' }
  const { text } = await app.ask('/api/v1/twilio/incoming-call', {
    method: 'POST',
    key: false,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...fields, To: '+525587654321' }).toString(),
  })
  return text
}

/** Telnyx's next call: the first command that it gets. */
async function telnyx(): Promise<string | undefined> {
  const callControlId = `v3:${++calls}`
  carrier.join({ callControlId, isAnswered: false, isOver: false, command: () => undefined })
  await carrier.tell({ server: app.url, signed: true }, 'call.initiated', {
    ...{ call_control_id: callControlId, direction: 'incoming', client_state: null },
    ...{ from: '+525512345678', to: '+525587654321' },
  })
  await expect
    .poll(() => carrier.commandsOf(callControlId).length, { timeout: 15_000 })
    .toBeGreaterThan(0)
  return carrier.commandsOf(callControlId)[0]
}

async function rung(): Promise<[string, string | undefined]> {
  const { json } = await app.ask('/api/v1/status')
  const { text } = await app.ask('/metrics')
  return [json.load.rung, /^andrea_degradation_rung (\d)$/m.exec(text)?.[1]]
}

describe('a busy server', () => {
  it('takes calls of both carriers while its loop is 30 % busy', async () => {
    seconds(3, 0.3)
    expect(await rung()).toEqual(['normal', '0'])
    expect(await twilio()).toContain('<Stream')
    expect(await telnyx()).toBe('answer')
  })

  it('climbs to rung 1, 2 and 3 at 60, 68 and 75 %, each seen in the status, the metrics and by live calls', async () => {
    seconds(3, 0.61)
    expect(await rung()).toEqual(['bedOff', '1'])
    seconds(3, 0.69)
    expect(await rung()).toEqual(['speculationOff', '2'])
    seconds(3, 0.8)
    expect(await rung()).toEqual(['refusing', '3'])
    expect(told).toEqual([1, 2, 3])
  })

  it('refuses on rung 3: a sentence and a hang-up at Twilio, the command reject at Telnyx, no media at either', async () => {
    const twiml = await twilio()
    expect(twiml).toMatch(/<Say [^>]*>.+<\/Say><Hangup\/>/)
    expect(twiml).not.toContain('<Stream')
    expect(await telnyx()).toBe('reject')
    const reject = carrier.rest.seen.find(({ path }) => path.endsWith('/reject'))
    expect(reject?.body).toMatchObject({ cause: 'USER_BUSY' })
    const { text } = await app.ask('/metrics')
    expect(text).toContain('andrea_calls_refused_total{carrier="twilio",reason="overload"} 1')
    expect(text).toContain('andrea_calls_refused_total{carrier="telnyx",reason="overload"} 1')
  })

  it('takes calls again after 15 s of calm, one rung every 5 s', async () => {
    const seen: string[] = []
    for (let i = 0; i < 3; i++) {
      seconds(5, 0.3)
      seen.push((await rung())[0])
    }
    expect(seen).toEqual(['speculationOff', 'bedOff', 'normal'])
    expect(told).toEqual([1, 2, 3, 2, 1, 0])
    expect(await twilio()).toContain('<Stream')
    expect(await telnyx()).toBe('answer')
  })
})
