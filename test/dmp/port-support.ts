/** What the rules of the port are written with: patients of their own, documents of theirs, and what is asked of them. */
import assert from 'node:assert/strict'
import type { DocumentFacts } from '../../src/access/types.ts'
import { type ErrorCode, GatewayError } from '../../src/errors.ts'
import type { DocumentCriteria } from '../../src/metadata/criteria.ts'
import type { EntryUuid } from '../../src/metadata/identifiers.ts'
import type { AvailabilityStatus, DocumentEntry, Submission } from '../../src/metadata/model.ts'
import type { AccessRecord, Demographics, Dmp, DocumentContent, Receipt } from '../../src/operations/ports.ts'
import type { Changes } from '../mothers/metadata.ts'
import { aDocument, submissionOf, type TestDocument } from '../support/documents.ts'
import { aPatient, type TestPatient } from '../support/people.ts'
import { aContent, anAccessRecord, aProfessionalCaller } from './mothers.ts'
import type { PortHarness, PortRules } from './port-suite.ts'

export const structureCaller = aProfessionalCaller({
  kind: 'structure',
  authentication: 'indirect',
  person: undefined,
  profession: undefined,
})

const general = { code: 'SM26', system: '1.2.250.1.71.4.2.5', display: 'Qualifié en Médecine Générale (SM)' }

/** The author of the documents, a general practitioner. */
export const author = aProfessionalCaller({ specialities: [general] })

/** Another general practitioner of the structure. */
export const colleague = aProfessionalCaller({
  person: { id: '899700000002', name: 'BENALI Karim' },
  specialities: [general],
})

export interface OpenedPort {
  readonly harness: PortHarness
  /** The port of the structure, which feeds: a new request each time. */
  readonly feeder: Dmp
  /** The port of the author of all documents, who consults: a new request each time. */
  readonly reader: Dmp
  /** A patient of one rule alone, whose open record the author may consult. */
  patient(demographics?: Demographics): Promise<TestPatient>
}

/** One DMP for the rules of a group. @returns a getter, valid inside rules */
export function opened({ open }: PortRules): () => OpenedPort {
  let port: OpenedPort
  before(async () => {
    const harness = await open()
    port = {
      harness,
      get feeder() {
        return harness.as({ caller: structureCaller, declaration: { informed: true } })
      },
      get reader() {
        return harness.as({ caller: author })
      },
      async patient(demographics) {
        const patient = aPatient()
        await harness.records.open(patient.key, demographics)
        await harness.records.authorise(patient.key, '899700000001')
        return patient
      },
    }
  })
  after(() => port.harness.dispose())
  return () => port
}

export const recordOf = (patient: TestPatient, changes: Changes<AccessRecord> = {}): AccessRecord =>
  anAccessRecord({
    operation: 'TD2.1',
    transaction: 'ITI-41',
    patient: patient.key,
    caller: structureCaller,
    ...changes,
  })

/** Feeds some documents as one submission, or the submission given. */
export async function feed(
  dmp: Dmp,
  patient: TestPatient,
  documents: readonly TestDocument[],
  submission: Submission = submissionOf(documents),
): Promise<Receipt> {
  const contents = new Map<EntryUuid, DocumentContent>(
    documents.map(({ entry, bytes }) => [entry.entryUuid, aContent(bytes)]),
  )
  return dmp.feed(submission, contents, recordOf(patient))
}

/** Feeds one document and gives it as the DMP has it. */
export async function fed(port: OpenedPort, patient: TestPatient, changes: Changes<DocumentEntry> = {}) {
  const document = aDocument(patient, changes)
  await feed(port.feeder, patient, [document])
  return { document, stored: await storedOf(port.reader, patient, document.entry.uniqueId) }
}

export async function found(
  dmp: Dmp,
  { key }: TestPatient,
  criteria: DocumentCriteria = {},
  statuses: readonly AvailabilityStatus[] = ['Approved'],
): Promise<readonly DocumentFacts[]> {
  return (await dmp.find({ kind: 'FindDocuments', patient: key, statuses, criteria })).documents
}

export const everyStatus: readonly AvailabilityStatus[] = ['Approved', 'Deprecated', 'Archived', 'Deleted']

/** What a search in the record of the patient gives for a uniqueId, whatever its status. */
export async function factsOf(dmp: Dmp, patient: TestPatient, uniqueId: string): Promise<DocumentFacts> {
  const facts = (await found(dmp, patient, {}, everyStatus)).find((each) => each.uniqueId === uniqueId)
  assert.ok(facts, 'the document is found')
  return facts
}

export async function storedOf(dmp: Dmp, patient: TestPatient, uniqueId: string): Promise<DocumentEntry> {
  const { entryUuid } = await factsOf(dmp, patient, uniqueId)
  const [entry] = await readAll(dmp, [entryUuid])
  assert.ok(entry, 'what is found can be read')
  return entry
}

export async function readAll(dmp: Dmp, ids: readonly EntryUuid[]): Promise<readonly DocumentEntry[]> {
  const entries: DocumentEntry[] = []
  for await (const entry of dmp.read(ids)) entries.push(entry)
  return entries
}

export async function bytesOf(content: DocumentContent | undefined): Promise<Buffer | undefined> {
  if (content === undefined) return undefined
  const chunks: Buffer[] = []
  for await (const chunk of content.stream()) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** An entry without what the registry gives it. */
export function carried({
  entryUuid: _entryUuid,
  logicalId: _logicalId,
  version: _version,
  availabilityStatus: _status,
  repositoryUniqueId: _repository,
  ...sent
}: DocumentEntry): object {
  return sent
}

/** An assertion on the code of a rejection, where the one who refuses may say it in one of several ways. */
export function refusedAsOneOf(...codes: readonly ErrorCode[]): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof GatewayError, String(error))
    assert.ok(codes.includes(error.code), `${error.code} is none of ${codes.join(', ')}`)
    return true
  }
}
