/** What every voice must do, run through each implementation. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { PROVIDER_NAMES } from '../../server/config.ts'
import { GrowingText } from '../../server/growing-text.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'
import { CallAccounts } from '../../server/providers/call-accounts.ts'
import { EmbeddedTts } from '../../server/providers/embedded-tts.ts'
import { FailoverTts } from '../../server/providers/failover-tts.ts'
import { CachedTts } from '../../server/providers/phrase-cache.ts'
import type { TtsEvent, TtsProvider } from '../../server/providers/tts.ts'

const REQUEST = {
  callId: 'call-1',
  text: 'Con mucho gusto le explico los beneficios.',
  voice: { name: '', language: 'es-MX', style: null, speed: 1 },
}

let azure: AzureService
beforeAll(async () => {
  azure = await AzureService.start({ firstAudioMs: 1 })
})
afterAll(() => azure.close())

const SLOW = { firstMs: 15_000, gapMs: 15_000, streamFirstMs: 15_000 }
/** Speaks a text while it is being written, where there is one that does. */
const STREAMING = { ...REQUEST.voice, name: 'en-US-AvaMultilingualNeural' }
const accounts = new CallAccounts()
const newAzure = () => new AzureTts({ key: 'k', region: 'eastus', host: azure.host }, SLOW)
const IMPLEMENTATIONS: [string, () => TtsProvider][] = [
  ['azure', newAzure],
  ['embedded', () => new EmbeddedTts()],
  ['azure behind its phrase cache', () => new CachedTts(newAzure(), { limitBytes: 1_048_576 })],
  ['azure behind a failover', () => new FailoverTts([newAzure()], { accounts })],
]

it('covers every voice that can be configured', () => {
  const covered = new Set(IMPLEMENTATIONS.map(([name]) => name))
  for (const name of PROVIDER_NAMES.tts) expect(covered).toContain(name)
})

async function all(events: AsyncIterable<TtsEvent>): Promise<TtsEvent[]> {
  const list: TtsEvent[] = []
  for await (const event of events) list.push(event)
  return list
}

describe.each(IMPLEMENTATIONS)('voice %s', (name, create) => {
  it('speaks a sentence of 42 characters in 1 to 10 s, words within it, and lists its voices', async () => {
    const tts = create()
    expect(tts.name).toBe(name.split(' ')[0])
    await tts.warm()
    const events = await all(tts.synthesize(REQUEST, new AbortController().signal))
    const samples = events.reduce((n, e) => n + (e.kind === 'audio' ? e.pcm.length : 0), 0)
    const lengthMs = (samples * 1_000) / tts.sampleRateHz
    expect(lengthMs).toBeGreaterThan(1_000)
    expect(lengthMs).toBeLessThan(10_000)
    for (const event of events) {
      if (event.kind !== 'word') continue
      expect(event.offsetMs).toBeLessThanOrEqual(lengthMs)
      expect(event.textOffset).toBeLessThan(REQUEST.text.length)
    }
    expect((await tts.voices()).length).toBeGreaterThan(0)
    await tts.close()
  }, 30_000)

  it('says nothing when it was aborted before it began, and for a text without letters', async () => {
    const tts = create()
    expect(await all(tts.synthesize(REQUEST, AbortSignal.abort()))).toEqual([])
    const signal = new AbortController().signal
    expect(await all(tts.synthesize({ ...REQUEST, text: '…' }, signal))).toEqual([])
    await tts.close()
  }, 30_000)

  it('ends without an error when it is aborted at its first audio', async () => {
    const tts = create()
    const abort = new AbortController()
    let chunks = 0
    for await (const event of tts.synthesize(REQUEST, abort.signal)) {
      if (event.kind === 'audio') chunks += 1
      if (chunks > 0) abort.abort()
    }
    expect(chunks).toBe(1)
    await tts.close()
  }, 30_000)

  it('takes a text that is still being written from its voices that can, and no other', async () => {
    const tts = create()
    await tts.warm()
    expect(tts.streamsText?.(REQUEST.voice) ?? false).toBe(false)
    expect(tts.streamsText?.(STREAMING) ?? false).toBe(!name.startsWith('embedded'))
    await tts.close()
  }, 30_000)

  it.skipIf(name === 'embedded')(
    'is heard before a text of 42 characters is whole, and says all of it in order',
    async () => {
      const tts = create()
      const text = new GrowingText()
      text.grow('Con mucho gusto le ')
      const request = { callId: 'call-1', text, voice: STREAMING }
      const words: string[] = []
      let samplesBefore = 0
      let samples = 0
      for await (const event of tts.synthesizeStream!(request, new AbortController().signal)) {
        if (event.kind === 'word') words.push(REQUEST.text.slice(event.textOffset).split(/\W/)[0]!)
        else samples += event.pcm.length
        if (samples === 0 || text.ended) continue
        samplesBefore = samples
        text.finish(REQUEST.text)
      }
      expect(samplesBefore).toBeGreaterThan(0)
      expect(samples).toBeGreaterThan(samplesBefore)
      expect(words).toEqual(REQUEST.text.slice(0, -1).split(' '))
      await tts.close()
    },
    30_000,
  )

  it.skipIf(name === 'embedded')(
    'ends without an error when it is aborted while it waits for text, and before it began',
    async () => {
      const tts = create()
      const text = new GrowingText()
      text.grow('Con mucho gusto le ')
      const request = { callId: 'call-1', text, voice: STREAMING }
      expect(await all(tts.synthesizeStream!(request, AbortSignal.abort()))).toEqual([])
      const abort = new AbortController()
      let chunks = 0
      for await (const event of tts.synthesizeStream!(request, abort.signal)) {
        if (event.kind === 'audio') chunks += 1
        if (chunks > 0) abort.abort()
      }
      expect(chunks).toBe(1)
      text.abort()
      await tts.close()
    },
    30_000,
  )
})
