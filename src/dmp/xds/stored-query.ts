/** ITI-18 as it is asked of the DMP (DMP-SERVICES §4.1, §4.2), and what it answers, checked before anyone sees it. */
import { GatewayError } from '../../errors.ts'
import type { CodeMatch, DocumentCriteria, TimeRange } from '../../metadata/criteria.ts'
import { cxOf, formatCx } from '../../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../../metadata/identifiers.ts'
import type { AvailabilityStatus } from '../../metadata/model.ts'
import { statusUrns } from '../../xds/ebrim/codes.ts'
import { type ReadObjects, readObjects } from '../../xds/ebrim/reader.ts'
import { ns } from '../../xds/namespaces.ts'
import { attribute, child, children, type XmlElement } from '../../xml/tree.ts'
import { XmlWriter } from '../../xml/writer.ts'
import { readRegistryResponse } from './registry-response.ts'

export const storedQueryAction = 'urn:ihe:iti:2007:RegistryStoredQuery'

/** ITI TF-2 table 3.18.4.1.2.3.7. */
const queries = {
  FindDocuments: 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d',
  FindDocumentsByReferenceId: 'urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492',
  FindSubmissionSets: 'urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9',
  GetDocuments: 'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
  GetAssociations: 'urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155',
  GetSubmissionSetAndContents: 'urn:uuid:e8e3cb2c-e39c-46b9-99e4-c12f57260b83',
} as const

type Parameters = readonly (readonly [name: string, value: string])[]
type Queries = keyof typeof queries

function write(query: Queries, parameters: Parameters, returnType: 'LeafClass' | 'ObjectRef' = 'LeafClass'): Buffer {
  const xml = new XmlWriter()
    .start('query:AdhocQueryRequest', { 'xmlns:query': ns.query, xmlns: ns.rim })
    .element('query:ResponseOption', { returnComposedObjects: 'true', returnType })
    .start('AdhocQuery', { id: queries[query] })
  for (const [name, value] of parameters)
    xml.start('Slot', { name }).start('ValueList').element('Value', undefined, value).end().end()
  return xml.end().end().take()
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
const list = (values: readonly string[]): string => `(${values.map(text).join(',')})`
const patientText = (patient: PatientKey): string => text(formatCx(cxOf(patient, 'NH')))

/**
 * What the DMP is known to understand of the criteria; it may find more than was asked, never less: the rest is for the
 * criteria themselves, applied to what comes back.
 */
export function writeFindDocuments(
  patient: PatientKey,
  statuses: readonly AvailabilityStatus[],
  criteria: DocumentCriteria,
): Buffer {
  const parameters: [string, string][] = [
    ['$XDSDocumentEntryPatientId', patientText(patient)],
    ['$XDSDocumentEntryStatus', list(statuses.map((status) => statusUrns[status]))],
  ]
  const codes = (name: string, matches: readonly CodeMatch[] | undefined): void => {
    const values = (matches ?? []).map(({ code, system }) => code && system && `${code}^^${system}`)
    // A code without its system, or the reverse, cannot be asked of a registry
    if (values.length > 0 && values.every((value) => value !== undefined && value !== ''))
      parameters.push([`$XDSDocumentEntry${name}`, list(values as string[])])
  }
  const times = (name: string, ranges: readonly TimeRange[] | undefined): void => {
    for (const end of ['from', 'to'] as const) {
      const value = ranges?.length === 1 ? ranges[0]?.[end] : undefined
      if (value !== undefined) parameters.push([`$XDSDocumentEntry${name}${end === 'from' ? 'From' : 'To'}`, value])
    }
  }
  codes('ClassCode', criteria.classCodes)
  codes('TypeCode', criteria.typeCodes)
  codes('PracticeSettingCode', criteria.practiceSettingCodes)
  codes('HealthcareFacilityTypeCode', criteria.healthcareFacilityTypeCodes)
  codes('FormatCode', criteria.formatCodes)
  for (const group of criteria.eventCodes ?? []) codes('EventCodeList', group)
  for (const group of criteria.confidentialityCodes ?? []) codes('ConfidentialityCode', group)
  times('CreationTime', criteria.creationTime)
  times('ServiceStartTime', criteria.serviceStartTime)
  times('ServiceStopTime', criteria.serviceStopTime)
  const groups = criteria.referenceIds ?? []
  for (const group of groups) parameters.push(['$XDSDocumentEntryReferenceIdList', list(group)])
  return write(groups.length > 0 ? 'FindDocumentsByReferenceId' : 'FindDocuments', parameters)
}

export function writeFindSubmissionSets(
  patient: PatientKey,
  statuses: readonly AvailabilityStatus[],
  submissionTime: TimeRange | undefined,
): Buffer {
  const parameters: [string, string][] = [
    ['$XDSSubmissionSetPatientId', patientText(patient)],
    ['$XDSSubmissionSetStatus', list(statuses.map((status) => statusUrns[status]))],
  ]
  if (submissionTime?.from) parameters.push(['$XDSSubmissionSetSubmissionTimeFrom', submissionTime.from])
  if (submissionTime?.to) parameters.push(['$XDSSubmissionSetSubmissionTimeTo', submissionTime.to])
  return write('FindSubmissionSets', parameters)
}

/** TD3.1b where `returnType` is ObjectRef. */
export function writeGetDocuments(
  by: 'uniqueId' | 'entryUuid',
  ids: readonly string[],
  returnType: 'LeafClass' | 'ObjectRef' = 'LeafClass',
): Buffer {
  const name = by === 'uniqueId' ? '$XDSDocumentEntryUniqueId' : '$XDSDocumentEntryEntryUUID'
  return write('GetDocuments', [[name, list(ids)]], returnType)
}

export function writeGetAssociations(ids: readonly EntryUuid[]): Buffer {
  return write('GetAssociations', [['$uuid', list(ids)]])
}

/** A SubmissionSet by its own identifier, without its documents where they can be left out. */
export function writeGetSubmissionSet(by: 'uniqueId' | 'entryUuid', id: string): Buffer {
  const name = by === 'uniqueId' ? '$XDSSubmissionSetUniqueId' : '$XDSSubmissionSetEntryUUID'
  return write('GetSubmissionSetAndContents', [[name, text(id)]])
}

/**
 * Faults of ebRIM that the DMP may have without hiding anything from the guard: slots of its own names, a time that is
 * none (the attribute is then absent), a node on an author. Anything else, and above all a label, makes the answer unfit.
 */
const tolerated: ReadonlySet<string> = new Set(['C5', 'C8', 'D7', 'D8'])

/** @throws GatewayError with the errors of the DMP, or dmp-answer-invalid naming the rule */
export function readFound(answer: XmlElement): ReadObjects {
  const list = checkedList(answer)
  const objects = readObjects(withDefaults(list), 'stored')
  const [worst] = objects.issues.filter(({ rule }) => !tolerated.has(rule ?? ''))
  if (worst !== undefined || !objects.whole)
    throw new GatewayError('dmp-answer-invalid', {
      detail: `An object in the answer breaks rule ${worst?.rule ?? 'R8'} of ebRIM: nothing of the answer is used.`,
    })
  return objects
}

/**
 * What IHE has a registry say and the samples of the DMP leave out where it goes without saying: the first version has its
 * own id as lid and the number 1, and an association stands unless it is said not to.
 */
function withDefaults(list: XmlElement): XmlElement {
  return {
    ...list,
    children: list.children.map((object) => {
      if (object.ns !== ns.rim || !['ExtrinsicObject', 'RegistryPackage', 'Association'].includes(object.local))
        return object
      const missing = (local: string, value: string | undefined) =>
        attribute(object, local) === undefined && value !== undefined ? [{ ns: '', local, value }] : []
      const status = object.local === 'Association' ? missing('status', statusUrns.Approved) : []
      const attributes = [...object.attributes, ...missing('lid', attribute(object, 'id')), ...status]
      if (child(object, ns.rim, 'VersionInfo') !== undefined) return { ...object, attributes }
      const first = object.children.findIndex(
        ({ local }) => local === 'Classification' || local === 'ExternalIdentifier',
      )
      const at = first < 0 ? object.children.length : first
      return { ...object, attributes, children: object.children.toSpliced(at, 0, firstVersion) }
    }),
  }
}

const firstVersion: XmlElement = {
  ns: ns.rim,
  local: 'VersionInfo',
  attributes: [{ ns: '', local: 'versionName', value: '1' }],
  children: [],
  text: '',
}

export function readObjectRefs(answer: XmlElement): readonly string[] {
  return children(checkedList(answer), ns.rim, 'ObjectRef').flatMap((reference) => attribute(reference, 'id') ?? [])
}

function checkedList(answer: XmlElement): XmlElement {
  if (answer.ns !== ns.query || answer.local !== 'AdhocQueryResponse')
    throw new GatewayError('dmp-answer-invalid', { detail: 'The answer is no query:AdhocQueryResponse.' })
  readRegistryResponse(answer)
  const list = child(answer, ns.rim, 'RegistryObjectList')
  if (list === undefined)
    throw new GatewayError('dmp-answer-invalid', { detail: 'The answer has no RegistryObjectList.' })
  return list
}
