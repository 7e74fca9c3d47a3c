/** The VIHF of a request: what DMP-FACTS §2 asks of every one, and what each operation asks besides (§1.2 of it). */
import type { XmlElement } from '../../xml/tree.ts'
import { attribute } from '../../xml/tree.ts'
import { all, type Check, first, insCx, ns, of, textOf } from './check.ts'

/** Operations as the functional-rights matrix numbers them. */
export type Td =
  | 'TD0.2'
  | 'TD0.3'
  | 'TD0.4'
  | 'TD1.3a'
  | 'TD1.6'
  | 'TD2.1'
  | 'TD3.1a'
  | 'TD3.1b'
  | 'TD3.2'
  | 'TD3.3a'
  | 'TD3.3c'
  | 'TD3.3d'

type Mode = 'INDIRECTE' | 'INDIRECTE_RENFORCEE'

/** Modes of authentication open to the certificates of an organisation (DMP-FACTS §1.2, columns S and A). */
const modesOf: Readonly<Record<Td, readonly Mode[]>> = {
  'TD0.2': ['INDIRECTE', 'INDIRECTE_RENFORCEE'],
  'TD0.3': ['INDIRECTE_RENFORCEE'],
  'TD0.4': ['INDIRECTE', 'INDIRECTE_RENFORCEE'],
  'TD1.3a': ['INDIRECTE', 'INDIRECTE_RENFORCEE'],
  'TD1.6': ['INDIRECTE_RENFORCEE'],
  'TD2.1': ['INDIRECTE'],
  'TD3.1a': ['INDIRECTE_RENFORCEE'],
  'TD3.1b': ['INDIRECTE', 'INDIRECTE_RENFORCEE'],
  'TD3.2': ['INDIRECTE_RENFORCEE'],
  'TD3.3a': ['INDIRECTE_RENFORCEE'],
  'TD3.3c': ['INDIRECTE', 'INDIRECTE_RENFORCEE'],
  'TD3.3d': ['INDIRECTE_RENFORCEE'],
}

/** DMP-FACTS §1.3: neither in bris de glace nor in regulation. */
const normalModeOnly: ReadonlySet<Td> = new Set(['TD0.3', 'TD1.6', 'TD3.3a'])

const names = {
  structure: 'Identifiant_Structure',
  sector: 'Secteur_Activite',
  subject: 'urn:oasis:names:tc:xspa:1.0:subject:subject-id',
  role: 'urn:oasis:names:tc:xacml:2.0:subject:role',
  version: 'VIHF_Version',
  resource: 'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
  urn: 'Ressource_URN',
  purpose: 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
  confidentiality: 'urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code',
  software: 'LPS_Nom',
  softwareVersion: 'LPS_Version',
  homologation: 'LPS_ID_HOMOLOGATION_DMP',
} as const

const accessModes = ['normal', 'bris_de_glace', 'centre_15']
const professions = '1.2.250.1.71.1.2.7'

export interface Vihf {
  readonly id: string
  readonly nameId: string
  readonly mode: string
  readonly structure: string
  readonly purpose: string
  /** `OID|INS`. */
  readonly patient?: string
  /** Base64 of the certificate that signed it. */
  readonly certificate: string
}

/** Seconds that the clocks may differ by, and that an assertion made for one call may be old. */
const skew = 60
const freshness = 300

export function readVihf(assertion: XmlElement, now: Date, check: Check): Vihf {
  const rule = (what: string) => `DMP-FACTS §2.1 ${what}`
  const id = of(assertion, 'ID')
  check.that(/^[A-Za-z_][\w.-]*$/.test(id), rule('ID'), 'NCName attendu')
  check.that(of(assertion, 'Version') === '2.0', rule('Version'), '2.0 attendue')
  checkTimes(assertion, now, check)
  const [issuer, signature] = assertion.children
  check.that(issuer?.local === 'Issuer' && textOf(issuer) !== '', rule('Issuer'), 'premier enfant attendu')
  check.that(signature?.ns === ns.ds && signature.local === 'Signature', rule('Signature'), 'juste après Issuer')
  const reference = first(signature, ns.ds, 'SignedInfo', 'Reference')
  check.that(of(reference, 'URI') === `#${id}`, rule('Signature'), 'la référence désigne l’assertion')
  const nameId = textOf(first(assertion, ns.saml, 'Subject', 'NameID'))
  check.that(/^[0134568]\w+(\/\S+)?$/.test(nameId), rule('NameID'), 'PS_IdNat attendu')

  const attributes = new Map<string, readonly XmlElement[]>()
  for (const each of all(assertion, ns.saml, 'AttributeStatement', 'Attribute')) {
    const name = of(each, 'Name')
    check.that(!attributes.has(name), 'DMP-FACTS §2.2', `${name} deux fois`)
    attributes.set(name, all(each, ns.saml, 'AttributeValue'))
  }
  const value = (name: string): string => {
    const values = attributes.get(name) ?? []
    check.that(values.length === 1 && textOf(values[0]) !== '', 'DMP-FACTS §2.2', `${name} : une valeur attendue`)
    return textOf(values[0])
  }
  // Both spellings are in use (DMP-SERVICES §1.2)
  const spelled = attributes.has('Authentification_Mode') ? 'Authentification_Mode' : 'Authentification_mode'
  const mode = value(spelled)
  const structure = value(names.structure)
  check.that(/^SA\d\d\^1\.2\.250\.1\.71\.4\.2\.4$/.test(value(names.sector)), 'DMP-FACTS §2.2', 'Secteur_Activite')
  check.that(['3.0', '4.0'].includes(value(names.version)), 'DMP-FACTS §2.2', 'VIHF_Version : 3.0 ou 4.0')
  check.that(value(names.urn) === 'urn:dmp', 'DMP-FACTS §2.2', 'Ressource_URN : urn:dmp')
  for (const name of [names.subject, names.software, names.softwareVersion, names.homologation]) value(name)
  checkRoles(attributes.get(names.role) ?? [], check)
  const purpose = checkPurpose(attributes.get(names.purpose) ?? [], check)
  checkConfidentiality(attributes.get(names.confidentiality), check)
  const resource = attributes.has(names.resource) ? value(names.resource) : undefined
  const patient = resource === undefined ? undefined : insCx.exec(resource)
  check.that(patient !== null, 'DMP-FACTS §2.2', 'resource-id : INS^^^&OID&ISO^NH')
  checkAuthentication(assertion, mode, check)
  return {
    ...{ id, nameId, mode, structure, purpose },
    ...(patient && { patient: `${patient[2]}|${patient[1]}` }),
    certificate: textOf(first(signature, ns.ds, 'KeyInfo', 'X509Data', 'X509Certificate')).replace(/\s/g, ''),
  }
}

function checkTimes(assertion: XmlElement, now: Date, check: Check): void {
  const instant = of(assertion, 'IssueInstant')
  const issued = Date.parse(instant)
  check.that(instant.endsWith('Z'), 'DMP-FACTS §2.1 IssueInstant', 'en UTC')
  const age = (now.getTime() - issued) / 1000
  check.that(age > -skew && age < freshness, 'DMP-FACTS §2.1 IssueInstant', 'ni futur ni ancien')
  const authenticated = Date.parse(of(first(assertion, ns.saml, 'AuthnStatement'), 'AuthnInstant'))
  check.that(authenticated <= issued + skew * 1000, 'DMP-FACTS §2.1 AuthnInstant', 'pas après IssueInstant')
  const conditions = first(assertion, ns.saml, 'Conditions')
  const [from, until] = [of(conditions, 'NotBefore'), of(conditions, 'NotOnOrAfter')].map(Date.parse)
  check.that(!(from && from - skew * 1000 > now.getTime()), 'DMP-FACTS §2.1 Conditions', 'pas encore valable')
  check.that(!(until && until + skew * 1000 <= now.getTime()), 'DMP-FACTS §2.1 Conditions', 'expirée')
  check.that(
    first(conditions, ns.saml, 'AudienceRestriction') === undefined,
    'DMP-FACTS §2.1 Conditions',
    'AudienceRestriction non renseignée',
  )
}

function checkAuthentication(assertion: XmlElement, mode: string, check: Check): void {
  const context = first(assertion, ns.saml, 'AuthnStatement', 'AuthnContext')
  const reference = textOf(first(context, ns.saml, 'AuthnContextClassRef'))
  check.that(
    reference.startsWith('urn:oasis:names:tc:SAML:2.0:ac:classes:'),
    'DMP-FACTS §2.1 AuthnContextClassRef',
    'classe SAML attendue',
  )
  if (mode === 'INDIRECTE_RENFORCEE')
    check.that(
      textOf(first(context, ns.saml, 'AuthnContextDecl')) !== '',
      'DMP-FACTS §2.1 AuthnContextDecl',
      'attendu en AIR',
    )
}

/** One CE per value: the profession, then the speciality where the profession has some. */
function checkRoles(values: readonly XmlElement[], check: Check): void {
  const rule = 'DMP-FACTS §2.2 role'
  const roles = values.map((value) => first(value, ns.hl7, 'Role'))
  check.that(roles.length > 0 && roles.every((role) => isCe(role)), rule, 'un Role de type CE par valeur')
  const [profession] = roles
  const specialised = of(profession, 'codeSystem') === professions && ['10', '21'].includes(of(profession, 'code'))
  check.that(
    !specialised || roles.length > 1,
    rule,
    'Aucune spécialité dans le vihf. Spécialité obligatoire pour les Médecins et les Pharmaciens',
  )
}

function checkPurpose(values: readonly XmlElement[], check: Check): string {
  const rule = 'DMP-FACTS §2.2 purposeofuse'
  const purpose = first(check.one(values, rule, 'AttributeValue'), ns.hl7, 'PurposeOfUse')
  check.that(isCe(purpose), rule, 'PurposeOfUse de type CE attendu')
  check.that(of(purpose, 'codeSystem') === '1.2.250.1.213.1.1.4.248', rule, 'codeSystem …4.248 attendu')
  check.that(accessModes.includes(of(purpose, 'code')), rule, accessModes.join(', '))
  return of(purpose, 'code')
}

/** The secret connection of a minor. */
function checkConfidentiality(values: readonly XmlElement[] | undefined, check: Check): void {
  if (values === undefined) return
  const code = values[0]?.children[0]
  check.that(
    of(code, 'code') === 'INVISIBLE_REPRESENTANTS_LEGAUX' && of(code, 'codeSystem') === '1.2.250.1.213.1.1.4.13',
    'DMP-FACTS §2.2 confidentiality-code',
    'INVISIBLE_REPRESENTANTS_LEGAUX attendu',
  )
}

function isCe(element: XmlElement | undefined): boolean {
  const type = element && attribute(element, 'type', ns.xsi)
  return (
    type !== undefined && /^(\w+:)?CE$/.test(type) && of(element, 'code') !== '' && of(element, 'codeSystem') !== ''
  )
}

/** Whether this identity may ask this operation, about the patient of the body. */
export function checkRights(vihf: Vihf, td: Td, patients: readonly (string | undefined)[], check: Check): void {
  const modes: readonly string[] = modesOf[td]
  check.that(modes.includes(vihf.mode), 'DMP-FACTS §1.2', `${td} : ${modes.join(' ou ')} attendu, pas ${vihf.mode}`)
  check.that(!normalModeOnly.has(td) || vihf.purpose === 'normal', 'DMP-FACTS §1.3', `${td} en accès normal seulement`)
  check.that(td === 'TD0.4' || vihf.patient !== undefined, 'DMP-FACTS §2.2 resource-id', `${td} vise un patient`)
  for (const patient of patients)
    check.that(
      patient !== undefined && patient === vihf.patient,
      '§4.1 patientId',
      'INS de la requête différent de celui du VIHF',
      { code: 'XDSPatientIdDoesNotMatch' },
    )
}
