/**
 * `/openapi.yaml` and `/docs`: the description of the whole HTTP surface, and the page that shows it. Everything comes
 * from this server; the content security policy lets the page reach nothing else.
 */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import path from 'node:path'

const swaggerUi = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
const description = new URL('../../openapi.yaml', import.meta.url)

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>dmp-gateway</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="docs/favicon.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="description"></div>
<script src="docs/swagger-ui.js"></script>
<script src="docs/show.js"></script>
</body>
</html>
`

/** Nothing of the page leaves: no validator badge, no query parameter that loads another description. */
const script = `window.ui = SwaggerUIBundle({
  url: 'openapi.yaml',
  dom_id: '#description',
  deepLinking: true,
  validatorUrl: null,
  queryConfigEnabled: false,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1
})
`

interface Page {
  readonly type: string
  read(): Promise<string | Buffer> | string
}

const distributed = (file: string) => () => readFile(path.join(swaggerUi, file))

const pages: Readonly<Record<string, Page>> = {
  '/openapi.yaml': { type: 'application/yaml; charset=utf-8', read: () => readFile(description) },
  '/docs': { type: 'text/html; charset=utf-8', read: () => page },
  '/docs/show.js': { type: 'text/javascript; charset=utf-8', read: () => script },
  '/docs/swagger-ui.js': { type: 'text/javascript; charset=utf-8', read: distributed('swagger-ui-bundle.js') },
  '/docs/swagger-ui.css': { type: 'text/css; charset=utf-8', read: distributed('swagger-ui.css') },
  '/docs/favicon.png': { type: 'image/png', read: distributed('favicon-32x32.png') },
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** What a browser is pointed at first. */
const entrances = new Set(['/', '/docs/'])

/** Answers the description and its page; false when the path is none of theirs. */
export async function serveDocs(where: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  if (entrances.has(where) && (request.method === 'GET' || request.method === 'HEAD')) {
    // From below a prefix that a proxy takes away, too
    response.writeHead(302, { Location: where === '/' ? 'docs' : '../docs' }).end()
    return true
  }
  const found = Object.hasOwn(pages, where) ? pages[where] : undefined
  if (found === undefined) return false
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end()
    return true
  }
  const body = Buffer.from(await found.read())
  response.writeHead(200, {
    'Content-Type': found.type,
    'Content-Length': body.length,
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
  return true
}
