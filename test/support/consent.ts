/** A patient's choices as an outside tool sends them (INTERFACE, Patient's choices). */
import type { Consent, ConsentProvision, Parameters } from '@medplum/fhirtypes'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import type { FhirClient, FhirReply, FhirRequest } from './fhir-client.ts'
import type { TestPatient } from './people.ts'

const terminology = 'http://terminology.hl7.org/CodeSystem'

export function aConsent(patient: TestPatient, provision: ConsentProvision, changes: Partial<Consent> = {}): Consent {
  return {
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: `${terminology}/consentscope`, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { identifier: { system: `urn:oid:${patient.authority}`, value: patient.ins } },
    provision,
    ...changes,
  }
}

export type ProvisionType = 'permit' | 'deny'

const purpose = (code: string) => ({ purpose: [{ system: `${terminology}/v3-ActReason`, code }] })
const action = (code: string) => ({ action: [{ coding: [{ system: `${terminology}/consentaction`, code }] }] })
const masked = { securityLabel: [{ code: 'MASQUE_PS' }] }

export const provisions = {
  breakGlass: (type: ProvisionType) => ({ type, ...purpose('BTG') }),
  regulation: (type: ProvisionType) => ({ type, ...purpose('ETREAT') }),
  maskedInEmergency: (type: ProvisionType) => ({ type, ...purpose('BTG'), ...masked }),
  consultation: (type: ProvisionType) => ({ type, ...action('access') }),
  feeding: (type: ProvisionType) => ({ type, ...action('collect') }),
  initialConsent: (type: ProvisionType) => ({ type, ...purpose('TREAT') }),
  person: (type: ProvisionType, id: string) => ({
    type,
    actor: [
      {
        role: { coding: [{ system: `${terminology}/v3-ParticipationType`, code: 'IRCP' }] },
        reference: { identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value: id } },
      },
    ],
  }),
} as const satisfies Record<string, (type: ProvisionType, id: string) => ConsentProvision>

/** `POST Consent`. */
export async function choose(
  fhir: FhirClient,
  who: IdentityOptions,
  patient: TestPatient,
  provision: ConsentProvision,
  request: FhirRequest = {},
): Promise<FhirReply> {
  return fhir.call(who, 'POST', '/Consent', { ...request, body: aConsent(patient, provision) })
}

/** `POST Patient/$name?identifier=…`. */
export async function operate(
  fhir: FhirClient,
  who: IdentityOptions,
  name: string,
  patient: TestPatient,
  parameter: NonNullable<Parameters['parameter']> = [],
): Promise<FhirReply> {
  const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
  const body = parameter.length === 0 ? {} : { body: { resourceType: 'Parameters', parameter } }
  return fhir.call(who, 'POST', `/Patient/$${name}?identifier=${token}`, body)
}

/** `GET Consent?patient.identifier=…`. */
export async function consentsOf(
  fhir: FhirClient,
  who: IdentityOptions,
  patient: TestPatient,
  request: FhirRequest = {},
): Promise<{ readonly reply: FhirReply; readonly consents: readonly Consent[] }> {
  const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
  const reply = await fhir.call(who, 'GET', `/Consent?patient.identifier=${token}`, request)
  const bundle = reply.json as unknown as { entry?: { resource: Consent }[] } | undefined
  return { reply, consents: (bundle?.entry ?? []).map(({ resource }) => resource) }
}
