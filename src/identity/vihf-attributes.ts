/** The attributes of a VIHF (DMP-FACTS 2.2), read from the verified tree only: cardinalities, values, kind of caller. */
import type { Authentication, CallerKind } from '../access/caller.ts'
import { parseCx, patientKeyOf } from '../metadata/hl7.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import type { XmlElement } from '../xml/tree.ts'
import type { ClaimNames, Draft } from './assemble.ts'
import { invalid } from './refusal.ts'
import { isPurpose, lacksSpeciality, purposeSystem, roleSystems, sortRoles } from './roles.ts'
import { type Attributes, attributesOf } from './saml-attributes.ts'

/** Names of the attributes. */
export const vihf = {
  structure: 'Identifiant_Structure',
  sector: 'Secteur_Activite',
  personName: 'urn:oasis:names:tc:xspa:1.0:subject:subject-id',
  structureName: 'urn:oasis:names:tc:xspa:1.0:subject:organization',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  version: 'VIHF_Version',
  authentication: 'Authentification_mode',
  /** The other spelling in circulation. */
  authenticationAlso: 'Authentification_Mode',
  patient: 'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
  resource: 'Ressource_URN',
  purpose: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  confidentiality: 'urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code',
  reason: 'Mode_Acces_Raison',
  /** As Pro Santé Connect names it: VRAI or FAUX. */
  regulation: 'Acces_Regulation_Medicale',
  software: 'LPS_Nom',
  softwareVersion: 'LPS_Version',
  homologation: 'LPS_ID_HOMOLOGATION_DMP',
} as const

const knownNames: ReadonlySet<string> = new Set(Object.values(vihf))

/** Roles of callers that no VIHF of the DMP knows; believed of the development issuer only. */
export const localKindSystem = 'urn:dmp-gateway:caller-kind'

export const sectorSystem = '1.2.250.1.71.4.2.4'
export const visibilitySystem = '1.2.250.1.213.1.1.4.13'

export const authenticationModes: Readonly<Record<string, Authentication>> = {
  DIRECTE: 'direct',
  INDIRECTE: 'indirect',
  INDIRECTE_RENFORCEE: 'air',
}

export const vihfNames: ClaimNames = {
  person: 'NameID',
  structure: vihf.structure,
  role: vihf.role,
  patient: vihf.patient,
  authentication: vihf.authentication,
  purpose: vihf.purpose,
  regulation: vihf.regulation,
}

export interface VihfContext {
  /** Verified text of Subject/NameID. */
  readonly nameId: string
  readonly tokenId: string
  readonly versions: readonly string[]
  /** Signed by the development issuer. */
  readonly local: boolean
}

/** @throws GatewayError identity-invalid, naming the attribute */
export function readVihf(assertion: XmlElement, context: VihfContext): Draft {
  const attributes = attributesOf(assertion, knownNames)
  const roles = attributes.coded(vihf.role, 'Role', 20)
  const authentication = authenticationOf(attributes)
  const kind = kindOf(roles, context.local)
  checkEnvelope(attributes, context.versions)
  checkRoles(roles, kind)
  const personName = attributes.text(vihf.personName)
  if (personName === undefined && authentication !== 'direct')
    throw invalid(`${vihf.personName} is missing: indirect authentication names the user.`)
  const patient = patientOf(attributes.text(vihf.patient))
  const sector = sectorOf(attributes.required(vihf.sector))
  // A patient's VIHF (development issuer) has to fill these two in, but nobody works there
  const works = kind === 'professional' || kind === 'staff' || kind === 'structure'
  return {
    kind,
    authentication,
    personId: kind === 'patient' && patient !== undefined ? splitPatientKey(patient).id : context.nameId,
    personName,
    structureId: works ? attributes.text(vihf.structure) : undefined,
    structureName: attributes.text(vihf.structureName),
    roles: roles.filter(({ system }) => system !== localKindSystem),
    sector: works ? sector : undefined,
    purposeOfUse: purposeOf(attributes),
    reason: attributes.text(vihf.reason, 1024),
    regulation: regulationOf(attributes.text(vihf.regulation)),
    patient,
    secretConnection: secretConnectionOf(attributes),
    proof: 'vihf',
    tokenId: context.tokenId,
  }
}

function authenticationOf(attributes: Attributes): Authentication {
  const usual = attributes.text(vihf.authentication)
  const other = attributes.text(vihf.authenticationAlso)
  if (usual !== undefined && other !== undefined) throw invalid(`${vihf.authentication} is given in both spellings.`)
  const value = usual ?? other
  if (value === undefined) throw invalid(`${vihf.authentication} is missing.`)
  const mode = Object.hasOwn(authenticationModes, value) ? authenticationModes[value] : undefined
  if (mode === undefined)
    throw invalid(`${vihf.authentication}: DIRECTE, INDIRECTE or INDIRECTE_RENFORCEE is expected.`)
  return mode
}

function checkEnvelope(attributes: Attributes, versions: readonly string[]): void {
  if (!versions.includes(attributes.required(vihf.version)))
    throw invalid(`${vihf.version}: ${versions.join(' or ')} is expected.`)
  if (attributes.required(vihf.resource) !== 'urn:dmp') throw invalid(`${vihf.resource}: urn:dmp is expected.`)
  for (const name of [vihf.structure, vihf.software, vihf.softwareVersion, vihf.homologation]) attributes.required(name)
}

function kindOf(roles: readonly Code[], local: boolean): Exclude<CallerKind, 'tester'> {
  const [first] = roles
  if (first === undefined) throw invalid(`${vihf.role} is missing: the first value is the profession.`)
  if (first.system === localKindSystem) {
    if (!local) throw invalid(`${vihf.role}: ${localKindSystem} is for the development issuer only.`)
    if (first.code === 'patient' || first.code === 'representative' || first.code === 'system') return first.code
  }
  if (first.system === roleSystems.A00) {
    if (first.code === 'SECRETARIAT_MEDICAL') return 'staff'
    if (first.code === 'AUTOMATE') return 'structure'
  }
  if (sortRoles([first]).professions.length === 1) return 'professional'
  throw invalid(`${vihf.role}: the first value is a profession, or AUTOMATE or SECRETARIAT_MEDICAL of TRE_A00.`)
}

function checkRoles(roles: readonly Code[], kind: CallerKind): void {
  if (roles.slice(1).some(({ system }) => system === localKindSystem || system === roleSystems.A00))
    throw invalid(`${vihf.role}: two kinds of user; an identity has one.`)
  const { professions, specialities } = sortRoles(roles)
  if (kind === 'professional' && lacksSpeciality(professions[0], specialities))
    throw invalid(
      `${vihf.role}: Aucune spécialité dans le vihf. Spécialité obligatoire pour les Médecins (TRE_R01) et les Pharmaciens (TRE_G05).`,
    )
}

/** `INS^^^&OID&ISO^NH`. */
export function patientOf(value: string | undefined): PatientKey | undefined {
  if (value === undefined) return undefined
  const patient = value.includes('~') ? undefined : patientKeyOf(parseCx(value))
  if (patient === undefined) throw invalid(`${vihf.patient}: INS^^^&OID&ISO^NH is expected.`)
  return patient
}

/** `SAxx^1.2.250.1.71.4.2.4`. */
function sectorOf(value: string): string {
  const [code = '', system, ...rest] = value.split('^')
  if (system !== sectorSystem || rest.some((part) => part !== ''))
    throw invalid(`${vihf.sector}: SAxx^${sectorSystem} is expected.`)
  return code
}

function purposeOf(attributes: Attributes): 'normal' | 'bris_de_glace' | 'centre_15' {
  const [purpose] = attributes.coded(vihf.purpose, 'PurposeOfUse', 1)
  if (purpose === undefined) throw invalid(`${vihf.purpose} is missing.`)
  if (purpose.system !== purposeSystem || !isPurpose(purpose.code))
    throw invalid(`${vihf.purpose}: normal, bris_de_glace or centre_15 of ${purposeSystem} is expected.`)
  return purpose.code
}

/** The secret connection of a minor (JDV_J64). */
function secretConnectionOf(attributes: Attributes): boolean {
  const [code] = attributes.coded(vihf.confidentiality, undefined, 1)
  if (code === undefined) return false
  if (code.code !== 'INVISIBLE_REPRESENTANTS_LEGAUX' || code.system !== visibilitySystem)
    throw invalid(`${vihf.confidentiality}: INVISIBLE_REPRESENTANTS_LEGAUX of ${visibilitySystem} is expected.`)
  return true
}

function regulationOf(value: string | undefined): boolean {
  if (value === undefined || value === 'FAUX') return false
  if (value === 'VRAI') return true
  throw invalid(`${vihf.regulation}: VRAI or FAUX is expected.`)
}
