/**
 * Author ↔ author reference with contained resources. The parts of an author stay together (ITI TF-3 4.2.3.1.4):
 * - a person alone is a Practitioner, Patient or Device; one institution alone is an Organization;
 * - a professional with institutions, roles or specialties is a PractitionerRole that points to both;
 * - a Patient or Device keeps its institutions in managingOrganization or owner, its roles and specialties in extensions;
 * - institutions after the first are in an extension: several institutions of one author never overwrite each other.
 * Resources that are the same character for character are contained once; equal ids with different names stay apart.
 *
 * Read: contained, resolvable (UnContained option) or logical references. Roles of JDV_J47 become their display as
 * CI-SIS wants, other coded roles `code^^^&OID&ISO`; a profession (TRE_G15) and a savoir-faire make the combined
 * specialty of JDV_J01; other specialties `code^label^OID` (French systems) or `code^^^&OID&ISO`.
 */
import type {
  CodeableConcept,
  Device,
  Extension,
  Organization,
  Patient,
  Practitioner,
  PractitionerRole,
  Reference,
  Resource,
} from '@medplum/fhirtypes'
import { formatXtn, type Xcn, type Xon } from '../../metadata/hl7.ts'
import type { Author } from '../../metadata/model.ts'
import {
  mainIdentifier,
  readOrganization,
  readPersonResource,
  readTelecoms,
  writeOrganization,
  writePerson,
  writePractitioner,
  writeTelecom,
} from './person.ts'
import { defined, extensionsOf, type Found, type Reading, some } from './reading.ts'
import { readFunctions, writeRole, writeSpecialty } from './role.ts'
import { ext, oids } from './terms.ts'

/** The `contained` list of a resource being written. */
export class Contained {
  readonly list: Resource[] = []
  readonly #ids = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  /** A reference to the resource inside its container. */
  add(resource: Resource): { reference: string } {
    const key = JSON.stringify(resource)
    let id = this.#ids.get(key)
    if (id === undefined) {
      const type = resource.resourceType.toLowerCase()
      const count = (this.#counts.get(type) ?? 0) + 1
      this.#counts.set(type, count)
      id = `${type}-${count}`
      this.#ids.set(key, id)
      this.list.push({ ...resource, id } as Resource)
    }
    return { reference: `#${id}` }
  }
}

export type AuthorReference = Reference<Practitioner | PractitionerRole | Organization | Device | Patient>

export function writeAuthor(author: Author, contained: Contained): AuthorReference {
  const { person, institutions, roles, specialties, telecoms } = author
  const telecom = some(telecoms.map(writeTelecom))
  const functions = roles.length + specialties.length
  if (person === undefined && functions === 0 && institutions.length <= 1) {
    const [institution] = institutions
    return institution === undefined
      ? contained.add(defined<Practitioner>({ resourceType: 'Practitioner', telecom }))
      : contained.add(defined<Organization>({ ...writeOrganization(institution), telecom }))
  }
  const written = person && writePerson(person)
  if (written?.resourceType === 'Practitioner' && functions + institutions.length === 0)
    return contained.add(defined<Practitioner>({ ...written, telecom }))

  const [organization, ...others] = institutions.map((each) => contained.add(writeOrganization(each)))
  const further: Extension[] = others.map((each) => ({ url: ext.authorInstitution, valueReference: each }))
  if (written === undefined || written.resourceType === 'Practitioner')
    return contained.add(
      defined<PractitionerRole>({
        resourceType: 'PractitionerRole',
        extension: some(further),
        practitioner: written && contained.add(written),
        organization,
        code: some(roles.map(writeRole)),
        specialty: some(specialties.map(writeSpecialty)),
        telecom,
      }),
    )
  const extension = some([
    ...(written.extension ?? []),
    ...further,
    ...roles.map((each) => ({ url: ext.authorRole, valueCodeableConcept: writeRole(each) })),
    ...specialties.map((each) => ({ url: ext.authorSpecialty, valueCodeableConcept: writeSpecialty(each) })),
  ])
  return written.resourceType === 'Device'
    ? contained.add(defined<Device>({ ...written, extension, owner: organization, contact: telecom }))
    : contained.add(defined<Patient>({ ...written, extension, managingOrganization: organization, telecom }))
}

/** A legalAuthenticator. FHIR R4 allows a Practitioner there, not a Patient or Device: the identifier says which it is. */
export function writeAuthenticator(person: Xcn, contained: Contained): Reference<Practitioner> {
  return contained.add(writePractitioner(person))
}

// --- Reading --------------------------------------------------------------------------------------------------------

/** The rule an unusable reference breaks: DR_8 for author, DR_9 for authenticator (XDS-RULES §4.7). */
export function readAuthor(
  reference: Reference,
  location: string,
  reading: Reading,
  rule = 'DR_8',
): Author | undefined {
  const found = reading.follow(reference, location) ?? logical(reference, location)
  const author = found && authorOf(found, reading)
  if (found === undefined || author === undefined) return unusable(location, reading, rule)
  if (author.person === undefined && author.institutions.length + author.telecoms.length === 0)
    return reading.problems.error(location, 'The author has no identifier, name or telecom: send one of them.', {
      rule,
    })
  return author
}

export function readAuthenticator(reference: Reference, location: string, reading: Reading): Xcn | undefined {
  const found = reading.follow(reference, location) ?? logical(reference, location)
  const { problems } = reading
  switch (found?.resource.resourceType) {
    case 'Practitioner':
    case 'Patient':
      return readPersonResource(found.resource, found.location, problems, 'authenticator')
    case 'PractitionerRole':
      return personOfRole(found.resource, found.location, reading, 'authenticator')
    case 'Organization':
      return problems.lost(location, 'legalAuthenticator is a person: send a Practitioner or PractitionerRole.')
    default:
      return unusable(location, reading, 'DR_9')
  }
}

/** An institution by itself: custodian, authorOrg. */
export function readInstitution(reference: Reference, location: string, reading: Reading): Xon | undefined {
  const found = reading.follow(reference, location) ?? logical(reference, location, 'Organization')
  if (found?.resource.resourceType !== 'Organization') return unusable(location, reading)
  return readOrganization(found.resource, found.location, reading.problems)
}

function unusable(location: string, { problems }: Reading, rule?: string): undefined {
  const detail =
    'The reference leads to no person, device or organization: contain the resource in this one, or send its identifier and type.'
  return problems.error(location, detail, rule === undefined ? {} : { rule })
}

function authorOf({ resource, location }: Found, reading: Reading): Author | undefined {
  const { problems } = reading
  const none = { institutions: [], roles: [], specialties: [], telecoms: [] }
  switch (resource.resourceType) {
    case 'PractitionerRole':
      return authorOfRole(resource, location, reading)
    case 'Practitioner':
    case 'RelatedPerson':
      return defined<Author>({
        ...none,
        person: readPersonResource(resource, location, problems),
        telecoms: readTelecoms(resource.telecom, location, problems),
      })
    case 'Organization': {
      const named = resource.name !== undefined || mainIdentifier(resource.identifier) !== undefined
      const institution = named ? readOrganization(resource, location, problems) : undefined
      return {
        ...none,
        institutions: institution ? [institution] : [],
        telecoms: readTelecoms(resource.telecom, location, problems),
      }
    }
    case 'Patient':
    case 'Device': {
      const patient = resource.resourceType === 'Patient'
      const owner = patient ? resource.managingOrganization : resource.owner
      return defined<Author>({
        ...readFunctions(
          concepts(resource, ext.authorRole),
          concepts(resource, ext.authorSpecialty),
          location,
          problems,
        ),
        person: readPersonResource(resource, location, problems),
        institutions: institutionsOf(
          resource,
          owner,
          `${location}.${patient ? 'managingOrganization' : 'owner'}`,
          reading,
        ),
        telecoms: readTelecoms(patient ? resource.telecom : resource.contact, location, problems),
      })
    }
    default:
      return undefined
  }
}

function authorOfRole(role: PractitionerRole, location: string, reading: Reading): Author {
  const { problems } = reading
  const practitioner = reading.follow(role.practitioner, `${location}.practitioner`)
  const own = readTelecoms(role.telecom, location, problems)
  const known = new Set(own.map(formatXtn))
  const personal =
    practitioner?.resource.resourceType === 'Practitioner'
      ? readTelecoms(practitioner.resource.telecom, practitioner.location, problems)
      : []
  return defined<Author>({
    ...readFunctions(role.code ?? [], role.specialty ?? [], location, problems),
    person: personOfRole(role, location, reading),
    institutions: institutionsOf(role, role.organization, `${location}.organization`, reading),
    telecoms: [...own, ...personal.filter((xtn) => !known.has(formatXtn(xtn)))],
  })
}

/** The practitioner of a role; a role of the annuaire may carry the PS_IdNat itself. */
function personOfRole(
  role: PractitionerRole,
  location: string,
  reading: Reading,
  as?: 'author' | 'authenticator',
): Xcn | undefined {
  const at = `${location}.practitioner`
  const reference = role.practitioner
  const found = reference && (reading.follow(reference, at) ?? logical(reference, at, 'Practitioner'))
  if (found?.resource.resourceType === 'Practitioner')
    return readPersonResource(found.resource, found.location, reading.problems, as)
  if (reference !== undefined) return unusable(at, reading, as === 'authenticator' ? 'DR_9' : 'DR_8')
  const identifier = role.identifier?.find(({ system }) => system === `urn:oid:${oids.professional}`)
  return (
    identifier &&
    readPersonResource({ resourceType: 'Practitioner', identifier: [identifier] }, location, reading.problems, as)
  )
}

function institutionsOf(
  resource: PractitionerRole | Patient | Device,
  first: Reference | undefined,
  location: string,
  reading: Reading,
): readonly Xon[] {
  const further = extensionsOf(resource, ext.authorInstitution).map(({ valueReference }) => valueReference)
  return [first, ...further].flatMap((each) => (each && readInstitution(each, location, reading)) ?? [])
}

function concepts(resource: Patient | Device, url: string): CodeableConcept[] {
  return extensionsOf(resource, url).flatMap(({ valueCodeableConcept }) => valueCodeableConcept ?? [])
}

/**
 * A reference by identifier or display alone (FHIR R4 references.html#logical), as the resource it describes. Without a
 * type the identifier's system tells: structure or professional.
 */
function logical(
  reference: Reference,
  location: string,
  fallback?: 'Organization' | 'Practitioner',
): Found | undefined {
  const { identifier, display, type } = reference
  if (identifier?.value === undefined && (display === undefined || reference.reference !== undefined)) return undefined
  const identifiers = identifier?.value === undefined ? undefined : [identifier]
  const isStructure = [oids.structure, oids.siren].some((oid) => identifier?.system === `urn:oid:${oid}`)
  const isProfessional = identifier?.system === `urn:oid:${oids.professional}`
  const resourceType = type ?? fallback ?? (isStructure ? 'Organization' : isProfessional ? 'Practitioner' : undefined)
  const name = display === undefined ? undefined : [{ family: display }]
  switch (resourceType) {
    case 'Organization':
      return { location, resource: defined<Organization>({ resourceType, identifier: identifiers, name: display }) }
    case 'Practitioner':
    case 'PractitionerRole':
    case 'RelatedPerson':
      return {
        location,
        resource: defined<Practitioner>({ resourceType: 'Practitioner', identifier: identifiers, name }),
      }
    case 'Patient':
      return { location, resource: defined<Patient>({ resourceType, identifier: identifiers, name }) }
    case 'Device':
      return {
        location,
        resource: defined<Device>({
          resourceType,
          identifier: identifiers,
          deviceName: display === undefined ? undefined : [{ name: display, type: 'user-friendly-name' }],
        }),
      }
    default:
      return undefined
  }
}
