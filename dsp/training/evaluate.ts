/**
 * Measures Andrea's detector on the public test, with the weights of the product or of a file.
 *
 *   node dsp/training/evaluate.ts [--weights data/vad/checkpoint.f32] [--seed 1] [--sensitivity 0.5]
 *
 * Beside other detectors: npm run bench -- vad.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { testSources } from './conditions.ts'
import { detector } from './detector.ts'
import { measure, type Candidate } from './measure.ts'

/** Andrea's detector as a call has it. */
export async function andrea(o: {
  sensitivity?: number
  weights?: Float32Array
}): Promise<Candidate> {
  const chain = await detector(o.sensitivity ?? 0.5)
  if (o.weights !== undefined) chain.load(o.weights)
  return {
    name: 'Andrea',
    run(samples) {
      const frames = Math.floor(samples.length / 160)
      const scores = new Float64Array(frames)
      const speech = new Uint8Array(frames)
      const starts: number[] = []
      chain.open('PCMU')
      for (let f = 0; f < frames; f++) {
        const heard = chain.hear(samples.subarray(f * 160, f * 160 + 160))
        scores[f] = heard.probability
        speech[f] = heard.speech ? 1 : 0
        if (heard.onset) starts.push(f)
      }
      return Promise.resolve({ scores, speech, starts })
    },
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      weights: { type: 'string' },
      seed: { type: 'string', default: '1' },
      sensitivity: { type: 'string', default: '0.5' },
    },
  })
  const file = values.weights === undefined ? null : Uint8Array.from(readFileSync(values.weights))
  const candidate = await andrea({
    sensitivity: Number(values.sensitivity),
    ...(file === null ? {} : { weights: new Float32Array(file.buffer) }),
  })
  const figures = await measure([candidate], { from: testSources(), seed: Number(values.seed) })
  console.log(JSON.stringify(figures[0], null, 2))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
