/** The list of voices over the emulated service. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AzureService } from '../../bench/rig/azure-service.ts'
import { AZURE_VOICES } from '../../server/providers/azure-ssml.ts'
import { AzureVoiceList } from '../../server/providers/azure-voices.ts'

let service: AzureService
let nowMs = 0

beforeEach(async () => {
  nowMs = 0
  service = await AzureService.start({ key: 'right' })
})
afterEach(() => service.close())

function open(key = 'right'): AzureVoiceList {
  const account = { key, region: 'eastus', host: service.host }
  return new AzureVoiceList(account, { nowMs: () => nowMs, answerMs: 15_000 })
}

const names = (voices: { name: string }[]): string[] => voices.map(({ name }) => name)

describe('voices of the service', () => {
  it('are listed with language, gender and styles', async () => {
    expect(await open().list()).toEqual([
      {
        name: 'es-MX-DaliaNeural',
        label: 'Dalia',
        language: 'es-MX',
        gender: 'female',
        styles: ['cheerful'],
      },
      {
        name: 'en-US-AvaMultilingualNeural',
        label: 'Ava Multilingual',
        language: 'en-US',
        gender: 'female',
        styles: [],
      },
    ])
  })

  it('are asked for once an hour, however many ask at the same time', async () => {
    const voices = open()
    await Promise.all([voices.list(), voices.list()])
    nowMs = 59 * 60_000
    await voices.list()
    expect(service.voiceLists).toBe(1)
    nowMs = 60 * 60_000
    await voices.list()
    expect(service.voiceLists).toBe(2)
  })

  it('are the bundled ones while the key is refused, asked for again after 1 minute', async () => {
    const voices = open('wrong')
    expect(await voices.list()).toBe(AZURE_VOICES)
    expect(await voices.list()).toBe(AZURE_VOICES)
    expect(service.voiceLists).toBe(1)
    nowMs = 60_000
    await voices.list()
    expect(service.voiceLists).toBe(2)
  })

  it('stay those that were last listed when the service fails later', async () => {
    const voices = open()
    const before = names(await voices.list())
    service.voicesStatus = 503
    nowMs = 60 * 60_000
    expect(names(await voices.list())).toEqual(before)
  })

  it('are the bundled ones when nothing answers', async () => {
    const account = { key: 'right', region: 'eastus', host: 'ws://127.0.0.1:1' }
    expect(await new AzureVoiceList(account).list()).toBe(AZURE_VOICES)
  })
})
