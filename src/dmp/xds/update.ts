/** TD3.3a to d, ITI-57: a new version of the metadata, or another status (DMP-SERVICES §4.4, §4.5). */
import { randomUUID } from 'node:crypto'
import { GatewayError } from '../../errors.ts'
import { newLink, newObject } from '../../metadata/association.ts'
import { isoToDtm } from '../../metadata/dtm.ts'
import { cxOf } from '../../metadata/hl7.ts'
import { type EntryUuid, newEntryUuid, type UniqueId } from '../../metadata/identifiers.ts'
import type { Association, Author, DocumentEntry, SubmissionSet } from '../../metadata/model.ts'
import type { AccessRecord, MetadataUpdate, Receipt } from '../../operations/ports.ts'
import { statusUrns } from '../../xds/ebrim/codes.ts'
import { writeAssociation, writeDocumentEntry, writeSubmissionSet } from '../../xds/ebrim/writer.ts'
import { ns } from '../../xds/namespaces.ts'
import { XmlWriter } from '../../xml/writer.ts'
import { submissionStyle, symbolsOf } from './feed.ts'
import { oidOfUuid } from './lot-signature.ts'
import { readRegistryResponse } from './registry-response.ts'
import type { Session } from './session.ts'

const updateAction = 'urn:ihe:iti:2010:UpdateDocumentSet'
const associationType = 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association'

interface Link {
  readonly association: Association
  readonly slots: Readonly<Record<string, string>>
}

export async function update(session: Session, change: MetadataUpdate, record: AccessRecord): Promise<Receipt> {
  const { parts, context, calls, registry } = session
  const { patient } = change
  const set = submissionSetOf(session, change)
  const before: DocumentEntry[] = []
  const entries: DocumentEntry[] = []
  const links: Link[] = []
  for (const { object, previousVersion } of change.versions) {
    if (object.kind !== 'DocumentEntry') throw new GatewayError('not-a-dmp-operation')
    const current = await known(session, object.logicalId)
    if (previousVersion !== current.version)
      throw new GatewayError('XDSMetadataVersionError', {
        detail: `The document has version ${current.version} now: change that one.`,
      })
    const { entryUuid } = object.entryUuid === current.entryUuid ? { entryUuid: newEntryUuid() } : object
    // Everything of the version in force, but for what the change is about; N first
    const confidentialityCodes = [...object.confidentialityCodes].sort((a, b) => rank(a.code) - rank(b.code))
    entries.push({ ...current, entryUuid, confidentialityCodes })
    before.push(current)
    links.push({
      association: newLink('HasMember', set.entryUuid, entryUuid),
      slots: { PreviousVersion: String(current.version) },
    })
  }
  const changed = new Map<EntryUuid, DocumentEntry>()
  for (const { target, from, to } of change.statuses) {
    const current = await known(session, target)
    changed.set(current.entryUuid, { ...current, availabilityStatus: to })
    links.push({
      association: newLink('UpdateAvailabilityStatus', set.entryUuid, current.entryUuid),
      slots: { OriginalStatus: statusUrns[from], NewStatus: statusUrns[to] },
    })
  }
  // A structure deletes what it fed; everything else is the act of a person
  const ownOnly = context.caller.kind === 'structure' || context.caller.kind === 'staff'
  await parts.journal.around(record, async () => {
    const answer = await calls.ask({
      transaction: 'TD3.3',
      service: 'registry',
      action: updateAction,
      body: write(set, entries, links),
      use: ownOnly ? 'own' : 'person',
      patient,
    })
    readRegistryResponse(answer)
  })
  const stored: DocumentEntry[] = [...changed.values()]
  for (const [index, { uniqueId, version }] of before.entries()) {
    const again = await registry.again(uniqueId, patient)
    const sent = entries[index]
    // Whoever has masked it may not see it any more: it is then as it was sent, under the id that it was sent with
    stored.push(...(again.length > 0 || sent === undefined ? again : [{ ...sent, version: version + 1 }]))
  }
  return {
    ...(change.submissionSet && { submissionSet: change.submissionSet }),
    entries: stored,
    at: parts.clock.now().toISOString(),
    warnings: [],
  }
}

async function known({ registry }: Session, id: EntryUuid): Promise<DocumentEntry> {
  const current = await registry.current(id)
  if (current === undefined)
    throw new GatewayError('UnresolvedReferenceException', { detail: 'No document is known under this id.' })
  return current
}

function rank(code: string): number {
  return code === 'N' ? 0 : 1
}

/** A change that came without a submission (PATCH) gets one: the DMP registers every change with who made it. */
function submissionSetOf(
  { parts, context, calls }: Session,
  { submissionSet, patient }: MetadataUpdate,
): SubmissionSet {
  const { options, clock } = parts
  const patientId = cxOf(patient, 'NH')
  const uniqueId = oidOfUuid(randomUUID()) as UniqueId
  if (submissionSet !== undefined) return { ...submissionSet, patientId, uniqueId }
  const { structure, nameId, personName } = calls.presented('person', patient)
  const [family = personName, ...given] = personName.split(' ')
  const author: Author = {
    person: {
      id: nameId,
      family,
      ...(given.length > 0 && { given: given.join(' ') }),
      assigningAuthority: { universalId: '1.2.250.1.71.4.2.1', universalIdType: 'ISO' },
      nameType: 'D',
      idType: 'IDNPS',
    },
    institutions: [
      {
        name: context.caller.structure?.name ?? options.structure.name,
        assigningAuthority: { universalId: '1.2.250.1.71.4.2.2', universalIdType: 'ISO' },
        idType: 'IDNST',
        id: structure,
      },
    ],
    roles: [],
    specialties: [],
    telecoms: [],
  }
  return {
    kind: 'SubmissionSet',
    ...newObject(newEntryUuid()),
    uniqueId,
    sourceId: options.software.oid,
    limitedMetadata: false,
    patientId,
    submissionTime: isoToDtm(clock.now().toISOString()),
    contentTypeCode: options.updateContentType,
    authors: [author],
    intendedRecipients: [],
  }
}

function write(set: SubmissionSet, entries: readonly DocumentEntry[], links: readonly Link[]): Buffer {
  const symbols = symbolsOf(
    set,
    entries,
    links.map(({ association }) => association),
  )
  const style = submissionStyle(symbols)
  const xml = new XmlWriter()
    .start('lcm:SubmitObjectsRequest', { 'xmlns:lcm': ns.lcm, 'xmlns:rim': ns.rim })
    .start('rim:RegistryObjectList')
  writeSubmissionSet(xml, set, style)
  for (const entry of entries) writeDocumentEntry(xml, entry, { ...style, identity: true })
  for (const { association, slots } of links) writeAssociation(xml, association, { ...style, associationType }, slots)
  return xml.end().end().take()
}
