/** API documentation: the document itself, and Swagger UI from our own disk, so that it works without the internet. */
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import Router from '@koa/router'
import { send } from '@koa/send'
import type { HttpState } from './http-state.ts'
import type { OpenApiDocument } from './openapi.ts'

const FILES = [
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'favicon-32x32.png',
]

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Andrea API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/swagger-ui-standalone-preset.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`
/** A file of its own: the content policy allows no inline scripts. */
const START = `window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: 'BaseLayout',
  validatorUrl: null,
})
`

export function docsRouter(document: OpenApiDocument): Router<HttpState> {
  const router = new Router<HttpState>()
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  router.use((ctx, next) => {
    ctx.state.route = 'docs'
    return next()
  })
  router.get('/openapi.json', (ctx) => {
    ctx.body = document
  })
  router.get('/docs', (ctx) => {
    ctx.type = 'html'
    ctx.body = PAGE
  })
  router.get('/docs/start.js', (ctx) => {
    ctx.type = 'js'
    ctx.body = START
  })
  for (const file of FILES) {
    router.get(`/docs/${file}`, async (ctx) => {
      await send(ctx, file, { root, maxage: 86_400_000 })
    })
  }
  return router
}
