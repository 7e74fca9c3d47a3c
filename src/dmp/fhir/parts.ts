/** What all requests share; nothing in it is about a person. */
import type { Clock, Dmp, Trace } from '../../operations/ports.ts'
import type { Spool } from '../../spool/index.ts'
import type { Journal } from '../remote/journal.ts'
import type { Observer } from '../remote/observer.ts'
import type { References } from '../remote/references.ts'
import type { StatusCache } from '../remote/status-cache.ts'
import type { Base } from './base.ts'
import type { Capabilities } from './capability.ts'
import type { Credentials } from './credentials.ts'
import type { FhirDmpOptions } from './options.ts'
import type { PatientStatus } from './patient.ts'
import type { Transport } from './transport.ts'

export interface Parts {
  readonly options: FhirDmpOptions
  readonly base: Base
  readonly credentials: Credentials
  readonly transport: Transport
  /** What the DMP declares; read once, and again when the gateway looks whether it is there. */
  readonly capabilities: Capabilities
  readonly spool: Spool
  /** The gateway's own store: what it alone knows of a patient (information given, choices declared here). */
  readonly local: Pick<Dmp, 'status' | 'open'>
  readonly trace: Trace
  readonly journal: Journal
  readonly references: References
  readonly statuses: StatusCache<PatientStatus>
  readonly observer: Observer
  readonly clock: Clock
}
