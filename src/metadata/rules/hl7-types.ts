/** Rules on CX, CXi, XCN, XON and XTN (XDS-RULES §1.2 data types, C10, D7), strict but for the French components. */
import {
  type Cx,
  formatCx,
  formatXcn,
  formatXon,
  formatXtn,
  type Hd,
  isDottedNumber,
  isIsoAuthority,
  parseHd,
  type Rest,
  type Xcn,
  type Xon,
  type Xtn,
} from '../hl7.ts'
import type { Profile } from '../rules.ts'
import { checkLength, type Report } from './findings.ts'

type Check = (detail: string) => void

const AUTHORITY = 'send &OID&ISO with an empty first part and an OID of at most 64 characters'

/** The authority that parsing understood, or the text it did not. */
function checkAuthority(hd: Hd | undefined, asReceived: string | undefined, component: string, fail: Check): void {
  if (asReceived !== undefined || (hd !== undefined && !isIsoAuthority(hd))) {
    fail(`${component} is not an assigning authority: ${AUTHORITY}.`)
  }
}

function surplus(rest: Rest | undefined, ...allowed: readonly number[]): readonly number[] {
  return Object.keys(rest ?? {})
    .map(Number)
    .filter((number) => !allowed.includes(number))
}

/**
 * patientId, sourcePatientId: `id^^^&OID&ISO` (C10). CX.5 is taken in both profiles: CI-SIS requires it, IHE leaves it
 * empty. Further components only in `ci-sis`, whose published samples carry CX.7.
 */
export function checkCx(cx: Cx, profile: Profile, rule: string, attribute: string, report: Report): void {
  const fail: Check = (detail) => report(rule, attribute, detail)
  checkLength(formatCx(cx), attribute, report)
  if (cx.id === '') fail('CX.1 is empty: send the identifier there.')
  if (cx.assigningAuthority === undefined && cx.rest?.[4] === undefined) fail(`CX.4 is missing: ${AUTHORITY}.`)
  checkAuthority(cx.assigningAuthority, cx.rest?.[4], 'CX.4', fail)
  const more = surplus(cx.rest, 4)
  if (profile === 'ihe' && more.length > 0) fail(`CX.${more.join(', CX.')} must be empty: send id^^^&OID&ISO.`)
}

/** referenceIdList: `id^^^authority^type^homeCommunity` (M32). The authority may be a namespace alone, except in France. */
export function checkCxi(cxi: Cx, profile: Profile, attribute: string, report: Report): void {
  const fail: Check = (detail) => report('M32', attribute, detail)
  checkLength(formatCx(cxi), attribute, report)
  const authority = cxi.assigningAuthority
  if (cxi.id === '') fail('CXi.1 is empty: send the identifier there.')
  if (cxi.typeCode === undefined) fail('CXi.5 is missing: send a type such as urn:ihe:iti:xds:2013:accession.')
  if (cxi.rest?.[4] !== undefined) fail(`CXi.4 is not an assigning authority: ${AUTHORITY}.`)
  if (authority !== undefined && !isIsoAuthority(authority)) {
    const complete = authority.universalId !== undefined && authority.universalIdType !== undefined
    const bare = authority.universalId === undefined && authority.universalIdType === undefined
    if (!complete && !(bare && authority.namespaceId !== undefined)) {
      fail('CXi.4 is incomplete: send &OID&ISO, or a namespace alone.')
    }
  }
  if (profile === 'ci-sis' && !isIsoAuthority(authority)) {
    report('CS7', attribute, `CXi.4 must name who gave the identifier: ${AUTHORITY}.`)
  }
  const home = cxi.rest?.[6]
  if (home !== undefined && parseHd(home) === undefined) fail('CXi.6 is not an assigning authority: send &OID&ISO.')
  const more = surplus(cxi.rest, 4, 6)
  if (more.length > 0) fail(`CXi.${more.join(', CXi.')} must be empty: send id^^^&OID&ISO^type.`)
}

const FRENCH_PERSON = 'id^NOM^Prénom^^^^^^&OID&ISO^D^^^IDNPS'

/** authorPerson, legalAuthenticator, recipient. In `ci-sis` the French form as well (CS3). */
export function checkXcn(xcn: Xcn, profile: Profile, rule: string, attribute: string, report: Report): void {
  const fail: Check = (detail) => report(rule, attribute, detail)
  checkLength(formatXcn(xcn), attribute, report)
  const family = xcn.family?.split('&')[0] ?? ''
  if (xcn.id === undefined && family === '') fail('XCN has neither identifier nor name: send XCN.1 or XCN.2.')
  if (xcn.assigningAuthority !== undefined && xcn.id === undefined) {
    fail('XCN.9 stands without XCN.1: send the identifier, or no authority.')
  }
  checkAuthority(xcn.assigningAuthority, xcn.rest?.[9], 'XCN.9', fail)
  if (profile !== 'ci-sis') return
  const missing = [
    ...(xcn.id === undefined ? ['XCN.1'] : []),
    ...(isIsoAuthority(xcn.assigningAuthority) ? [] : ['XCN.9']),
    ...(xcn.idType === undefined ? ['XCN.13'] : []),
  ]
  if (missing.length > 0) report('CS3', attribute, `${missing.join(', ')} is missing: send ${FRENCH_PERSON}.`)
  if (xcn.nameType !== 'D' && xcn.nameType !== 'U') {
    report('CS3', attribute, 'XCN.10 is neither D nor U: send D for a person, U for a device or system.')
  }
}

/** authorInstitution, recipient. XON.7 is taken in both profiles; in `ci-sis` the French form is required (CS4). */
export function checkXon(xon: Xon, profile: Profile, rule: string, attribute: string, report: Report): void {
  const fail: Check = (detail) => report(rule, attribute, detail)
  checkLength(formatXon(xon), attribute, report)
  if (xon.name === '') fail('XON.1 is empty: send the name of the organization there.')
  checkAuthority(xon.assigningAuthority, xon.rest?.[6], 'XON.6', fail)
  const authority = xon.assigningAuthority
  if (xon.id !== undefined && authority === undefined && !isDottedNumber(xon.id)) {
    fail('XON.10 is no OID and XON.6 names no authority: send an OID in XON.10, or &OID&ISO in XON.6.')
  }
  const more = surplus(xon.rest, 6)
  if (more.length > 0) fail(`XON.${more.join(', XON.')} must be empty: send name^^^^^&OID&ISO^type^^^id.`)
  if (profile === 'ci-sis') checkFrenchStructure(xon, attribute, report)
}

/** The two registries of the logical model AuthorInstitution: XON.7 → OID of XON.6. */
const structureAuthorities: Readonly<Record<string, string>> = { IDNST: '1.2.250.1.71.4.2.2', SIREN: '1.3.2' }

function checkFrenchStructure(xon: Xon, attribute: string, report: Report): void {
  const expected = structureAuthorities[xon.idType ?? '']
  if (xon.id === undefined || expected === undefined || xon.assigningAuthority?.universalId !== expected) {
    const forms = Object.entries(structureAuthorities).map(([type, oid]) => `NOM^^^^^&${oid}&ISO^${type}^^^id`)
    report('CS4', attribute, `XON.6, XON.7 and XON.10 are not those of a French structure: send ${forms.join(' or ')}.`)
  }
}

const PHONE_PARTS = [1, 5, 6, 7, 8, 9, 10, 11]

/** authorTelecommunication, recipient: an address on the Internet, or one telephone number. */
export function checkXtn(xtn: Xtn, rule: string, attribute: string, report: Report): void {
  const fail: Check = (detail) => report(rule, attribute, detail)
  checkLength(formatXtn(xtn), attribute, report)
  const parts = surplus(xtn.rest)
  if (xtn.type === 'Internet') {
    if (!xtn.email?.includes('@')) fail('XTN.4 holds no e-mail address: send ^^Internet^name@host.')
    if (xtn.use !== undefined && xtn.use !== 'NET') fail('XTN.2 of an Internet address is empty or NET.')
    if (xtn.unformatted !== undefined || parts.length > 0)
      fail('An Internet address has no telephone parts: leave XTN.5 to XTN.12 empty.')
  } else if (xtn.type === 'PH' || xtn.type === 'CP') {
    if (xtn.use === 'NET' || xtn.email !== undefined)
      fail('A telephone has no XTN.2 NET and no XTN.4: send ^WPN^PH^^^^^^^^^number.')
    if ((xtn.rest?.[7] === undefined) === (xtn.unformatted === undefined)) {
      fail('Exactly one of XTN.7 and XTN.12 holds the number: send ^WPN^PH^^^^^^^^^number.')
    }
    if (parts.some((number) => !PHONE_PARTS.includes(number))) fail('XTN.13 and beyond must be empty.')
  } else fail('XTN.3 is none of Internet, PH and CP: send one of these.')
}
