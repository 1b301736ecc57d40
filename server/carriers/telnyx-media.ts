/**
 * Telnyx's names in the messages that both telephone carriers write alike, and its audio formats.
 *
 *   {"event":"media","sequence_number":"4","media":{"track":"inbound","chunk":"2","timestamp":"20","payload":"…"},"stream_id":"…"}
 */
import type { AudioFormat } from '../media/audio-format.ts'
import type { MediaNames } from './twilio-media.ts'

export const TELNYX_NAMES: MediaNames = { sequence: 'sequence_number', stream: 'stream_id' }

/** The encodings that Telnyx names, as we know them; older documentation has the MIME types. */
const CODECS: Record<string, AudioFormat['codec'] | undefined> = {
  PCMU: 'PCMU',
  'audio/x-mulaw': 'PCMU',
  PCMA: 'PCMA',
  'audio/x-alaw': 'PCMA',
  L16: 'L16',
  'audio/l16': 'L16',
}

/** The line's format as `start` names it; null for one that we cannot take. */
export function telnyxFormat(encoding: string, sampleRateHz: number): AudioFormat | null {
  const codec = CODECS[encoding]
  if (codec === undefined) return null
  if (codec === 'L16') return sampleRateHz === 16_000 ? { codec, sampleRateHz } : null
  return sampleRateHz === 8_000 ? { codec, sampleRateHz } : null
}

/** The rate of a line that was asked for in this codec. */
export function telnyxRateHz(codec: AudioFormat['codec']): 8_000 | 16_000 {
  return codec === 'L16' ? 16_000 : 8_000
}

/** Swaps the bytes of each 16-bit sample, into `out` (as long as `bytes`) or in place. */
export function swapSamples(bytes: Uint8Array, out: Uint8Array): Uint8Array {
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const high = bytes[i]!
    out[i] = bytes[i + 1]!
    out[i + 1] = high
  }
  return out
}
