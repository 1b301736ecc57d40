/** Models and voices in order: who answers in time, what is said again, who is asked no more. */
import { describe, expect, it, vi } from 'vitest'
import { ProviderError } from '../../server/errors.ts'
import { GrowingText } from '../../server/growing-text.ts'
import { CallAccounts, type ProviderSwitch } from '../../server/providers/call-accounts.ts'
import { FailoverLlm } from '../../server/providers/failover-llm.ts'
import { FailoverTts, unspoken } from '../../server/providers/failover-tts.ts'
import type { LlmEvent, LlmRequest } from '../../server/providers/llm.ts'
import type { TtsEvent } from '../../server/providers/tts.ts'
import { ScriptedModel, ScriptedVoice, broken } from './doubles.ts'

const REQUEST: LlmRequest = {
  callId: 'call-1',
  model: 'm',
  messages: [{ role: 'user', content: '12345678' }],
  tools: [],
  temperature: 0,
  maxTokens: 100,
  language: 'es-MX',
}
const DONE: LlmEvent = {
  kind: 'done',
  finishReason: 'stop',
  usage: { promptTokens: 10, completionTokens: 3 },
}
const text = (words: string): LlmEvent => ({ kind: 'text', text: words })

function opened() {
  const accounts = new CallAccounts()
  const switches: ProviderSwitch[] = []
  accounts.open('call-1', (change) => switches.push(change))
  return { accounts, switches }
}

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const event of events) list.push(event)
  return list
}

const never = new AbortController().signal

describe('language models in order', () => {
  it('asks the next one when the first refuses, and says so to the call', async () => {
    const { accounts, switches } = opened()
    const models = [
      new ScriptedModel('groq', [broken('LLM')]),
      new ScriptedModel('openai', [text('sí'), DONE]),
    ]
    const llm = new FailoverLlm(models, { accounts })
    expect(await all(llm.stream(REQUEST, never))).toEqual([text('sí'), DONE])
    expect(switches).toEqual([{ part: 'llm', from: 'groq', to: 'openai', code: 'LLM_UNAVAILABLE' }])
    expect(accounts.close('call-1')).toMatchObject({
      tokens: [{ provider: 'openai', promptTokens: 10, completionTokens: 3 }],
    })
    await llm.close()
  })

  it('asks the next one when no token came within 10 ms', async () => {
    const { accounts, switches } = opened()
    const models = [
      new ScriptedModel('groq', ['stall']),
      new ScriptedModel('openai', [text('sí'), DONE]),
    ]
    const llm = new FailoverLlm(models, { accounts, limits: { firstMs: 10 } })
    expect(await all(llm.stream(REQUEST, never))).toHaveLength(2)
    expect(switches[0]).toMatchObject({ to: 'openai', code: 'LLM_TIMEOUT' })
    await llm.close()
  })

  it('does not begin again behind a first token', async () => {
    const { accounts } = opened()
    const next = new ScriptedModel('openai', [text('sí'), DONE])
    const llm = new FailoverLlm([new ScriptedModel('groq', [text('A med'), 'stall']), next], {
      accounts,
      limits: { gapMs: 10 },
    })
    const seen: LlmEvent[] = []
    const reading = (async () => {
      for await (const event of llm.stream(REQUEST, never)) seen.push(event)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'LLM_TIMEOUT' })
    expect(seen).toEqual([text('A med')])
    expect(next.asked).toBe(0)
    // Eight characters asked and five answered, four to a token.
    expect(accounts.close('call-1')).toMatchObject({
      tokens: [{ provider: 'groq', model: REQUEST.model, promptTokens: 2, completionTokens: 2 }],
    })
    await llm.close()
  })

  it('begins anew when the answer broke off before any of it was used, and says that it does', async () => {
    const { accounts, switches } = opened()
    const models = [
      new ScriptedModel('groq', [text('A med'), broken('LLM')]),
      new ScriptedModel('openai', [text('sí'), DONE]),
    ]
    const llm = new FailoverLlm(models, { accounts })
    const events = await all(llm.stream({ ...REQUEST, mayRestart: () => true }, never))
    expect(events).toEqual([text('A med'), { kind: 'restart' }, text('sí'), DONE])
    expect(switches.map(({ to }) => to)).toEqual(['openai'])
    await llm.close()
  })

  it('does so when 10 ms passed behind an unused token, long before the gap of a used one', async () => {
    const models = [
      new ScriptedModel('groq', [text('A med'), 'stall']),
      new ScriptedModel('openai', [text('sí'), DONE]),
    ]
    const limits = { gapMs: 600_000, unusedGapMs: 10 }
    const llm = new FailoverLlm(models, { accounts: new CallAccounts(), limits })
    const events = await all(llm.stream({ ...REQUEST, mayRestart: () => true }, never))
    expect(events[1]).toEqual({ kind: 'restart' })
    await llm.close()
  })

  it('does not begin anew once a part of the answer was used', async () => {
    const next = new ScriptedModel('openai', [text('sí'), DONE])
    const models = [
      new ScriptedModel('groq', [text('Bueno, '), text('a med'), broken('LLM')]),
      next,
    ]
    const llm = new FailoverLlm(models, { accounts: new CallAccounts() })
    const seen: LlmEvent[] = []
    const reading = (async () => {
      const request = { ...REQUEST, mayRestart: () => seen.length < 1 }
      for await (const event of llm.stream(request, never)) seen.push(event)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'LLM_UNAVAILABLE' })
    expect([seen.length, next.asked]).toEqual([2, 0])
    await llm.close()
  })

  it('counts an answer that broke off behind its first token as a failure: two, and the model is out', async () => {
    const first = new ScriptedModel('groq', [text('A med'), broken('LLM')])
    const llm = new FailoverLlm([first, new ScriptedModel('openai', [text('sí'), DONE])], {
      accounts: new CallAccounts(),
    })
    for (let request = 0; request < 3; request++) {
      await all(llm.stream({ ...REQUEST, mayRestart: () => true }, never))
    }
    expect([first.asked, llm.name]).toEqual([2, 'openai'])
    await llm.close()
  })

  it('asks a model no more that failed twice, until its probe works', async () => {
    const { accounts, switches } = opened()
    const first = new ScriptedModel('groq', [broken('LLM')])
    const llm = new FailoverLlm([first, new ScriptedModel('openai', [text('sí'), DONE])], {
      accounts,
      health: { probeEveryMs: 5 },
    })
    for (let request = 0; request < 2; request++) await all(llm.stream(REQUEST, never))
    await expect.poll(() => llm.name).toBe('openai')
    await all(llm.stream(REQUEST, never))
    expect(first.asked).toBe(2)
    await expect.poll(() => first.probes).toBeGreaterThan(1)
    first.steps = [text('otra vez'), DONE]
    first.isBack = true
    await expect.poll(() => llm.name).toBe('groq')
    expect((await all(llm.stream(REQUEST, never)))[0]).toEqual(text('otra vez'))
    expect(switches.at(-1)).toEqual({
      part: 'llm',
      from: 'openai',
      to: 'groq',
      code: 'PROVIDER_BACK',
    })
    await llm.close()
  })

  it('opens at the first failure that cannot be mended', async () => {
    const first = new ScriptedModel('groq', [new ProviderError('LLM_UNAVAILABLE', 'key refused')])
    const llm = new FailoverLlm([first, new ScriptedModel('openai', [text('sí'), DONE])], {
      accounts: new CallAccounts(),
    })
    await all(llm.stream(REQUEST, never))
    await expect.poll(() => llm.name).toBe('openai')
    await llm.close()
  })

  it('books what was asked of a model that was given up before its first token, and nothing of one that refused', async () => {
    const { accounts } = opened()
    const stalls = new ScriptedModel('groq', ['stall'])
    const refuses = new ScriptedModel('openai', [broken('LLM')])
    const llm = new FailoverLlm([stalls, refuses, new ScriptedModel('x', [text('sí'), DONE])], {
      accounts,
      limits: { firstMs: 10 },
    })
    await all(llm.stream(REQUEST, never))
    // A speculative answer whose transcript changed is aborted: the same.
    const abort = new AbortController()
    const speculative = all(llm.stream(REQUEST, abort.signal))
    abort.abort()
    expect(await speculative).toEqual([])
    expect(accounts.close('call-1')).toMatchObject({
      tokens: [
        { provider: 'groq', promptTokens: 4, completionTokens: 0 },
        { provider: 'x', promptTokens: 10, completionTokens: 3 },
      ],
    })
    await llm.close()
  })

  it('ends silently when aborted, and holds it against nobody', async () => {
    const abort = new AbortController()
    const next = new ScriptedModel('openai', [text('sí'), DONE])
    const llm = new FailoverLlm([new ScriptedModel('groq', ['stall']), next], {
      accounts: new CallAccounts(),
      health: { failures: 1 },
    })
    const reading = all(llm.stream(REQUEST, abort.signal))
    abort.abort()
    expect(await reading).toEqual([])
    expect([llm.name, next.asked]).toEqual(['groq', 0])
    await llm.close()
  })

  it('throws the last error when all have failed', async () => {
    const llm = new FailoverLlm(
      [new ScriptedModel('a', [broken('LLM')]), new ScriptedModel('b', [broken('LLM')])],
      { accounts: new CallAccounts() },
    )
    await expect(all(llm.stream(REQUEST, never))).rejects.toMatchObject({ code: 'LLM_UNAVAILABLE' })
    await llm.close()
  })
})

const audio = (ms: number): TtsEvent => ({ kind: 'audio', pcm: new Int16Array(ms * 16) })
const word = (name: string, textOffset: number, offsetMs: number): TtsEvent => ({
  kind: 'word',
  text: name,
  textOffset,
  offsetMs,
})
const SENTENCE = 'uno dos tres cuatro'
const SPEAK = {
  callId: 'call-1',
  text: SENTENCE,
  voice: { name: 'v', language: 'es-MX', style: null, speed: 1 },
}

describe('voices in order', () => {
  it('lets the next voice speak the sentence when the first gave no audio within 10 ms', async () => {
    const { accounts, switches } = opened()
    const next = new ScriptedVoice('embedded', [audio(300)])
    const tts = new FailoverTts([new ScriptedVoice('azure', ['stall']), next], {
      accounts,
      limits: { firstMs: 10 },
    })
    expect(await all(tts.synthesize(SPEAK, never))).toEqual([audio(300)])
    expect(next.texts).toEqual([SENTENCE])
    expect(switches).toEqual([{ part: 'tts', from: 'azure', to: 'embedded', code: 'TTS_TIMEOUT' }])
    await tts.close()
  })

  it('lets it speak only the words that are missing, at their place, when the first broke off', async () => {
    const next = new ScriptedVoice('embedded', [word('tres', 1, 0), audio(200)])
    const first = new ScriptedVoice('azure', [
      word('uno', 0, 0),
      word('dos', 4, 300),
      audio(600),
      broken('TTS'),
    ])
    const tts = new FailoverTts([first, next], { accounts: new CallAccounts() })
    const events = await all(tts.synthesize(SPEAK, never))
    expect(next.texts).toEqual([' tres cuatro'])
    expect(events.at(-2)).toEqual(word('tres', 8, 600))
    await tts.close()
  })

  it('asks a voice no more that broke off in mid-sentence twice', async () => {
    const first = new ScriptedVoice('azure', [audio(300), broken('TTS')])
    const tts = new FailoverTts([first, new ScriptedVoice('embedded', [audio(300)])], {
      accounts: new CallAccounts(),
    })
    for (let sentence = 0; sentence < 3; sentence++) await all(tts.synthesize(SPEAK, never))
    expect([first.texts.length, tts.name]).toEqual([2, 'embedded'])
    await tts.close()
  })

  it('ends without the next voice when only the end mark of the last word is missing', async () => {
    const next = new ScriptedVoice('embedded', [audio(200)])
    const first = new ScriptedVoice('azure', [word('cuatro', 13, 300), audio(600), broken('TTS')])
    const tts = new FailoverTts([first, next], { accounts: new CallAccounts() })
    expect(await all(tts.synthesize(SPEAK, never))).toHaveLength(2)
    expect(next.texts).toEqual([])
    await tts.close()
  })

  it('finds the place from the length of the audio when there are no word times', () => {
    expect(unspoken(SENTENCE, { audioMs: 10 * 65, words: [] })).toBe('tres cuatro')
    expect(unspoken(SENTENCE, { audioMs: 0, words: [] })).toBe(SENTENCE)
    expect(unspoken(SENTENCE, { audioMs: 5_000, words: [] })).toBe('')
  })
})

describe('voices in order, for a text that is still being written', () => {
  const streaming = (name: string, steps: ScriptedVoice['steps']): ScriptedVoice =>
    Object.assign(new ScriptedVoice(name, steps), { isStreaming: true })
  const begun = (): GrowingText => {
    const text = new GrowingText()
    text.grow('uno dos ')
    return text
  }
  const failover = (voices: ScriptedVoice[]): FailoverTts =>
    new FailoverTts(voices, { accounts: new CallAccounts(), limits: { firstMs: 10 } })
  const ask = (tts: FailoverTts, text: GrowingText) =>
    tts.synthesizeStream({ ...SPEAK, text }, never)[Symbol.asyncIterator]()

  it('give it to the first that takes it, before it is whole', async () => {
    const tts = failover([streaming('azure', [audio(300)]), new ScriptedVoice('embedded', [])])
    expect(tts.streamsText(SPEAK.voice)).toBe(true)
    const text = begun()
    expect((await ask(tts, text).next()).value).toEqual(audio(300))
    expect(text.ended).toBe(false)
    await tts.close()
  })

  it('say that they take none when the one that would be asked does not', async () => {
    const tts = failover([new ScriptedVoice('azure', []), streaming('embedded', [])])
    expect(tts.streamsText(SPEAK.voice)).toBe(false)
    await tts.close()
  })

  it('begin it anew with a second one that takes it, from the first word on', async () => {
    const next = streaming('second', [audio(200)])
    const tts = failover([streaming('azure', [broken('TTS')]), next])
    const text = begun()
    const events = ask(tts, text)
    expect((await events.next()).value).toEqual(audio(200))
    text.finish(SENTENCE)
    expect((await events.next()).done).toBe(true)
    expect(next.streamed).toEqual([SENTENCE])
    expect(next.texts).toEqual([])
    await tts.close()
  })

  it('let one that takes none speak it once it is whole, not before', async () => {
    const next = new ScriptedVoice('embedded', [audio(200)])
    const tts = failover([streaming('azure', [broken('TTS')]), next])
    const text = begun()
    const first = ask(tts, text).next()
    await new Promise(setImmediate)
    expect(next.texts).toEqual([])
    text.finish(SENTENCE)
    expect((await first).value).toEqual(audio(200))
    expect(next.texts).toEqual([SENTENCE])
    await tts.close()
  })

  it('let the next speak only the words that are missing of the whole text', async () => {
    const next = new ScriptedVoice('embedded', [word('tres', 1, 0), audio(200)])
    const steps = [word('uno', 0, 0), word('dos', 4, 300), audio(600), broken('TTS')]
    const tts = failover([streaming('azure', steps), next])
    const text = begun()
    const events = all({ [Symbol.asyncIterator]: () => ask(tts, text) })
    await new Promise(setImmediate)
    text.finish(SENTENCE)
    expect((await events).at(-2)).toEqual(word('tres', 8, 600))
    expect(next.texts).toEqual([' tres cuatro'])
    await tts.close()
  })

  it('count no time while the text is open, and 10 ms once it is whole', async () => {
    vi.useFakeTimers()
    const next = new ScriptedVoice('embedded', [audio(200)])
    const tts = failover([streaming('azure', ['stall']), next])
    const text = begun()
    const first = ask(tts, text).next()
    await vi.advanceTimersByTimeAsync(60_000)
    text.finish(SENTENCE)
    await vi.advanceTimersByTimeAsync(9)
    expect(next.texts).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect((await first).value).toEqual(audio(200))
    expect(next.texts).toEqual([SENTENCE])
    vi.useRealTimers()
    await tts.close()
  })
})
