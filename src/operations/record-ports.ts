/** The ports of what is settled about a record as a whole: choices, notices, destruction (ports.ts gives them on). */
import type { ChoiceName, RecordChange } from '../access/types.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { AccessRecord, Demographics, Notification } from './ports.ts'

/** A change that the store of choices keeps; masking every document is a change of metadata. */
export type StoredChange = Exclude<RecordChange, { kind: 'mask-all' | 'unmask-all' }>

/** What is settled about a record, as it is in force. Instants are ISO 8601. */
export interface RecordSettings {
  /** One that is absent is not told here: a remote DMP applies it by itself. */
  readonly choices: Readonly<Partial<Record<ChoiceName, boolean>>>
  readonly blocked: readonly Settled<{ readonly person: string }>[]
  readonly designated: readonly Settled<{ readonly role: 'treating' | 'administrator'; readonly person: string }>[]
  /** TD0.3; those that have ended too. */
  readonly authorised: readonly Settled<
    ({ readonly person: string } | { readonly structure: string }) & { readonly until?: string }
  >[]
}

/** About somebody, since when, and under which name, as far as the DMP tells. */
export type Settled<About> = About & { readonly since?: string; readonly name?: string }

/** TD0.4: the open records that somebody is authorised to consult. */
export interface AuthorisedQuery {
  /** Whose authorisations: of a named person, or those given to a structure (PDT-INF-526 notes 1 to 3). */
  readonly holder: { readonly person: string } | { readonly structure: string }
  /** Which date `since` is compared with: when the authorisation was given, or when a document came last. */
  readonly by: 'authorisation' | 'document'
  /** ISO 8601 instant, inclusive. */
  readonly since: string
}

export interface AuthorisedRecord {
  readonly patient: PatientKey
  readonly demographics: Demographics & { readonly birthFamily?: string; readonly prefix?: string }
  /** STATUT_MT. */
  readonly treatingPhysician: boolean
  /** ISO 8601 instants: of the holder's last access, and of the last change and the last document that the holder may see. */
  readonly lastAccess?: string
  readonly lastUpdate?: string
  readonly lastAdd?: string
}

export interface AuthorisedList {
  readonly records: readonly AuthorisedRecord[]
  /** A remote DMP has judged each record and tells the dates; otherwise both are still to be done, record by record. */
  readonly judged: boolean
  /** Records that the DMP gave without an identity that can be used here. */
  readonly unidentified: number
}

/** The choices of the patient, and what the administrator settles. A remote DMP keeps its own. */
export interface Choices {
  /** Undefined when there is no record. */
  inForce(patient: PatientKey): Promise<RecordSettings | undefined>
  /** All the changes, the record and its effects in one commit. Throws GatewayError `dmp-unknown`. */
  apply(patient: PatientKey, changes: readonly StoredChange[], record: AccessRecord): Promise<void>
  /** What was written for the patient and others to be told, newest first, whether delivered or not. */
  notices(patient: PatientKey): Promise<readonly StoredNotification[]>
}

export interface StoredNotification extends Notification {
  readonly no: number
  /** `pending` until a channel has delivered it. */
  readonly state: string
  /** ISO 8601 instant. */
  readonly at: string
}

/** Destruction ten years after closure. */
export interface Retention {
  /** Closed before this instant (ISO 8601), oldest closure first. */
  closedBefore(instant: string): Promise<readonly ClosedRecord[]>
  /**
   * Destroys documents, metadata, demographics and choices of a record that was closed before this instant; the trace
   * stays, with this record of the destruction. Throws GatewayError `dmp-unknown` when there is no such record.
   */
  destroy(patient: PatientKey, closedBefore: string, record: AccessRecord): Promise<void>
}

export interface ClosedRecord {
  readonly patient: PatientKey
  readonly closedAt: string
  /** Documents in it, each counted once. */
  readonly documents: number
}
