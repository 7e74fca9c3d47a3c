/**
 * The ports of the middle: what operations/ asks of the outside, in DMP terms. Implementations stand in dmp/, trace/ and
 * identity/; they are wired in main.ts. One durable commit serves a submission, its access record and its effects.
 */
import type { Readable } from 'node:stream'
import type { Caller, ConsentDeclaration, PurposeOfUse } from '../access/caller.ts'
import type { DocumentFacts, Operation, RecordChange, RecordFacts } from '../access/types.ts'
import type { Issue } from '../errors.ts'
import type { DocumentCriteria, FolderCriteria, SubmissionSetCriteria } from '../metadata/criteria.ts'
import type { EntryUuid, Oid, PatientKey, UniqueId } from '../metadata/identifiers.ts'
import type {
  Association,
  AvailabilityStatus,
  DocumentEntry,
  Folder,
  Submission,
  SubmissionSet,
} from '../metadata/model.ts'
import type { AuthorisedList, AuthorisedQuery, RecordSettings } from './record-ports.ts'

export type * from './identity-port.ts'
export type * from './record-ports.ts'
export type * from './trace-ports.ts'

export interface Clock {
  now(): Date
}

/** The bytes of one document: in memory up to 256 KiB, in a file above. Never both. */
export interface DocumentContent {
  readonly size: number
  /** SHA-1 of the bytes, 40 lower-case hex digits. */
  readonly sha1: string
  readonly bytes?: Buffer
  /** A file that holds exactly the bytes; a store may take it over by renaming it. */
  readonly path?: string
  /** A new stream of the whole, or of [start, end] inclusive. */
  stream(range?: { readonly start: number; readonly end: number }): Readable
}

/**
 * What a document says otherwise than its metadata, each difference an issue; errors make feeding refuse, warnings go
 * into the receipt. Empty for a document of a kind that is not looked into.
 */
export type DocumentCheck = (entry: DocumentEntry, content: DocumentContent) => Promise<readonly Issue[]>

/** Who asks, how and with which declarations. Travels as an argument through every operation. */
export interface RequestContext {
  readonly caller: Caller
  /** The mode in force (token, else DMP-Purpose-Of-Use, else normal); contradiction was refused at the door. */
  readonly purpose: PurposeOfUse
  readonly reason?: string
  readonly declaration: ConsentDeclaration
  readonly door: 'fhir' | 'xds' | 'cli'
  /** ITI-41, ITI-65, … */
  readonly transaction: string
  readonly requestId: string
  /** Where the request came from and what it asked, for the trace; absent on the command line. */
  readonly origin?: RequestOrigin
}

export interface RequestOrigin {
  /** IP address of the caller, as the connection has it. */
  readonly client: string
  /** URL at which it was reached, without a query. */
  readonly server: string
  /** A search as it was asked: `DocumentReference?…`, or the AdhocQuery of ITI-18 as XML. */
  readonly query?: string
}

/** A person's demographics as ITI-104 gives them; kept by the embedded DMP only. */
export interface Demographics {
  readonly family?: string
  readonly given: readonly string[]
  readonly gender?: 'male' | 'female' | 'other' | 'unknown'
  /** ISO date `YYYY-MM-DD`. */
  readonly birthDate?: string
  /** Where the patient is told of what happens in the record. */
  readonly email?: string
}

/** One access, permitted or refused: the row of the trace (docs/access-rules.md, Trace). */
export interface AccessRecord {
  /** UUID. */
  readonly id: string
  /** ISO 8601 instant, milliseconds. */
  readonly at: string
  readonly operation: Operation
  readonly door: RequestContext['door']
  readonly transaction: string
  readonly requestId: string
  readonly caller: Caller
  readonly purpose: PurposeOfUse
  readonly reason?: string
  readonly declaration: ConsentDeclaration
  readonly patient?: PatientKey
  readonly documents: readonly {
    readonly logicalId: EntryUuid
    readonly uniqueId: UniqueId
    /** Only in a history that was asked for with titles. */
    readonly title?: string
  }[]
  /** The submission that brought the documents. */
  readonly submissionSet?: { readonly entryUuid: EntryUuid; readonly uniqueId: UniqueId }
  readonly origin?: RequestOrigin
  /** What was settled, or asked for. */
  readonly change?: RecordChange
  readonly outcome: 'permitted' | 'refused' | 'failed'
  readonly rule?: string
  /** The true reason of a refusal, even where the caller was told that the object is absent. */
  readonly reasonCode?: string
  /** The request named no patient and was answered as one for what does not exist: kept from the caller in the history. */
  readonly answeredAbsent?: true
  readonly effects: Effects
}

/** What a permission writes besides its record, in the same commit. */
export interface Effects {
  /** Information given to the patient: of feeding, or of consultation for an episode. */
  readonly information?: {
    readonly scope: 'feeding' | 'consultation'
    readonly structure: string
    readonly episode?: string
    readonly means?: string
    readonly by?: string
  }
  /** TD0.3 for a person; for a structure where one of its staff asked (S526 note 1). `until`: ISO 8601 instant. */
  readonly authorisation?: ({ readonly person: string } | { readonly structure: string }) & {
    readonly change: 'add' | 'remove'
    readonly until?: string
  }
  readonly notifications: readonly Notification[]
}

export interface Notification {
  /** `hidden-document`: a document hidden from the patient, of which the patient is told after two weeks (R.1111-53). */
  readonly kind:
    | 'first-consultation'
    | 'emergency-access'
    | 'feed'
    | 'hidden-document'
    | 'visibility-change'
    | 'brain-death'
    | 'rectification'
  /** `author`: those who wrote the documents, and the structure that fed them. */
  readonly recipient: 'patient' | 'treating-physician' | 'author'
  /** French text. */
  readonly text: string
  /** logicalIds concerned; a row about a document the reader may not see is withheld. */
  readonly documents: readonly EntryUuid[]
}

/** What a registry can be asked; the stored queries of ITI-18 are composed of these in operations/stored-query.ts. */
export type RegistryQuery =
  | {
      readonly kind: 'FindDocuments'
      readonly patient: PatientKey
      readonly statuses: readonly AvailabilityStatus[]
      readonly criteria: DocumentCriteria
      /** Earlier metadata versions too ($MetadataLevel 2). Default false. */
      readonly allVersions?: boolean
    }
  | {
      readonly kind: 'FindSubmissionSets'
      readonly patient: PatientKey
      readonly statuses: readonly AvailabilityStatus[]
      readonly criteria: SubmissionSetCriteria
    }
  | {
      readonly kind: 'FindFolders'
      readonly patient: PatientKey
      readonly statuses: readonly AvailabilityStatus[]
      readonly criteria: FolderCriteria
      readonly allVersions?: boolean
    }
  | {
      readonly kind: 'GetDocuments' | 'GetSubmissionSets' | 'GetFolders'
      /**
       * `entryUuid`: that very version, whichever it is; `any`: an entryUUID of any version, answered by the current one
       * (FHIR ids); `uniqueId` and `logicalId`: the current version, or every one with `allVersions`.
       */
      readonly by: 'entryUuid' | 'uniqueId' | 'logicalId' | 'any'
      readonly ids: readonly string[]
      readonly allVersions?: boolean
    }
  /** Associations whose source or target is one of the ids (`end`, the default), or that have these ids themselves. */
  | {
      readonly kind: 'GetAssociations'
      readonly by?: 'end' | 'entryUuid'
      readonly ids: readonly EntryUuid[]
      /** Only those that start at one of the ids are wanted: others may be left out, where they are dear to find. */
      readonly end?: 'source'
      /** Of every status unless asked. */
      readonly statuses?: readonly AvailabilityStatus[]
      /** Those of earlier metadata versions too. Default false. */
      readonly allVersions?: boolean
    }

/** What a query finds, before the guard's filter: documents as facts (entries are read afterwards), the rest in full. */
export interface Found {
  readonly documents: readonly DocumentFacts[]
  readonly submissionSets: readonly SubmissionSet[]
  readonly folders: readonly Folder[]
  readonly associations: readonly Association[]
  /** ISO 8601 instants of the last change of the SubmissionSets and Folders, by entryUUID, where the DMP tells them. */
  readonly updates?: ReadonlyMap<EntryUuid, string>
  /** After the filter: logicalIds of the documents that associations lead to and that are not among `documents`. */
  readonly logicalIds?: ReadonlyMap<EntryUuid, EntryUuid>
}

/** What a DMP answers to a submission or an update that it has durably stored. */
export interface Receipt {
  /** Absent for an update that came without one. */
  readonly submissionSet?: SubmissionSet
  readonly entries: readonly DocumentEntry[]
  /** ISO 8601 instant of the commit. */
  readonly at: string
  readonly warnings: readonly Issue[]
  /** logicalIds of the stored documents that associations of the submission point to, by the id they used. */
  readonly targets?: ReadonlyMap<EntryUuid, EntryUuid>
}

/**
 * One atomic change of what is registered (TD3.3, ITI-57, ITI-92): new versions, statuses and associations together, or
 * nothing. `operations/` has worked out what each part means and decided on it.
 */
export interface MetadataUpdate {
  readonly patient: PatientKey
  /** ITI-92 in profile `ihe`: a version takes over the status of the one before, and fewer attributes may change. */
  readonly restricted?: boolean
  /** Registered with its associations when the change came as a submission (ITI-57); absent for a PATCH. */
  readonly submissionSet?: SubmissionSet
  /** A whole new version of a DocumentEntry or Folder; `previousVersion` must be the current one. */
  readonly versions: readonly {
    readonly object: DocumentEntry | Folder
    readonly previousVersion: number
    /** false: associations of the previous version are not carried over (AssociationPropagation). */
    readonly propagate: boolean
  }[]
  /** `from` must be the current status. */
  readonly statuses: readonly {
    readonly target: EntryUuid
    readonly from: AvailabilityStatus
    readonly to: AvailabilityStatus
  }[]
  readonly associations: readonly Association[]
}

/** Only in profile `ihe`, all or nothing: ITI-62 removes registry objects, ITI-86 the bytes of documents. */
export type Removal =
  | { readonly kind: 'objects'; readonly ids: readonly EntryUuid[] }
  | { readonly kind: 'contents'; readonly ids: readonly EntryUuid[] }

/** The DMP behind the gateway. Never decides access: operations/ does, before and after each call. */
export interface Dmp {
  readonly repositoryUniqueId: Oid
  /** TD0.2: facts about the record as they bear on this caller; undefined when there is none. */
  status(patient: PatientKey, caller: Caller): Promise<RecordFacts | undefined>
  demographics(patient: PatientKey): Promise<Demographics | undefined>
  /** Opens or updates a record (embedded DMP only; a remote one throws `not-a-dmp-operation`). */
  open(patient: PatientKey, demographics: Demographics, record: AccessRecord): Promise<'created' | 'updated'>
  /**
   * TD2.1: stores the whole submission, its documents, its record and its effects, or nothing; durable when it resolves.
   * Applies RPLC (target becomes Deprecated). Throws GatewayError: XDSDuplicateUniqueIdInRegistry, XDSNonIdenticalHash,
   * XDSRegistryDeprecatedDocumentError, UnresolvedReferenceException. With `register` (ITI-42) entries come without
   * their documents, and hash, size and repositoryUniqueId are kept as they came.
   */
  feed(
    submission: Submission,
    contents: ReadonlyMap<EntryUuid, DocumentContent>,
    record: AccessRecord,
    options?: { readonly register?: boolean },
  ): Promise<Receipt>
  /** TD3.1: what matches, unfiltered by access, in a stable order (creationTime descending, then entryUUID). */
  find(query: RegistryQuery): Promise<Found>
  /** Full entries in the order of the ids; ids without an entry are left out. Read as the answer is written. */
  read(entryUuids: readonly EntryUuid[]): AsyncIterable<DocumentEntry>
  /** All metadata versions of a document, newest first; empty when there is none. */
  versions(logicalId: EntryUuid): Promise<readonly DocumentEntry[]>
  /**
   * TD3.3: durable with its record and effects when it resolves. Throws GatewayError: XDSMetadataVersionError,
   * XDSMetadataUpdateError, UnresolvedReferenceException.
   */
  update(update: MetadataUpdate, record: AccessRecord): Promise<Receipt>
  /** Throws GatewayError: UnresolvedReferenceException, ReferencesExistException, XDSUnreferencedObjectException. */
  remove(removal: Removal, record: AccessRecord): Promise<void>
  /** TD3.2: undefined when there are no bytes under this entry. The hash was checked on read. */
  content(entryUuid: EntryUuid): Promise<DocumentContent | undefined>
  /** Store writable (and remote DMP reachable): the readiness check. Throws when not. */
  check(): Promise<void>
  /** A remote DMP as one request asks it: under the identity of its caller, and nobody else's. Absent: one for all. */
  on?(context: RequestContext): Dmp
  /** Whose an object is, as far as a remote DMP's answers have told, by any of its ids. */
  patientOf?(id: string): PatientKey | undefined
  /** TD0.3 at a remote DMP, which must know of it before documents are asked. Absent: the effects of the record do it. */
  authorise?(patient: PatientKey, change: 'add' | 'remove'): Promise<void>
  /**
   * TD1.3a, and with `persons` TD1.6, of a remote DMP: what the patient has settled there and what is declared here.
   * Absent: the store of choices has it all. Undefined when there is no record.
   */
  settings?(patient: PatientKey, about: { readonly persons: boolean }): Promise<RecordSettings | undefined>
  /** TD0.4. Absent: this DMP gives no such list. */
  authorised?(query: AuthorisedQuery, caller: Caller): Promise<AuthorisedList>
  /** The operation is done: what it asked of a remote DMP is counted. */
  finished?(): void
}
