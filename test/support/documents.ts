/** Documents to feed: complete French metadata that fit their bytes and their patient. A test changes one field. */
import { randomUUID } from 'node:crypto'
import type { Dtm, UniqueId } from '../../src/metadata/identifiers.ts'
import type { Association, DocumentEntry, Submission, SubmissionSet } from '../../src/metadata/model.ts'
import {
  aDocumentEntry,
  anAssociation,
  aPatientId,
  aSubmission,
  aSubmissionSet,
  type Changes,
  sha1,
} from '../mothers/metadata.ts'
import type { TestPatient } from './people.ts'

/** A document with its metadata; hash and size are absent where the sender leaves them to the gateway. */
export interface TestDocument {
  readonly entry: DocumentEntry
  readonly bytes: Buffer
}

/**
 * A blood test of this patient, under identifiers of its own, by the professional 899700000001 of CH EXEMPLE. Every
 * attribute is one that both doors carry without extensions, times to the second.
 */
export function aDocument(
  { ins, authority }: TestPatient,
  changes: Changes<DocumentEntry> = {},
  bytes: Buffer = aText(),
): TestDocument {
  const patientId = aPatientId({ id: ins, assigningAuthority: { universalId: authority, universalIdType: 'ISO' } })
  const entry = aDocumentEntry({
    uniqueId: newOid(),
    patientId,
    sourcePatientId: patientId,
    sourcePatientInfo: [`PID-3|${ins}^^^&${authority}&ISO^NH`, 'PID-5|PATIENTE^Zoé^^^^^L', 'PID-7|20000229', 'PID-8|F'],
    creationTime: '20260512081530' as Dtm,
    serviceStartTime: '20260512070000' as Dtm,
    serviceStopTime: '20260512071000' as Dtm,
    hash: sha1(bytes),
    size: bytes.length,
    repositoryUniqueId: undefined,
    ...changes,
  })
  return { entry, bytes }
}

/** The submission of some documents, all of one patient; `related` adds associations to what is already stored. */
export function submissionOf(documents: readonly TestDocument[], related: readonly Association[] = []): Submission {
  const [first] = documents
  if (first === undefined) throw new RangeError('a submission has at least one document')
  const changes: Changes<SubmissionSet> = { patientId: first.entry.patientId, uniqueId: newOid() }
  return aSubmission(
    { entries: documents.map(({ entry }) => entry), submissionSet: aSubmissionSet(changes) },
    () => related,
  )
}

/** What replaces a stored document: the new one and its RPLC. */
export function replacementOf(target: Pick<DocumentEntry, 'entryUuid'>, by: TestDocument): Association {
  return anAssociation({ type: 'RPLC', source: by.entry.entryUuid, target: target.entryUuid })
}

/** A short text with something in it that no other document of this process has. */
export function aText(about = 'Bilan sanguin'): Buffer {
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<note xmlns="urn:exemple">${about} — ${randomUUID()}</note>\n`,
  )
}

/** An OID from a UUID (ITU-T X.667): nobody else has it. */
export function newOid(): UniqueId {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}` as UniqueId
}
