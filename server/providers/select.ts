/**
 * Which recogniser, language model and voice this server uses: by the keys in its configuration, else the embedded
 * ones, so that it always works.
 *
 *   AZURE_SPEECH_KEY + AZURE_SPEECH_REGION ─► Azure ears and voice        else  Moonshine and Pico, inside this process
 *   GROQ_API_KEY ─► Groq,   LLM_BASE_URL + LLM_MODEL ─► that server       else  the scripted demo brain
 */
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { AzureStt } from './azure-stt.ts'
import { AzureTts } from './azure-tts.ts'
import { EmbeddedStt } from './embedded-stt.ts'
import { EmbeddedTts } from './embedded-tts.ts'
import { GroqLlm } from './groq-llm.ts'
import type { LlmProvider } from './llm.ts'
import { MOONSHINE_CREDIT, MOONSHINE_NOTICE, moonshinePaths } from './moonshine-package.ts'
import { OpenAiLlm } from './openai-llm.ts'
import { ScriptedLlm } from './scripted-llm.ts'
import type { SttProvider } from './stt.ts'
import type { TtsProvider } from './tts.ts'

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
  llm: ProviderStatus & { scripted: boolean }
  tts: ProviderStatus
}

export interface Providers {
  stt: SttProvider
  llm: LlmProvider
  tts: TtsProvider
  status: ProvidersStatus
}

/** The part of the configuration that decides. */
export type ProviderConfig = Pick<Config, 'azure' | 'groq' | 'openAi' | 'sttWorkers'>

/**
 * Builds the providers; nothing is loaded or connected before their warm().
 * @throws ProviderError STT_MODEL_MISSING when the embedded recogniser is needed and not installed.
 */
export async function selectProviders(config: ProviderConfig, log: Log): Promise<Providers> {
  const ears = await selectStt(config)
  const brain = selectLlm(config, log)
  const voice = selectTts(config)
  const status = { stt: ears.status, llm: brain.status, tts: voice.status }
  log.info(
    { stt: status.stt.label, llm: status.llm.label, tts: status.tts.label },
    'providers selected',
  )
  return { stt: ears.provider, llm: brain.provider, tts: voice.provider, status }
}

async function selectStt(
  config: ProviderConfig,
): Promise<{ provider: SttProvider; status: ProviderStatus }> {
  if (config.azure !== null) {
    const provider = new AzureStt(config.azure)
    return { provider, status: azureStatus(config.azure.region) }
  }
  await moonshinePaths('es')
  return {
    provider: new EmbeddedStt({ workers: config.sttWorkers }),
    status: {
      name: 'embedded',
      label: 'Moonshine (embedded)',
      production: false,
      notice:
        `${MOONSHINE_NOTICE}. ${MOONSHINE_CREDIT}. ` +
        'For demonstration and evaluation; use Azure Speech in production.',
    },
  }
}

function selectTts(config: ProviderConfig): { provider: TtsProvider; status: ProviderStatus } {
  if (config.azure !== null) {
    return { provider: new AzureTts(config.azure), status: azureStatus(config.azure.region) }
  }
  return {
    provider: new EmbeddedTts(),
    status: {
      name: 'embedded',
      label: 'SVOX Pico (embedded)',
      production: false,
      notice: 'A small voice for demonstration and evaluation; use Azure Speech in production.',
    },
  }
}

function azureStatus(region: string): ProviderStatus {
  return { name: 'azure', label: `Azure Speech (${region})`, production: true, notice: null }
}

function selectLlm(
  config: ProviderConfig,
  log: Log,
): { provider: LlmProvider; status: ProvidersStatus['llm'] } {
  if (config.groq !== null) {
    const provider = new GroqLlm({
      ...config.groq,
      onModelGone: (model, fallback) =>
        log.warn({ model, fallback }, "the agent's model is gone at Groq; using the fallback"),
    })
    return { provider, status: modelStatus('groq', 'Groq') }
  }
  if (config.openAi !== null) {
    const { baseUrl, model } = config.openAi
    const label = `${model} at ${new URL(baseUrl).host}`
    return { provider: new OpenAiLlm(config.openAi), status: modelStatus('openai', label) }
  }
  return {
    provider: new ScriptedLlm(),
    status: {
      name: 'scripted',
      label: 'Demo brain, no language model',
      production: false,
      scripted: true,
      notice:
        'Answers follow a script. Set GROQ_API_KEY, or LLM_BASE_URL and LLM_MODEL, for a language model.',
    },
  }
}

function modelStatus(name: string, label: string): ProvidersStatus['llm'] {
  return { name, label, production: true, scripted: false, notice: null }
}
