/** TD0.4: the DMPs that the person of the VIHF, or its structure, is authorised to consult (DMP-SERVICES §2.5). */
import { patientKey } from '../../metadata/identifiers.ts'
import type { AuthorisedList, AuthorisedQuery, AuthorisedRecord } from '../../operations/ports.ts'
import { child, children, type XmlElement } from '../../xml/tree.ts'
import { instantOf, outputOf, textOf, unusable } from './output.ts'
import type { Templates } from './template.ts'

const patients = 'urn:si-dmp-patients'
const listing = 'patientList'
/** LASTAUTORIZATION lacks its H in the contract. */
const dateTypes = { authorisation: 'LASTAUTORIZATION', document: 'LASTDOC' } as const
/** NIR, NIA, and the INS of test and of demonstration; an INS-C (…4.2) is none. */
const insAuthorities: ReadonlySet<string> = new Set(['8', '9', '10', '11'].map((last) => `1.2.250.1.213.1.4.${last}`))

export const patientListAction = 'urn:si-dmp-patients:PatientSpecificEndPoint:patientList'

export function writePatientList(templates: Templates, { by, since }: Pick<AuthorisedQuery, 'by' | 'since'>): Buffer {
  const startDate = new Date(since).toISOString().replace(/\D/g, '').slice(0, 14)
  return templates('patient-list', { startDate, dateType: dateTypes[by] })
}

/** Throws GatewayError dmp-refused, or dmp-answer-invalid for a row that breaks the shape. */
export function readPatientList(answer: XmlElement): AuthorisedList {
  const rows = children(outputOf(answer, patients, listing), patients, 'patientlistData')
  const records = rows.flatMap((row) => recordOf(row) ?? [])
  return { records, judged: true, unidentified: rows.length - records.length }
}

/** Undefined without an INS: the record cannot be asked for. */
function recordOf(row: XmlElement): AuthorisedRecord | undefined {
  const [lastName, birthFamily] = [textOf(row, 'lastName'), textOf(row, 'patronymicalName')]
  const [given, prefix] = [textOf(row, 'firstName'), textOf(row, 'civility')]
  const birthDate = birthDateOf(row)
  const lastAccess = instantOf(row, 'lastAccessDate', listing)
  const lastUpdate = instantOf(row, 'lastUpdateDate', listing)
  const lastAdd = instantOf(row, 'lastAddDate', listing)
  const treatingPhysician = flagOf(row, 'MT')
  const ins = children(row, patients, 'patientIdentifier')
    .map((each) => ({ authority: textOf(each, 'nationalIdType') ?? '', id: textOf(each, 'nationalId') ?? '' }))
    .find(({ authority, id }) => insAuthorities.has(authority) && /^[0-9A-Z]{15}$/.test(id))
  if (ins === undefined) return undefined
  return {
    patient: patientKey(ins.authority, ins.id),
    demographics: {
      given: given === undefined ? [] : [given],
      ...(lastName !== undefined && { family: lastName }),
      ...(birthFamily !== undefined && { birthFamily }),
      ...(prefix !== undefined && { prefix }),
      ...(birthDate !== undefined && { birthDate }),
    },
    treatingPhysician,
    ...(lastAccess !== undefined && { lastAccess }),
    ...(lastUpdate !== undefined && { lastUpdate }),
    ...(lastAdd !== undefined && { lastAdd }),
  }
}

/** yyyyMMdd as an ISO date; a day that is not known (00) leaves none. */
function birthDateOf(row: XmlElement): string | undefined {
  const value = textOf(row, 'dateOfBirth')
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(value ?? '') ?? []
  if (value !== undefined && year === undefined) throw unusable(listing, 'dateOfBirth is not yyyyMMdd')
  const iso = `${year}-${month}-${day}`
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso ? undefined : iso
}

/** xs:boolean; a flag that bears on nobody's rights is read, and not guessed. */
function flagOf(row: XmlElement, local: string): boolean {
  const value = child(row, patients, local)?.text.trim()
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0' || value === undefined) return false
  throw unusable(listing, `${local} is no boolean`)
}
