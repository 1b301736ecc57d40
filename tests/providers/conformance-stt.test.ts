/** What every recogniser must do, run through each implementation and each wrapper around one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { GroqService } from '../../bench/rig/groq-service.ts'
import { PROVIDER_NAMES } from '../../server/config.ts'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { EmbeddedStt } from '../../server/providers/embedded-stt.ts'
import { EmbeddedTts } from '../../server/providers/embedded-tts.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import { GroqWhisper } from '../../server/providers/groq-whisper.ts'
import { HalfRate } from '../../server/providers/half-rate.ts'
import { SecondHearing } from '../../server/providers/second-hearing.ts'
import type { SttProvider, SttRateHz, SttSession, Transcript } from '../../server/providers/stt.ts'
import { STT_OPTIONS } from './doubles.ts'

const SAID = 'Quiero hablar con una persona, por favor.'
const OPTIONS = {
  ...STT_OPTIONS,
  secondHearing: 'whisper-large-v3-turbo' as const,
}
/** The call is not at its beginning. */
const BEGIN_MS = 5_000
const LEAD_MS = 400
const TAIL_MS = 1_500
const RATES = [8_000, 16_000] as const

let azure: AzureService
let groq: GroqService
/** SAID by the embedded voice, by its rate. */
let speech: Record<SttRateHz, Int16Array>
/** 8 or 16 kHz. */
let rateHz: SttRateHz = 16_000
const accounts = new CallAccounts()

beforeAll(async () => {
  azure = await AzureService.start({ finalMs: 700, textOf: () => SAID })
  groq = await GroqService.start({ whisperMs: 1, transcriptOf: () => SAID })
  const voice = new EmbeddedTts()
  const request = {
    callId: '',
    text: SAID,
    voice: { name: '', language: 'es-MX', style: null, speed: 1 },
  }
  const samples: number[] = []
  for await (const event of voice.synthesize(request, new AbortController().signal)) {
    if (event.kind === 'audio') samples.push(...event.pcm)
  }
  await voice.close()
  const wide = Int16Array.from(samples)
  const half = new HalfRate()
  speech = { 8_000: Int16Array.from([...half.push(wide), ...half.finish()]), 16_000: wide }
}, 30_000)
afterAll(async () => {
  await Promise.all([azure.close(), groq.close()])
})

const newAzure = () =>
  new AzureStt({ key: 'k', region: 'eastus', host: azure.host }, { connectMs: 15_000 })
const newFailover = () => new FailoverStt([newAzure()], { accounts })
const IMPLEMENTATIONS: [string, () => SttProvider][] = [
  ['azure', newAzure],
  ['embedded', () => new EmbeddedStt({ workers: 1 })],
  ['azure behind a failover', newFailover],
  [
    'azure with a second hearing',
    () =>
      new SecondHearing(newFailover(), new GroqWhisper({ apiKey: 'k', baseUrl: groq.url }), {
        accounts,
      }),
  ],
]

it('covers every recogniser that can be configured', () => {
  const covered = new Set(IMPLEMENTATIONS.map(([name]) => name))
  for (const name of PROVIDER_NAMES.stt) expect(covered).toContain(name)
})

/** Silence, the sentence with the VAD's hints, silence; every frame in one and the same array. @returns the time behind. */
function say(session: SttSession, fromMs: number): number {
  const pcm = speech[rateHz]
  const perMs = rateHz / 1_000
  const startMs = fromMs + LEAD_MS
  const endMs = startMs + pcm.length / perMs
  const shared = new Int16Array(20 * perMs)
  let atMs = fromMs
  for (let isOpen = false, isOver = false; atMs < endMs + TAIL_MS; atMs += 20) {
    const at = (atMs - startMs) * perMs
    for (let i = 0; i < shared.length; i++) shared[i] = pcm[at + i] ?? 0
    session.push(shared, atMs)
    if (!isOpen && atMs >= startMs) session.speechStarted(startMs)
    isOpen ||= atMs >= startMs
    if (!isOver && atMs >= endMs + 200) session.speechEnded(endMs)
    isOver ||= atMs >= endMs + 200
  }
  return atMs
}

/** Opens, lets `feed` push, and waits for so many finals. */
function finalsOf(
  stt: SttProvider,
  count: number,
  feed: (session: SttSession) => void,
): Promise<Transcript[]> {
  return new Promise((resolve, reject) => {
    const finals: Transcript[] = []
    const session = stt.open(
      { ...OPTIONS, rateHz },
      {
        onPartial: () => undefined,
        onFinal: (final) => {
          finals.push(final)
          if (finals.length < count) return
          session.close()
          resolve(finals)
        },
        onError: reject,
      },
    )
    feed(session)
  })
}

describe.each(IMPLEMENTATIONS)('recogniser %s', (name, create) => {
  // One for all its tests: loading a model takes seconds.
  let stt: SttProvider
  beforeAll(async () => {
    stt = create()
    await stt.warm()
  }, 120_000)
  afterAll(() => stt.close())

  it('has its name, and may be warmed up twice', async () => {
    expect(stt.name).toBe(name.split(' ')[0])
    await stt.warm()
  }, 40_000)

  it.each(RATES)(
    'gives one final for each of two sentences at %i Hz, in the call’s audio time and in order',
    async (at) => {
      rateHz = at
      const speechMs = speech[16_000].length / 16
      let secondMs = 0
      const finals = await finalsOf(stt, 2, (session) => {
        secondMs = say(session, BEGIN_MS)
        say(session, secondMs)
      })
      for (const [index, final] of finals.entries()) {
        const startMs = (index === 0 ? BEGIN_MS : secondMs) + LEAD_MS
        expect(final.text.toLowerCase()).toContain('hablar con una persona')
        expect(final.language).toBe('es-MX')
        expect(Math.abs(final.startMs - startMs)).toBeLessThan(400)
        expect(Math.abs(final.endMs - (startMs + speechMs))).toBeLessThan(600)
        expect(final.confidence ?? 1).toBeGreaterThan(0)
        expect(final.confidence ?? 0).toBeLessThanOrEqual(1)
        for (const word of final.words) {
          expect(word.startMs).toBeGreaterThanOrEqual(final.startMs)
          expect(word.endMs).toBeLessThanOrEqual(final.endMs)
        }
      }
    },
    40_000,
  )

  it('reports nothing after close(), which may come twice, and takes audio without complaint', async () => {
    let events = 0
    const count = () => void (events += 1)
    const session = stt.open(OPTIONS, { onPartial: count, onFinal: count, onError: count })
    say(session, BEGIN_MS)
    session.close()
    session.close()
    say(session, BEGIN_MS + 10_000)
    // Another session's final proves that the first one's would have come by now.
    await finalsOf(stt, 1, (other) => void say(other, BEGIN_MS))
    expect(events).toBe(0)
  }, 40_000)
})
