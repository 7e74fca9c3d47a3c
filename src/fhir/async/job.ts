/** A submission that was accepted to be stored later: all that is needed to store and to answer it, as plain data. */
import type { Caller } from '../../access/caller.ts'
import type { Issue } from '../../errors.ts'
import type { EntryUuid, UniqueId } from '../../metadata/identifiers.ts'
import type { Submission } from '../../metadata/model.ts'
import type { FeedOptions } from '../../operations/operations.ts'
import type { RequestContext } from '../../operations/ports.ts'
import type { Place } from '../places.ts'
import type { AnswerPlan } from '../transaction-response.ts'

/** How the transaction is answered once it is stored. */
export type Answering =
  | { readonly transaction: 'ITI-65'; readonly plan: AnswerPlan }
  | { readonly transaction: 'ITI-105'; readonly warnings: readonly Issue[] }

export interface Job {
  /** UUID. */
  readonly id: string
  /** ISO 8601 instant of acceptance. */
  readonly at: string
  /** Who may ask about it. */
  readonly owner: string
  readonly context: RequestContext
  readonly baseUrl: string
  readonly answering: Answering
  readonly submission: Submission
  readonly targets: readonly (readonly [EntryUuid, UniqueId])[]
  readonly superseded: NonNullable<FeedOptions['superseded']>
  readonly places: readonly (readonly [EntryUuid, Place])[]
  readonly locations: readonly (readonly [EntryUuid, string])[]
  readonly documents: readonly StoredDocument[]
}

/** The bytes of a document, in a file of the job. */
export interface StoredDocument {
  readonly entryUuid: EntryUuid
  /** Name in the folder of the job. */
  readonly file: string
  readonly size: number
  readonly sha1: string
}

/** What became of it: an answer as it would have been given at once. */
export interface Result {
  readonly status: number
  readonly location?: string
  /** Of the reading and of the receipt, where the body has no place for them. */
  readonly warnings?: readonly Issue[]
  /** A resource, as JSON. */
  readonly body: object
}

export type JobState = { readonly state: 'queued' } | { readonly state: 'finished'; readonly result: Result }

/** The same person, structure and patient, however the token was made. */
export function ownerOf({ kind, person, structure, patient }: Caller): string {
  return JSON.stringify([kind, person?.id ?? null, structure?.id ?? null, patient ?? null])
}
