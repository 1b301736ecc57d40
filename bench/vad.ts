/**
 * `npm run bench -- vad`: Andrea's voice detector beside Silero v5 and v6 and WebRTC's, on the public
 * test of dsp/training/conditions.ts, and what the gate in front of the recogniser makes of it (bench/vad/held.ts); prints the
 * table, writes bench/results/vad.json.
 *
 *   --seed 1        the test is made from it
 *   --no-peers      Andrea alone
 *   --name RESULT
 *
 * The recorded audio is fetched by apt and the peers by npm when absent.
 */
import { parseArgs } from 'node:util'
import { CONDITIONS, MIX_SEC, testSources } from '../dsp/training/conditions.ts'
import { andrea } from '../dsp/training/evaluate.ts'
import { measure, type CandidateFigures } from '../dsp/training/measure.ts'
import { rounded, writeResult } from './rig/report.ts'
import { detectorCostUs } from './vad/cost.ts'
import { heldFigures } from './vad/held.ts'
import { installPeers, silero, webRtc } from './vad/peers.ts'

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      'no-peers': { type: 'boolean', default: false },
      name: { type: 'string', default: 'vad' },
    },
  })
  const from = testSources()
  const candidates = [await andrea({})]
  if (!values['no-peers']) {
    installPeers()
    candidates.push(await silero('v5'), await silero('v6'), await webRtc())
  }
  const seed = Number(values.seed)
  const rows = await measure(candidates, { from, seed, progress: (text) => console.error(text) })
  const own = rows[0]
  if (own?.starts === undefined) throw new Error('the own detector gave no starts')
  // Its run above goes through coder, high-pass and resampler too; this is the detector alone.
  own.us = await detectorCostUs()
  console.log(tableOf(rows))
  const { starts } = own
  const byNoise = Object.entries(starts.byNoise).map(([noise, n]) => `${noise} ${n.toFixed(2)}`)
  console.log(`False starts per minute after hysteresis: ${byNoise.join(', ')}`)
  const gate = await heldFigures(from, seed)
  console.log(
    `Quiet gate: ${Object.entries(gate)
      .map(([name, n]) => `${name} ${n.toFixed(2)}`)
      .join(', ')}`,
  )
  const figures = { ...figuresOf(rows), ...roundedAll(gate) }
  const settings = { mixes: CONDITIONS.length * 2, minutes: (CONDITIONS.length * 2 * MIX_SEC) / 60 }
  console.log(
    `written to ${await writeResult({ bench: 'vad', seed, settings, figures }, values.name)}`,
  )
}

function figuresOf(rows: readonly CandidateFigures[]): Record<string, number> {
  const own = rows[0]
  if (own?.starts === undefined) return {}
  const figures: Record<string, number> = {
    auc: rounded(own.auc, 4),
    tprAt5Fpr: rounded(own.tprAt5Fpr, 4),
    tprLowSnr: rounded(own.tprLowSnr, 4),
    falseTriggersPerMin: rounded(own.falseTriggersPerMin, 2),
    falseTriggersAt90Tpr: rounded(own.falseTriggersAt90Tpr, 2),
    onsetP50Ms: rounded(own.onsetP50Ms, 1),
    onsetP95Ms: rounded(own.onsetP95Ms, 1),
    us: rounded(own.us, 2),
    falseStartsPerMin: rounded(own.starts.perMin, 2),
    startP50Ms: rounded(own.starts.p50Ms, 1),
    startP95Ms: rounded(own.starts.p95Ms, 1),
    startsMissed: rounded(own.starts.missed, 4),
  }
  for (const [noise, perMin] of Object.entries(own.starts.byNoise)) {
    figures[`falseStarts${noise.charAt(0).toUpperCase()}${noise.slice(1)}`] = rounded(perMin, 2)
  }
  for (const row of rows.slice(1)) {
    const name = PREFIXES[row.name]
    if (name === undefined) continue
    figures[`${name}Auc`] = rounded(row.auc, 4)
    figures[`${name}TprAt5Fpr`] = rounded(row.tprAt5Fpr, 4)
    figures[`${name}TprLowSnr`] = rounded(row.tprLowSnr, 4)
    figures[`${name}FalseTriggersPerMin`] = rounded(row.falseTriggersPerMin, 2)
    figures[`${name}FalseTriggersAt90Tpr`] = rounded(row.falseTriggersAt90Tpr, 2)
    figures[`${name}OnsetP50Ms`] = rounded(row.onsetP50Ms, 1)
    figures[`${name}OnsetP95Ms`] = rounded(row.onsetP95Ms, 1)
    figures[`${name}Us`] = rounded(row.us, 1)
  }
  return figures
}

function roundedAll(figures: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([name, n]) => [name, rounded(n, 3)]))
}

const PREFIXES: Readonly<Record<string, string>> = {
  'Silero v5': 'silero5',
  'Silero v6': 'silero6',
  'WebRTC (libfvad)': 'webRtc',
}

function tableOf(rows: readonly CandidateFigures[]): string {
  const header = [
    '',
    'AUC',
    'TPR @ 5 % FPR',
    'SNR ≤ 5',
    'FT/min',
    'FT @ 90 % TPR',
    'onset p50/p95 ms',
    'µs',
  ]
  const lines = rows.map((row) => [
    row.name,
    row.auc.toFixed(4),
    `${(row.tprAt5Fpr * 100).toFixed(1)} %`,
    `${(row.tprLowSnr * 100).toFixed(1)} %`,
    row.falseTriggersPerMin.toFixed(2),
    row.falseTriggersAt90Tpr.toFixed(2),
    `${row.onsetP50Ms.toFixed(0)} / ${row.onsetP95Ms.toFixed(0)}`,
    row.us.toFixed(2),
  ])
  const own = rows[0]?.starts
  if (own !== undefined) {
    const [none, timing] = ['', `${own.p50Ms.toFixed(0)} / ${own.p95Ms.toFixed(0)}`]
    lines.push(['after hysteresis', none, none, none, own.perMin.toFixed(2), none, timing, none])
  }
  const all = [header, ...lines]
  const widths = header.map((_, c) => Math.max(...all.map((line) => (line[c] ?? '').length)))
  return all.map((line) => line.map((cell, c) => cell.padEnd(widths[c] ?? 0)).join('  ')).join('\n')
}

await main()
