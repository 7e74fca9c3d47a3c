/** From what a token or an assertion says to a Caller: the rules that hold whichever way an identity came. */
import type { Authentication, Caller, CallerKind, PurposeOfUse } from '../access/caller.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { invalid } from './refusal.ts'
import { sortRoles } from './roles.ts'

/** What was read, before it is known to make sense together. */
export interface Draft {
  readonly kind: Exclude<CallerKind, 'tester'>
  readonly authentication: Authentication
  readonly personId?: string | undefined
  readonly personName?: string | undefined
  readonly structureId?: string | undefined
  readonly structureName?: string | undefined
  readonly roles: readonly Code[]
  readonly sector?: string | undefined
  readonly purposeOfUse?: PurposeOfUse | undefined
  readonly reason?: string | undefined
  readonly regulation: boolean
  readonly patient?: PatientKey | undefined
  readonly secretConnection: boolean
  readonly proof: 'jwt' | 'vihf'
  readonly tokenId?: string | undefined
}

/** What the parts are called where they came from, so that a refusal names what to correct. */
export interface ClaimNames {
  readonly person: string
  readonly structure: string
  readonly role: string
  readonly patient: string
  readonly authentication: string
  readonly purpose: string
  readonly regulation: string
}

/** PS_IdNat: type of identifier, identifier, and after `/` an internal one for 3, 4 and 5 (DMP-FACTS 2.1). */
const psIdNat = /^[0134568][0-9A-Z]{4,20}(\/[\x21-\x7e]{1,40})?$/
/** Struct_IdNat: type and identifier, or a technical identifier (DMP-FACTS 2.2). */
const structIdNat = /^[0-9A-Za-z][0-9A-Za-z/._-]{0,63}$/
/** SAxx of JDV_J61. */
const sectorCode = /^[A-Z]{2}[0-9]{2,3}$/

/** Authorities of test and demonstration INS (DMP-FACTS 3): production knows no such patient. */
const testAuthorities: ReadonlySet<string> = new Set(['1.2.250.1.213.1.4.10', '1.2.250.1.213.1.4.11'])

/**
 * @param mode in production a patient of a test authority is refused
 * @throws GatewayError identity-invalid, naming the claim
 */
export function toCaller(draft: Draft, names: ClaimNames, mode: 'development' | 'production'): Caller {
  const roles = sortRoles(draft.roles)
  if (roles.unknown.length > 0)
    throw invalid(`${names.role}: a role is coded in a system that is no role system of JDV_J65.`)
  checkForms(draft, names, mode)
  checkKind(draft, names, roles.professions.length)
  const [profession] = roles.professions
  return {
    kind: draft.kind,
    authentication: draft.authentication,
    ...(draft.personId === undefined || draft.kind === 'structure'
      ? {}
      : { person: { id: draft.personId, ...(draft.personName === undefined ? {} : { name: draft.personName }) } }),
    ...(draft.structureId === undefined
      ? {}
      : {
          structure: {
            id: draft.structureId,
            ...(draft.structureName === undefined ? {} : { name: draft.structureName }),
          },
        }),
    ...(profession === undefined ? {} : { profession }),
    specialities: roles.specialities,
    ...(draft.sector === undefined ? {} : { sector: draft.sector }),
    ...(draft.purposeOfUse === undefined ? {} : { purposeOfUse: draft.purposeOfUse }),
    ...(draft.reason === undefined ? {} : { reason: draft.reason }),
    regulation: draft.regulation,
    ...(draft.patient === undefined ? {} : { patient: draft.patient }),
    secretConnection: draft.secretConnection,
    proof: draft.proof,
    ...(draft.tokenId === undefined ? {} : { tokenId: draft.tokenId }),
  }
}

function checkForms(draft: Draft, names: ClaimNames, mode: 'development' | 'production'): void {
  const { personId, structureId, sector, patient } = draft
  if (personId !== undefined && (draft.kind === 'professional' || draft.kind === 'staff') && !psIdNat.test(personId))
    throw invalid(
      `${names.person}: a PS_IdNat is expected (8 and the RPPS number, 3 and FINESS/internal identifier, …).`,
    )
  if (structureId !== undefined && !structIdNat.test(structureId))
    throw invalid(
      `${names.structure}: a Struct_IdNat is expected (1 and the FINESS number, 3 and the SIRET number, …).`,
    )
  if (sector !== undefined && !sectorCode.test(sector)) throw invalid('The sector is a code of JDV_J61 (SA01).')
  if (mode === 'production' && patient !== undefined && testAuthorities.has(splitPatientKey(patient).authority))
    throw invalid(`${names.patient}: an INS of a test authority is not accepted in production.`)
}

function checkKind(draft: Draft, names: ClaimNames, professions: number): void {
  const { kind, authentication } = draft
  const need = (value: unknown, name: string): void => {
    if (value === undefined) throw invalid(`${name} is missing: an identity of kind ${kind} carries it.`)
  }
  if (professions > 1) throw invalid(`${names.role}: two professions; an identity carries one.`)
  if (kind === 'professional') {
    if (professions === 0)
      throw invalid(`${names.role}: no profession; a professional carries one of TRE_G15, G16, R94, R95, R22 or R291.`)
  } else if (professions > 0)
    throw invalid(`${names.role}: a profession; only an identity of kind professional carries one.`)
  if (kind !== 'structure' && kind !== 'system') need(draft.personId, names.person)
  if (kind === 'staff' || kind === 'structure') need(draft.structureId, names.structure)
  if (kind === 'structure' && authentication !== 'indirect')
    throw invalid(`${names.authentication}: a structure certificate alone is indirect authentication.`)
  if (kind === 'patient' || kind === 'representative') {
    need(draft.patient, names.patient)
    if (authentication !== 'direct') throw invalid(`${names.authentication}: a ${kind} is authenticated directly.`)
  }
  if (kind === 'patient' || kind === 'representative' || kind === 'system') {
    if (draft.purposeOfUse !== undefined && draft.purposeOfUse !== 'normal')
      throw invalid(`${names.purpose}: an emergency mode is for professionals.`)
    if (draft.regulation) throw invalid(`${names.regulation}: a ${kind} is no regulation centre.`)
  }
}
