/**
 * No key leaves the server: a real one with keys like no other text, providers and carriers that refuse them and quote them
 * in their refusals, calls that go on all the same. Then everything that can be read is searched: each row of each table,
 * each answer of the API, the dashboard, the metrics, the files, and what the server printed.
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import {
  finishChunk,
  refuses,
  sse,
  startChatServer,
  streams,
  textChunk,
  type ChatServer,
} from '../../bench/rig/chat-server.ts'
import { GroqService } from '../../bench/rig/groq-service.ts'
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
/** Each is found whole, and by this part where a text was cut. */
const MARK = 'nobodymaysee'
const KEYS = {
  ADMIN_API_KEY: `admin/key+${MARK}-0123456789`,
  AZURE_SPEECH_KEY: `azure/key+${MARK}=01`,
  GROQ_API_KEY: `gsk_groq${MARK}02`,
  LLM_API_KEY: `sk-own${MARK}03`,
  TELNYX_API_KEY: `KEY0190${MARK}04`,
  WEBHOOK_SECRET: `webhook-${MARK}-05`,
}
const TOOL_KEY = `Bearer tool-${MARK}-06`

describe('keys', () => {
  let database: Awaited<ReturnType<typeof freshDatabase>>
  let azure: AzureService
  let groq: GroqService
  let own: ChatServer
  let twilio: TwilioCarrier
  let telnyx: TelnyxCarrier
  let tool: Server
  let server: ServerProcess
  let api: ServerApi
  const toolHeaders: string[] = []
  const answers: string[] = []
  const pacer = new Pacer()

  beforeAll(async () => {
    ;[database, azure, groq, own, twilio, telnyx] = await Promise.all([
      freshDatabase(),
      AzureService.start({ key: 'another' }),
      GroqService.start(),
      startChatServer(),
      TwilioCarrier.open(),
      TelnyxCarrier.open(),
    ])
    const message = `Incorrect API key provided: ${KEYS.GROQ_API_KEY}`
    groq.failure = { kind: 'status', status: 401, message }
    own.answers = [streams(textChunk('Hola.'), finishChunk('stop'), 'data: [DONE]\n\n')]
    tool = createServer((request, response) => {
      toolHeaders.push(String(request.headers.authorization))
      response.end(`you sent ${request.headers.authorization}`)
    })
    await new Promise<void>((listening) => tool.listen(0, '127.0.0.1', listening))
    const toolHost = `127.0.0.1:${(tool.address() as AddressInfo).port}`
    server = await ServerProcess.start({
      env: {
        ...{ ...twilio.env, ...telnyx.env, ...KEYS, TWILIO_FROM: OURS, TELNYX_FROM: OURS },
        ...{ AZURE_SPEECH_REGION: 'eastus', AZURE_SPEECH_HOST: azure.host },
        ...{ GROQ_BASE_URL: groq.url, LLM_BASE_URL: own.url, LLM_MODEL: 'own-model' },
        ...{ HTTP_TOOLS_HOSTS: toolHost, DATABASE_URL: database.url, LOG_LEVEL: 'debug' },
        ...{ OUTBOUND_CALLS_PER_SEC: '5', API_REQUESTS_PER_MINUTE: '10000' },
      },
    })
    api = new ServerApi(server.url, server.adminKey)
    await api.configureAgent({
      ...{ firstMessage: 'Hola.', firstMessageMode: 'speak-first', enableDialKeypad: true },
      ...{ secondHearing: 'whisper-large-v3-turbo' },
      httpTools: [
        {
          ...{ name: 'find_free', description: 'Finds.', method: 'POST', retries: 0 },
          ...{ url: `http://${toolHost}/`, headers: { authorization: TOOL_KEY } },
          ...{ timeoutMs: 5_000, parameters: { type: 'object', properties: {} } },
        },
      ],
    })
  }, 240_000)
  afterAll(async () => {
    await server?.stop()
    tool?.close()
    await Promise.all([azure, groq, own, twilio, telnyx].map((one) => one?.close()))
    await database?.drop()
  })

  const options = () => ({ pacer, server: server.url, record: false, from: USER, to: OURS })

  it('are refused, and quoted, by every provider and carrier while four calls are made', async () => {
    // A tool call, whose service quotes its key; a refusal that quotes ours; then answers.
    const call = { index: 0, id: 'call_1', function: { name: 'find_free', arguments: '{}' } }
    const asks = sse({ choices: [{ index: 0, delta: { tool_calls: [call] } }] })
    const says = streams(textChunk('Con gusto.'), finishChunk('stop'), 'data: [DONE]\n\n')
    own.answers = [
      streams(asks, finishChunk('tool_calls'), 'data: [DONE]\n\n'),
      says,
      refuses(401, { message: `Incorrect API key provided: ${KEYS.LLM_API_KEY}` }),
    ]
    const first = await TwilioCall.place({
      ...options(),
      ...{ publicUrl: server.url, authToken: twilio.authToken },
    })
    for (const digit of '1#') first.pressDigit(digit)
    await until(() => toolHeaders.length === 1)
    for (const digit of '2#') first.pressDigit(digit)
    await until(() => own.requests.length >= 4)
    await first.hangup()
    await api.finished(first.identity.callSid)

    const second = await TelnyxCall.place({ ...options(), carrier: telnyx, signed: true })
    await until(() => second.receivedFrames > 20)
    const basic = Buffer.from(`${first.identity.accountSid}:${twilio.authToken}`).toString('base64')
    const quoted = `no: ${twilio.authToken} ${basic}`
    twilio.rest.instead.push({ status: 401, body: { code: 20_003, message: quoted, status: 401 } })
    await dial('twilio')
    const errors = [{ code: '10009', title: 'no', detail: `no: ${KEYS.TELNYX_API_KEY}` }]
    telnyx.rest.instead.push({ status: 401, body: { errors } })
    await dial('telnyx')
    await second.hangup()
    await api.finished(second.callControlId)
    expect(toolHeaders[0]).toBe(TOOL_KEY)
    expect(azure.paths.length).toBeGreaterThan(0)
    expect(own.headers.some((one) => one.authorization?.includes(KEYS.LLM_API_KEY))).toBe(true)
    expect(twilio.rest.seen.length).toBeGreaterThan(0)
    expect(telnyx.rest.seen.length).toBeGreaterThan(0)
  }, 180_000)

  it('are in no row of any table', async () => {
    const rows = await everyRow(database.url)
    expect(rows.length).toBeGreaterThan(10)
    // What was looked for is what is there: the tool, its sealed key, the events of the calls.
    for (const there of ['find_free', 'sealed:', 'providerSwitch'])
      expect(rows.some((row) => row.includes(there))).toBe(true)
    for (const row of rows) expectClean(row)
  })

  it('are in no answer of the API, nor in the documentation, the metrics and the dashboard', async () => {
    for (const answer of answers) expectClean(answer)
    const paths = await readablePaths()
    expect(paths.length).toBeGreaterThan(15)
    for (const path of paths) {
      const response = await fetch(server.url + path, {
        headers: { 'x-api-key': server.adminKey },
      })
      const body = Buffer.from(await response.arrayBuffer()).toString('latin1')
      expectClean(`${path} ${JSON.stringify([...response.headers])} ${body}`)
    }
  }, 120_000)

  it('are in no answer to a request that fails', async () => {
    const failing: [string, string, unknown][] = [
      ['POST', '/api/v1/voices/preview', { text: 'Hola', voiceName: 'x', language: 'es-MX' }],
      ['POST', '/api/v1/session', { key: 'wrong-key-wrong-key' }],
      ['PUT', '/api/v1/prices', { prices: {}, baseVersion: 0 }],
      ['POST', '/api/v1/calls/3f8b1c52-6f0e-4a52-9d5c-0a4f2b8f7c11/hangup', undefined],
    ]
    for (const [method, path, body] of failing) expectClean(await ask(method, path, body))
  })

  it('are in nothing that the server printed, nor in a file that it wrote', async () => {
    const { output } = server
    // Nothing was cut off at the front.
    expect(output.length).toBeLessThan(200_000)
    expect(output).toContain('provider switched')
    expectClean(output)
    const files = await readdir(server.dataDir, { recursive: true, withFileTypes: true })
    for (const file of files.filter((one) => one.isFile()))
      expectClean((await readFile(join(file.parentPath, file.name))).toString('latin1'))
  })

  function expectClean(text: string): void {
    for (const [name, value] of Object.entries({ ...KEYS, tool: TOOL_KEY })) {
      for (const form of formsOf(value))
        expect(text.includes(form), `${name} in ${text.slice(0, 300)}`).toBe(false)
    }
    for (const form of [MARK, ...formsOf(twilio.authToken)])
      expect(text.includes(form), `${form} in ${text.slice(0, 300)}`).toBe(false)
  }

  async function ask(method: string, path: string, body?: unknown): Promise<string> {
    const response = await fetch(server.url + path, {
      method,
      headers: { 'x-api-key': server.adminKey, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return `${method} ${path} ${response.status} ${await response.text()}`
  }

  async function dial(carrier: 'twilio' | 'telnyx'): Promise<void> {
    const answer = await ask('POST', '/api/v1/calls', { carrier, to: '+523399999999' })
    expect(answer).toMatch(/^POST \/api\/v1\/calls (4|5)\d\d/)
    answers.push(answer)
  }

  /** Everything that GET reads: documented addresses with the ids that exist, the pages, and what they load. */
  async function readablePaths(): Promise<string[]> {
    const document = (await api.get('/openapi.json')) as { paths: Record<string, object> }
    const agents = (await api.get('/api/v1/agents')) as { items: { id: string }[] }
    const calls = (await api.get('/api/v1/calls?limit=100')) as { items: { id: string }[] }
    expect(calls.items.length).toBeGreaterThanOrEqual(2)
    const ids: Record<string, string[]> = {
      '/api/v1/agents/': agents.items.map(({ id }) => id),
      '/api/v1/calls/': calls.items.map(({ id }) => id),
    }
    const documented = Object.entries(document.paths).flatMap(([path, methods]) => {
      if (!('get' in methods)) return []
      if (!path.includes('{')) return [path]
      const owner = Object.keys(ids).find((prefix) => path.startsWith(prefix))
      return (ids[owner ?? ''] ?? ['none']).map((id) => path.replace(/\{\w+\}/, id))
    })
    const page = await (await fetch(`${server.url}/dashboard`)).text()
    const loaded = [...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map((match) => match[1] ?? '')
    return [...documented, '/openapi.json', '/docs', '/dashboard', ...loaded]
  }
})

/** A key as it may travel: as it is, in a URL, in JSON, in base64 (three ways to begin), in hex. */
function formsOf(key: string): string[] {
  const base64 = ['', 'a', 'ab'].map((before) =>
    // Without the ends, which depend on what stands beside it.
    Buffer.from(before + key)
      .toString('base64')
      .slice(4, -4),
  )
  return [key, encodeURIComponent(key), Buffer.from(key).toString('hex'), ...base64]
}

/** Each row of each table, as text. */
async function everyRow(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    )
    const all: string[] = []
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(
        `SELECT '${name} ' || t::text AS row FROM ${name} t`,
      )
      all.push(...rows.map(({ row }) => row))
    }
    return all
  } finally {
    await client.end()
  }
}

/** Waits as long as the test may take. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20))
}
