/** The DMP at the far end, as configured (`dmp.kind`): with the embedded store for the trace and for what only the gateway knows. */
import type { EmbeddedDmp } from '../dmp/embedded/index.ts'
import type { Clock, Dmp } from '../operations/ports.ts'
import type { Spool } from '../spool/index.ts'
import type { Config } from './config.ts'
import { fhirDmpOptions } from './config-fhir.ts'
import { nationalOptions } from './config-national.ts'
import type { Metrics } from './health.ts'

export interface RemoteDmp {
  readonly dmp: Dmp
  /** Acts that a crash has left without an outcome, told to the trace at this start. */
  readonly unsettled: number
  /** Certificates and keys again from their files. */
  reload(): Promise<void>
  close(): void
}

export interface RemoteDmpParts {
  /** Data folder. */
  readonly directory: string
  readonly embedded: EmbeddedDmp
  readonly spool: Spool
  readonly metrics: Metrics
  readonly clock: Clock
}

/**
 * Undefined with `dmp.kind: embedded`.
 * @throws Error with a line for the operator: a file that cannot be used
 */
export async function openRemoteDmp(
  { dmp, limits }: Config,
  { directory, embedded, spool, metrics, clock }: RemoteDmpParts,
): Promise<RemoteDmp | undefined> {
  const { dmp: local, trace } = embedded
  const parts = { directory, spool, local, trace, observer: metrics.upstream, clock }
  // Loaded only where it is configured: a start with the embedded DMP does without
  if (dmp.national !== undefined) {
    const { openNationalDmp } = await import('../dmp/xds/index.ts')
    const settings = nationalOptions(dmp.national, dmp.repositoryUniqueId, limits.documentBytes)
    const national = await openNationalDmp({ ...parts, ...settings })
    watchExpiry(metrics, 'national', () => ({ ...national.expiry }))
    return national
  }
  if (dmp.fhir !== undefined) {
    const { openFhirDmp } = await import('../dmp/fhir/index.ts')
    const settings = fhirDmpOptions(dmp.fhir, dmp.repositoryUniqueId, limits.documentBytes)
    const remote = await openFhirDmp({ ...parts, ...settings })
    watchExpiry(metrics, 'fhir', () => ({ ...remote.expiry }))
    return remote
  }
  return undefined
}

/** @param read ISO 8601 instants, by certificate */
function watchExpiry(metrics: Metrics, kind: string, read: () => Readonly<Record<string, string>>): void {
  metrics.gauge({
    name: `dmp_gateway_${kind}_certificate_expiry_seconds`,
    help: 'End of the certificates shown to the DMP, seconds since 1970',
    label: 'certificate',
    read: async () => Object.fromEntries(Object.entries(read()).map(([name, end]) => [name, Date.parse(end) / 1000])),
  })
}
