/** Keys that are refused, and what is logged, thrown and shown of them: nothing. */
import { inspect } from 'node:util'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { GroqService } from '../../bench/rig/groq-service.ts'
import { AzureStt } from '../../server/providers/azure-stt.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import { GroqLlm } from '../../server/providers/groq-llm.ts'
import { GroqWhisper } from '../../server/providers/groq-whisper.ts'
import type { LlmRequest } from '../../server/providers/llm.ts'
import { OpenAiLlm } from '../../server/providers/openai-llm.ts'
import { selectProviders } from '../../server/providers/select.ts'

const KEY = 'key-that-nobody/may+see'
const FORMS = [KEY, encodeURIComponent(KEY), Buffer.from(KEY).toString('base64')]
const REQUEST: LlmRequest = {
  callId: 'call-1',
  model: 'llama-3.3-70b-versatile',
  messages: [{ role: 'user', content: 'hola' }],
  tools: [],
  temperature: 0,
  maxTokens: 10,
  language: 'es-MX',
}
const VOICE = { name: '', language: 'es-MX', style: null, speed: 1 }
const never = new AbortController().signal

let azure: AzureService
let groq: GroqService
let lines: string[]
const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })

beforeEach(async () => {
  lines = []
  azure = await AzureService.start({ key: 'another' })
  groq = await GroqService.start({ firstTokenMs: 1, tokensPerSec: 1_000 })
})
afterEach(async () => {
  await Promise.all([azure.close(), groq.close()])
})

/** As an error turns up in a log, with all its causes. */
function seen(error: unknown): string {
  log.error({ err: error, error: String(error) }, 'failed')
  return inspect(error, { depth: 8 }) + lines.join('\n')
}

async function failureOf(run: () => Promise<unknown>): Promise<unknown> {
  const error = await run().catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(Error)
  return error
}

async function drain(events: AsyncIterable<unknown>): Promise<void> {
  for await (const event of events) void event
}

describe('a key that is refused', () => {
  it('is in no error and no log line of Groq', async () => {
    const refusing = await GroqService.start({ key: 'another' })
    const llm = new GroqLlm({ apiKey: KEY, baseUrl: refusing.url })
    const errors = [
      await failureOf(() => llm.warm()),
      await failureOf(() => drain(llm.stream(REQUEST, never))),
    ]
    for (const error of errors) for (const form of FORMS) expect(seen(error)).not.toContain(form)
    await refusing.close()
  })

  it('is in no error and no log line of an OpenAI-compatible server', async () => {
    const refusing = await GroqService.start({ key: 'another' })
    const baseUrl = `${refusing.url}/openai/v1`
    const llm = new OpenAiLlm({ baseUrl, apiKey: KEY, model: REQUEST.model })
    const errors = [
      await failureOf(() => llm.warm()),
      await failureOf(() => drain(llm.stream(REQUEST, never))),
    ]
    await refusing.close()
    // And where nobody listens.
    errors.push(await failureOf(() => drain(llm.stream(REQUEST, never))))
    for (const error of errors) for (const form of FORMS) expect(seen(error)).not.toContain(form)
  })

  it('is in no error and no log line when the server quotes it back, in words and in the body', async () => {
    const message = `Incorrect API key provided: ${KEY} (${encodeURIComponent(KEY)})`
    const baseUrl = `${groq.url}/openai/v1`
    const llm = new GroqLlm({ apiKey: KEY, baseUrl: groq.url })
    const other = new OpenAiLlm({ baseUrl, apiKey: KEY, model: REQUEST.model })
    const whisper = new GroqWhisper({ apiKey: KEY, baseUrl: groq.url })
    const pcm = new Int16Array(8_000)
    const utterance = { pcm, language: 'es-MX', rateHz: 8_000, model: 'whisper-large-v3' } as const
    const errors: unknown[] = []
    for (const status of [400, 401, 403, 404, 413, 422, 429, 498, 503]) {
      groq.failure = groq.whisperFailure = { kind: 'status', status, message }
      errors.push(await failureOf(() => drain(llm.stream(REQUEST, never))))
      errors.push(await failureOf(() => drain(other.stream(REQUEST, never))))
      errors.push(await failureOf(() => whisper.transcribe(utterance, never)))
    }
    errors.push(await failureOf(() => llm.warm()), await failureOf(() => whisper.warm()))
    for (const error of errors) {
      expect(String(error)).toMatch(/\*\*\*|emulated/)
      for (const form of FORMS) expect(seen(error)).not.toContain(form)
    }
  })

  it('is in no error and no log line of Azure, whose SDK puts it into the address', async () => {
    const account = { key: KEY, region: 'eastus', host: azure.host }
    const stt = new AzureStt(account, { connectMs: 15_000 })
    const tts = new AzureTts(account)
    const errors = [
      await failureOf(() => stt.probe()),
      await failureOf(() =>
        drain(tts.synthesize({ callId: 'call-1', text: 'hola', voice: VOICE }, never)),
      ),
    ]
    for (const error of errors) for (const form of FORMS) expect(seen(error)).not.toContain(form)
    expect(azure.paths.join()).not.toContain(KEY)
    await Promise.all([stt.close(), tts.close()])
  })
})

describe('the SDK of Groq', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  it('prints nothing past our log, also when it is told to by its own variable', async () => {
    vi.stubEnv('GROQ_LOG', 'debug')
    const printed = (['log', 'debug', 'info', 'warn', 'error'] as const).map((level) =>
      vi.spyOn(console, level).mockImplementation(() => undefined),
    )
    const llm = new GroqLlm({ apiKey: KEY, baseUrl: groq.url })
    const whisper = new GroqWhisper({ apiKey: KEY, baseUrl: groq.url })
    await llm.warm()
    await drain(llm.stream(REQUEST, never))
    groq.failure = { kind: 'garbage' }
    await failureOf(() => drain(llm.stream(REQUEST, never)))
    const pcm = new Int16Array(8_000)
    await whisper.transcribe(
      { pcm, language: 'es-MX', rateHz: 8_000, model: 'whisper-large-v3' },
      never,
    )
    for (const spy of printed) expect(spy).not.toHaveBeenCalled()
  })
})

describe('what is shown of the providers', () => {
  it('is what Groq said of its limits with the last answer, and never a key', async () => {
    const providers = await selectProviders(
      {
        azure: {
          key: KEY,
          region: 'eastus',
          host: azure.host,
          textStreaming: 'auto',
          silence: 'held',
          rate: 'line',
        },
        groq: { apiKey: KEY, baseUrl: groq.url },
        openAi: null,
        sttWorkers: 1,
      },
      log,
    )
    expect(providers.status.llm.rateLimits).toBeNull()
    // Again where a slow machine made the failover answer first.
    const asked = async () => {
      await drain(providers.llm.stream(REQUEST, never))
      return providers.status.llm.rateLimits
    }
    await expect.poll(asked, { timeout: 15_000 }).toEqual({
      remainingRequests: 14_370,
      remainingTokens: 17_997,
      resetTokens: '7.66s',
    })
    await providers.prefill(['hola'], VOICE)
    expect(lines.join()).toContain('phrases not prepared')
    for (const form of FORMS) {
      expect(JSON.stringify(providers.status) + lines.join()).not.toContain(form)
    }
    await Promise.all([providers.stt.close(), providers.llm.close(), providers.tts.close()])
  }, 30_000)
})
