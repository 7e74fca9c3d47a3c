/**
 * TD3.1: what the registry answers. FindDocuments walks the rows of one patient, which lie together in the order of the
 * answer and hold what the guard must know; entries are loaded only for criteria that the rows cannot tell.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { DocumentFacts } from '../../access/types.ts'
import { compileCriteria, type DocumentCriteria } from '../../metadata/criteria.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { Association, AvailabilityStatus, DocumentEntry } from '../../metadata/model.ts'
import type { Found, RegistryQuery } from '../../operations/ports.ts'
import type { StoredContent } from './content.ts'
import {
  columns,
  entryOf,
  entryOfObject,
  factsOf,
  newestFirst,
  OBJECT_NO,
  type Row,
  rowsOf,
  text,
} from './document-rows.ts'
import { createPackageFinder } from './find-packages.ts'

export interface Finder {
  find(query: RegistryQuery): Found
  /** Full entries in the order of the ids; ids without an entry are left out. */
  load(entryUuids: readonly EntryUuid[]): DocumentEntry[]
  /** Every version of a document, newest first. */
  versions(logicalId: EntryUuid): DocumentEntry[]
  /** Where the bytes of an entry are; any version of it. */
  content(entryUuid: EntryUuid): StoredContent | undefined
}

/** Objects by their ids, with every version or the current one. */
type Named = Extract<RegistryQuery, { readonly kind: 'GetDocuments' | 'GetSubmissionSets' | 'GetFolders' }>

const asked = 'SELECT value FROM json_each(?1)'
const documents = `object o JOIN document_entry e ON ${entryOfObject} JOIN patient p ON p.no = o.patient_no`

/** Versions of logical objects, the current one or (?2) all; `firsts` gives the numbers of their first versions. */
const versionsOf = (firsts: string): string =>
  `WITH first AS MATERIALIZED (${firsts}),
   version AS (SELECT no FROM first UNION SELECT no FROM object WHERE logical_no IN (SELECT no FROM first))
   SELECT ${columns} FROM version v JOIN object o ON o.no = v.no JOIN document_entry e ON ${entryOfObject}
   JOIN patient p ON p.no = o.patient_no WHERE (e.latest = 1 OR ?2)`

const sql = {
  ofPatient: `SELECT ${columns} FROM document_entry e JOIN patient p ON p.no = e.patient_no
    WHERE e.patient_no = ?1 AND (e.latest = 1 OR ?2)
    AND (?3 IS NULL OR e.status IN (SELECT value FROM json_each(?3)))
    AND (?4 IS NULL OR e.type_code IN (SELECT value FROM json_each(?4)))
    ORDER BY e.created DESC, e.entry_uuid`,
  entryUuid: `SELECT ${columns} FROM ${documents} WHERE o.uuid IN (${asked}) AND ?2 IS NOT NULL`,
  uniqueId: `SELECT ${columns} FROM ${documents} WHERE o.unique_id IN (${asked}) AND (e.latest = 1 OR ?2)`,
  logicalId: versionsOf(`SELECT no FROM object WHERE uuid IN (${asked}) AND logical_no IS NULL`),
  any: versionsOf(`SELECT coalesce(logical_no, no) AS no FROM object WHERE uuid IN (${asked})`),
  /** A document whose first version is the current one, by the entryUUID of any: nearly always. */
  firstIsCurrent: `SELECT ${columns} FROM object any JOIN object o ON o.no = coalesce(any.logical_no, any.no)
    JOIN document_entry e ON ${entryOfObject} JOIN patient p ON p.no = o.patient_no
    WHERE any.uuid = ? AND e.latest = 1`,
  /** logicalIds of entryUUIDs of any version. */
  logicalIds: `SELECT first.uuid FROM object o JOIN object first ON first.no = coalesce(o.logical_no, o.no)
    WHERE o.uuid IN (${asked})`,
  associations: `WITH ends AS MATERIALIZED (SELECT no FROM object WHERE uuid IN (${asked})),
    touching AS (SELECT no FROM association WHERE source_no IN (SELECT no FROM ends)
      UNION SELECT no FROM association WHERE target_no IN (SELECT no FROM ends))
    SELECT o.status, o.json FROM touching t JOIN association a ON a.no = t.no JOIN object o ON o.no = t.no
    WHERE (?2 IS NULL OR o.status IN (SELECT value FROM json_each(?2))) AND (a.current = 1 OR ?3) ORDER BY t.no`,
  associationsByUuid: `SELECT o.status, o.json FROM object o JOIN association a ON a.no = o.no WHERE o.uuid IN (${asked})
    AND (?2 IS NULL OR o.status IN (SELECT value FROM json_each(?2))) AND (a.current = 1 OR ?3) ORDER BY o.no`,
  entry: `SELECT e.status, o.json FROM object o JOIN document_entry e ON ${entryOfObject} WHERE o.uuid = ?`,
  content: `SELECT c.sha1, c.size, c.bytes, c.file FROM object o JOIN document_entry e ON ${entryOfObject}
    JOIN content c ON c.no = e.content_no WHERE o.uuid = ?`,
  versions: `SELECT e.status, o.json FROM object first JOIN object o ON o.no = first.no OR o.logical_no = first.no
    JOIN document_entry e ON ${entryOfObject} WHERE first.uuid = ? AND first.logical_no IS NULL ORDER BY o.version DESC`,
}

export function createFinder(db: DatabaseSync): Finder {
  const patient = db.prepare('SELECT no FROM patient WHERE key = ?')
  const ofPatient = rowsOf(db, sql.ofPatient)
  const by = {
    entryUuid: rowsOf(db, sql.entryUuid),
    uniqueId: rowsOf(db, sql.uniqueId),
    logicalId: rowsOf(db, sql.logicalId),
    any: rowsOf(db, sql.any),
  }
  const firstIsCurrent = rowsOf(db, sql.firstIsCurrent)
  const logical = db.prepare(sql.logicalIds)
  const associations = { end: db.prepare(sql.associations), entryUuid: db.prepare(sql.associationsByUuid) }
  const json = db.prepare('SELECT json FROM object WHERE no = ?')
  const entry = db.prepare(sql.entry)
  const versions = db.prepare(sql.versions)
  const content = db.prepare(sql.content)
  const packages = createPackageFinder(db)

  const findDocuments = (query: Extract<RegistryQuery, { kind: 'FindDocuments' }>): DocumentFacts[] => {
    const no = patient.get(query.patient)?.no
    if (typeof no !== 'number') return []
    const criteria = anyVersion(query.criteria, (ids) =>
      logical.all(JSON.stringify(ids)).map(({ uuid }) => String(uuid)),
    )
    const { inRow, inEntry } = split(criteria)
    const rowMatches = inRow === undefined ? undefined : compileCriteria(inRow)
    const entryMatches = inEntry === undefined ? undefined : compileCriteria(inEntry)
    const all = query.allVersions === true ? 1 : 0
    const found: DocumentFacts[] = []
    for (const row of ofPatient(no, all, JSON.stringify(query.statuses), typeCodes(criteria))) {
      const facts = factsOf(row)
      if (rowMatches !== undefined && !rowMatches(entryOf(facts, row))) continue
      if (entryMatches !== undefined && !entryMatches(read(json.get(row[OBJECT_NO] ?? null)?.json, row[5]))) continue
      found.push(facts)
    }
    return found
  }

  const getDocuments = ({ by: which, ids, allVersions = false }: Named): readonly Row[] => {
    const [id, ...more] = ids
    if (which === 'any' && !allVersions && id !== undefined && more.length === 0) {
      const rows = firstIsCurrent(id)
      if (rows.length > 0) return rows
    }
    return by[which](JSON.stringify(ids), allVersions ? 1 : 0)
  }

  return {
    find(query) {
      const found: Found = { documents: [], submissionSets: [], folders: [], associations: [] }
      switch (query.kind) {
        case 'FindDocuments':
          return { ...found, documents: findDocuments(query) }
        case 'GetDocuments':
          return { ...found, documents: getDocuments(query).map(factsOf).sort(newestFirst) }
        case 'FindSubmissionSets':
        case 'GetSubmissionSets':
          return { ...found, ...packages.submissionSets(query) }
        case 'FindFolders':
        case 'GetFolders':
          return { ...found, ...packages.folders(query) }
        case 'GetAssociations': {
          const statuses = query.statuses === undefined ? null : JSON.stringify(query.statuses)
          const all = query.allVersions === true ? 1 : 0
          const rows = associations[query.by ?? 'end'].all(JSON.stringify(query.ids), statuses, all)
          return { ...found, associations: rows.map(({ json, status }) => read<Association>(json, status)) }
        }
      }
    },

    load: (entryUuids) =>
      entryUuids.flatMap((id) => {
        const row = entry.get(id)
        return row === undefined ? [] : [read<DocumentEntry>(row.json, row.status)]
      }),

    versions: (logicalId) => versions.all(logicalId).map(({ json, status }) => read<DocumentEntry>(json, status)),

    content(entryUuid) {
      const row = content.get(entryUuid)
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

/** An object as it was stored, with its status of now. */
function read<T extends DocumentEntry | Association = DocumentEntry>(
  json: SQLOutputValue | undefined,
  status: SQLOutputValue | undefined,
): T {
  return { ...(JSON.parse(text(json)) as T), availabilityStatus: status as AvailabilityStatus }
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
