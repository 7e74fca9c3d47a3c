/** SubmissionSet, DocumentEntry and the entry of the signature as they are submitted (DMP-SERVICES §3.2, §3.3). */
import { createHash } from 'node:crypto'
import type { XmlElement } from '../../xml/tree.ts'
import {
  all,
  type Check,
  classifications,
  first,
  identifiers,
  insCx,
  label,
  ns,
  of,
  oid,
  second,
  slot,
} from './check.ts'

export const documentType = 'urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1'

const scheme = {
  setAuthor: 'urn:uuid:a7058bb9-b4e4-4307-ba5b-e3f0ab85e12d',
  contentType: 'urn:uuid:aa543740-bdda-424e-8c96-df4873be8500',
  setPatient: 'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
  setSource: 'urn:uuid:554ac39e-e3fe-47fe-b233-965d2a147832',
  setUnique: 'urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8',
  author: 'urn:uuid:93606bcf-9494-43ec-9b4e-a7748d1a838d',
  class: 'urn:uuid:41a5887f-8865-4c09-adf7-e362475b143a',
  type: 'urn:uuid:f0306f51-975f-434e-a61c-c59651d33983',
  confidentiality: 'urn:uuid:f4f85eac-e6cb-4883-b524-f2705394840f',
  format: 'urn:uuid:a09d5840-386c-46f2-b5ad-9c3699a4309d',
  facility: 'urn:uuid:f33fb8ac-18af-42cc-ae0e-ed0b0bdb91e1',
  practice: 'urn:uuid:cccf5598-8b07-4b77-a05e-ae952c785ead',
  event: 'urn:uuid:2c6b8cb7-8b2a-4051-b291-b1ae6a575ef4',
  patient: 'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  unique: 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab',
} as const

const setNode = 'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd'
const normal = 'N 2.16.840.1.113883.5.25'
const visibility = '1.2.250.1.213.1.1.4.13'
const labels = ['MASQUE_PS', 'INVISIBLE_PATIENT', 'INVISIBLE_REPRESENTANTS_LEGAUX'].map(
  (code) => `${code} ${visibility}`,
)
const xcn = /^[^^]+\^[^^]+\^[^^]*\^{6}&[0-9.]+&ISO\^[DU]\^{3}(IDNPS|EI|RI|NH)$/
const xon = /^[^^]+\^{5}&(1\.2\.250\.1\.71\.4\.2\.2|1\.3\.2)&ISO\^(IDNST|SIREN)\^{3}[^^]+$/
const specialty = /^[^^]+\^[^^]+\^[0-9.]+$/
const referenceId = /^[^^]+\^{3}[^^&]*&[0-9.]+&ISO\^urn:ihe:iti:xds:20\d\d:\w+$/

/** What the checks of the whole submission need of an object. */
export interface Submitted {
  readonly id: string
  readonly uniqueId: string
  /** `OID|INS`; undefined when it is none. */
  readonly patient: string | undefined
  /** XON.10 of all authors. */
  readonly structures: readonly string[]
  readonly authors: string
}

/** `code codingScheme`, in the order of the message. */
export function codesOf(object: XmlElement, of_: string): readonly string[] {
  return classifications(object, of_).map(
    (each) => `${of(each, 'nodeRepresentation')} ${slot(each, 'codingScheme')?.[0]}`,
  )
}

export const confidentialityOf = (object: XmlElement) => codesOf(object, scheme.confidentiality)
export const typeOf = (object: XmlElement) => codesOf(object, scheme.type)[0]

class Rules {
  readonly check: Check
  readonly location: string
  readonly rule: string

  constructor(check: Check, location: string, rule: string) {
    this.check = check
    this.location = location
    this.rule = rule
  }

  that(condition: boolean, what: string, text: string): void {
    const more = { location: this.location, code: 'XDSRegistryMetadataError' }
    this.check.that(condition, `${this.rule} ${what}`, text, more)
  }

  /** Values of a slot that may stand once, and must where `least` is 1. */
  slot(object: XmlElement, name: string, least: 0 | 1, form: RegExp, most = 1): readonly string[] {
    const slots = all(object, ns.rim, 'Slot').filter((each) => of(each, 'name') === name)
    this.that(slots.length <= 1, name, 'un Slot au plus')
    const values = slot(object, name) ?? []
    this.that(values.length >= least && values.length <= most, name, `${least} à ${most} valeur(s) attendue(s)`)
    for (const value of values) this.that(form.test(value), name, 'forme inattendue')
    return values
  }

  code(object: XmlElement, name: keyof typeof scheme, least: number, most: number): readonly XmlElement[] {
    const found = classifications(object, scheme[name])
    this.that(found.length >= least && found.length <= most, name, `${least} à ${most} attendu(s)`)
    for (const each of found) {
      this.that(of(each, 'classifiedObject') === this.location, name, 'classifiedObject ne désigne pas l’objet')
      this.that(of(each, 'nodeRepresentation') !== '', name, 'nodeRepresentation attendu')
      this.that(slot(each, 'codingScheme')?.length === 1, name, 'un codingScheme attendu')
      this.that(!!label(each, 'Name'), name, 'libellé attendu')
    }
    return found
  }

  identifier(object: XmlElement, name: 'setPatient' | 'setSource' | 'setUnique' | 'patient' | 'unique'): string {
    const [found, ...others] = identifiers(object, scheme[name])
    this.that(found !== undefined && others.length === 0, name, 'exactement un attendu')
    this.that(of(found, 'registryObject') === this.location, name, 'registryObject ne désigne pas l’objet')
    const value = of(found, 'value')
    const isPatient = name === 'setPatient' || name === 'patient'
    this.that((isPatient ? insCx : oid).test(value), name, isPatient ? 'INS^^^&OID&ISO^NH attendu' : 'OID seul attendu')
    return value
  }

  author(author: XmlElement): readonly string[] {
    this.that(of(author, 'classifiedObject') === this.location, 'author', 'classifiedObject ne désigne pas l’objet')
    this.slot(author, 'authorPerson', 1, xcn)
    this.slot(author, 'authorSpecialty', 0, specialty)
    return this.slot(author, 'authorInstitution', 0, xon, 9).map((value) => value.split('^')[9] ?? '')
  }
}

/** `OID|INS` of a patientId. */
function patientOf(cx: string): string | undefined {
  const found = insCx.exec(cx)
  return found ? `${found[2]}|${found[1]}` : undefined
}

export function checkSubmissionSet(set: XmlElement, check: Check): Submitted {
  const id = of(set, 'id')
  const rules = new Rules(check, id, '§3.2 SubmissionSet')
  rules.slot(set, 'submissionTime', 1, second)
  rules.that(slot(set, 'intendedRecipient') === undefined, 'intendedRecipient', 'non utilisé')
  rules.that(of(set, 'home') === '' && of(set, 'lid') === '', 'home, lid', 'absents d’une soumission')
  const authors = classifications(set, scheme.setAuthor)
  rules.that(authors.length === 1, 'author', 'exactement un')
  const structures = authors.flatMap((author) => rules.author(author))
  rules.code(set, 'contentType', 1, 1)
  const nodes = all(set, ns.rim, 'Classification').filter((each) => of(each, 'classificationNode') === setNode)
  rules.that(nodes.length === 1, 'nœud', 'classificationNode du lot attendu')
  rules.that(oid.test(rules.identifier(set, 'setSource')), 'sourceId', 'OID attendu')
  const patient = patientOf(rules.identifier(set, 'setPatient'))
  return { id, uniqueId: rules.identifier(set, 'setUnique'), patient, structures, authors: authorsOf(authors) }
}

function authorsOf(authors: readonly XmlElement[]): string {
  return JSON.stringify(
    authors.map((each) => ['authorPerson', 'authorSpecialty', 'authorInstitution'].map((name) => slot(each, name))),
  )
}

/**
 * An ExtrinsicObject of TD2.1 or TD3.3a.
 * @param section paragraph that asks for it
 */
export function checkEntry(entry: XmlElement, section: string, check: Check): Submitted {
  const id = of(entry, 'id')
  const rules = new Rules(check, id, `${section} DocumentEntry`)
  rules.that(of(entry, 'objectType') === documentType, 'objectType', documentType)
  rules.that(of(entry, 'home') === '', 'home', 'non utilisé')
  rules.that(
    ['text/xml', 'application/xslt+xml', 'application/dicom'].includes(of(entry, 'mimeType')),
    'mimeType',
    'text/xml attendu : un PDF part dans un CDA',
  )
  rules.slot(entry, 'creationTime', 1, second)
  rules.slot(entry, 'languageCode', 1, /^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$/)
  rules.slot(entry, 'legalAuthenticator', 1, xcn)
  rules.slot(entry, 'serviceStartTime', 1, /^\d{4}(\d\d){0,5}$/)
  rules.slot(entry, 'serviceStopTime', 0, /^\d{4}(\d\d){0,5}$/)
  rules.slot(entry, 'sourcePatientId', 1, /^[^^]+\^{3}&[0-9.]+&ISO\^[A-Z]+$/)
  rules.slot(entry, 'sourcePatientInfo', 0, /^PID-\d+\|/, 99)
  rules.slot(entry, 'referenceIdList', 0, referenceId, 99)
  rules.slot(entry, 'hash', 0, /^[0-9a-f]{40}$/)
  rules.slot(entry, 'size', 0, /^\d+$/)
  const title = label(entry, 'Name') ?? ''
  rules.that(title !== '' && [...title].length <= 255, 'Name', 'titre de 1 à 255 caractères attendu')
  const authors = classifications(entry, scheme.author)
  rules.that(authors.length > 0, 'author', 'au moins un')
  const structures = authors.flatMap((author) => rules.author(author))
  for (const name of ['class', 'type', 'format', 'facility', 'practice'] as const) rules.code(entry, name, 1, 1)
  rules.code(entry, 'event', 0, 99)
  rules.code(entry, 'confidentiality', 1, 4)
  const confidentiality = confidentialityOf(entry)
  rules.that(confidentiality[0] === normal, 'confidentiality', 'N toujours, en premier')
  rules.that(
    confidentiality.slice(1).every((code) => labels.includes(code)),
    'confidentiality',
    'code inconnu du DMP',
  )
  const patient = patientOf(rules.identifier(entry, 'patient'))
  return { id, uniqueId: rules.identifier(entry, 'unique'), patient, structures, authors: authorsOf(authors) }
}

/** §3.2: hash and size may stay away; where they stand, they are those of the bytes that came. */
export function checkBytes(entry: XmlElement, bytes: Buffer | undefined, check: Check): void {
  const location = of(entry, 'id')
  const more = { location, code: 'XDSRepositoryMetadataError' }
  check.that(bytes !== undefined, '§3.1 Document', 'un Document par ExtrinsicObject', {
    location,
    code: 'XDSMissingDocument',
  })
  if (bytes === undefined) return
  const [hash, size] = [slot(entry, 'hash')?.[0], slot(entry, 'size')?.[0]]
  check.that(
    hash === undefined || hash === createHash('sha1').update(bytes).digest('hex'),
    '§3.2 hash',
    'autre que celui du document',
    more,
  )
  check.that(size === undefined || Number(size) === bytes.length, '§3.2 size', 'autre que celle du document', more)
}

/** §3.3, on top of what every entry has. */
export function checkSignatureEntry(entry: XmlElement, set: XmlElement, check: Check): void {
  const rules = new Rules(check, of(entry, 'id'), '§3.3 signature')
  const expected = {
    class: 'urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1 URN',
    type: 'E1762 ASTM',
    format: 'http://www.w3.org/2000/09/xmldsig# URN',
    event: '1.2.840.10065.1.12.1.14 1.2.840.10065.1.12',
  } as const
  for (const [name, code] of Object.entries(expected) as [keyof typeof expected, string][])
    rules.that(codesOf(entry, scheme[name]).join() === code, name, code)
  rules.that(
    confidentialityOf(entry).join() === [normal, ...labels.slice(0, 2)].join(),
    'confidentiality',
    'N, MASQUE_PS et INVISIBLE_PATIENT',
  )
  const submitted = slot(set, 'submissionTime')?.[0]
  for (const name of ['creationTime', 'serviceStartTime', 'serviceStopTime'])
    rules.that(slot(entry, name)?.[0] === submitted, name, 'égal à submissionTime')
  rules.that(slot(entry, 'languageCode')?.[0] === 'art', 'languageCode', 'art')
  rules.that(label(entry, 'Name') === 'Source', 'Name', 'Source')
  rules.that(first(entry, ns.rim, 'Description') === undefined, 'Description', 'absente')
  rules.that(slot(entry, 'sourcePatientInfo') === undefined, 'sourcePatientInfo', 'absent')
  const [patientId] = identifiers(entry, scheme.patient)
  rules.that(slot(entry, 'sourcePatientId')?.[0] === of(patientId, 'value'), 'sourcePatientId', 'l’INS')
  const [author] = classifications(set, scheme.setAuthor)
  const [own] = classifications(entry, scheme.author)
  const parts = ['authorPerson', 'authorInstitution', 'authorSpecialty']
  rules.that(
    parts.every((name) => slot(own, name)?.join() === slot(author, name)?.join()),
    'author',
    'celui du lot',
  )
  rules.that(
    slot(entry, 'legalAuthenticator')?.[0] === slot(author, 'authorPerson')?.[0],
    'legalAuthenticator',
    'l’auteur du lot',
  )
}
