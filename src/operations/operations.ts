/** What the doors may ask of the middle. Every method is: gather facts → decide → act → filter → trace. */
import type { DocumentFacts, RecordFacts } from '../access/types.ts'
import type { Issue } from '../errors.ts'
import type { DocumentCriteria } from '../metadata/criteria.ts'
import type { EntryUuid, PatientKey, UniqueId } from '../metadata/identifiers.ts'
import type {
  Association,
  AssociationType,
  AvailabilityStatus,
  DocumentEntry,
  Folder,
  Submission,
  SubmissionSet,
} from '../metadata/model.ts'
import type {
  Demographics,
  DocumentContent,
  MetadataUpdate,
  Receipt,
  RegistryQuery,
  RequestContext,
  TracedAccess,
} from './ports.ts'

/** What the caller may see of what was found. Counts, paging links and ETags come from here, after the filter. */
export interface Findings {
  readonly documents: readonly DocumentFacts[]
  readonly submissionSets: readonly SubmissionSet[]
  readonly folders: readonly Folder[]
  /** Only those whose both ends the caller may see. */
  readonly associations: readonly Association[]
  /** ISO 8601 instants of the last change of SubmissionSets and Folders, by entryUUID, where the DMP tells them. */
  readonly updates?: ReadonlyMap<EntryUuid, string>
  /** logicalIds of the documents that associations lead to and that are not among `documents`. */
  readonly logicalIds?: ReadonlyMap<EntryUuid, EntryUuid>
  /** Full entries, in the order given; read from the DMP as they are consumed. */
  entries(documents: readonly DocumentFacts[]): AsyncIterable<DocumentEntry>
}

/** ITI-18 in its own terms (ITI TF-2 3.18.4.1.2.3.7): what a registry answers directly, and what is composed of that. */
export type StoredQuery =
  | RegistryQuery
  | {
      readonly kind: 'GetAll'
      readonly patient: PatientKey
      readonly documentStatuses: readonly AvailabilityStatus[]
      readonly submissionSetStatuses: readonly AvailabilityStatus[]
      readonly folderStatuses: readonly AvailabilityStatus[]
      readonly criteria: DocumentCriteria
    }
  | {
      readonly kind: 'GetDocumentsAndAssociations' | 'GetFoldersForDocument'
      readonly by: 'entryUuid' | 'uniqueId'
      readonly ids: readonly string[]
      readonly associationStatuses?: readonly AvailabilityStatus[]
    }
  | { readonly kind: 'GetSubmissionSetsOf'; readonly ids: readonly EntryUuid[] }
  | {
      readonly kind: 'GetSubmissionSetAndContents' | 'GetFolderAndContents'
      readonly by: 'entryUuid' | 'uniqueId'
      readonly id: string
      readonly criteria: DocumentCriteria
      readonly associationStatuses?: readonly AvailabilityStatus[]
    }
  | {
      readonly kind: 'GetRelatedDocuments'
      readonly by: 'entryUuid' | 'uniqueId'
      readonly id: string
      readonly associationTypes: readonly AssociationType[]
      readonly criteria: DocumentCriteria
      readonly associationStatuses?: readonly AvailabilityStatus[]
    }

export interface FindOptions {
  /** false: the answer carries no associations, so they are not looked up. Default true. */
  readonly relations?: boolean
  /**
   * `$MetadataLevel` of ITI-18 (XDS Metadata Update, 3.18.4.1.2.3.5.1.1). 1: only current versions, no Deprecated folder
   * or association. 2: every version. Absent: what the query finds, in its current version.
   */
  readonly metadataLevel?: 1 | 2
  /**
   * SubmissionSets and Folders come with their members (ITI-66): the documents in their current version, the Folders of a
   * SubmissionSet, and the associations that make them members. Default false.
   */
  readonly members?: boolean
}

export interface FeedOptions {
  /** ITI-42, profile `ihe`: metadata alone, of documents that stay in their own repository. Default false. */
  readonly register?: boolean
  /**
   * Documents that associations name by their uniqueId: for each a stand-in, a new UUID, that the association has as its
   * target. It is looked up among the documents of the patient that the caller may know of, like every other target.
   */
  readonly targets?: ReadonlyMap<EntryUuid, UniqueId>
  /**
   * Documents that the message says become superseded (ITI-65 UpdateDocumentRefs), by entryUUID or stand-in, and where it
   * says so: each must be one that the submission replaces.
   */
  readonly superseded?: readonly { readonly id: EntryUuid; readonly location: string }[]
  /**
   * The submission was accepted before and may have been stored already (a restart in between): if it was, its receipt is
   * given again and nothing else is done. Default false.
   */
  readonly resumed?: boolean
}

/** ITI-43 asks by uniqueId, ITI-68 by logicalId. */
export type DocumentRequest =
  | { readonly repositoryUniqueId?: string; readonly documentUniqueId: string; readonly homeCommunityId?: string }
  | { readonly logicalId: EntryUuid }

export interface RetrievedDocument {
  readonly request: DocumentRequest
  readonly entry: DocumentEntry
  readonly content: DocumentContent
}

export interface Retrieval {
  readonly documents: readonly RetrievedDocument[]
  /** One issue per request that gave no document; an absent and a hidden document give the same one. */
  readonly issues: readonly Issue[]
}

export interface DocumentHistory {
  /** Metadata versions, newest first, each with what is known of it. */
  readonly versions: readonly { readonly entry: DocumentEntry; readonly facts: DocumentFacts }[]
  /** Relationships of the current version whose both ends the caller may see. */
  readonly associations: readonly Association[]
  /** As in Findings. */
  readonly logicalIds?: ReadonlyMap<EntryUuid, EntryUuid>
}

export type RemovalRequest =
  | { readonly objects: readonly EntryUuid[] }
  | { readonly documents: readonly { readonly repositoryUniqueId: string; readonly documentUniqueId: string }[] }

export interface StatusAnswer {
  readonly facts: RecordFacts
  readonly demographics: Demographics | undefined
}

export interface HistoryOptions {
  /** Documents with their titles, where the caller may see them. Default false. */
  readonly titles?: boolean
  /** Default: newest first. */
  readonly oldestFirst?: boolean
}

export interface Operations {
  /** TD0.2. Throws `dmp-unknown` when there is no record. */
  status(patient: PatientKey, context: RequestContext): Promise<StatusAnswer>
  /** ITI-104 on the embedded DMP. */
  open(patient: PatientKey, demographics: Demographics, context: RequestContext): Promise<'created' | 'updated'>
  /** TD2.1, TD2.1b when an RPLC association is present. Contents by entryUUID; the caller keeps and disposes of them. */
  feed(
    submission: Submission,
    contents: ReadonlyMap<EntryUuid, DocumentContent>,
    context: RequestContext,
    options?: FeedOptions,
  ): Promise<Receipt>
  /**
   * What feeding would refuse the submission for in itself (metadata, codes, documents), and its warnings; empty when
   * nothing. Stores nothing, asks nothing about the patient, and is not traced: the submission has touched no record.
   */
  validate(submission: Submission, contents: ReadonlyMap<EntryUuid, DocumentContent>): Promise<readonly Issue[]>
  /** TD3.1a, or TD3.1b for callers that may only look up their own references. */
  find(query: StoredQuery, context: RequestContext, options?: FindOptions): Promise<Findings>
  /** TD3.2. */
  retrieve(requests: readonly DocumentRequest[], context: RequestContext): Promise<Retrieval>
  /**
   * TD3.3a–d, ITI-57 and ITI-92. In `ci-sis` a new version may differ only in confidentialityCode and a status only
   * change to Archived, Deleted or back to Approved (UP8); in `ihe` everything the registry allows.
   */
  update(update: MetadataUpdate, context: RequestContext): Promise<Receipt>
  /** ITI-62; by uniqueId ITI-86. Only in profile `ihe` (UP7). */
  remove(removal: RemovalRequest, context: RequestContext): Promise<void>
  /** The history of a document, by an entryUUID of any version, for whoever may see it now; throws `not-found`. */
  versions(logicalId: EntryUuid, context: RequestContext): Promise<DocumentHistory>
  /**
   * The access history of a patient, as far as the caller may read it, in the order of the trace. On record when it
   * resolves; rows are read as they are consumed, which may throw.
   */
  history(patient: PatientKey, context: RequestContext, options?: HistoryOptions): Promise<AsyncIterable<TracedAccess>>
}
