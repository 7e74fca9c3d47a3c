/** What the FHIR door is made of, and what one request carries through it. */
import type { Request, Response } from 'express'
import type { Oid } from '../metadata/identifiers.ts'
import type { Operations } from '../operations/operations.ts'
import type { Alerts, Identity, RequestContext } from '../operations/ports.ts'
import type { RecordOperations } from '../operations/record-operations.ts'
import type { Spool } from '../spool/index.ts'
import type { Jobs } from './async/jobs.ts'
import type { Format } from './negotiate.ts'
import type { PatientIds } from './patient-id.ts'

/** The part of a pino logger that is used. */
export interface Log {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface FhirParts {
  readonly operations: Operations & RecordOperations
  readonly identity: Identity
  /** Told of refused credentials. */
  readonly alerts?: Alerts
  readonly spool: Spool
  /** `ci-sis` is the DMP; `ihe` is conformance mode. */
  readonly profile: 'ci-sis' | 'ihe'
  readonly repositoryUniqueId: Oid
  /** Absolute URL of the door, without a slash at the end; default: built from each request's Host. */
  readonly baseUrl?: string
  readonly limits: {
    /** Text of one message without its documents, in bytes. */
    readonly maxMetadataBytes: number
    /** The documents of one message together, in bytes. */
    readonly maxDocumentBytes: number
  }
  readonly log: Log
  /**
   * Folder of submissions accepted with `Prefer: respond-async`, on the file system of the store. Default: none is, and
   * the preference is ignored.
   */
  readonly jobsDirectory?: string
  /** 16 secret bytes behind Patient ids in `ci-sis`; default: new ones at each start, and ids live until the next. */
  readonly patientIdKey?: Uint8Array
}

/** One request: what the transactions need to answer it. */
export interface Exchange {
  readonly request: Request
  readonly response: Response
  readonly parts: FhirParts
  readonly patientIds: PatientIds
  /** Submissions that are stored later; absent where there are none. */
  readonly jobs: Jobs | undefined
  /** Absolute URL of the door as this caller reaches it, without a slash at the end. */
  readonly baseUrl: string
  /** Query parameters in the order sent, decoded. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** The form of the answer. */
  readonly format: Format
  readonly context: RequestContext
}

export type Handler = (exchange: Exchange) => Promise<void>
