/**
 * The rates that Azure's voice is asked for, and its warm connections at each: a connection is opened for one format.
 *
 *   line of 8 kHz ─► raw-8khz-16bit-mono-pcm        a wider line ─► raw-16khz-16bit-mono-pcm
 *
 * A telephone line carries nothing of a higher rate: every byte of it would be paid for on the wire, in the SDK and while it
 * waits, and then filtered out. Wider lines are 16 kHz.
 */
import type { SpeechConfig } from 'microsoft-cognitiveservices-speech-sdk'
import { ProviderError } from '../errors.ts'
import { AzurePool } from './azure-pool.ts'
import type { AzureSdk } from './azure-sdk.ts'

export type AzureRateHz = 8_000 | 16_000

export const AZURE_DEFAULT_RATE_HZ = 16_000

const FORMATS = {
  8_000: 'Raw8Khz16BitMonoPcm',
  16_000: 'Raw16Khz16BitMonoPcm',
} as const satisfies Record<AzureRateHz, string>

export function azureRateFor(lineRateHz: number): AzureRateHz {
  return lineRateHz <= 8_000 ? 8_000 : AZURE_DEFAULT_RATE_HZ
}

/** @throws ProviderError TTS_RATE for one that azureRateFor() does not give */
export function knownRate(rateHz: number = AZURE_DEFAULT_RATE_HZ): AzureRateHz {
  if (rateHz === 8_000 || rateHz === 16_000) return rateHz
  throw new ProviderError('TTS_RATE', `Azure Speech is not asked for audio at ${rateHz} Hz`)
}

export class AzurePools {
  readonly #pools: Readonly<Record<AzureRateHz, AzurePool>>

  /** `configure`: the endpoint and the key; the format is set here. */
  constructor(configure: (sdk: AzureSdk) => SpeechConfig) {
    const poolAt = (rateHz: AzureRateHz): AzurePool =>
      new AzurePool((sdk) => {
        const config = configure(sdk)
        config.speechSynthesisOutputFormat = sdk.SpeechSynthesisOutputFormat[FORMATS[rateHz]]
        // null: no loudspeaker.
        return new sdk.SpeechSynthesizer(config, null)
      })
    this.#pools = { 8_000: poolAt(8_000), 16_000: poolAt(16_000) }
  }

  at(rateHz: AzureRateHz): AzurePool {
    return this.#pools[rateHz]
  }

  /** Connections that wait for a sentence. */
  get idle(): number {
    return this.#all.reduce((sum, { idle }) => sum + idle, 0)
  }

  /** One connection of each rate at least is open, or being opened: nobody knows which line the next call has. */
  warm(sdk: AzureSdk): void {
    for (const pool of this.#all) pool.warm(sdk)
  }

  drop(): void {
    for (const pool of this.#all) pool.drop()
  }

  close(): void {
    for (const pool of this.#all) pool.close()
  }

  get #all(): AzurePool[] {
    return Object.values(this.#pools)
  }
}
