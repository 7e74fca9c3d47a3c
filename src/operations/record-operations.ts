/** What a patient, and those who act for the patient, ask of a record as a whole; served by the FHIR door only. */
import type { Caller, ConsentDeclaration, PurposeOfUse } from '../access/caller.ts'
import type { DocumentFacts, Operation, RecordChange, RecordFacts } from '../access/types.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Association, DocumentEntry } from '../metadata/model.ts'
import type {
  AuthorisedList,
  AuthorisedQuery,
  Demographics,
  DocumentContent,
  RecordSettings,
  RequestContext,
  StoredNotification,
  TracedAccess,
} from './ports.ts'

/** What somebody settles by choice; closure and brain death have methods of their own. */
export type PatientChoice = Exclude<RecordChange, { kind: 'close' | 'reopen' | 'brain-death' }>

/** TD1.3a, and TD1.6 for whoever may see the persons. */
export interface SettingsAnswer {
  /** As they bear on this caller: the own authorisation is here. */
  readonly facts: RecordFacts
  readonly choices: RecordSettings['choices']
  /** Absent where the caller may not see who is blocked, designated or authorised. */
  readonly persons?: Pick<RecordSettings, 'blocked' | 'designated' | 'authorised'>
}

/** Everything of a record that this caller may see. Documents and entries are read as they are consumed. */
export interface RecordCopy {
  /** ISO 8601 instant. */
  readonly at: string
  readonly demographics: Demographics | undefined
  readonly settings: SettingsAnswer
  /** Current versions, of every status. */
  readonly documents: readonly DocumentFacts[]
  /** Between documents of the copy: replacements, addenda, transformations. */
  readonly associations: readonly Association[]
  /** Full entries in the order of `documents`; a new reading each time. */
  entries(): AsyncIterable<DocumentEntry>
  /** Undefined where the bytes are kept elsewhere. */
  content(entryUuid: EntryUuid): Promise<DocumentContent | undefined>
  /** Newest first. */
  history(): AsyncIterable<TracedAccess>
  /** What the patient was to be told and may be told now, newest first. */
  readonly notices: readonly StoredNotification[]
}

/** A request that nobody made, for `explain`. */
export interface ExplainQuestion {
  readonly operation: Operation
  readonly caller: Caller
  readonly purpose: PurposeOfUse
  readonly reason?: string
  readonly declaration: ConsentDeclaration
  /** The record it would be about; without it an open record whose patient has chosen nothing. */
  readonly patient?: PatientKey
  /** typeCodes that the habilitation matrix is read for. */
  readonly types: readonly string[]
  /**
   * entryUUID or uniqueId of a document: which rule hides it or shows it. On the command line whatever it is; to everyone
   * else only one of the record of `patient` that the caller of the question sees, and any other is as an absent one.
   */
  readonly document?: string
}

/** TD0.4. */
export type AuthorisedQuestion = Pick<AuthorisedQuery, 'by' | 'since'>

export type AuthorisedAnswer = Pick<AuthorisedList, 'records' | 'unidentified'>

export interface RecordOperations {
  /** TD0.4: the caller's own list, or that of the structure behind its certificate. Throws `over-limit`. */
  authorised(question: AuthorisedQuestion, context: RequestContext): Promise<AuthorisedAnswer>
  /** The choices in force. Throws `dmp-unknown`. */
  settings(patient: PatientKey, context: RequestContext): Promise<SettingsAnswer>
  /** Settles one choice: in force for the next request. Throws GatewayError with the refusal, or `choice-contradictory`. */
  choose(patient: PatientKey, choice: PatientChoice, context: RequestContext): Promise<void>
  /** TD0.3, for the caller alone. @param until ISO 8601 instant; the policy may set an earlier end */
  authorise(patient: PatientKey, change: 'add' | 'remove', context: RequestContext, until?: string): Promise<void>
  /** TD1.4: afterwards nothing is read or fed. */
  close(patient: PatientKey, context: RequestContext): Promise<void>
  reopen(patient: PatientKey, context: RequestContext): Promise<void>
  /** Declared with its reason (`context.reason`), or cleared. */
  brainDeath(patient: PatientKey, declared: boolean, context: RequestContext): Promise<void>
  copy(patient: PatientKey, context: RequestContext): Promise<RecordCopy>
  /**
   * Asks the author of a document to rectify it: on record, and told to the author. Throws `not-found` where the caller may
   * not know of the document. @param document entryUUID or uniqueId @param context `reason` is what is to be rectified
   */
  rectify(document: string, context: RequestContext): Promise<void>
  /** The path of a decision, line by line; for the administrator. */
  explain(question: ExplainQuestion, context: RequestContext): Promise<readonly string[]>
}
