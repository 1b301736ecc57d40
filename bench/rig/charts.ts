/** Charts of the report: small SVG drawings as text, coloured by the page's own CSS variables. Pure. */

export interface Point {
  /** ISO date or commit, for the tooltip. */
  label: string
  value: number
}

const WIDTH = 320
const HEIGHT = 96
const PAD = { left: 8, right: 8, top: 14, bottom: 18 }

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** At most 4 significant digits, thousands with thin spaces. */
export function shortNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US').replaceAll(',', '\u202f')
  if (Math.abs(value) >= 1_000) return shortNumber(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

/** One figure over its runs, with a line at the limit. Empty text without points. */
export function lineChart(points: readonly Point[], limit: number | null, title: string): string {
  if (points.length === 0) return ''
  const values = points.map((point) => point.value)
  const shown = limit === null ? values : [...values, limit]
  const low = Math.min(0, ...shown)
  const high = Math.max(...shown) * 1.1 || 1
  const x = (i: number): number =>
    points.length === 1
      ? WIDTH / 2
      : PAD.left + (i * (WIDTH - PAD.left - PAD.right)) / (points.length - 1)
  const y = (value: number): number =>
    HEIGHT - PAD.bottom - ((value - low) / (high - low)) * (HEIGHT - PAD.top - PAD.bottom)
  const path = points
    .map((point, i) => `${i === 0 ? 'M' : 'L'}${x(i).toFixed(1)} ${y(point.value).toFixed(1)}`)
    .join('')
  const dots = points.map((point, i) => {
    const tip = `${point.label}: ${shortNumber(point.value)}`
    const at = `cx="${x(i).toFixed(1)}" cy="${y(point.value).toFixed(1)}"`
    const last = i === points.length - 1
    return `<circle class="dot${last ? ' last' : ''}" ${at} r="${last ? 4 : 2.5}"><title>${escapeHtml(tip)}</title></circle>`
  })
  const floor = `${x(0).toFixed(1)} ${y(low).toFixed(1)}`
  const area = `${path}L${x(points.length - 1).toFixed(1)} ${y(low).toFixed(1)}L${floor}Z`
  const limitLine =
    limit === null
      ? ''
      : `<line class="limit" x1="${PAD.left}" x2="${WIDTH - PAD.right}" y1="${y(limit).toFixed(1)}" y2="${y(limit).toFixed(1)}"/>` +
        `<text class="limit-text" x="${WIDTH - PAD.right}" y="${(y(limit) - 4).toFixed(1)}" text-anchor="end">must ${shortNumber(limit)}</text>`
  const dates =
    `<text x="${PAD.left}" y="${HEIGHT - 4}">${escapeHtml(points[0]?.label ?? '')}</text>` +
    (points.length > 1
      ? `<text x="${WIDTH - PAD.right}" y="${HEIGHT - 4}" text-anchor="end">${escapeHtml(points.at(-1)?.label ?? '')}</text>`
      : '')
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">` +
    `<path class="area" d="${area}"/>${limitLine}<path class="line" d="${path}"/>${dots.join('')}${dates}</svg>`
  )
}

export interface Bar {
  name: string
  value: number
  isOurs: boolean
}

/** Horizontal bars on a logarithmic scale: these figures differ by factors, not by amounts. Plain boxes, so that text keeps its size. */
export function logBars(bars: readonly Bar[], unit: string): string {
  if (bars.length === 0) return ''
  const sorted = [...bars].sort((a, b) => a.value - b.value)
  const values = sorted.map((bar) => bar.value)
  const low = Math.log10(Math.min(...values)) - 0.3
  const high = Math.log10(Math.max(...values))
  const percent = (value: number): string =>
    ((100 * (Math.log10(value) - low)) / Math.max(0.1, high - low)).toFixed(1)
  const rows = sorted.map(
    ({ name, value, isOurs }) =>
      `<li class="${isOurs ? 'ours' : 'theirs'}"><span class="name">${escapeHtml(name)}</span><span class="rail"><span class="bar" style="width:${percent(value)}%"></span></span><span class="value">${shortNumber(value)} ${escapeHtml(unit)}</span></li>`,
  )
  return `<ol class="bars">${rows.join('')}</ol>`
}

/** A figure's runs in the height of a line of text; empty below two runs. */
export function sparkline(values: readonly number[]): string {
  if (values.length < 2) return ''
  const low = Math.min(...values)
  const span = Math.max(...values) - low || 1
  const at = values.map((value, i) => {
    const x = 2 + (i * 56) / (values.length - 1)
    return `${x.toFixed(1)} ${(14 - ((value - low) / span) * 12).toFixed(1)}`
  })
  return `<svg class="spark" viewBox="0 0 60 16" aria-hidden="true"><path class="line" d="M${at.join('L')}"/></svg>`
}
