/**
 * Configuration: environment variables, parsed once at start into one typed, frozen object.
 *
 * Everything has a default that works on a machine without accounts: no key means the embedded voices, recogniser and
 * scripted brain. An empty value counts as absent, so that a copied .env.example changes nothing. What is half set (a key
 * without its region) refuses to start instead of silently falling back: the operator believes that it is on.
 *
 * Invariant: the only file that reads process.env. The list of variables, with comments, is .env.example.
 */
import { resolve } from 'node:path'
import { z } from 'zod'
import {
  carrierVariables,
  httpUrl,
  secret,
  telnyxOf,
  twilioOf,
  type TelnyxAccount,
  type TwilioAccount,
} from './carrier-accounts.ts'
import { ConfigError } from './errors.ts'
import { pricesOf, priceVariables, type Prices } from './prices.ts'

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/**
 * Every provider of each kind, in the order that holds when none is set. `providers/select.ts` has a line for each, and the
 * conformance suites run through each: a name without either fails to compile, or its test.
 */
export const PROVIDER_NAMES = {
  stt: ['azure', 'embedded'],
  llm: ['groq', 'openai', 'embedded'],
  tts: ['azure', 'embedded'],
} as const
export type ProviderName<Part extends keyof typeof PROVIDER_NAMES> =
  (typeof PROVIDER_NAMES)[Part][number]

/** For each account: what it may have under way, and how fast it may begin. */
export interface OutboundLimits {
  maxCalls: number
  callsPerSec: number
}

export interface Config {
  host: string
  /** 0 lets the system choose. */
  port: number
  /** `https://name` as carriers and browsers reach us, without a trailing slash; null: taken from each request. */
  publicUrl: string | null
  /** null: the embedded PostgreSQL in dataDir. */
  databaseUrl: string | null
  /** Absolute. Recordings and the embedded database live here. */
  dataDir: string
  /** Base64 of the 32 bytes that seal stored secrets; null: a key file in dataDir. */
  secretsKey: string | null
  /** null: a key is generated at the first start and printed once. */
  adminApiKey: string | null
  logLevel: LogLevel
  azure: AzureConfig | null
  groq: { apiKey: string; baseUrl: string | null } | null
  /** Any server that speaks OpenAI's chat completions. */
  openAi: { baseUrl: string; apiKey: string | null; model: string } | null
  /** Signs what is posted after a call; null: nothing is posted. */
  webhook: { secret: string; allowPrivate: boolean } | null
  /** Hosts that HTTP tools may reach although they are private or without TLS: `name` or `name:port`. */
  httpToolHosts: readonly string[]
  /** Providers of each kind, preferred first; null: the clouds that have a key, then the embedded one. */
  providerOrder: { [part in keyof typeof PROVIDER_NAMES]: ProviderName<part>[] | null }
  /** Spoken phrases kept in memory for each voice provider, bytes. */
  phraseCacheBytes: number
  /** Room for uploaded background sounds in the audio core's memory, bytes. */
  bedMemoryBytes: number
  /** The defaults: the dashboard may say otherwise. */
  prices: Prices
  /** The plain variables make the account `default`; TWILIO_ACCOUNTS adds more. Empty: no Twilio, webhooks unchecked. */
  twilio: readonly TwilioAccount[]
  telnyx: readonly TelnyxAccount[]
  outbound: OutboundLimits
  maxCalls: number
  audioThreads: number
  sttWorkers: number
  /** False: only maxCalls limits the calls, and nothing is given up under load. For measuring the machine's own limit. */
  loadControl: boolean
  limits: { apiPerMinute: number; webhookPerMinute: number }
  /** Sends every user their own voice back instead of a conversation: for measuring the audio path. */
  echo: boolean
  /** Proxies in front of us whose X-Forwarded-* we believe; 0 believes none. */
  trustProxy: number
}

export interface AzureConfig {
  key: string
  region: string
  host: string | null
  /** Whether answers are spoken while they are being written, by voices that take that; `auto`: where the service does. */
  textStreaming: 'auto' | 'off'
  /** Whether the recogniser is spared the silence of a call; `held`: it is sent what can be heard. */
  silence: 'held' | 'sent'
  /** The rate at which the recogniser hears a telephone line; `line`: its own 8 kHz. Wider lines are 16 kHz. */
  rate: 'line' | 16_000
}

/** `azure,embedded`: known names, none twice. */
const order = <const T extends string>(names: readonly T[]) =>
  z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(names, `a list of ${names.join(', ')}`)).min(1))
    .refine((list) => new Set(list).size === list.length, 'a name stands there twice')
    .optional()
const count = (low: number, high: number, fallback: number) =>
  z.coerce.number(`a whole number ${low}–${high}`).int().min(low).max(high).default(fallback)
const flag = z
  .enum(['0', '1', 'true', 'false'])
  .transform((text) => text === '1' || text === 'true')

/** A password in a URL would be in every error that names it. */
const serviceUrl = httpUrl.refine((url) => {
  const { username, password } = URL.parse(url) ?? { username: '', password: '' }
  return username === '' && password === ''
}, 'a URL without a user and password: the key has a variable of its own')

const variables = z.object({
  HOST: z.string().max(255).default('127.0.0.1'),
  PORT: count(0, 65_535, 8_000),
  PUBLIC_URL: httpUrl
    .refine((url) => !/[?#]/.test(url), 'a URL without query or fragment')
    .optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'a postgres:// URL')
    .optional(),
  DATA_DIR: z.string().default('./data'),
  SECRETS_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/, 'base64 of 32 bytes: openssl rand -base64 32')
    .optional(),
  ADMIN_API_KEY: secret.min(16, 'at least 16 characters').optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  AZURE_SPEECH_KEY: secret.optional(),
  AZURE_SPEECH_REGION: z
    .string()
    .regex(/^[a-z0-9]+$/, 'a region name such as eastus')
    .optional(),
  AZURE_SPEECH_HOST: z.url({ protocol: /^(wss?|https?)$/ }).optional(),
  AZURE_TEXT_STREAMING: z.enum(['auto', 'off']).default('auto'),
  AZURE_STT_SILENCE: z.enum(['held', 'sent']).default('held'),
  AZURE_STT_RATE: z.enum(['line', '16000']).default('line'),
  GROQ_API_KEY: secret.optional(),
  GROQ_BASE_URL: serviceUrl.optional(),
  LLM_BASE_URL: serviceUrl.optional(),
  LLM_API_KEY: secret.optional(),
  LLM_MODEL: z.string().max(200).optional(),
  WEBHOOK_SECRET: secret.min(16, 'at least 16 characters').optional(),
  WEBHOOK_ALLOW_PRIVATE: flag.prefault('0'),
  HTTP_TOOLS_HOSTS: z
    .string()
    .transform((text) => text.split(',').map((host) => host.trim().toLowerCase()))
    .pipe(z.array(z.string().regex(/^[a-z0-9.-]+(:\d+)?$/, 'a list of hosts: name or name:port')))
    .optional(),
  ...carrierVariables,
  OUTBOUND_MAX_CALLS: count(1, 2_000, 10),
  OUTBOUND_CALLS_PER_SEC: count(1, 100, 1),
  MAX_CALLS: count(1, 2_000, 300),
  AUDIO_THREADS: count(1, 64, 1),
  STT_WORKERS: count(1, 16, 1),
  LOAD_CONTROL: flag.prefault('1'),
  API_REQUESTS_PER_MINUTE: count(1, 10_000_000, 600),
  WEBHOOKS_PER_MINUTE: count(1, 10_000_000, 6_000),
  MEDIA_ECHO: flag.prefault('0'),
  STT_PROVIDERS: order(PROVIDER_NAMES.stt),
  LLM_PROVIDERS: order(PROVIDER_NAMES.llm),
  TTS_PROVIDERS: order(PROVIDER_NAMES.tts),
  PHRASE_CACHE_MB: count(1, 4_096, 64),
  BED_MEMORY_MB: count(0, 1_024, 64),
  ...priceVariables,
  TRUST_PROXY: count(0, 10, 0),
})
type Variables = z.infer<typeof variables>

/**
 * Reads the configuration from an environment.
 *
 * @throws ConfigError CONFIG_INVALID, naming every wrong variable and what it takes; never quotes a value
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Config {
  const present = Object.entries(env).filter(([, value]) => (value ?? '').trim() !== '')
  const parsed = variables.safeParse(
    Object.fromEntries(present.map(([name, value]) => [name, value?.trim()])),
  )
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    throw new ConfigError(
      'CONFIG_INVALID',
      `The configuration cannot be used. ${lines.join('; ')}. Correct it in .env or in the environment ` +
        '(.env.example lists every variable).',
    )
  }
  const values = parsed.data
  return Object.freeze({
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.PUBLIC_URL ?? null,
    databaseUrl: values.DATABASE_URL ?? null,
    dataDir: resolve(values.DATA_DIR),
    secretsKey: values.SECRETS_KEY ?? null,
    adminApiKey: values.ADMIN_API_KEY ?? null,
    logLevel: values.LOG_LEVEL,
    ...accounts(values),
    webhook:
      values.WEBHOOK_SECRET === undefined
        ? null
        : { secret: values.WEBHOOK_SECRET, allowPrivate: values.WEBHOOK_ALLOW_PRIVATE },
    httpToolHosts: values.HTTP_TOOLS_HOSTS ?? [],
    providerOrder: {
      stt: values.STT_PROVIDERS ?? null,
      llm: values.LLM_PROVIDERS ?? null,
      tts: values.TTS_PROVIDERS ?? null,
    },
    phraseCacheBytes: values.PHRASE_CACHE_MB * 1_048_576,
    bedMemoryBytes: values.BED_MEMORY_MB * 1_048_576,
    prices: pricesOf(values),
    twilio: twilioOf(values),
    telnyx: telnyxOf(values),
    outbound: { maxCalls: values.OUTBOUND_MAX_CALLS, callsPerSec: values.OUTBOUND_CALLS_PER_SEC },
    maxCalls: values.MAX_CALLS,
    audioThreads: values.AUDIO_THREADS,
    sttWorkers: values.STT_WORKERS,
    loadControl: values.LOAD_CONTROL,
    limits: {
      apiPerMinute: values.API_REQUESTS_PER_MINUTE,
      webhookPerMinute: values.WEBHOOKS_PER_MINUTE,
    },
    echo: values.MEDIA_ECHO,
    trustProxy: values.TRUST_PROXY,
  })
}

type Accounts = Pick<Config, 'azure' | 'groq' | 'openAi'>

/** The variables of each account belong together: all that are needed, or none. */
function accounts(values: Variables): Accounts {
  const requires = (name: keyof Variables, needed: keyof Variables) => {
    if (values[name] === undefined || values[needed] !== undefined) return
    throw new ConfigError(
      'CONFIG_INCOMPLETE',
      `${name} is set but ${needed} is not. Set ${needed} too, or remove ${name}.`,
    )
  }
  requires('AZURE_SPEECH_KEY', 'AZURE_SPEECH_REGION')
  requires('AZURE_SPEECH_REGION', 'AZURE_SPEECH_KEY')
  requires('AZURE_SPEECH_HOST', 'AZURE_SPEECH_KEY')
  requires('GROQ_BASE_URL', 'GROQ_API_KEY')
  requires('LLM_BASE_URL', 'LLM_MODEL')
  requires('LLM_MODEL', 'LLM_BASE_URL')
  requires('LLM_API_KEY', 'LLM_BASE_URL')
  requires('TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN')
  requires('TWILIO_API_BASE_URL', 'TWILIO_AUTH_TOKEN')
  const listed = (list: readonly string[] | undefined, name: string, needed: keyof Variables) => {
    if (!list?.includes(name) || values[needed] !== undefined) return
    throw new ConfigError(
      'CONFIG_INCOMPLETE',
      `The list of providers names ${name}, but ${needed} is not set. Set it, or take ${name} out.`,
    )
  }
  listed(values.STT_PROVIDERS, 'azure', 'AZURE_SPEECH_KEY')
  listed(values.TTS_PROVIDERS, 'azure', 'AZURE_SPEECH_KEY')
  listed(values.LLM_PROVIDERS, 'groq', 'GROQ_API_KEY')
  listed(values.LLM_PROVIDERS, 'openai', 'LLM_BASE_URL')
  requires('TWILIO_REGION', 'TWILIO_EDGE')
  requires('TWILIO_EDGE', 'TWILIO_REGION')
  requires('TWILIO_REGION', 'TWILIO_AUTH_TOKEN')
  requires('TELNYX_PUBLIC_KEY', 'TELNYX_API_KEY')
  requires('TELNYX_CONNECTION_ID', 'TELNYX_API_KEY')
  const { AZURE_SPEECH_KEY, AZURE_SPEECH_REGION, GROQ_API_KEY } = values
  return {
    azure:
      AZURE_SPEECH_KEY === undefined || AZURE_SPEECH_REGION === undefined
        ? null
        : {
            key: AZURE_SPEECH_KEY,
            region: AZURE_SPEECH_REGION,
            host: values.AZURE_SPEECH_HOST ?? null,
            textStreaming: values.AZURE_TEXT_STREAMING,
            silence: values.AZURE_STT_SILENCE,
            rate: values.AZURE_STT_RATE === 'line' ? 'line' : 16_000,
          },
    groq:
      GROQ_API_KEY === undefined
        ? null
        : { apiKey: GROQ_API_KEY, baseUrl: values.GROQ_BASE_URL ?? null },
    openAi:
      values.LLM_BASE_URL === undefined || values.LLM_MODEL === undefined
        ? null
        : {
            baseUrl: values.LLM_BASE_URL,
            apiKey: values.LLM_API_KEY ?? null,
            model: values.LLM_MODEL,
          },
  }
}

/** Every value of the configuration that must never be seen in a log. */
export function configSecrets(config: Config): string[] {
  const password = config.databaseUrl === null ? undefined : URL.parse(config.databaseUrl)?.password
  const secrets = [
    config.adminApiKey,
    config.secretsKey,
    config.azure?.key,
    config.groq?.apiKey,
    config.openAi?.apiKey,
    config.webhook?.secret,
    ...config.twilio.map(({ authToken }) => authToken),
    ...config.telnyx.map(({ apiKey }) => apiKey),
    password,
    password === undefined ? undefined : decoded(password),
  ]
  return [
    ...new Set(secrets.filter((value) => typeof value === 'string' && value !== '')),
  ] as string[]
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone % is legal in a password that nobody encoded.
    return text
  }
}
