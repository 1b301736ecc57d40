import { describe, expect, test } from 'vitest'
import { callSearch } from '../../dashboard/src/api/client.ts'
import { latencyGrade, latencySegments, latencySummary } from '../../dashboard/src/call/latency.ts'
import * as format from '../../dashboard/src/language/format.ts'
import { routeOf } from '../../dashboard/src/state/route.ts'
import type { TurnLatency } from '../../server/conversation/conversation-events.ts'

const latency: TurnLatency = {
  endpointingMs: 350,
  sttMs: 80,
  llmFirstTokenMs: null,
  firstSentenceMs: 0,
  ttsFirstAudioMs: 60,
  responseMs: 500,
  ownMs: 10,
}

describe('format', () => {
  test('writes 7 s as 0:07, 723 s as 12:03 and 3723 s as 1:02:03', () => {
    expect([7_000, 723_000, 3_723_000].map(format.formatDuration)).toEqual([
      '0:07',
      '12:03',
      '1:02:03',
    ])
  })

  test('never shows a negative duration', () => {
    expect(format.formatDuration(-500)).toBe('0:00')
  })

  test('changes from ms to s at 1000 ms', () => {
    expect(format.formatLatency(84.4, 'es')).toBe('84 ms')
    expect(format.formatLatency(999.6, 'en')).toBe('1 s')
    expect(format.formatLatency(1_240, 'en')).toBe('1.24 s')
  })

  test('shows the two largest units of an uptime', () => {
    expect([0, 41, 480, 18_340, 273_600].map(format.formatUptime)).toEqual([
      '0 s',
      '41 s',
      '8 min',
      '5 h 5 min',
      '3 d 4 h',
    ])
  })

  test('shows the year only of another year', () => {
    const atMs = new Date(2026, 10, 24, 17, 4).getTime()
    const thisYear = format.formatDateTime(atMs, 'en', new Date(2026, 11, 1).getTime())
    const nextYear = format.formatDateTime(atMs, 'en', new Date(2027, 0, 1).getTime())
    expect(thisYear).not.toContain('2026')
    expect(nextYear).toContain('2026')
    expect(thisYear).toContain('17:04')
  })
})

describe('latency', () => {
  test('divides the bar into the parts that took time, summing to 1', () => {
    const segments = latencySegments(latency)
    expect(segments.map(({ part }) => part)).toEqual(['endpointing', 'stt', 'tts', 'own'])
    expect(segments.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1)
  })

  test('grades 900 ms as good, 901 ms as fair and 1601 ms as bad', () => {
    expect([900, 901, 1_600, 1_601].map(latencyGrade)).toEqual(['good', 'warn', 'warn', 'bad'])
  })

  test('gives median and p95 of the turns that have a latency', () => {
    const of = (responseMs: number) => ({ ...latency, responseMs })
    const values = [of(300), null, of(100), of(200), null]
    expect(latencySummary(values)).toEqual({ p50Ms: 200, p95Ms: 300, count: 3 })
    expect(latencySummary([null])).toBeNull()
  })
})

describe('addresses', () => {
  test('reads every page of the dashboard', () => {
    expect(routeOf('/dashboard')).toEqual({ page: 'simulator' })
    expect(routeOf('/dashboard/')).toEqual({ page: 'simulator' })
    expect(routeOf('/dashboard/calls')).toEqual({ page: 'calls' })
    expect(routeOf('/dashboard/calls/7f')).toEqual({ page: 'call', id: '7f' })
    expect(routeOf('/dashboard/agent/')).toEqual({ page: 'agent' })
    expect(routeOf('/dashboard/status/x')).toEqual({ page: 'missing' })
    expect(routeOf('/dashboard/nothing')).toEqual({ page: 'missing' })
  })

  test('leaves empty filters out of the query and trims the search', () => {
    const query = { page: 2, limit: 20, carrier: 'twilio', status: '', search: ' +52 55 ' }
    expect(callSearch(query)).toBe('page=2&limit=20&carrier=twilio&search=%2B52+55')
  })
})
