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

const BAR_WIDTH = 680
const BAR_HEIGHT = 30
const NAME_WIDTH = 190

/** Horizontal bars on a logarithmic scale: these figures differ by factors, not by amounts. */
export function logBars(bars: readonly Bar[], unit: string): string {
  if (bars.length === 0) return ''
  const sorted = [...bars].sort((a, b) => a.value - b.value)
  const values = sorted.map((bar) => bar.value)
  const low = Math.log10(Math.min(...values)) - 0.3
  const high = Math.log10(Math.max(...values))
  const length = (value: number): number =>
    ((Math.log10(value) - low) / Math.max(0.1, high - low)) * (BAR_WIDTH - NAME_WIDTH - 90)
  const rows = sorted.map((bar, i) => {
    const y = i * BAR_HEIGHT
    const end = NAME_WIDTH + length(bar.value)
    return (
      `<g class="${bar.isOurs ? 'ours' : 'theirs'}">` +
      `<text x="${NAME_WIDTH - 10}" y="${y + 19}" text-anchor="end">${escapeHtml(bar.name)}</text>` +
      `<rect x="${NAME_WIDTH}" y="${y + 5}" width="${length(bar.value).toFixed(1)}" height="20" rx="4"/>` +
      `<text class="value" x="${(end + 8).toFixed(1)}" y="${y + 19}">${shortNumber(bar.value)} ${escapeHtml(unit)}</text></g>`
    )
  })
  const height = sorted.length * BAR_HEIGHT + 4
  return `<svg class="bars" viewBox="0 0 ${BAR_WIDTH} ${height}" role="img" aria-label="${escapeHtml(unit)}">${rows.join('')}</svg>`
}
