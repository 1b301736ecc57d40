/**
 * The report as one HTML page: targets with their standing, cores per call beside published peers, every figure of every
 * bench, history. Pure; nothing is loaded from anywhere, light and dark follow the reader's system.
 */
import { escapeHtml, lineChart, logBars, shortNumber, sparkline, type Bar } from './charts.ts'
import { PAGE_STYLE } from './report-style.ts'
import type { BenchResult } from './report.ts'
import { PEERS, standingUnder, TARGETS, type Standing, type Target } from './targets.ts'

export interface NamedResult extends BenchResult {
  /** File name without `.json`. */
  name: string
}

export interface ReportData {
  /** The newest of each name. */
  results: readonly NamedResult[]
  /** Every run, oldest first. */
  history: readonly NamedResult[]
  /** ISO date. */
  madeAt: string
}

const BADGES: Record<Standing, string> = {
  stretch: 'beyond',
  must: 'reached',
  missed: 'missed',
  unknown: 'not measured',
}
/** Runs in a chart. */
const CHART_RUNS = 40

export function renderReport(data: ReportData): string {
  const { results, madeAt } = data
  const machines = [...new Set(results.map(({ machine }) => machineText(machine)))]
  const body = [
    `<header><p class="eyebrow">Andrea · lab</p><h1>Capacity and latency</h1><p class="lede">Measured on ${escapeHtml(machines.join('; ') || 'no machine yet')}. Made ${escapeHtml(madeAt.slice(0, 16).replace('T', ' '))} UTC by <code>npm run bench -- report</code>; how each figure is defined and reproduced: <code>bench/README.md</code>.</p>${summary(results)}</header>`,
    targetsSection(data),
    peersSection(results),
    `<section><h2>Every figure</h2><p class="lede">The newest run of each bench; a line shows its runs before. –: there was nothing to measure.</p>${results.map((result) => benchDetails(result, data.history)).join('\n')}</section>`,
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Andrea: capacity and latency</title>
<style>${PAGE_STYLE}</style>
</head>
<body><main>
${body.join('\n')}
</main></body>
</html>
`
}

function machineText(machine: BenchResult['machine']): string {
  const { cores, cpu, memoryGb, node } = machine
  return `${cores} × ${cpu}, ${memoryGb} GB, Node ${String(node).replace(/^v/, '')}`
}

function valueOf(results: readonly NamedResult[], target: Target): number | undefined {
  return results.find(({ name }) => name === target.bench)?.figures[target.figure]
}

/** So many calls count only when they were carried within the criterion. */
function stateOf(results: readonly NamedResult[], target: Target): Standing {
  const result = results.find(({ name }) => name === target.bench)
  const state = standingUnder(target, result?.figures)
  if (target.figure !== 'calls' || state === 'unknown' || result === undefined) return state
  const isLate = target.bench === 'media' && (result.figures['lateP99Ms'] ?? 0) >= 20
  return isLate || result.settings['passed'] === false ? 'missed' : state
}

/** What was live meanwhile: 500 echoed streams are not 500 whole calls. */
function conditionOf(results: readonly NamedResult[], target: Target): string {
  const result = results.find(({ name }) => name === target.bench)
  if (target.underCalls === undefined || result === undefined) return ''
  const { callKind = 'whole' } = result.settings
  const kind = callKind === 'media' ? 'media-only calls' : 'whole calls'
  return `<br>measured under ${shortNumber(result.figures['liveCalls'] ?? 0)} ${kind}`
}

function summary(results: readonly NamedResult[]): string {
  const counts: Record<Standing, number> = { stretch: 0, must: 0, missed: 0, unknown: 0 }
  for (const target of TARGETS) counts[stateOf(results, target)]++
  const chips = (Object.keys(BADGES) as Standing[]).map(
    (key) => `<li class="chip ${key}"><b>${counts[key]}</b> ${BADGES[key]}</li>`,
  )
  return `<ul class="chips">${chips.join('')}</ul>`
}

function targetsSection({ results, history }: ReportData): string {
  const isMeasured = (target: Target): boolean => stateOf(results, target) !== 'unknown'
  const cards = TARGETS.filter(isMeasured).map((target) => {
    const value = valueOf(results, target)
    const state = stateOf(results, target)
    const unit = target.unit === '' ? '' : ` <small>${escapeHtml(target.unit)}</small>`
    const shown = state === 'unknown' || value === undefined ? '–' : shortNumber(value)
    const sign = target.sense === 'atMost' ? '≤' : '≥'
    const stretch =
      target.stretch === null ? '' : ` · stretch ${sign} ${shortNumber(target.stretch)}`
    const points = history
      .filter(({ name, figures }) => name === target.bench && figures[target.figure] !== undefined)
      .map(({ date, commit, figures }) => ({
        label: `${date.slice(5, 10)} ${commit.slice(0, 7)}`,
        value: figures[target.figure] ?? 0,
      }))
      .slice(-CHART_RUNS)
    return `<article class="card ${state}"><h3>${escapeHtml(target.label)}</h3><p class="big">${shown}${unit}<span class="badge">${BADGES[state]}</span></p><p class="aim">must ${sign} ${shortNumber(target.must)}${stretch}<br>best known: ${escapeHtml(target.bestKnown)}${conditionOf(results, target)}</p>${lineChart(points, target.must, target.label)}</article>`
  })
  const open = TARGETS.filter((target) => !isMeasured(target)).map((target) => {
    const unit = target.unit === '' ? '' : ` ${target.unit}`
    const sign = target.sense === 'atMost' ? '≤' : '≥'
    return `<li>${escapeHtml(target.label)} <span>${sign} ${shortNumber(target.must)}${escapeHtml(unit)}</span></li>`
  })
  const unmeasured =
    open.length === 0
      ? ''
      : `<h3 class="open">Not measured yet</h3><ul class="open">${open.join('')}</ul>`
  return `<section><h2>Targets</h2><div class="cards">${cards.join('')}</div>${unmeasured}</section>`
}

function peersSection(results: readonly NamedResult[]): string {
  const ours = (name: string, label: string): Bar[] => {
    const value = results.find((result) => result.name === name)?.figures['coresPerCall']
    return value === undefined || value <= 0 ? [] : [{ name: label, value, isOurs: true }]
  }
  const bars = [
    ...ours('media', 'Andrea, media only'),
    ...ours('capacity', 'Andrea, whole calls'),
    ...PEERS.map(({ name, coresPerCall }) => ({ name, value: coresPerCall, isOurs: false })),
  ]
  return `<section><h2>Cores per call</h2><p>Logarithmic; shorter is better. Peers as they published it, on their machines.</p>${logBars(bars, 'cores')}</section>`
}

function benchDetails(result: NamedResult, history: readonly NamedResult[]): string {
  const runs = history.filter(({ name }) => name === result.name).slice(-CHART_RUNS)
  const figures = Object.entries(result.figures).map(([name, value]) => {
    const values = runs.flatMap((run) => run.figures[name] ?? []).filter((each) => each !== -1)
    return `<tr><th scope="row"><code>${escapeHtml(name)}</code></th><td class="runs">${sparkline(values)}</td><td>${value === -1 ? '–' : shortNumber(value)}</td></tr>`
  })
  const settings = Object.entries(result.settings)
    .map(([name, value]) => `${name} ${String(value)}`)
    .join(' · ')
  const facts = `${result.date.slice(0, 16).replace('T', ' ')} UTC · commit ${result.commit.slice(0, 10)}${result.commit.endsWith('+') ? '+' : ''} · seed ${result.seed}${settings === '' ? '' : ` · ${settings}`}`
  const half = Math.ceil(figures.length / 2)
  const columns = [figures.slice(0, half), figures.slice(half)]
    .filter((rows) => rows.length > 0)
    .map((rows) => `<table>${rows.join('')}</table>`)
  return `<details><summary><h3>${escapeHtml(result.name)}</h3><span class="head">${headline(result)}</span></summary><p class="facts">${escapeHtml(facts)}</p><div class="columns">${columns.join('')}</div></details>`
}

/** The figures that have a target; else the first three. */
function headline({ name, figures }: NamedResult): string {
  const aimed = TARGETS.filter(({ bench }) => bench === name).map(({ figure }) => figure)
  const shown = (aimed.length > 0 ? aimed : Object.keys(figures)).slice(0, 3)
  return shown
    .filter((figure) => (figures[figure] ?? -1) !== -1)
    .map((figure) => `${escapeHtml(figure)} <b>${shortNumber(figures[figure] ?? 0)}</b>`)
    .join(' · ')
}
