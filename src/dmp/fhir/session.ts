/**
 * The DMP as one request asks it: under the identity of its caller and of nobody else. What it has read stays with it, so
 * that nothing is asked twice, and goes with it.
 */
import type { Caller } from '../../access/caller.ts'
import type { RecordFacts } from '../../access/types.ts'
import type { EntryUuid, PatientKey } from '../../metadata/identifiers.ts'
import type { Dmp, RecordSettings, RequestContext } from '../../operations/ports.ts'
import { localFacts, once } from '../remote/local.ts'
import { everySession, factsOf, notThere } from '../remote/session.ts'
import { isUser } from '../remote/users.ts'
import { FhirPeer } from './client.ts'
import { askConsents, settleAuthorisation } from './consents.ts'
import type { Parts } from './parts.ts'
import { askStatus, type PatientStatus } from './patient.ts'
import { publish } from './publish.ts'
import { Registry } from './registry.ts'
import { retrieve } from './retrieve.ts'
import { presented } from './token.ts'
import { update } from './update.ts'

/** What one operation of a session works with. */
export interface Session {
  readonly parts: Parts
  readonly context: RequestContext
  readonly peer: FhirPeer
  readonly registry: Registry
}

export function createSession(parts: Parts, context: RequestContext): Dmp {
  const peer = new FhirPeer(parts, context)
  /** Patients by their references at the DMP, as far as TD0.2 has told this request. */
  const patients = new Map<string, PatientKey>()
  const registry = new Registry(parts, context, peer, (reference) =>
    patients.get(parts.base.idIn(reference, 'Patient') ?? ''),
  )
  const session: Session = { parts, context, peer, registry }
  // As they were when the request came: what it declares about consent is judged, and done, once
  const facts = new Map<PatientKey, Promise<RecordFacts | undefined>>()
  const settled = new Map<string, Promise<void>>()
  const consents = new Map<PatientKey, ReturnType<typeof askConsents>>()
  const consentsOf = (patient: PatientKey) => once(consents, patient, () => askConsents(parts, peer, patient, 'TD1.3a'))
  const tellPatient = (patient: PatientKey, told: PatientStatus): void => {
    if (told.id !== undefined) patients.set(told.id, patient)
  }
  const status: Dmp['status'] = (patient, caller) =>
    once(facts, patient, () => statusOf(session, patient, caller, tellPatient, consentsOf))
  return {
    ...everySession(parts, context, () => peer.count),
    repositoryUniqueId: parts.options.repositoryUniqueId,
    status,
    authorise: (patient, change) =>
      once(settled, `${change} ${patient}`, () => authorise(session, patient, change === 'add')),
    feed: (submission, contents, record, options = {}) =>
      options.register
        ? Promise.reject(notThere('The DMP takes no metadata without documents.'))
        : publish(session, submission, contents, record),
    find: (query) => registry.find(query),
    read: (entryUuids) => registry.read(entryUuids),
    versions: (logicalId) => registry.versions(logicalId),
    update: (change, record) => update(session, change, record),
    content: async (entryUuid: EntryUuid) => retrieve(session, await registry.located(entryUuid)),
    check: () => parts.capabilities.check(),
    // Patients and administrators are no users of this interface: what is known here is theirs to read
    ...(isUser(context.caller) && {
      settings: async (patient, { persons }) => {
        const known = await status(patient, context.caller)
        return known && settingsOf(known, await consentsOf(patient), persons)
      },
    }),
  }
}

/**
 * TD0.2, with what the gateway alone knows. In the emergency modes the Consents of the DMP tell whether the patient allows
 * them; where it offers none it is asked all the same, and judges by itself.
 */
async function statusOf(
  { parts, context, peer }: Session,
  patient: PatientKey,
  caller: Caller,
  tell: (patient: PatientKey, told: PatientStatus) => void,
  consentsOf: (patient: PatientKey) => ReturnType<typeof askConsents>,
): Promise<RecordFacts | undefined> {
  // Patients and administrators are no users of this interface: what is known here is theirs to read
  if (!isUser(caller)) return parts.local.status(patient, caller)
  const who = presented(parts.options, context, 'person')
  const cached = parts.statuses.get(who, patient)
  const told = cached ? cached.status : await askStatus(peer, patient)
  if (!cached) parts.statuses.set(who, patient, told)
  if (told === undefined) return undefined
  tell(patient, told)
  const emergency = context.purpose === 'normal' ? undefined : await consentsOf(patient)
  const local = await localFacts(parts, context, patient, caller)
  const { authorisation = local.authorisation, treatingPhysician = false } = told
  const { breakGlassPermitted = true, regulationPermitted = true } = emergency?.choices ?? {}
  const choices = { breakGlassPermitted, regulationPermitted }
  return factsOf(patient, { ...told, authorisation, treatingPhysician }, choices, local, parts.clock.now())
}

/** TD0.3; what TD0.2 said before holds no longer. */
async function authorise({ parts, context, peer }: Session, patient: PatientKey, permit: boolean): Promise<void> {
  const { person } = context.caller
  if (person === undefined) return
  await settleAuthorisation(parts, peer, patient, person.id, permit)
  parts.statuses.forget(presented(parts.options, context, 'person'), patient)
}

/** TD1.3a, TD1.6: with what was declared here, which the DMP need not know. */
function settingsOf(
  { choices: here, initialConsent }: RecordFacts,
  told: Awaited<ReturnType<typeof askConsents>>,
  persons: boolean,
): RecordSettings {
  const { choices = {}, blocked = [], authorised = [] } = told ?? {}
  return {
    choices: {
      ...choices,
      consultationOpposed: here.consultationOpposed || choices.consultationOpposed === true,
      feedOpposed: here.feedOpposed || choices.feedOpposed === true,
      initialConsent: initialConsent || choices.initialConsent === true,
    },
    blocked: persons ? blocked : [],
    designated: [],
    authorised: persons ? authorised : [],
  }
}
