/**
 * Calls out from the dashboard, in real Chromium, through the simulated Telnyx: the form dials, the call's page follows it
 * live, a refusal shows Telnyx's own words with the cure; the limit of calls at once holds for whoever asks. The browser's
 * part is skipped, and said so, where /usr/bin/chromium is absent.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pacer } from '../../bench/rig/pacer.ts'
import { ServerApi } from '../../bench/rig/server-api.ts'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { TelnyxCall, type TelnyxCallerOptions } from '../../bench/rig/telnyx-caller.ts'
import { TelnyxCarrier } from '../../bench/rig/telnyx-carrier.ts'
import { freshDatabase } from '../support/postgres.ts'

const CHROMIUM = '/usr/bin/chromium'
const WAIT_MS = 30_000
const NUMBER = '+523399999999'

const isPresent = existsSync(CHROMIUM)
if (!isPresent) console.warn(`dial.test.ts is skipped in part: ${CHROMIUM} is absent`)

describe('calling somebody', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let carrier: TelnyxCarrier
  let server: ServerProcess
  let api: ServerApi
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, carrier] = await Promise.all([freshDatabase(), TelnyxCarrier.open()])
    server = await ServerProcess.start({
      env: {
        ...{ ...carrier.env, DATABASE_URL: database.url, LOG_LEVEL: 'warn' },
        ...{ TELNYX_FROM: '+525587654321', OUTBOUND_MAX_CALLS: '1', OUTBOUND_CALLS_PER_SEC: '50' },
      },
    })
    api = new ServerApi(server.url, server.adminKey)
    await api.configureAgent({ firstMessage: 'Hola, {{nombre}}.', machineDetection: false })
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    await carrier?.close()
    await database?.drop()
  })

  const options = (): TelnyxCallerOptions => ({
    ...{ carrier, pacer, server: server.url, signed: true, record: false },
    ...{ from: '+525587654321', to: NUMBER },
  })
  /** The call that the server will place next. */
  function nextCall(): Promise<TelnyxCall> {
    return new Promise((resolve) => {
      carrier.onDial = (body) => {
        const call = new TelnyxCall(options(), String(body['client_state']))
        setImmediate(() => resolve(call))
        return call
      }
    })
  }
  function order(variables: Record<string, string> = {}): Promise<Response> {
    const headers = { 'x-api-key': server.adminKey, 'content-type': 'application/json' }
    const body = JSON.stringify({ carrier: 'telnyx', to: NUMBER, variables })
    return fetch(`${server.url}/api/v1/calls`, { method: 'POST', headers, body })
  }

  it('is limited to 1 call at once: the second order gets 429 until the first has ended, by the API here', async () => {
    const dialled = nextCall()
    const first = await order({ nombre: 'Lucía' })
    expect(first.status).toBe(202)
    const call = await dialled
    const second = await order()
    expect(second.status).toBe(429)
    expect(second.headers.get('retry-after')).toBe('5')
    const { error } = (await second.json()) as { error: unknown }
    expect(error).toMatchObject({
      code: 'OUTBOUND_LIMIT',
      message: 'The account has reached its limit of calls at once (OUTBOUND_MAX_CALLS).',
    })
    const { id } = (await first.json()) as { id: string }
    const headers = { 'x-api-key': server.adminKey }
    const url = `${server.url}/api/v1/calls/${id}/hangup`
    // It only rings, and can be hung up all the same.
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(202)
    expect((await call.ended).by).toBe('server')
    expect((await api.finished(call.carrierCallId)).call).toMatchObject({
      ...{ id, endReason: 'adminHangup' },
    })
  }, 120_000)

  it('is on record when the order is answered: its id can be read at once', async () => {
    const dialled = nextCall()
    const { id } = (await (await order()).json()) as { id: string }
    const page = (await api.get(`/api/v1/calls/${id}`)) as { call: { status: string } }
    expect(page.call.status).toBe('dialing')
    const call = await dialled
    await call.hangup()
    expect((await api.finished(call.carrierCallId)).call.endReason).toBe('userHangup')
  }, 120_000)

  describe.skipIf(!isPresent)('in Chromium', () => {
    let browser: Browser
    let page: Page

    beforeAll(async () => {
      execFileSync(process.execPath, ['dashboard/build.ts'], { stdio: 'inherit' })
      browser = await chromium.launch({ executablePath: CHROMIUM })
      page = await browser.newPage()
      page.setDefaultTimeout(WAIT_MS)
      await page.goto(`${server.url}/dashboard`)
      await page.getByLabel('Clave de administración').fill(server.adminKey)
      await page.getByRole('button', { name: 'Entrar' }).click()
      await page.getByRole('link', { name: 'Llamadas' }).click()
    }, 240_000)
    afterAll(() => browser?.close())

    async function dialFromForm(): Promise<void> {
      const form = page.getByRole('form', { name: 'Llamar a un número' })
      await form.getByLabel('Número, con + y el código del país').fill('+52 (33) 9999-9999')
      await form.getByRole('combobox').selectOption('telnyx')
      await form.getByRole('button', { name: 'Llamar' }).click()
    }

    it('shows what Telnyx refused in its own words, with the cure', async () => {
      carrier.onDial = null
      await dialFromForm()
      const notice = page.getByText('Phone number must be in +E164 format')
      await notice.waitFor()
      expect(await notice.textContent()).toMatch(/10016.*Write numbers in E\.164/s)
    }, 120_000)

    it('dials, and follows the call live: ringing, in conversation, hung up by the user', async () => {
      const dialled = nextCall()
      await dialFromForm()
      const call = await dialled
      await page.getByRole('link', { name: 'Está marcando. Ver la llamada' }).click()
      await page.getByText('Marcando').first().waitFor()
      await call.tell('call.initiated', { direction: 'outgoing' })
      await page.getByText('Timbrando').first().waitFor()
      await call.pickUp()
      await call.opened()
      await page.getByText('En conversación').first().waitFor()
      await call.hangup()
      await page.getByText('Colgó el usuario').first().waitFor()
      expect((await api.finished(call.carrierCallId)).call.endReason).toBe('userHangup')
    }, 120_000)
  })
})
