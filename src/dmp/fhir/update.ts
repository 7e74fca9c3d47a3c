/** TD3.3a to d: a PATCH of one document (PDSm st_maj: securityLabel, status, isArchived), on the version that was seen. */
import type { DocumentReference } from '@medplum/fhirtypes'
import type { OpPatch } from 'fhir-kit-client'
import { GatewayError } from '../../errors.ts'
import { ext, statusOf, visibilityFirst, writeConcept } from '../../fhir/mapping/index.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { AvailabilityStatus, Code, DocumentEntry } from '../../metadata/model.ts'
import type { AccessRecord, MetadataUpdate, Receipt } from '../../operations/ports.ts'
import type { Asking } from './client.ts'
import type { Located } from './documents.ts'
import { RefusedByDmp } from './outcome.ts'
import type { Session } from './session.ts'

/** What becomes of one document. */
interface Change {
  readonly located: Located
  labels?: readonly Code[]
  status?: AvailabilityStatus
  /** entryUUID that the source gave the new version. */
  given?: EntryUuid
}

export async function update(session: Session, change: MetadataUpdate, record: AccessRecord): Promise<Receipt> {
  const { parts, context, peer, registry } = session
  const { patient } = change
  if (!(await parts.capabilities.get()).can('DocumentReference', 'patch'))
    throw new GatewayError('not-a-dmp-operation', { detail: 'This DMP declares no PATCH of documents.' })
  const { located, ...to } = await changeOf(session, change)
  const ownOnly = context.caller.kind === 'structure' || context.caller.kind === 'staff'
  const asking: Asking = { transaction: 'TD3.3', use: ownOnly ? 'own' : 'person', patient }
  const operations = patchOf(located.resource, to)
  const answer = await parts.journal.around(record, async () => {
    try {
      return await peer.patch(asking, 'DocumentReference', located.id, operations, located.resource.meta?.versionId)
    } catch (error) {
      // 409, 412: changed by somebody else since it was seen
      if (error instanceof RefusedByDmp && (error.status === 409 || error.status === 412))
        throw new GatewayError('XDSMetadataVersionError', { detail: 'It was changed meanwhile: read it again.' })
      throw error
    }
  })
  registry.known.forget(located)
  const stored = await storedEntry(session, located, to, answer)
  // The id that the source gave the new version leads to the document all the same
  if (to.given !== undefined) parts.references.remember([{ ...located.entry, entryUuid: to.given }], patient, true)
  return {
    ...(change.submissionSet && { submissionSet: change.submissionSet }),
    entries: [stored],
    at: parts.clock.now().toISOString(),
    warnings: [],
  }
}

/** FHIR changes one resource at a time, and a change of several is all or nothing: it is one document, or refused. */
async function changeOf({ registry }: Session, { versions, statuses }: MetadataUpdate): Promise<Change> {
  const changes = new Map<string, Change>()
  const ofDocument = async (id: EntryUuid): Promise<Change> => {
    const located = await registry.current(id)
    if (located === undefined)
      throw new GatewayError('UnresolvedReferenceException', { detail: 'No document is known under this id.' })
    const known = changes.get(located.id) ?? { located }
    changes.set(located.id, known)
    return known
  }
  for (const { object, previousVersion } of versions) {
    if (object.kind !== 'DocumentEntry') throw new GatewayError('not-a-dmp-operation')
    const change = await ofDocument(object.logicalId)
    if (change.located.entry.version !== previousVersion)
      throw new GatewayError('XDSMetadataVersionError', {
        detail: `The current version is ${change.located.entry.version}: read it again.`,
      })
    change.labels = object.confidentialityCodes
    change.given = object.entryUuid
  }
  for (const { target, from, to } of statuses) {
    const change = await ofDocument(target)
    const { availabilityStatus } = change.located.entry
    if (availabilityStatus !== from)
      throw new GatewayError('XDSMetadataUpdateError', { detail: `The document is ${availabilityStatus} by now.` })
    change.status = to
  }
  const [change, ...others] = changes.values()
  if (change === undefined || others.length > 0)
    throw new GatewayError('not-a-dmp-operation', {
      detail: 'This DMP changes one document at a time: send a change for each.',
    })
  return change
}

/** RFC 6902, on the resource as the DMP serves it. */
function patchOf(served: DocumentReference, { labels, status }: Omit<Change, 'located'>): OpPatch[] {
  const operations: OpPatch[] = []
  if (labels !== undefined)
    operations.push({ op: 'replace', path: '/securityLabel', value: visibilityFirst(labels).map(writeConcept) })
  if (status === undefined) return operations
  const { status: wanted, archived } = statusOf(status)
  if (served.status !== wanted) operations.push({ op: 'replace', path: '/status', value: wanted })
  const index = (served.extension ?? []).findIndex(({ url }) => url === ext.isArchived)
  const flag = { url: ext.isArchived, valueBoolean: true }
  if (archived && index >= 0) operations.push({ op: 'replace', path: `/extension/${index}`, value: flag })
  else if (archived)
    operations.push(
      served.extension === undefined
        ? { op: 'add', path: '/extension', value: [flag] }
        : { op: 'add', path: '/extension/-', value: flag },
    )
  else if (index >= 0)
    // An empty array is no FHIR
    operations.push({ op: 'remove', path: served.extension?.length === 1 ? '/extension' : `/extension/${index}` })
  return operations
}

/**
 * The new version as the DMP answered or tells it. Whoever has masked a document may not see it any more, and the change is
 * done whatever can be read now: then it is as it was asked for.
 */
async function storedEntry(
  { registry }: Session,
  { entry, patient, id }: Located,
  { labels, status, given }: Omit<Change, 'located'>,
  answer: unknown,
): Promise<DocumentEntry> {
  try {
    const told = registry.take(answer, patient, id) ?? (await registry.again(patient, id))
    if (told !== undefined) return told.entry
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
  }
  return {
    ...entry,
    ...(labels && { confidentialityCodes: labels, version: entry.version + 1, entryUuid: given ?? entry.entryUuid }),
    ...(status && { availabilityStatus: status }),
  }
}
