/** The attributes of a VIHF (DMP-FACTS 2.2), read from the verified tree only: cardinalities, values, kind of caller. */
import type { Authentication, CallerKind } from '../access/caller.ts'
import { parseCx, patientKeyOf } from '../metadata/hl7.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { attribute, children, type XmlElement } from '../xml/tree.ts'
import type { ClaimNames, Draft } from './assemble.ts'
import { isPurpose } from './jwt.ts'
import { invalid } from './refusal.ts'
import { lacksSpeciality, purposeSystem, roleSystems, sortRoles } from './roles.ts'

export const samlNamespace = 'urn:oasis:names:tc:SAML:2.0:assertion'
export const hl7Namespace = 'urn:hl7-org:v3'

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
  const attributes = attributesOf(assertion)
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

interface Attributes {
  /** The one string value, trimmed; undefined when the attribute is absent or empty. */
  text(name: string, max?: number): string | undefined
  required(name: string): string
  /** Coded values, [] when the attribute is absent. */
  coded(name: string, element: string | undefined, max: number): readonly Code[]
}

function attributesOf(assertion: XmlElement): Attributes {
  const byName = new Map<string, XmlElement>()
  const known = new Set<string>(Object.values(vihf))
  for (const statement of children(assertion, samlNamespace, 'AttributeStatement'))
    for (const element of children(statement, samlNamespace, 'Attribute')) {
      const name = attribute(element, 'Name') ?? ''
      if (byName.has(name) && known.has(name)) throw invalid(`${name} is given twice.`)
      byName.set(name, element)
    }
  const values = (name: string): readonly XmlElement[] => {
    const element = byName.get(name)
    return element === undefined ? [] : children(element, samlNamespace, 'AttributeValue')
  }
  const text = (name: string, max = 256): string | undefined => {
    const [value, ...more] = values(name)
    if (value === undefined) return undefined
    const read = value.text.trim()
    if (more.length > 0 || value.children.length > 0) throw invalid(`${name}: one string value is expected.`)
    if (read.length > max) throw invalid(`${name} is longer than ${max} characters.`)
    if (/\p{Cc}/u.test(read)) throw invalid(`${name} holds control characters.`)
    return read === '' ? undefined : read
  }
  return {
    text,
    required(name) {
      const value = text(name)
      if (value === undefined) throw invalid(`${name} is missing.`)
      return value
    },
    coded(name, element, max) {
      const found = values(name)
      if (found.length > max) throw invalid(`${name}: at most ${max} value${max === 1 ? '' : 's'} expected.`)
      return found.map((value) => codeOf(value, name, element))
    },
  }
}

/** `<Role xmlns="urn:hl7-org:v3" xsi:type="CE" code codeSystem displayName/>`. */
function codeOf(value: XmlElement, name: string, local: string | undefined): Code {
  const [element, ...more] = value.children
  if (
    element === undefined ||
    more.length > 0 ||
    element.ns !== hl7Namespace ||
    (local !== undefined && element.local !== local)
  )
    throw invalid(`${name}: one ${local ?? 'coded'} element of ${hl7Namespace} is expected in each value.`)
  const code = attribute(element, 'code')?.trim() ?? ''
  const system = attribute(element, 'codeSystem')?.trim() ?? ''
  if (code === '' || system === '' || code.length > 64 || system.length > 128)
    throw invalid(`${name}: code and codeSystem are expected.`)
  const display = attribute(element, 'displayName')?.slice(0, 256)
  return { code, system, ...(display === undefined ? {} : { display }) }
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
function patientOf(value: string | undefined): PatientKey | undefined {
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
