/** TD0.2: what is on record about a patient, as it bears on one caller. */
import type { DatabaseSync } from 'node:sqlite'
import type { Caller } from '../../access/caller.ts'
import type { AuthorisationStatus, RecordFacts } from '../../access/types.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Clock, Demographics } from '../../operations/ports.ts'
import { authorisationKey } from './authorisation.ts'

export interface Records {
  status(patient: PatientKey, caller: Caller): RecordFacts | undefined
  demographics(patient: PatientKey): Demographics | undefined
}

export function createRecords(db: DatabaseSync, clock: Clock): Records {
  const record = db.prepare(
    `SELECT p.no, p.demographics, p.closed_at, p.brain_death,
       coalesce(c.consultation_opposed, 0) AS consultationOpposed, coalesce(c.feed_opposed, 0) AS feedOpposed,
       coalesce(c.break_glass_permitted, 1) AS breakGlassPermitted,
       coalesce(c.regulation_permitted, 1) AS regulationPermitted,
       coalesce(c.masked_in_emergency_permitted, 0) AS maskedInEmergencyPermitted,
       coalesce(c.mask_by_default, 0) AS maskByDefault, coalesce(c.initial_consent, 0) AS initialConsent
     FROM patient p LEFT JOIN choices c ON c.patient_no = p.no WHERE p.key = ?`,
  )
  const about = db.prepare(
    `SELECT EXISTS (SELECT 1 FROM blocked WHERE patient_no = ?1 AND person = ?2) AS blocked,
       EXISTS (SELECT 1 FROM treating_physician WHERE patient_no = ?1 AND person = ?2) AS treating,
       (SELECT coalesce(until, '') FROM authorisation WHERE patient_no = ?1 AND person = ?2) AS until`,
  )
  const ofStructure = db.prepare(
    `SELECT coalesce(until, '') AS until FROM authorisation WHERE patient_no = ? AND person = ?`,
  )
  const given = db.prepare('SELECT scope, episode FROM information WHERE patient_no = ? AND structure = ?')
  const demographics = db.prepare('SELECT demographics FROM patient WHERE key = ?')

  return {
    status(patient, caller) {
      const row = record.get(patient)
      if (row === undefined) return undefined
      const no = Number(row.no)
      const now = clock.now()
      const person = caller.person?.id
      const { blocked, treating, until } = (person === undefined ? undefined : about.get(no, person)) ?? {}
      // A practitioner without a structure informs in their own name.
      const structure = caller.structure?.id ?? person
      const informed = structure === undefined ? [] : given.all(no, structure)
      const { birthDate } = JSON.parse(String(row.demographics)) as Demographics
      const minor = birthDate === undefined ? undefined : isMinor(birthDate, now)
      return {
        patient,
        status: row.closed_at === null ? 'active' : 'closed',
        ...(row.closed_at !== null && { closedAt: String(row.closed_at) }),
        ...(minor !== undefined && { minor }),
        brainDeath: row.brain_death === 1,
        choices: {
          consultationOpposed: row.consultationOpposed === 1,
          feedOpposed: row.feedOpposed === 1,
          breakGlassPermitted: row.breakGlassPermitted === 1,
          regulationPermitted: row.regulationPermitted === 1,
          maskedInEmergencyPermitted: row.maskedInEmergencyPermitted === 1,
          maskByDefault: row.maskByDefault === 1,
        },
        blocked: blocked === 1,
        treatingPhysician: treating === 1,
        authorisation: strongest(
          authorisationStatus(blocked === 1, until, now),
          // S526 note 1: what staff asked for is given to the structure; a blocked person stays forbidden.
          caller.structure === undefined
            ? 'NON_EXISTE'
            : authorisationStatus(
                false,
                ofStructure.get(no, authorisationKey({ structure: caller.structure.id }))?.until,
                now,
              ),
        ),
        informedOfFeeding: informed.some(({ scope }) => scope === 'feeding'),
        informedEpisodes: informed.flatMap(({ scope, episode }) => (scope === 'consultation' ? [String(episode)] : [])),
        initialConsent: row.initialConsent === 1,
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

const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Paris', dateStyle: 'short' })

/** Under 18 by the French calendar day; undefined where the birth date is not a full ISO date. */
export function isMinor(birthDate: string, now: Date): boolean | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(birthDate)) return undefined
  const [year, ...rest] = today.format(now).split('-')
  return birthDate > [String(Number(year) - 18).padStart(4, '0'), ...rest].join('-')
}
