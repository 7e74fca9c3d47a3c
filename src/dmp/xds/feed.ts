/** TD2.1 and TD2.1b, ITI-41: one lot, signed, under the structure's certificate (DMP-SERVICES §3). */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { isLotSignature } from '../../access/confidentiality.ts'
import { GatewayError, type Issue } from '../../errors.ts'
import { cxOf, patientKeyOf } from '../../metadata/hl7.ts'
import { type EntryUuid, isOid, type PatientKey, type UniqueId } from '../../metadata/identifiers.ts'
import type { Association, DocumentEntry, Submission, SubmissionSet } from '../../metadata/model.ts'
import type { AccessRecord, DocumentContent, Receipt } from '../../operations/ports.ts'
import { type WriteStyle, writeAssociation, writeDocumentEntry, writeSubmissionSet } from '../../xds/ebrim/writer.ts'
import { cidUri, newContentId } from '../../xds/mtom/writer.ts'
import { ns } from '../../xds/namespaces.ts'
import { XmlWriter } from '../../xml/writer.ts'
import { documentIssues, type Outgoing, outgoing } from './documents.ts'
import { oidOfUuid, signatureObjects, signLot } from './lot-signature.ts'
import { readRegistryResponse } from './registry-response.ts'
import type { Session } from './session.ts'

const feedAction = 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b'
/** The name of the operation, which the samples put into the root part. */
const operationName = 'DocumentRepository_ProvideAndRegisterDocumentSet-b'

export async function feed(
  session: Session,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
  record: AccessRecord,
): Promise<Receipt> {
  const { parts, calls } = session
  const { options, clock } = parts
  const patient = submission.submissionSet.patientId && patientKeyOf(submission.submissionSet.patientId)
  if (patient === undefined) throw new GatewayError('XDSUnknownPatientId')
  const { structure } = calls.presented('own', patient)
  const issues = [
    ...authorIssues(submission, structure),
    ...submission.entries.flatMap((entry) => documentIssues(entry, options)),
  ]
  if (submission.folders.length > 0)
    issues.push({ code: 'not-a-dmp-operation', rule: 'UP7', detail: 'The DMP has no folders.' })
  if (issues.length > 0) throw new GatewayError(issues)

  const made: Outgoing[] = []
  try {
    for (const entry of submission.entries) {
      const content = contents.get(entry.entryUuid)
      if (content === undefined) throw new GatewayError({ code: 'XDSMissingDocument', location: entry.entryUuid })
      const replaces = replacedBy(session, submission, entry)
      const custodian = { id: structure, name: options.structure.name }
      const about = { spool: parts.spool, custodian, ...(replaces !== undefined && { replaces }) }
      made.push(await outgoing(entry, content, options, about))
    }
    const lot = withSignature(session, submission, made, patient)
    const { envelope, documents } = write(lot)
    await parts.journal.around(record, async () => {
      const answer = await calls.ask({
        transaction: submission.associations.some(({ type }) => type === 'RPLC') ? 'TD2.1b' : 'TD2.1',
        service: 'repository',
        action: feedAction,
        body: envelope,
        use: 'own',
        patient,
        mtom: { parts: documents, rootAction: operationName },
      })
      readRegistryResponse(answer)
    })
    const entries = made.map(({ entry }) => entry)
    // The DMP tells no entryUUID of its own: ours leads to the document by its uniqueId
    parts.references.remember([...entries, lot.submission.submissionSet], patient, true)
    return {
      submissionSet: submission.submissionSet,
      entries,
      at: clock.now().toISOString(),
      warnings: made.flatMap(({ warnings }) => warnings),
    }
  } finally {
    for (const each of made) await each.dispose()
  }
}

/** "Aucun AuthorInstitution ne correspond à l'utilisateur du VIHF" (DMP-FACTS §2.2), said before anything is sent. */
function authorIssues({ submissionSet, entries }: Submission, structure: string): Issue[] {
  const isOurs = ({ authors }: SubmissionSet | DocumentEntry) =>
    authors.some(({ institutions }) => institutions.some(({ id }) => id === structure))
  return [submissionSet, ...entries]
    .filter((object) => !isOurs(object))
    .map(({ entryUuid }) => ({
      code: 'XDSRegistryMetadataError' as const,
      rule: 'CDA3',
      location: `${entryUuid}/authorInstitution`,
      detail: `No author belongs to the structure that feeds: send an author with authorInstitution ${structure}.`,
    }))
}

/** uniqueId of the document that an entry replaces, as far as it is known here. */
function replacedBy(
  { parts }: Session,
  { associations }: Submission,
  { entryUuid }: DocumentEntry,
): string | undefined {
  const replacement = associations.find(({ type, source }) => type === 'RPLC' && source === entryUuid)
  return replacement && parts.references.find(replacement.target)?.uniqueId
}

interface Lot {
  readonly submission: Submission
  readonly contents: ReadonlyMap<EntryUuid, DocumentContent>
}

/** The lot as the DMP wants it: OIDs, no attribute that the DMP sets itself, and its signature unless the source signed. */
function withSignature(
  { parts }: Session,
  { submissionSet, associations }: Submission,
  made: readonly Outgoing[],
  patient: PatientKey,
): Lot {
  const { options, credentials, clock } = parts
  const patientId = cxOf(patient, 'NH')
  const uniqueId = asOid(submissionSet.uniqueId)
  const set: SubmissionSet = { ...submissionSet, patientId, uniqueId }
  const contents = new Map(made.map(({ entry, content }) => [entry.entryUuid, content]))
  const entries = made.map(({ entry }) => submitted({ ...entry, patientId }))
  const [model] = entries
  const lot = { submission: { submissionSet: set, entries, folders: [], associations }, contents }
  if (model === undefined || entries.some(isLotSignature)) return lot
  const signatures = made.map(({ signed }) => signed)
  const bytes = signLot(uniqueId, signatures, credentials.signing, options.lotSignatureHash, clock.now())
  const content = inMemory(bytes)
  const signature = signatureObjects(set, model, content)
  contents.set(signature.entry.entryUuid, content)
  const all = [...associations, ...signature.associations]
  return { submission: { ...lot.submission, entries: [...entries, signature.entry], associations: all }, contents }
}

function asOid(uniqueId: UniqueId): UniqueId {
  if (isOid(uniqueId)) return uniqueId
  if (/^urn:uuid:/i.test(uniqueId)) return oidOfUuid(uniqueId.slice('urn:uuid:'.length)) as string as UniqueId
  throw new GatewayError({
    code: 'XDSRegistryMetadataError',
    rule: 'CDA2',
    location: 'SubmissionSet/uniqueId',
    detail: 'The DMP takes an OID without extension: send one, or a urn:uuid:.',
  })
}

function submitted(entry: DocumentEntry): DocumentEntry {
  const { repositoryUniqueId, uri, documentAvailability, homeCommunityId, ...rest } = entry
  return rest
}

/** Symbols, no state: what is sent is not registered yet (DMP-SERVICES §3.1). */
export function submissionStyle(symbols: ReadonlyMap<EntryUuid, string>): WriteStyle {
  return {
    id: (entryUuid) => symbols.get(entryUuid) ?? entryUuid,
    identity: false,
    version: false,
    charset: 'UTF8',
    language: 'FR',
  }
}

export function symbolsOf(
  set: SubmissionSet,
  entries: readonly DocumentEntry[],
  associations: readonly Association[],
): Map<EntryUuid, string> {
  const symbols = new Map<EntryUuid, string>([[set.entryUuid, 'SubmissionSet01']])
  const number = (index: number) => String(index + 1).padStart(2, '0')
  for (const [index, entry] of entries.entries())
    symbols.set(entry.entryUuid, isLotSignature(entry) ? 'Signature01' : `Document${number(index)}`)
  for (const [index, { entryUuid }] of associations.entries()) symbols.set(entryUuid, `Association${number(index)}`)
  return symbols
}

function write({ submission: { submissionSet, entries, associations }, contents }: Lot) {
  const symbols = symbolsOf(submissionSet, entries, associations)
  const style = submissionStyle(symbols)
  const xml = new XmlWriter()
    .start('xdsb:ProvideAndRegisterDocumentSetRequest', { 'xmlns:xdsb': ns.xdsb, 'xmlns:rim': ns.rim })
    .start('lcm:SubmitObjectsRequest', { 'xmlns:lcm': ns.lcm })
    .start('rim:RegistryObjectList')
  writeSubmissionSet(xml, submissionSet, style)
  for (const entry of entries) writeDocumentEntry(xml, entry, style)
  // DMP-SERVICES §3.5: every association carries it, signs and RPLC too
  for (const association of associations)
    writeAssociation(
      xml,
      association,
      style,
      association.submissionSetStatus ? {} : { SubmissionSetStatus: 'Original' },
    )
  xml.end().end()
  const documents = entries.flatMap(({ entryUuid, mimeType }) => {
    const content = contents.get(entryUuid)
    if (content === undefined) return []
    const contentId = newContentId()
    xml
      .start('xdsb:Document', { id: symbols.get(entryUuid) })
      .element('xop:Include', { 'xmlns:xop': ns.xop, href: cidUri(contentId) })
      .end()
    const contentType = mimeType === 'text/xml' ? 'text/xml; charset=UTF-8' : mimeType
    return [{ contentId, contentType, size: content.size, stream: () => content.stream() }]
  })
  return { envelope: xml.end().take(), documents }
}

function inMemory(bytes: Buffer): DocumentContent {
  return {
    size: bytes.length,
    sha1: createHash('sha1').update(bytes).digest('hex'),
    bytes,
    stream: () => Readable.from([bytes], { objectMode: false }),
  }
}
