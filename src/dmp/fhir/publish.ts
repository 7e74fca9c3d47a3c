/** TD2.1 and TD2.1b: one lot as a transaction Bundle (ITI-65), or one document as it is (ITI-105). */
import { randomUUID } from 'node:crypto'
import type { DocumentReference, List, Parameters } from '@medplum/fhirtypes'
import { GatewayError, type Issue } from '../../errors.ts'
import { relationsOf, toDocumentReference, toSubmissionSetList } from '../../fhir/mapping/index.ts'
import { patientKeyOf } from '../../metadata/hl7.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type { DocumentEntry, Submission } from '../../metadata/model.ts'
import type { AccessRecord, DocumentContent, Receipt } from '../../operations/ports.ts'
import { asBundle } from './answers.ts'
import type { Asking } from './client.ts'
import { readOutcome } from './outcome.ts'
import type { Session } from './session.ts'
import { streamedJson } from './streamed.ts'
import { presented } from './token.ts'
import type { Answer } from './wire.ts'

const bundleProfile = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Comprehensive.ProvideBundle'
const replacing: ReadonlySet<string> = new Set(['RPLC', 'XFRM_RPLC'])

/** What is sent with an entry of the Bundle. */
interface Sent {
  readonly resource: object
  readonly fullUrl?: string
  readonly request: { readonly method: 'POST' | 'PATCH'; readonly url: string }
  /** The object of the submission that it is about. */
  readonly about: EntryUuid
}

export async function publish(
  session: Session,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
  record: AccessRecord,
): Promise<Receipt> {
  const { parts, context } = session
  const { submissionSet, entries, folders, associations } = submission
  const patient = submissionSet.patientId && patientKeyOf(submissionSet.patientId)
  if (patient === undefined) throw new GatewayError('XDSUnknownPatientId')
  if (folders.length > 0)
    throw new GatewayError({ code: 'not-a-dmp-operation', rule: 'UP7', detail: 'The DMP has no folders.' })
  for (const { entryUuid } of entries)
    if (!contents.has(entryUuid)) throw new GatewayError({ code: 'XDSMissingDocument', location: entryUuid })
  const transaction = associations.some(({ type }) => replacing.has(type)) ? 'TD2.1b' : 'TD2.1'
  const asking: Asking = { transaction, use: 'own', patient }
  // Said before anything is on disk or sent
  presented(parts.options, context, asking.use)
  const simplified = parts.options.publish === 'ITI-105'
  const [only, ...others] = entries
  if (simplified && (only === undefined || others.length > 0))
    throw new GatewayError('not-a-dmp-operation', {
      detail: 'This DMP takes one document at a time (ITI-105): send each in a submission of its own.',
    })
  const send =
    simplified && only
      ? () => sendAlone(session, asking, submission, only, contents)
      : () => sendTogether(session, asking, submission, contents)
  const warnings = await parts.journal.around(record, send)
  // Ours lead to the documents by their uniqueIds, theirs come with the first search
  parts.references.remember([...entries, submissionSet], patient, true)
  return { submissionSet, entries, at: parts.clock.now().toISOString(), warnings }
}

/** ITI TF-2 3.65.4.1.2: the SubmissionSet, each DocumentReference and its Binary, and what is superseded by them. */
async function sendTogether(
  session: Session,
  asking: Asking,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
): Promise<readonly Issue[]> {
  let sent: readonly Sent[] = []
  const body = streamedJson((hold) => {
    sent = entriesOf(session, submission, (entryUuid) => hold(contentOf(contents, entryUuid)))
    const entry = sent.map(({ fullUrl, resource, request }) => ({ ...(fullUrl && { fullUrl }), resource, request }))
    return { resourceType: 'Bundle', meta: { profile: [bundleProfile] }, type: 'transaction', entry }
  })
  const objects = new Map(sent.map(({ about }, index) => [index, about as string]))
  return readTransaction(await session.peer.post(asking, '', body, objects), sent, objects)
}

function entriesOf(session: Session, submission: Submission, data: (entryUuid: EntryUuid) => string): readonly Sent[] {
  const { submissionSet, entries } = submission
  const { entryUuid: set } = submissionSet
  const items = entries.map(({ entryUuid }) => entryUuid)
  return [
    {
      about: set,
      fullUrl: set,
      resource: withoutIdentity(toSubmissionSetList(submissionSet, { items })),
      request: posted('List'),
    },
    ...entries.flatMap((entry): Sent[] => {
      const { entryUuid: about, mimeType: contentType } = entry
      const url = `urn:uuid:${randomUUID()}`
      const binary = { resourceType: 'Binary', contentType, data: data(about) }
      return [
        {
          about,
          fullUrl: about,
          resource: documentReference(session, submission, entry, { url }),
          request: posted('DocumentReference'),
        },
        { about, fullUrl: url, resource: binary, request: posted('Binary') },
      ]
    }),
    ...(session.parts.options.supersede ? superseded(session, submission) : []),
  ]
}

function posted(url: string): Sent['request'] {
  return { method: 'POST', url }
}

/** UpdateDocumentRefs of MHD: the replaced document, by its id at the DMP. */
function superseded({ registry }: Session, { associations }: Submission): readonly Sent[] {
  const targets = new Map(
    associations.flatMap(({ type, source, target }) => {
      const id = replacing.has(type) ? registry.known.exact(target)?.id : undefined
      return id === undefined ? [] : [[id, source] as const]
    }),
  )
  return [...targets].map(([id, about]) => ({
    about,
    resource: supersedes,
    request: { method: 'PATCH', url: `DocumentReference/${id}` },
  }))
}

const supersedes: Parameters = {
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: 'DocumentReference.status' },
        { name: 'value', valueCode: 'superseded' },
      ],
    },
  ],
}

/** ITI TF-2 3.105: the document inside; the DMP makes the lot. */
async function sendAlone(
  session: Session,
  asking: Asking,
  submission: Submission,
  entry: DocumentEntry,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
): Promise<readonly Issue[]> {
  const body = streamedJson((hold) =>
    documentReference(session, submission, entry, { data: hold(contentOf(contents, entry.entryUuid)) }),
  )
  const { body: answer } = await session.peer.post(asking, 'DocumentReference', body, new Map())
  return readOutcome(answer)
}

/** The entry as it is published: what the DMP gives by itself is left out, relationships name its own ids. */
function documentReference(
  { parts, context, registry }: Session,
  { associations }: Submission,
  entry: DocumentEntry,
  attachment: { readonly url: string } | { readonly data: string },
): DocumentReference {
  const { repositoryUniqueId, uri, documentAvailability, homeCommunityId, ...published } = entry
  const { structure } = presented(parts.options, context, 'own')
  const name = context.caller.structure?.name ?? parts.options.structure.name
  const resource = toDocumentReference(
    { ...published, availabilityStatus: 'Approved' },
    {
      baseUrl: parts.base.url,
      custodian: { id: structure, name },
      relations: relationsOf(entry.entryUuid, associations, (id) => id),
    },
  )
  const [content] = resource.content ?? []
  const { url: _, ...described } = content?.attachment ?? {}
  return withoutIdentity({
    ...resource,
    ...(resource.relatesTo && {
      relatesTo: resource.relatesTo.map(({ target, ...relation }) => ({
        ...relation,
        target: { reference: targetReference(registry, target?.reference ?? '') },
      })),
    }),
    content: [{ ...content, attachment: { ...described, ...attachment } }],
  })
}

/** A document of the DMP by its id there, one of the same lot by its fullUrl. */
function targetReference({ known }: Session['registry'], reference: string): string {
  const entryUuid = `urn:uuid:${reference.slice('DocumentReference/'.length)}`
  const id = known.exact(entryUuid)?.id
  return id === undefined ? entryUuid : `DocumentReference/${id}`
}

/** Ids and versions are the DMP's to give; a profile stays claimed. */
function withoutIdentity<T extends DocumentReference | List>({ id: _, meta, identifier, ...resource }: T): T {
  const kept = identifier?.filter(({ use }) => use === 'usual')
  return {
    ...resource,
    ...(meta?.profile && { meta: { profile: meta.profile } }),
    ...(kept !== undefined && kept.length > 0 && { identifier: kept }),
  } as unknown as T
}

function contentOf(contents: ReadonlyMap<EntryUuid, DocumentContent>, entryUuid: EntryUuid): DocumentContent {
  const content = contents.get(entryUuid)
  if (content === undefined) throw new GatewayError({ code: 'XDSMissingDocument', location: entryUuid })
  return content
}

/**
 * Warnings of the answer, each about the object it concerns.
 * @throws GatewayError dmp-outcome-unknown for an answer that does not say that every entry was done
 */
function readTransaction(
  { body }: Answer,
  sent: readonly Sent[],
  objects: ReadonlyMap<number, string>,
): readonly Issue[] {
  const entries = answered(body)
  if (entries.length !== sent.length) throw unsure('has not one entry for each that was sent')
  return entries.flatMap(({ response }, index) => {
    if (response === undefined || !/^2\d\d\b/.test(response.status))
      throw unsure('does not say of each entry that it was done')
    const location = objects.get(index)
    return readOutcome(response.outcome)
      .filter(({ severity }) => severity === 'warning')
      .map((issue) => ({ ...issue, ...(location !== undefined && { location }) }))
  })
}

function answered(body: unknown) {
  try {
    return asBundle(body, 'transaction-response').entry ?? []
  } catch (cause) {
    throw unsure('is no transaction-response', cause)
  }
}

/** It was sent, and may have been done. */
function unsure(what: string, cause?: unknown): GatewayError {
  return new GatewayError('dmp-outcome-unknown', { detail: `The answer of the DMP ${what}.`, cause })
}
