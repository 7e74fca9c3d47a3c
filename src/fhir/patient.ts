/** TD0.2: existence and status of a DMP as `GET Patient?identifier=` (0 or 1 Patient), and the read of one. */
import type { Extension, Identifier, Patient } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import type { StatusAnswer } from '../operations/operations.ts'
import type { Demographics } from '../operations/ports.ts'
import { sendResource } from './answer.ts'
import { linksOf } from './paging.ts'
import type { Exchange } from './parts.ts'
import { patientOfToken } from './search-patient.ts'
import { readSearch } from './search-query.ts'
import { alternatives, invalid } from './search-values.ts'
import { sendSearchset } from './searchset.ts'

/** Names of the PDSm4DMP draft, which publishes no URLs yet. */
export const extensionBase = 'https://dmp-gateway.example.org/fhir/StructureDefinition'

export const patientParameters = {
  identifier: { type: 'token', documentation: 'urn:oid:AUTHORITY|INS; required.' },
} as const

export async function findPatient(exchange: Exchange): Promise<void> {
  const { parts, context, baseUrl, response, format } = exchange
  const search = readSearch(exchange.query, exchange, {
    known: patientParameters,
    sortable: {},
    defaultOrder: { by: '', descending: false },
  })
  const [parameter, ...others] = search.parameters
  const [token = '', ...more] = parameter ? alternatives(parameter) : []
  if (token === '' || others.length > 0 || more.length > 0 || parameter?.modifier !== undefined)
    throw invalid('identifier', 'must be there once: send identifier=urn:oid:AUTHORITY|INS.')
  const patient = await known(() => patientOfToken('identifier', token, exchange))
  const answer = patient && (await known(() => parts.operations.status(patient, context)))
  const links = linksOf(`${baseUrl}/Patient`, search.used, undefined)
  const matches = []
  if (patient !== undefined && answer !== undefined && !search.countOnly) {
    const resource = toPatient(patient, answer, exchange)
    matches.push({ fullUrl: `${baseUrl}/Patient/${resource.id ?? ''}`, resource })
  }
  await sendSearchset(response, format, { total: answer === undefined ? 0 : 1, links }, matches)
}

/** A search for what does not exist finds nothing; it is no error. */
async function known<T>(look: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'dmp-unknown') return undefined
    throw error
  }
}

export async function readPatient(exchange: Exchange): Promise<void> {
  const { parts, context, patientIds, request, response, format } = exchange
  const patient = patientIds.fromId(String(request.params.id))
  if (patient === undefined) throw new GatewayError({ code: 'not-found', detail: 'No Patient is known under this id.' })
  const answer = await parts.operations.status(patient, context)
  sendResource(response, 200, toPatient(patient, answer, exchange), format)
}

/** The Patient whose record was just opened or updated. */
export function openedPatient(patient: PatientKey, demographics: Demographics, id: string | undefined): Patient {
  return {
    resourceType: 'Patient',
    ...(id === undefined ? {} : { id }),
    identifier: [identifierOf(patient)],
    active: true,
    ...traits(demographics),
  }
}

export function identifierOf(patient: PatientKey): Identifier {
  const { authority, id } = splitPatientKey(patient)
  return { system: `urn:oid:${authority}`, value: id }
}

/** The Patient of a record: what the DMP says of it, never a source of identity. */
export function toPatient(
  patient: PatientKey,
  { facts, demographics }: StatusAnswer,
  { patientIds }: Exchange,
): Patient {
  const id = patientIds.toId(patient)
  return {
    resourceType: 'Patient',
    ...(id === undefined ? {} : { id }),
    extension: [
      ...(facts.status === 'closed' ? [closure(facts.closedAt)] : []),
      { url: `${extensionBase}/dmp-medecin-traitant`, valueBoolean: facts.treatingPhysician },
      { url: `${extensionBase}/dmp-statut-autorisation`, valueCode: facts.authorisation },
    ],
    identifier: [identifierOf(patient)],
    active: facts.status === 'active',
    ...(demographics ? traits(demographics) : {}),
  }
}

function closure(closedAt: string | undefined): Extension {
  return {
    url: `${extensionBase}/dmp-fermeture`,
    ...(closedAt === undefined
      ? { extension: [{ url: 'motifFermeture', valueString: 'DMP fermé' }] }
      : { extension: [{ url: 'dateFermeture', valueDateTime: closedAt }] }),
  }
}

export function traits({ family, given, gender, birthDate }: Demographics): Partial<Patient> {
  return {
    ...(family === undefined && given.length === 0
      ? {}
      : {
          name: [{ ...(family === undefined ? {} : { family }), ...(given.length === 0 ? {} : { given: [...given] }) }],
        }),
    ...(gender === undefined ? {} : { gender }),
    ...(birthDate === undefined ? {} : { birthDate }),
  }
}
