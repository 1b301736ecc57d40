import { describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS, type ProfileSettings } from '../../server/agent-settings.ts'
import { AfterCall, type EndedCall } from '../../server/aftercall/after-call.ts'
import { analyse, transcriptText, type Analysis } from '../../server/aftercall/extraction.ts'
import type { Turn } from '../../server/conversation/conversation-events.ts'
import { createMetrics } from '../../server/metrics.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from '../../server/providers/llm.ts'

function turn(role: 'user' | 'agent', textSpoken: string, textHeard = textSpoken): Turn {
  const kind = role === 'user' ? 'speech' : 'reply'
  const times = { startMs: 0, endMs: 1, latency: null, turnId: 1 }
  return { role, kind, textSpoken, textHeard, truncated: textSpoken !== textHeard, ...times }
}

const TURNS = [
  turn('agent', '¿Cómo se llama? Tenemos lugar el martes.', '¿Cómo se llama?'),
  turn('user', 'Soy Claudia Ortega.'),
]

function model(text: string | Error, scripted = false): LlmProvider & { requests: LlmRequest[] } {
  const requests: LlmRequest[] = []
  return {
    name: 'test',
    scripted,
    requests,
    warm: async () => {},
    close: async () => {},
    async *stream(request): AsyncGenerator<LlmEvent> {
      requests.push(request)
      if (text instanceof Error) throw text
      yield { kind: 'text', text }
      yield { kind: 'done', finishReason: 'stop', usage: null }
    },
  }
}

const settings = (changes: Partial<ProfileSettings> = {}): ProfileSettings => ({
  ...DEFAULT_SETTINGS.base,
  ...changes,
})

const run = (llm: LlmProvider, changes: Partial<ProfileSettings> = {}): Promise<Analysis> =>
  analyse(TURNS, settings(changes), { callId: 'c', llm, signal: new AbortController().signal })

describe('extraction', () => {
  it('gives the original’s five fields, null where the call does not say', async () => {
    const answer = {
      summary: 'Claudia preguntó.',
      outcome: 'callBack',
      sentiment: 'positive',
      fields: { client_name: 'Claudia Ortega', invented: 1 },
    }
    expect(await run(model('```json\n' + JSON.stringify(answer) + '\n```'))).toEqual({
      status: 'done',
      ...answer,
      fields: {
        client_name: 'Claudia Ortega',
        interest_level: null,
        appointment_date: null,
        whatsapp_number: null,
        key_notes: null,
      },
      note: null,
    })
  })

  it('takes the agent’s own schema and model', async () => {
    const llm = model('{"fields":{"plate":"ABC-123"}}')
    const extractionSchema = '{"type":"object","properties":{"plate":{"type":"string"}}}'
    const found = await run(llm, { extractionSchema, extractionModel: 'small' })
    expect(found).toMatchObject({ fields: { plate: 'ABC-123' }, outcome: 'other', sentiment: null })
    expect(llm.requests[0]).toMatchObject({ model: 'small', temperature: 0, tools: [] })
  })

  it('sends only what was heard', () => {
    expect(transcriptText(TURNS)).toBe('agent: ¿Cómo se llama?\nuser: Soy Claudia Ortega.')
  })

  it('says plainly that no language model is configured', async () => {
    const llm = model('{}', true)
    expect(await run(llm)).toMatchObject({
      status: 'noModel',
      note: expect.stringContaining('No language model is configured'),
    })
    expect(llm.requests).toEqual([])
  })

  it.each([['not JSON'], [new Error('away')]])('reports %s as failed', async (answer) => {
    expect(await run(model(answer))).toMatchObject({ status: 'failed', fields: {} })
  })
})

describe('after the call', () => {
  function ended(changes: Partial<ProfileSettings> = {}): EndedCall {
    return {
      ...{ id: 'c', agentId: 'a', carrier: 'twilio', from: null, to: null, startedAt: 0 },
      ...{ durationMs: 1, endReason: 'userHangup', settings: settings(changes), turns: TURNS },
    }
  }

  function afterCall(llm: LlmProvider) {
    const steps: string[] = []
    const log = {
      info: () => {},
      warn: (_data: unknown, text?: string) => void steps.push(text ?? ''),
    }
    const worker = new AfterCall({
      llm,
      log: log as never,
      metrics: createMetrics(),
      written: async () => void steps.push('written'),
      save: async (callId, analysis) => void steps.push(`saved ${callId} ${analysis.status}`),
      webhook: null,
    })
    return { worker, steps }
  }

  it('stores the analysis after the call’s own rows', async () => {
    const { worker, steps } = afterCall(model('{}'))
    worker.take(ended())
    await worker.idle()
    expect(steps).toEqual(['written', 'saved c done'])
  })

  it('says that a webhook is not sent without a secret', async () => {
    const { worker, steps } = afterCall(model('{}'))
    worker.take(ended({ webhookUrl: 'https://example.com/hook' }))
    await worker.idle()
    expect(steps.at(-1)).toBe('webhook not sent: WEBHOOK_SECRET is not set')
  })

  it('takes nothing after its stop', async () => {
    const { worker, steps } = afterCall(model('{}'))
    await worker.stop()
    worker.take(ended())
    await worker.idle()
    expect(steps).toEqual([])
  })
})
