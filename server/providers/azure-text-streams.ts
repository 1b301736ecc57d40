/**
 * Azure's voices that take a text while it is being written (websocket version 2): which they are, their connections, and
 * whether the service takes them at all.
 *
 *   takes() ─► a connection of the pool ─► first audio in time ─► the sentence
 *                   └─ refused(): closed, silent, 404, … ─► markup speaks it, and nothing is streamed for 5 min
 *
 * Not every region and private endpoint offers it, and no list says which: the first sentence finds out.
 */
import type { SpeechSynthesisRequest } from 'microsoft-cognitiveservices-speech-sdk'
import type { ProviderError } from '../errors.ts'
import type { PooledSynthesizer } from './azure-pool.ts'
import { AzurePools, type AzureRateHz } from './azure-rates.ts'
import { azureStreamConfig, loadAzureSdk, type AzureAccount, type AzureSdk } from './azure-sdk.ts'
import { azureManner, azureVoiceName, isMultilingual } from './azure-ssml.ts'
import type { TtsStreamRequest, Voice } from './tts.ts'

const REFUSED_MS = 5 * 60_000

export interface TextStreamOptions {
  /** False: no text is streamed, whatever the voice. Default true. */
  isOn?: boolean
  /** The service did not take a text stream; markup speaks the sentence. */
  onRefused?(error: ProviderError): void
}

export class AzureTextStreams {
  readonly pools: AzurePools
  readonly #options: TextStreamOptions
  #refusedMs = -Infinity

  constructor(account: AzureAccount, options: TextStreamOptions) {
    this.#options = options
    this.pools = new AzurePools((sdk) => azureStreamConfig(sdk, account))
  }

  /** True for a voice of the newer kinds without a degree of style, unless the service has refused of late. */
  takes(voice: Voice): boolean {
    if (this.#options.isOn === false || performance.now() - this.#refusedMs < REFUSED_MS)
      return false
    return isMultilingual(azureVoiceName(voice)) && azureManner(voice).styleDegree === undefined
  }

  /** Opens a connection ahead of the first sentence, if there is none of this rate. */
  warm(rateHz: AzureRateHz): void {
    loadAzureSdk()
      .then((sdk) => this.pools.at(rateHz).warm(sdk))
      .catch(() => {
        // The reason shows at the first sentence.
      })
  }

  refused(error: ProviderError): void {
    this.#refusedMs = performance.now()
    this.pools.drop()
    this.#options.onRefused?.(error)
  }
}

/** A request for `voice`, which is set on the synthesizer: the service reads its name there. */
export function streamRequest(
  sdk: AzureSdk,
  { synthesizer }: PooledSynthesizer,
  { voice }: TtsStreamRequest,
): SpeechSynthesisRequest {
  const { language, rate, pitch, volume, style } = azureManner(voice)
  const { properties } = synthesizer
  properties.setProperty(sdk.PropertyId.SpeechServiceConnection_SynthVoice, azureVoiceName(voice))
  properties.setProperty(sdk.PropertyId.SpeechServiceConnection_SynthLanguage, language)
  const request = new sdk.SpeechSynthesisRequest(sdk.SpeechSynthesisRequestInputType.TextStream)
  if (rate !== undefined) request.rate = rate
  if (pitch !== undefined) request.pitch = pitch
  if (volume !== undefined) request.volume = volume
  if (style !== undefined) request.style = style
  return request
}
