/** What a store is given besides metadata: callers, access records, contents. All invented. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Caller } from '../../src/access/caller.ts'
import type { DocumentFacts } from '../../src/access/types.ts'
import { type ErrorCode, GatewayError } from '../../src/errors.ts'
import type { DocumentCriteria } from '../../src/metadata/criteria.ts'
import { type EntryUuid, type PatientKey, patientKey } from '../../src/metadata/identifiers.ts'
import type { AvailabilityStatus, DocumentEntry, Submission } from '../../src/metadata/model.ts'
import type { AccessRecord, Dmp, DocumentContent, Receipt } from '../../src/operations/ports.ts'
import { type Changes, documentBytes, ins, insAuthority, sha1 } from '../mothers/metadata.ts'

export const thePatient: PatientKey = patientKey(insAuthority, ins)

/** Somebody else, for what must stay apart. */
export const otherPatient: PatientKey = patientKey(insAuthority, '260059999999998')

export function aProfessionalCaller(changes: Changes<Caller> = {}): Caller {
  return present<Caller>(
    {
      kind: 'professional',
      authentication: 'direct',
      person: { id: '899700000001', name: 'EXEMPLE Anne' },
      structure: { id: '1010099999', name: 'CH EXEMPLE' },
      profession: { code: '10', system: '1.2.250.1.71.1.2.7' },
      specialities: [],
      regulation: false,
      secretConnection: false,
      proof: 'jwt',
    },
    changes,
  )
}

/** A permitted TD3.2 of the patient of the metadata mothers, without documents or effects. */
export function anAccessRecord(changes: Changes<AccessRecord> = {}): AccessRecord {
  return present<AccessRecord>(
    {
      id: randomUUID(),
      at: new Date().toISOString(),
      operation: 'TD3.2',
      door: 'xds',
      transaction: 'ITI-43',
      requestId: randomUUID(),
      caller: aProfessionalCaller(),
      purpose: 'normal',
      declaration: { basis: 'care-team', informed: true, episode: '2026-E-118' },
      patient: thePatient,
      documents: [],
      outcome: 'permitted',
      effects: { notifications: [] },
    },
    changes,
  )
}

/** Bytes in memory, as the spool gives small ones. */
export function aContent(bytes: Buffer): DocumentContent {
  return { size: bytes.length, sha1: sha1(bytes), bytes, stream: () => Readable.from([bytes]) }
}

function present<T extends object>(valid: T, changes: Changes<T>): T {
  return Object.fromEntries(Object.entries({ ...valid, ...changes }).filter(([, value]) => value !== undefined)) as T
}

/** Feeds a submission; the documents of its entries are `documentBytes` unless given. */
export async function feed(
  dmp: Dmp,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent> = contentsOf(submission),
  record: AccessRecord = anAccessRecord({ operation: 'TD2.1', transaction: 'ITI-41' }),
): Promise<Receipt> {
  return dmp.feed(submission, contents, record)
}

export function contentsOf({ entries }: Submission, bytes: Buffer = documentBytes): Map<EntryUuid, DocumentContent> {
  return new Map(entries.map(({ entryUuid }) => [entryUuid, aContent(bytes)]))
}

/** An assertion on what a rejection carries: the codes of all issues. */
export function refused(...codes: readonly ErrorCode[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof GatewayError, String(error))
    assert.deepEqual(
      error.issues.map(({ code }) => code),
      codes,
    )
    return true
  }
}

export async function documentsOf(
  dmp: Dmp,
  criteria: DocumentCriteria = {},
  statuses: readonly AvailabilityStatus[] = ['Approved'],
  patient: PatientKey = thePatient,
): Promise<readonly DocumentFacts[]> {
  return (await dmp.find({ kind: 'FindDocuments', patient, statuses, criteria })).documents
}

export async function factsOf(dmp: Dmp, entryUuid: EntryUuid): Promise<DocumentFacts | undefined> {
  return (await dmp.find({ kind: 'GetDocuments', by: 'entryUuid', ids: [entryUuid] })).documents[0]
}

export async function entryOf(dmp: Dmp, entryUuid: EntryUuid): Promise<DocumentEntry> {
  const [entry] = await entriesOf(dmp, [entryUuid])
  assert.ok(entry, 'the entry is there')
  return entry
}

export async function entriesOf(dmp: Dmp, entryUuids: readonly EntryUuid[]): Promise<DocumentEntry[]> {
  const entries: DocumentEntry[] = []
  for await (const entry of dmp.read(entryUuids)) entries.push(entry)
  return entries
}
