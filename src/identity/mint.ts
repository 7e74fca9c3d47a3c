/** Makes signed test identities with the development issuer: for `token`, the demo and the tests. */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { cxOf, formatCx } from '../metadata/hl7.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { signAssertion, type UnsignedAssertion } from '../xml/sign.ts'
import { XmlWriter } from '../xml/writer.ts'
import type { LocalIssuer } from './issuer.ts'
import { purposeSystem, roleSystems } from './roles.ts'
import { hl7Namespace, samlNamespace } from './saml-attributes.ts'
import { describeIdentity, type IdentityOptions, type TestIdentity, withNeededSpeciality } from './test-identity.ts'
import { authenticationModes, localKindSystem, sectorSystem, vihf } from './vihf-attributes.ts'

export { signAssertion, type UnsignedAssertion } from '../xml/sign.ts'
export type { IdentityKind, IdentityOptions } from './test-identity.ts'

const xsi = 'http://www.w3.org/2001/XMLSchema-instance'
const xs = 'http://www.w3.org/2001/XMLSchema'
const x509SubjectName = 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName'
const contextClasses = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'

const purposeNames = {
  normal: 'Accès normal',
  bris_de_glace: 'Accès en bris de glace',
  centre_15: 'Accès par un centre de régulation médicale',
} as const

/**
 * A JWT access token (IHE IUA ITI-71, with `extensions.dmp`), ES256.
 * @throws RangeError when the options do not make an identity
 */
export async function mintJwt(issuer: LocalIssuer, options: IdentityOptions = {}): Promise<string> {
  const identity = describeIdentity(options)
  const roles = identity.profession === undefined ? [] : [identity.profession, ...identity.specialities]
  const person = identity.kind === 'structure' || identity.kind === 'system' ? undefined : identity.personId
  const extensions = {
    ihe_iua: {
      subject_name: identity.personName,
      subject_organization: identity.structureName,
      subject_organization_id: identity.structureId,
      subject_role: roles.length === 0 ? undefined : roles.map(coding),
      purpose_of_use:
        identity.purpose === undefined
          ? undefined
          : [coding({ code: identity.purpose, system: purposeSystem, display: purposeNames[identity.purpose] })],
      person_id: person,
    },
    ihe_bppc: identity.patient === undefined ? undefined : { patient_id: resourceId(identity.patient) },
    dmp: {
      kind: identity.kind,
      authentication: identity.authentication,
      sector: identity.sector,
      reason: identity.reason,
      regulation: identity.regulation ? true : undefined,
    },
  }
  return new SignJWT({ extensions })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: issuer.keyId })
    .setIssuer(issuer.name)
    .setAudience(issuer.audience)
    .setSubject(person ?? identity.structureId ?? identity.personId)
    .setJti(randomUUID())
    .setIssuedAt(identity.issued)
    .setExpirationTime(identity.expires)
    .sign(issuer.jwtKey)
}

function coding({ code, system, display }: Code): Record<string, string | undefined> {
  return { system: `urn:oid:${system}`, code, display }
}

function resourceId(patient: PatientKey): string {
  return formatCx(cxOf(patient, 'NH'))
}

/**
 * A signed VIHF (DMP-FACTS 2): one Assertion element that declares every namespace it uses.
 * @throws RangeError when the options do not make an identity
 */
export function mintVihf(issuer: LocalIssuer, options: IdentityOptions = {}): string {
  const assertion = writeAssertion(describeIdentity(options), issuer.vihfSubject)
  return signAssertion(assertion, issuer.vihfKey, issuer.vihfCertificate)
}

/** The Assertion of an identity, not yet signed. */
export function writeAssertion(identity: TestIdentity, issuerName: string): UnsignedAssertion {
  const id = `_${randomUUID()}`
  const issued = identity.issued.toISOString()
  const writer = new XmlWriter()
    .start('saml2:Assertion', {
      'xmlns:saml2': samlNamespace,
      'xmlns:xsi': xsi,
      'xmlns:xs': xs,
      ID: id,
      IssueInstant: issued,
      Version: '2.0',
    })
    .element('saml2:Issuer', { Format: x509SubjectName }, issuerName)
  const head = writer.take().toString()
  writer
    .start('saml2:Subject')
    .element('saml2:NameID', undefined, identity.personId)
    .end()
    .element('saml2:Conditions', { NotBefore: issued, NotOnOrAfter: identity.expires.toISOString() })
    .start('saml2:AuthnStatement', { AuthnInstant: issued })
    .start('saml2:AuthnContext')
    .element('saml2:AuthnContextClassRef', undefined, contextClasses + contextClass(identity))
    .end()
    .end()
    .start('saml2:AttributeStatement')
  writeAttributes(writer, identity)
  const tail = writer.end().end().take().toString()
  return { id, head, tail }
}

function contextClass({ kind, authentication }: TestIdentity): string {
  if (kind === 'structure') return 'unspecified'
  if (authentication === 'direct') return 'SmartcardPKI'
  return authentication === 'air' ? 'MobileTwoFactorUnregistered' : 'Password'
}

function writeAttributes(writer: XmlWriter, identity: TestIdentity): void {
  const text = (name: string, value: string | undefined): void => {
    if (value === undefined) return
    writer.start('saml2:Attribute', { Name: name })
    writer.element('saml2:AttributeValue', { 'xsi:type': 'xs:string' }, value).end()
  }
  const coded = (name: string, element: string, codes: readonly Code[], extra: Record<string, string> = {}): void => {
    writer.start('saml2:Attribute', { Name: name })
    for (const { code, system, display } of codes)
      writer
        .start('saml2:AttributeValue')
        .element(element, {
          xmlns: hl7Namespace,
          'xsi:type': 'CE',
          code,
          codeSystem: system,
          ...extra,
          displayName: display ?? code,
        })
        .end()
    writer.end()
  }
  const purpose = identity.purpose ?? 'normal'
  const [mode] = Object.entries(authenticationModes).find(([, value]) => value === identity.authentication) ?? []
  text(vihf.structure, identity.structureId ?? identity.personId)
  text(vihf.sector, `${identity.sector ?? 'SA01'}^${sectorSystem}`)
  text(vihf.personName, identity.personName ?? (identity.authentication === 'direct' ? undefined : identity.personId))
  text(vihf.structureName, identity.structureName)
  coded(vihf.role, 'Role', rolesOf(identity))
  text(vihf.version, '3.0')
  text(vihf.authentication, mode)
  text(vihf.patient, identity.patient === undefined ? undefined : resourceId(identity.patient))
  text(vihf.resource, 'urn:dmp')
  coded(vihf.purpose, 'PurposeOfUse', [{ code: purpose, system: purposeSystem, display: purposeNames[purpose] }], {
    codeSystemName: 'mode acces VIHF 2.0',
  })
  text(vihf.reason, identity.reason)
  text(vihf.regulation, identity.regulation ? 'VRAI' : undefined)
  text(vihf.software, 'DMP-GATEWAY')
  text(vihf.softwareVersion, '0.1.0')
  text(vihf.homologation, 'TEST-0000')
}

/** The VIHF knows professionals and A00 producers; the other kinds are roles of the development issuer's own. */
function rolesOf(identity: TestIdentity): readonly Code[] {
  const { kind, profession } = identity
  if (profession !== undefined) return [profession, ...withNeededSpeciality(identity)]
  if (kind === 'staff')
    return [{ code: 'SECRETARIAT_MEDICAL', system: roleSystems.A00, display: 'Secrétariat médical' }]
  if (kind === 'structure') return [{ code: 'AUTOMATE', system: roleSystems.A00, display: 'Automate' }]
  return [{ code: kind, system: localKindSystem }]
}
