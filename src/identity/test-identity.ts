/** What a test identity says when little is asked for: defaults, codes and their systems (INTERFACE, Tokens). */
import type { Authentication, Caller, CallerKind, PurposeOfUse } from '../access/caller.ts'
import { isOid, type PatientKey, patientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { displayOf } from '../nomenclature/index.ts'
import { type ClaimNames, toCaller } from './assemble.ts'
import { lacksSpeciality, roleSystems } from './roles.ts'

export type IdentityKind = Exclude<CallerKind, 'tester'>

export interface IdentityOptions {
  /** Default professional. */
  readonly kind?: IdentityKind | undefined
  /** TRE_G15 (10), TRE_R94 (41), TRE_R22 (GENR08) or TRE_R95 (93) code; default 10. */
  readonly profession?: string | undefined
  /** TRE_R01 (SM26), TRE_G05 for pharmacists (A), TRE_R21 (FON-29). */
  readonly specialities?: readonly string[] | undefined
  /** PS_IdNat of a person. */
  readonly id?: string | undefined
  readonly name?: string | undefined
  /** Struct_IdNat. */
  readonly structure?: string | undefined
  readonly structureName?: string | undefined
  /** SAxx. */
  readonly sector?: string | undefined
  /** Default direct; indirect for a structure. */
  readonly authentication?: Authentication | undefined
  readonly purpose?: PurposeOfUse | undefined
  readonly reason?: string | undefined
  /** The patient the identity is bound to; required for patient and representative. */
  readonly ins?: string | undefined
  /** OID; default 1.2.250.1.213.1.4.10 (test). */
  readonly insSystem?: string | undefined
  readonly regulation?: boolean | undefined
  /** Seconds from now, negative for an identity that has expired; default 3600. */
  readonly expiresSeconds?: number | undefined
  readonly now?: Date | undefined
}

/** Options with everything filled in. */
export interface TestIdentity {
  readonly kind: IdentityKind
  readonly authentication: Authentication
  readonly personId: string
  readonly personName: string | undefined
  readonly structureId: string | undefined
  readonly structureName: string | undefined
  readonly sector: string | undefined
  readonly profession: Code | undefined
  readonly specialities: readonly Code[]
  readonly purpose: PurposeOfUse | undefined
  readonly reason: string | undefined
  readonly patient: PatientKey | undefined
  readonly regulation: boolean
  readonly issued: Date
  readonly expires: Date
}

/** All invented. */
const persons: Readonly<Record<IdentityKind, readonly [id: string, name?: string]>> = {
  professional: ['899700000001', 'DUPONT Anne'],
  staff: ['31010099999/0001', 'MARTIN Paul'],
  structure: ['899700000001', 'DMP-GATEWAY,TEST,ALIMENTATION'],
  patient: [''],
  representative: ['269029999999999'],
  system: ['administrateur'],
}
const defaultStructure = { id: '1010099999', name: 'CH EXEMPLE', sector: 'SA01' }
const testAuthority = '1.2.250.1.213.1.4.10'
/** Speciality of a physician and section of a pharmacist where a VIHF needs one and none was asked for. */
const generalMedicine: Code = { code: 'SM26', system: roleSystems.R01, display: 'Qualifié en Médecine Générale (SM)' }
const pharmacyOwner: Code = { code: 'A', system: roleSystems.G05, display: "Pharmaciens titulaires d'officine" }

/** @throws RangeError or GatewayError identity-invalid with a sentence that says what to give instead */
export function describeIdentity(options: IdentityOptions): TestIdentity {
  const kind = options.kind ?? 'professional'
  const [id, name] = persons[kind]
  const patient = patientOf(options)
  if ((kind === 'patient' || kind === 'representative') && patient === undefined)
    throw new RangeError(`a ${kind} needs an INS (--ins, --ins-system)`)
  const works = kind === 'professional' || kind === 'staff' || kind === 'structure'
  const profession = kind === 'professional' ? professionOf(options.profession ?? '10') : undefined
  if (profession === undefined && (options.profession !== undefined || (options.specialities ?? []).length > 0))
    throw new RangeError(`a profession or speciality goes with the kind professional, not ${kind}`)
  const expiresSeconds = options.expiresSeconds ?? 3600
  const now = options.now ?? new Date()
  const expires = new Date(now.getTime() + expiresSeconds * 1000)
  const identity: TestIdentity = {
    kind,
    authentication: options.authentication ?? (kind === 'structure' ? 'indirect' : 'direct'),
    personId: options.id ?? (kind === 'patient' ? (options.ins ?? '') : id),
    personName: options.name ?? name,
    structureId: options.structure ?? (works ? defaultStructure.id : undefined),
    structureName: options.structureName ?? (works ? defaultStructure.name : undefined),
    sector: options.sector ?? (works ? defaultStructure.sector : undefined),
    profession,
    specialities: (options.specialities ?? []).map((code) => specialityOf(code, profession)),
    purpose: options.purpose,
    reason: options.reason,
    patient,
    regulation: options.regulation ?? false,
    // One that has expired was issued an hour before
    issued: expiresSeconds > 0 ? now : new Date(expires.getTime() - 3_600_000),
    expires,
  }
  // Said now rather than when the identity is used
  asCaller(identity)
  return identity
}

const optionNames: ClaimNames = {
  person: '--id',
  structure: '--structure',
  role: '--profession',
  patient: '--ins',
  authentication: '--authentication',
  purpose: '--purpose',
  regulation: '--regulation',
}

/** Who these options would call as. @throws as describeIdentity */
export function testCaller(options: IdentityOptions): Caller {
  return asCaller(describeIdentity(options))
}

function asCaller(identity: TestIdentity): Caller {
  const { profession, specialities, purpose, ...rest } = identity
  const roles = profession === undefined ? specialities : [profession, ...specialities]
  const draft = { ...rest, roles, purposeOfUse: purpose, secretConnection: false, proof: 'jwt' } as const
  return toCaller(draft, optionNames, 'development')
}

/** The specialities with the one that a VIHF cannot be without (DMP-FACTS 2.2). */
export function withNeededSpeciality(identity: TestIdentity): readonly Code[] {
  if (!lacksSpeciality(identity.profession, identity.specialities)) return identity.specialities
  return [identity.profession?.code === '21' ? pharmacyOwner : generalMedicine, ...identity.specialities]
}

function patientOf({ ins, insSystem = testAuthority }: IdentityOptions): PatientKey | undefined {
  const system = insSystem.replace(/^urn:oid:/, '')
  if (!isOid(system)) throw new RangeError('the system of the INS is an OID (1.2.250.1.213.1.4.10)')
  if (ins === undefined) return undefined
  if (!/^[0-9A-Za-z]{1,32}$/.test(ins)) throw new RangeError('an INS has digits (and letters) only')
  return patientKey(system, ins)
}

function professionOf(code: string): Code {
  for (const system of [roleSystems.G15, roleSystems.R94, roleSystems.R22, roleSystems.R95]) {
    const display = displayOf(system, code)
    if (display !== undefined) return { code, system, display }
  }
  throw new RangeError('no such profession: a code of TRE_G15 (10, 60), TRE_R94 (41), TRE_R22 (GENR08) or TRE_R95 (93)')
}

function specialityOf(code: string, profession: Code | undefined): Code {
  if (!/^[A-Z0-9][A-Z0-9-]{0,19}$/.test(code)) throw new RangeError('a speciality is a code such as SM26, FON-29 or A')
  if (code.startsWith('FON-')) return { code, system: roleSystems.R21 }
  const pharmacist = profession?.system === roleSystems.G15 && profession.code === '21'
  return { code, system: pharmacist ? roleSystems.G05 : roleSystems.R01 }
}
