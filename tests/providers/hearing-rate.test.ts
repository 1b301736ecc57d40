/** The rate at which a call is heard: who decides it, and that words, their times and their owners are the same at both. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { phraseOf, textOfTone, toneFrame } from '../../bench/rig/spoken-tone.ts'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { EmbeddedStt } from '../../server/providers/embedded-stt.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import {
  recogniserFor,
  type LineRecogniser,
  type SttProvider,
  type Transcript,
} from '../../server/providers/stt.ts'
import { broken, ScriptedEars, transcript, NO_STT_EVENTS, STT_OPTIONS } from './doubles.ts'

const LINES_HZ = [8_000, 16_000, 24_000, 48_000]
const ratesOf = (stt: SttProvider) => LINES_HZ.map((hz) => recogniserFor(stt, hz).rateHz)

let service: AzureService
let stt: AzureStt
const account = () => ({ key: 'k', region: 'r', host: service.host })

beforeEach(async () => {
  service = await AzureService.start({ textOf: textOfTone, finalMs: 500 })
  stt = new AzureStt(account(), { connectMs: 15_000 })
  await stt.warm()
})
afterEach(async () => {
  await stt.close()
  await service.close()
})

describe('the rate of a line of 8, 16, 24 and 48 kHz', () => {
  it('is 8, 16, 16 and 16 kHz at Azure, and 16 for all where AZURE_STT_RATE says so', () => {
    expect(ratesOf(stt)).toEqual([8_000, 16_000, 16_000, 16_000])
    expect(ratesOf(new AzureStt(account(), { rate: 16_000 }))).toEqual(LINES_HZ.map(() => 16_000))
  })

  it('is 16 kHz for all at a recogniser that says nothing: the embedded one', async () => {
    const embedded = new EmbeddedStt()
    expect(ratesOf(embedded)).toEqual(LINES_HZ.map(() => 16_000))
    await embedded.close()
  })

  it('is what the preferred one of several wants, whoever stands in', async () => {
    const embedded = new EmbeddedStt()
    const accounts = new CallAccounts()
    const [first, last] = [new FailoverStt([stt, embedded], { accounts }), [embedded, stt]]
    expect(ratesOf(first)[0]).toBe(8_000)
    expect(ratesOf(new FailoverStt(last, { accounts }))[0]).toBe(16_000)
    await embedded.close()
  })
})

/** 2 phrases of 600 ms, at 1 000 and 3 000 ms of the call. */
async function hear(ear: Pick<LineRecogniser, 'open' | 'rateHz'>) {
  const finals: Transcript[] = []
  const partials: Transcript[] = []
  const silence = new Int16Array(ear.rateHz / 50)
  await new Promise<void>((resolve, reject) => {
    const session = ear.open(STT_OPTIONS, {
      onPartial: (partial) => void partials.push(partial),
      onFinal: (final) => finals.push(final) === 2 && (session.close(), resolve()),
      onError: reject,
    })
    for (let atMs = 0; atMs < 5_000; atMs += 20) {
      const phrase = Math.floor(atMs / 2_000)
      const fromMs = atMs - phrase * 2_000 - 1_000
      const isSpoken = phrase < 2 && fromMs >= 0 && fromMs < 600
      session.push(isSpoken ? toneFrame(phrase + 4, fromMs, ear.rateHz) : silence, atMs)
    }
  })
  return { finals, partials }
}

describe('a call at the real SDK', () => {
  it('gives the same partials, finals and word times at 8 as at 16 kHz, of half the bytes', async () => {
    const heard = []
    const bytes: number[] = []
    for (const lineRateHz of [16_000, 8_000]) {
      const before = service.audioBytes
      heard.push(await hear(recogniserFor(stt, lineRateHz)))
      bytes.push(service.audioBytes - before)
    }
    expect(service.ratesHz).toEqual([16_000, 8_000])
    expect(heard[1]).toEqual(heard[0])
    expect(heard[0]!.finals.map(({ text, startMs, endMs }) => [text, startMs, endMs])).toEqual([
      [phraseOf(4), 1_000, 1_600],
      [phraseOf(5), 3_000, 3_600],
    ])
    expect(heard[0]!.finals[0]!.words.map(({ startMs }) => startMs)).toEqual([1_000, 1_200, 1_400])
    expect(bytes[1]! / bytes[0]!).toBeCloseTo(0.5, 1)
  }, 40_000)

  it('takes a connection that was opened while it rang at its own rate, and no other', async () => {
    const [narrow, wide] = [8_000, 16_000].map((hz) => recogniserFor(stt, hz))
    narrow!.prepare(STT_OPTIONS)
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(1)
    await hear(wide!)
    expect(service.paths).toHaveLength(2)
    await hear(narrow!)
    expect(service.paths).toHaveLength(2)
    expect([...service.ratesHz].sort()).toEqual([16_000, 8_000])
  }, 40_000)
})

describe('a phrase that is heard again in its middle', () => {
  it.each([8_000, 16_000] as const)(
    'goes to the next one from 600 ms before it, at %i Hz',
    async (rateHz) => {
      const [first, next] = [new ScriptedEars('first'), new ScriptedEars('next')]
      first.telephoneRateHz = rateHz
      const failover = new FailoverStt([first, next], { accounts: new CallAccounts() })
      const ear = recogniserFor(failover, 8_000)
      const heard: string[] = []
      const session = ear.open(STT_OPTIONS, {
        ...NO_STT_EVENTS,
        onFinal: ({ text }) => void heard.push(text),
      })
      const push = (fromMs: number, toMs: number): void => {
        for (let atMs = fromMs; atMs < toMs; atMs += 20) {
          session.push(new Int16Array(rateHz / 50).fill(atMs / 20), atMs)
        }
      }
      push(0, 3_000)
      session.speechStarted(3_000)
      push(3_000, 3_500)
      first.last.events.onError(broken('STT'))
      push(3_500, 4_000)
      expect(next.last.options.rateHz).toBe(rateHz)
      const frames = next.last.frames
      expect(frames.map(({ atMs }) => atMs)).toEqual(
        Array.from({ length: 80 }, (_, i) => 2_400 + 20 * i),
      )
      expect(frames.map(({ first: sample }) => sample)).toEqual(frames.map(({ atMs }) => atMs / 20))
      next.last.events.onFinal(transcript('Una cita.', 3_000, 3_900))
      expect(heard).toEqual(['Una cita.'])
      session.close()
      await failover.close()
    },
  )
})
