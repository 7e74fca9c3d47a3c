/** What is the same for one request, whatever a remote DMP speaks. */
import { isMinor } from '../../access/minor.ts'
import type { AuthorisationStatus, RecordFacts } from '../../access/types.ts'
import { GatewayError } from '../../errors.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Dmp, RequestContext } from '../../operations/ports.ts'
import type { RemoteParts } from './parts.ts'

export function notThere(detail: string): GatewayError {
  return new GatewayError('not-a-dmp-operation', { detail })
}

/**
 * What a remote DMP leaves to Mon espace santé, what is known of ids, and the counting of calls.
 * @param calls asked of the DMP so far under this request
 */
export function everySession(
  { references, observer }: Pick<RemoteParts<unknown>, 'references' | 'observer'>,
  { transaction }: RequestContext,
  calls: () => number,
): Pick<Dmp, 'patientOf' | 'demographics' | 'open' | 'remove' | 'finished'> {
  let counted = 0
  return {
    patientOf: (id) => references.find(id)?.patient,
    // The identity in the DMP is not for others to read or compare (P4D RG_0320)
    demographics: async () => undefined,
    open: () => Promise.reject(notThere('A DMP is opened by Mon espace santé.')),
    remove: () => Promise.reject(notThere('Nothing is removed from the DMP.')),
    finished() {
      observer.request(transaction, calls() - counted)
      counted = calls()
    },
  }
}

/** What TD0.2 tells of a record. */
interface Told {
  readonly status: RecordFacts['status']
  readonly closedAt?: string
  /** ISO date, where the DMP says one. */
  readonly birthDate?: string
  readonly treatingPhysician: boolean
  readonly authorisation: AuthorisationStatus
}

/**
 * Facts about a record that is elsewhere: what the DMP tells, with what the gateway alone knows. Masked documents in an
 * emergency and masking by default are known to the DMP only, which acts on them itself.
 */
export function factsOf(
  patient: PatientKey,
  { status, closedAt, birthDate, treatingPhysician, authorisation }: Told,
  emergency: Pick<RecordFacts['choices'], 'breakGlassPermitted' | 'regulationPermitted'>,
  local: RecordFacts,
  now: Date,
): RecordFacts {
  const minor = isMinor(birthDate, now)
  const { consultationOpposed, feedOpposed } = local.choices
  const { breakGlassPermitted, regulationPermitted } = emergency
  return {
    patient,
    status,
    ...(closedAt !== undefined && { closedAt }),
    ...(minor !== undefined && { minor }),
    brainDeath: local.brainDeath,
    choices: {
      ...{ consultationOpposed, feedOpposed, breakGlassPermitted, regulationPermitted },
      maskedInEmergencyPermitted: true,
      maskByDefault: false,
    },
    blocked: authorisation === 'INTERDIT',
    treatingPhysician,
    authorisation,
    informedOfFeeding: local.informedOfFeeding,
    informedEpisodes: local.informedEpisodes,
    initialConsent: local.initialConsent,
  }
}
