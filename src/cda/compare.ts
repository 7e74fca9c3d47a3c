/**
 * The header of a document against its metadata (`metadata.checkCda`). Only what both sides say is compared, and every
 * difference is named: by attribute, with codes and times, never with a name or an identifier of a person.
 */
import type { Issue } from '../errors.ts'
import { patientKeyOf, type Xcn } from '../metadata/hl7.ts'
import type { Code, DocumentEntry } from '../metadata/model.ts'
import { schemeOf, type ValueSetName, valueSet } from '../nomenclature/index.ts'
import type { CdaHeader } from './header.ts'

/** Differences, one issue for each attribute. @param severity of the issues */
export function differences(entry: DocumentEntry, header: CdaHeader, severity: 'warning' | 'error'): readonly Issue[] {
  const issues: Issue[] = []
  const report: Report = (attribute, detail) =>
    issues.push({
      code: 'InvalidDocumentContent',
      severity,
      rule: 'CDA',
      location: `${entry.entryUuid}/${attribute}`,
      detail,
    })
  if (header.uniqueId !== undefined && header.uniqueId !== entry.uniqueId)
    report('uniqueId', 'The document has another id than the metadata: send its id as the uniqueId.')
  comparePatient(entry, header, report)
  comparePersons(entry, header, report)
  compareCodes(entry, header, report)
  compareTimes(entry, header, report)
  if (header.title !== undefined && entry.title !== undefined && header.title !== spaced(entry.title))
    report('title', 'The document has another title than the metadata: send the same in both.')
  const { languageCode } = header
  if (languageCode !== undefined && entry.languageCode !== undefined && !sameText(languageCode, entry.languageCode))
    report('languageCode', said(languageCode, entry.languageCode))
  return issues
}

type Report = (attribute: string, detail: string) => void

function said(inDocument: string, inMetadata: string): string {
  return `The document says ${shown(inDocument)}, the metadata ${shown(inMetadata)}: send the same in both.`
}

/** A value of the message, cut short. */
function shown(text: string): string {
  return text.slice(0, 80)
}

function comparePatient(entry: DocumentEntry, { patientId, sourcePatientId }: CdaHeader, report: Report): void {
  const named = [patientId, sourcePatientId].flatMap((cx) => (cx ? (patientKeyOf(cx) ?? []) : []))
  const patient = patientKeyOf(entry.patientId)
  if (named.length > 0 && patient !== undefined && !named.includes(patient))
    report('patientId', 'The document is of another patient than the metadata say: check which document this is.')
}

function comparePersons(entry: DocumentEntry, header: CdaHeader, report: Report): void {
  const authors = new Set(entry.authors.flatMap(({ person }) => keyOf(person) ?? []))
  const inDocument = header.authors.flatMap(({ person }) => keyOf(person) ?? [])
  if (authors.size > 0 && inDocument.some((author) => !authors.has(author)))
    report('author', 'An author of the document is none of the metadata: send each author of the document.')
  const [inHeader, inEntry] = [keyOf(header.legalAuthenticator), keyOf(entry.legalAuthenticator)]
  if (inHeader !== undefined && inEntry !== undefined && inHeader !== inEntry)
    report('legalAuthenticator', 'The document is signed by another person than the metadata say: send the signer.')
}

function keyOf(person: Xcn | undefined): string | undefined {
  const oid = person?.assigningAuthority?.universalId
  return person?.id === undefined || oid === undefined ? undefined : `${oid}|${person.id}`
}

/** Of the setting of care the document says more than the DMP has codes for: only codes of the DMP are compared. */
const coded = [
  ['typeCode', undefined],
  ['formatCode', undefined],
  ['healthcareFacilityTypeCode', 'healthcareFacilityTypeCode'],
  ['practiceSettingCode', 'practiceSettingCode'],
] as const satisfies readonly (readonly [keyof DocumentEntry, ValueSetName | undefined])[]

function compareCodes(entry: DocumentEntry, header: CdaHeader, report: Report): void {
  for (const [attribute, set] of coded) {
    const [inDocument, inMetadata] = [header[attribute], entry[attribute]]
    if (inDocument === undefined || inMetadata === undefined) continue
    if (set !== undefined && !valueSet(set).has(inDocument.code, inDocument.system)) continue
    if (!sameCode(inDocument, inMetadata)) report(attribute, said(inDocument.code, inMetadata.code))
  }
  const missing = header.confidentialityCodes.find(
    (code) => !entry.confidentialityCodes.some((each) => sameCode(code, each)),
  )
  if (missing !== undefined && entry.confidentialityCodes.length > 0)
    report('confidentialityCode', `The document says ${shown(missing.code)}, the metadata do not: send it in both.`)
}

function sameCode(a: Code, b: Code): boolean {
  return a.code === b.code && schemeOf(a.system) === schemeOf(b.system)
}

/** A time agrees with a more exact one of the same moment. */
function compareTimes(entry: DocumentEntry, header: CdaHeader, report: Report): void {
  for (const attribute of ['creationTime', 'serviceStartTime', 'serviceStopTime'] as const) {
    const [inDocument, inMetadata] = [header[attribute], entry[attribute]]
    if (inDocument === undefined || inMetadata === undefined) continue
    if (!inDocument.startsWith(inMetadata) && !inMetadata.startsWith(inDocument))
      report(attribute, said(inDocument, inMetadata))
  }
}

function sameText(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}

function spaced(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
