/** SubmissionSets and Folders: found by patient and criteria, or got by identifier; the newest first. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { compileFolderCriteria, compileSubmissionSetCriteria } from '../../metadata/criteria.ts'
import { isoToDtm } from '../../metadata/dtm.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { AvailabilityStatus, Folder, SubmissionSet } from '../../metadata/model.ts'
import type { Found, RegistryQuery } from '../../operations/ports.ts'
import { text } from './document-rows.ts'

type Find<K> = Extract<RegistryQuery, { readonly kind: K; readonly patient: unknown }>
type Get = Extract<RegistryQuery, { readonly by: 'uniqueId' | 'entryUuid' | 'logicalId' | 'any' }>

export interface PackageFinder {
  submissionSets(query: Find<'FindSubmissionSets'> | Get): Pick<Found, 'submissionSets' | 'updates'>
  folders(query: Find<'FindFolders'> | Get): Pick<Found, 'folders' | 'updates'>
}

interface Stored<T> {
  readonly object: T
  readonly updatedAt: string
}

const columns = 'o.json, o.status, o.updated_at'
const asked = 'SELECT value FROM json_each(?2)'
const isCurrent = `NOT EXISTS (SELECT 1 FROM object later WHERE later.logical_no = coalesce(o.logical_no, o.no)
  AND later.no > o.no)`

/** Versions of logical objects, the current ones or (?3) all; `firsts` gives the numbers of their first versions. */
const versionsOf = (firsts: string): string =>
  `WITH first AS MATERIALIZED (${firsts}),
   version AS (SELECT no FROM first UNION SELECT no FROM object WHERE logical_no IN (SELECT no FROM first))
   SELECT ${columns} FROM version v JOIN object o ON o.no = v.no WHERE o.kind = ?1 AND (?3 OR ${isCurrent})`

export function createPackageFinder(db: DatabaseSync): PackageFinder {
  const ofPatient = db.prepare(
    `SELECT ${columns} FROM patient p JOIN object o ON o.patient_no = p.no
     WHERE p.key = ?2 AND o.kind IN ('SubmissionSet', 'Folder') AND o.kind = ?1 AND (?3 OR ${isCurrent})
     AND o.status IN (SELECT value FROM json_each(?4))`,
  )
  const by = {
    entryUuid: db.prepare(`SELECT ${columns} FROM object o WHERE o.kind = ?1 AND o.uuid IN (${asked}) AND ?3 >= 0`),
    uniqueId: db.prepare(
      `SELECT ${columns} FROM object o WHERE o.kind = ?1 AND o.unique_id IN (${asked}) AND (?3 OR ${isCurrent})`,
    ),
    logicalId: db.prepare(versionsOf(`SELECT no FROM object WHERE uuid IN (${asked}) AND logical_no IS NULL`)),
    any: db.prepare(versionsOf(`SELECT coalesce(logical_no, no) AS no FROM object WHERE uuid IN (${asked})`)),
  }
  const logicalIds = db.prepare(
    `SELECT first.uuid FROM object o JOIN object first ON first.no = coalesce(o.logical_no, o.no)
     WHERE o.uuid IN (SELECT value FROM json_each(?1))`,
  )

  const stored = <T extends SubmissionSet | Folder>(
    kind: T['kind'],
    query: Find<'FindSubmissionSets' | 'FindFolders'> | Get,
  ): Stored<T>[] => {
    const all = 'allVersions' in query && query.allVersions === true ? 1 : 0
    const rows =
      'patient' in query
        ? ofPatient.all(kind, query.patient, all, JSON.stringify(query.statuses))
        : by[query.by].all(kind, JSON.stringify(query.ids), all)
    return rows.map(({ json, status, updated_at }) => ({
      object: read<T>(json, status),
      updatedAt: String(updated_at),
    }))
  }
  /** The current version has other entryUUIDs than those asked for: their logicalId is what they have in common. */
  const anyVersion = <T extends { readonly entryUuids?: readonly string[] }>(criteria: T): T => {
    if (criteria.entryUuids === undefined) return criteria
    const entryUuids = logicalIds.all(JSON.stringify(criteria.entryUuids)).map(({ uuid }) => String(uuid))
    return { ...criteria, entryUuids }
  }

  return {
    submissionSets(query) {
      const matches = 'patient' in query ? compileSubmissionSetCriteria(anyVersion(query.criteria)) : () => true
      const found = stored<SubmissionSet>('SubmissionSet', query).filter(({ object }) => matches(object))
      return {
        submissionSets: newestFirst(found, ({ object }) => object.submissionTime),
        updates: updatesOf(found),
      }
    },
    folders(query) {
      const matches = 'patient' in query ? compileFolderCriteria(anyVersion(query.criteria)) : () => true
      const found = stored<Folder>('Folder', query)
        // ITI TF-3 4.2.3.4: the registry sets lastUpdateTime whenever what the folder holds changes.
        .map(({ object, updatedAt }) => ({ object: { ...object, lastUpdateTime: isoToDtm(updatedAt) }, updatedAt }))
        .filter(({ object }) => matches(object))
      return { folders: newestFirst(found, ({ updatedAt }) => updatedAt), updates: updatesOf(found) }
    },
  }
}

function updatesOf(found: readonly Stored<SubmissionSet | Folder>[]): ReadonlyMap<EntryUuid, string> {
  return new Map(found.map(({ object, updatedAt }) => [object.entryUuid, updatedAt]))
}

function newestFirst<T extends SubmissionSet | Folder>(
  found: readonly Stored<T>[],
  timeOf: (stored: Stored<T>) => string,
): T[] {
  return [...found]
    .sort((a, b) => {
      const [first, second] = [timeOf(a), timeOf(b)]
      if (first !== second) return first < second ? 1 : -1
      return a.object.entryUuid < b.object.entryUuid ? -1 : 1
    })
    .map(({ object }) => object)
}

function read<T extends SubmissionSet | Folder>(
  json: SQLOutputValue | undefined,
  status: SQLOutputValue | undefined,
): T {
  return { ...(JSON.parse(text(json)) as T), availabilityStatus: status as AvailabilityStatus }
}
