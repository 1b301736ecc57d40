/**
 * The dashboard in real Chromium, with a microphone that plays recorded speech: sign in, call
 * Andrea, be understood, hang up, find the call. Skipped, and said so, where /usr/bin/chromium is
 * absent (apt-get install chromium).
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Locator, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServerProcess } from '../../bench/rig/server-process.ts'
import { openVoice } from '../../bench/rig/speech.ts'
import { encodeWav } from '../../bench/rig/wav.ts'
import { freshDatabase } from '../support/postgres.ts'

const CHROMIUM = '/usr/bin/chromium'
const SPOKEN = 'Sí, le escucho muy bien. Buenos días.'
/** The microphone opens with the call; the greeting takes about 4 s. */
const SPEAKS_AT_SEC = 7
const WAIT_MS = 30_000
const RATE_HZ = 8_000

const isPresent = existsSync(CHROMIUM)
if (!isPresent)
  console.warn(`browser.test.ts is skipped: ${CHROMIUM} is absent (apt-get install chromium)`)

describe.skipIf(!isPresent)('the dashboard in Chromium', () => {
  let folder: string
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let server: ServerProcess
  let browser: Browser
  let page: Page
  const mistakes: string[] = []

  beforeAll(async () => {
    execFileSync(process.execPath, ['dashboard/build.ts'], { stdio: 'inherit' })
    folder = await mkdtemp(join(tmpdir(), 'andrea-browser-'))
    database = await freshDatabase()
    server = await ServerProcess.start({ env: { DATABASE_URL: database.url, LOG_LEVEL: 'warn' } })
    const microphone = join(folder, 'microphone.wav')
    await writeFile(microphone, await microphoneWav())
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        `--use-file-for-fake-audio-capture=${microphone}%noloop`,
        '--autoplay-policy=no-user-gesture-required',
      ],
    })
    const context = await browser.newContext({ permissions: ['microphone'] })
    page = await context.newPage()
    page.setDefaultTimeout(WAIT_MS)
    page.on('pageerror', (error) => mistakes.push(error.message))
    page.on('console', (message) => {
      // The first look at the session is answered 401, which Chromium logs by itself.
      if (message.type() === 'error' && !message.text().includes('401'))
        mistakes.push(message.text())
    })
  }, 240_000)
  afterAll(async () => {
    await browser?.close()
    await server?.stop()
    await database?.drop()
    await rm(folder, { recursive: true, force: true })
  })

  const log = (): Locator => page.getByRole('log', { name: 'Transcripción en vivo' })
  const lines = (who: string): Locator =>
    log()
      .getByRole('listitem')
      .filter({ has: page.getByText(who, { exact: true }) })

  it(
    'refuses a wrong key and takes the right one',
    async () => {
      await page.goto(`${server.url}/dashboard`)
      const key = page.getByLabel('Clave de administración')
      await key.fill('not-the-key-0123456789')
      await page.getByRole('button', { name: 'Entrar' }).click()
      await page.getByRole('alert').filter({ hasText: 'no es correcta' }).waitFor()
      await key.fill(server.adminKey)
      await page.getByRole('button', { name: 'Entrar' }).click()
      await page.getByRole('button', { name: 'Llamar' }).waitFor()
    },
    3 * WAIT_MS,
  )

  it('calls, shows Andrea’s greeting, what the user said into the microphone, and her reply', async () => {
    await page.getByRole('button', { name: 'Llamar' }).click()
    await lines('Andrea').filter({ hasText: 'soy Andrea' }).first().waitFor()
    await lines('Usted')
      .filter({ hasText: /escucho|buenos d[ií]as/i })
      .first()
      .waitFor()
    await lines('Andrea').nth(1).waitFor()
    // A machine that stutters may take the pause between the two sentences for the end of the first.
    expect(await lines('Usted').count()).toBeLessThanOrEqual(2)
  }, 120_000)

  it('takes typed text and answers it', async () => {
    const before = await lines('Andrea').count()
    await page.getByLabel('Escriba en vez de hablar').fill('Tengo un restaurante en Guadalajara')
    await page.getByRole('button', { name: 'Enviar' }).click()
    await lines('Usted').filter({ hasText: 'Tengo un restaurante' }).first().waitFor()
    await lines('Andrea').nth(before).waitFor()
  }, 120_000)

  it('hangs up and shows the call with its transcript and recording in the history', async () => {
    await page.getByRole('button', { name: 'Colgar' }).click()
    await page.getByText('Colgó el usuario').first().waitFor()
    await page.getByRole('link', { name: 'Llamadas' }).click()
    await page.getByRole('heading', { name: 'Llamadas' }).waitFor()
    await page.locator('a[href^="/dashboard/calls/"]').first().click()
    await page.getByText('Tengo un restaurante en Guadalajara').first().waitFor()
    await page.getByText('soy Andrea').first().waitFor()
    await page.getByRole('button', { name: 'Reproducir' }).waitFor()
  }, 120_000)

  it('lets the agent’s voice be heard as the form shows it', async () => {
    await page.getByRole('link', { name: 'Agente', exact: true }).first().click()
    await page.getByRole('button', { name: 'Voz', exact: true }).click()
    const listen = page.locator('p.preview button').first()
    const [spoken] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith('/voices/preview')),
      listen.click(),
    ])
    expect([spoken.status(), spoken.headers()['content-type']]).toEqual([200, 'audio/wav'])
    // More than a second of 16 kHz: the greeting, not a click.
    expect(Number(spoken.headers()['content-length'])).toBeGreaterThan(32_000)
    await listen.filter({ hasText: 'Escuchar' }).waitFor()
    expect(await page.getByText('La voz no puede hablar ahora.').count()).toBe(0)
  }, 120_000)

  it('shows how often a phrase came from memory, and what that saved', async () => {
    await page.getByRole('link', { name: 'Estado' }).click()
    const phrases = page.locator('section').filter({ hasText: 'Frases en memoria' })
    const figure = (name: string): Locator => phrases.locator('div').filter({ hasText: name })
    // The greeting of the call above was one.
    await figure('Aciertos').filter({ hasText: /[1-9]/ }).waitFor()
    await figure('Ahorro').waitFor()
  }, 120_000)

  it('changes a price, marks it, and keeps it: after a reload, and in the other language', async () => {
    const prices = page.getByRole('region', { name: /^Precios/ })
    const hour = prices.getByRole('spinbutton', { name: /^Transcripción/ })
    await expect.poll(() => hour.inputValue()).toBe('1')
    await hour.fill('-2')
    await prices.getByText('Valores por corregir: 1').waitFor()
    expect(await prices.getByRole('button', { name: 'Guardar' }).isDisabled()).toBe(true)
    await hour.fill('0.9')
    await prices.getByText('Cambios sin guardar: 1').waitFor()
    await prices.getByRole('button', { name: 'Guardar' }).click()
    await prices.getByRole('button', { name: 'Guardado' }).waitFor()
    await prices.getByText(/^Cambiados por admin/).waitFor()
    await page.reload()
    await expect.poll(() => hour.inputValue()).toBe('0.9')
    await page.getByRole('button', { name: /EN|English/ }).click()
    const english = page.getByRole('region', { name: /^Prices/ })
    await english.getByText('Costs already stored do not change.').waitFor()
    await english.getByRole('button', { name: 'Back to US$ 1: Transcription' }).waitFor()
  }, 120_000)

  it('takes a model of one’s own into the price list, and goes back to the defaults', async () => {
    const prices = page.getByRole('region', { name: /^Prices/ })
    const models = prices.getByLabel('Id of the model')
    const count = await models.count()
    await prices.getByRole('button', { name: 'Add a model' }).click()
    await models.nth(count).fill('mine/large')
    await prices.getByRole('spinbutton', { name: /^Input of mine\/large/ }).fill('2.5')
    await prices.getByRole('button', { name: 'Save' }).click()
    await prices.getByRole('button', { name: 'Saved' }).waitFor()
    await prices.getByRole('button', { name: 'Defaults', exact: true }).click()
    await prices.getByText('Unsaved changes: 2').waitFor()
    await prices.getByRole('button', { name: 'Save' }).click()
    await prices.getByRole('button', { name: 'Saved' }).waitFor()
    expect(await models.count()).toBe(count)
    const hour = prices.getByRole('spinbutton', { name: /^Transcription/ })
    expect(await hour.inputValue()).toBe('1')
  }, 120_000)

  it('runs without an error in the page or its console', () => {
    expect(mistakes).toEqual([])
  })
})

/** Silence, one sentence, a minute of silence: 8 kHz, as Chromium resamples by itself. */
async function microphoneWav(): Promise<Buffer> {
  const voice = await openVoice()
  try {
    const { pcm } = await voice.say(SPOKEN, 'es-MX')
    const track = new Int16Array(SPEAKS_AT_SEC * RATE_HZ + pcm.length + 60 * RATE_HZ)
    track.set(pcm, SPEAKS_AT_SEC * RATE_HZ)
    return encodeWav({ sampleRateHz: RATE_HZ, channels: [track] })
  } finally {
    await voice.close()
  }
}
