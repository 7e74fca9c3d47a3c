/**
 * The HTTP server: one port for both doors. Exact SOAP and health paths are dispatched before the Express application,
 * which serves `/fhir` (an Express layer costs a tenth of a feed); bodies are streamed by the doors, never parsed here.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { Alerts } from '../operations/ports.ts'
import { type Config, isLoopback } from './config.ts'
import { serveDocs } from './docs.ts'
import { createHealth, type Metrics } from './health.ts'
import { createListener } from './listener.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export interface ServerParts {
  readonly config: Config
  readonly log: Logger
  /** Told of connections without the client certificate that they need. */
  readonly alerts: Alerts
  readonly fhir: RequestListener
  readonly xds: { readonly registry: Handler; readonly repository: Handler }
  readonly checks: Readonly<Record<string, () => Promise<void>>>
  readonly metrics: Metrics
}

export interface RunningServer {
  readonly url: string
  /** Reads the files of TLS again; new connections use them. When they cannot be used it throws, and nothing changes. */
  reload(): Promise<void>
  /** Stops accepting, lets what is in flight finish, then closes; what is left after the limit is cut. */
  close(): Promise<void>
}

export async function startServer(parts: ServerParts): Promise<RunningServer> {
  const { config, log, alerts, fhir, xds, checks, metrics } = parts
  let stopping = false
  const health = createHealth({ metrics, checks, stopping: () => stopping })

  const dispatch = async (request: IncomingMessage, response: ServerResponse): Promise<string> => {
    const path = pathOf(request)
    if (path === '/xds/registry') await xds.registry(request, response)
    else if (path === '/xds/repository') await xds.repository(request, response)
    else if (path === '/fhir' || path.startsWith('/fhir/')) fhir(request, response)
    else if (await health(path, request, response)) return path
    else if (await serveDocs(path, request, response)) return path
    else notFound(response)
    return path.startsWith('/fhir') ? '/fhir' : path.startsWith('/xds/') ? path : 'other'
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const started = performance.now()
    metrics.inFlight.inc()
    let route = 'other'
    response.once('close', () => {
      metrics.inFlight.dec()
      metrics.observe(route, request.method ?? '', response.statusCode, (performance.now() - started) / 1000)
    })
    if (stopping) response.setHeader('Connection', 'close')
    if (config.identity.anonymous === 'loopback' && !isDirectLoopback(request)) {
      response.writeHead(403, { 'Content-Type': 'text/plain; charset=utf-8' })
      response.end('Conformance mode answers direct requests to a loopback address only.\n')
      return
    }
    try {
      route = await dispatch(request, response)
    } catch (error) {
      log.error({ err: error instanceof Error ? error.name : 'unknown' }, 'a door let an error through')
      if (!response.headersSent) response.writeHead(500)
      response.end()
    }
  }

  const { server, reload } = await createListener(config, alerts, (request, response) => void serve(request, response))
  server.requestTimeout = config.limits.requestSeconds * 1000
  server.headersTimeout = 20_000
  server.keepAliveTimeout = 65_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.server.port, config.server.host, resolve)
  })
  const { port, address, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return {
    url: `${config.server.tls ? 'https' : 'http'}://${host}:${port}`,
    reload,
    close: async () => {
      stopping = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const cut = setTimeout(() => server.closeAllConnections(), config.limits.shutdownSeconds * 1000)
      // Connections that turn idle while we wait are closed as they do.
      const idle = setInterval(() => server.closeIdleConnections(), 50)
      await closed
      clearTimeout(cut)
      clearInterval(idle)
    },
  }
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** Anonymous access is for a tool on this machine, never for what a proxy forwards or a rebound name reaches. */
function isDirectLoopback(request: IncomingMessage): boolean {
  const forwarded = Object.keys(request.headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-'))
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return !forwarded && isLoopback(host) && isLoopback((request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''))
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
  response.end(
    'Unknown path. FHIR is served under /fhir, SOAP under /xds/registry and /xds/repository; /docs describes both, /health/live, /health/ready and /metrics tell how the gateway is.\n',
  )
}
