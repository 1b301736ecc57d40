import { describe, expect, it } from 'vitest'
import {
  azureBilled,
  billedCharacters,
  azureStreamBilled,
} from '../../server/providers/azure-billing.ts'
import { CachedTts } from '../../server/providers/phrase-cache.ts'
import type { BilledSpeech, TtsProvider, Voice } from '../../server/providers/tts.ts'

const VOICE: Voice = { name: 'es-MX-DaliaNeural', language: 'es-MX', style: null, speed: 1 }
/** What every sentence of ours has around its text. */
const SILENCE = '<mstts:silence type="Leading-exact" value="0ms"/>'.length

describe('characters that Azure charges', () => {
  it('are 480 for the document that Microsoft charged with 480: comments, <speak>, <voice> and the lines between are free', () => {
    const voices = Array.from(
      { length: 12 },
      (_, i) =>
        `<voice name="en-US-V${i}Neural"><prosody rate="-10.00%">about </prosody></voice>\n`,
    )
    const ssml = `<!--ID=1-->\n<speak version="1.0" xml:lang="en-US">\n\n${voices.join('')}\n</speak>`
    expect(billedCharacters(ssml)).toBe(480)
  })

  it('are the text and the markup within the voice: 49 more for each sentence', () => {
    expect(SILENCE).toBe(49)
    expect(azureBilled('Buenos días.', VOICE)).toEqual({ characters: 12 + SILENCE, isHd: false })
  })

  it('count style, prosody and language as they are written', () => {
    const voice = { ...VOICE, style: 'cheerful', speed: 0.9 }
    const markup =
      '<mstts:express-as style="cheerful"></mstts:express-as><prosody rate="-10%"></prosody>'
    expect(azureBilled('Hola.', voice).characters).toBe(5 + markup.length + SILENCE)
    const multilingual = { ...VOICE, name: 'en-US-AvaMultilingualNeural' }
    const lang = '<lang xml:lang="es-MX"></lang>'
    expect(azureBilled('Hola.', multilingual).characters).toBe(5 + lang.length + SILENCE)
  })

  it('count code points, a Chinese character twice, an entity as it is sent', () => {
    const of = (text: string) => azureBilled(text, VOICE).characters - SILENCE
    expect(of('ñá 😀')).toBe(4)
    expect(of('你好')).toBe(4)
    expect(of('a & b')).toBe('a &amp; b'.length)
  })

  it('are 0 for a text that is not sent', () => {
    expect(azureBilled('…', VOICE).characters).toBe(0)
  })

  it.each([
    ['en-US-Ava:DragonHDLatestNeural', true],
    ['en-US-NovaMultilingualNeuralHD', true],
    ['en-US-AvaMultilingualNeural', false],
    ['pico-es-ES', false],
  ])('are at the HD price for %s: %s', (name, isHd) => {
    expect(azureBilled('Hola.', { ...VOICE, name }).isHd).toBe(isHd)
  })
})

describe('the phrase cache', () => {
  async function spend(
    billed?: TtsProvider['billed'],
  ): Promise<{ spent: BilledSpeech[]; saved: BilledSpeech[] }> {
    const spent: BilledSpeech[] = []
    const saved: BilledSpeech[] = []
    const voice: TtsProvider = {
      name: 'test',
      sampleRateHz: 16_000,
      warm: () => Promise.resolve(),
      voices: () => Promise.resolve([]),
      close: () => Promise.resolve(),
      async *synthesize() {
        await Promise.resolve()
        yield { kind: 'audio', pcm: new Int16Array(160) }
      },
      ...(billed ? { billed } : {}),
    }
    const tts = new CachedTts(voice, {
      limitBytes: 10_000,
      onSpent: (_callId, one) => spent.push(one),
      onSaved: (_callId, one) => saved.push(one),
    })
    for (let i = 0; i < 3; i++) {
      const request = { callId: 'c', text: 'Hola.', voice: VOICE }
      for await (const event of tts.synthesize(request, new AbortController().signal)) void event
    }
    return { spent, saved }
  }

  it('reports what the voice says it charges, spoken or saved', async () => {
    const { spent, saved } = await spend(({ text }) => azureBilled(text, VOICE))
    const sentence = { characters: 5 + SILENCE, isHd: false }
    expect([spent, saved]).toEqual([[sentence, sentence], [sentence]])
  })

  it('reports the text’s characters where the voice does not say', async () => {
    const { spent } = await spend()
    expect(spent[0]).toEqual({ characters: 5, isHd: false })
  })
})

describe('a streamed text', () => {
  it('is charged without markup, 11 characters, a Chinese one twice', () => {
    const voice = {
      name: 'en-US-Ava:DragonHDLatestNeural',
      language: 'en-US',
      style: null,
      speed: 2,
    }
    expect(azureStreamBilled('Hola, mundo', voice)).toEqual({ characters: 11, isHd: true })
    expect(azureStreamBilled('中 a', voice).characters).toBe(4)
  })
})
