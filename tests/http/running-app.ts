/** The real app on a real socket with a real database; only the calls and providers are stand-ins. */
import { createServer, request, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createApp } from '../../server/http/app.ts'
import { AdmissionGate } from '../../server/call/admission.ts'
import { AgentSource } from '../../server/call/agent-source.ts'
import { openLoadControl, type LoadControl } from '../../server/call/load-control.ts'
import { PhoneDesk } from '../../server/call/phone-desk.ts'
import type { PhoneReport } from '../../server/call/phone-reports.ts'
import { CallRegistry } from '../../server/call/registry.ts'
import type { LegReport } from '../../server/carriers/telnyx-transfer.ts'
import { CarrierLines } from '../../server/carriers/lines.ts'
import type { Admission, AppDeps } from '../../server/http/app-deps.ts'
import { MediaTokens } from '../../server/http/media-tokens.ts'
import { DEFAULT_LIMITS, type Limits } from '../../server/http/rate-limits.ts'
import { configSecrets, loadConfig, type Config } from '../../server/config.ts'
import { createLog, SecretMask, type Log } from '../../server/log.ts'
import { createMetrics, type Metrics } from '../../server/metrics.ts'
import { PriceList } from '../../server/price-list.ts'
import { SecretBox } from '../../server/secret-box.ts'
import { ensureAdminKey } from '../../server/store/api-keys.ts'
import { defaultAgent, ensureDefaultAgent } from '../../server/store/agents.ts'
import { Journal } from '../../server/store/journal.ts'
import { openDatabase, type Database } from '../../server/store/database.ts'
import { freshDatabase } from '../support/postgres.ts'

export const TEST_SECRETS = new SecretBox(new Uint8Array(32).fill(9))

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  text: string
  /** The body as JSON; undefined when it is none. */
  json: any // eslint-disable-line @typescript-eslint/no-explicit-any -- what the tests look into
}

export interface Ask {
  method?: string
  headers?: Record<string, string>
  /** An object is sent as JSON; text and bytes as they are. */
  body?: unknown
  /** Sends the generated API key. Default true. */
  key?: boolean
}

export interface RunningApp {
  url: string
  key: string
  db: Database
  metrics: Metrics
  tokens: MediaTokens
  logLines: string[]
  /** What the webhooks told the phone desk, and the transfers. */
  carrierReports: PhoneReport[]
  legReports: LegReport[]
  registry: CallRegistry
  desk: PhoneDesk
  journal: Journal
  /** What the stand-in call directory says next; null: what the load and 300 places allow. */
  admission: Admission | null
  load: LoadControl
  gate: AdmissionGate
  isReady: boolean
  liveCallIds: Set<string>
  nowMs: number
  /** Takes the database away from under the running app. */
  dropDatabase(): Promise<void>
  ask(path: string, options?: Ask): Promise<Reply>
  close(): Promise<void>
}

export interface AppOptions {
  env?: Record<string, string>
  limits?: Partial<Limits>
  dashboardDir?: string
}

export async function runApp(options: AppOptions = {}): Promise<RunningApp> {
  const database = await freshDatabase()
  const db = await openDatabase(database.url)
  await ensureDefaultAgent(db)
  const key = (await ensureAdminKey(db)).key ?? ''
  const config = loadConfig(options.env ?? {})
  const server = createServer()
  let isDropped = false
  const app: RunningApp = {
    url: '',
    key,
    db,
    metrics: createMetrics(),
    tokens: new MediaTokens(),
    logLines: [],
    carrierReports: [],
    legReports: [],
    registry: new CallRegistry(),
    desk: undefined as unknown as PhoneDesk,
    journal: undefined as unknown as Journal,
    admission: { ok: true },
    load: undefined as unknown as LoadControl,
    gate: undefined as unknown as AdmissionGate,
    isReady: true,
    liveCallIds: new Set(),
    nowMs: Date.UTC(2026, 10, 24, 12),
    async dropDatabase() {
      if (isDropped) return
      isDropped = true
      await database.drop()
    },
    ask: (path, ask) => send(app, path, ask ?? {}),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await app.journal.stop()
      await db.end()
      await app.dropDatabase()
    },
  }
  const log = createLog({
    level: 'trace',
    text: false,
    mask: new SecretMask(configSecrets(config)),
    write: (line) => app.logLines.push(line),
  })
  app.journal = new Journal(db, { limit: 1_000, log, metrics: app.metrics })
  const lines = new CarrierLines(config, () => config.publicUrl ?? app.url)
  const { registry, metrics } = app
  app.load = openLoadControl({ isOn: config.loadControl, registry, metrics, log })
  const { room } = app.load
  app.gate = new AdmissionGate({ maxCalls: 300, reservationMs: 60_000, room })
  app.gate.setReady()
  app.desk = await openDesk(app, { config, log, lines })
  const deps: AppDeps = {
    config,
    log,
    ...standIns(app),
    priceList: await PriceList.open(db, config.prices),
    ...(options.dashboardDir === undefined ? {} : { dashboardDir: options.dashboardDir }),
  }
  const koa = createApp(deps, { ...DEFAULT_LIMITS, ...options.limits })
  server.on('request', (incoming, outgoing) => void koa.callback()(incoming, outgoing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  app.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return app
}

async function openDesk(
  app: RunningApp,
  { config, log, lines }: { config: Config; log: Log; lines: CarrierLines },
): Promise<PhoneDesk> {
  return new PhoneDesk({
    registry: app.registry,
    gate: {
      admit: (live: number) => app.admission ?? app.gate.admit(live, app.nowMs),
      settle: () => app.gate.settle(),
    } as unknown as AdmissionGate,
    agents: new AgentSource(app.db, log, await defaultAgent(app.db)),
    journal: app.journal,
    metrics: app.metrics,
    log,
    outbound: config.outbound,
    lineFor: (carrier, account) => lines.for(carrier, account),
    issueToken: (claims) => app.tokens.issue(claims, app.nowMs),
    mediaUrl: (carrier, token) =>
      `${(config.publicUrl ?? app.url).replace(/^http/, 'ws')}/api/v1/ws/media-stream/${carrier}` +
      (carrier === 'telnyx' ? `/${token}` : ''),
    dateMs: () => app.nowMs,
    monotonicMs: () => app.nowMs,
  })
}

function standIns(app: RunningApp): Omit<AppDeps, 'config' | 'log' | 'priceList'> {
  const provider = { name: 'embedded', label: 'Embedded', production: false, notice: null }
  return {
    metrics: app.metrics,
    db: app.db,
    tokens: app.tokens,
    sessionSecret: new Uint8Array(32).fill(7),
    secrets: TEST_SECRETS,
    calls: {
      live: () => app.liveCallIds.size,
      max: 300,
      hangup: (id) => app.liveCallIds.delete(id),
      admit: () => app.admission ?? app.gate.admit(app.registry.size, app.nowMs),
    },
    providersStatus: () => ({
      stt: provider,
      llm: { ...provider, scripted: true },
      tts: provider,
    }),
    voices: () =>
      Promise.resolve([
        { name: 'pico', label: 'Pico', language: 'es-ES', gender: 'female' as const, styles: [] },
      ]),
    audioStats: () => ({ liveLanes: 0 }),
    journalStats: () => ({ queued: 0 }),
    loadState: () => ({ ...app.load.ladder.state(), ringingCalls: 0, control: true }),
    ready: () => app.isReady,
    phone: {
      incoming: (ring) => app.desk.incoming(ring),
      answer: (call) => app.desk.answer(call),
      refuse: (ring) => app.desk.refuse(ring),
      invite: (call) => app.desk.invite(call),
      get: (callId) => app.desk.get(callId),
      recall: (callId) => app.desk.recall(callId),
      report: (report) => {
        app.carrierReports.push(report)
        app.desk.report(report)
      },
      dial: (request) => app.desk.dial(request),
      legReported: (_account, report) => app.legReports.push(report),
      record: (callId, action) => app.registry.get(callId)?.record?.(action) ?? null,
    },
    nowMs: () => app.nowMs,
  }
}

/** node:http instead of fetch: free choice of Host, Origin, Content-Length and method. */
function send(app: RunningApp, path: string, ask: Ask): Promise<Reply> {
  const isJson =
    ask.body !== undefined && typeof ask.body !== 'string' && !Buffer.isBuffer(ask.body)
  const body = isJson
    ? Buffer.from(JSON.stringify(ask.body))
    : Buffer.isBuffer(ask.body)
      ? ask.body
      : Buffer.from((ask.body as string | undefined) ?? '')
  const headers = {
    ...(isJson ? { 'Content-Type': 'application/json' } : {}),
    // Node's client sends no length for DELETE by itself.
    ...(body.length === 0 ? {} : { 'Content-Length': String(body.length) }),
    ...(ask.key === false ? {} : { 'X-API-Key': app.key }),
    ...ask.headers,
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(
      app.url + path,
      { method: ask.method ?? 'GET', headers, agent: false },
      (incoming) => {
        const chunks: Buffer[] = []
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('latin1')
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            text,
            json:
              text !== '' && /json/.test(incoming.headers['content-type'] ?? '')
                ? JSON.parse(Buffer.concat(chunks).toString())
                : undefined,
          })
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
