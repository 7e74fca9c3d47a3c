import type { DocumentFacts } from '../../src/access/types.ts'
import { patientKeyOf } from '../../src/metadata/hl7.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import type { Findings } from '../../src/operations/operations.ts'
import { registryStoredQuery as iti18 } from '../../src/xds/iti-18.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { escapeText } from '../../src/xml/writer.ts'
import { ins, insAuthority } from '../mothers/metadata.ts'
import { anEnvelope, noFindings } from './support.ts'

export const findDocuments = '14d4debf-8f97-4251-9a74-a90016b0af0d'
export const findByReferenceId = '12941a89-e02e-4be5-967c-ce4bfc8fe492'
export const getDocuments = '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4'
export const getAssociations = 'a7ae438b-4bc2-4642-93e9-be891f7bb155'
export const approved = "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')"
export const patient = `'${ins}^^^&${insAuthority}&ISO^NH'`
export const uuid = 'urn:uuid:0d8f0f5e-0000-4000-8000-00000000000a'

/** Parameters without the prefix `$`; a list of lists is a repeated Slot. */
export type Parameters = Readonly<Record<string, string | readonly string[] | readonly (readonly string[])[]>>
export const required: Parameters = { XDSDocumentEntryPatientId: patient, XDSDocumentEntryStatus: approved }

export function request(id: string, parameters: Parameters, returnType = 'LeafClass'): string {
  const slot = (name: string, values: readonly string[]) =>
    `<r:Slot name="$${name}"><r:ValueList>${values.map((value) => `<r:Value>${escapeText(value)}</r:Value>`).join('')}</r:ValueList></r:Slot>`
  const slots = Object.entries(parameters).flatMap(([name, given]) => {
    const values: readonly (string | readonly string[])[] = typeof given === 'string' ? [given] : given
    return values.every((value) => typeof value === 'string')
      ? [slot(name, values as readonly string[])]
      : values.map((each) => slot(name, each as readonly string[]))
  })
  const body = `<q:AdhocQueryRequest xmlns:q="${ns.query}" xmlns:r="${ns.rim}"><q:ResponseOption returnComposedObjects="true" returnType="${returnType}"/><r:AdhocQuery id="urn:uuid:${id}">${slots.join('')}</r:AdhocQuery></q:AdhocQueryRequest>`
  return anEnvelope({ action: iti18.requestAction, body })
}

export function findingsOf(entries: readonly DocumentEntry[], more: Partial<Findings> = {}): Findings {
  const facts = (entry: DocumentEntry): DocumentFacts => ({
    entryUuid: entry.entryUuid,
    logicalId: entry.logicalId,
    version: entry.version,
    uniqueId: entry.uniqueId,
    patient: patientKeyOf(entry.patientId) as NonNullable<ReturnType<typeof patientKeyOf>>,
    availabilityStatus: entry.availabilityStatus,
    confidentiality: [],
    authorPersons: [],
    depositedBy: 'professional',
    depositedAt: '2026-05-12T08:16:00.000Z',
    updatedAt: '2026-05-12T08:16:00.000Z',
  })
  return {
    ...noFindings,
    documents: entries.map(facts),
    async *entries(documents) {
      for (const { entryUuid } of documents) yield entries.find((each) => each.entryUuid === entryUuid) as DocumentEntry
    },
    ...more,
  }
}
