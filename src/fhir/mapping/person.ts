/**
 * XCN ↔ Practitioner, Patient or Device; XON ↔ Organization; XTN ↔ ContactPoint. A person is a Device when XCN.10 is U,
 * a Patient when the identifier is an INS, else a Practitioner. Read from FHIR, XCN.10 is U for a Device and D where the
 * identifier is French (DMP-FACTS §3.1). Addresses, photos, qualifications and links are not metadata and stay behind.
 */
import type {
  ContactPoint,
  Device,
  HumanName,
  Identifier,
  Organization,
  Patient,
  Practitioner,
  RelatedPerson,
} from '@medplum/fhirtypes'
import {
  type Cx,
  formatXcn,
  formatXon,
  formatXtn,
  parseXcn,
  parseXon,
  parseXtn,
  type Xcn,
  type Xon,
  type Xtn,
} from '../../metadata/hl7.ts'
import { escaped, type Form, plain, readExact, writeExact } from './hl7v2.ts'
import { nationalForm, readIdentifier, systemOf, withOid, writeIdentifier } from './identifier.ts'
import { memoised } from './memo.ts'
import { defined, extensionOf, type Problems, some } from './reading.ts'
import { ext, isInsAuthority, oids } from './terms.ts'

export type PersonResource = Practitioner | Patient | Device
/** A RelatedPerson is read as the person it is; XDS cannot say for whom. */
export type ReadablePerson = PersonResource | RelatedPerson

// --- Names ----------------------------------------------------------------------------------------------------------

interface NameParts {
  readonly family?: string
  readonly given?: string
  readonly furtherGiven?: string
  readonly suffix?: string
  readonly prefix?: string
}

/** XCN.2–6 and the same components of XPN. Further given names are separate in FHIR. */
export function writeName({ family, given, furtherGiven, suffix, prefix }: NameParts): HumanName | undefined {
  const name = defined<HumanName>({
    family: plain(family),
    given: some([...(given ? [plain(given)] : []), ...(plain(furtherGiven)?.split(' ') ?? [])]),
    prefix: prefix ? [plain(prefix)] : undefined,
    suffix: suffix ? [plain(suffix)] : undefined,
  })
  return Object.keys(name).length === 0 ? undefined : name
}

/** A name that is only a text becomes the family name. */
export function readName(name: HumanName | undefined): NameParts {
  if (name === undefined) return {}
  const [given, ...further] = name.given ?? []
  return defined<NameParts>({
    family: escaped(name.family ?? (given === undefined ? name.text : undefined)),
    given: escaped(given),
    furtherGiven: escaped(further.length > 0 ? further.join(' ') : undefined),
    suffix: escaped(name.suffix?.join(' ')),
    prefix: escaped(name.prefix?.join(' ')),
  })
}

/** The legal name first. */
export function mainName(names: readonly HumanName[] | undefined): HumanName | undefined {
  return names?.find(({ use }) => use === 'official') ?? names?.[0]
}

// --- Persons and devices --------------------------------------------------------------------------------------------

function identifierOf({ id, assigningAuthority, idType }: Xcn | Xon): Identifier[] | undefined {
  if (id === undefined) return undefined
  return [writeIdentifier(defined<Cx>({ id, assigningAuthority, typeCode: idType }))]
}

function personOf(person: Xcn): PersonResource {
  const identifier = identifierOf(person)
  if (person.nameType === 'U') {
    const { family, given } = person
    return defined<Device>({
      resourceType: 'Device',
      identifier,
      deviceName: family === undefined ? undefined : [{ name: plain(family), type: 'user-friendly-name' }],
      modelNumber: plain(given),
    })
  }
  const name = writeName(person)
  const names = name && [name]
  return isInsAuthority(person.assigningAuthority?.universalId)
    ? defined<Patient>({ resourceType: 'Patient', identifier, name: names })
    : defined<Practitioner>({ resourceType: 'Practitioner', identifier, name: names })
}

/** The identifier that XCN.1 can hold: a national one (PS_IdNat, Struct_IdNat, INS) before any other. */
export function mainIdentifier(identifiers: readonly Identifier[] | undefined): Identifier | undefined {
  const valued = identifiers?.filter(({ value }) => value !== undefined).map(nationalForm)
  return valued?.find(({ system }) => isNational(system)) ?? valued?.[0]
}

function isNational(system: string | undefined): boolean {
  const oid = system?.replace('urn:oid:', '')
  return oid === oids.professional || oid === oids.structure || isInsAuthority(oid)
}

function readPerson(resource: ReadablePerson): Xcn {
  const cx = idParts(mainIdentifier(resource.identifier))
  if (resource.resourceType === 'Device') {
    const name = resource.deviceName?.[0]?.name ?? resource.manufacturer ?? resource.distinctIdentifier
    return defined<Xcn>({
      ...cx,
      family: escaped(name),
      given: escaped(resource.modelNumber),
      nameType: 'U',
    })
  }
  const french = isNational(systemOf(cx.assigningAuthority))
  return { ...cx, ...readName(mainName(resource.name)), ...(french && { nameType: 'D' }) }
}

function idParts(identifier: Identifier | undefined): Pick<Xcn, 'id' | 'assigningAuthority' | 'idType'> {
  const cx = identifier && readIdentifier(identifier)
  const { id, assigningAuthority, typeCode } = cx ? withOid(cx) : {}
  return defined({ id, assigningAuthority, idType: typeCode })
}

const personForm: Form<Xcn, ReadablePerson> = {
  write: personOf,
  read: readPerson,
  format: formatXcn,
  parse: parseXcn,
}

/** A legalAuthenticator: FHIR allows no Patient or Device there, so every person is a Practitioner. */
const practitionerForm: Form<Xcn, ReadablePerson> = {
  ...personForm,
  write: (person) => {
    const name = writeName(person)
    return defined<Practitioner>({
      resourceType: 'Practitioner',
      identifier: identifierOf(person),
      name: name && [name],
    })
  },
}

export const writePerson = memoised((person: Xcn) => writeExact(personForm, person) as PersonResource)

export const writePractitioner = memoised((person: Xcn) => writeExact(practitionerForm, person) as Practitioner)

/** Undefined for a resource that names nobody: it may still have telecoms. */
export function readPersonResource(
  resource: ReadablePerson,
  location: string,
  problems: Problems,
  as: 'author' | 'authenticator' = 'author',
): Xcn | undefined {
  const form = as === 'author' ? personForm : practitionerForm
  const person = readExact(form, resource, location, problems)
  const main = mainIdentifier(resource.identifier)
  const isMain = ({ system, value }: Identifier) => system === main?.system && value === main?.value
  for (const [index, each] of (resource.identifier ?? []).entries())
    if (!isMain(nationalForm(each)))
      problems.lost(
        `${location}.identifier[${index}]`,
        'A person has one identifier in XDS: the national one, or the first.',
      )
  // XCN.10 alone (U for any Device) names nobody, unless XDS had it so.
  const { nameType, ...named } = person ?? {}
  return Object.keys(named).length > 0 || extensionOf(resource, ext.hl7v2) ? person : undefined
}

// --- Organizations --------------------------------------------------------------------------------------------------

const organizationForm: Form<Xon, Organization> = {
  write: (xon) =>
    defined<Organization>({
      resourceType: 'Organization',
      identifier: identifierOf(xon),
      name: xon.name === '' ? undefined : plain(xon.name),
    }),
  read: ({ identifier, name }) => ({ ...idParts(mainIdentifier(identifier)), name: escaped(name ?? '') }),
  format: formatXon,
  parse: parseXon,
}

export const writeOrganization = memoised((xon: Xon) => writeExact(organizationForm, xon))

/** XON.1 is required (ITI TF-3 4.2.3.1.7): an Organization without a name is shown by its identifier, with a warning. */
export function readOrganization(resource: Organization, location: string, problems: Problems): Xon | undefined {
  const xon = readExact(organizationForm, resource, location, problems)
  if (xon === undefined || xon.name !== '') return xon
  if (xon.id === undefined)
    return problems.error(location, 'Send the name of the Organization, and its identifier where it has one.')
  problems.warn(`${location}.name`, 'The Organization has no name: its identifier stands in its place.')
  return { ...xon, name: xon.id }
}

// --- Telecoms -------------------------------------------------------------------------------------------------------

const uses: Readonly<Record<string, NonNullable<ContactPoint['use']>>> = { WPN: 'work', PRN: 'home' }
const codesOfUse: Readonly<Record<string, string>> = { work: 'WPN', home: 'PRN' }

/** XTN knows e-mail and telephone (ITI TF-3 table 4.2.3.1.7-2); CP is a mobile telephone. */
const telecomForm: Form<Xtn, ContactPoint> = {
  write: ({ use, type, email, unformatted, rest }) => {
    if (email !== undefined) return { system: 'email', value: plain(email) }
    const parts = [rest?.[5] && `+${rest[5]}`, rest?.[6], rest?.[7], rest?.[8] && `#${rest[8]}`]
    const number = unformatted ?? parts.filter(Boolean).join(' ')
    if (number === '') return {}
    const system = type === 'FX' ? 'fax' : type === 'PH' || type === 'CP' ? 'phone' : 'other'
    return defined<ContactPoint>({ system, value: plain(number), use: type === 'CP' ? 'mobile' : uses[use ?? ''] })
  },
  read: ({ system, value, use }) => {
    if (value === undefined) return undefined
    if (system === 'email') return { type: 'Internet', email: escaped(value) }
    if (system !== 'phone' && system !== 'sms') return undefined
    if (use === 'mobile' || system === 'sms') return { type: 'CP', unformatted: escaped(value) }
    return defined<Xtn>({ use: codesOfUse[use ?? ''], type: 'PH', unformatted: escaped(value) })
  },
  format: formatXtn,
  parse: parseXtn,
}

export function writeTelecom(xtn: Xtn): ContactPoint {
  return writeExact(telecomForm, xtn)
}

export function readTelecoms(
  telecoms: readonly ContactPoint[] | undefined,
  location: string,
  problems: Problems,
): readonly Xtn[] {
  return (telecoms ?? []).flatMap((each, index) => {
    const at = `${location}.telecom[${index}]`
    const xtn = readExact(telecomForm, each, at, problems)
    if (xtn === undefined) problems.lost(at, 'Only e-mail addresses and telephone numbers are kept.')
    return xtn ?? []
  })
}
