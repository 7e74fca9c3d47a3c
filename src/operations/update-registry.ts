/** ITI-57 and ITI-92 on a registry of profile `ihe`: whatever the Technical Framework lets change. */
import { isDeepStrictEqual } from 'node:util'
import type { DocumentFacts } from '../access/types.ts'
import { GatewayError, type Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import { accessRecord, authorise, type OperationParts, permittedRecord } from './access.ts'
import type { Found, MetadataUpdate, Receipt, RequestContext } from './ports.ts'
import { nothing } from './stored-query.ts'
import { filterFound, surroundingsOf, type Visible, viewOf } from './view.ts'

export async function updateRegistry(
  parts: OperationParts,
  change: MetadataUpdate,
  context: RequestContext,
): Promise<Receipt> {
  const { patient } = change
  const { permit } = await authorise(parts, 'registry', context, { patient })
  const stored = await storedUnder(parts, change)
  const found = together([...stored.values()])
  // A new version may move an object to another patient: the record it leaves is asked too.
  for (const other of patientsOf(found))
    if (other !== patient) await authorise(parts, 'registry', context, { patient: other })
  const shown = await visibleAmong(parts, context, found)
  const refused = absences(change, (id) => idsOf(stored.get(id) ?? nothing).some((each) => !shown.has(each)))
  const issues = change.restricted ? await restrictions(parts, change, found.documents) : []
  const { documents } = found
  const [first] = [...refused, ...issues]
  if (first !== undefined) {
    const outcome =
      refused.length > 0 ? ({ outcome: 'refused', rule: 'DF' } as const) : ({ outcome: 'failed' } as const)
    const told = { patient, documents, ...outcome, reasonCode: first.code }
    await parts.trace.record(accessRecord(parts, 'registry', context, told))
    throw new GatewayError(refused.length > 0 ? refused : issues)
  }
  return parts.dmp.update(change, permittedRecord(parts, 'registry', context, { patient, documents, permit }))
}

/** The stored objects that the change names, in their current version, by the identifier it names them by. */
async function storedUnder(
  { dmp }: OperationParts,
  { submissionSet, versions, statuses, associations }: MetadataUpdate,
): Promise<ReadonlyMap<EntryUuid, Found>> {
  const ends = associations.flatMap(({ source, target }) => [source, target])
  const named = [...versions.map(({ object }) => object.logicalId), ...statuses.map(({ target }) => target), ...ends]
  const inMessage = new Set([
    ...(submissionSet ? [submissionSet.entryUuid] : []),
    ...versions.map(({ object }) => object.entryUuid),
    ...associations.map(({ entryUuid }) => entryUuid),
  ])
  const stored = new Map<EntryUuid, Found>()
  for (const id of new Set(named)) {
    if (inMessage.has(id)) continue
    const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'any', ids: [id] })
    const { folders } = await dmp.find({ kind: 'GetFolders', by: 'any', ids: [id] })
    const { associations: links } = await dmp.find({ kind: 'GetAssociations', by: 'entryUuid', ids: [id] })
    stored.set(id, { documents, submissionSets: [], folders, associations: links })
  }
  return stored
}

function together(parts: readonly Found[]): Found {
  const distinct = <T extends { readonly entryUuid: EntryUuid }>(objects: readonly T[]): readonly T[] => [
    ...new Map(objects.map((object) => [object.entryUuid, object])).values(),
  ]
  return {
    documents: distinct(parts.flatMap(({ documents }) => documents)),
    submissionSets: [],
    folders: distinct(parts.flatMap(({ folders }) => folders)),
    associations: distinct(parts.flatMap(({ associations }) => associations)),
  }
}

function patientsOf({ documents, folders }: Found): ReadonlySet<PatientKey> {
  const ofFolders = folders.flatMap(({ patientId }) => (patientId && patientKeyOf(patientId)) ?? [])
  return new Set([...documents.map(({ patient }) => patient), ...ofFolders])
}

async function visibleAmong(
  parts: OperationParts,
  context: RequestContext,
  found: Found,
): Promise<ReadonlySet<EntryUuid>> {
  const around = await surroundingsOf(parts.dmp, found)
  const views = new Map<PatientKey, Visible>()
  for (const patient of patientsOf(together([found, around]))) {
    const facts = await parts.dmp.status(patient, context.caller)
    if (facts) views.set(patient, viewOf(parts, 'registry', context, facts))
  }
  return new Set(idsOf(filterFound(found, around, (document) => views.get(document.patient)?.(document) === true)))
}

/** What the caller may not see is answered as the registry answers what is not there, in profile `ihe` too. */
function absences(
  { versions, statuses, associations }: MetadataUpdate,
  isHidden: (id: EntryUuid) => boolean,
): readonly Issue[] {
  const unresolved = (location: EntryUuid, detail: string): Issue => ({
    code: 'UnresolvedReferenceException',
    location,
    detail,
  })
  return [
    ...versions
      .filter(({ object }) => isHidden(object.logicalId))
      .map(({ object: { entryUuid: location } }): Issue => {
        return { code: 'XDSMetadataVersionError', location, detail: 'No object has this logicalID.' }
      }),
    ...statuses
      .filter(({ target }) => isHidden(target))
      .map(({ target }) => unresolved(target, 'Nothing is registered under this id.')),
    ...associations.flatMap(({ entryUuid, type, source, target }) =>
      [source, target]
        .filter(isHidden)
        .map((id) => unresolved(entryUuid, `${type} refers to ${id}, which is not registered.`)),
    ),
  ]
}

function idsOf({ documents, submissionSets, folders, associations }: Found): EntryUuid[] {
  return [...documents, ...submissionSets, ...folders, ...associations].map(({ entryUuid }) => entryUuid)
}

/** Attributes that a restricted update leaves alone (ITI TF-2 3.92.4.1.3): they describe the stored document. */
const unmodifiable = ['sourcePatientId', 'repositoryUniqueId', 'documentAvailability'] as const

async function restrictions(
  { dmp }: OperationParts,
  { versions, statuses, associations, submissionSet }: MetadataUpdate,
  documents: readonly DocumentFacts[],
): Promise<readonly Issue[]> {
  const isDocument = (id: EntryUuid) => documents.some(({ entryUuid }) => entryUuid === id)
  const issues: Issue[] = []
  for (const { target } of statuses)
    issues.push({
      code: isDocument(target) ? 'UnmodifiableMetadataError' : 'XDSMetadataUpdateError',
      location: target,
      detail: 'A restricted update changes no status: send an update of the document set (ITI-57).',
    })
  for (const { entryUuid, source } of associations)
    if (source !== submissionSet?.entryUuid)
      issues.push({
        code: 'XDSMetadataUpdateError',
        location: entryUuid,
        detail: 'A restricted update submits no association: send an update of the document set (ITI-57).',
      })
  for (const { object } of versions) {
    const stored = documents.find(({ logicalId }) => logicalId === object.logicalId)
    if (object.kind !== 'DocumentEntry' || stored === undefined) continue
    for await (const before of dmp.read([stored.entryUuid])) issues.push(...changedAttributes(before, object))
  }
  return issues
}

function changedAttributes(before: DocumentEntry, after: DocumentEntry): Issue[] {
  // An entry that says nothing is online.
  const online = { documentAvailability: 'Online' } as const
  const [stored, sent] = [
    { ...online, ...before },
    { ...online, ...after },
  ]
  return unmodifiable
    .filter((key) => !isDeepStrictEqual(stored[key], sent[key]))
    .map((key) => ({
      code: 'UnmodifiableMetadataError',
      location: `${after.entryUuid}/${key}`,
      detail: `${key} does not change by a restricted update: send it as it is stored.`,
    }))
}
