/**
 * What the patient has settled at the DMP, and the authorisations of professionals (TD1.3a, TD1.6, TD0.3), as Consents;
 * where the DMP offers them.
 */
import type { FhirResource } from 'fhir-kit-client'
import { GatewayError } from '../../errors.ts'
import { readConsent } from '../../fhir/consent-reader.ts'
import { consentWriter } from '../../fhir/consent-writer.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import { patientKey } from '../../metadata/identifiers.ts'
import { fromFhirSystem } from '../../nomenclature/index.ts'
import type { RecordSettings } from '../../operations/ports.ts'
import { asResource, invalid } from './answers.ts'
import type { Asking, FhirPeer } from './client.ts'
import type { Parts } from './parts.ts'
import { patientParameters } from './search-parameters.ts'

type Settings = Pick<RecordSettings, 'choices' | 'blocked' | 'authorised'>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Undefined where the DMP offers no Consents. @throws GatewayError dmp-answer-invalid: one that is not understood */
export async function askConsents(
  parts: Parts,
  peer: FhirPeer,
  patient: PatientKey,
  transaction: 'TD1.3a' | 'TD1.6',
): Promise<Settings | undefined> {
  const declared = await parts.capabilities.get()
  if (!declared.can('Consent', 'search-type')) return undefined
  const found = await peer.search(asking(transaction, patient), 'Consent', patientParameters(patient))
  const choices: Writable<RecordSettings['choices']> = {}
  const blocked: RecordSettings['blocked'][number][] = []
  const authorised: RecordSettings['authorised'][number][] = []
  for (const body of found) {
    const consent = asResource(body, 'Consent')
    const { system = '', value = '' } = consent.patient?.identifier ?? {}
    if (patientKey(fromFhirSystem(system), value) !== patient) throw invalid('a Consent in it is about another patient')
    const read = understood(() => readConsent(consent))
    const since = consent.dateTime === undefined ? {} : { since: new Date(consent.dateTime).toISOString() }
    if ('person' in read) {
      const { person, permit, until } = read
      if (permit) authorised.push({ person, ...since, ...(until !== undefined && { until }) })
      else blocked.push({ person, ...since })
    } else if (read.choice.kind === 'choice') choices[read.choice.choice] = read.choice.value
  }
  return { choices, blocked, authorised }
}

/** A Consent of another shape may be one that refuses: it is not passed over. */
function understood<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof GatewayError) throw invalid('a Consent in it is of a shape that is not known here')
    throw error
  }
}

/**
 * TD0.3: the caller's own authorisation, or its withdrawal. Where the DMP offers no Consents it is kept here alone.
 * @param person PS_IdNat
 */
export async function settleAuthorisation(
  parts: Parts,
  peer: FhirPeer,
  patient: PatientKey,
  person: string,
  permit: boolean,
): Promise<void> {
  const declared = await parts.capabilities.get()
  if (!declared.can('Consent', 'create')) return
  const consent = consentWriter(patient, undefined).person('authorisation', { person, permit })
  await peer.create(asking('TD0.3', patient), 'Consent', consent as unknown as FhirResource)
}

function asking(transaction: string, patient: PatientKey): Asking {
  return { transaction, use: 'person', patient }
}
