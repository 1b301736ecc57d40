/** Warm connections of the voice: how old they may be, which are used again, and how fast a sentence is cut. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { AzureTts } from '../../server/providers/azure-tts.ts'

const REQUEST = {
  callId: 'call-1',
  text: 'Con mucho gusto.',
  voice: { name: '', language: 'es-MX', style: null, speed: 1 },
}
const SLOW = { firstMs: 15_000, gapMs: 15_000 }
const never = new AbortController().signal

let service: AzureService
let tts: AzureTts
let nowMs = 0

beforeEach(async () => {
  nowMs = 1_000_000
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs)
  service = await AzureService.start({ firstAudioMs: 1 })
  tts = new AzureTts({ key: 'k', region: 'r', host: service.host }, SLOW)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await tts.close()
  await service.close()
})

async function say(signal: AbortSignal = never): Promise<number> {
  let chunks = 0
  for await (const event of tts.synthesize(REQUEST, signal)) if (event.kind === 'audio') chunks++
  return chunks
}

describe('warm connections of the voice', () => {
  it('are used again until they are 8 minutes old, and then replaced before the service ends them', async () => {
    await say()
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(3)
    nowMs += 7 * 60_000
    expect(await say()).toBeGreaterThan(0)
    expect(service.paths).toHaveLength(3)
    nowMs += 2 * 60_000
    expect(await say()).toBeGreaterThan(0)
    // All three were too old: one speaks, two wait.
    const seen = () => [service.paths.length, service.open]
    await expect.poll(seen, { timeout: 15_000 }).toEqual([6, 3])
  })

  it('are all closed with the voice, also those on which nothing was spoken', async () => {
    await say()
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(3)
    await tts.close()
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(0)
  })

  it('that were cut in mid-sentence are not used again', async () => {
    service.ttsFailure = { kind: 'stall', afterAudioMs: 200 }
    for (let sentence = 0; sentence < 5; sentence++) {
      const abort = new AbortController()
      for await (const event of tts.synthesize(REQUEST, abort.signal)) {
        if (event.kind === 'audio') abort.abort()
      }
    }
    service.ttsFailure = null
    expect(await say()).toBeGreaterThan(0)
    // Five were thrown away; what is open is what spoke last and the two spares.
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(3)
    expect(tts.idle).toBe(3)
  })
})

describe('a sentence that the user cuts', () => {
  it('is over before anything else happens: no event of the network or a timer lies between', async () => {
    const abort = new AbortController()
    const events = tts.synthesize(REQUEST, abort.signal)[Symbol.asyncIterator]()
    while ((await events.next()).value?.kind !== 'audio') continue
    const order: string[] = []
    setImmediate(() => order.push('event loop'))
    setTimeout(() => order.push('timer'), 0)
    abort.abort()
    const ended = events.next().then(({ done }) => order.push(done === true ? 'over' : 'audio'))
    await ended
    expect(order).toEqual(['over'])
  })

  it('is over at once also while the service is silent, and the connection is closed', async () => {
    service.ttsFailure = { kind: 'silent' }
    const abort = new AbortController()
    const reading = say(abort.signal)
    await expect.poll(() => service.ssml.length, { timeout: 15_000 }).toBe(1)
    const order: string[] = []
    setImmediate(() => order.push('event loop'))
    abort.abort()
    await reading.then(() => order.push('over'))
    expect(order[0]).toBe('over')
    await expect.poll(() => service.open, { timeout: 15_000 }).toBe(2)
  })
})
