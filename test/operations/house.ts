/** The middle over a real embedded DMP, for a test: operations as whoever a test likes, and the trace they leave. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Caller } from '../../src/access/caller.ts'
import { type Policy, strictPolicy } from '../../src/access/types.ts'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import type { EntryUuid, PatientKey } from '../../src/metadata/identifiers.ts'
import type { Submission } from '../../src/metadata/model.ts'
import { createOperations } from '../../src/operations/index.ts'
import type { FeedOptions, Findings, FindOptions, StoredQuery } from '../../src/operations/operations.ts'
import type { AccessRecord, MetadataUpdate, Receipt, RequestContext } from '../../src/operations/ports.ts'
import { contentsOf } from '../dmp/mothers.ts'
import { aHospital, aPatient, aPhysician, aTester, careTeam, informed, patient } from '../mothers/access.ts'
import { repositoryUniqueId } from '../mothers/metadata.ts'
import { accessesOf } from '../support/trace.ts'

export interface House {
  readonly operations: ReturnType<typeof createOperations>
  readonly embedded: EmbeddedDmp
  as(caller: Caller, changes?: Partial<RequestContext>): Asking
  /** Everything on record about the patient, the newest first. */
  trace(about?: PatientKey): Promise<readonly AccessRecord[]>
  close(): Promise<void>
}

/** The operations as one caller asks them. */
export interface Asking {
  readonly context: RequestContext
  /** Documents are `documentBytes` unless the entries are to be registered alone. */
  feed(submission: Submission, options?: FeedOptions): Promise<Receipt>
  find(query: StoredQuery, options?: FindOptions): Promise<Findings>
  update(change: Partial<MetadataUpdate>): Promise<Receipt>
}

/** The author of the documents of the metadata mothers, at their hospital, in the care team. */
export const theAuthor: Caller = aPhysician({ person: { id: '899700000001', name: 'EXEMPLE Anne' } })
/** Another physician of the care team. */
export const aColleague: Caller = aPhysician()
export const theHospital: Caller = aHospital()
export const thePatientThemself: Caller = aPatient()
export const theTester: Caller = aTester()

/** @param policy of the house; `profile` decides on what the DMP takes twice, too */
export async function openHouse(policy: Partial<Policy> = {}): Promise<House> {
  const directory = await mkdtemp(path.join(tmpdir(), 'operations-'))
  let time = Date.parse('2026-06-01T12:00:00.000Z')
  const clock = {
    now: () => {
      time += 1000
      return new Date(time)
    },
  }
  const settled = { ...strictPolicy, ...policy }
  const duplicates = settled.profile === 'ihe' ? 'same-hash' : 'refuse'
  const embedded = await openEmbeddedDmp({ directory, repositoryUniqueId, clock, duplicates })
  const { dmp, trace, choices } = embedded
  const operations = createOperations({ dmp, trace, choices, clock, policy: settled })
  const as = (caller: Caller, changes: Partial<RequestContext> = {}): Asking => {
    const context: RequestContext = {
      caller,
      purpose: 'normal',
      declaration: caller.kind === 'structure' ? informed : careTeam,
      door: 'xds',
      transaction: 'ITI-18',
      requestId: randomUUID(),
      ...changes,
    }
    return {
      context,
      feed: (submission, options = {}) =>
        operations.feed(submission, options.register ? new Map() : contentsOf(submission), context, options),
      find: (query, options) => operations.find(query, context, options),
      update: (change) =>
        operations.update({ patient, versions: [], statuses: [], associations: [], ...change }, context),
    }
  }
  await operations.open(patient, { given: [] }, as(settled.profile === 'ihe' ? theTester : theHospital).context)
  return {
    operations,
    embedded,
    as,
    trace: (about = patient) => accessesOf(trace, { patient: about }),
    async close() {
      await embedded.close()
      await rm(directory, { recursive: true })
    },
  }
}

export function ids(objects: readonly { readonly entryUuid: EntryUuid }[]): EntryUuid[] {
  return objects.map(({ entryUuid }) => entryUuid).sort()
}

/** What of everything that was found is there, by name: the names are the test's. */
export function named(found: Findings, names: Readonly<Record<string, { readonly entryUuid: EntryUuid }>>): string[] {
  const { documents, submissionSets, folders, associations } = found
  const there = new Set(ids([...documents, ...submissionSets, ...folders, ...associations]))
  return Object.entries(names).flatMap(([name, { entryUuid }]) => (there.has(entryUuid) ? [name] : []))
}
