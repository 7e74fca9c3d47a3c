/**
 * What the main thread asks of the writer thread. Everything that costs time and needs no database (JSON, hashes, files)
 * is done before: a command holds what its statements bind, and can be copied between threads.
 */

import type { Issue } from '../../errors.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { AvailabilityStatus } from '../../metadata/model.ts'
import type { DeliveryState, Effects, StoredChange } from '../../operations/ports.ts'

/** An access record on its way into the trace. */
export interface PreparedRecord {
  readonly patient: PatientKey | undefined
  readonly person: string | undefined
  readonly at: string
  /** The AccessRecord: these characters, in UTF-8, are what the chain protects. */
  readonly json: string
  readonly effects: Effects
}

export interface PreparedContent {
  readonly sha1: string
  readonly size: number
  readonly bytes: Uint8Array | undefined
  /** Name of a file in the content folder, already durable. */
  readonly file: string | undefined
}

export interface PreparedEntry {
  readonly entryUuid: string
  readonly uniqueId: string
  readonly created: string
  readonly onDemand: boolean
  readonly classCode: string | undefined
  readonly classSystem: string | undefined
  readonly typeCode: string | undefined
  readonly typeSystem: string | undefined
  readonly confidentiality: string
  readonly authorPersons: string
  readonly hash: string | undefined
  readonly json: string
  readonly content: PreparedContent | undefined
}

export interface PreparedPackage {
  readonly entryUuid: string
  readonly uniqueId: string
  readonly json: string
}

export interface PreparedAssociation {
  readonly entryUuid: string
  readonly type: string
  readonly source: string
  readonly target: string
  readonly json: string
}

export interface FeedCommand {
  readonly kind: 'feed'
  readonly patient: PatientKey
  readonly depositedBy: string
  readonly feedingStructure: string | undefined
  /** `same-hash`: a uniqueId may come again with the same bytes. */
  readonly duplicates: 'refuse' | 'same-hash'
  /** How a reference to an object of another patient is answered: as one to nothing, or by what is wrong with it. */
  readonly otherPatients: 'absent' | 'told'
  readonly entries: readonly PreparedEntry[]
  readonly submissionSet: PreparedPackage
  readonly folders: readonly PreparedPackage[]
  readonly associations: readonly PreparedAssociation[]
  readonly record: PreparedRecord
}

/** A new metadata version of an object. */
export type PreparedVersion = {
  readonly logicalId: string
  readonly previousVersion: number
  readonly propagate: boolean
  /** Its patientId is that of the update. */
  readonly samePatient: boolean
} & (
  | { readonly kind: 'DocumentEntry'; readonly row: PreparedEntry }
  | { readonly kind: 'Folder'; readonly row: PreparedPackage }
)

export interface UpdateCommand {
  readonly kind: 'update'
  readonly patient: PatientKey
  /** ITI-92 and the DMP's own changes: other codes, and a version takes over whatever status the one before had. */
  readonly restricted: boolean
  readonly otherPatients: FeedCommand['otherPatients']
  readonly submissionSet: PreparedPackage | undefined
  /** The patientId of the SubmissionSet is that of the update. */
  readonly samePatient: boolean
  readonly versions: readonly PreparedVersion[]
  readonly statuses: readonly {
    readonly target: string
    readonly from: AvailabilityStatus
    readonly to: AvailabilityStatus
  }[]
  readonly associations: readonly PreparedAssociation[]
  readonly record: PreparedRecord
}

export interface RemoveCommand {
  readonly kind: 'remove'
  readonly what: 'objects' | 'contents'
  readonly ids: readonly string[]
  readonly record: PreparedRecord
}

export interface OpenCommand {
  readonly kind: 'open'
  readonly patient: PatientKey
  /** JSON of Demographics. */
  readonly demographics: string
  readonly record: PreparedRecord
}

export interface RecordCommand {
  readonly kind: 'record'
  readonly record: PreparedRecord
}

export type { ChoiceName as Choice } from '../../access/types.ts'

/** What is written besides documents; `authorise` sets an authorisation and its end. */
export type Change =
  | StoredChange
  | { readonly kind: 'authorise'; readonly person: string; readonly until: string | undefined }

/** All of them, or none. */
export interface AdministerCommand {
  readonly kind: 'administer'
  readonly patient: PatientKey
  readonly changes: readonly Change[]
  readonly record: PreparedRecord
}

/** Destroys what is kept of a record that was closed before an instant; the trace stays. */
export interface DestroyCommand {
  readonly kind: 'destroy'
  readonly patient: PatientKey
  /** ISO 8601 instant. */
  readonly closedBefore: string
  readonly record: PreparedRecord
}

/** A destination of the trace has everything up to a sequence; with `again`, these very records, wherever it stands. */
export interface AdvanceCommand {
  readonly kind: 'advance'
  readonly destination: string
  readonly sequence: number
  readonly refused: readonly { readonly sequence: number; readonly reason: string }[]
  readonly again?: readonly number[]
}

/** A step of telling people; `no` is that of the notification. */
export interface DeliverCommand {
  readonly kind: 'deliver'
  readonly channel: string
  readonly step:
    | { readonly kind: 'enrol' | 'interrupted' }
    | { readonly kind: 'claim'; readonly no: number }
    | {
        readonly kind: 'settle'
        readonly no: number
        readonly state: DeliveryState
        /** ISO 8601 instant; default now. */
        readonly nextAt: string | undefined
      }
}

/** Writes one row, to know that writing works. */
export interface ProbeCommand {
  readonly kind: 'probe'
}

export type Command =
  | FeedCommand
  | UpdateCommand
  | RemoveCommand
  | OpenCommand
  | RecordCommand
  | AdministerCommand
  | DestroyCommand
  | AdvanceCommand
  | DeliverCommand
  | ProbeCommand

/** What a command gives once it is durable. */
export interface Done {
  /** Of `open`: there was no record before. */
  readonly created?: boolean
  /** Of `update`: entryUUIDs of what has a new version or status. */
  readonly changed?: readonly string[]
  /** Of `remove`: files that no row knows any more. */
  readonly files?: readonly string[]
  /** Of `deliver`: rows that changed. */
  readonly count?: number
}

export interface Batch {
  /** ISO 8601 instant of the commit. */
  readonly at: string
  readonly commands: readonly Command[]
}

/** One per command of the batch, in order; of one that is not ok nothing is stored. */
export type Outcome =
  | { readonly ok: true; readonly value: Done }
  | { readonly ok: false; readonly issues: readonly Issue[]; readonly cause: string }
