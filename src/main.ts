/** The composition root: configuration → parts → server. The only file that knows every part. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import express from 'express'
import { type DestinationStream, destination, pino } from 'pino'
import { checkCda } from './cda/index.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from './dmp/embedded/index.ts'
import { localChoices } from './dmp/remote/choices.ts'
import { toAlertEvent } from './fhir/alert-event.ts'
import { toAuditEvent } from './fhir/audit-event.ts'
import { createFhirDoor } from './fhir/index.ts'
import { isAlert } from './operations/alerts.ts'
import { createOperations } from './operations/index.ts'
import { outgoingNotices } from './operations/notices.ts'
import type { DocumentCheck } from './operations/ports.ts'
import { readAffinityDomain } from './server/affinity-domain.ts'
import type { Config } from './server/config.ts'
import { openCredentials } from './server/credentials.ts'
import { createMetrics } from './server/health.ts'
import { startServer } from './server/http.ts'
import { openNotifications } from './server/notifications.ts'
import { policyOf } from './server/policy.ts'
import { createReloader } from './server/reload.ts'
import { openRemoteDmp } from './server/remote-dmp.ts'
import { openTraceExport } from './server/trace-export.ts'
import { createSpool } from './spool/index.ts'
import { startAlerts } from './trace/index.ts'
import { checkContract, createXdsDoor } from './xds/index.ts'

export interface Gateway {
  readonly url: string
  /** The embedded DMP's own administration, for the command line. */
  readonly embedded: EmbeddedDmp
  /** Reads keys, certificates and revocation lists again; what cannot be used is logged and the old stays in use. */
  reload(): Promise<void>
  /** Finishes what is in flight, then releases the store. */
  close(): Promise<void>
}

/** @param logTo takes the lines of the log; standard error unless told */
export async function startGateway(config: Config, logTo?: DestinationStream): Promise<Gateway> {
  const log = pino({ level: config.log.level, base: null }, logTo ?? destination({ fd: 2, sync: false }))
  const conformance = config.identity.anonymous === 'loopback'
  // Conformance mode keeps nothing: an anonymous tester must never meet a record that somebody filled.
  const data = conformance ? await mkdtemp(path.join(tmpdir(), 'dmp-gateway-')) : path.resolve(config.data)
  const { repositoryUniqueId } = config.dmp
  const profile = config.metadata.profile
  const clock = { now: () => new Date() }

  const embedded = await openEmbeddedDmp({
    directory: data,
    repositoryUniqueId,
    clock,
    duplicates: profile === 'ihe' ? 'same-hash' : 'refuse',
  })
  const spool = createSpool({ directory: path.join(data, 'spool'), maxBytes: config.limits.documentBytes })
  await spool.sweep()
  const credentials = await openCredentials(config, data)
  const metrics = createMetrics()
  const remote = await openRemoteDmp(config, { directory: data, embedded, spool, metrics, clock })
  if (remote && remote.unsettled > 0)
    log.warn({ acts: remote.unsettled }, 'acts at the DMP were cut off by a stop: the trace has them as failed')
  const { codes, checkMimeType, xsd } = config.metadata
  const affinityDomain = codes === undefined ? {} : { affinityDomain: await readAffinityDomain(codes, checkMimeType) }
  const operationParts = {
    ...affinityDomain,
    dmp: remote?.dmp ?? embedded.dmp,
    trace: embedded.trace,
    choices: remote ? localChoices(embedded.choices) : embedded.choices,
    clock,
    policy: policyOf(config),
    ...cdaCheckOf(config),
  }
  const operations = createOperations(operationParts)
  await checkContract()
  const limits = { maxMetadataBytes: config.limits.metadataBytes, maxDocumentBytes: config.limits.documentBytes }
  const alerts = startAlerts({
    record: (record) => embedded.trace.record(record),
    log,
    observe: metrics.authenticationFailed,
    interval: config.trace.alertSeconds * 1000,
  })
  const door = { operations, alerts, identity: credentials.identity, spool, profile, repositoryUniqueId, log }
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(
    '/fhir',
    createFhirDoor({
      ...door,
      limits,
      jobsDirectory: path.join(data, 'jobs'),
      patientIdKey: await secretOf(path.join(data, 'patient-id.key'), 16),
      ...(config.server.baseUrl && { baseUrl: `${config.server.baseUrl}/fhir` }),
    }),
  )
  const traceExport = await openTraceExport(config, {
    feed: embedded.traceFeed,
    log,
    toJson: (record) =>
      JSON.stringify(
        isAlert(record) ? toAlertEvent(record, { repositoryUniqueId }) : toAuditEvent(record, { repositoryUniqueId }),
      ),
  })
  metrics.gauge({
    name: 'dmp_gateway_trace_pending',
    help: 'Records of the trace that a destination does not have yet',
    label: 'destination',
    read: () => traceExport.pending(),
  })
  const notifier = await openNotifications(config, {
    deliveries: embedded.deliveries,
    outgoing: (patient) => outgoingNotices(operationParts, patient),
    log,
  })
  metrics.gauge({
    name: 'dmp_gateway_notifications',
    help: 'Notifications by channel and state',
    label: 'delivery',
    read: () => notifier.counts(),
  })
  const server = await startServer({
    config,
    log,
    alerts,
    fhir: app,
    xds: createXdsDoor({
      ...door,
      ...affinityDomain,
      xsd,
      limits: { ...limits, maxParts: config.limits.parts },
      ...(config.server.baseUrl && { baseUrl: config.server.baseUrl }),
    }),
    checks: {
      store: () => embedded.dmp.check(),
      trace: () => embedded.trace.check(),
      ...(remote && { dmp: () => remote.dmp.check() }),
    },
    metrics,
  })
  const reloader = createReloader({
    config,
    log,
    reload: [
      () => credentials.reload(),
      () => server.reload(),
      async () => remote?.reload(),
      () => traceExport.reload(),
      () => notifier.reload(),
    ],
  })
  return {
    url: server.url,
    embedded,
    reload: () => reloader.reload(),
    close: async () => {
      reloader.close()
      await Promise.all([server.close(), traceExport.close(), notifier.close()])
      await alerts.close()
      remote?.close()
      await embedded.close()
      if (conformance) await rm(data, { recursive: true, force: true })
    },
  }
}

/** Secret bytes that live as long as the data folder, for this user only; made on first start. */
async function secretOf(file: string, length: number): Promise<Buffer> {
  try {
    await writeFile(file, randomBytes(length), { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const secret = await readFile(file)
  if (secret.length !== length) throw new Error(`${file} is damaged: it must hold ${length} bytes`)
  return secret
}

/** `metadata.checkCda`: headers of CDA documents against the metadata that come with them. */
function cdaCheckOf({ metadata: { checkCda: mode } }: Config): { checkDocument?: DocumentCheck } {
  if (mode === 'off') return {}
  const severity = mode === 'refuse' ? 'error' : 'warning'
  return { checkDocument: (entry, content) => checkCda(entry, content, severity) }
}
