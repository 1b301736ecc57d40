/**
 * Which recognisers, language models and voices this server uses: those that have keys, then the embedded ones, each
 * kind behind one failover, so that a call always has all three.
 *
 *   stt   azure ─► embedded (Moonshine)           ┐
 *   llm   groq ─► openai ─► scripted demo brain   ├─ STT_PROVIDERS, LLM_PROVIDERS, TTS_PROVIDERS change the order
 *   tts   azure ─► embedded (Pico)                ┘  each voice behind its phrase cache
 *
 * With a Groq key Whisper may hear each utterance once more (second-hearing.ts), where an agent's settings ask for it.
 */
import { PROVIDER_NAMES, type Config, type ProviderName } from '../config.ts'
import type { ProviderError } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { AzureStt } from './azure-stt.ts'
import type { AudioTally } from './azure-audio.ts'
import { AzureTts } from './azure-tts.ts'
import { BoundedQueue } from '../bounded-queue.ts'
import { CallAccounts } from './call-accounts.ts'
import { EmbeddedStt } from './embedded-stt.ts'
import { EmbeddedTts } from './embedded-tts.ts'
import { asProviderError, FailoverLlm } from './failover-llm.ts'
import { FailoverStt } from './failover-stt.ts'
import { FailoverTts } from './failover-tts.ts'
import { GroqLlm, type RateLimits } from './groq-llm.ts'
import { GroqWhisper } from './groq-whisper.ts'
import type { LlmProvider } from './llm.ts'
import { MOONSHINE_CREDIT, MOONSHINE_NOTICE, moonshinePaths } from './moonshine-package.ts'
import { OpenAiLlm } from './openai-llm.ts'
import { CachedTts, type PhraseCacheStats } from './phrase-cache.ts'
import type { HealthOptions } from './provider-health.ts'
import { ScriptedLlm } from './scripted-llm.ts'
import { SecondHearing } from './second-hearing.ts'
import type { SttProvider } from './stt.ts'
import type { TtsProvider, Voice } from './tts.ts'

export type { CallUsage, ProviderSwitch } from './call-accounts.ts'
export type { PhraseCacheStats } from './phrase-cache.ts'

export interface ProviderStatus {
  name: string
  /** For people, e.g. "Azure Speech (eastus)". */
  label: string
  /** False for what is meant for demonstration and evaluation. */
  production: boolean
  /** A licence notice or warning that the dashboard must show. */
  notice: string | null
}

export interface ProvidersStatus {
  stt: ProviderStatus
  /** `rateLimits`: what the last answer said of the account's limits; null before it. Groq only. */
  llm: ProviderStatus & { scripted: boolean; readonly rateLimits?: RateLimits | null }
  tts: ProviderStatus
}

export interface Providers {
  stt: SttProvider
  llm: LlmProvider
  tts: TtsProvider
  /** The preferred ones. */
  status: ProvidersStatus
  /** What each live call uses. */
  accounts: CallAccounts
  /** The preferred voice's phrases. */
  phraseStats(): PhraseCacheStats
  /** Models that may be asked for, preferred first; empty where the provider has no list, or it was not read yet. */
  models(): string[]
  /** A model that an agent is set to: a notice in the status when the account does not have it. Behind warm(). */
  checkModel(model: string): void
  /** Has every voice speak these texts ahead of the calls, so that they start at once. Never rejects. */
  prefill(texts: readonly string[], voice: Voice): Promise<void>
}

/** The part of the configuration that decides. */
export type ProviderConfig = Pick<Config, 'azure' | 'groq' | 'openAi' | 'sttWorkers'> &
  Partial<Pick<Config, 'providerOrder' | 'phraseCacheBytes'>>

const CACHE_BYTES = 64 * 1_048_576

interface Choice<P, S = ProviderStatus> {
  provider: P
  status: S
}

/**
 * Builds the providers; nothing is loaded or connected before their warm(). `metrics` gets what queues dropped and what
 * became of second hearings.
 * @throws ProviderError STT_MODEL_MISSING when the embedded recogniser is the only one and is not installed.
 */
export async function selectProviders(
  config: ProviderConfig,
  log: Log,
  metrics?: Pick<
    Metrics,
    'droppedItems' | 'secondHearings' | 'sttAudioSeconds' | 'textStreamsRefused'
  >,
): Promise<Providers> {
  const accounts = new CallAccounts()
  if (metrics) BoundedQueue.onDropped = (queue) => metrics.droppedItems.inc({ queue })
  const onRefused = ({ code, message: error }: ProviderError): void => {
    metrics?.textStreamsRefused.inc({ provider: 'azure', code })
    log.warn({ code, error }, 'the voice takes no text streams; its sentences are spoken whole')
  }
  const ears = await selectStt(config, log, (sentMs, heldMs) => {
    metrics?.sttAudioSeconds.inc({ provider: 'azure', outcome: 'sent' }, sentMs / 1_000)
    metrics?.sttAudioSeconds.inc({ provider: 'azure', outcome: 'held' }, heldMs / 1_000)
  })
  const order = config.providerOrder
  const brains = chosen(order?.llm ?? PROVIDER_NAMES.llm, (name) => LLM[name](config, log))
  const voices = chosen(order?.tts ?? PROVIDER_NAMES.tts, (name) => TTS[name](config, onRefused))
  const caches = voices.map(
    ({ provider }) =>
      new CachedTts(provider, {
        limitBytes: config.phraseCacheBytes ?? CACHE_BYTES,
        onSpent: (callId, billed) =>
          accounts.spent(callId, { part: 'tts', provider: provider.name, ...billed }),
        onSaved: (callId, { characters }) => accounts.spent(callId, { part: 'cache', characters }),
      }),
  )
  const status = { stt: ears[0]!.status, llm: brains[0]!.status, tts: voices[0]!.status }
  log.info({ stt: names(ears), llm: names(brains), tts: names(voices) }, 'providers selected')
  const stt = new FailoverStt(
    ears.map(({ provider }) => provider),
    { accounts, health: watched(status.stt, log) },
  )
  return {
    stt:
      config.groq === null
        ? stt
        : new SecondHearing(stt, new GroqWhisper(config.groq), {
            accounts,
            health: watched(null, log),
            onOutcome: (outcome) => metrics?.secondHearings.inc({ outcome }),
          }),
    llm: new FailoverLlm(
      brains.map(({ provider }) => provider),
      { accounts, health: watched(status.llm, log) },
    ),
    tts: new FailoverTts(caches, { accounts, health: watched(status.tts, log) }),
    status,
    accounts,
    checkModel: (model) => {
      for (const { provider } of brains) if (provider instanceof GroqLlm) provider.checkModel(model)
    },
    models: () =>
      brains.flatMap(({ provider }) => (provider instanceof GroqLlm ? provider.models : [])),
    phraseStats: () => caches[0]!.stats,
    prefill: async (texts, voice) => {
      for (const cache of caches) {
        try {
          await cache.prefill(texts, voice)
        } catch (error) {
          const { code, message } = asProviderError(error)
          log.warn({ provider: cache.name, code, error: message }, 'phrases not prepared')
        }
      }
    },
  }
}

/** Logs what goes out and comes back, and says it where the operator looks: in the notice of the preferred one. */
function watched(preferred: ProviderStatus | null, log: Log): HealthOptions {
  let outNotice: string | null = null
  return {
    onChange(provider, isUsable, reason) {
      if (isUsable) log.info({ provider }, 'provider works again')
      else {
        const { code, message: error } = reason ?? {}
        log.warn({ provider, code, error }, 'provider is out; calls go to the next one')
      }
      if (preferred?.name !== provider) return
      if (isUsable && preferred.notice === outNotice) preferred.notice = null
      if (isUsable || preferred.notice !== null) return
      outNotice = `Out at the moment, calls go to the next one. ${reason?.message ?? ''}`.trim()
      preferred.notice = outNotice
    },
  }
}

function names(choices: readonly Choice<{ name: string }>[]): string {
  return choices.map(({ status }) => status.label).join(', then ')
}

/** How a provider of each name is made; null: it is not configured. A new one is a file of its own and a line here. */
type MakeStt = (config: ProviderConfig, onAudio: AudioTally) => Choice<SttProvider> | null
const STT: Record<ProviderName<'stt'>, MakeStt> = {
  azure: ({ azure }, onAudio) =>
    azure && {
      provider: new AzureStt(azure, { silence: azure.silence, rate: azure.rate, onAudio }),
      status: azureStatus(azure.region),
    },
  embedded: ({ sttWorkers }) => ({
    provider: new EmbeddedStt({ workers: sttWorkers }),
    status: EMBEDDED_STT_STATUS,
  }),
}

type MakeTts = (
  config: ProviderConfig,
  onRefused: (error: ProviderError) => void,
) => Choice<TtsProvider> | null
const TTS: Record<ProviderName<'tts'>, MakeTts> = {
  azure: ({ azure }, onRefused) =>
    azure && {
      provider: new AzureTts(azure, {}, { isOn: azure.textStreaming === 'auto', onRefused }),
      status: azureStatus(azure.region),
    },
  embedded: () => ({ provider: new EmbeddedTts(), status: EMBEDDED_TTS_STATUS }),
}

type LlmChoice = Choice<LlmProvider, ProvidersStatus['llm']>
const LLM: Record<ProviderName<'llm'>, (config: ProviderConfig, log: Log) => LlmChoice | null> = {
  groq: ({ groq }, log) => groq && groqChoice(groq, log),
  openai: ({ openAi }) =>
    openAi && {
      provider: new OpenAiLlm(openAi),
      status: modelStatus('openai', `${openAi.model} at ${new URL(openAi.baseUrl).host}`),
    },
  embedded: () => ({ provider: new ScriptedLlm(), status: SCRIPTED_STATUS }),
}

function chosen<N extends string, C>(order: readonly N[], make: (name: N) => C | null): C[] {
  return order.flatMap((name) => make(name) ?? [])
}

async function selectStt(
  config: ProviderConfig,
  log: Log,
  onAudio: AudioTally,
): Promise<Choice<SttProvider>[]> {
  const order = config.providerOrder?.stt ?? PROVIDER_NAMES.stt
  const ears = chosen(order, (name) => STT[name](config, onAudio))
  const embedded = ears.findIndex(({ status }) => status === EMBEDDED_STT_STATUS)
  if (embedded < 0) return ears
  try {
    await moonshinePaths('es')
    return ears
  } catch (error) {
    // Only as a stand-in may it be missing.
    if (embedded === 0) throw error
    log.info('the embedded recogniser is not installed: nothing stands in for the others')
    return ears.toSpliced(embedded, 1)
  }
}

const EMBEDDED_STT_STATUS: ProviderStatus = {
  name: 'embedded',
  label: 'Moonshine (embedded)',
  production: false,
  notice:
    `${MOONSHINE_NOTICE}. ${MOONSHINE_CREDIT}. ` +
    'For demonstration and evaluation; use Azure Speech in production.',
}

const EMBEDDED_TTS_STATUS: ProviderStatus = {
  name: 'embedded',
  label: 'SVOX Pico (embedded)',
  production: false,
  notice: 'A small voice for demonstration and evaluation; use Azure Speech in production.',
}

function azureStatus(region: string): ProviderStatus {
  return { name: 'azure', label: `Azure Speech (${region})`, production: true, notice: null }
}

/** Its status changes: a model that is gone is said where the operator looks. */
function groqChoice(
  groq: NonNullable<ProviderConfig['groq']>,
  log: Log,
): Choice<LlmProvider, ProvidersStatus['llm']> {
  const status: ProvidersStatus['llm'] = {
    ...modelStatus('groq', 'Groq'),
    get rateLimits() {
      return provider.rateLimits
    },
  }
  const provider = new GroqLlm({
    ...groq,
    onModelGone: (model, fallback) => {
      status.notice = `The model ${model} is not offered to this account (any more); ${fallback} answers instead.`
      log.warn({ model, fallback }, "the agent's model is gone at Groq; using the fallback")
    },
  })
  return { provider, status }
}

const SCRIPTED_STATUS: ProvidersStatus['llm'] = {
  name: 'scripted',
  label: 'Demo brain, no language model',
  production: false,
  scripted: true,
  notice:
    'Answers follow a script. Set GROQ_API_KEY, or LLM_BASE_URL and LLM_MODEL, for a language model.',
}

function modelStatus(name: string, label: string): ProvidersStatus['llm'] {
  return { name, label, production: true, scripted: false, notice: null }
}
