/**
 * Assertions of issuers other than the DMP's (IHE XUA, ITI-40): an identity provider of a hospital or of another country,
 * whose roles and purposes mean here what the configuration says, and nothing where it says nothing.
 */
import type { Authentication, Caller, CallerKind, PurposeOfUse } from '../access/caller.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { type ClaimNames, toCaller } from './assemble.ts'
import { invalid } from './refusal.ts'
import { nameIdOf } from './saml.ts'
import { type Attributes, attributesOf } from './saml-attributes.ts'
import type { SignerFinder } from './trust.ts'
import { patientOf } from './vihf-attributes.ts'
import type { SignedAssertion } from './vihf-signature.ts'

export interface XuaRole {
  /** As the issuer codes it; `system` is an OID. */
  readonly system: string
  readonly code: string
  /** Who that is here. */
  readonly kind: Exclude<CallerKind, 'tester' | 'system'>
  /** Of a professional: profession (TRE_G15, R94, R22 …) and specialities (TRE_R01, G05, R21), as OID and code. */
  readonly profession?: Code | undefined
  readonly specialities?: readonly Code[] | undefined
}

export interface XuaIssuer {
  readonly findSigner: SignerFinder
  /** Accepted in its AudienceRestriction. */
  readonly audience: string
  /** How it authenticates professionals and staff. */
  readonly authentication: Authentication
  readonly roles: readonly XuaRole[]
  readonly purposes: readonly { readonly system: string; readonly code: string; readonly purpose: PurposeOfUse }[]
  /** What makes a PS_IdNat of its NameID: `8` before an RPPS number. */
  readonly personPrefix: string
  /** Struct_IdNat by organization-id; where there are none the organization-id is one. */
  readonly structures: ReadonlyMap<string, string>
  /** Secteur d’activité of its structures. */
  readonly sector?: string | undefined
}

const xua = {
  personName: 'urn:oasis:names:tc:xspa:1.0:subject:subject-id',
  structure: 'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
  structureName: 'urn:oasis:names:tc:xspa:1.0:subject:organization',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  purpose: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  patient: 'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
} as const

const names: ClaimNames = {
  person: 'NameID',
  structure: xua.structure,
  role: xua.role,
  patient: xua.patient,
  authentication: 'the configured authentication',
  purpose: xua.purpose,
  regulation: 'regulation',
}

const known: ReadonlySet<string> = new Set(Object.values(xua))

/** @throws GatewayError identity-invalid, naming the attribute */
export function callerOfXua(
  { assertion, id }: SignedAssertion,
  issuer: XuaIssuer,
  mode: 'development' | 'production',
): Caller {
  const attributes = attributesOf(assertion, known)
  const roles = rolesOf(attributes, issuer)
  const [first] = roles
  if (first === undefined) throw invalid(`${xua.role} is missing.`)
  if (roles.some(({ kind }) => kind !== first.kind))
    throw invalid(`${xua.role}: two kinds of user; an identity has one.`)
  const { kind } = first
  const own = kind === 'patient' || kind === 'representative'
  const structure = own ? undefined : structureOf(attributes, issuer)
  const patient = patientOf(attributes.text(xua.patient))
  return toCaller(
    {
      kind,
      // Nobody stands between a patient and the issuer; a structure that acts alone has nobody to authenticate
      authentication: own ? 'direct' : kind === 'structure' ? 'indirect' : issuer.authentication,
      personId: personOf(nameIdOf(assertion), kind, patient, issuer),
      personName: attributes.text(xua.personName),
      structureId: structure,
      structureName: structure === undefined ? undefined : onlyOf(attributes.texts(xua.structureName)),
      roles: distinct(roles.flatMap(({ profession, specialities = [] }) => [profession, ...specialities])),
      sector: structure === undefined ? undefined : issuer.sector,
      purposeOfUse: purposeOf(attributes, issuer),
      regulation: false,
      patient,
      secretConnection: false,
      proof: 'vihf',
      tokenId: id,
    },
    names,
    mode,
  )
}

/** A patient is known by the identifier of the record, as in a VIHF. */
function personOf(
  nameId: string,
  kind: XuaRole['kind'],
  patient: PatientKey | undefined,
  { personPrefix }: XuaIssuer,
): string {
  if (kind === 'patient' && patient !== undefined) return splitPatientKey(patient).id
  return kind === 'patient' || kind === 'representative' ? nameId : personPrefix + nameId
}

function rolesOf(attributes: Attributes, issuer: XuaIssuer): readonly XuaRole[] {
  return attributes.coded(xua.role, 'Role', 20).map(({ system, code }) => {
    const role = issuer.roles.find((each) => each.system === system && each.code === code)
    if (role === undefined) throw invalid(`${xua.role}: a role that is not configured for this issuer.`)
    return role
  })
}

function purposeOf(attributes: Attributes, issuer: XuaIssuer): PurposeOfUse | undefined {
  const purposes = attributes.coded(xua.purpose, 'PurposeOfUse', 20).map(({ system, code }) => {
    const found = issuer.purposes.find((each) => each.system === system && each.code === code)
    if (found === undefined) throw invalid(`${xua.purpose}: a purpose that is not configured for this issuer.`)
    return found.purpose
  })
  const [first, ...more] = new Set(purposes)
  if (more.length > 0) throw invalid(`${xua.purpose}: one access mode is expected.`)
  return first
}

/** The structure, where exactly one is meant: somebody who works in two says in which one the access is made. */
function structureOf(attributes: Attributes, { structures }: XuaIssuer): string | undefined {
  const given = attributes.texts(xua.structure)
  const [first, ...more] = new Set(
    structures.size === 0 ? given : given.flatMap((value) => structures.get(value) ?? []),
  )
  if (more.length > 0) throw invalid(`${xua.structure}: two structures; an access is made in one.`)
  return first
}

function onlyOf(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined
}

function distinct(codes: readonly (Code | undefined)[]): readonly Code[] {
  const byName = new Map(codes.flatMap((code) => (code === undefined ? [] : [[`${code.system} ${code.code}`, code]])))
  return [...byName.values()]
}
