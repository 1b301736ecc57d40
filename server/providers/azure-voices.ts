/**
 * The voices that the account's region offers, asked of the service once an hour.
 *
 *   list() ─► GET …/voices/list (key in a header, never in the address) ─► VoiceInfo[], kept
 *                  └─ out of reach, refused, not understood ─► the last list, or the bundled one; asked again in 1 min
 */
import { z } from 'zod'
import type { AzureAccount } from './azure-sdk.ts'
import { AZURE_VOICES, isAzureVoiceId } from './azure-ssml.ts'
import type { VoiceInfo } from './tts.ts'

const KEPT_MS = 60 * 60_000
const RETRY_MS = 60_000
/** A person waits for the list. The whole of it is 400 kB. */
const ANSWER_MS = 4_000

const voiceList = z.array(
  z.object({
    ShortName: z.string(),
    DisplayName: z.string().optional(),
    LocalName: z.string().optional(),
    Gender: z.string().optional(),
    Locale: z.string(),
    StyleList: z.array(z.string()).optional(),
    Status: z.string().optional(),
  }),
)

export interface AzureVoiceListOptions {
  /** Monotonic clock, ms. Default performance.now. */
  nowMs?(): number
  /** Until the service must have answered, ms. Default 4 000. */
  answerMs?: number
}

export class AzureVoiceList {
  readonly #account: AzureAccount
  readonly #nowMs: () => number
  readonly #answerMs: number
  #voices: VoiceInfo[] = AZURE_VOICES
  #askAgainMs = -Infinity
  #asking: Promise<void> | null = null

  constructor(account: AzureAccount, options: AzureVoiceListOptions = {}) {
    this.#account = account
    this.#nowMs = () => options.nowMs?.() ?? performance.now()
    this.#answerMs = options.answerMs ?? ANSWER_MS
  }

  /** Never rejects. */
  async list(): Promise<VoiceInfo[]> {
    if (this.#nowMs() >= this.#askAgainMs) {
      this.#asking ??= this.#ask().finally(() => (this.#asking = null))
      await this.#asking
    }
    return this.#voices
  }

  async #ask(): Promise<void> {
    const voices = await this.#fetch().catch(() => null)
    // A list that did not come is asked for again soon; the reason shows where the voice itself fails.
    this.#askAgainMs = this.#nowMs() + (voices === null ? RETRY_MS : KEPT_MS)
    if (voices !== null) this.#voices = voices
  }

  /** Null when the service refuses or offers nothing that can be used. */
  async #fetch(): Promise<VoiceInfo[] | null> {
    const answer = await fetch(voicesUrl(this.#account), {
      headers: { 'Ocp-Apim-Subscription-Key': this.#account.key },
      signal: AbortSignal.timeout(this.#answerMs),
    })
    if (!answer.ok) {
      await answer.body?.cancel()
      return null
    }
    const voices = voiceList.parse(await answer.json()).flatMap(voiceInfo)
    return voices.length === 0 ? null : voices
  }
}

function voicesUrl({ host, region }: AzureAccount): URL {
  const base = host?.replace(/^ws/, 'http') ?? `https://${region}.tts.speech.microsoft.com`
  return new URL('/cognitiveservices/voices/list', base)
}

/** None for a voice that is being taken away, or whose id we could not speak with. */
function voiceInfo(voice: z.infer<typeof voiceList>[number]): VoiceInfo[] {
  const { ShortName: name, Locale: language, Gender } = voice
  if (!isAzureVoiceId(name) || voice.Status === 'Deprecated') return []
  const gender = Gender === 'Female' ? 'female' : Gender === 'Male' ? 'male' : 'neutral'
  const label = voice.LocalName ?? voice.DisplayName ?? name
  return [{ name, label, language, gender, styles: voice.StyleList ?? [] }]
}
