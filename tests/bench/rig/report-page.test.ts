import { describe, expect, it } from 'vitest'
import { readHistory, readResult } from '../../../bench/report.ts'
import { lineChart, logBars, shortNumber } from '../../../bench/rig/charts.ts'
import { renderReport, type NamedResult } from '../../../bench/rig/report-page.ts'
import { standing, TARGETS } from '../../../bench/rig/targets.ts'
import { metricOf } from '../../../bench/rig/server-watch.ts'

const MEDIA: NamedResult = {
  name: 'media',
  bench: 'media',
  machine: { cpu: 'Test <CPU>', cores: 2, memoryGb: 4, os: 'linux', node: 'v24.0.0' },
  commit: '0123456789abcdef+',
  date: '2026-11-24T10:00:00.000Z',
  seed: 1,
  settings: { seconds: 20 },
  figures: { calls: 1_000, coresPerCall: 0.0009, lateP99Ms: 12.5, lostFrames: -1 },
}
const DATA = { results: [MEDIA], history: [MEDIA, MEDIA], madeAt: '2026-11-24T11:00:00.000Z' }

describe('report page', () => {
  it('loads nothing from anywhere: no script, no link, no address', () => {
    const page = renderReport(DATA)
    expect(page).not.toMatch(/<script|<link|<img|https?:|url\(|@import/)
    expect(page).toContain('prefers-color-scheme:dark')
  })

  it('shows where figures stand, and – for what was not measured', () => {
    const page = renderReport(DATA)
    expect(page).toContain('<li class="chip must"><b>3</b> reached</li>')
    expect(page).toContain(`<b>${TARGETS.length - 3}</b> not measured`)
    expect(page).toMatch(/<code>lostFrames<\/code><\/th><td class="runs"><\/td><td>–<\/td>/)
  })

  it('counts calls only when they were carried within the criterion', () => {
    const late = { ...MEDIA, figures: { ...MEDIA.figures, lateP99Ms: 20 } }
    const missed = {
      ...MEDIA,
      ...{ name: 'capacity', settings: { passed: false }, figures: { calls: 900 } },
    }
    const page = renderReport({ ...DATA, results: [late, missed] })
    expect(page).toContain('<li class="chip missed"><b>2</b> missed</li>')
    expect(page).toContain('<li class="chip stretch"><b>0</b> beyond</li>')
  })

  it('takes a webhook of 12 ms under 60 calls for not measured, under 500 for reached, and says which kind of calls they were', () => {
    const http = (liveCalls: number, callKind?: string): NamedResult => ({
      ...MEDIA,
      ...{ name: 'http', bench: 'http', settings: callKind === undefined ? {} : { callKind } },
      figures: { webhookUnderCallsP99Ms: 12, liveCalls },
    })
    const page = (result: NamedResult) => renderReport({ ...DATA, results: [result] })
    expect(page(http(60))).toContain('<li class="chip must"><b>0</b> reached</li>')
    expect(page(http(500, 'media'))).toContain('<li class="chip must"><b>1</b> reached</li>')
    expect(page(http(500, 'media'))).toContain('measured under 500 media-only calls')
    expect(page(http(500, 'whole'))).toContain('measured under 500 whole calls')
  })

  it('takes a webhook of 26 ms for missed, however few calls were live', () => {
    const figures = { webhookUnderCallsP99Ms: 26, liveCalls: 60 }
    const result = { ...MEDIA, name: 'http', bench: 'http', figures }
    const page = renderReport({ ...DATA, results: [result] })
    expect(page).toContain('<li class="chip missed"><b>1</b> missed</li>')
    expect(page).toContain('measured under 60 whole calls')
  })

  it('escapes what results say', () => {
    expect(renderReport(DATA)).toContain('Test &lt;CPU&gt;')
  })

  it('can be made without any result', () => {
    expect(renderReport({ results: [], history: [], madeAt: DATA.madeAt })).toContain(
      'no machine yet',
    )
  })
})

describe('standing', () => {
  const target = (figure: string, bench: string) =>
    TARGETS.find((each) => each.figure === figure && each.bench === bench)!

  it('is stretch, must or missed on either side of the limits', () => {
    const cores = target('coresPerCall', 'capacity')
    expect([0.0018, 0.0019, 0.003, 0.0031].map((value) => standing(cores, value))).toEqual([
      ...['stretch', 'must', 'must', 'missed'],
    ])
    const calls = target('calls', 'capacity')
    expect([500, 300, 299].map((value) => standing(calls, value))).toEqual([
      ...['stretch', 'must', 'missed'],
    ])
  })

  it('takes −1 for nothing measured, but a shrunken heap for no leak and drift both ways', () => {
    expect(standing(target('pathP50Ms', 'capacity'), -1)).toBe('unknown')
    expect(standing(target('pathP50Ms', 'capacity'), undefined)).toBe('unknown')
    expect(standing(target('leakBytesPerCall', 'soak'), -500)).toBe('stretch')
    expect(standing(target('driftFrames', 'soak'), -2)).toBe('missed')
  })
})

describe('charts', () => {
  it('draw one point, many points and no point', () => {
    expect(lineChart([], 1, 'none')).toBe('')
    expect(lineChart([{ label: 'a', value: 0 }], null, 'one')).not.toContain('NaN')
    const two = lineChart(
      [
        { label: 'a', value: 1 },
        { label: 'b', value: 3 },
      ],
      2,
      'two',
    )
    expect(two.match(/<circle/g)).toHaveLength(2)
    expect(two).toContain('must 2')
  })

  it('order bars by value, ours marked', () => {
    const svg = logBars(
      [
        { name: 'them', value: 0.1, isOurs: false },
        { name: 'us', value: 0.001, isOurs: true },
      ],
      'cores',
    )
    expect(svg.indexOf('us<')).toBeLessThan(svg.indexOf('them<'))
    expect(svg).not.toContain('NaN')
  })

  it('write numbers short', () => {
    expect([0.00281, 41.64, 1_300, 12_345.6].map(shortNumber)).toEqual([
      ...['0.00281', '41.6', '1\u202f300', '12\u202f346'],
    ])
  })
})

describe('results', () => {
  it('leaves out foreign shapes and half lines', () => {
    const { name, ...plain } = MEDIA
    expect(readResult(name, plain)).toEqual(MEDIA)
    expect(readResult('vad', { table: [] })).toBeNull()
    const whole = JSON.stringify(MEDIA)
    expect(readHistory(`${whole}\n${whole.slice(0, 40)}\n\n`)).toEqual([MEDIA])
  })

  it('reads a metric by its whole name', () => {
    const text = '# HELP a x\nnodejs_heap_bytes_total 7\nnodejs_heap_bytes 5\nother{a="b"} 1\n'
    expect([metricOf(text, 'nodejs_heap_bytes'), metricOf(text, 'none')]).toEqual([5, 0])
  })
})
