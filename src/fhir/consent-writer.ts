/** The choices in force as Consents: one each, and one for every person that the reader may know of. */
import { createHash } from 'node:crypto'
import type { Consent, ConsentProvision } from '@medplum/fhirtypes'
import { MASKED } from '../access/confidentiality.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import { codeOf, toFhirSystem } from '../nomenclature/index.ts'
import type { SettingsAnswer } from '../operations/record-operations.ts'
import type { PersonProvision } from './consent-reader.ts'
import { type ChoiceShape, category, recipient, scope, shapes, systems } from './consent-terms.ts'
import { oids } from './mapping/terms.ts'

/** What a Consent's id is made of: the Patient's id, a dot, and which choice it is. */
export function parseConsentId(id: string): { readonly patientId: string; readonly key: string } | undefined {
  const dot = id.lastIndexOf('.')
  return dot < 1 ? undefined : { patientId: id.slice(0, dot), key: id.slice(dot + 1) }
}

/** With the name that a remote DMP tells. */
type NamedProvision = PersonProvision & { readonly name?: string }

export interface ConsentWriter {
  general(shape: ChoiceShape, value: boolean): Consent
  /** `block`: of the patient about a professional; `authorisation`: of a professional, TD0.3. */
  person(kind: 'block' | 'authorisation', about: NamedProvision, since?: string): Consent
}

/** @param patientId of the Patient here; without it the Consents have no id */
export function consentWriter(patient: PatientKey, patientId: string | undefined): ConsentWriter {
  const { authority, id } = splitPatientKey(patient)
  const consent = (key: string, provision: ConsentProvision, since?: string): Consent => ({
    resourceType: 'Consent',
    ...(patientId !== undefined && { id: `${patientId}.${key}` }),
    status: 'active',
    scope: { coding: [{ system: systems.scope, code: scope }] },
    category: [{ coding: [{ system: systems.loinc, code: category }] }],
    patient: { identifier: { system: `urn:oid:${authority}`, value: id } },
    ...(since !== undefined && { dateTime: since }),
    policyRule: { text: 'Code de la santé publique, articles L. 1111-14 à L. 1111-23' },
    provision,
  })
  return {
    general: (shape, value) => consent(shape.key, provisionOf(shape, value)),
    person: (kind, about, since) => consent(personKey(kind, about.person), provisionAbout(about), since),
  }
}

/** Every Consent in force, in a fixed order. @param caller PS_IdNat of a professional @param now ISO 8601 instant */
export function consentsOf(
  { facts, choices, persons }: SettingsAnswer,
  write: ConsentWriter,
  { caller, now }: { readonly caller: string | undefined; readonly now: string },
): Consent[] {
  const { blocked = [], authorised = [] } = persons ?? {}
  const inForce = authorised.flatMap((each) =>
    'person' in each && (each.until === undefined || each.until > now) ? [each] : [],
  )
  const told = [...blocked, ...inForce].some(({ person }) => person === caller)
  const { authorisation } = facts
  return [
    // What a remote DMP does not tell is not said
    ...shapes.flatMap((shape) => {
      const value = choices[shape.choice]
      return value === undefined ? [] : [write.general(shape, value)]
    }),
    ...blocked.map(({ since, ...about }) => write.person('block', { ...about, permit: false }, since)),
    ...inForce.map(({ since, ...about }) => write.person('authorisation', { ...about, permit: true }, since)),
    // Whoever may not see the persons still sees where they stand themselves (TD0.2).
    ...(caller !== undefined && !told && (authorisation === 'VALIDE' || authorisation === 'INTERDIT')
      ? [write.person('authorisation', { person: caller, permit: authorisation === 'VALIDE' })]
      : []),
  ]
}

/** Persons are not named in a URL. */
function personKey(kind: 'block' | 'authorisation', person: string): string {
  return `${kind}-${createHash('sha256').update(person).digest('hex').slice(0, 16)}`
}

const visibility = toFhirSystem(codeOf('visibility', MASKED)?.system ?? '')

function provisionOf({ purpose, action, masked, permits }: ChoiceShape, value: boolean): ConsentProvision {
  return {
    type: value === permits ? 'permit' : 'deny',
    ...(action !== undefined && { action: [{ coding: [{ system: systems.action, code: action }] }] }),
    ...(masked && { securityLabel: [{ system: visibility, code: MASKED }] }),
    ...(purpose !== undefined && { purpose: [{ system: systems.reason, code: purpose }] }),
  }
}

function provisionAbout({ person, permit, until, name }: NamedProvision): ConsentProvision {
  return {
    type: permit ? 'permit' : 'deny',
    ...(until !== undefined && { period: { end: until } }),
    actor: [
      {
        role: { coding: [{ system: systems.participation, code: recipient }] },
        reference: {
          identifier: { system: `urn:oid:${oids.professional}`, value: person },
          ...(name !== undefined && { display: name }),
        },
      },
    ],
  }
}
