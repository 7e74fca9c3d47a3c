/** What the doors may ask of the middle. Every method is: gather facts → decide → act → filter → trace. */
import type { DocumentFacts, RecordFacts } from '../access/types.ts'
import type { Issue } from '../errors.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Association, DocumentEntry, Folder, Submission, SubmissionSet } from '../metadata/model.ts'
import type { AccessRecord, Demographics, DocumentContent, Receipt, RequestContext, StoredQuery } from './ports.ts'

/** What the caller may see of what was found. Counts, paging links and ETags come from here, after the filter. */
export interface Findings {
  readonly documents: readonly DocumentFacts[]
  readonly submissionSets: readonly SubmissionSet[]
  readonly folders: readonly Folder[]
  /** Only those whose both ends the caller may see. */
  readonly associations: readonly Association[]
  /** Full entries, in the order given; read from the DMP as they are consumed. */
  entries(documents: readonly DocumentFacts[]): AsyncIterable<DocumentEntry>
}

export interface FindOptions {
  /** false: the answer carries no associations, so they are not looked up. Default true. */
  readonly relations?: boolean
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

export interface StatusAnswer {
  readonly facts: RecordFacts
  readonly demographics: Demographics | undefined
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
  ): Promise<Receipt>
  /** TD3.1a, or TD3.1b for callers that may only look up their own references. */
  find(query: StoredQuery, context: RequestContext, options?: FindOptions): Promise<Findings>
  /** TD3.2. */
  retrieve(requests: readonly DocumentRequest[], context: RequestContext): Promise<Retrieval>
  /** The access history of a patient, newest first, as far as the caller may read it. */
  history(patient: PatientKey, context: RequestContext): Promise<readonly AccessRecord[]>
}
