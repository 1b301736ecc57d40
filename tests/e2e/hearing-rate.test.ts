/** At which rate the service hears a call: the real server and SDK, a line of 8 kHz and one of 16, and the emulated service. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TelnyxCall } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { TwilioCall } from '../../bench/rig/twilio-caller.ts'
import { TwilioCarrier } from '../../bench/rig/twilio-carrier.ts'
import { freshDatabase } from '../support/postgres.ts'

const OURS = '+525587654321'
const USER = '+523312345678'

describe('Azure hears a call', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let azure: AzureService
  let twilio: TwilioCarrier
  let telnyx: TelnyxCarrier
  let server: ServerProcess
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, azure, twilio, telnyx] = await Promise.all([
      freshDatabase(),
      AzureService.start(),
      TwilioCarrier.open(),
      TelnyxCarrier.open(),
    ])
    server = await ServerProcess.start({
      env: {
        ...{ ...twilio.env, ...telnyx.env, TWILIO_FROM: OURS, TELNYX_FROM: OURS },
        ...{ AZURE_SPEECH_KEY: 'k', AZURE_SPEECH_REGION: 'eastus', AZURE_SPEECH_HOST: azure.host },
        ...{ TELNYX_CODEC: 'L16', DATABASE_URL: database.url },
      },
    })
    await new ServerApi(server.url, server.adminKey).configureAgent({ firstMessage: 'Hola.' })
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await Promise.all([azure, twilio, telnyx].map((one) => one?.close()))
    await database?.drop()
  })

  const line = () => ({ pacer, server: server.url, record: false, from: USER, to: OURS })
  /** Connections of recognition; the voice has its own. */
  const recognitions = () => azure.paths.filter((path) => path.includes('/speech/universal/'))

  it('of Twilio at 8 kHz, over the one connection that was opened while it rang', async () => {
    const target = { publicUrl: server.url, authToken: twilio.authToken }
    const call = await TwilioCall.place({ ...line(), ...target })
    await expect.poll(() => azure.audioBytes, { timeout: 20_000 }).toBeGreaterThan(8_000)
    await call.hangup()
    expect(azure.ratesHz).toEqual([8_000])
    expect(recognitions()).toHaveLength(1)
  }, 60_000)

  it('of Telnyx with L16 at 16 kHz, likewise', async () => {
    azure.ratesHz.length = 0
    azure.paths.length = 0
    const call = await TelnyxCall.place({ ...line(), carrier: telnyx, signed: true })
    await expect.poll(() => azure.ratesHz.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await expect.poll(() => call.receivedFrames, { timeout: 20_000 }).toBeGreaterThan(5)
    await call.hangup()
    expect(azure.ratesHz).toEqual([16_000])
    expect(recognitions()).toHaveLength(1)
  }, 60_000)
})
