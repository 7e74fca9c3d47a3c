/** The one patient of a search, however the caller names it (ITI TF-2 3.67.4.1.2.1: patient or patient.identifier). */
import type { Reference } from '@medplum/fhirtypes'
import { GatewayError } from '../errors.ts'
import { isOid, type PatientKey, patientKey } from '../metadata/identifiers.ts'
import { fromFhirSystem } from '../nomenclature/index.ts'
import type { Exchange } from './parts.ts'
import { alternatives, invalid, type Parameter, parseToken, unescapeValue } from './search-values.ts'

const identifierNames: ReadonlySet<string> = new Set([
  'patient.identifier',
  'patient:identifier',
  'subject.identifier',
  'subject:identifier',
])
const referenceNames: ReadonlySet<string> = new Set(['patient', 'subject', 'patient:Patient', 'subject:Patient'])

/** Whether this parameter names the patient. */
export function namesPatient(parameter: Parameter): boolean {
  const name = fullName(parameter)
  return identifierNames.has(name) || referenceNames.has(name)
}

/**
 * The patient that all these parameters name. Throws GatewayError `invalid-parameter` when there is none or they differ,
 * `dmp-unknown` when the patient is not known under the name given.
 */
export function patientOf(parameters: readonly Parameter[], exchange: Exchange): PatientKey {
  const named = new Set(
    parameters.map((parameter) =>
      identifierNames.has(fullName(parameter))
        ? patientOfToken(parameter.name, onlyValue(parameter), exchange)
        : patientOfReference(parameter.name, unescapeValue(onlyValue(parameter)), exchange),
    ),
  )
  const [patient, ...others] = named
  if (patient === undefined)
    throw new GatewayError('invalid-parameter', {
      detail: 'Name the patient: send patient.identifier=urn:oid:AUTHORITY|IDENTIFIER (or patient=Patient/ID).',
    })
  if (others.length > 0) throw invalid('patient', 'and patient.identifier name different patients: send one.')
  return patient
}

function fullName({ name, modifier }: Parameter): string {
  return modifier === undefined ? name : `${name}:${modifier}`
}

function onlyValue(parameter: Parameter): string {
  const [value = '', ...others] = alternatives(parameter)
  if (others.length > 0) throw invalid(parameter.name, 'names several patients: send one search for each.')
  return value
}

/** `urn:oid:AUTHORITY|IDENTIFIER` as a search or a conditional URL has it. */
export function patientOfToken(name: string, value: string, { parts, patientIds }: Exchange): PatientKey {
  const { system, code = '' } = parseToken(value)
  if (system !== undefined) {
    const authority = fromFhirSystem(system)
    if (!isOid(authority) || code === '') throw invalid(name, 'must be urn:oid:AUTHORITY|IDENTIFIER.')
    return patientKey(authority, code)
  }
  if (parts.profile === 'ci-sis') throw invalid(name, 'needs the authority of the INS: send urn:oid:AUTHORITY|INS.')
  const [patient, ...others] = patientIds.withValue(code)
  if (others.length > 0) throw invalid(name, 'is used by several authorities: send urn:oid:AUTHORITY|IDENTIFIER.')
  if (patient === undefined) throw unknownPatient()
  return patient
}

/** An id, or a number without its authority, that was never given here. */
function unknownPatient(): GatewayError {
  return new GatewayError('dmp-unknown', {
    detail: 'Send the patient as urn:oid:AUTHORITY|INS, or by the id that a search of Patient gives.',
  })
}

/** `ID`, `Patient/ID`, `BASE/Patient/ID`. */
function patientOfReference(name: string, value: string, exchange: Exchange): PatientKey {
  const patient = exchange.patientIds.fromId(
    /^[^/:]+$/.test(value) ? value : (patientIdIn(value, exchange.baseUrl) ?? ''),
  )
  if (patient !== undefined) return patient
  if (patientIdIn(value, exchange.baseUrl) === undefined && /[/:]/.test(value))
    throw invalid(name, 'must be Patient/ID or the absolute URL of a Patient here.')
  throw unknownPatient()
}

/** The patient a resource names, by identifier or by reference. Throws GatewayError `profile-violation`, `dmp-unknown`. */
export function patientOfResource(named: Reference | undefined, location: string, exchange: Exchange): PatientKey {
  const { identifier, reference } = named ?? {}
  const authority = identifier?.system === undefined ? undefined : fromFhirSystem(identifier.system)
  if (authority !== undefined && isOid(authority) && identifier?.value) return patientKey(authority, identifier.value)
  const id = reference === undefined ? undefined : patientIdIn(reference, exchange.baseUrl)
  if (id !== undefined) {
    const patient = exchange.patientIds.fromId(id)
    if (patient === undefined) throw unknownPatient()
    return patient
  }
  throw new GatewayError({
    code: 'profile-violation',
    location,
    detail: 'Name the patient: identifier {system urn:oid:AUTHORITY, value INS}, or reference Patient/ID.',
  })
}

/** The id in `Patient/ID` or in its absolute URL here; undefined for a Patient elsewhere or anything else. */
export function patientIdIn(reference: string, baseUrl: string): string | undefined {
  const relative = reference.startsWith(`${baseUrl}/`) ? reference.slice(baseUrl.length + 1) : reference
  return /^Patient\/([A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/.exec(relative)?.[1]
}
