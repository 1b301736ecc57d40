import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PriceList } from '../../server/price-list.ts'
import { someCall } from '../support/store.ts'
import { runApp, type Reply, type RunningApp } from './running-app.ts'

let app: RunningApp

beforeAll(async () => {
  app = await runApp({ env: { PRICE_STT_HOUR: '1.1' } })
})
afterAll(() => app.close())

const get = async () => (await app.ask('/api/v1/prices')).json
const put = (body: unknown): Promise<Reply> => app.ask('/api/v1/prices', { method: 'PUT', body })

describe('prices', () => {
  it('begin as the defaults, in version 0, and need a key', async () => {
    const sheet = await get()
    expect(sheet).toMatchObject({ version: 0, author: null, updatedAt: null })
    expect(sheet.prices).toEqual(sheet.defaults)
    expect(sheet.prices.sttHour).toBe(1.1)
    expect((await app.ask('/api/v1/prices', { key: false })).status).toBe(401)
  })

  it('are in force once saved, with author and version, and after the next start', async () => {
    const { prices, version } = await get()
    const models = [
      { model: 'mine/large', millionInputTokens: 2, millionOutputTokens: 4 },
      ...prices.llmModels,
    ]
    const wanted = { ...prices, twilioMinute: 0.02, llmModels: models }
    const saved = await put({ prices: wanted, baseVersion: version })
    expect(saved.status).toBe(200)
    expect(saved.json).toMatchObject({ version: 1, author: 'admin', prices: wanted })
    expect(await get()).toEqual(saved.json)
    const defaults = { ...saved.json.defaults, sttHour: 7 }
    const restarted = await PriceList.open(app.db, defaults)
    expect(restarted.current).toEqual({ ...wanted, sttHour: 7 })
  })

  it('that were edited on an outdated version are refused with 409, and nothing changes', async () => {
    const { prices } = await get()
    const refused = await put({ prices: { ...prices, sttHour: 5 }, baseVersion: 0 })
    expect([refused.status, refused.json.error.code]).toEqual([409, 'STORE_VERSION_CONFLICT'])
    expect((await get()).prices).toEqual(prices)
  })

  it('saved twice from the same version are saved once', async () => {
    const { prices, version } = await get()
    const both = await Promise.all([
      put({ prices: { ...prices, telnyxMinute: 0.01 }, baseVersion: version }),
      put({ prices: { ...prices, telnyxMinute: 0.03 }, baseVersion: version }),
    ])
    expect(both.map((one) => one.status).toSorted()).toEqual([200, 409])
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['a negative price', { sttHour: -1 }, 'prices.sttHour'],
    ['a price in words', { twilioMinute: 'cheap' }, 'prices.twilioMinute'],
    ['a price above 100 000', { telnyxMinute: 100_001 }, 'prices.telnyxMinute'],
    ['an unknown price', { faxPage: 1 }, 'prices.faxPage'],
    [
      'a model without a price',
      { llmModels: [{ model: 'a', millionInputTokens: 1 }] },
      'prices.llmModels.0.millionOutputTokens',
    ],
    [
      'a model twice',
      {
        llmModels: [1, 2].map((n) => ({
          model: 'a',
          millionInputTokens: n,
          millionOutputTokens: n,
        })),
      },
      'prices.llmModels.1.model',
    ],
  ])('refuse %s with 422, naming it', async (_what, change, field) => {
    const { prices, version } = await get()
    const refused = await put({ prices: { ...prices, ...change }, baseVersion: version })
    expect([refused.status, refused.json.error.field]).toEqual([422, field])
  })

  it('go back to the defaults with DELETE, in a version of its own; all versions are listed, newest first', async () => {
    const before = await get()
    const reset = await app.ask('/api/v1/prices', { method: 'DELETE' })
    expect(reset.json).toMatchObject({ version: before.version + 1, prices: before.defaults })
    const { items } = (await app.ask('/api/v1/prices/versions')).json
    expect(items).toHaveLength(before.version + 1)
    expect(items[0]).toMatchObject({ changes: {}, author: 'admin' })
    expect(items.at(-1).changes).toMatchObject({ twilioMinute: 0.02 })
  })

  it('change no cost that a call has stored', async () => {
    const id = randomUUID()
    const cost = {
      ...{ sttSeconds: 60, ttsCharacters: 100, cachedCharacters: 0, promptTokens: 10 },
      ...{ completionTokens: 5, carrierMinutes: 1, sttUsd: 0.02, ttsUsd: 0.01, llmUsd: 0 },
      ...{ carrierUsd: 0.0085, totalUsd: 0.0385 },
    }
    app.journal.record({ kind: 'call', row: someCall({ id }) })
    app.journal.record({ kind: 'callUpdate', id, changes: { status: 'ended', cost } })
    const stored = async () => (await app.ask(`/api/v1/calls/${id}`)).json?.call?.cost
    await expect.poll(stored, { timeout: 5_000 }).toEqual(cost)
    const { prices, version } = await get()
    await put({ prices: { ...prices, twilioMinute: 100, sttHour: 100 }, baseVersion: version })
    expect(await stored()).toEqual(cost)
  })
})
