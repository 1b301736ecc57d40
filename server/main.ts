/**
 * Andrea's start: builds the parts, starts them in order, stops them in reverse. The only file that wires.
 *
 *   config → log → store → audio pool → providers → calls → HTTP → wheel → ready
 *
 * A part that cannot start stops those that have; the message says what to mend. Stopping is the same list backwards:
 * no new calls, live calls end and are written down, then the sockets, the journal, the database.
 */
import { createServer } from 'node:http'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { AudioPool } from '../workers/pool.ts'
import { openAfterCall } from './aftercall/open.ts'
import { openBeds } from './beds/open-beds.ts'
import { AdmissionGate } from './call/admission.ts'
import { AgentSource } from './call/agent-source.ts'
import { answer } from './call/answer.ts'
import { Call } from './call/call.ts'
import { endLeftoverCalls } from './call/leftover-calls.ts'
import { openLoadControl, type LoadControl } from './call/load-control.ts'
import { LoadMeter } from './call/load-meter.ts'
import { prefillAgent, prefillAgents } from './call/phrase-prefill.ts'
import { CallRegistry } from './call/registry.ts'
import { PhoneDesk, type DeskDeps } from './call/phone-desk.ts'
import { recogniserOptions } from './call/recogniser-options.ts'
import { CarrierLines } from './carriers/lines.ts'
import { configSecrets, loadConfig, type Config } from './config.ts'
import { AndreaError, errorText } from './errors.ts'
import { createApp } from './http/app.ts'
import { listen } from './http/listen.ts'
import { takeMediaUpgrades } from './http/media-upgrade.ts'
import { MediaTokens, TOKEN_LIFE_MS } from './http/media-tokens.ts'
import { isSignedUpgrade } from './http/twilio-signature.ts'
import { TWILIO_MEDIA_PATH } from './http/twilio-webhooks.ts'
import { phoneApi } from './http/phone-api.ts'
import { loadSessionSecret } from './http/session-cookie.ts'
import { createLog, SecretMask, type Log } from './log.ts'
import { Wheel } from './media/wheel.ts'
import { createMetrics, watchAudioFaults, type Metrics } from './metrics.ts'
import { openSecretBox, type SecretBox } from './secret-box.ts'
import { PriceList } from './price-list.ts'
import { phraseFigures } from './providers/phrase-figures.ts'
import { selectProviders, type Providers } from './providers/select.ts'
import { recogniserFor } from './providers/stt.ts'
import { speakSample } from './providers/voice-sample.ts'
import { defaultAgent, ensureDefaultAgent, sealOldVersions } from './store/agents.ts'
import { ensureAdminKey } from './store/api-keys.ts'
import { closeOrphanCalls } from './store/calls.ts'
import { openDatabase, type Database } from './store/database.ts'
import { startEmbeddedPostgres } from './store/embedded-postgres.ts'
import { ensureEventPartitions } from './store/events.ts'
import { Journal } from './store/journal.ts'
import { migrate } from './store/migrate.ts'
import { sealedSettings } from './tools/tool-secrets.ts'
import { Undo } from './undo.ts'
import { welcome } from './welcome.ts'

/** Rows that wait while the database is away: some minutes of a busy call centre. */
const JOURNAL_LIMIT = 10_000
const DAY_MS = 86_400_000
const TELNYX_MEDIA_PATH = '/api/v1/ws/media-stream/telnyx'

interface Base {
  config: Config
  log: Log
  mask: SecretMask
  metrics: Metrics
  undo: Undo
}

async function openStore({ config, log, mask, metrics, undo }: Base) {
  let url = config.databaseUrl
  if (url === null) {
    const postgres = await startEmbeddedPostgres({
      dataDir: config.dataDir,
      durable: true,
      onLog: (line) => log.debug({ part: 'postgres' }, line),
    })
    undo.add('postgres', () => postgres.stop())
    mask.add(postgres.password)
    url = postgres.url
  }
  const applied = await migrate(url)
  if (applied.length > 0) log.info({ migrations: applied.length }, 'database migrated')
  const db = await openDatabase(url)
  undo.add('database', () => db.end())
  await ensureEventPartitions(db)
  const daily = setInterval(() => {
    ensureEventPartitions(db).catch((error: unknown) =>
      log.error(
        { error: errorText(error) },
        'next month has no event partition yet; retried tomorrow',
      ),
    )
  }, DAY_MS)
  daily.unref()
  await ensureDefaultAgent(db)
  const secrets = await openSecretBox(config)
  await sealOldVersions(db, (settings) => sealedSettings(settings, secrets))
  const orphans = await closeOrphanCalls(db)
  if (orphans.length > 0) log.warn({ calls: orphans.length }, 'calls that a crash left open closed')
  const newKey = config.adminApiKey === null ? (await ensureAdminKey(db)).key : null
  if (newKey) mask.add(newKey)
  const journal = new Journal(db, { limit: JOURNAL_LIMIT, log, metrics })
  undo.add('journal', () => journal.stop())
  const priceList = await PriceList.open(db, config.prices)
  return { db, journal, newKey, orphans, secrets, priceList }
}

async function openAudio(base: Base) {
  const { config, log, metrics, undo } = base
  const pool = await AudioPool.create({
    slots: config.maxCalls,
    threads: config.audioThreads,
    uploadedBedBytes: config.bedMemoryBytes,
  })
  undo.add('audio pool', () => pool.close())
  watchAudioFaults(metrics, () => pool.faultCounts())
  const registry = new CallRegistry()
  const load = openLoadControl({ isOn: config.loadControl, registry, metrics, log })
  const meter = new LoadMeter({
    ladder: load.ladder,
    tally: load.tally,
    liveCalls: () => registry.size,
    poolWaitP99Ms: () => pool.stats().waitMs.p99,
  })
  const wheel = new Wheel({
    nowMs: () => performance.now(),
    tickPool: (nowMs) => pool.tick(nowMs),
    onLateness: (ms) => {
      metrics.wheelLateness.observe(ms / 1_000)
      meter.wheelLate(ms)
    },
    onFault: (error, rider) => {
      log.error({ error: errorText(error) }, 'a call failed in its turn')
      if (rider instanceof Call) rider.hangup('internalError')
    },
  })
  meter.start()
  undo.add('wheel', () => {
    wheel.stop()
    meter.stop()
  })
  return { pool, wheel, registry, load }
}

interface Parts {
  db: Database
  journal: Journal
  secrets: SecretBox
  priceList: PriceList
  pool: AudioPool
  wheel: Wheel
  registry: CallRegistry
  load: LoadControl
  providers: Providers
  beds: Awaited<ReturnType<typeof openBeds>>
}

async function openCalls(base: Base, parts: Parts) {
  const { config, log, metrics } = base
  const { db, journal, pool, wheel, providers, registry, load } = parts
  const gate = new AdmissionGate({
    maxCalls: config.maxCalls,
    reservationMs: TOKEN_LIFE_MS,
    room: load.room,
  })
  const tokens = new MediaTokens()
  const recordingsDir = join(config.dataDir, 'recordings')
  await mkdir(recordingsDir, { recursive: true })
  const { status } = providers
  const afterCall = openAfterCall({
    config,
    undo: base.undo,
    log,
    metrics,
    db,
    journal,
    llm: providers.llm,
  })
  // Known for certain once the server listens; carriers reach us by PUBLIC_URL anyhow.
  const address = { port: config.port }
  const baseUrl = () => config.publicUrl ?? `http://${config.host}:${address.port}`
  const lines = new CarrierLines(config, baseUrl)
  const agents = new AgentSource(db, log, await defaultAgent(db))
  const desk = new PhoneDesk({
    ...{ registry, gate, agents, journal, metrics, log, outbound: config.outbound },
    lineFor: (carrier, account) => lines.for(carrier, account),
    issueToken: (claims) => tokens.issue(claims, Date.now()),
    mediaUrl: (carrier, token) => {
      const base = baseUrl().replace(/^http/, 'ws')
      return base + (carrier === 'twilio' ? TWILIO_MEDIA_PATH : `${TELNYX_MEDIA_PATH}/${token}`)
    },
    ...(config.echo ? {} : { prepare: preparing(providers, lines) }),
    dateMs: Date.now,
    monotonicMs: () => performance.now(),
  })
  const accept = {
    call: {
      ...{ pool, wheel, providers, echo: config.echo, rung: load.rung, tally: load.tally },
      httpTools: { allowedHosts: config.httpToolHosts, secrets: parts.secrets },
    },
    diary: {
      journal,
      metrics,
      log,
      dateMs: Date.now,
      ...(config.echo ? {} : { afterCall: afterCall.accept }),
      providerNames: { stt: status.stt.name, llm: status.llm.name, tts: status.tts.name },
      prices: () => parts.priceList.current,
    },
    agents,
    registry,
    gate,
    recordingsDir,
    phone: desk,
    lineFor: (carrier: 'twilio' | 'telnyx', account: string | null) => lines.for(carrier, account),
    telnyxOptions: (token: string | null) => {
      const claims = token === null ? null : tokens.peek(token)
      return { token, ...lines.telnyxFormat(claims?.account ?? null) }
    },
    takeToken: (token: string) => tokens.take(token, Date.now()),
  }
  return { registry, gate, tokens, accept, desk, lines, address }
}

/** Opens a recogniser for a call that rings, at the rate of the line that it will have. */
function preparing({ stt }: Providers, lines: CarrierLines): DeskDeps['prepare'] {
  return (settings, { carrier, account }) => {
    const ear = recogniserFor(stt, lines.sampleRateHz(carrier, account))
    ear.prepare(recogniserOptions(settings))
  }
}

async function openHttp(base: Base, parts: Parts, calls: Awaited<ReturnType<typeof openCalls>>) {
  const { config, log, metrics, undo } = base
  const { registry, gate, tokens, accept, desk, lines, address } = calls
  const app = createApp({
    config,
    log,
    metrics,
    db: parts.db,
    priceList: parts.priceList,
    tokens,
    sessionSecret: await loadSessionSecret(config.dataDir),
    secrets: parts.secrets,
    calls: {
      live: () => registry.size,
      max: config.maxCalls,
      hangup: (id) => registry.hangup(id, 'adminHangup') || desk.hangup(id, 'adminHangup'),
      admit: () => gate.admit(registry.size, performance.now()),
    },
    providersStatus: () => parts.providers.status,
    beds: parts.beds,
    voices: () => parts.providers.tts.voices(),
    models: () => parts.providers.models(),
    audioStats: () => ({ ...parts.pool.stats() }),
    journalStats: () => ({ ...parts.journal.stats }),
    loadState: () => ({
      ...parts.load.ladder.state(),
      ringingCalls: gate.ringing(performance.now()),
      control: config.loadControl,
    }),
    phraseStats: () => phraseFigures(parts.providers.phraseStats(), parts.priceList.current),
    previewVoice: (text, voice) => speakSample(parts.providers.tts, text, voice),
    onAgentSaved: (agent) => void prefillAgent(parts.providers, agent),
    ready: () => gate.ready,
    phone: phoneApi(desk, lines, registry),
  })
  const server = createServer(app.callback())
  const closeSockets = takeMediaUpgrades(server, {
    metrics,
    isSigned: async (request, signature) => {
      if (config.twilio.length === 0) return true
      const base = config.publicUrl ?? `http://${request.headers.host ?? config.host}`
      return isSignedUpgrade(config.twilio, { signature, base, path: request.url ?? '' })
    },
    maxSockets: config.maxCalls + 50,
    accept: (media) => answer(media, accept),
  })
  await listen(server, config)
  undo.add('http', () => {
    closeSockets()
    return new Promise<void>((done) => {
      server.close(() => done())
      server.closeAllConnections()
    })
  })
  const bound = server.address()
  address.port = typeof bound === 'object' && bound ? bound.port : config.port
  return address.port
}

async function start(base: Base): Promise<void> {
  const beganMs = performance.now()
  const { config, log, undo } = base
  const providers = await selectProviders(config, log, base.metrics)
  undo.add('providers', async () => {
    await Promise.all([providers.stt.close(), providers.llm.close(), providers.tts.close()])
  })
  const [store, audio] = await Promise.all([openStore(base), openAudio(base)])
  const beds = await openBeds(audio.pool.uploadedBeds, store.db, log)
  const parts = { ...store, ...audio, providers, beds }
  const calls = await openCalls(base, parts)
  const port = await openHttp(base, parts, calls)
  undo.add('calls', async () => {
    calls.gate.drain()
    const { registry, desk } = calls
    await Promise.all([registry.endAll('serverStopped'), desk.endAll('serverStopped')])
  })
  audio.wheel.start()
  void endLeftoverCalls(store.orphans, {
    lines: (carrier) => calls.lines.all(carrier),
    isOver: (carrierCallId, callId) => calls.desk.isOver(carrierCallId, callId),
    log,
  })
  // An echo needs no providers; loading their models would disturb what the bench measures.
  if (!config.echo) await warm(providers, log)
  if (!config.echo) await prefillAgents(providers, parts.db, log)
  calls.gate.setReady()
  log.info({ ms: Math.round(performance.now() - beganMs) }, 'ready')
  welcome(config, port, store.newKey)
}

/** A provider that is away now may be back for the next call: it is reported, and the server starts all the same. */
async function warm({ stt, llm, tts }: Providers, log: Log): Promise<void> {
  const warmUp = async (part: string, provider: { name: string; warm(): Promise<void> }) => {
    try {
      await provider.warm()
    } catch (error) {
      log.error({ part, provider: provider.name, error: errorText(error) }, 'provider is not ready')
    }
  }
  await Promise.all([warmUp('stt', stt), warmUp('llm', llm), warmUp('tts', tts)])
}

function stopOnSignals({ log, undo }: Base): void {
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) {
      log.warn('second signal: stopping without waiting')
      process.exit(1)
    }
    stopping = true
    log.info({ signal }, 'stopping')
    void undo.run(log).then(() => process.exit(0))
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
}

async function main(): Promise<void> {
  let config: Config
  try {
    config = loadConfig()
  } catch (error) {
    process.stderr.write(`${errorText(error)}\n`)
    process.exit(1)
  }
  const mask = new SecretMask(configSecrets(config))
  const log = createLog({ level: config.logLevel, mask })
  const base: Base = {
    config,
    log,
    mask,
    metrics: createMetrics({ process: true }),
    undo: new Undo(),
  }
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  stopOnSignals(base)
  try {
    await start(base)
  } catch (error) {
    const code = error instanceof AndreaError ? error.code : 'START_FAILED'
    log.fatal({ code, ...(error instanceof AndreaError ? {} : { err: error }) }, errorText(error))
    await base.undo.run(log)
    process.exit(1)
  }
}

await main()
