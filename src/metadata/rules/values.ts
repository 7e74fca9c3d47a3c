/** Rules on plain values: times, codes, identifiers, slots, authors: what every object has in common. */
import { isDtm } from '../dtm.ts'
import { isEntryUuid, isOid } from '../identifiers.ts'
import type { Author, Code, RegistryObject } from '../model.ts'
import type { Profile } from '../rules.ts'
import { checkLength, quoted, type Report } from './findings.ts'
import { checkXcn, checkXon, checkXtn } from './hl7-types.ts'

export function checkTime(value: string | undefined, rule: string, attribute: string, report: Report): void {
  if (value !== undefined && !isDtm(value)) {
    report(
      rule,
      attribute,
      `${quoted(value)} is no date and time: send UTC digits YYYY[MM[DD[hh[mm[ss]]]]] of a day that exists.`,
    )
  }
}

/** Rule C of XDS-RULES §1.2; whether the code is in a value set is an access rule (FE3). */
export function checkCode(code: Code | undefined, rule: string, attribute: string, report: Report): void {
  if (code === undefined) return
  if (code.code === '') report(rule, attribute, 'The code is empty: send nodeRepresentation.')
  if (code.system === '') report(rule, attribute, 'The codingScheme is empty: send the OID of the code system.')
  checkLength(code.system, attribute, report)
}

export function checkCodes(codes: readonly Code[], rule: string, attribute: string, report: Report): void {
  for (const [index, code] of codes.entries()) checkCode(code, rule, `${attribute}[${index}]`, report)
}

const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const EXTENSION = /^[\x21-\x5d\x5f-\x7e]{1,16}$/

/**
 * uniqueId: an OID (2.25.… of a UUID included), for a document also `OID^extension` with at most 16 characters (D11).
 * MHD sources may give `urn:uuid:…` as masterIdentifier (ITI TF-3 4.5.1.1): taken as it is for every object.
 */
export function checkUniqueId(value: string, kind: RegistryObject['kind'], report: Report): void {
  if (UUID.test(value) || isOid(value)) return
  const rule = kind === 'DocumentEntry' ? 'D11' : 'M13'
  const found = value === '' ? 'The uniqueId is missing' : `${quoted(value)} is no uniqueId`
  if (kind !== 'DocumentEntry') {
    report(rule, 'uniqueId', `${found}: send an OID of at most 64 characters, or urn:uuid: and a UUID.`)
    return
  }
  const caret = value.indexOf('^')
  if (caret < 0 || !isOid(value.slice(0, caret)) || !EXTENSION.test(value.slice(caret + 1))) {
    report(
      rule,
      'uniqueId',
      `${found}: send an OID of at most 64 characters, OID^extension (16), or urn:uuid: and a UUID.`,
    )
  }
}

/** What ebRIM gives every object: identifiers, version, home, extra slots. */
export function checkObject(object: RegistryObject, report: Report): void {
  if (!isEntryUuid(object.entryUuid)) {
    report('C1', 'entryUUID', `${quoted(object.entryUuid)} is no entryUUID: send urn:uuid: and a lower-case UUID.`)
  }
  if (!isEntryUuid(object.logicalId)) {
    report('C1', 'logicalId', `${quoted(object.logicalId)} is no lid: send urn:uuid: and a lower-case UUID.`)
  }
  if (!Number.isSafeInteger(object.version) || object.version < 1) {
    report('C2', 'version', 'The version is no whole number from 1: send VersionInfo/@versionName as digits.')
  }
  const home = object.homeCommunityId
  if (home !== undefined && !(home.startsWith('urn:oid:') && isOid(home.slice(8)) && home.length <= 64)) {
    report('C3', 'homeCommunityId', `${quoted(home)} is no home community: send urn:oid: and an OID.`)
  }
  checkExtra(object, report)
}

function checkExtra({ extra }: RegistryObject, report: Report): void {
  const seen = new Set<string>()
  for (const { name, values } of extra) {
    if (seen.has(name)) report('C5', name, 'The slot occurs twice in one object: send one slot with all its values.')
    seen.add(name)
    if (!name.startsWith('urn:')) {
      report('C5', name, 'The slot is unknown here: the name of an additional slot begins with urn:.')
    } else if (name.startsWith('urn:ihe:')) {
      report(
        'T14',
        name,
        'IHE defines no such slot here: names that begin with urn:ihe: are its own.',
        'XDSRegistryError',
      )
    }
    if (values.length === 0 || values.includes('')) report('C5', name, 'A value is empty: send a value, or no slot.')
    for (const value of values) checkLength(value, name, report)
  }
}

/** C8 and M7; the French cardinalities are CS5. */
export function checkAuthors(authors: readonly Author[], profile: Profile, report: Report): void {
  for (const [index, author] of authors.entries()) {
    const at = (part: string, position?: number) =>
      `author[${index}].${part}${position === undefined ? '' : `[${position}]`}`
    const { person, institutions, roles, specialties, telecoms } = author
    if (person) checkXcn(person, profile, 'C8', at('authorPerson'), report)
    for (const [n, each] of institutions.entries()) checkXon(each, profile, 'C8', at('authorInstitution', n), report)
    for (const [n, each] of telecoms.entries()) checkXtn(each, 'C8', at('authorTelecommunication', n), report)
    checkTexts(roles, (n) => at('authorRole', n), report)
    checkTexts(specialties, (n) => at('authorSpecialty', n), report)
    if (profile === 'ci-sis') checkFrenchAuthor(author, (part) => at(part), report)
    else if (person === undefined && institutions.length === 0 && telecoms.length === 0) {
      report('M7', `author[${index}]`, 'The author has no person, institution or telecommunication: send one of them.')
    }
  }
}

function checkTexts(texts: readonly string[], attribute: (index: number) => string, report: Report): void {
  for (const [index, text] of texts.entries()) {
    if (text.trim() === '') report('C8', attribute(index), 'The value is empty: send a value, or none.')
    checkLength(text, attribute(index), report)
  }
}

function checkFrenchAuthor(author: Author, at: (part: string) => string, report: Report): void {
  if (author.person === undefined) {
    report('CS2', at('authorPerson'), 'authorPerson is missing: send the person, device or patient who wrote it.')
  }
  if (author.institutions.length > 1) {
    report('CS5', at('authorInstitution'), 'An author has one institution: send one, or several authors.')
  }
  if (author.specialties.length > 1) {
    report('CS5', at('authorSpecialty'), 'An author has one specialty: send the one of this document.')
  }
}
