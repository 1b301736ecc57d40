/** Phrases from memory: which are kept, which go, and what a hit costs. */
import { describe, expect, it, vi } from 'vitest'
import { GrowingText } from '../../server/growing-text.ts'
import { CachedTts } from '../../server/providers/phrase-cache.ts'
import type { TtsEvent } from '../../server/providers/tts.ts'
import { ScriptedVoice, broken } from './doubles.ts'

const VOICE = { name: 'v', language: 'es-MX', style: null, speed: 1 }
const audio = (value: number): TtsEvent => ({
  kind: 'audio',
  pcm: new Int16Array(1_600).fill(value),
})
const never = new AbortController().signal

async function say(
  tts: CachedTts,
  text: string,
  voice = VOICE,
  signal = never,
): Promise<TtsEvent[]> {
  return all(tts.synthesize({ callId: 'c', text, voice }, signal))
}

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const list: TtsEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

describe('phrase cache', () => {
  it('plays a prefilled phrase without its voice, and counts what that saved', async () => {
    const voice = new ScriptedVoice('azure', [audio(7)])
    const tts = new CachedTts(voice, { limitBytes: 100_000 })
    await tts.prefill(['Hola, soy Andrea.'], VOICE)
    voice.steps = [broken('TTS')]
    expect(tts.holds({ callId: 'c', text: 'Hola, soy Andrea.', voice: VOICE })).toBe(true)
    expect(await say(tts, 'Hola, soy Andrea.')).toEqual([audio(7)])
    expect(voice.texts).toHaveLength(1)
    expect(tts.stats).toMatchObject({ phrases: 1, hits: 1, misses: 0, savedCharacters: 17 })
  })

  it('holds the audio once, however many calls play it', async () => {
    const tts = new CachedTts(new ScriptedVoice('azure', [audio(7)]), { limitBytes: 100_000 })
    await tts.prefill(['Hola.'], VOICE)
    const [first] = await say(tts, 'Hola.')
    const [second] = await say(tts, 'Hola.')
    expect(first).toEqual(audio(7))
    expect(second).toBe(first)
  })

  it('halves a phrase of 16 kHz for a line of 8 kHz, once, and asks the voice for nothing', async () => {
    const voice = new ScriptedVoice('azure', [audio(1_000)])
    const tts = new CachedTts(voice, { limitBytes: 100_000 })
    await tts.prefill(['Hola.'], VOICE)
    const asked = { callId: 'c', text: 'Hola.', voice: VOICE, rateHz: 8_000 } as const
    expect(tts.holds(asked)).toBe(true)
    const first = await all(tts.synthesize(asked, never))
    const pcm = first.flatMap((event) => (event.kind === 'audio' ? [...event.pcm] : []))
    // 100 ms; both ends aside, where the filter meets silence.
    expect(pcm).toHaveLength(800)
    expect(new Set(pcm.slice(40, -40))).toEqual(new Set([1_000]))
    expect((await all(tts.synthesize(asked, never)))[0]).toBe(first[0])
    expect(await say(tts, 'Hola.')).toEqual([audio(1_000)])
    expect(voice.texts).toHaveLength(1)
    expect(tts.stats).toMatchObject({ phrases: 2, bytes: 3_200 + 1_600, hits: 3 })
  })

  it('never gives what it holds at 8 kHz to a line of 16 kHz', async () => {
    const voice = new ScriptedVoice('azure', [audio(7)])
    const tts = new CachedTts(voice, { limitBytes: 100_000 })
    const asked = { callId: 'c', text: 'Claro.', voice: VOICE } as const
    for (let time = 0; time < 3; time++)
      await all(tts.synthesize({ ...asked, rateHz: 8_000 }, never))
    expect(tts.holds({ ...asked, rateHz: 8_000 })).toBe(true)
    expect(tts.holds({ ...asked, rateHz: 16_000 })).toBe(false)
    expect(tts.holds(asked)).toBe(false)
    await all(tts.synthesize({ ...asked, rateHz: 16_000 }, never))
    expect(voice.ratesHz).toEqual([8_000, 8_000, 16_000])
  })

  it('keeps a phrase when it is asked for the second time, and one voice is not another', async () => {
    const voice = new ScriptedVoice('azure', [audio(7)])
    const tts = new CachedTts(voice, { limitBytes: 100_000 })
    for (let time = 0; time < 3; time++) await say(tts, 'Claro.')
    expect(voice.texts).toHaveLength(2)
    await say(tts, 'Claro.', { ...VOICE, speed: 1.1 })
    expect(voice.texts).toHaveLength(3)
  })

  it('stays below its limit; what was prefilled goes last', async () => {
    const tts = new CachedTts(new ScriptedVoice('azure', [audio(7)]), { limitBytes: 10_000 })
    await tts.prefill(['Hola.'], VOICE)
    for (const text of ['uno', 'uno', 'dos', 'dos', 'tres', 'tres']) await say(tts, text)
    expect(tts.stats.bytes).toBeLessThanOrEqual(10_000)
    expect(tts.holds({ callId: 'c', text: 'Hola.', voice: VOICE })).toBe(true)
    expect(tts.holds({ callId: 'c', text: 'uno', voice: VOICE })).toBe(false)
    expect(tts.holds({ callId: 'c', text: 'tres', voice: VOICE })).toBe(true)
  })

  it('breaks a prefilled phrase off for a call at the embedded voice, and speaks it when the call is served', async () => {
    const voice = new ScriptedVoice('embedded', [audio(7), 'stall'])
    const tts = new CachedTts(voice, { limitBytes: 100_000 })
    const prefilled = tts.prefill(['Hola.'], VOICE)
    while (voice.texts.length === 0) await new Promise(setImmediate)
    voice.steps = [audio(3)]
    expect(await say(tts, 'Claro.')).toEqual([audio(3)])
    await prefilled
    expect(voice.texts).toEqual(['Hola.', 'Claro.', 'Hola.'])
    expect(await say(tts, 'Hola.')).toEqual([audio(3)])
  })

  it('leaves a phrase that takes 30 s, and those behind it, for the next time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const voice = new ScriptedVoice('azure', [audio(7), 'stall'])
      const tts = new CachedTts(voice, { limitBytes: 100_000 })
      let isOver = false
      const prefilled = tts.prefill(['Hola.', 'Claro.'], VOICE).then(() => (isOver = true))
      while (voice.texts.length === 0) await new Promise(setImmediate)
      vi.advanceTimersByTime(29_999)
      await new Promise(setImmediate)
      expect(isOver).toBe(false)
      vi.advanceTimersByTime(1)
      await prefilled
      expect([voice.texts, tts.stats.phrases, vi.getTimerCount()]).toEqual([['Hola.'], 0, 0])
    } finally {
      vi.useRealTimers()
    }
  })

  it('gives up what it prefills when it is closed', async () => {
    const voice = new ScriptedVoice('azure', [audio(7), 'stall'])
    const tts = new CachedTts(voice, { limitBytes: 100_000 })
    const prefilled = tts.prefill(['Hola.', 'Claro.'], VOICE)
    while (voice.texts.length === 0) await new Promise(setImmediate)
    await tts.close()
    await prefilled
    expect([voice.texts, tts.stats.phrases]).toEqual([['Hola.'], 0])
  })

  it('keeps nothing of a phrase that was cut or that failed', async () => {
    const voice = new ScriptedVoice('azure', [audio(7), broken('TTS')])
    const tts = new CachedTts(voice, { limitBytes: 100_000 })
    for (let time = 0; time < 3; time++) await expect(say(tts, 'Claro.')).rejects.toThrow()
    voice.steps = [audio(7), 'stall']
    for (let time = 0; time < 2; time++) {
      const abort = new AbortController()
      const reading = say(tts, 'Claro.', VOICE, abort.signal)
      abort.abort()
      await reading
    }
    expect(tts.stats.phrases).toBe(0)
  })

  it('gives a text that is still being written to the voice, and counts its 6 characters at its end', async () => {
    const spent: number[] = []
    const voice = Object.assign(new ScriptedVoice('azure', [audio(7)]), { isStreaming: true })
    const tts = new CachedTts(voice, {
      limitBytes: 100_000,
      onSpent: (_callId, { characters }) => spent.push(characters),
    })
    await tts.prefill(['Claro.'], VOICE)
    expect(tts.streamsText(VOICE)).toBe(true)
    for (let time = 0; time < 2; time++) {
      const text = new GrowingText()
      text.grow('Cla')
      const events = tts.synthesizeStream({ callId: 'c', text, voice: VOICE }, never)
      for await (const event of events) {
        expect(event).toEqual(audio(7))
        text.finish('Claro.')
      }
    }
    expect(voice.streamed).toHaveLength(2)
    expect(spent).toEqual([6, 6])
    expect(tts.stats).toMatchObject({ phrases: 1, hits: 0, misses: 2 })
  })
})
