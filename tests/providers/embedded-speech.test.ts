/** The embedded voice speaks into a telephone, the embedded recogniser listens at the other end. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ProviderError } from '../../server/errors.ts'
import { EmbeddedStt } from '../../server/providers/embedded-stt.ts'
import { EmbeddedTts } from '../../server/providers/embedded-tts.ts'
import type { SttEvents, Transcript } from '../../server/providers/stt.ts'
import type { TtsRequest } from '../../server/providers/tts.ts'
import { throughTelephone } from './telephone-line.ts'

let rateHz: 8_000 | 16_000 = 16_000

const tts = new EmbeddedTts()
const stt = new EmbeddedStt({ workers: 1 })

beforeAll(async () => {
  await Promise.all([tts.warm(), stt.warm()])
})

afterAll(async () => {
  await Promise.all([tts.close(), stt.close()])
})

function request(text: string, language = 'es-MX', speed = 1): TtsRequest {
  return { callId: 'call-1', text, voice: { name: 'any', language, style: null, speed } }
}

async function spoken(wanted: TtsRequest): Promise<Int16Array> {
  const samples: number[] = []
  for await (const event of tts.synthesize(wanted, new AbortController().signal)) {
    if (event.kind === 'audio') samples.push(...event.pcm)
  }
  return Int16Array.from(samples)
}

/** Says the text over a telephone line to a session of its own; resolves with what it heard. */
async function heard(text: string, language = 'es-MX'): Promise<Transcript> {
  const line = onTheLine(await spoken(request(text, language)))
  return new Promise((resolve, reject) => {
    const session = stt.open(sttOptions(language), {
      ...ignored,
      onFinal: (final) => {
        session.close()
        resolve(final)
      },
      onError: reject,
    })
    feed(session, line)
  })
}

/** At `rateHz`. Behind the telephone nothing is left above 4 kHz: every second sample says as much as all. */
function onTheLine(pcm: Int16Array): Int16Array {
  const line = throughTelephone(pcm)
  return rateHz === 16_000 ? line : line.filter((_, at) => at % 2 === 0)
}

function sttOptions(language: string) {
  return {
    callId: 'call-1',
    rateHz,
    language,
    phrases: [],
    segmentationSilenceMs: 500,
    initialSilenceMs: 30_000,
  }
}

/** 400 ms of silence, the speech, 200 ms of hangover, with the hints a VAD would give. */
function feed(session: ReturnType<EmbeddedStt['open']>, line: Int16Array): void {
  const perMs = rateHz / 1_000
  const all = new Int16Array(400 * perMs + line.length + 200 * perMs)
  all.set(line, 400 * perMs)
  for (let at = 0; at + 20 * perMs <= all.length; at += 20 * perMs) {
    if (at === 460 * perMs) session.speechStarted(400)
    session.push(all.subarray(at, at + 20 * perMs), at / perMs)
  }
  session.speechEnded(400 + line.length / perMs)
}

const ignored: SttEvents = {
  onPartial: () => undefined,
  onFinal: () => undefined,
  onError: () => undefined,
}

describe('embedded voice', () => {
  it('says a Spanish sentence in 2 to 6 s of 16 kHz audio that is not silent', async () => {
    const pcm = await spoken(request('Hola, soy Andrea de Ubrokers. ¿Me escucha bien?'))
    expect(pcm.length / 16).toBeGreaterThan(2_000)
    expect(pcm.length / 16).toBeLessThan(6_000)
    expect(Math.max(...pcm)).toBeGreaterThan(5_000)
  })

  describe.each([0.8, 0.9, 1, 1.2])('at speed %s', (speed) => {
    it.each([
      ['No.', 'es-MX'],
      ['¿Me escucha bien?', 'es-MX'],
      ['Hola, soy Andrea de Ubrokers.', 'es-MX'],
      ['Can you hear me well?', 'en-US'],
    ])('leaves at most 40 ms of silence before %s and 120 ms behind it', async (text, language) => {
      const pcm = await spoken(request(text, language, speed))
      const isSound = (sample: number): boolean => Math.abs(sample) > 400
      expect(pcm.findIndex(isSound) / 16).toBeLessThanOrEqual(40)
      expect((pcm.length - 1 - pcm.findLastIndex(isSound)) / 16).toBeLessThanOrEqual(120)
      expect(pcm.length / 16).toBeGreaterThan(200)
    })
  })

  it('speaks at half the speed in at least 1.5 times the time', async () => {
    const normal = await spoken(request('Tengo un restaurante.', 'es-MX', 1))
    const slow = await spoken(request('Tengo un restaurante.', 'es-MX', 0.5))
    expect(slow.length / normal.length).toBeGreaterThan(1.5)
  })

  it('ends at once when aborted after the first chunk, and speaks the next sentence', async () => {
    const abort = new AbortController()
    let chunks = 0
    for await (const event of tts.synthesize(
      request('Una frase larga. '.repeat(40)),
      abort.signal,
    )) {
      if (event.kind === 'audio') chunks += 1
      abort.abort()
    }
    expect(chunks).toBe(1)
    expect((await spoken(request('Sí.'))).length / 16).toBeLessThan(1_000)
  })

  it('gives no audio for a text without letters or digits', async () => {
    expect((await spoken(request('¿…?'))).length).toBe(0)
  })

  it('does not take < and > in a text for markup', async () => {
    const plain = await spoken(request('uno volumen dos'))
    const tagged = await spoken(request('uno <volumen> dos'))
    expect(tagged.length).toBeGreaterThan(plain.length * 0.9)
  })

  it('refuses the 66th waiting sentence and counts it', async () => {
    const abort = new AbortController()
    const all = Array.from({ length: 66 }, async () => {
      try {
        for await (const event of tts.synthesize(request('Uno.'), abort.signal)) void event
      } catch (error) {
        // The refusal has been seen: the others need not be spoken.
        abort.abort()
        throw error
      }
    })
    const results = await Promise.allSettled(all)
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused).toHaveLength(1)
    expect(refused[0]!.reason).toBeInstanceOf(ProviderError)
    expect(tts.stats()).toMatchObject({ name: 'embeddedTts', limit: 64, queued: 0, dropped: 1 })
  })

  it('fails with TTS_UNAVAILABLE naming the file when a voice file is missing', async () => {
    const broken = new EmbeddedTts(new URL('file:///nowhere/'))
    await expect(broken.warm()).rejects.toMatchObject({
      code: 'TTS_UNAVAILABLE',
      message: expect.stringContaining('pico-voices/es-ES_ta.bin'),
    })
    await broken.close()
  })
})

describe.each([8_000, 16_000] as const)(
  'embedded recogniser over a telephone line, at %i Hz',
  (at) => {
    beforeAll(() => {
      rateHz = at
    })

    it.each([
      ['Sí.', /^sí/i],
      ['No.', /^no\b/i],
      ['Vale.', /^vale/i],
      ['Gracias.', /^gracias/i],
    ])('hears the single word %s', async (text, expected) => {
      expect((await heard(text)).text).toMatch(expected)
    })

    it('hears a Spanish sentence, at the audio time of its onset', async () => {
      const final = await heard('Quiero hablar con una persona, por favor.')
      expect(final.text.toLowerCase()).toContain('hablar con una persona')
      expect(final.language).toBe('es-MX')
      expect(final.startMs).toBe(400)
      expect(final.confidence).toBeGreaterThan(0.5)
    })

    it('hears an English sentence in an English session', async () => {
      const final = await heard('I would like to talk to a person, please.', 'en-US')
      expect(final.text.toLowerCase()).toContain('talk to a person')
    })

    it('reports a partial of the words so far while the utterance goes on', async () => {
      const line = onTheLine(await spoken(request('Tengo un restaurante con doce empleados.')))
      const partial = await new Promise<Transcript>((resolve, reject) => {
        const session = stt.open(sttOptions('es-MX'), {
          ...ignored,
          onPartial: (transcript) => {
            session.close()
            resolve(transcript)
          },
          onError: reject,
        })
        session.speechStarted(0)
        for (let atMs = 0; atMs < 1_800; atMs += 20) {
          const from = (atMs * rateHz) / 1_000
          session.push(line.subarray(from, from + rateHz / 50), atMs)
        }
      })
      expect(partial.text.toLowerCase()).toMatch(/^tengo/)
    })

    it('gives an empty final for 2 s of silence and for 2 s of noise', async () => {
      const noise = Int16Array.from({ length: 2 * rateHz }, (_, at) => ((at * 7_919) % 801) - 400)
      for (const pcm of [new Int16Array(2 * rateHz), noise]) {
        const final = await new Promise<Transcript>((resolve, reject) => {
          const session = stt.open(sttOptions('es-MX'), {
            ...ignored,
            onFinal: resolve,
            onError: reject,
          })
          feed(session, pcm)
        })
        expect(final.text).toBe('')
      }
    })

    it('answers 6 sessions that end together, each with its own words', async () => {
      const words = ['Sí.', 'No.', 'Vale.', 'Gracias.', 'Adiós.', 'Claro.']
      const finals = await Promise.all(words.map((word) => heard(word)))
      for (const [index, final] of finals.entries()) {
        expect(final.text.toLowerCase()).toContain(words[index]!.slice(0, -1).toLowerCase())
      }
    })

    it('reports nothing after close()', async () => {
      const line = onTheLine(await spoken(request('Sí.')))
      let events = 0
      const session = stt.open(sttOptions('es-MX'), {
        onPartial: () => (events += 1),
        onFinal: () => (events += 1),
        onError: () => (events += 1),
      })
      feed(session, line)
      session.close()
      session.close()
      await heard('No.')
      expect(events).toBe(0)
    })

    it('reports STT_LANGUAGE for a language that it does not know', async () => {
      const error = await new Promise<ProviderError>((resolve) => {
        stt.open(sttOptions('fr-FR'), { ...ignored, onError: resolve })
      })
      expect(error.code).toBe('STT_LANGUAGE')
      expect(error.message).toContain('fr-FR')
    })
  },
)
