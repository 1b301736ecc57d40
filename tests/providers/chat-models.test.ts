/** Both network models against a real HTTP server: the same answers and failures through our client and groq-sdk. */
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FALLBACK_MODEL, GroqLlm } from '../../server/providers/groq-llm.ts'
import type { LlmEvent, LlmProvider, LlmRequest } from '../../server/providers/llm.ts'
import { OpenAiLlm } from '../../server/providers/openai-llm.ts'
import {
  cutsAfter,
  finishChunk,
  hangsAfter,
  refuses,
  sse,
  startChatServer,
  streams,
  textChunk,
} from '../../bench/rig/chat-server.ts'
import type { ChatServer } from '../../bench/rig/chat-server.ts'

let server: ChatServer

beforeEach(async () => {
  server = await startChatServer()
})

afterEach(async () => {
  await server.close()
})

const request: LlmRequest = {
  callId: 'call-1',
  model: 'some-model',
  messages: [
    { role: 'system', content: 'Eres Andrea.' },
    { role: 'user', content: 'Hola' },
    {
      role: 'assistant',
      content: '',
      toolCalls: [{ id: 'call_1', name: 'send_dtmf', arguments: '{"digits":"1"}' }],
    },
    { role: 'tool', content: 'ok', toolCallId: 'call_1' },
  ],
  tools: [{ name: 'end_call', description: 'Ends the call.', parameters: { type: 'object' } }],
  temperature: 0.7,
  maxTokens: 250,
  language: 'es-MX',
}

async function answerOf(
  llm: LlmProvider,
  signal: AbortSignal = new AbortController().signal,
): Promise<{ text: string; events: LlmEvent[] }> {
  const events: LlmEvent[] = []
  for await (const event of llm.stream(request, signal)) events.push(event)
  const text = events.map((event) => (event.kind === 'text' ? event.text : '')).join('')
  return { text, events }
}

const kinds: [name: string, make: (limitsMs?: { first?: number; gap?: number }) => LlmProvider][] =
  [
    [
      'openai-llm',
      ({ first = 5_000, gap = 5_000 } = {}) =>
        new OpenAiLlm({
          baseUrl: server.url,
          apiKey: 'a-key',
          model: null,
          limits: { connectMs: 5_000, firstTokenMs: first, stallMs: gap },
        }),
    ],
    [
      'groq-llm',
      ({ first = 5_000, gap = 5_000 } = {}) =>
        new GroqLlm({
          apiKey: 'a-key',
          baseUrl: server.url,
          limits: { firstMs: first, gapMs: gap },
        }),
    ],
  ]

describe.each(kinds)('%s', (_name, make) => {
  it('streams the text and ends with done and the usage', async () => {
    server.answers = [
      streams(
        textChunk('¡Hola!'),
        textChunk(' ¿Qué tal?'),
        finishChunk('stop'),
        'data: [DONE]\n\n',
      ),
    ]
    const { text, events } = await answerOf(make())
    expect(text).toBe('¡Hola! ¿Qué tal?')
    expect(events.at(-1)).toEqual({
      kind: 'done',
      finishReason: 'stop',
      usage: { promptTokens: 12, completionTokens: 5 },
    })
  })

  it('sends messages, tool calls and tools in the wire form, with the key', async () => {
    server.answers = [streams(finishChunk('stop'))]
    await answerOf(make())
    expect(server.requests[0]).toMatchObject({
      model: 'some-model',
      stream: true,
      temperature: 0.7,
      max_tokens: 250,
      messages: [
        { role: 'system', content: 'Eres Andrea.' },
        { role: 'user', content: 'Hola' },
        {
          role: 'assistant',
          tool_calls: [
            {
              id: 'call_1',
              type: 'function',
              function: { name: 'send_dtmf', arguments: '{"digits":"1"}' },
            },
          ],
        },
        { role: 'tool', content: 'ok', tool_call_id: 'call_1' },
      ],
      tools: [{ type: 'function', function: { name: 'end_call' } }],
    })
    expect(server.headers[0]!.authorization).toBe('Bearer a-key')
    expect(server.paths[0]).toMatch(/\/v1\/chat\/completions$/)
  })

  it('puts a letter together that is split between two packets', async () => {
    const bytes = Buffer.from(textChunk('mañana') + finishChunk('stop'))
    const cut = bytes.indexOf('ñ') + 1
    server.answers = [streams(bytes.subarray(0, cut), bytes.subarray(cut))]
    expect((await answerOf(make())).text).toBe('mañana')
  })

  it('reads a tool call in 3 fragments and one without arguments', async () => {
    const fragment = (call: unknown): string =>
      sse({ choices: [{ index: 0, delta: { tool_calls: [call] } }] })
    server.answers = [
      streams(
        textChunk('Adiós.'),
        fragment({
          index: 0,
          id: 'c1',
          type: 'function',
          function: { name: 'send_dtmf', arguments: '' },
        }),
        fragment({ index: 0, function: { arguments: '{"digits"' } }),
        fragment({ index: 0, function: { arguments: ':"1"}' } }),
        fragment({
          index: 1,
          id: 'c2',
          type: 'function',
          function: { name: 'end_call', arguments: 'null' },
        }),
        finishChunk('tool_calls'),
      ),
    ]
    const { events } = await answerOf(make())
    expect(events.slice(1)).toEqual([
      { kind: 'toolCall', call: { id: 'c1', name: 'send_dtmf', arguments: '{"digits":"1"}' } },
      { kind: 'toolCall', call: { id: 'c2', name: 'end_call', arguments: '{}' } },
      expect.objectContaining({ kind: 'done', finishReason: 'tool_calls' }),
    ])
  })

  it('never speaks reasoning, neither as a field nor as a <think> block', async () => {
    server.answers = [
      streams(
        sse({ choices: [{ index: 0, delta: { reasoning: 'Veamos', channel: 'analysis' } }] }),
        textChunk('<th'),
        textChunk('ink>Veamos</thi'),
        textChunk('nk>Claro. 1 < 2'),
        finishChunk('stop'),
      ),
    ]
    expect((await answerOf(make())).text).toBe('Claro. 1 < 2')
  })

  it('takes a stream without [DONE] that has a finish reason for complete', async () => {
    server.answers = [streams(textChunk('Sí.'), finishChunk('length'))]
    expect((await answerOf(make())).events.at(-1)).toMatchObject({ finishReason: 'length' })
  })

  it('fails with LLM_BAD_RESPONSE when the stream ends without finish reason', async () => {
    server.answers = [streams(textChunk('A med'))]
    await expect(answerOf(make())).rejects.toMatchObject({
      code: 'LLM_BAD_RESPONSE',
      retryable: true,
    })
  })

  it('fails with LLM_UNAVAILABLE when the connection is cut in mid-answer', async () => {
    server.answers = [cutsAfter(textChunk('A med'))]
    await expect(answerOf(make())).rejects.toMatchObject({
      code: 'LLM_UNAVAILABLE',
      retryable: true,
    })
  })

  it('fails with LLM_UNAVAILABLE at an error line inside the stream', async () => {
    server.answers = [
      streams(textChunk('A med'), sse({ error: { message: 'overloaded', code: 'x' } })),
    ]
    await expect(answerOf(make())).rejects.toMatchObject({
      code: 'LLM_UNAVAILABLE',
      message: expect.stringContaining('overloaded'),
    })
  })

  it('fails with LLM_TIMEOUT when no token comes within 100 ms', async () => {
    server.answers = [hangsAfter()]
    await expect(answerOf(make({ first: 100 }))).rejects.toMatchObject({ code: 'LLM_TIMEOUT' })
    await server.clientLeft
  })

  it('fails with LLM_TIMEOUT when the answer stops for 100 ms', async () => {
    server.answers = [hangsAfter(textChunk('A med'))]
    await expect(answerOf(make({ gap: 100 }))).rejects.toMatchObject({
      code: 'LLM_TIMEOUT',
      message: expect.stringContaining('mid-answer'),
    })
    await server.clientLeft
  })

  it('ends without done and closes the connection when aborted in mid-answer', async () => {
    server.answers = [hangsAfter(textChunk('A med'))]
    const abort = new AbortController()
    const events: LlmEvent[] = []
    for await (const event of make().stream(request, abort.signal)) {
      events.push(event)
      abort.abort()
    }
    expect(events).toEqual([{ kind: 'text', text: 'A med' }])
    await server.clientLeft
  })

  it('closes the connection when the reader leaves the loop', async () => {
    server.answers = [hangsAfter(textChunk('A med'))]
    for await (const event of make().stream(request, new AbortController().signal)) {
      expect(event.kind).toBe('text')
      break
    }
    await server.clientLeft
  })

  it('gives a reader that pauses longer than the limits all the time it wants', async () => {
    server.answers = [streams(textChunk('uno '), textChunk('dos'), finishChunk('stop'))]
    let text = ''
    for await (const event of make({ first: 100, gap: 100 }).stream(
      request,
      new AbortController().signal,
    )) {
      if (event.kind !== 'text') continue
      text += event.text
      // Longer than both limits; a timer is the only way to let them pass.
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    expect(text).toBe('uno dos')
  })

  it.each([
    [401, 'LLM_UNAVAILABLE', false],
    [400, 'LLM_BAD_RESPONSE', false],
    [413, 'LLM_BAD_RESPONSE', false],
    [429, 'LLM_RATE_LIMITED', true],
    [498, 'LLM_UNAVAILABLE', true],
    [500, 'LLM_UNAVAILABLE', true],
    [503, 'LLM_UNAVAILABLE', true],
  ])('maps status %i to %s (retryable %s) after one request', async (status, code, retryable) => {
    server.answers = [refuses(status, { message: 'because', code: 'x' }, { 'retry-after': '120' })]
    await expect(answerOf(make())).rejects.toMatchObject({
      code,
      retryable,
      message: expect.stringContaining('because'),
    })
    expect(server.requests).toHaveLength(1)
  })

  it('asks once more, and only once, on a new connection when the kept one was closed', async () => {
    const closes = (response: ServerResponse) => void response.socket?.destroy()
    server.answers = [closes, streams(textChunk('Sí.'), finishChunk('stop'))]
    const llm = make()
    expect((await answerOf(llm)).text).toBe('Sí.')
    expect(server.requests).toHaveLength(2)
    server.answers = [closes]
    await expect(answerOf(llm)).rejects.toMatchObject({ code: 'LLM_UNAVAILABLE' })
    expect(server.requests).toHaveLength(4)
  })

  it('does not ask again behind the head of an answer that was cut before its first token', async () => {
    server.answers = [cutsAfter(': ping\n\n')]
    await expect(answerOf(make())).rejects.toMatchObject({ code: 'LLM_UNAVAILABLE' })
    expect(server.requests).toHaveLength(1)
  })

  it('fails with LLM_UNAVAILABLE when nobody listens', async () => {
    const llm = make()
    await server.close()
    await expect(answerOf(llm)).rejects.toMatchObject({ code: 'LLM_UNAVAILABLE', retryable: true })
    server = await startChatServer()
  })

  it('asks nothing when the signal is aborted before', async () => {
    expect((await answerOf(make(), AbortSignal.abort())).events).toEqual([])
    expect(server.requests).toHaveLength(0)
  })
})

describe('openai-llm alone', () => {
  const local = (model: string | null, path = '') =>
    new OpenAiLlm({ baseUrl: server.url + path, apiKey: null, model })

  it('reads CRLF line ends, comments, other fields and data without a space', async () => {
    const chunk = textChunk('Hola').trim().replace('data: ', 'data:')
    server.answers = [
      streams(`: ping\r\n\r\nevent: x\r\nid: 1\r\n${chunk}\r`, '\n\r\ndata: [DONE]\r\n\r\n'),
    ]
    expect((await answerOf(local('m'))).text).toBe('Hola')
  })

  it('asks for the configured model, without a key, below the given path', async () => {
    server.answers = [streams(finishChunk('stop'))]
    await answerOf(local('qwen3:4b', '/api/v1/'))
    expect(server.requests[0]).toMatchObject({ model: 'qwen3:4b' })
    expect(server.headers[0]!.authorization).toBeUndefined()
    expect(server.paths[0]).toBe('/api/v1/chat/completions')
  })

  it('fails with LLM_BAD_RESPONSE for a line that is not JSON and for a body that is no stream', async () => {
    server.answers = [
      streams('data: {"choices":[\n\n'),
      (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
    ]
    await expect(answerOf(local('m'))).rejects.toMatchObject({ code: 'LLM_BAD_RESPONSE' })
    await expect(answerOf(local('m'))).rejects.toMatchObject({ code: 'LLM_BAD_RESPONSE' })
  })

  it('maps 404 to LLM_MODEL_GONE', async () => {
    server.answers = [refuses(404, { message: 'model "m" not found' })]
    await expect(answerOf(local('m'))).rejects.toMatchObject({ code: 'LLM_MODEL_GONE' })
  })

  it('warm() asks for one token', async () => {
    server.answers = [streams(textChunk('H'), finishChunk('length'))]
    await local('m').warm()
    expect(server.requests[0]).toMatchObject({ max_tokens: 1 })
  })
})

describe('groq-llm alone', () => {
  it('replaces a model that is gone by the fallback, tells it once and remembers it', async () => {
    server.answers = [
      refuses(404, { message: 'gone', code: 'model_not_found' }),
      streams(textChunk('Sí.'), finishChunk('stop')),
    ]
    const gone: string[] = []
    const llm = new GroqLlm({
      apiKey: 'a-key',
      baseUrl: `${server.url}/openai/v1`,
      onModelGone: (model, fallback) => gone.push(`${model} → ${fallback}`),
    })
    expect((await answerOf(llm)).text).toBe('Sí.')
    expect((await answerOf(llm)).text).toBe('Sí.')
    expect(gone).toEqual([`some-model → ${FALLBACK_MODEL}`])
    expect(server.requests.map((body) => body['model'])).toEqual([
      'some-model',
      FALLBACK_MODEL,
      FALLBACK_MODEL,
    ])
    expect(server.requests[1]).toMatchObject({ reasoning_effort: 'low', include_reasoning: false })
  })

  it('asks once more without tools after tool_use_failed', async () => {
    server.answers = [
      refuses(400, { message: 'bad call', code: 'tool_use_failed', failed_generation: '<x>' }),
      streams(textChunk('Claro.'), finishChunk('stop')),
    ]
    const llm = new GroqLlm({ apiKey: 'a-key', baseUrl: server.url })
    expect((await answerOf(llm)).text).toBe('Claro.')
    expect(server.requests[1]).not.toHaveProperty('tools')
  })

  it('warm() fails with LLM_UNAVAILABLE when the key is refused', async () => {
    server.answers = [refuses(401, { message: 'Invalid API Key', code: 'invalid_api_key' })]
    await expect(
      new GroqLlm({ apiKey: 'a-key', baseUrl: server.url }).warm(),
    ).rejects.toMatchObject({
      code: 'LLM_UNAVAILABLE',
      message: expect.stringContaining('Invalid API Key'),
    })
  })
})
