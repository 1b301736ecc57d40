/** The DSP core as it was built. */
import { readFileSync } from 'node:fs'
import { DspError } from '../server/errors.ts'

const MODULE_URL = new URL('../build/dsp.wasm', import.meta.url)

/** @throws DspError DSP_NOT_BUILT when it is missing. */
export function moduleBytes(): Buffer<ArrayBuffer> {
  try {
    return readFileSync(MODULE_URL)
  } catch (cause) {
    throw new DspError('DSP_NOT_BUILT', 'build/dsp.wasm is missing: run `npm run build`', { cause })
  }
}
