/** ITI-104 Patient Identity Feed FHIR: `PUT Patient?identifier=system|value` opens or updates a record of the embedded DMP. */
import type { ContactPoint, Patient } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import type { Demographics } from '../operations/ports.ts'
import { sendResource } from './answer.ts'
import { readResource } from './body.ts'
import type { Exchange } from './parts.ts'
import { openedPatient } from './patient.ts'
import { patientOfToken } from './search-patient.ts'
import { invalid } from './search-values.ts'

export async function feedPatient(exchange: Exchange): Promise<void> {
  const { request, response, parts, patientIds, context, format, baseUrl, query } = exchange
  const [token, ...others] = query.filter(([name]) => name === 'identifier').map(([, value]) => value)
  if (token === undefined || !token.includes('|') || others.length > 0)
    throw invalid('identifier', 'must be there once: send PUT Patient?identifier=urn:oid:AUTHORITY|IDENTIFIER.')
  const patient = patientOfToken('identifier', token, exchange)
  const body = await readResource(request, parts)
  try {
    const resource = asPatient(body.resource)
    requireSamePatient(resource, patient)
    const done = await parts.operations.open(patient, demographicsOf(resource), context)
    patientIds.remember(patient)
    const id = patientIds.toId(patient)
    const answer = openedPatient(patient, demographicsOf(resource), id)
    sendResource(response, done === 'created' ? 201 : 200, answer, format, {
      ...(id === undefined ? {} : { Location: `${baseUrl}/Patient/${id}` }),
    })
  } finally {
    await body.dispose()
  }
}

function asPatient(resource: { readonly resourceType: string }): Patient {
  if (!isPatient(resource))
    throw new GatewayError({ code: 'malformed', location: resource.resourceType, detail: 'Send a Patient.' })
  return resource
}

/** checkStructure has seen that it is what its type says. */
function isPatient(resource: { readonly resourceType: string }): resource is Patient {
  return resource.resourceType === 'Patient'
}

/** FHIR R4 http.html#cond-update: what the condition says and what the resource says must agree. */
function requireSamePatient({ identifier = [] }: Patient, patient: PatientKey): void {
  const { authority, id } = splitPatientKey(patient)
  if (
    identifier.length > 0 &&
    !identifier.some(({ system, value }) => system === `urn:oid:${authority}` && value === id)
  )
    throw new GatewayError({
      code: 'XDSPatientIdDoesNotMatch',
      location: 'Patient.identifier',
      detail: 'No identifier of the Patient is the one of the condition: send it, or no identifier.',
    })
}

function demographicsOf({ name = [], gender, birthDate, telecom = [] }: Patient): Demographics {
  const official = name.find(({ use }) => use === 'official') ?? name[0]
  return {
    given: official?.given ?? [],
    ...(official?.family === undefined ? {} : { family: official.family }),
    ...(gender === undefined ? {} : { gender }),
    // An incomplete date is none: what depends on age must not be guessed from a year
    ...(birthDate !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(birthDate) ? { birthDate } : {}),
    ...emailOf(telecom),
  }
}

/** The address the patient prefers (rank), or the first; never an old one. */
function emailOf(telecom: readonly ContactPoint[]): Pick<Demographics, 'email'> {
  const [best] = telecom
    .filter(({ system, use, value }) => system === 'email' && use !== 'old' && value !== undefined)
    .toSorted((a, b) => (a.rank ?? Number.POSITIVE_INFINITY) - (b.rank ?? Number.POSITIVE_INFINITY))
  const email = best?.value?.trim()
  // One address and nothing that could be read as two, or as another header of a message
  return email !== undefined && /^[^\s@<>,;:"()]{1,64}@[^\s@<>,;:"()]{1,255}$/.test(email) ? { email } : {}
}
