/**
 * ITI-62 and ITI-86 inside the transaction of a batch. They exist in conformance mode only: the DMP never deletes
 * physically. All or nothing.
 */
import type { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, GatewayError, type Issue } from '../../errors.ts'
import type { RemoveCommand } from './commands.ts'

/** Gives what removes; that gives the names of files that are no longer anybody's, to be removed after the commit. */
export function createRemove(db: DatabaseSync): (command: RemoveCommand) => () => readonly string[] {
  const objects = createObjectRemoval(db)
  const contents = createContentRemoval(db)
  return (command) => {
    const ids = JSON.stringify([...new Set(command.ids)])
    return command.what === 'objects' ? objects(ids) : contents(ids)
  }
}

const asked = 'SELECT value FROM json_each(?1)'
const removed = `SELECT no FROM object WHERE uuid IN (${asked})`

function createObjectRemoval(db: DatabaseSync): (ids: string) => () => readonly string[] {
  const unknown = db.prepare(
    `SELECT value AS uuid FROM json_each(?1) WHERE value NOT IN (SELECT uuid FROM object WHERE uuid IN (${asked}))`,
  )
  // Associations that would be left with one end, and versions that would be left without the others.
  const referring = db.prepare(
    `WITH gone AS MATERIALIZED (${removed})
     SELECT o.uuid FROM object o WHERE o.no NOT IN (SELECT no FROM gone) AND (
       o.no IN (SELECT no FROM association WHERE source_no IN (SELECT no FROM gone)
         UNION SELECT no FROM association WHERE target_no IN (SELECT no FROM gone))
       OR o.no IN (SELECT logical_no FROM object WHERE no IN (SELECT no FROM gone))
       OR o.logical_no IN (SELECT coalesce(logical_no, no) FROM object WHERE no IN (SELECT no FROM gone)))`,
  )
  // An entry or folder that no SubmissionSet would hold any more, and a SubmissionSet that would hold nothing.
  const unreferenced = db.prepare(
    `WITH gone AS MATERIALIZED (${removed}),
     parted AS (SELECT target_no AS no FROM association WHERE no IN (SELECT no FROM gone) AND type = 'HasMember'
       UNION SELECT source_no FROM association WHERE no IN (SELECT no FROM gone) AND type = 'HasMember')
     SELECT o.uuid FROM parted p JOIN object o ON o.no = p.no WHERE o.no NOT IN (SELECT no FROM gone) AND CASE o.kind
       WHEN 'SubmissionSet' THEN NOT EXISTS (SELECT 1 FROM association a WHERE a.source_no = o.no
         AND a.type = 'HasMember' AND a.no NOT IN (SELECT no FROM gone))
       WHEN 'Association' THEN 0
       ELSE NOT EXISTS (SELECT 1 FROM association a JOIN object s ON s.no = a.source_no WHERE a.target_no = o.no
         AND a.type = 'HasMember' AND s.kind = 'SubmissionSet' AND a.no NOT IN (SELECT no FROM gone)) END`,
  )
  const row = `(patient_no, created, entry_uuid) IN (SELECT patient_no, created, uuid FROM object WHERE uuid IN (${asked}))`
  const held = db.prepare(
    `SELECT DISTINCT content_no AS no FROM document_entry WHERE ${row} AND content_no IS NOT NULL`,
  )
  const entries = db.prepare(`DELETE FROM document_entry WHERE ${row}`)
  const associations = db.prepare(`DELETE FROM association WHERE no IN (${removed})`)
  const objects = db.prepare(`DELETE FROM object WHERE uuid IN (${asked})`)
  const dropContents = createContentDrop(db)

  return (ids) => {
    const issues = [
      ...issuesOf('UnresolvedReferenceException', unknown.all(ids), 'Nothing is registered under this id.'),
      ...issuesOf(
        'ReferencesExistException',
        referring.all(ids),
        'This object refers to one to be removed, or is a version of it: name it in the same request.',
      ),
    ]
    // What would be left over is only a question once nothing refers to what goes.
    if (issues.length === 0)
      issues.push(
        ...issuesOf(
          'XDSUnreferencedObjectException',
          unreferenced.all(ids),
          'It would be left without a SubmissionSet, or a SubmissionSet without content: name it in the same request.',
        ),
      )
    if (issues.length > 0) throw new GatewayError(issues)
    // All versions of an entry go together, so that its bytes are nobody else's.
    return () => {
      const contents = held.all(ids).map(({ no }) => Number(no))
      for (const statement of [entries, associations, objects]) statement.run(ids)
      return dropContents(contents)
    }
  }
}

function createContentRemoval(db: DatabaseSync): (ids: string) => () => readonly string[] {
  const contentOf = db.prepare(
    `SELECT v.value AS uuid, e.content_no AS no FROM json_each(?1) v LEFT JOIN object o ON o.uuid = v.value
     LEFT JOIN document_entry e ON e.patient_no = o.patient_no AND e.created = o.created AND e.entry_uuid = o.uuid`,
  )
  const forget = db.prepare(
    `UPDATE document_entry SET content_no = NULL WHERE (patient_no, created, entry_uuid) IN (
       SELECT o.patient_no, o.created, o.uuid FROM object asked JOIN object o
       ON coalesce(o.logical_no, o.no) = coalesce(asked.logical_no, asked.no) WHERE asked.uuid IN (${asked}))`,
  )
  const dropContents = createContentDrop(db)
  return (ids) => {
    const found = contentOf.all(ids)
    const missing = found.filter(({ no }) => no === null)
    const issues = issuesOf('XDSDocumentUniqueIdError', missing, 'No document is stored under this entry.')
    if (issues.length > 0) throw new GatewayError(issues)
    return () => {
      forget.run(ids)
      return dropContents([...new Set(found.map(({ no }) => Number(no)))])
    }
  }
}

function createContentDrop(db: DatabaseSync): (contents: readonly number[]) => readonly string[] {
  const file = db.prepare('SELECT file FROM content WHERE no = ?')
  const drop = db.prepare('DELETE FROM content WHERE no = ?')
  return (contents) =>
    contents.flatMap((no) => {
      const name = file.get(no)?.file
      drop.run(no)
      return typeof name === 'string' ? [name] : []
    })
}

function issuesOf(code: ErrorCode, rows: readonly Record<string, unknown>[], detail: string): Issue[] {
  return rows.map(({ uuid }) => ({ code, location: String(uuid), detail }))
}
