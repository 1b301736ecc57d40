/**
 * Compiles dsp/assembly to build/dsp.wasm when a source is newer than the output, and checks what
 * the design relies on: no start function, no memory growth, no mutable global, no static data
 * (docs/adr/0001).
 */
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { DspError } from '../server/errors.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = fileURLToPath(new URL('assembly/', import.meta.url))
const CONFIG = `${ROOT}asconfig.json`
const OUTPUT = `${ROOT}build/dsp.wasm`

const FORBIDDEN: ReadonlyArray<readonly [RegExp, string]> = [
  [/\(start /, 'a start function, which would run again in every worker'],
  [/memory\.grow/, 'memory.grow, which would make old views stale'],
  [/\(global [^\n]*\(mut /, 'a mutable global, which would be private to one worker'],
  [/\(data /, 'static data, which every instantiation would write again'],
]

async function modifiedMs(path: string): Promise<number> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  return found?.mtimeMs ?? 0
}

async function newestSourceMs(): Promise<number> {
  const names = (await readdir(SOURCES)).filter((name) => name.endsWith('.ts'))
  const times = await Promise.all([CONFIG, ...names.map((n) => SOURCES + n)].map(modifiedMs))
  return Math.max(...times)
}

/** Throws DspError DSP_BUILD_CHECK naming the rule that the module text breaks. */
export function checkModuleText(text: string): void {
  for (const [pattern, what] of FORBIDDEN) {
    if (pattern.test(text)) throw new DspError('DSP_BUILD_CHECK', `dsp.wasm contains ${what}`)
  }
}

/**
 * Builds when needed. Returns whether it did. Throws DspError DSP_BUILD_FAILED with the compiler's
 * messages.
 */
export async function buildDsp(): Promise<boolean> {
  if ((await modifiedMs(OUTPUT)) > (await newestSourceMs())) return false
  // Imported here: the compiler takes half a second to load, and most starts do not need it.
  const { main } = await import('assemblyscript/asc')
  await mkdir(`${ROOT}build`, { recursive: true })
  // Into a file of our own first, so that a reader never sees half a module.
  const mine = `build/dsp.${process.pid}`
  const { error, stderr } = await main(
    ['--target', 'release', '--outFile', `${mine}.wasm`, '--textFile', `${mine}.wat`],
    { baseDir: ROOT.slice(0, -1) } as never,
  )
  if (error !== null) throw new DspError('DSP_BUILD_FAILED', stderr.toString())
  checkModuleText(await readFile(`${ROOT}${mine}.wat`, 'utf8'))
  await rename(`${ROOT}${mine}.wat`, `${ROOT}build/dsp.wat`)
  await rename(`${ROOT}${mine}.wasm`, OUTPUT)
  return true
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log((await buildDsp()) ? 'dsp: built build/dsp.wasm' : 'dsp: up to date')
}
