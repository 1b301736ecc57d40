import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { configSecrets, loadConfig } from '../server/config.ts'
import { ConfigError } from '../server/errors.ts'

function refusal(env: Record<string, string>): ConfigError {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error
  }
  throw new Error('expected a ConfigError')
}

describe('config', () => {
  it('needs nothing: an empty environment gives the embedded set-up on 127.0.0.1:8000', () => {
    expect(loadConfig({})).toEqual({
      host: '127.0.0.1',
      port: 8_000,
      publicUrl: null,
      databaseUrl: null,
      dataDir: resolve('data'),
      secretsKey: null,
      adminApiKey: null,
      logLevel: 'info',
      azure: null,
      groq: null,
      openAi: null,
      webhook: null,
      twilio: [],
      telnyx: [],
      outbound: { maxCalls: 10, callsPerSec: 1 },
      maxCalls: 300,
      audioThreads: 1,
      sttWorkers: 1,
      loadControl: true,
      limits: { apiPerMinute: 600, webhookPerMinute: 6_000 },
      httpToolHosts: [],
      providerOrder: { stt: null, llm: null, tts: null },
      phraseCacheBytes: 64 * 1_048_576,
      bedMemoryBytes: 64 * 1_048_576,
      prices: {
        sttHour: 1,
        secondHearingHour: 0.04,
        ttsMillionCharacters: 15,
        ttsHdMillionCharacters: 30,
        llmModels: expect.any(Array),
        llmMillionInputTokens: 0.59,
        llmMillionOutputTokens: 0.79,
        twilioMinute: 0.0085,
        telnyxMinute: 0.0085,
      },
      echo: false,
      trustProxy: 0,
    })
  })

  it('takes an empty value as absent and cuts blanks around a value', () => {
    expect(loadConfig({ PORT: '', AZURE_SPEECH_KEY: '  ', HOST: ' ::1 ' })).toMatchObject({
      port: 8_000,
      azure: null,
      host: '::1',
    })
  })

  it('reads the order of providers, and refuses one that has no key or is unknown', () => {
    const config = loadConfig({ STT_PROVIDERS: 'embedded', LLM_PROVIDERS: ' embedded ' })
    expect(config.providerOrder).toEqual({ stt: ['embedded'], llm: ['embedded'], tts: null })
    expect(() => loadConfig({ TTS_PROVIDERS: 'azure,embedded' })).toThrow(/AZURE_SPEECH_KEY/)
    expect(() => loadConfig({ LLM_PROVIDERS: 'nobody' })).toThrow(/LLM_PROVIDERS/)
    expect(() => loadConfig({ STT_PROVIDERS: 'embedded,embedded' })).toThrow(/twice/)
  })

  it("streams text into Azure's voices unless AZURE_TEXT_STREAMING is off", () => {
    const azure = { AZURE_SPEECH_KEY: 'azure-key', AZURE_SPEECH_REGION: 'eastus' }
    expect(loadConfig(azure).azure?.textStreaming).toBe('auto')
    expect(loadConfig({ ...azure, AZURE_TEXT_STREAMING: 'off' }).azure?.textStreaming).toBe('off')
    expect(() => loadConfig({ ...azure, AZURE_TEXT_STREAMING: 'yes' })).toThrow(
      /AZURE_TEXT_STREAMING/,
    )
  })

  it('holds silence back from Azure’s recogniser unless AZURE_STT_SILENCE is sent', () => {
    const azure = { AZURE_SPEECH_KEY: 'azure-key', AZURE_SPEECH_REGION: 'eastus' }
    expect(loadConfig(azure).azure?.silence).toBe('held')
    expect(loadConfig({ ...azure, AZURE_STT_SILENCE: 'sent' }).azure?.silence).toBe('sent')
    expect(() => loadConfig({ ...azure, AZURE_STT_SILENCE: 'no' })).toThrow(/AZURE_STT_SILENCE/)
  })

  it('gives Azure’s recogniser a telephone line at its own rate unless AZURE_STT_RATE is 16000', () => {
    const azure = { AZURE_SPEECH_KEY: 'azure-key', AZURE_SPEECH_REGION: 'eastus' }
    expect(loadConfig(azure).azure?.rate).toBe('line')
    expect(loadConfig({ ...azure, AZURE_STT_RATE: '16000' }).azure?.rate).toBe(16_000)
    expect(() => loadConfig({ ...azure, AZURE_STT_RATE: '8000' })).toThrow(/AZURE_STT_RATE/)
  })

  it('reads every account whole', () => {
    const config = loadConfig({
      PUBLIC_URL: 'https://andrea.example/',
      AZURE_SPEECH_KEY: 'azure-key',
      AZURE_SPEECH_REGION: 'eastus',
      GROQ_API_KEY: 'groq-key',
      LLM_BASE_URL: 'http://127.0.0.1:11434/v1/',
      LLM_MODEL: 'llama3.1',
      TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
      TWILIO_AUTH_TOKEN: 'twilio-token',
      MEDIA_ECHO: '1',
    })
    expect(config).toMatchObject({
      publicUrl: 'https://andrea.example',
      azure: { key: 'azure-key', region: 'eastus', host: null },
      groq: { apiKey: 'groq-key', baseUrl: null },
      openAi: { baseUrl: 'http://127.0.0.1:11434/v1', apiKey: null, model: 'llama3.1' },
      twilio: [
        {
          name: 'default',
          accountSid: `AC${'0'.repeat(32)}`,
          authToken: 'twilio-token',
          region: null,
          edge: null,
          from: null,
          apiBaseUrl: null,
        },
      ],
      echo: true,
    })
  })

  it('refuses a wrong value, naming variable and cure, never the value', () => {
    for (const [name, value] of [
      ['PORT', '70000'],
      ['PORT', '80.5'],
      ['MAX_CALLS', '0'],
      ['PUBLIC_URL', 'andrea.example'],
      ['PUBLIC_URL', 'https://andrea.example/?x=1'],
      ['DATABASE_URL', 'mysql://secret-host/x'],
      ['ADMIN_API_KEY', 'short-secret'],
      ['LOG_LEVEL', 'loud'],
      ['MEDIA_ECHO', 'maybe'],
      ['TWILIO_ACCOUNT_SID', 'ACnope'],
      ['TRUST_PROXY', 'true'],
    ] as const) {
      const error = refusal({ [name]: value })
      expect(error.code).toBe('CONFIG_INVALID')
      expect(error.message).toContain(`${name}: `)
      expect(error.message).toContain('.env')
      expect(error.message).not.toContain('secret')
    }
  })

  it('names all wrong variables at once', () => {
    const { message } = refusal({ PORT: 'x', LOG_LEVEL: 'x' })
    expect(message).toMatch(/PORT: .*LOG_LEVEL: /)
  })

  it('refuses half an account', () => {
    for (const [given, missing] of [
      ['AZURE_SPEECH_KEY', 'AZURE_SPEECH_REGION'],
      ['AZURE_SPEECH_REGION', 'AZURE_SPEECH_KEY'],
      ['LLM_MODEL', 'LLM_BASE_URL'],
      ['LLM_API_KEY', 'LLM_BASE_URL'],
    ] as const) {
      const error = refusal({ [given]: 'eastus' })
      expect(error.code).toBe('CONFIG_INCOMPLETE')
      expect(error.message).toContain(`Set ${missing}`)
    }
    const withPassword = refusal({ LLM_BASE_URL: 'https://me:hunter22@host/v1', LLM_MODEL: 'm' })
    expect(withPassword.message).toContain('without a user and password')
    expect(withPassword.message).not.toContain('hunter22')
    expect(refusal({ LLM_BASE_URL: 'http://localhost/v1' }).message).toContain('Set LLM_MODEL')
  })

  it('knows which of its values are secret', () => {
    const secrets = configSecrets(
      loadConfig({
        ADMIN_API_KEY: 'admin-key-0123456',
        DATABASE_URL: 'postgres://andrea:p%40ssword@db/andrea',
        GROQ_API_KEY: 'groq-key',
        TWILIO_AUTH_TOKEN: 'twilio-token',
      }),
    )
    expect(secrets.sort()).toEqual(
      ['admin-key-0123456', 'groq-key', 'p%40ssword', 'p@ssword', 'twilio-token'].sort(),
    )
    expect(configSecrets(loadConfig({ DATABASE_URL: 'postgres://u:100%zz@db/x' }))).toEqual([
      '100%zz',
    ])
  })

  it('has every variable in .env.example, which loads as it is', () => {
    const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
    const source = ['config', 'carrier-accounts', 'prices']
      .map((name) => readFileSync(new URL(`../server/${name}.ts`, import.meta.url), 'utf8'))
      .join('')
    const names = [...source.matchAll(/^ {2}([A-Z][A-Z_]+):/gm)].map((match) => match[1] ?? '')
    expect(names.length).toBeGreaterThan(20)
    const listed = [...example.matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map((match) => match[1] ?? '')
    expect(listed.sort()).toEqual(names.sort())
    const active = [...example.matchAll(/^([A-Z_]+)=(.*)$/gm)].map((match) => match.slice(1, 3))
    expect(loadConfig(Object.fromEntries(active))).toEqual(loadConfig({}))
  })
})
