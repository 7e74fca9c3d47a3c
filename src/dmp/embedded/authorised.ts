/** TD0.4: the open records that a person, or a structure, is authorised to consult now. */
import type { DatabaseSync } from 'node:sqlite'
import type { Caller } from '../../access/caller.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { AuthorisedList, AuthorisedQuery, Clock, Demographics } from '../../operations/ports.ts'
import { authorisationKey } from './authorisation.ts'

/** The authorisations of one holder, newest first; the table itself goes by patient. */
export const authorisedIndex = 'CREATE INDEX IF NOT EXISTS authorisation_holder ON authorisation (person, at);'

/** Rows looked at: more than an answer may have, so that too many are seen to be too many. */
const most = 10_000

/**
 * Not closed, not ended, the caller not blocked. By document it gives each record into which any document came or in
 * which one changed: which of them the caller may see is not known here.
 */
export function createAuthorised(
  db: DatabaseSync,
  clock: Clock,
): (query: AuthorisedQuery, caller: Caller) => AuthorisedList {
  const open = `FROM authorisation a JOIN patient p ON p.no = a.patient_no
    WHERE a.person = ?1 AND p.closed_at IS NULL AND (a.until IS NULL OR a.until > ?3)
    AND NOT EXISTS (SELECT 1 FROM blocked b WHERE b.patient_no = p.no AND b.person = ?4)`
  const rows = {
    authorisation: db.prepare(
      `SELECT p.key, p.demographics ${open} AND a.at >= ?2 ORDER BY a.at DESC, p.no LIMIT ${most}`,
    ),
    document: db.prepare(
      `SELECT p.key, p.demographics ${open} AND EXISTS (SELECT 1 FROM document_entry d WHERE d.patient_no = p.no
       AND d.deposited_at >= ?2) ORDER BY a.at DESC, p.no LIMIT ${most}`,
    ),
  }
  return ({ holder, by, since }, caller) => ({
    records: rows[by]
      .all(authorisationKey(holder), since, clock.now().toISOString(), caller.person?.id ?? '')
      .map(({ key, demographics }) => ({
        patient: String(key) as PatientKey,
        demographics: JSON.parse(String(demographics)) as Demographics,
        treatingPhysician: false,
      })),
    judged: false,
    unidentified: 0,
  })
}
