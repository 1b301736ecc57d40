/** The API's description (OpenAPI 3.1), made from the same routes and zod schemas that answer the requests. */
import { z } from 'zod'
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
} from 'zod-openapi'
import type { BuildInfo } from './build-info.ts'
import { errorBody } from './request-errors.ts'
import type { Route } from './route.ts'

const ERROR_TEXTS: Record<number, string> = {
  400: 'The body is not JSON',
  401: 'No or a wrong API key or session',
  403: 'Signature missing or wrong, or the request comes from another site',
  404: 'There is no such thing',
  409: 'The state of things does not allow it',
  413: 'The body is too large',
  415: 'The body has the wrong type',
  416: 'The range lies outside of the file',
  422: 'A value is not valid; `field` names it',
  429: 'Too many requests; Retry-After says when',
  503: 'Not now; Retry-After says when',
}

export type OpenApiDocument = ReturnType<typeof createDocument>

/** Describes every route; called once at start. */
export function describeApi(routes: readonly Route[], build: BuildInfo): OpenApiDocument {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {}
  for (const route of routes) {
    const path = openApiPath(route.path)
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: describeRoute(route) }
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Andrea',
      version: build.version,
      description:
        'Answers and places phone calls with an AI agent. Times are Unix ms, durations ms. ' +
        'Every error has the shape `Error`; quote its requestId when you ask for help.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths: paths as ZodOpenApiPathsObject,
    components: {
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        session: { type: 'apiKey', in: 'cookie', name: 'andrea_session' },
        twilioSignature: { type: 'apiKey', in: 'header', name: 'X-Twilio-Signature' },
      },
    },
  })
}

/** `/agents/:id` → `/agents/{id}` */
export function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, '{$1}')
}

function describeRoute(route: Route): ZodOpenApiOperationObject {
  const { params, query, body, answer } = route
  return {
    summary: route.summary,
    tags: [route.tag],
    operationId: operationId(route),
    security: security(route),
    ...(params === null && query === null
      ? {}
      : {
          requestParams: {
            ...(params instanceof z.ZodObject ? { path: params } : {}),
            ...(query instanceof z.ZodObject ? { query } : {}),
          },
        }),
    ...(route.upload === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              [route.upload.mediaTypes[0] ?? '']: {
                schema: { type: 'string' as const, format: 'binary' },
              },
            },
          },
        }),
    ...(body === null
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      [`${answer.status}` as '200']: {
        description: answer.description,
        ...(answer.json !== undefined
          ? { content: { 'application/json': { schema: answer.json } } }
          : answer.mediaType !== undefined
            ? { content: { [answer.mediaType]: { schema: z.string() } } }
            : {}),
      },
      ...Object.fromEntries(
        errorStatuses(route).map((status) => [
          String(status),
          {
            description: ERROR_TEXTS[status] ?? 'Error',
            content: { 'application/json': { schema: errorBody } },
          },
        ]),
      ),
    },
  }
}

/** `GET /api/v1/calls/:id` → `getCallsById` */
function operationId(route: Route): string {
  const words = route.path
    .replace('/api/v1/', '/')
    .replace(/:(\w)/g, (_, letter: string) => `by-${letter}`)
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  return (
    route.method.toLowerCase() +
    words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  )
}

function security(route: Route): Record<string, string[]>[] {
  if (route.access === 'key') return [{ apiKey: [] }, { session: [] }]
  return route.access === 'webhook' ? [{ twilioSignature: [] }] : []
}

function errorStatuses(route: Route): number[] {
  const guarded = {
    key: [401, 403, 429],
    login: [403, 429],
    webhook: [413, 415, 422, 429],
    open: [],
  }
  const statuses = [
    ...guarded[route.access],
    ...(route.params === null ? [] : [404]),
    ...(route.query === null ? [] : [422]),
    ...(route.body === null ? [] : [400, 413, 415, 422]),
    ...(route.upload === null ? [] : [413, 415, 422]),
    ...route.errors,
  ]
  return [...new Set(statuses)].sort((a, b) => a - b)
}
