/** TD0.2: what is on record about a patient, as it bears on one caller. */
import type { DatabaseSync } from 'node:sqlite'
import type { Caller } from '../../access/caller.ts'
import { isMinor } from '../../access/minor.ts'
import type { AuthorisationStatus, RecordFacts } from '../../access/types.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Clock, Demographics } from '../../operations/ports.ts'
import { authorisationKey } from './authorisation.ts'
import { rowsOf } from './document-rows.ts'

export interface Records {
  status(patient: PatientKey, caller: Caller): RecordFacts | undefined
  demographics(patient: PatientKey): Demographics | undefined
}

/** One statement: what a request costs in reads is mostly the number of them. ?2 person, ?3 and ?4 structure. */
const statusSql = `SELECT p.demographics, p.closed_at, p.brain_death,
    coalesce(c.consultation_opposed, 0), coalesce(c.feed_opposed, 0), coalesce(c.break_glass_permitted, 1),
    coalesce(c.regulation_permitted, 1), coalesce(c.masked_in_emergency_permitted, 0), coalesce(c.mask_by_default, 0),
    coalesce(c.initial_consent, 0),
    EXISTS (SELECT 1 FROM blocked WHERE patient_no = p.no AND person = ?2),
    EXISTS (SELECT 1 FROM treating_physician WHERE patient_no = p.no AND person = ?2),
    (SELECT coalesce(until, '') FROM authorisation WHERE patient_no = p.no AND person = ?2),
    (SELECT coalesce(until, '') FROM authorisation WHERE patient_no = p.no AND person = ?3),
    (SELECT json_group_array(json_array(scope, episode)) FROM information WHERE patient_no = p.no AND structure = ?4)
  FROM patient p LEFT JOIN choices c ON c.patient_no = p.no WHERE p.key = ?1`

export function createRecords(db: DatabaseSync, clock: Clock): Records {
  const record = rowsOf(db, statusSql)
  const demographics = db.prepare('SELECT demographics FROM patient WHERE key = ?')

  return {
    status(patient, caller) {
      const person = caller.person?.id ?? null
      // S526 note 1: what staff asked for is given to the structure; a blocked person stays forbidden.
      const ofStructure = caller.structure === undefined ? null : authorisationKey({ structure: caller.structure.id })
      // A practitioner without a structure informs in their own name.
      const [row] = record(patient, person, ofStructure, caller.structure?.id ?? person)
      if (row === undefined) return undefined
      const [demographicsJson, closedAt, brainDeath, consultationOpposed, feedOpposed, breakGlass, regulation] = row
      const [maskedInEmergency, maskByDefault, initialConsent, blocked, treating] = row.slice(7)
      const [untilOfPerson, untilOfStructure, given] = row.slice(12)
      const now = clock.now()
      const informed = JSON.parse(String(given)) as readonly (readonly [scope: string, episode: string])[]
      const { birthDate } = JSON.parse(String(demographicsJson)) as Demographics
      const minor = isMinor(birthDate, now)
      return {
        patient,
        status: closedAt === null ? 'active' : 'closed',
        ...(closedAt !== null && { closedAt: String(closedAt) }),
        ...(minor !== undefined && { minor }),
        brainDeath: brainDeath === 1,
        choices: {
          consultationOpposed: consultationOpposed === 1,
          feedOpposed: feedOpposed === 1,
          breakGlassPermitted: breakGlass === 1,
          regulationPermitted: regulation === 1,
          maskedInEmergencyPermitted: maskedInEmergency === 1,
          maskByDefault: maskByDefault === 1,
        },
        blocked: blocked === 1,
        treatingPhysician: treating === 1,
        authorisation: strongest(
          authorisationStatus(blocked === 1, untilOfPerson, now),
          authorisationStatus(false, untilOfStructure, now),
        ),
        informedOfFeeding: informed.some(([scope]) => scope === 'feeding'),
        informedEpisodes: informed.flatMap(([scope, episode]) => (scope === 'consultation' ? [episode] : [])),
        initialConsent: initialConsent === 1,
      }
    },

    demographics(patient) {
      const row = demographics.get(patient)
      return row === undefined ? undefined : (JSON.parse(String(row.demographics)) as Demographics)
    },
  }
}

/** @param until '' for an authorisation without end, null or undefined for none */
function authorisationStatus(blocked: boolean, until: unknown, now: Date): AuthorisationStatus {
  if (blocked) return 'INTERDIT'
  if (typeof until !== 'string') return 'NON_EXISTE'
  return until === '' || until > now.toISOString() ? 'VALIDE' : 'EXPIRE'
}

const order: readonly AuthorisationStatus[] = ['INTERDIT', 'VALIDE', 'EXPIRE', 'NON_EXISTE']

function strongest(...statuses: readonly AuthorisationStatus[]): AuthorisationStatus {
  return order.find((status) => statuses.includes(status)) ?? 'NON_EXISTE'
}
