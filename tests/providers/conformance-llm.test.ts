/** What every language model must do, run through each implementation over the same wire. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GroqService } from '../../bench/rig/groq-service.ts'
import { PROVIDER_NAMES } from '../../server/config.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { FailoverLlm } from '../../server/providers/failover-llm.ts'
import { GroqLlm } from '../../server/providers/groq-llm.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from '../../server/providers/llm.ts'
import { OpenAiLlm } from '../../server/providers/openai-llm.ts'
import { ScriptedLlm } from '../../server/providers/scripted-llm.ts'
import { ScriptedModel, broken } from './doubles.ts'

const MODEL = 'openai/gpt-oss-120b'
const REQUEST: LlmRequest = {
  callId: 'call-1',
  model: MODEL,
  messages: [
    { role: 'system', content: 'Eres Andrea.' },
    { role: 'user', content: '¿Qué beneficios ofrecen?' },
  ],
  tools: [],
  temperature: 0,
  maxTokens: 100,
  language: 'es-MX',
}

let service: GroqService
beforeAll(async () => {
  service = await GroqService.start({ firstTokenMs: 1, tokensPerSec: 1_000 })
})
afterAll(() => service.close())

const SLOW = { connectMs: 15_000, firstMs: 15_000, gapMs: 15_000 }
const IMPLEMENTATIONS: [string, () => LlmProvider][] = [
  ['groq', () => new GroqLlm({ apiKey: 'k', baseUrl: service.url, limits: SLOW })],
  [
    'openai',
    () => new OpenAiLlm({ baseUrl: `${service.url}/openai/v1`, apiKey: null, model: MODEL }),
  ],
  ['scripted', () => new ScriptedLlm()],
  [
    'groq behind a failover',
    () =>
      new FailoverLlm([new GroqLlm({ apiKey: 'k', baseUrl: service.url, limits: SLOW })], {
        accounts: new CallAccounts(),
      }),
  ],
  [
    'groq in the place of one that refuses',
    () =>
      new FailoverLlm(
        [
          new ScriptedModel('refusing', [broken('LLM')]),
          new GroqLlm({ apiKey: 'k', baseUrl: service.url, limits: SLOW }),
        ],
        { accounts: new CallAccounts(), health: { failures: 1 } },
      ),
  ],
]

it('covers every language model that can be configured', () => {
  const covered = new Set(IMPLEMENTATIONS.map(([name]) => name))
  for (const name of PROVIDER_NAMES.llm) {
    expect(covered).toContain(name === 'embedded' ? 'scripted' : name)
  }
})

async function all(events: AsyncIterable<LlmEvent>): Promise<LlmEvent[]> {
  const list: LlmEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

describe.each(IMPLEMENTATIONS)('language model %s', (name, create) => {
  it('has its name, warms up twice, and closes', async () => {
    const llm = create()
    expect(name).toContain(llm.name === 'refusing' ? 'refuses' : llm.name)
    await llm.warm()
    await llm.warm()
    await llm.close()
  })

  it('answers in text and ends with exactly one done', async () => {
    const llm = create()
    const events = await all(llm.stream(REQUEST, new AbortController().signal))
    const text = events.map((event) => (event.kind === 'text' ? event.text : '')).join('')
    expect(text.trim()).not.toBe('')
    expect(events.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    expect(events.at(-1)).toMatchObject({ kind: 'done', finishReason: 'stop' })
    await llm.close()
  })

  it('ends without done and without an error when it is aborted in mid-answer', async () => {
    const llm = create()
    const abort = new AbortController()
    const events: LlmEvent[] = []
    for await (const event of llm.stream(REQUEST, abort.signal)) {
      events.push(event)
      abort.abort()
    }
    expect(events).toHaveLength(1)
    expect(events[0]!.kind).toBe('text')
    await llm.close()
  })

  it('says nothing when it was aborted before it began', async () => {
    const llm = create()
    expect(await all(llm.stream(REQUEST, AbortSignal.abort()))).toEqual([])
    await llm.close()
  })
})
