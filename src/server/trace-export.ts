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
  const readers = readersOf(config, parts)
  const current = await Promise.all(readers.map((read) => read()))
  const destinations = current.map(({ name, batch }, index) => ({
    name,
    batch,
    send: (...sending: Parameters<Destination['send']>) => (current[index] as Destination).send(...sending),
  }))
  const running = startExport({ feed: parts.feed, log: parts.log, destinations })
  return {
    ...running,
    async reload() {
      // One that cannot be read holds back no other
      const read = await Promise.allSettled(readers.map((each) => each()))
      for (const [index, result] of read.entries())
        if (result.status === 'fulfilled') {
          current[index]?.release?.()
          current[index] = result.value
        }
      const failed = read.find((result) => result.status === 'rejected')
      if (failed) throw failed.reason
    },
    async close() {
      await running.close()
      for (const each of current) each.release?.()
    },
  }
}

/** One for each destination that is configured. */
function readersOf(
  { trace: { syslog, fhir }, dmp }: Config,
  { toJson }: TraceExportParts,
): readonly (() => Promise<Destination>)[] {
  const readers: (() => Promise<Destination>)[] = []
  if (syslog)
    readers.push(async () =>
      syslogDestination({
        host: syslog.host,
        port: syslog.port,
        ...(await peerCredentials('trace.syslog', syslog)),
        source: { id: dmp.repositoryUniqueId, site: syslog.site },
      }),
    )
  if (fhir)
    readers.push(async () =>
      fhirDestination({
        url: fhir.url,
        ...(await peerCredentials('trace.fhir', fhir)),
        ...(fhir.tokenFile !== undefined && { token: await tokenOf(fhir.tokenFile) }),
        toJson,
      }),
    )
  return readers
}

/** RFC 6750 2.1 */
async function tokenOf(file: string): Promise<string> {
  const token = (await readFile(file, 'utf8')).trim()
  if (!/^[\w.~+/-]+=*$/.test(token)) throw new ConfigError(`trace.fhir.tokenFile: ${file} must hold one bearer token`)
  return token
}
