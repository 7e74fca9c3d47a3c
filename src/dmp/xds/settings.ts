/** TD1.3a and TD1.6: what the patient has settled at the DMP, with what was declared here and the DMP does not know. */
import type { RecordFacts } from '../../access/types.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { RecordSettings } from '../../operations/ports.ts'
import { listAuthorizationsAction, readAuthorizations, writeListAuthorizations } from './authorization.ts'
import type { Calls, Parts } from './calls.ts'
import type { EmergencyChoices } from './patient-status.ts'

/**
 * Undefined when TD1.3a finds no DMP. Masked documents in emergency and masking by default are not told by the DMP: they
 * are left out.
 * @param facts of TD0.2, with what the gateway alone knows
 * @param persons TD1.6 is open to the caller
 */
export async function settingsOf(
  { parts, calls, patient }: { readonly parts: Parts; readonly calls: Calls; readonly patient: PatientKey },
  { choices, initialConsent }: RecordFacts,
  emergency: EmergencyChoices | undefined,
  persons: boolean,
): Promise<RecordSettings | undefined> {
  if (emergency === undefined) return undefined
  const { consultationOpposed, feedOpposed } = choices
  return {
    choices: { consultationOpposed, feedOpposed, initialConsent, ...emergency },
    blocked: [],
    designated: [],
    authorised: [],
    ...(persons && readAuthorizations(await listAuthorizations(parts, calls, patient))),
  }
}

function listAuthorizations(parts: Parts, calls: Calls, patient: PatientKey) {
  return calls.ask({
    transaction: 'TD1.6',
    service: 'habilitations',
    action: listAuthorizationsAction,
    body: writeListAuthorizations(parts.templates),
    use: 'person',
    patient,
  })
}
