/** What all requests share; nothing in it is about a person. */
import type { Spool } from '../../spool/index.ts'
import type { RemoteParts } from '../remote/parts.ts'
import type { Base } from './base.ts'
import type { Capabilities } from './capability.ts'
import type { Credentials } from './credentials.ts'
import type { FhirDmpOptions } from './options.ts'
import type { PatientStatus } from './patient.ts'
import type { Transport } from './transport.ts'

export interface Parts extends RemoteParts<PatientStatus> {
  readonly options: FhirDmpOptions
  readonly spool: Spool
  readonly base: Base
  readonly credentials: Credentials
  readonly transport: Transport
  /** What the DMP declares; read once, and again when the gateway looks whether it is there. */
  readonly capabilities: Capabilities
}
