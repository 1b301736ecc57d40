/** Azure's utterances in Whisper's words: when they count, and that they never cost the call anything. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GroqService } from '../../bench/rig/groq-service.ts'
import { ProviderError } from '../../server/errors.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { GroqWhisper, trusted, type SecondEars } from '../../server/providers/groq-whisper.ts'
import { SecondHearing, type SecondHearingOutcome } from '../../server/providers/second-hearing.ts'
import type { SttOptions, SttSession, Transcript } from '../../server/providers/stt.ts'
import { broken, ScriptedEars, transcript, STT_OPTIONS } from './doubles.ts'

const OPTIONS = {
  ...STT_OPTIONS,
  secondHearing: 'whisper-large-v3-turbo' as const,
}

/** Whisper whose answers the test gives, in the order of the questions. */
class ScriptedWhisper implements SecondEars {
  readonly name = 'groq-whisper'
  readonly asked: {
    ms: number
    rateHz: number
    language: string | null
    signal: AbortSignal
    answer(text: string | null): void
    fail(error: Error): void
  }[] = []
  async warm(): Promise<void> {}

  transcribe(
    { pcm, rateHz, language }: { pcm: Int16Array; rateHz: number; language: string | null },
    signal: AbortSignal,
  ): Promise<string | null> {
    return new Promise((resolve, reject) => {
      this.asked.push({
        ms: (pcm.length * 1_000) / rateHz,
        rateHz,
        language,
        signal,
        answer: resolve,
        fail: reject,
      })
    })
  }
}

let first: ScriptedEars
let whisper: ScriptedWhisper
let outcomes: SecondHearingOutcome[]
let heard: { kind: 'partial' | 'final' | 'error'; text: string }[]
let accounts: CallAccounts
let hearing: SecondHearing

beforeEach(() => {
  vi.useFakeTimers()
  first = new ScriptedEars('azure')
  whisper = new ScriptedWhisper()
  outcomes = []
  heard = []
  accounts = new CallAccounts()
  accounts.open('call-1', () => undefined)
  hearing = new SecondHearing(first, whisper, {
    accounts,
    onOutcome: (outcome) => outcomes.push(outcome),
  })
})
afterEach(async () => {
  await hearing.close()
  vi.useRealTimers()
})

function open(options: Partial<SttOptions> = {}): SttSession {
  return hearing.open(
    { ...OPTIONS, ...options },
    {
      onPartial: ({ text }) => heard.push({ kind: 'partial', text }),
      onFinal: ({ text }) => heard.push({ kind: 'final', text }),
      onError: ({ code }) => heard.push({ kind: 'error', text: code }),
    },
  )
}

/** Speech from `startMs` to `endMs`, with 200 ms of silence behind it until the VAD is sure. */
function say(session: SttSession, startMs: number, endMs: number, rateHz = 16_000): void {
  for (let atMs = startMs; atMs < endMs + 200; atMs += 20) {
    session.push(new Int16Array(rateHz / 50).fill(atMs < endMs ? 1_000 : 0), atMs)
    if (atMs === startMs + 40) session.speechStarted(startMs)
  }
  session.speechEnded(endMs)
}

const settle = () => vi.advanceTimersByTimeAsync(0)
const events = () => first.last.events
const final = (of: Transcript) => events().onFinal(of)

describe('second hearing', () => {
  it("puts Whisper's words into the final that comes behind them, once", async () => {
    const session = open()
    say(session, 1_000, 2_000)
    expect(whisper.asked[0]!.ms).toBeGreaterThanOrEqual(1_000)
    whisper.asked[0]!.answer('Quiero una cita con Ubrokers.')
    await settle()
    final(transcript('Quiero una cita con hubo brokers.', 1_020, 1_990))
    expect(heard).toEqual([{ kind: 'final', text: 'Quiero una cita con Ubrokers.' }])
    expect(outcomes).toEqual(['used'])
  })

  it('puts them into a partial that is not final yet, and into the partials that follow', async () => {
    const session = open()
    say(session, 1_000, 2_000)
    events().onPartial(transcript('quiero una zeta', 1_000, 1_900))
    whisper.asked[0]!.answer('Quiero una cita.')
    await settle()
    events().onPartial(transcript('quiero una zeta', 1_000, 2_000))
    expect(heard.map(({ text }) => text)).toEqual([
      'quiero una zeta',
      'Quiero una cita.',
      'Quiero una cita.',
    ])
  })

  it('lets a final wait 250 ms for them and then go on as it is; what comes later changes nothing', async () => {
    const session = open()
    say(session, 1_000, 2_000)
    final(transcript('Azure uno.', 1_000, 2_000))
    await vi.advanceTimersByTimeAsync(249)
    expect(heard).toEqual([])
    await vi.advanceTimersByTimeAsync(2)
    expect(heard).toEqual([{ kind: 'final', text: 'Azure uno.' }])
    whisper.asked[0]!.answer('Whisper uno.')
    await settle()
    expect(heard).toHaveLength(1)
    expect(outcomes).toEqual(['late'])
  })

  it('keeps the order of finals while the first of them waits', async () => {
    const session = open()
    say(session, 1_000, 2_000)
    say(session, 3_000, 4_000)
    whisper.asked[1]!.answer('Whisper dos.')
    await settle()
    final(transcript('Azure uno.', 1_000, 2_000))
    final(transcript('Azure dos.', 3_000, 4_000))
    expect(heard).toEqual([])
    whisper.asked[0]!.answer('Whisper uno.')
    await settle()
    expect(heard.map(({ text }) => text)).toEqual(['Whisper uno.', 'Whisper dos.'])
  })

  it("joins two utterances of the VAD that are one final, and keeps Azure's when one is missing", async () => {
    const session = open()
    say(session, 1_000, 1_600)
    say(session, 1_900, 2_600)
    whisper.asked[0]!.answer('Buenos días,')
    whisper.asked[1]!.answer('soy Ana.')
    await settle()
    final(transcript('Buenos tías soy Ana', 1_000, 2_600))
    say(session, 4_000, 4_600)
    say(session, 4_900, 5_600)
    whisper.asked[2]!.answer('Quiero,')
    whisper.asked[3]!.answer(null)
    await settle()
    final(transcript('Quiero información.', 4_000, 5_600))
    expect(heard.map(({ text }) => text)).toEqual(['Buenos días, soy Ana.', 'Quiero información.'])
  })

  it('makes no utterance of noise: an empty final stays empty and does not wait', () => {
    const session = open()
    say(session, 1_000, 2_000)
    final(transcript('', 1_000, 2_000))
    expect(heard).toEqual([{ kind: 'final', text: '' }])
  })

  it('asks nothing about a sound of less than 300 ms, and no more than 3 utterances at a time', () => {
    const session = open()
    say(session, 1_000, 1_200)
    expect(whisper.asked).toHaveLength(0)
    for (let i = 0; i < 5; i++) say(session, 2_000 + i * 1_000, 2_600 + i * 1_000)
    expect(whisper.asked).toHaveLength(3)
    expect(outcomes).toEqual(['dropped', 'dropped'])
  })

  it('goes on with the first recogniser when it fails, and leaves it alone after 2 failures', async () => {
    const session = open()
    for (const startMs of [1_000, 3_000, 5_000]) {
      say(session, startMs, startMs + 1_000)
      whisper.asked.at(-1)!.fail(new ProviderError('STT_TIMEOUT', 'late', { retryable: true }))
      await settle()
      final(transcript(`Azure ${startMs}`, startMs, startMs + 1_000))
    }
    expect(heard.map(({ text }) => text)).toEqual(['Azure 1000', 'Azure 3000', 'Azure 5000'])
    expect(whisper.asked).toHaveLength(2)
    expect(outcomes).toEqual(['failed', 'failed', 'failed'])
  })

  it('asks about the same 1.2 s of an utterance at 8 kHz as at 16, at the rate that the first recogniser wants', () => {
    expect(hearing.rateFor(8_000)).toBe(16_000)
    first.telephoneRateHz = 8_000
    expect([8_000, 16_000].map((lineRateHz) => hearing.rateFor(lineRateHz))).toEqual([
      8_000, 16_000,
    ])
    for (const rateHz of [8_000, 16_000] as const) {
      say(open({ rateHz }), 1_000, 2_000, rateHz)
      expect(first.last.options.rateHz).toBe(rateHz)
    }
    const asked = whisper.asked.map(({ ms, rateHz }) => ({ ms, rateHz }))
    expect(asked).toEqual([
      { ms: 1_200, rateHz: 8_000 },
      { ms: 1_200, rateHz: 16_000 },
    ])
    expect(accounts.close('call-1').sttSeconds).toEqual({ 'groq-whisper': 20 })
  })

  it('books 10 s for each utterance, as Groq does, and nothing when it is off', () => {
    say(open(), 1_000, 2_000)
    say(open({ secondHearing: 'off' }), 3_000, 4_000)
    expect(accounts.close('call-1').sttSeconds).toEqual({ 'groq-whisper': 10 })
  })

  it('is told the profile’s language, and none where there are several', () => {
    say(open(), 1_000, 2_000)
    say(open({ languages: ['es-MX'] }), 1_000, 2_000)
    say(open({ languages: ['es-MX', 'en-US'] }), 1_000, 2_000)
    expect(whisper.asked.map(({ language }) => language)).toEqual(['es-MX', 'es-MX', null])
  })

  it('gives out what waits before an error, and aborts what is under way when it is closed', () => {
    const session = open()
    say(session, 1_000, 2_000)
    final(transcript('Azure uno.', 1_000, 2_000))
    events().onError(broken('STT'))
    expect(heard.map(({ kind }) => kind)).toEqual(['final', 'error'])
    session.close()
    expect(whisper.asked[0]!.signal.aborted).toBe(true)
    expect(first.last.closed).toBe(true)
  })
})

describe("Whisper's words", () => {
  const sure = { no_speech_prob: 0.01, avg_logprob: -0.2, compression_ratio: 1.2 }
  const judge = (text: string, doubt: Partial<typeof sure> = {}, durationMs = 2_000) =>
    trusted({ text, segments: [{ ...sure, ...doubt }] }, durationMs)

  it('are trusted when they are sure and fit the duration', () => {
    expect(judge(' Quiero una cita.')).toBe('Quiero una cita.')
    expect(trusted({ text: ' Sí.', segments: null }, 400)).toBe('Sí.')
  })

  it('are not when they are known inventions, empty, doubted, or too many for the time', () => {
    const invented = '¡Gracias por ver el video!'
    for (const text of ['', ' ... ', invented, 'Subtítulos por la comunidad de Amara.org']) {
      expect(judge(text)).toBeNull()
    }
    expect(judge('Hola.', { no_speech_prob: 0.7 })).toBeNull()
    expect(judge('Hola.', { avg_logprob: -1.2 })).toBeNull()
    expect(judge('Hola.', { compression_ratio: 2.6 })).toBeNull()
    expect(judge('x'.repeat(70), {}, 2_000)).toBeNull()
  })
})

describe('Groq Whisper over the real SDK', () => {
  const key = 'key-that-nobody/may+see'
  const pcm = new Int16Array(16_000).fill(500)
  const utterance = {
    pcm,
    rateHz: 16_000 as const,
    language: 'es-MX',
    model: 'whisper-large-v3-turbo' as const,
  }
  const never = new AbortController().signal
  let groq: GroqService

  beforeEach(async () => {
    vi.useRealTimers()
    groq = await GroqService.start({ key, whisperMs: 1, transcriptOf: () => 'Quiero una cita.' })
  })
  afterEach(() => groq.close())

  it('posts 1 s of audio as WAV of 32 044 bytes with model and language', async () => {
    const ears = new GroqWhisper({ apiKey: key, baseUrl: `${groq.url}/openai/v1` })
    await ears.warm()
    expect(await ears.transcribe(utterance, never)).toBe('Quiero una cita.')
    expect(groq.heard).toEqual([
      {
        bytes: 32_044,
        rateHz: 16_000,
        fields: {
          model: 'whisper-large-v3-turbo',
          language: 'es',
          response_format: 'verbose_json',
          temperature: '0',
        },
      },
    ])
    await ears.transcribe({ ...utterance, language: null }, never)
    expect(groq.heard[1]!.fields).not.toHaveProperty('language')
    groq.whisperDoubt.no_speech_prob = 0.9
    expect(await ears.transcribe(utterance, never)).toBeNull()
  })

  it('posts 1 s of a telephone line as 8 kHz WAV of 16 044 bytes, and trusts as much text of it', async () => {
    const ears = new GroqWhisper({ apiKey: key, baseUrl: groq.url })
    const telephone = { ...utterance, pcm: pcm.subarray(0, 8_000), rateHz: 8_000 as const }
    expect(await ears.transcribe(telephone, never)).toBe('Quiero una cita.')
    expect(groq.heard[0]).toMatchObject({ bytes: 16_044, rateHz: 8_000 })
  })

  it('fails with a code of its own, and never with the key, when Groq refuses, limits or garbles', async () => {
    const ears = new GroqWhisper({ apiKey: key, baseUrl: groq.url })
    const codes: string[] = []
    const refused = new GroqWhisper({ apiKey: `${key}-2`, baseUrl: groq.url })
    const failures = [
      () => refused.transcribe(utterance, never),
      ...([429, 503] as const).map((status) => () => {
        groq.whisperFailure = { kind: 'status', status, retryAfterSec: 120 }
        return ears.transcribe(utterance, never)
      }),
      () => {
        groq.whisperFailure = { kind: 'garbage' }
        return ears.transcribe(utterance, never)
      },
    ]
    for (const fail of failures) {
      const error = (await fail().catch((caught: unknown) => caught)) as ProviderError
      codes.push(error.code)
      expect(JSON.stringify([error.message, error.stack, String(error.cause)])).not.toContain(key)
    }
    expect(codes).toEqual([
      'STT_UNAVAILABLE',
      'STT_RATE_LIMITED',
      'STT_UNAVAILABLE',
      'STT_BAD_RESPONSE',
    ])
  })

  it('ends when it is aborted while Groq is silent', async () => {
    groq.whisperFailure = { kind: 'silent' }
    const abort = new AbortController()
    const ears = new GroqWhisper({ apiKey: key, baseUrl: groq.url })
    const asked = ears.transcribe(utterance, abort.signal).catch((error: unknown) => error)
    abort.abort()
    expect(await asked).toBeInstanceOf(ProviderError)
  })
})
