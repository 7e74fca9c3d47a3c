/**
 * The DMP as one request asks it: under the identity of its caller and of nobody else. What it has read stays with it, so
 * that nothing is asked twice, and goes with it.
 */
import type { Caller } from '../../access/caller.ts'
import type { RecordFacts } from '../../access/types.ts'
import type { EntryUuid, PatientKey } from '../../metadata/identifiers.ts'
import type { AuthorisedList, AuthorisedQuery, Dmp, Found, RequestContext } from '../../operations/ports.ts'
import { localFacts, once } from '../remote/local.ts'
import { everySession, factsOf, notThere } from '../remote/session.ts'
import { isUser } from '../remote/users.ts'
import { checkSetAuthorization, setAuthorizationAction, writeSetAuthorization } from './authorization.ts'
import { Calls, type Parts } from './calls.ts'
import { feed } from './feed.ts'
import { patientListAction, readPatientList, writePatientList } from './patient-list.ts'
import {
  type EmergencyChoices,
  patientStatusAction,
  readEmergencyChoices,
  readPatientStatus,
  writePatientQuery,
} from './patient-status.ts'
import { Registry } from './registry.ts'
import { retrieve } from './retrieve.ts'
import { settingsOf } from './settings.ts'
import { update } from './update.ts'

export function createSession(parts: Parts, context: RequestContext): Dmp {
  const calls = new Calls(parts, context)
  const registry = new Registry(parts, context, calls)
  // As they were when the request came: what it declares about consent is judged, and done, once
  const facts = new Map<PatientKey, Promise<RecordFacts | undefined>>()
  const settled = new Map<string, Promise<void>>()
  const emergencies = new Map<PatientKey, Promise<EmergencyChoices | undefined>>()
  const emergencyOf = (patient: PatientKey) =>
    once(emergencies, patient, async () =>
      readEmergencyChoices(await askPatient(parts, calls, 'TD1.3a', patient), patient),
    )
  const status: Dmp['status'] = (patient, caller) =>
    once(facts, patient, () => statusOf(parts, context, calls, patient, caller, emergencyOf))
  return {
    ...everySession(parts, context, () => calls.count),
    repositoryUniqueId: parts.options.repositoryUniqueId,
    status,
    authorise: (patient, change) =>
      once(settled, `${change} ${patient}`, () => authorise(parts, calls, patient, change)),
    feed: (submission, contents, record, options = {}) => {
      if (options.register) return Promise.reject(notThere('The DMP takes no metadata without documents.'))
      return feed({ parts, context, calls, registry }, submission, contents, record)
    },
    find: (query): Promise<Found> => registry.find(query),
    read: (entryUuids) => registry.read(entryUuids),
    versions: async (logicalId) => {
      const entry = await registry.current(logicalId)
      return entry === undefined ? [] : [entry]
    },
    update: (change, record) => update({ parts, context, calls, registry }, change, record),
    content: async (entryUuid: EntryUuid) => retrieve(parts, calls, await registry.located(entryUuid)),
    check: () => parts.transport.check(),
    // Patients and administrators are no users of this interface: what is known here is theirs to read
    ...(isUser(context.caller) && {
      settings: async (patient, { persons }) => {
        const known = await status(patient, context.caller)
        return known && settingsOf({ parts, calls, patient }, known, await emergencyOf(patient), persons)
      },
      authorised: (query) => listAuthorised(parts, calls, query),
    }),
  }
}

/** What one operation of a session works with. */
export interface Session {
  readonly parts: Parts
  readonly context: RequestContext
  readonly calls: Calls
  readonly registry: Registry
}

/** TD0.2, with what the gateway alone knows. In the emergency modes TD1.3a tells whether the patient allows them. */
async function statusOf(
  parts: Parts,
  context: RequestContext,
  calls: Calls,
  patient: PatientKey,
  caller: Caller,
  emergencyOf: (patient: PatientKey) => Promise<EmergencyChoices | undefined>,
): Promise<RecordFacts | undefined> {
  // Patients and administrators are no users of this interface: what is known here is theirs to read
  if (!isUser(caller)) return parts.local.status(patient, caller)
  const who = calls.presented('person', patient)
  const cached = parts.statuses.get(who, patient)
  const told = cached ? cached.status : readPatientStatus(await askPatient(parts, calls, 'TD0.2', patient), patient)
  if (!cached) parts.statuses.set(who, patient, told)
  if (told === undefined) return undefined
  const emergency = context.purpose === 'normal' ? undefined : await emergencyOf(patient)
  const local = await localFacts(parts, context, patient, caller)
  const choices = emergency ?? { breakGlassPermitted: false, regulationPermitted: false }
  return factsOf(patient, told, choices, local, parts.clock.now())
}

function askPatient(parts: Parts, calls: Calls, transaction: 'TD0.2' | 'TD1.3a', patient: PatientKey) {
  return calls.ask({
    transaction,
    service: 'patients',
    action: patientStatusAction,
    body: writePatientQuery(parts.templates, parts.options, transaction, patient, parts.clock.now()),
    use: 'person',
    patient,
  })
}

/** TD0.4: about no patient, so that its VIHF names none. Whose list it is, the VIHF says and nothing else. */
async function listAuthorised(parts: Parts, calls: Calls, query: AuthorisedQuery): Promise<AuthorisedList> {
  const answer = await calls.ask({
    transaction: 'TD0.4',
    service: 'patientsSpecific',
    action: patientListAction,
    body: writePatientList(parts.templates, query),
    use: 'person',
    patient: undefined,
  })
  return readPatientList(answer)
}

/** TD0.3; what TD0.2 said before holds no longer. */
async function authorise(parts: Parts, calls: Calls, patient: PatientKey, change: 'add' | 'remove'): Promise<void> {
  const answer = await calls.ask({
    transaction: 'TD0.3',
    service: 'habilitations',
    action: setAuthorizationAction,
    body: writeSetAuthorization(parts.templates, change),
    use: 'person',
    patient,
  })
  checkSetAuthorization(answer)
  parts.statuses.forget(calls.presented('person', patient), patient)
}
