/** The generated source file dsp/vad-weights.ts: f32 in base64, 96 characters a line. */
import { Buffer } from 'node:buffer'

export function weightsSource(
  weights: Float32Array,
  o: { hours: number; epochs: string; seed: string },
): string {
  const text = Buffer.from(weights.buffer, weights.byteOffset, weights.byteLength).toString(
    'base64',
  )
  const lines = text.match(/.{1,96}/g) ?? []
  return `/**
 * Weights of the VAD's network, in the order of assembly/vad-network.ts. Generated, not written:
 * \`node dsp/training/train.ts\` with seed ${o.seed}, ${o.hours} h of mixes, ${o.epochs} epochs.
 *
 * Trained on telephone prompts in French by June Wallack (CC-BY-SA-3.0), Italian by Carlo Flora and
 * Russian by Maxim Topal / ivrvoice.ru (both CC-BY-3.0), Italian by Marco Menardi and Paola Dal Zot
 * (CC-BY-SA-3.0 Italy), and on music on hold by Paul Shuler and Manolo Camp (CC-BY-SA-3.0), as in
 * Debian's packages (training/README.md), under made noise. No audio is in this repository.
 */
import { Buffer } from 'node:buffer'

/** ${weights.length} values as VAD_WEIGHTS expects them. */
export function vadWeights(): Float32Array {
  const bytes = Buffer.from(BASE64.join(''), 'base64')
  return new Float32Array(Uint8Array.from(bytes).buffer)
}

/** f32, little endian. */
const BASE64: readonly string[] = [
${lines.map((line) => `  '${line}',`).join('\n')}
]
`
}
