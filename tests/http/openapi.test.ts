import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runApp, type Reply, type RunningApp } from './running-app.ts'

const EVERY_ROUTE = [
  'GET /health',
  'GET /ready',
  'GET /metrics',
  'POST /api/v1/session',
  'GET /api/v1/session',
  'DELETE /api/v1/session',
  'GET /api/v1/status',
  'POST /api/v1/media-tokens',
  'GET /api/v1/voices',
  'GET /api/v1/models',
  'POST /api/v1/voices/preview',
  'GET /api/v1/agent-defaults',
  'GET /api/v1/agents',
  'POST /api/v1/agents',
  'GET /api/v1/agents/{id}',
  'PUT /api/v1/agents/{id}',
  'GET /api/v1/agents/{id}/versions',
  'GET /api/v1/prices',
  'PUT /api/v1/prices',
  'DELETE /api/v1/prices',
  'GET /api/v1/prices/versions',
  'GET /api/v1/calls',
  'DELETE /api/v1/calls',
  'GET /api/v1/calls/{id}',
  'GET /api/v1/calls/{id}/recording',
  'POST /api/v1/calls/{id}/hangup',
  'POST /api/v1/twilio/incoming-call',
  'GET /api/v1/twilio/incoming-call',
  'POST /api/v1/twilio/status',
  'POST /api/v1/twilio/outbound/{id}',
  'POST /api/v1/twilio/announcement/{id}',
  'POST /api/v1/twilio/transfer-end/{id}',
  'POST /api/v1/twilio/machine',
  'POST /api/v1/twilio/recording',
  'POST /api/v1/telnyx/call-control',
  'POST /api/v1/calls',
  'POST /api/v1/calls/{id}/carrier-recording',
]

interface Operation {
  operationId: string
  summary: string
  parameters?: { name: string; in: string; required?: boolean; schema: object }[]
  requestBody?: { content: Record<string, { schema: object }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>
}

let app: RunningApp
let document: Reply['json']
let operations: [name: string, Operation][]

beforeAll(async () => {
  app = await runApp()
  document = (await app.ask('/openapi.json', { key: false })).json
  operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
  )
})
afterAll(() => app.close())

describe('openapi.json', () => {
  it('is OpenAPI 3.1 and lists every route, no more and no fewer', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(operations.map(([name]) => name).sort()).toEqual([...EVERY_ROUTE].sort())
  })

  it('has unique operation ids, a summary, declared path parameters and described answers', () => {
    expect(new Set(operations.map(([, one]) => one.operationId)).size).toBe(operations.length)
    for (const [name, operation] of operations) {
      expect(operation.summary.length).toBeGreaterThan(5)
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      const declared = (operation.parameters ?? []).filter((one) => one.in === 'path')
      expect(declared.map((one) => one.name)).toEqual(inPath)
      expect(declared.every((one) => one.required)).toBe(true)
      expect(Object.keys(operation.responses)[0]).toMatch(/^2\d\d$/)
      for (const answer of Object.values(operation.responses)) {
        expect(answer.description).not.toBe('')
      }
    }
  })

  it('has no reference to a schema that is not there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)]
    expect(references.length).toBeGreaterThan(20)
    for (const [, reference = ''] of references) {
      expect(reference).toMatch(/^#\/components\/schemas\//)
      expect(document.components.schemas).toHaveProperty([reference.split('/').at(-1) ?? ''])
    }
  })

  it('carries the ranges that requests are held to', () => {
    const { base } = document.components.schemas.AgentSettings.properties
    expect(base.properties.temperature).toMatchObject({ type: 'number', minimum: 0, maximum: 2 })
    const list = document.paths['/api/v1/calls'].get.parameters
    const limit = list.find((one: { name: string }) => one.name === 'limit')
    expect(limit).toMatchObject({
      in: 'query',
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    })
    expect(limit.required ?? false).toBe(false)
  })

  it('describes the error shape for 401, 422 and 429 wherever they can happen', () => {
    const put = document.paths['/api/v1/agents/{id}'].put.responses
    for (const status of ['401', '403', '404', '409', '413', '415', '422', '429']) {
      expect(put[status].content['application/json'].schema).toEqual({
        $ref: '#/components/schemas/Error',
      })
    }
  })
})

describe('/docs', () => {
  it('shows Swagger UI from this server alone, without inline scripts', async () => {
    const page = await app.ask('/docs', { key: false })
    expect(page.status).toBe(200)
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(links.length).toBe(5)
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//)
      expect([link, (await app.ask(link, { key: false })).status]).toEqual([link, 200])
    }
    expect(page.text).not.toMatch(/<script>|https?:\/\//)
    expect((await app.ask('/docs/package.json', { key: false })).status).toBe(404)
  })
})
