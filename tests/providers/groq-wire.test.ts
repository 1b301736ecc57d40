/** Every way in which Groq answers or fails, through the real SDK: what the conversation gets, and what is left open. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GroqService, type LlmFailure } from '../../bench/rig/groq-service.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { FailoverLlm } from '../../server/providers/failover-llm.ts'
import { GroqLlm } from '../../server/providers/groq-llm.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from '../../server/providers/llm.ts'

const ANSWER = 'Mañana a las ocho, señor Núñez, ¿le parece?'
const REQUEST: LlmRequest = {
  callId: 'call-1',
  model: 'llama-3.3-70b-versatile',
  messages: [{ role: 'user', content: 'hola' }],
  tools: [{ name: 'end_call', description: 'Ends the call.', parameters: { type: 'object' } }],
  temperature: 0,
  maxTokens: 100,
  language: 'es-MX',
}
const never = new AbortController().signal

let groq: GroqService
let llm: GroqLlm

beforeEach(async () => {
  groq = await GroqService.start({ firstTokenMs: 1, tokensPerSec: 2_000, answerOf: () => ANSWER })
  llm = open({ connectMs: 15_000, firstMs: 15_000, gapMs: 15_000 })
})
afterEach(() => groq.close())

function open(limits: { connectMs?: number; firstMs?: number; gapMs?: number }): GroqLlm {
  return new GroqLlm({ apiKey: 'k', baseUrl: groq.url, limits })
}

async function answerOf(from: LlmProvider, signal = never) {
  const events: LlmEvent[] = []
  for await (const event of from.stream(REQUEST, signal)) events.push(event)
  const text = events.map((event) => (event.kind === 'text' ? event.text : '')).join('')
  const calls = events.flatMap((event) => (event.kind === 'toolCall' ? [event.call] : []))
  return { text, calls, last: events.at(-1) }
}

describe('an answer of Groq', () => {
  it('is the same when letters are split between packets, lines end in CRLF and comments lie between', async () => {
    groq.shape = { isOdd: true }
    const { text, last } = await answerOf(llm)
    expect(text).toBe(ANSWER)
    expect(last).toMatchObject({ kind: 'done', usage: { promptTokens: 1, completionTokens: 8 } })
  })

  it('is counted also when the counts come in a chunk without a choice', async () => {
    groq.shape = { usageApart: true }
    const { last } = await answerOf(llm)
    expect(last).toMatchObject({ kind: 'done', finishReason: 'stop', usage: { promptTokens: 1 } })
  })

  it('never speaks what the model thought', async () => {
    groq.shape = { reasoning: 'The user greets me.' }
    expect((await answerOf(llm)).text).toBe(ANSWER)
  })

  it.each([false, true])(
    'holds 3 parallel tool calls behind its text, in fragments: %s',
    async (inFragments) => {
      const toolCalls = [
        { name: 'send_dtmf', arguments: '{"digits":"123#"}' },
        { name: 'end_call', arguments: 'null' },
        { name: 'transfer_call', arguments: '' },
      ]
      groq.shape = { toolCalls, inFragments }
      const { text, calls, last } = await answerOf(llm)
      expect(text).toBe(ANSWER)
      expect(calls).toEqual([
        { id: 'fc_0', name: 'send_dtmf', arguments: '{"digits":"123#"}' },
        { id: 'fc_1', name: 'end_call', arguments: '{}' },
        { id: 'fc_2', name: 'transfer_call', arguments: '{}' },
      ])
      expect(last).toMatchObject({ kind: 'done', finishReason: 'tool_calls' })
    },
  )
})

const LLM_FAILURES: [LlmFailure, code: string][] = [
  [{ kind: 'status', status: 429, retryAfterSec: 1 }, 'LLM_RATE_LIMITED'],
  [{ kind: 'status', status: 429, retryAfterSec: 120 }, 'LLM_RATE_LIMITED'],
  [{ kind: 'status', status: 400, code: 'context_length_exceeded' }, 'LLM_BAD_RESPONSE'],
  [{ kind: 'status', status: 400, code: 'tool_use_failed' }, 'LLM_BAD_RESPONSE'],
  [{ kind: 'status', status: 401 }, 'LLM_UNAVAILABLE'],
  [{ kind: 'status', status: 404 }, 'LLM_MODEL_GONE'],
  [{ kind: 'status', status: 413 }, 'LLM_BAD_RESPONSE'],
  [{ kind: 'status', status: 422 }, 'LLM_BAD_RESPONSE'],
  [{ kind: 'status', status: 498 }, 'LLM_UNAVAILABLE'],
  [{ kind: 'status', status: 503 }, 'LLM_UNAVAILABLE'],
  [{ kind: 'silent' }, 'LLM_TIMEOUT'],
  [{ kind: 'slow', firstTokenMs: 60_000 }, 'LLM_TIMEOUT'],
  [{ kind: 'stall', afterTokens: 2 }, 'LLM_TIMEOUT'],
  [{ kind: 'cut', afterTokens: 2 }, 'LLM_UNAVAILABLE'],
  [{ kind: 'errorLine', afterTokens: 2 }, 'LLM_UNAVAILABLE'],
  [{ kind: 'groqError', afterTokens: 2 }, 'LLM_UNAVAILABLE'],
  [{ kind: 'noEnd', afterTokens: 2 }, 'LLM_BAD_RESPONSE'],
]

describe('models of the account', () => {
  it('are none before the list was read, then those that can answer, the original’s default first', async () => {
    groq.models = [
      'a-model',
      'whisper-large-v3',
      'openai/gpt-oss-120b',
      'canopylabs/orpheus-v1-english',
    ]
    expect(llm.models).toEqual([])
    await llm.warm()
    expect(llm.models).toEqual(['openai/gpt-oss-120b', 'a-model'])
    groq.models.push('llama-3.3-70b-versatile', 'meta-llama/llama-guard-4-12b')
    await llm.warm()
    expect(llm.models).toEqual(['llama-3.3-70b-versatile', 'openai/gpt-oss-120b', 'a-model'])
  })
})

describe('a failure of Groq', () => {
  it.each(LLM_FAILURES)('%o is %s, and leaves no request open', async (failure, code) => {
    // Only what is silent may be held for silent.
    const isSilent = code === 'LLM_TIMEOUT'
    const limits = isSilent ? { firstMs: 300, gapMs: 300 } : { firstMs: 15_000, gapMs: 15_000 }
    const failing = open({ connectMs: 15_000, ...limits })
    groq.failure = failure
    await expect(answerOf(failing)).rejects.toMatchObject({ code })
    await expect.poll(() => groq.open, { timeout: 15_000 }).toBe(0)
  })

  it('of garbage is an error, whatever it is called', async () => {
    groq.failure = { kind: 'garbage' }
    await expect(answerOf(llm)).rejects.toMatchObject({ code: expect.stringMatching(/^LLM_/) })
  })

  it('that says how far the limits are used up is shown', async () => {
    groq.failure = { kind: 'status', status: 429, retryAfterSec: 120 }
    expect(llm.rateLimits).toBeNull()
    await expect(answerOf(llm)).rejects.toThrow()
    expect(llm.rateLimits).toMatchObject({ remainingRequests: 14_370, resetTokens: '7.66s' })
  })
})

describe('a speculative answer that is thrown away', () => {
  it('closes its request at once, and its tokens are booked', async () => {
    groq.failure = { kind: 'stall', afterTokens: 3 }
    const accounts = new CallAccounts()
    accounts.open('call-1', () => undefined)
    const models = new FailoverLlm([llm], { accounts })
    const abort = new AbortController()
    let tokens = 0
    for await (const event of models.stream(REQUEST, abort.signal)) {
      expect(event.kind).toBe('text')
      if (++tokens === 3) abort.abort()
    }
    await expect.poll(() => groq.open, { timeout: 15_000 }).toBe(0)
    expect(groq.left).toBe(1)
    // "Mañana a las" is 12 characters, four to a token.
    expect(accounts.close('call-1')).toMatchObject({
      tokens: [{ provider: 'groq', promptTokens: 1, completionTokens: 3 }],
    })
    await models.close()
  })

  it('100 times leaves no request open', async () => {
    groq.failure = { kind: 'stall', afterTokens: 1 }
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        const abort = new AbortController()
        for await (const event of llm.stream(REQUEST, abort.signal)) {
          expect(event.kind).toBe('text')
          abort.abort()
        }
      }),
    )
    await expect.poll(() => groq.open, { timeout: 15_000 }).toBe(0)
    expect(groq.left).toBe(100)
  })
})
