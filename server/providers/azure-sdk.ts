/**
 * What both Azure adapters need of the Speech SDK: loaded only when a key is configured (it takes 150 ms), told to use
 * the `ws` package (Node's own WebSocket hides why a connection was refused), without telemetry.
 *
 * The SDK puts the key into the connection's URL, which can turn up in its error texts: every text from the SDK goes
 * through `withoutKey`.
 */
import { randomBytes } from 'node:crypto'
import type { CancellationErrorCode, SpeechConfig } from 'microsoft-cognitiveservices-speech-sdk'
import { ProviderError } from '../errors.ts'
import { givePiece } from './azure-audio.ts'
import { keepNoAudio, type SynthesisTurnInside } from './azure-sdk-audio.ts'
import { giveBackConfirmed } from './azure-sdk-replay.ts'
import { endRounds, type SdkInside } from './azure-sdk-rounds.ts'

export type AzureSdk = typeof import('microsoft-cognitiveservices-speech-sdk')

export interface AzureAccount {
  key: string
  region: string
  /** Instead of the region's service: a private endpoint or a test, ws(s):// or http(s)://. */
  host: string | null
}

export const TICKS_PER_MS = 10_000

let loading: Promise<AzureSdk> | null = null

export function loadAzureSdk(): Promise<AzureSdk> {
  loading ??= load()
  return loading
}

async function load(): Promise<AzureSdk> {
  const sdk = await import('microsoft-cognitiveservices-speech-sdk')
  const { adapter, guid, inside, turn, replay } = await loadInside()
  adapter.forceNpmWebSocket = true
  // Every message and every internal event gets a UUID by three string operations: a tenth of what recognition costs.
  guid.createNoDashGuid = plainId
  endRounds(inside)
  keepNoAudio(turn)
  giveBackConfirmed(replay, givePiece)
  sdk.Recognizer.enableTelemetry(false)
  return sdk
}

/** What is not in the package's types: an internal class whose flag decides between the global WebSocket and `ws`, ids, loops, kept audio. */
async function loadInside(): Promise<{
  adapter: { forceNpmWebSocket: boolean }
  guid: { createNoDashGuid(): string }
  inside: SdkInside
  turn: SynthesisTurnInside
  replay: { prototype: Record<string, unknown> }
}> {
  const root = 'microsoft-cognitiveservices-speech-sdk/distrib/lib/src'
  const load = async (file: string): Promise<unknown> => import(`${root}/${file}.js`)
  const { WebsocketMessageAdapter } = (await load('common.browser/WebsocketMessageAdapter')) as {
    WebsocketMessageAdapter: { forceNpmWebSocket: boolean }
  }
  const guid = (await load('common/Guid')) as { default: { createNoDashGuid(): string } }
  const { ServiceRecognizerBase } = (await load('common.speech/ServiceRecognizerBase')) as {
    ServiceRecognizerBase: SdkInside['recognizer']
  }
  const { SynthesisAdapterBase } = (await load('common.speech/SynthesisAdapterBase')) as {
    SynthesisAdapterBase: SdkInside['synthesizer']
  }
  const { SynthesisTurn } = (await load('common.speech/SynthesisTurn')) as {
    SynthesisTurn: SynthesisTurnInside
  }
  const { ReplayableAudioNode } = (await load('common.browser/ReplayableAudioNode')) as {
    ReplayableAudioNode: { prototype: Record<string, unknown> }
  }
  const { SpeechConnectionMessage } = (await load(
    'common.speech/SpeechConnectionMessage.Internal',
  )) as { SpeechConnectionMessage: new (...args: unknown[]) => unknown }
  const { MessageType } = (await load('common/ConnectionMessage')) as {
    MessageType: { Binary: number }
  }
  const inside: SdkInside = {
    recognizer: ServiceRecognizerBase,
    synthesizer: SynthesisAdapterBase,
    audioMessage: (requestId, body, streamId) =>
      new SpeechConnectionMessage(MessageType.Binary, 'audio', requestId, null, body, streamId),
  }
  return {
    ...{ adapter: WebsocketMessageAdapter, guid: guid.default, inside },
    ...{ turn: SynthesisTurn, replay: ReplayableAudioNode },
  }
}

const ID_ORIGIN = randomBytes(10).toString('hex').toUpperCase()
let ids = 0

/** 32 hexadecimal digits, as Azure wants its ids: random for this process, then counted. */
function plainId(): string {
  ids += 1
  return ID_ORIGIN + ids.toString(16).toUpperCase().padStart(12, '0')
}

export function azureSpeechConfig(sdk: AzureSdk, account: AzureAccount): SpeechConfig {
  if (account.host === null) return sdk.SpeechConfig.fromSubscription(account.key, account.region)
  const host = new URL(account.host.replace(/^http/, 'ws'))
  const config = sdk.SpeechConfig.fromHost(host, account.key)
  // Production speaks version 2; fromHost would fall back to 1.
  config.setProperty('SpeechServiceConnection_RecognitionEndpointVersion', '2')
  return config
}

/** The endpoint that takes a text while it is being written: websocket version 2, which knows no markup. */
export function azureStreamConfig(sdk: AzureSdk, account: AzureAccount): SpeechConfig {
  const { key, region, host } = account
  const endpoint =
    host === null
      ? new URL(`wss://${region}.tts.speech.microsoft.com/cognitiveservices/websocket/v2`)
      : new URL('/tts/cognitiveservices/websocket/v2', host.replace(/^http/, 'ws'))
  return sdk.SpeechConfig.fromEndpoint(endpoint, key)
}

export function withoutKey(text: unknown, account: AzureAccount): string {
  const plain = typeof text === 'string' ? text : JSON.stringify(text ?? '')
  return plain
    .replaceAll(account.key, '***')
    .replaceAll(encodeURIComponent(account.key), '***')
    .slice(0, 300)
}

/** The ProviderError of a `canceled` result. `prefix` is STT or TTS. */
export function azureError(
  sdk: AzureSdk,
  account: AzureAccount,
  seen: { prefix: 'STT' | 'TTS'; code: CancellationErrorCode; details: unknown },
): ProviderError {
  const codes = sdk.CancellationErrorCode
  const details = withoutKey(seen.details, account)
  const text = `Azure Speech: ${details || codes[seen.code]}`
  switch (seen.code) {
    case codes.AuthenticationFailure:
    case codes.Forbidden:
      return new ProviderError(`${seen.prefix}_UNAVAILABLE`, `${text} (check AZURE_SPEECH_KEY)`)
    case codes.BadRequestParameters:
      return new ProviderError(`${seen.prefix}_BAD_RESPONSE`, text)
    case codes.ServiceTimeout:
      return new ProviderError(`${seen.prefix}_TIMEOUT`, text, { retryable: true })
    default: {
      const refused = /\b40[13]\b/.test(details)
      const hint = refused ? ' (check AZURE_SPEECH_KEY and AZURE_SPEECH_REGION)' : ''
      return new ProviderError(`${seen.prefix}_UNAVAILABLE`, text + hint, { retryable: !refused })
    }
  }
}
