import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { GroqService } from '../../bench/rig/groq-service.ts'
import { GrowingText } from '../../server/growing-text.ts'
import { createMetrics } from '../../server/metrics.ts'
import { selectProviders } from '../../server/providers/select.ts'

const log = pino({ level: 'silent' })
const nothing = { azure: null, groq: null, openAi: null, sttWorkers: 1 }

describe('selection of providers', () => {
  it('takes the embedded ones without any key, marked as demonstration, with the licence notice', async () => {
    const { stt, llm, tts, status } = await selectProviders(nothing, log)
    expect([stt.name, llm.name, tts.name]).toEqual(['embedded', 'scripted', 'embedded'])
    expect(status.llm).toMatchObject({ scripted: true, production: false })
    expect(status.stt.production).toBe(false)
    expect(status.stt.notice).toContain(
      'This Moonshine AI Model is licensed under the Moonshine AI Community License, Copyright © Moonshine AI Ltd. All Rights Reserved',
    )
    expect(status.stt.notice).toContain('Powered by Moonshine AI')
    await Promise.all([stt.close(), llm.close(), tts.close()])
  })

  it('takes Azure and Groq with their keys, marked as production', async () => {
    const { stt, llm, tts, status } = await selectProviders(
      {
        ...nothing,
        azure: {
          key: 'k',
          region: 'eastus',
          host: null,
          textStreaming: 'auto',
          silence: 'held',
          rate: 'line',
        },
        groq: { apiKey: 'k', baseUrl: null },
        openAi: { baseUrl: 'http://127.0.0.1:1', apiKey: null, model: 'm' },
      },
      log,
    )
    expect([stt.name, llm.name, tts.name]).toEqual(['azure', 'groq', 'azure'])
    expect([status.stt, status.llm, status.tts].every(({ production }) => production)).toBe(true)
    expect(status.stt.label).toBe('Azure Speech (eastus)')
  })

  it('counts a voice that refuses a text stream, speaks it whole, and streams none where that is off', async () => {
    const service = await AzureService.start({ firstAudioMs: 1 })
    service.streamFailure = { kind: 'refuse', status: 404 }
    const azure = { key: 'k', region: 'r', host: service.host }
    const metrics = createMetrics()
    const on = await selectProviders(
      { ...nothing, azure: { ...azure, textStreaming: 'auto', silence: 'held', rate: 'line' } },
      log,
      metrics,
    )
    const off = await selectProviders(
      { ...nothing, azure: { ...azure, textStreaming: 'off', silence: 'held', rate: 'line' } },
      log,
    )
    const name = 'en-US-AvaMultilingualNeural'
    const voice = { name, language: 'en-US', style: null, speed: 1 }
    expect([on, off].map(({ tts }) => tts.streamsText?.(voice))).toEqual([true, false])
    const text = new GrowingText()
    text.finish('Of course, with pleasure.')
    const request = { callId: 'c', text, voice }
    let samples = 0
    for await (const event of on.tts.synthesizeStream!(request, new AbortController().signal))
      if (event.kind === 'audio') samples += event.pcm.length
    expect(samples).toBeGreaterThan(0)
    expect(service.ssml).toHaveLength(1)
    expect(await metrics.registry.metrics()).toContain(
      'andrea_text_streams_refused_total{provider="azure",code="TTS_UNAVAILABLE"} 1',
    )
    await Promise.all([on.tts.close(), off.tts.close(), on.stt.close(), off.stt.close()])
    await service.close()
  })

  it('says which provider is out and why, until its probe works, and starts with the others', async () => {
    const service = await GroqService.start({ key: 'right-key' })
    const lines: string[] = []
    const loud = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
    const groq = { apiKey: 'wrong-key', baseUrl: service.url }
    const { llm, status } = await selectProviders({ ...nothing, groq }, loud)
    await llm.warm()
    await expect.poll(() => llm.name).toBe('scripted')
    expect(status.llm).toMatchObject({ name: 'groq', label: 'Groq' })
    expect(status.llm.notice).toMatch(/^Out at the moment.*401/)
    const line = lines.find((one) => one.includes('provider is out')) ?? '{}'
    expect(JSON.parse(line)).toMatchObject({ provider: 'groq', code: 'LLM_UNAVAILABLE' })
    expect(lines.join() + status.llm.notice).not.toContain('wrong-key')
    await llm.close()
    await service.close()
  })

  it('says before the first call that the account has an agent’s model no more, and who answers instead', async () => {
    const service = await GroqService.start({ models: ['openai/gpt-oss-120b'] })
    const groq = { apiKey: 'k', baseUrl: service.url }
    const { llm, status, checkModel } = await selectProviders({ ...nothing, groq }, log)
    await llm.warm()
    checkModel('openai/gpt-oss-120b')
    expect(status.llm.notice).toBeNull()
    checkModel('llama-3.3-70b-versatile')
    expect(status.llm.notice).toBe(
      'The model llama-3.3-70b-versatile is not offered to this account (any more); openai/gpt-oss-120b answers instead.',
    )
    await llm.close()
    await service.close()
  })

  it('takes a server by its URL and names model and host', async () => {
    const openAi = { baseUrl: 'http://127.0.0.1:11434/v1', apiKey: null, model: 'qwen3:4b' }
    const { llm, status } = await selectProviders({ ...nothing, openAi }, log)
    expect(llm.name).toBe('openai')
    expect(status.llm.label).toBe('qwen3:4b at 127.0.0.1:11434')
  })
})
