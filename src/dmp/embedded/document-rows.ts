/** The rows of documents as reading uses them: facts for the guard, and the entry as far as a row can tell it. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { DocumentFacts } from '../../access/types.ts'
import type { Dtm, EntryUuid, PatientKey, UniqueId } from '../../metadata/identifiers.ts'
import type { AvailabilityStatus, Code, DocumentEntry } from '../../metadata/model.ts'

/** Of `document_entry e` and `patient p`, in the order that `factsOf` and `entryOf` read. */
export const columns = `e.entry_uuid, coalesce(e.logical_id, e.entry_uuid), e.version, e.unique_id, p.key, e.status,
  e.class_code, e.class_system, e.type_code, e.type_system, e.confidentiality, e.author_persons, e.deposited_by,
  e.feeding_structure, e.deposited_at, e.updated_at, e.created, e.on_demand, e.object_no, e.latest, e.revision`

/** Where the number of its object stands in a row, and whether it is the version in force. */
export const OBJECT_NO = 18
const LATEST = 19
const REVISION = 20

/** How an object `o` finds its row `e`. */
export const entryOfObject = 'e.patient_no = o.patient_no AND e.created = o.created AND e.entry_uuid = o.uuid'

export type Row = readonly SQLOutputValue[]

/** Rows as arrays: half the cost of objects, and a patient may have a thousand. */
export function rowsOf(db: DatabaseSync, sql: string): (...values: (string | number | null)[]) => readonly Row[] {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return (...values) => statement.all(...values) as unknown as readonly Row[]
}

/** The entry as far as criteria on the row look at it. */
export function entryOf(facts: DocumentFacts, row: Row): DocumentEntry {
  const [classSystem, typeSystem] = [row[7], row[9]]
  const { classCode, typeCode } = facts
  return {
    kind: 'DocumentEntry',
    entryUuid: facts.entryUuid,
    logicalId: facts.logicalId,
    version: facts.version,
    extra: [],
    uniqueId: facts.uniqueId,
    availabilityStatus: facts.availabilityStatus,
    stability: row[17] === 1 ? 'on-demand' : 'stable',
    limitedMetadata: false,
    patientId: { id: '' },
    sourcePatientInfo: [],
    authors: [],
    ...(classCode !== undefined && { classCode: { code: classCode, system: String(classSystem) } }),
    ...(typeCode !== undefined && { typeCode: { code: typeCode, system: String(typeSystem) } }),
    confidentialityCodes: codesOf(String(row[10])),
    eventCodes: [],
    ...(facts.creationTime !== undefined && { creationTime: facts.creationTime as Dtm }),
    mimeType: '',
    referenceIds: [],
  }
}

export function factsOf(row: Row): DocumentFacts {
  const [entryUuid, logicalId, version, uniqueId, patient, status, classCode, , typeCode, , confidentiality] = row
  const [persons, depositedBy, feedingStructure, depositedAt, updatedAt, created] = row.slice(11, 17)
  return {
    entryUuid: entryUuid as EntryUuid,
    logicalId: logicalId as EntryUuid,
    version: version as number,
    uniqueId: uniqueId as UniqueId,
    patient: patient as PatientKey,
    availabilityStatus: status as AvailabilityStatus,
    ...(row[LATEST] === 0 && { superseded: true }),
    ...(row[REVISION] !== 0 && { revision: row[REVISION] as number }),
    ...(classCode !== null && { classCode: classCode as string }),
    ...(typeCode !== null && { typeCode: typeCode as string }),
    confidentiality: codesOf(confidentiality as string).map(({ code }) => code),
    authorPersons: persons === '[]' ? [] : (JSON.parse(persons as string) as string[]),
    depositedBy: depositedBy as DocumentFacts['depositedBy'],
    ...(feedingStructure !== null && { feedingStructure: feedingStructure as string }),
    depositedAt: depositedAt as string,
    updatedAt: updatedAt as string,
    ...(created !== '' && { creationTime: created as string }),
  }
}

/** Few sets of codes are in use; the map is emptied before it grows with anything else. */
const knownCodes = new Map<string, readonly Code[]>()

function codesOf(json: string): readonly Code[] {
  let codes = knownCodes.get(json)
  if (codes === undefined) {
    codes = JSON.parse(json) as Code[]
    if (knownCodes.size >= 1000) knownCodes.clear()
    knownCodes.set(json, codes)
  }
  return codes
}

export function newestFirst(a: DocumentFacts, b: DocumentFacts): number {
  const [first, second] = [a.creationTime ?? '', b.creationTime ?? '']
  if (first !== second) return first < second ? 1 : -1
  return a.entryUuid < b.entryUuid ? -1 : a.entryUuid > b.entryUuid ? 1 : 0
}

/** The characters of a BLOB. */
export function text(value: SQLOutputValue | undefined): string {
  if (!(value instanceof Uint8Array)) throw new TypeError('a BLOB was expected')
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
}
