/** ITI-20 over FHIR (ATX: FHIR Feed): each record as an AuditEvent, posted to an Audit Record Repository. */
import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { TraceRecord } from '../operations/ports.ts'
import { DeliveryError, type Destination, type Refused } from './export.ts'

export interface FhirFeedOptions {
  /** FHIR base of the repository; `/AuditEvent` is added. */
  readonly url: string
  readonly ca?: Buffer | undefined
  readonly certificate?: Buffer | undefined
  readonly key?: Buffer | undefined
  /** Bearer token. */
  readonly token?: string | undefined
  /** The AuditEvent as JSON. */
  readonly toJson: (record: TraceRecord) => string
  /** Milliseconds for one record; default 15000. */
  readonly timeout?: number
}

/** What will not be taken however often it comes; 409 and 412: it is there already. */
const final: ReadonlySet<number> = new Set([400, 410, 413, 415, 422])
const present: ReadonlySet<number> = new Set([409, 412])

export function fhirDestination(options: FhirFeedOptions): Destination {
  const base = options.url.replace(/\/+$/, '')
  const secure = base.startsWith('https:')
  const { ca, certificate, key } = options
  const agent = secure
    ? new HttpsAgent({
        keepAlive: true,
        maxSockets: 1,
        minVersion: 'TLSv1.2',
        ...(ca !== undefined && { ca }),
        ...(certificate !== undefined && { cert: certificate }),
        ...(key !== undefined && { key }),
      })
    : new HttpAgent({ keepAlive: true, maxSockets: 1 })
  const post = poster(`${base}/AuditEvent`, secure, agent, options)
  return {
    name: 'fhir',
    batch: 50,
    async send(records, signal) {
      const refused: Refused[] = []
      let through = 0
      for (const { sequence, record } of records) {
        try {
          const status = await post(options.toJson(record), record.id, signal)
          if (final.has(status)) refused.push({ sequence, reason: `HTTP ${status}` })
          else if ((status < 200 || status > 299) && !present.has(status)) throw new DeliveryError(`HTTP ${status}`)
        } catch (error) {
          if (through === 0) throw error
          break
        }
        through = sequence
      }
      return { through, refused }
    },
    release() {
      // Sockets in use are closed as they become free
      agent.maxFreeSockets = 0
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    },
  }
}

function poster(
  url: string,
  secure: boolean,
  agent: HttpAgent | HttpsAgent,
  { token, timeout = 15_000 }: FhirFeedOptions,
) {
  const request = secure ? httpsRequest : httpRequest
  return (body: string, id: string, signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      const bytes = Buffer.from(body)
      const sent = request(
        url,
        {
          method: 'POST',
          agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
          headers: {
            'Content-Type': 'application/fhir+json; charset=utf-8',
            'Content-Length': bytes.length,
            Accept: 'application/fhir+json',
            Prefer: 'return=minimal',
            // The same when a record comes again: a repository can tell
            'X-Request-Id': id,
            ...(token !== undefined && { Authorization: `Bearer ${token}` }),
          },
        },
        (response) => {
          response.resume()
          response.on('end', () => resolve(response.statusCode ?? 0))
          response.on('error', reject)
        },
      )
      sent.on('error', reject)
      sent.end(bytes)
    })
}
