/** `/health/live`, `/health/ready` and `/metrics` (Prometheus): for the people and machines that keep the gateway up. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export interface Metrics {
  /** Counts a finished request under a low-cardinality route (never a URL: those may hold identifiers). */
  observe(route: string, method: string, status: number, seconds: number): void
  readonly inFlight: { inc(): void; dec(): void }
  /** Counts a refused credential. */
  authenticationFailed(failure: { readonly door: string; readonly reason: string }): void
  /** Adds one that is read with each scrape. */
  gauge(source: GaugeSource): void
  readonly upstream: UpstreamMetrics
  text(): Promise<string>
  readonly contentType: string
}

/** Calls to a remote DMP, by TD number. */
export interface UpstreamMetrics {
  call(transaction: string, outcome: 'ok' | 'failed', seconds: number): void
  /** What one request of ours cost in calls. */
  request(transaction: string, calls: number): void
}

/** Something that is counted elsewhere, read when the metrics are. */
export interface GaugeSource {
  readonly name: string
  readonly help: string
  readonly label: string
  /** By value of the label. */
  read(): Promise<Readonly<Record<string, number>>>
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const requests = new Counter({
    name: 'dmp_gateway_requests_total',
    help: 'HTTP requests answered, by route, method and status',
    labelNames: ['route', 'method', 'status'] as const,
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'dmp_gateway_request_seconds',
    help: 'Time from the request head to the last byte of the answer',
    labelNames: ['route'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60],
    registers: [registry],
  })
  const inFlight = new Gauge({
    name: 'dmp_gateway_requests_in_flight',
    help: 'HTTP requests being served',
    registers: [registry],
  })
  const refused = new Counter({
    name: 'dmp_gateway_authentication_failures_total',
    help: 'Requests and connections refused because of who they come from, by door and reason',
    labelNames: ['door', 'reason'] as const,
    registers: [registry],
  })
  return {
    authenticationFailed: ({ door, reason }) => refused.inc({ door, reason }),
    observe(route, method, status, seconds) {
      requests.inc({ route, method, status: String(status) })
      duration.observe({ route }, seconds)
    },
    inFlight,
    gauge({ name, help, label, read }) {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [registry],
        async collect() {
          for (const [value, count] of Object.entries(await read())) this.set({ [label]: value }, count)
        },
      })
    },
    upstream: createUpstreamMetrics(registry),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function createUpstreamMetrics(registry: Registry): UpstreamMetrics {
  const calls = new Histogram({
    name: 'dmp_gateway_upstream_call_seconds',
    help: 'Time of one call to the remote DMP, by TD number and outcome',
    labelNames: ['transaction', 'outcome'] as const,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
  })
  const perRequest = new Histogram({
    name: 'dmp_gateway_upstream_calls_per_request',
    help: 'Calls to the remote DMP that one request has cost, by transaction of the door',
    labelNames: ['transaction'] as const,
    buckets: [0, 1, 2, 3, 4, 6, 8, 12, 20],
    registers: [registry],
  })
  return {
    call: (transaction, outcome, seconds) => calls.observe({ transaction, outcome }, seconds),
    request: (transaction, count) => perRequest.observe({ transaction }, count),
  }
}

export interface HealthParts {
  readonly metrics: Metrics
  /** Each throws when its part cannot serve. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>
  readonly stopping: () => boolean
}

/** Answers the three paths; false when the path is none of them. */
export function createHealth({ metrics, checks, stopping }: HealthParts) {
  return async (path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (path !== '/health/live' && path !== '/health/ready' && path !== '/metrics') return false
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end()
    } else if (path === '/health/live') {
      json(response, 200, { status: 'live' })
    } else if (path === '/health/ready') {
      const results = await Promise.all(
        Object.entries(checks).map(async ([name, check]): Promise<[string, string]> => {
          try {
            await check()
            return [name, 'ok']
          } catch {
            return [name, 'failing']
          }
        }),
      )
      const ready = !stopping() && results.every(([, state]) => state === 'ok')
      json(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not-ready', ...Object.fromEntries(results) })
    } else {
      const text = await metrics.text()
      response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text)
    }
    return true
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`)
}
