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
import type { Config } from './config.ts'

export interface TraceExportParts {
  readonly feed: TraceFeed
  readonly log: Log
  /** A record as an AuditEvent, in JSON. */
  readonly toJson: (record: TraceRecord) => string
}

/** @throws Error naming the file that cannot be read */
export async function openTraceExport({ trace, dmp }: Config, parts: TraceExportParts): Promise<TraceExport> {
  const { syslog, fhir } = trace
  const destinations: Destination[] = []
  if (syslog)
    destinations.push(
      syslogDestination({
        host: syslog.host,
        port: syslog.port,
        ...(await credentialsOf(syslog)),
        source: { id: dmp.repositoryUniqueId, site: syslog.site },
      }),
    )
  if (fhir)
    destinations.push(
      fhirDestination({
        url: fhir.url,
        ...(await credentialsOf(fhir)),
        ...(fhir.tokenFile !== undefined && { token: (await readFile(fhir.tokenFile, 'utf8')).trim() }),
        toJson: parts.toJson,
      }),
    )
  return startExport({ feed: parts.feed, log: parts.log, destinations })
}

interface CredentialFiles {
  readonly ca?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

async function credentialsOf({ ca, certificate, key }: CredentialFiles) {
  const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file))
  return { ca: await read(ca), certificate: await read(certificate), key: await read(key) }
}
