/**
 * What was written for the patient and the treating physician to be told, as far as it may be told now: held while it is
 * about a document that the reader may not see (access/notice.ts). Worked out when it is read: nothing has to be woken.
 */
import { type Caller, localSystem } from '../access/caller.ts'
import { compileViewer } from '../access/filter.ts'
import { isDue } from '../access/notice.ts'
import type { DocumentFacts, RecordFacts } from '../access/types.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { OperationParts } from './access.ts'
import type { StoredNotification } from './ports.ts'

/** A reader of notices. The account of a minor is read by the representatives. */
function readerOf(recipient: StoredNotification['recipient'], { patient, minor }: RecordFacts): Caller {
  const reader = { authentication: 'direct', specialities: [], regulation: false, secretConnection: false } as const
  if (recipient === 'patient')
    return { ...reader, kind: minor === true ? 'representative' : 'patient', patient, proof: 'jwt' }
  const physician = { code: '10', system: '1.2.250.1.71.1.2.7' }
  return { ...reader, kind: 'professional', person: { id: '' }, profession: physician, proof: 'jwt' }
}

/** The notices of a record that may go out now, newest first, delivered or not. */
export async function dueNotices(
  { dmp, choices, clock, policy }: OperationParts,
  patient: PatientKey,
  facts: RecordFacts,
): Promise<readonly StoredNotification[]> {
  const notices = await choices.notices(patient)
  const ids = [...new Set(notices.flatMap(({ documents }) => documents))]
  const { documents } =
    ids.length === 0 ? { documents: [] } : await dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids })
  const byId = new Map(documents.map((document) => [document.logicalId, document]))
  const now = clock.now()
  const view = (recipient: StoredNotification['recipient']) =>
    compileViewer({
      caller: readerOf(recipient, facts),
      purpose: 'normal',
      facts: { ...facts, treatingPhysician: recipient === 'treating-physician' },
      policy,
      now,
      operation: 'TD3.1a',
    })
  const views: Readonly<Record<StoredNotification['recipient'], (document: DocumentFacts) => boolean>> = {
    patient: view('patient'),
    'treating-physician': view('treating-physician'),
    // Authors know what they wrote
    author: () => true,
  }
  return notices.filter(({ kind, recipient, documents: about }) =>
    isDue(
      kind,
      about.flatMap((id) => byId.get(id) ?? []),
      views[recipient],
      now,
    ),
  )
}

/** What may be told now of one record, and whom. */
export interface OutgoingNotices {
  readonly notices: readonly StoredNotification[]
  /** Of the patient, or who reads for the patient. */
  readonly email: string | undefined
  /** PS_IdNat of the treating and the administrator physician. */
  readonly physicians: readonly string[]
  /** PS_IdNat of the authors, and Struct_IdNat of the structure that fed it, by the logicalId of each document told of to its author. */
  readonly authors: ReadonlyMap<EntryUuid, readonly string[]>
}

/** Undefined when there is no such record any more. */
export async function outgoingNotices(
  parts: OperationParts,
  patient: PatientKey,
): Promise<OutgoingNotices | undefined> {
  const { dmp, choices } = parts
  const facts = await dmp.status(patient, localSystem)
  const settings = await choices.inForce(patient)
  if (facts === undefined || settings === undefined) return undefined
  const notices = await dueNotices(parts, patient, facts)
  return {
    notices,
    authors: await authorsOf(dmp, notices),
    email: (await dmp.demographics(patient))?.email,
    physicians: [...new Set(settings.designated.map(({ person }) => person))],
  }
}

async function authorsOf(
  dmp: OperationParts['dmp'],
  notices: readonly StoredNotification[],
): Promise<OutgoingNotices['authors']> {
  const ids = [...new Set(notices.flatMap(({ recipient, documents }) => (recipient === 'author' ? documents : [])))]
  if (ids.length === 0) return new Map()
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids })
  return new Map(
    documents.map(({ logicalId, authorPersons, feedingStructure }) => [
      logicalId,
      [...new Set([...authorPersons, ...(feedingStructure === undefined ? [] : [feedingStructure])])],
    ]),
  )
}
