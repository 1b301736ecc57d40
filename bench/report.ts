/** `npm run bench -- report`: bench/results/*.json and history.jsonl → bench/results/report.html. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { z } from 'zod'
import { renderReport, type NamedResult } from './rig/report-page.ts'
import { HISTORY, RESULTS_DIR } from './rig/report.ts'

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const result = z.object({
  bench: z.string(),
  machine: z.record(z.string(), z.union([z.string(), z.number()])),
  commit: z.string(),
  date: z.string(),
  seed: z.number(),
  settings: z.record(z.string(), scalar),
  /** null: nothing to measure, as −1 elsewhere. */
  figures: z.record(
    z.string(),
    z
      .number()
      .nullable()
      .transform((value) => value ?? -1),
  ),
})
const line = result.extend({ name: z.string() })

/** Results of an older or foreign shape are left out. */
export function readResult(name: string, json: unknown): NamedResult | null {
  const parsed = result.safeParse(json)
  return parsed.success ? { name, ...parsed.data } : null
}

/** One run per line; a line that was cut short by a crash is left out. */
export function readHistory(text: string): NamedResult[] {
  return text.split('\n').flatMap((row) => {
    if (row.trim() === '') return []
    try {
      const parsed = line.safeParse(JSON.parse(row))
      return parsed.success ? [parsed.data] : []
    } catch {
      return [] // half a line is no run
    }
  })
}

/** Returns the path of the page. */
export async function writeReport(): Promise<string> {
  const names = (await readdir(RESULTS_DIR)).filter((name) => name.endsWith('.json')).sort()
  const results: NamedResult[] = []
  for (const name of names) {
    const json: unknown = JSON.parse(await readFile(`${RESULTS_DIR}${name}`, 'utf8'))
    const parsed = readResult(basename(name, '.json'), json)
    if (parsed !== null) results.push(parsed)
  }
  const text = await readFile(HISTORY, 'utf8').catch(() => '')
  // Without a history the results themselves are one run each.
  const history = text === '' ? results : readHistory(text)
  const path = `${RESULTS_DIR}report.html`
  await writeFile(path, renderReport({ results, history, madeAt: new Date().toISOString() }))
  return path
}
