/** Where the trace is sent besides the access history, as configured (`trace.syslog`, `trace.fhir`). */
import { readFile } from 'node:fs/promises'
import type { TraceFeed, TraceRecord } from '../operations/ports.ts'
import {
  type Destination,
  fhirDestination,
  type Log,
  startExport,
  syslogDestination,
  type TraceExport,
} from '../trace/index.ts'
import { type Config, ConfigError } from './config.ts'
import { peerCredentials } from './peer-credentials.ts'

export interface TraceExportParts {
  readonly feed: TraceFeed
  readonly log: Log
  /** A record as an AuditEvent, in JSON. */
  readonly toJson: (record: TraceRecord) => string
}

export interface ReloadableExport extends TraceExport {
  /** Reads certificates, keys and token again; throws when they cannot be used, and the old stay in use. */
  reload(): Promise<void>
}

/** @throws ConfigError naming the setting, Error naming the file that cannot be read */
export async function openTraceExport(config: Config, parts: TraceExportParts): Promise<ReloadableExport> {
  let current = await destinationsOf(config, parts)
  const destinations = [...current].map(([name, { batch }]) => ({
    name,
    batch,
    send: (...sending: Parameters<Destination['send']>) => (current.get(name) as Destination).send(...sending),
  }))
  const running = startExport({ feed: parts.feed, log: parts.log, destinations })
  return {
    ...running,
    async reload() {
      const old = current
      current = await destinationsOf(config, parts)
      for (const each of old.values()) each.release?.()
    },
    async close() {
      await running.close()
      for (const each of current.values()) each.release?.()
    },
  }
}

async function destinationsOf(
  { trace: { syslog, fhir }, dmp }: Config,
  { toJson }: TraceExportParts,
): Promise<ReadonlyMap<string, Destination>> {
  const destinations: Destination[] = []
  if (syslog)
    destinations.push(
      syslogDestination({
        host: syslog.host,
        port: syslog.port,
        ...(await peerCredentials('trace.syslog', syslog)),
        source: { id: dmp.repositoryUniqueId, site: syslog.site },
      }),
    )
  if (fhir)
    destinations.push(
      fhirDestination({
        url: fhir.url,
        ...(await peerCredentials('trace.fhir', fhir)),
        ...(fhir.tokenFile !== undefined && { token: await tokenOf(fhir.tokenFile) }),
        toJson,
      }),
    )
  return new Map(destinations.map((each) => [each.name, each]))
}

/** RFC 6750 2.1 */
async function tokenOf(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim()
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new ConfigError(`trace.fhir.tokenFile: ${file} must hold one bearer token`)
  return token
}
