/** Prices: read, change, back to the defaults. Who saves on an outdated version is told so (409). */
import { z } from 'zod'
import { prices } from '../prices.ts'
import { listPriceVersions } from '../store/prices.ts'
import type { AppDeps } from './app-deps.ts'
import { route, type Route } from './route.ts'

const shape = prices.meta({ id: 'Prices', description: 'US dollars' })

const sheet = z
  .object({
    prices: shape.meta({ description: 'In force for calls that end from now on' }),
    defaults: shape.meta({ description: 'PRICE_* of the environment, and the bundled models' }),
    version: z.int().meta({ description: '0 while nothing was ever changed' }),
    author: z.string().nullable(),
    updatedAt: z.number().nullable().meta({ description: 'Unix time in ms' }),
  })
  .meta({
    id: 'PriceSheet',
    description:
      'A call’s cost is computed with the prices at its end, and stored: changing prices never changes it.',
  })

const priceVersion = z
  .object({
    version: z.int(),
    changes: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What differed from the defaults; empty: nothing' }),
    author: z.string(),
    createdAt: z.number().meta({ description: 'Unix time in ms' }),
  })
  .meta({ id: 'PriceVersion' })

export function priceRoutes({ db, priceList }: AppDeps): Route[] {
  const common = { path: '/api/v1/prices', tag: 'prices', access: 'key' } as const
  const answer = { status: 200, description: 'Prices', json: sheet }
  return [
    route({
      ...common,
      method: 'GET',
      summary: 'What providers and carriers charge, and the defaults',
      answer,
      respond: () => priceList.sheet,
    }),
    route({
      ...common,
      method: 'PUT',
      summary: 'Change the prices, for calls that end from now on; stored costs stay as they are',
      body: z.strictObject({
        prices: shape,
        baseVersion: z.int().min(0).meta({ description: 'The version that was edited' }),
      }),
      answer,
      errors: [409],
      respond: ({ body, ctx }) =>
        priceList.save(body.prices, {
          baseVersion: body.baseVersion,
          author: ctx.state.identity?.name ?? 'unknown',
        }),
    }),
    route({
      ...common,
      method: 'DELETE',
      summary: 'Back to the default prices; stored costs stay as they are',
      answer,
      respond: ({ ctx }) => priceList.reset(ctx.state.identity?.name ?? 'unknown'),
    }),
    route({
      ...common,
      path: '/api/v1/prices/versions',
      method: 'GET',
      summary: 'Who changed which prices when, newest first',
      answer: {
        status: 200,
        description: 'Versions',
        json: z.object({ items: z.array(priceVersion) }),
      },
      respond: async () => ({ items: [...(await listPriceVersions(db))] }),
    }),
  ]
}
