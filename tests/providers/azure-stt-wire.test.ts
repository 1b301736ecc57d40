/** Every setting of a profile as the real SDK sends it, and every failure of the service as the call lives through it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SttFailure } from '../../bench/rig/azure-listener.ts'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { phraseOf, toneFrame, textOfTone } from '../../bench/rig/spoken-tone.ts'
import { DEFAULT_SETTINGS } from '../../server/agent-settings.ts'
import { recogniserOptions } from '../../server/call/recogniser-options.ts'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import type { SttRateHz, SttSession } from '../../server/providers/stt.ts'
import { NO_STT_EVENTS, STT_OPTIONS } from './doubles.ts'

const FRAME_MS = 20
const SILENCE = new Int16Array(320)

let service: AzureService
let stt: AzureStt

beforeEach(async () => {
  service = await AzureService.start({ finalMs: 300, textOf: textOfTone })
  stt = new AzureStt({ key: 'k', region: 'r', host: service.host }, { connectMs: 15_000 })
})
afterEach(async () => {
  await stt.close()
  await service.close()
})

describe('settings of a profile on the wire', () => {
  async function turnOf(settings: Partial<typeof DEFAULT_SETTINGS.base>) {
    const options = recogniserOptions({ ...DEFAULT_SETTINGS.base, ...settings })
    const session = stt.open({ callId: 'call-1', ...options }, NO_STT_EVENTS)
    for (let frame = 0; frame < 10; frame++) session.push(SILENCE, frame * FRAME_MS)
    await expect.poll(() => service.contexts.length, { timeout: 15_000 }).toBeGreaterThan(0)
    return { query: service.queries[0]!, context: service.contexts[0] as Record<string, unknown> }
  }

  it('are language, phrases, silences, word times, detail and profanity', async () => {
    const { query, context } = await turnOf({
      language: 'en-GB',
      phrases: ['Ubrokers', 'Dalia'],
      segmentationSilenceMs: 650,
      initialSilenceMs: 12_000,
      profanity: 'masked',
    })
    expect(Object.fromEntries(query)).toMatchObject({
      language: 'en-GB',
      format: 'detailed',
      segmentationSilenceTimeoutMs: '650',
      initialSilenceTimeoutMs: '12000',
      profanity: 'masked',
      wordLevelTimestamps: 'true',
    })
    expect(context).toMatchObject({
      phraseDetection: {
        language: 'en-GB',
        initialSilenceTimeout: 12_000,
        conversation: { segmentation: { mode: 'Custom', segmentationSilenceTimeoutMs: 650 } },
        enrichment: { profanity: 'Masked' },
      },
      phraseOutput: { format: 'Detailed', detailed: { options: ['WordTimings'] } },
      dgi: { groups: [{ type: 'Generic', items: [{ text: 'Ubrokers' }, { text: 'Dalia' }] }] },
    })
    expect(context).not.toHaveProperty('languageId')
  })

  it('take the silence that ends a turn where none is set, and 100 ms at the least', async () => {
    const { query } = await turnOf({ silenceTimeoutMs: 700, segmentationSilenceMs: 0 })
    expect(query.get('segmentationSilenceTimeoutMs')).toBe('700')
    service.contexts.length = 0
    await turnOf({ segmentationSilenceMs: 20 })
    expect(service.queries[1]!.get('segmentationSilenceTimeoutMs')).toBe('100')
  })

  it('have the service tell the profile’s languages apart, whose answer the transcript carries', async () => {
    const settings = { language: 'es-MX', languages: ['en-US', 'fr-FR', 'es-MX'] }
    const { context } = await turnOf(settings)
    expect(context).toMatchObject({
      languageId: { languages: ['es-MX', 'en-US', 'fr-FR'], mode: 'DetectContinuous' },
      phraseOutput: { format: 'Detailed', detailed: { options: ['WordTimings'] } },
    })
    service.spokenLanguage = 'en-US'
    const final = await new Promise<{ language: string; words: unknown[] }>((resolve, reject) => {
      const options = { ...STT_OPTIONS, ...settings }
      say(stt.open(options, { ...NO_STT_EVENTS, onFinal: resolve, onError: reject }), 0, 0)
    })
    expect(final).toMatchObject({ language: 'en-US', words: { length: 3 } })
  })
})

const SPEECH_MS = 600
const UTTERANCE_MS = 1_200

/** Utterance `index`, with the VAD's hints, between silences. */
function say(session: SttSession, index: number, fromMs: number, rateHz = 16_000): void {
  const silence = new Int16Array(rateHz / 50)
  for (let ms = 0; ms < UTTERANCE_MS; ms += FRAME_MS) {
    const spokenMs = ms - 200
    const isSpeech = spokenMs >= 0 && spokenMs < SPEECH_MS
    session.push(isSpeech ? toneFrame(index, spokenMs, rateHz) : silence, fromMs + ms)
    if (spokenMs === 40) session.speechStarted(fromMs + 200)
    if (spokenMs === SPEECH_MS + 200) session.speechEnded(fromMs + 200 + SPEECH_MS)
  }
}

const CLOSE_CODES = [1_000, 1_001, 1_002, 1_003, 1_006, 1_007, 1_011, 1_013, 4_000, 4_429]
const STATUSES = ['Error', 'TooManyRequests', 'BadRequest', 'Forbidden', 'Unheard']
const STT_FAILURES: SttFailure[] = [
  ...[401, 403, 404, 429, 503].map(
    (status) => ({ kind: 'refuse', status, retryAfterSec: 1 }) as const,
  ),
  { kind: 'silent' },
  ...CLOSE_CODES.flatMap((code) =>
    [0, 500].map((afterAudioMs) => ({ kind: 'close', code, afterAudioMs }) as const),
  ),
  ...STATUSES.map((status) => ({ kind: 'status', status }) as const),
  { kind: 'turnEnd', everyAudioMs: 2_000 },
  { kind: 'twice' },
  { kind: 'garbage' },
  { kind: 'rewriting' },
  { kind: 'initialSilence', everyAudioMs: 400 },
]

/** Three utterances at a service that fails so, with another one behind it. */
async function liveThrough(failure: SttFailure, rateHz: SttRateHz) {
  const options = { finalMs: 300, textOf: textOfTone }
  const [bad, good] = [await AzureService.start(options), await AzureService.start(options)]
  bad.sttFailure = failure
  const account = (host: string) => ({ key: 'k', region: 'r', host })
  const ears = [bad, good].map(({ host }) => new AzureStt(account(host), { connectMs: 15_000 }))
  const failover = new FailoverStt(ears, { accounts: new CallAccounts() })
  const heard: string[] = []
  let errors = 0
  const session = failover.open(
    { ...STT_OPTIONS, rateHz },
    {
      ...NO_STT_EVENTS,
      onFinal: ({ text }) => void (text !== '' && heard.push(text)),
      onError: () => errors++,
    },
  )
  let atMs = 0
  for (let index = 0; index < 3; index++, atMs += UTTERANCE_MS) say(session, index, atMs, rateHz)
  const silence = new Int16Array(rateHz / 50)
  // Silence follows until all was heard: as long as the line lives, and no longer than a minute of it.
  for (; heard.length < 3 && atMs < 60_000; atMs += FRAME_MS) {
    session.push(silence, atMs)
    if (atMs % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  session.close()
  await failover.close()
  await Promise.all([bad.close(), good.close()])
  return { failure, heard, errors }
}

describe('a recogniser that fails, with the real SDK and another one behind it', () => {
  it.each([8_000, 16_000] as const)(
    `costs no call and no word, and doubles none, in ${STT_FAILURES.length} ways, at %i Hz`,
    async (rateHz) => {
      const outcomes = await Promise.all(
        STT_FAILURES.map((failure) => liveThrough(failure, rateHz)),
      )
      const heard = [0, 1, 2].map(phraseOf)
      expect(outcomes).toEqual(STT_FAILURES.map((failure) => ({ failure, heard, errors: 0 })))
    },
    60_000,
  )
})

describe('a line that gives no audio', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    { silence: 'sent' as const, leastMs: 61 * 200, mostMs: 64 * 200 },
    { silence: 'held' as const, leastMs: 8 * 200 + 10 * 100, mostMs: 9 * 200 + 12 * 100 },
  ])(
    '$silence: is kept awake by $leastMs to $mostMs of silence in 61 s, and what is said behind it keeps its time',
    async (of) => {
      const { silence, leastMs, mostMs } = of
      stt = new AzureStt(
        { key: 'k', region: 'r', host: service.host },
        { connectMs: 15_000, silence },
      )
      await stt.warm()
      const final = new Promise<{ startMs: number; text: string }>((resolve, reject) => {
        const session = stt.open(STT_OPTIONS, {
          ...NO_STT_EVENTS,
          onFinal: resolve,
          onError: reject,
        })
        session.push(new Int16Array(1_600), 0)
        // 61 s: longer than a service waits.
        setImmediate(() => {
          vi.advanceTimersByTime(62_000)
          say(session, 5, 62_100)
        })
      })
      expect(await final).toMatchObject({ text: phraseOf(5), startMs: 62_300 })
      const spokenMs = 100 + 1_200
      expect(service.audioBytes).toBeGreaterThanOrEqual(leastMs * 32)
      expect(service.audioBytes).toBeLessThanOrEqual((mostMs + 2_000 + spokenMs) * 32)
      expect(service.paths).toHaveLength(1)
    },
    30_000,
  )
})
