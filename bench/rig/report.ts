/**
 * Results on paper: every bench writes `bench/results/<name>.json` in one shape, so that runs
 * compare, and adds a line to `bench/results/history.jsonl`, so that they do so over time.
 */
import { execFileSync } from 'node:child_process'
import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

export const RESULTS_DIR = fileURLToPath(new URL('../results/', import.meta.url))
export const HISTORY = `${RESULTS_DIR}history.jsonl`
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface BenchResult {
  bench: string
  machine: Record<string, string | number>
  /** The commit measured; ends with `+` when files differed from it. */
  commit: string
  date: string
  seed: number
  settings: Record<string, string | number | boolean | null>
  figures: Record<string, number>
}

export interface BenchFigures {
  bench: string
  seed: number
  settings: BenchResult['settings']
  figures: BenchResult['figures']
}

/** Writes the result and returns its path. `name` defaults to the bench's name. */
export async function writeResult(measured: BenchFigures, name = measured.bench): Promise<string> {
  const { bench, seed, settings, figures } = measured
  const result: BenchResult = {
    bench,
    machine: machine(),
    commit: commit(),
    date: new Date().toISOString(),
    seed,
    settings,
    figures,
  }
  await mkdir(RESULTS_DIR, { recursive: true })
  const path = `${RESULTS_DIR}${name}.json`
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`)
  // One line per run, never rewritten: what `report` draws over time.
  await appendFile(HISTORY, `${JSON.stringify({ name, ...result })}\n`)
  return path
}

/** Two columns: name, value. */
export function table(figures: Record<string, number>): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  return Object.entries(figures)
    .map(([name, value]) => `  ${name.padEnd(width)}  ${value}`)
    .join('\n')
}

/** To `digits` decimals: figures are read by people. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

export function machine(): BenchResult['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    node: process.version,
  }
}

function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  try {
    return (
      git('rev-parse', 'HEAD') +
      (git('status', '--porcelain', '--', '.', ':!bench/results') === '' ? '' : '+')
    )
  } catch {
    return 'unknown' // not a git checkout, or nothing committed yet
  }
}
