/**
 * The output formats of the emulated Azure Speech: raw PCM, 16 bit, mono. The client asks for one with each request
 * (`synthesis.context`); one that the service does not know ends the connection.
 */
export interface SpeechFormat {
  name: string
  rateHz: number
  bytesPerMs: number
}

const RATES_HZ = new Map([
  ['raw-8khz-16bit-mono-pcm', 8_000],
  ['raw-16khz-16bit-mono-pcm', 16_000],
  ['raw-24khz-16bit-mono-pcm', 24_000],
  ['raw-48khz-16bit-mono-pcm', 48_000],
])

/** Of a `synthesis.context`; null for a format that is not spoken. */
export function formatOf(context: string): SpeechFormat | null {
  const { synthesis } = JSON.parse(context) as {
    synthesis?: { audio?: { outputFormat?: string } }
  }
  const name = synthesis?.audio?.outputFormat ?? ''
  const rateHz = RATES_HZ.get(name)
  return rateHz === undefined ? null : { name, rateHz, bytesPerMs: (rateHz * 2) / 1_000 }
}
