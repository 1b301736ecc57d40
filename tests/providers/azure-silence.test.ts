/** What of a call is sent to Azure's recogniser: the real SDK against the emulator, which counts in the audio it was sent. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { phraseOf, textOfTone, toneFrame } from '../../bench/rig/spoken-tone.ts'
import { sparePieces } from '../../server/providers/azure-audio.ts'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { FailoverStt } from '../../server/providers/failover-stt.ts'
import type { FrameSound, SttSession, Transcript } from '../../server/providers/stt.ts'
import { STT_OPTIONS } from './doubles.ts'

const RATES = [8_000, 16_000] as const
let rateHz: (typeof RATES)[number]
const FRAME_MS = 20
const QUIET: FrameSound = { levelDbfs: -70, probability: 0.01, speech: false }
const VOICE: FrameSound = { levelDbfs: -17, probability: 0.9, speech: true }
/** A second in which the floor is learned, and the hangover. */
const BEGINNING_MS = 2_500
/** Pre-roll, phrase, the time in which the smoothed level sinks, hangover. */
const AROUND_PHRASE_MS = 600 + 600 + 180 + 1_500

let service: AzureService
let stt: AzureStt
let tally: { sentMs: number; heldMs: number }
const connect = (silence: 'held' | 'sent' = 'held') =>
  new AzureStt(
    { key: 'k', region: 'r', host: service.host },
    {
      ...{ connectMs: 15_000, silence },
      onAudio: (sentMs, heldMs) => {
        tally.sentMs += sentMs
        tally.heldMs += heldMs
      },
    },
  )

beforeEach(async () => {
  service = await AzureService.start({ textOf: textOfTone })
  tally = { sentMs: 0, heldMs: 0 }
  stt = connect()
  await stt.warm()
})
afterEach(async () => {
  await stt.close()
  await service.close()
})

function quiet(session: SttSession, fromMs: number, toMs: number): void {
  const silence = new Int16Array(rateHz / 50)
  for (let ms = fromMs; ms < toMs; ms += FRAME_MS) session.push(silence, ms, QUIET)
}

/** 600 ms of utterance `index`. `softMs`: so much of its beginning is taken for quiet. */
function say(session: SttSession, index: number, atMs: number, softMs = 0): void {
  for (let ms = 0; ms < 600; ms += FRAME_MS) {
    session.push(toneFrame(index, ms, rateHz), atMs + ms, ms < softMs ? QUIET : VOICE)
  }
}

/** Opens a session whose finals are collected; `until` waits for their number, without a clock that moves fake timers. */
function listen(from: Pick<AzureStt, 'open'> = stt) {
  const finals: Transcript[] = []
  const partials: string[] = []
  const looks = new Set<(error?: Error) => void>()
  const session = from.open(
    { ...STT_OPTIONS, rateHz },
    {
      onPartial: ({ text }) => void partials.push(text),
      onFinal: (final) => {
        if (final.text !== '') finals.push(final)
        for (const look of looks) look()
      },
      onError: (error) => {
        for (const look of looks) look(error)
      },
    },
  )
  const until = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (error?: Error): void => {
        if (error !== undefined) reject(error)
        else if (finals.length >= count) resolve()
      }
      looks.add(look)
      look()
    })
  return { session, finals, partials, until }
}

const heard = (finals: readonly Transcript[]) => finals.map(({ text, startMs }) => [text, startMs])

describe.each(RATES)('at %i Hz', (at) => {
  beforeEach(() => {
    rateHz = at
  })

  describe('silence at the recogniser of Azure', () => {
    it('hears a word whose first 400 ms were taken for quiet from its beginning', async () => {
      const { session, finals, until } = listen()
      quiet(session, 0, 9_000)
      say(session, 7, 9_000, 400)
      quiet(session, 9_600, 12_000)
      await until(1)
      expect(heard(finals)).toEqual([[phraseOf(7), 9_000]])
      expect(finals[0]?.endMs).toBe(9_600)
    }, 40_000)

    it('is sent while a phrase is owed: a final 3 s behind the speech comes all the same', async () => {
      await service.close()
      service = await AzureService.start({ textOf: textOfTone, finalMs: 3_000 })
      stt = connect()
      const { session, partials, finals, until } = listen()
      say(session, 3, 0)
      quiet(session, 600, 1_000)
      await expect.poll(() => partials.length, { timeout: 30_000 }).toBeGreaterThan(0)
      quiet(session, 1_000, 9_000)
      await until(1)
      expect(heard(finals)).toEqual([[phraseOf(3), 0]])
      session.close()
      // The phrase lies in the first second; behind it come hangover and what is sent for a phrase that is owed.
      expect(tally.sentMs).toBe(1_000 + 1_500 + 4_000)
    }, 40_000)

    it('keeps the time of what is said behind 3 s that the line left out while it was held', async () => {
      const { session, finals, until } = listen()
      quiet(session, 0, 8_000)
      quiet(session, 11_000, 11_200)
      say(session, 5, 11_200)
      quiet(session, 11_800, 14_000)
      await until(1)
      expect(heard(finals)).toEqual([[phraseOf(5), 11_200]])
    }, 40_000)

    it('comes back with what was said before a final: 2 calls hear 3 phrases each in the memory of the others', async () => {
      const lines = [listen(), listen()]
      const returned: number[] = []
      for (let index = 0; index < 3; index++) {
        const atMs = index * 4_000
        for (const [line, { session, until }] of lines.entries()) {
          const before = sparePieces[rateHz].count
          quiet(session, atMs, atMs + 900)
          say(session, index + 3 * line, atMs + 900)
          quiet(session, atMs + 1_500, atMs + 4_000)
          await until(index + 1)
          returned.push(sparePieces[rateHz].count - before)
        }
      }
      expect(lines.map(({ finals }) => heard(finals))).toEqual(
        [0, 3].map((first) => [0, 1, 2].map((i) => [phraseOf(first + i), i * 4_000 + 900])),
      )
      expect(Math.max(...returned)).toBeGreaterThanOrEqual(5)
    }, 60_000)

    it('is all sent where AZURE_STT_SILENCE says so', async () => {
      stt = connect('sent')
      const { session, finals, until } = listen()
      quiet(session, 0, 6_000)
      say(session, 2, 6_000)
      quiet(session, 6_600, 9_000)
      await until(1)
      expect(heard(finals)).toEqual([[phraseOf(2), 6_000]])
      session.close()
      expect(tally).toEqual({ sentMs: 9_000, heldMs: 0 })
    }, 40_000)
  })

  describe('silence that is held, second by second', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    })
    afterEach(() => {
      vi.useRealTimers()
    })

    it('is held: of 51 s with 6 phrases it is sent 20 s, loses no word, and each has its time', async () => {
      const { session, finals, until } = listen()
      await expect.poll(() => service.contexts.length, { timeout: 15_000 }).toBe(1)
      let atMs = 0
      const expected: [string, number][] = []
      for (let index = 0; index < 6; index++) {
        quiet(session, atMs, atMs + 7_600)
        expected.push([phraseOf(index), atMs + 7_600])
        say(session, index, atMs + 7_600)
        atMs += 8_200
      }
      quiet(session, atMs, atMs + 2_000)
      await until(6)
      expect(heard(finals)).toEqual(expected)
      for (const { startMs, words } of finals) {
        expect(words.map((word) => word.startMs)).toEqual([startMs, startMs + 200, startMs + 400])
      }
      session.close()
      const sentMs = BEGINNING_MS + 6 * AROUND_PHRASE_MS
      expect(sentMs).toBe(19_780)
      expect(tally).toEqual({ sentMs, heldMs: 51_200 - sentMs })
      expect(session.sentMs).toBe(sentMs)
      // The final comes before the last of the silence.
      expect(new Set(service.ratesHz)).toEqual(new Set([rateHz]))
      expect(service.audioBytes).toBeLessThanOrEqual((sentMs * rateHz * 2) / 1_000)
    }, 40_000)

    it('is kept through 60 s by 100 ms of silence each 5 s, and what is said behind it keeps its time', async () => {
      const { session, finals, until } = listen()
      await expect.poll(() => service.contexts.length, { timeout: 15_000 }).toBe(1)
      for (let second = 0; second < 63; second++) {
        quiet(session, second * 1_000, second * 1_000 + 1_000)
        vi.advanceTimersByTime(1_000)
      }
      say(session, 9, 63_000)
      quiet(session, 63_600, 66_000)
      await until(1)
      expect(heard(finals)).toEqual([[phraseOf(9), 63_000]])
      expect(service.paths).toHaveLength(1)
      session.close()
      expect(tally.sentMs).toBe(BEGINNING_MS + 12 * 100 + AROUND_PHRASE_MS)
    }, 40_000)
  })

  describe('one recogniser in place of another while silence is held', () => {
    it('hears each phrase once, through a renewal behind 8 minutes and the death of a service', async () => {
      const next = await AzureService.start({ textOf: textOfTone })
      const second = new AzureStt({ key: 'k', region: 'r', host: next.host }, { connectMs: 15_000 })
      const accounts = new CallAccounts()
      accounts.open('call-1', () => undefined)
      const failover = new FailoverStt([stt, second], { accounts })
      const { session, finals, until } = listen(failover)
      const spoken = (index: number, atMs: number): void => {
        session.speechStarted(atMs)
        say(session, index, atMs)
        session.speechEnded(atMs + 600)
      }
      quiet(session, 0, 4_000)
      spoken(1, 4_000)
      quiet(session, 4_600, 8_000)
      await until(1)
      quiet(session, 8_000, 486_000)
      await expect.poll(() => service.paths.length, { timeout: 15_000 }).toBe(2)
      spoken(2, 486_000)
      quiet(session, 486_600, 490_000)
      await until(2)
      await service.close()
      // The SDK opens a broken connection again when it has audio; that it cannot is known with the next word.
      quiet(session, 490_000, 500_000)
      spoken(3, 500_000)
      quiet(session, 500_600, 501_000)
      await expect.poll(() => next.paths.length, { timeout: 15_000 }).toBe(1)
      quiet(session, 501_000, 504_000)
      await until(3)
      expect(heard(finals)).toEqual([
        [phraseOf(1), 4_000],
        [phraseOf(2), 486_000],
        [phraseOf(3), 500_000],
      ])
      session.close()
      await failover.close()
      await next.close()
      // Of 504 s that were heard.
      expect(accounts.close('call-1').sttSeconds['azure']).toBeLessThan(25)
    }, 60_000)
  })
})
