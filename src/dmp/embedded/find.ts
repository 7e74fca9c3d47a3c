/**
 * TD3.1: stored queries. FindDocuments walks the rows of one patient, which lie together in the order of the answer and
 * hold what the guard must know; entries are loaded only for criteria that the rows cannot tell.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { DocumentFacts } from '../../access/types.ts'
import { compileCriteria, type DocumentCriteria } from '../../metadata/criteria.ts'
import type { Dtm, EntryUuid, PatientKey, UniqueId } from '../../metadata/identifiers.ts'
import type { Association, AvailabilityStatus, Code, DocumentEntry } from '../../metadata/model.ts'
import type { Found, StoredQuery } from '../../operations/ports.ts'
import type { StoredContent } from './content.ts'

export interface Finder {
  find(query: StoredQuery): Found
  /** Full entries in the order of the ids; ids without an entry are left out. */
  load(entryUuids: readonly EntryUuid[]): DocumentEntry[]
  /** Where the bytes of an entry are; any version of it. */
  content(entryUuid: EntryUuid): StoredContent | undefined
}

const columns = `e.entry_uuid, coalesce(e.logical_id, e.entry_uuid), e.version, e.unique_id, p.key, e.status, e.class_code,
  e.class_system, e.type_code, e.type_system, e.confidentiality, e.author_persons, e.deposited_by, e.feeding_structure,
  e.deposited_at, e.updated_at, e.created, e.on_demand, e.object_no`
const entryOfObject = 'e.patient_no = o.patient_no AND e.created = o.created AND e.entry_uuid = o.uuid'
const asked = 'SELECT value FROM json_each(?1)'

/** The current versions of logical objects; `firsts` gives the numbers of their first versions. */
const current = (firsts: string): string =>
  `WITH first AS MATERIALIZED (${firsts}),
   version AS (SELECT no FROM first UNION SELECT no FROM object WHERE logical_no IN (SELECT no FROM first))
   SELECT ${columns} FROM version v JOIN object o ON o.no = v.no JOIN document_entry e ON ${entryOfObject}
   JOIN patient p ON p.no = o.patient_no WHERE e.latest = 1`

const sql = {
  ofPatient: `SELECT ${columns} FROM document_entry e JOIN patient p ON p.no = e.patient_no
    WHERE e.patient_no = ?1 AND e.latest = 1
    AND (?2 IS NULL OR e.status IN (SELECT value FROM json_each(?2)))
    AND (?3 IS NULL OR e.type_code IN (SELECT value FROM json_each(?3)))
    ORDER BY e.created DESC, e.entry_uuid`,
  entryUuid: `SELECT ${columns} FROM object o JOIN document_entry e ON ${entryOfObject}
    JOIN patient p ON p.no = o.patient_no WHERE o.uuid IN (${asked})`,
  uniqueId: `SELECT ${columns} FROM object o JOIN document_entry e ON ${entryOfObject}
    JOIN patient p ON p.no = o.patient_no WHERE o.unique_id IN (${asked}) AND e.latest = 1`,
  logicalId: current(`SELECT no FROM object WHERE uuid IN (${asked}) AND logical_no IS NULL`),
  any: current(`SELECT coalesce(logical_no, no) AS no FROM object WHERE uuid IN (${asked})`),
  /** logicalIds of entryUUIDs of any version. */
  logicalIds: `SELECT first.uuid FROM object o JOIN object first ON first.no = coalesce(o.logical_no, o.no)
    WHERE o.uuid IN (${asked})`,
  associations: `WITH end AS MATERIALIZED (SELECT no FROM object WHERE uuid IN (${asked})),
    touching AS (SELECT no FROM association WHERE source_no IN (SELECT no FROM end)
      UNION SELECT no FROM association WHERE target_no IN (SELECT no FROM end))
    SELECT a.status, o.json FROM touching t JOIN association a ON a.no = t.no JOIN object o ON o.no = t.no ORDER BY t.no`,
  entry: `SELECT e.status, e.content_no, o.json FROM object o JOIN document_entry e ON ${entryOfObject} WHERE o.uuid = ?`,
}

export function createFinder(db: DatabaseSync): Finder {
  const patient = db.prepare('SELECT no FROM patient WHERE key = ?')
  const ofPatient = rows(db, sql.ofPatient)
  const by = {
    entryUuid: rows(db, sql.entryUuid),
    uniqueId: rows(db, sql.uniqueId),
    logicalId: rows(db, sql.logicalId),
    any: rows(db, sql.any),
  }
  const logical = db.prepare(sql.logicalIds)
  const associations = db.prepare(sql.associations)
  const json = db.prepare('SELECT json FROM object WHERE no = ?')
  const entry = db.prepare(sql.entry)
  const content = db.prepare('SELECT sha1, size, bytes, file FROM content WHERE no = ?')

  const load = (stored: SQLOutputValue | undefined, status: SQLOutputValue | undefined): DocumentEntry => ({
    ...(JSON.parse(text(stored)) as DocumentEntry),
    availabilityStatus: status as AvailabilityStatus,
  })

  const findDocuments = (query: Extract<StoredQuery, { kind: 'FindDocuments' }>): DocumentFacts[] => {
    const no = patient.get(query.patient)?.no
    if (typeof no !== 'number') return []
    const criteria = anyVersion(query.criteria, (ids) =>
      logical.all(JSON.stringify(ids)).map(({ uuid }) => String(uuid)),
    )
    const { inRow, inEntry } = split(criteria)
    const rowMatches = inRow === undefined ? undefined : compileCriteria(inRow)
    const entryMatches = inEntry === undefined ? undefined : compileCriteria(inEntry)
    const found: DocumentFacts[] = []
    for (const row of ofPatient(no, JSON.stringify(query.statuses), typeCodes(criteria))) {
      const facts = factsOf(row)
      if (rowMatches !== undefined && !rowMatches(entryOf(facts, row))) continue
      if (entryMatches !== undefined && !entryMatches(load(json.get(row[18] ?? null)?.json, row[5]))) continue
      found.push(facts)
    }
    return found
  }

  return {
    find(query) {
      const found: Found = { documents: [], submissionSets: [], folders: [], associations: [] }
      switch (query.kind) {
        case 'FindDocuments':
          return { ...found, documents: findDocuments(query) }
        case 'GetDocuments':
          return { ...found, documents: by[query.by](JSON.stringify(query.ids)).map(factsOf).sort(newestFirst) }
        case 'GetAssociations':
          return {
            ...found,
            associations: associations.all(JSON.stringify(query.ids)).map((row) => ({
              ...(JSON.parse(text(row.json)) as Association),
              availabilityStatus: row.status as AvailabilityStatus,
            })),
          }
      }
    },

    load: (entryUuids) =>
      entryUuids.flatMap((id) => {
        const row = entry.get(id)
        return row === undefined ? [] : [load(row.json, row.status)]
      }),

    content(entryUuid) {
      const no = entry.get(entryUuid)?.content_no
      const row = typeof no === 'number' ? content.get(no) : undefined
      if (row === undefined) return undefined
      const { bytes, file } = row
      return {
        sha1: String(row.sha1),
        size: Number(row.size),
        bytes: bytes instanceof Uint8Array ? bytes : undefined,
        file: typeof file === 'string' ? file : undefined,
      }
    },
  }
}

type Row = readonly SQLOutputValue[]

/** Rows as arrays: half the cost of objects, and a patient may have a thousand. */
function rows(db: DatabaseSync, sql: string): (...values: (string | number | null)[]) => readonly Row[] {
  const statement = db.prepare(sql)
  statement.setReturnArrays(true)
  return (...values) => statement.all(...values) as unknown as readonly Row[]
}

/** What the row of a document can tell without its entry; the rest of the criteria needs the entry. */
function split(criteria: DocumentCriteria): {
  readonly inRow: DocumentCriteria | undefined
  readonly inEntry: DocumentCriteria | undefined
} {
  const { classCodes, typeCodes, confidentialityCodes, creationTime, uniqueIds, entryUuids, stability, ...inEntry } =
    criteria
  const asked = { classCodes, typeCodes, confidentialityCodes, creationTime, uniqueIds, entryUuids, stability }
  const inRow = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
  const some = (part: DocumentCriteria): DocumentCriteria | undefined =>
    Object.values(part).some((value) => value !== undefined) ? part : undefined
  return { inRow: some(inRow), inEntry: some(inEntry) }
}

/** entryUuids name any version, the row holds the current one: its logicalId is what they have in common. */
function anyVersion(
  criteria: DocumentCriteria,
  logicalIdsOf: (ids: readonly string[]) => readonly string[],
): DocumentCriteria {
  return criteria.entryUuids === undefined ? criteria : { ...criteria, entryUuids: logicalIdsOf(criteria.entryUuids) }
}

/** The codes asked for, as a first sieve inside the database; null where a match may have any code. */
function typeCodes({ typeCodes: asked }: DocumentCriteria): string | null {
  const codes = asked?.map(({ code }) => code)
  return codes === undefined || codes.includes(undefined) ? null : JSON.stringify(codes)
}

/** The entry as far as criteria on the row look at it. */
function entryOf(facts: DocumentFacts, row: Row): DocumentEntry {
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

function factsOf(row: Row): DocumentFacts {
  const [entryUuid, logicalId, version, uniqueId, patient, status, classCode, , typeCode, , confidentiality] = row
  const [persons, depositedBy, feedingStructure, depositedAt, updatedAt, created] = row.slice(11, 17)
  return {
    entryUuid: entryUuid as EntryUuid,
    logicalId: logicalId as EntryUuid,
    version: version as number,
    uniqueId: uniqueId as UniqueId,
    patient: patient as PatientKey,
    availabilityStatus: status as AvailabilityStatus,
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

function newestFirst(a: DocumentFacts, b: DocumentFacts): number {
  const [first, second] = [a.creationTime ?? '', b.creationTime ?? '']
  if (first !== second) return first < second ? 1 : -1
  return a.entryUuid < b.entryUuid ? -1 : a.entryUuid > b.entryUuid ? 1 : 0
}

function text(value: SQLOutputValue | undefined): string {
  if (!(value instanceof Uint8Array)) throw new TypeError('a BLOB was expected')
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString()
}
