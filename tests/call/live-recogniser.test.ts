import { describe, expect, it } from 'vitest'
import { noDetection } from '../../dsp/detection.ts'
import { DEFAULT_SETTINGS, resolveProfile } from '../../server/agent-settings.ts'
import { LiveRecogniser } from '../../server/call/live-recogniser.ts'
import { ProviderError } from '../../server/errors.ts'
import type { SttEvents, SttOptions } from '../../server/providers/stt.ts'

const SETTINGS = resolveProfile(DEFAULT_SETTINGS, 'twilio')
const PCM = new Int16Array(320)

/** A recogniser whose sessions write down what they are told, by language. */
function doubles(refuses: string | null = null) {
  const told: string[] = []
  const options: SttOptions[] = []
  const events: SttEvents[] = []
  const heard: string[] = []
  const stt = {
    open(asked: SttOptions, sink: SttEvents) {
      const { language } = asked
      if (language === refuses) throw new ProviderError('STT_UNAVAILABLE', 'no such language')
      options.push(asked)
      events.push(sink)
      told.push(`${language} open`)
      return {
        push: (_pcm: Int16Array, atMs: number) => void told.push(`${language} ${atMs}`),
        speechStarted: (atMs: number) => void told.push(`${language} started ${atMs}`),
        speechEnded: (atMs: number) => void told.push(`${language} ended ${atMs}`),
        close: () => void told.push(`${language} close`),
      }
    },
  }
  const recogniser = new LiveRecogniser(
    stt,
    { id: 'call-1', settings: SETTINGS },
    {
      onPartial: ({ text }) => heard.push(text),
      onFinal: () => {},
      onError: () => {},
    },
  )
  return { recogniser, told, options, events, heard }
}

const frame = (atMs: number, speech: boolean) => ({ ...noDetection(), atMs, speech })

describe('the live recogniser', () => {
  it('is opened anew in the other language, before the old session is closed, and hears what follows', () => {
    const { recogniser, told, options } = doubles()
    recogniser.frame(frame(0, false), PCM)
    recogniser.switchTo('en-US', 20)
    recogniser.frame(frame(20, false), PCM)
    expect(told).toEqual(['es-MX open', 'es-MX 0', 'en-US open', 'es-MX close', 'en-US 20'])
    const [first, second] = options
    expect(second).toEqual({ ...first, language: 'en-US' })
  })

  it('tells the new session of speech that goes on, and not of silence', () => {
    const { recogniser, told } = doubles()
    recogniser.frame(frame(0, true), PCM)
    recogniser.switchTo('en-US', 20)
    expect(told.at(-1)).toBe('en-US started 20')
    recogniser.frame({ ...frame(20, false), offset: true, lastVoicedMs: 0 }, PCM)
    recogniser.switchTo('es-MX', 40)
    expect(told.slice(-3)).toEqual(['en-US ended 0', 'es-MX open', 'en-US close'])
  })

  it('says of each frame what the audio core found in it', () => {
    const heard: unknown[] = []
    const session = {
      push: (...args: unknown[]) => void heard.push(args),
      ...{ speechStarted: () => {}, speechEnded: () => {}, close: () => {} },
    }
    const events = { onPartial: () => {}, onFinal: () => {}, onError: () => {} }
    const call = { id: 'call-1', settings: SETTINGS }
    const recogniser = new LiveRecogniser({ open: () => session }, call, events)
    const found = { ...frame(40, true), levelDbfs: -31, probability: 0.7 }
    recogniser.frame(found, PCM)
    expect(heard).toEqual([[PCM, 40, found]])
  })

  it('keeps the old session when the other language cannot be had', () => {
    const { recogniser, told } = doubles('fr-FR')
    expect(() => recogniser.switchTo('fr-FR', 0)).toThrow('no such language')
    recogniser.frame(frame(0, false), PCM)
    expect(told).toEqual(['es-MX open', 'es-MX 0'])
  })

  it('opens nothing and hears nothing after its end', () => {
    const { recogniser, told } = doubles()
    recogniser.close()
    recogniser.close()
    recogniser.switchTo('en-US', 0)
    recogniser.frame(frame(0, false), PCM)
    expect(told).toEqual(['es-MX open', 'es-MX close'])
  })

  it('hands on what every session in turn has heard', () => {
    const { recogniser, events, heard } = doubles()
    const said = { language: '', startMs: 0, endMs: 1, confidence: null, words: [] }
    events[0]?.onPartial({ ...said, text: 'hola' })
    recogniser.switchTo('en-US', 0)
    events[1]?.onPartial({ ...said, text: 'hello' })
    expect(heard).toEqual(['hola', 'hello'])
  })
})
