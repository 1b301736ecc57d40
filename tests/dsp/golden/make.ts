/**
 * `node tests/dsp/golden/make.ts`: writes the golden audio anew from what the core does now. Listen before you commit it:
 * `ffplay -f s16le -ar 16000 user-PCMU-8000-to-16000.raw`, `ffplay -f mulaw -ar 8000 agent-24000-to-PCMU.raw`.
 */
import { writeFile } from 'node:fs/promises'
import { buildDsp } from '../../../dsp/build.ts'
import { chainRig } from '../chain-rig.ts'
import { GOLDEN, goldenFile } from './cases.ts'

await buildDsp()
const rig = await chainRig(1)
for (const one of GOLDEN) {
  const bytes = one.run(rig)
  await writeFile(goldenFile(one.name), bytes)
  console.log(`${one.name}.raw ${bytes.length} bytes`)
}
