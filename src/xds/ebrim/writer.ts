/**
 * Objects of the metadata model as ebRIM (ITI TF-3 4.2.3), child order of the schema: Slot, Name, Description,
 * VersionInfo, Classification, ExternalIdentifier. The prefix `rim` is declared by the caller. Ids of children follow
 * from the id of their object, so that the same object always gives the same bytes.
 */
import { createHash } from 'node:crypto'
import { formatCx, formatXcn, formatXon, formatXtn } from '../../metadata/hl7.ts'
import type { EntryUuid } from '../../metadata/identifiers.ts'
import type {
  Association,
  Author,
  Code,
  DocumentEntry,
  Folder,
  Recipient,
  RegistryObject,
  Slot,
  SubmissionSet,
} from '../../metadata/model.ts'
import { displayOf } from '../../nomenclature/index.ts'
import type { XmlWriter } from '../../xml/writer.ts'
import {
  associationUrns,
  availabilityUrns,
  identifiers,
  nodes,
  objectTypes,
  referenceIdList,
  schemes,
  statusUrns,
} from './codes.ts'

/** Longest Slot value of the schema, less the `n|` that numbers the pieces of a long URI. */
const uriPiece = 250

/** How objects are written where it differs: what a registry stores, and what is sent to one. */
export interface WriteStyle {
  /** What stands for an object in the message: its entryUUID, or a symbol (ITI TF-3 4.2.1.4). */
  id(entryUuid: EntryUuid): string
  /** lid, home and status are written. */
  readonly identity: boolean
  /** VersionInfo is written. */
  readonly version: boolean
  /** Association/@objectType, which some registries want. */
  readonly associationType?: string
  readonly charset: string
  readonly language: string
}

export const storedStyle: WriteStyle = {
  id: (entryUuid) => entryUuid,
  identity: true,
  version: true,
  charset: 'UTF-8',
  language: 'fr-FR',
}

/** rim:ExtrinsicObject. */
export function writeDocumentEntry(xml: XmlWriter, entry: DocumentEntry, style = storedStyle): void {
  const children = new Children(xml, entry.entryUuid, style)
  const scheme = schemes.documentEntry
  xml.start('rim:ExtrinsicObject', {
    ...head(entry, style),
    objectType: objectTypes[entry.stability],
    mimeType: entry.mimeType,
  })
  slot(xml, 'creationTime', entry.creationTime)
  slot(xml, 'languageCode', entry.languageCode)
  slot(xml, 'sourcePatientId', entry.sourcePatientId && formatCx(entry.sourcePatientId))
  slots(xml, 'sourcePatientInfo', entry.sourcePatientInfo)
  slot(xml, 'legalAuthenticator', entry.legalAuthenticator && formatXcn(entry.legalAuthenticator))
  slot(xml, 'serviceStartTime', entry.serviceStartTime)
  slot(xml, 'serviceStopTime', entry.serviceStopTime)
  slot(xml, 'hash', entry.hash)
  slot(xml, 'size', entry.size?.toString())
  slots(xml, 'URI', splitUri(entry.uri))
  slot(xml, 'repositoryUniqueId', entry.repositoryUniqueId)
  slot(xml, 'documentAvailability', entry.documentAvailability && availabilityUrns[entry.documentAvailability])
  slots(xml, referenceIdList, entry.referenceIds.map(formatCx))
  extraSlots(xml, entry.extra)
  texts(xml, entry, style)
  version(xml, entry, style)
  children.authors(scheme.author, entry.authors)
  children.code(scheme.classCode, entry.classCode)
  children.codes(scheme.confidentialityCode, entry.confidentialityCodes)
  children.codes(scheme.eventCodeList, entry.eventCodes)
  children.code(scheme.formatCode, entry.formatCode)
  children.code(scheme.healthcareFacilityTypeCode, entry.healthcareFacilityTypeCode)
  children.code(scheme.practiceSettingCode, entry.practiceSettingCode)
  children.code(scheme.typeCode, entry.typeCode)
  if (entry.limitedMetadata) children.node(nodes.limitedDocumentEntry)
  const identifier = identifiers.documentEntry
  children.identifier(identifier.patientId, 'XDSDocumentEntry.patientId', formatCx(entry.patientId))
  children.identifier(identifier.uniqueId, 'XDSDocumentEntry.uniqueId', entry.uniqueId)
  xml.end()
}

/** rim:RegistryPackage with the classificationNode of a SubmissionSet inside. */
export function writeSubmissionSet(xml: XmlWriter, set: SubmissionSet, style = storedStyle): void {
  const children = new Children(xml, set.entryUuid, style)
  xml.start('rim:RegistryPackage', head(set, style))
  slot(xml, 'submissionTime', set.submissionTime)
  slots(xml, 'intendedRecipient', set.intendedRecipients.map(formatRecipient))
  extraSlots(xml, set.extra)
  texts(xml, set, style)
  version(xml, set, style)
  children.node(nodes.submissionSet)
  if (set.limitedMetadata) children.node(nodes.limitedSubmissionSet)
  children.authors(schemes.submissionSet.author, set.authors)
  children.code(schemes.submissionSet.contentTypeCode, set.contentTypeCode)
  const identifier = identifiers.submissionSet
  if (set.patientId) children.identifier(identifier.patientId, 'XDSSubmissionSet.patientId', formatCx(set.patientId))
  children.identifier(identifier.sourceId, 'XDSSubmissionSet.sourceId', set.sourceId)
  children.identifier(identifier.uniqueId, 'XDSSubmissionSet.uniqueId', set.uniqueId)
  xml.end()
}

/** rim:RegistryPackage with the classificationNode of a Folder inside. */
export function writeFolder(xml: XmlWriter, folder: Folder, style = storedStyle): void {
  const children = new Children(xml, folder.entryUuid, style)
  xml.start('rim:RegistryPackage', head(folder, style))
  slot(xml, 'lastUpdateTime', folder.lastUpdateTime)
  extraSlots(xml, folder.extra)
  texts(xml, folder, style)
  version(xml, folder, style)
  children.node(nodes.folder)
  if (folder.limitedMetadata) children.node(nodes.limitedFolder)
  children.codes(schemes.folder.codeList, folder.codes)
  const identifier = identifiers.folder
  if (folder.patientId) children.identifier(identifier.patientId, 'XDSFolder.patientId', formatCx(folder.patientId))
  children.identifier(identifier.uniqueId, 'XDSFolder.uniqueId', folder.uniqueId)
  xml.end()
}

/** @param slots further slots of the association (PreviousVersion, OriginalStatus, NewStatus) */
export function writeAssociation(
  xml: XmlWriter,
  association: Association,
  style = storedStyle,
  slots: Readonly<Record<string, string>> = {},
): void {
  const children = new Children(xml, association.entryUuid, style)
  xml.start('rim:Association', {
    ...head(association, style),
    associationType: associationUrns[association.type],
    objectType: style.associationType,
    sourceObject: style.id(association.source),
    targetObject: style.id(association.target),
  })
  slot(xml, 'SubmissionSetStatus', association.submissionSetStatus)
  for (const [name, value] of Object.entries(slots)) slot(xml, name, value)
  extraSlots(xml, association.extra)
  version(xml, association, style)
  children.code(schemes.association.associationDocumentation, association.documentation)
  xml.end()
}

export function writeObjectRef(xml: XmlWriter, id: EntryUuid): void {
  xml.element('rim:ObjectRef', { id })
}

function head(object: RegistryObject, style: WriteStyle) {
  const id = style.id(object.entryUuid)
  if (!style.identity) return { id }
  return { id, lid: object.logicalId, home: object.homeCommunityId, status: statusUrns[object.availabilityStatus] }
}

function slot(xml: XmlWriter, name: string, value: string | undefined): void {
  if (value !== undefined) slots(xml, name, [value])
}

function slots(xml: XmlWriter, name: string, values: readonly string[]): void {
  if (values.length > 0) slotList(xml, name, values)
}

function extraSlots(xml: XmlWriter, extra: readonly Slot[]): void {
  for (const { name, values } of extra) slotList(xml, name, values)
}

function slotList(xml: XmlWriter, name: string, values: readonly string[]): void {
  xml.start('rim:Slot', { name }).start('rim:ValueList')
  for (const value of values) xml.element('rim:Value', undefined, value)
  xml.end().end()
}

function texts(
  xml: XmlWriter,
  object: { readonly title?: string; readonly comments?: string },
  { charset, language }: WriteStyle,
): void {
  if (object.title !== undefined) localized(xml, 'rim:Name', object.title, charset, language)
  if (object.comments !== undefined) localized(xml, 'rim:Description', object.comments, charset, language)
}

function localized(xml: XmlWriter, element: string, value: string, charset: string, lang?: string): void {
  xml.start(element).element('rim:LocalizedString', { 'xml:lang': lang, charset, value }).end()
}

function version(xml: XmlWriter, object: RegistryObject, style: WriteStyle): void {
  if (style.version) xml.element('rim:VersionInfo', { versionName: object.version.toString() })
}

function splitUri(uri: string | undefined): readonly string[] {
  if (uri === undefined) return []
  if (uri.length <= uriPiece) return [uri]
  const pieces: string[] = []
  for (let start = 0; start < uri.length; start += uriPiece)
    pieces.push(`${pieces.length + 1}|${uri.slice(start, start + uriPiece)}`)
  return pieces
}

function formatRecipient({ organization, person, telecom }: Recipient): string {
  const parts = [
    organization ? formatXon(organization) : '',
    person ? formatXcn(person) : '',
    telecom ? formatXtn(telecom) : '',
  ]
  return parts.join('|').replace(/\|+$/, '')
}

/** Classifications and ExternalIdentifiers of one object, numbered under an id derived from its own. */
class Children {
  readonly #xml: XmlWriter
  readonly #owner: string
  readonly #charset: string
  readonly #stem: string
  #count = 0

  constructor(xml: XmlWriter, owner: EntryUuid, style: WriteStyle) {
    this.#xml = xml
    this.#owner = style.id(owner)
    this.#charset = style.charset
    // A name-based UUID (RFC 9562 version 8) of the owner whose last four digits number its children
    const hex = createHash('sha1').update(owner).digest('hex')
    this.#stem = `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 28)}`
  }

  authors(scheme: string, authors: readonly Author[]): void {
    for (const author of authors) {
      const xml = this.#start(scheme, '')
      slot(xml, 'authorPerson', author.person && formatXcn(author.person))
      slots(xml, 'authorInstitution', author.institutions.map(formatXon))
      slots(xml, 'authorRole', author.roles)
      slots(xml, 'authorSpecialty', author.specialties)
      slots(xml, 'authorTelecommunication', author.telecoms.map(formatXtn))
      xml.end()
    }
  }

  codes(scheme: string, codes: readonly Code[]): void {
    for (const code of codes) this.code(scheme, code)
  }

  code(scheme: string, code: Code | undefined): void {
    if (code === undefined) return
    const xml = this.#start(scheme, code.code)
    slot(xml, 'codingScheme', code.system)
    // The display name is required (ITI TF-3 4.2.3.1.2): without one, that of the nomenclature, else the code itself
    localized(xml, 'rim:Name', code.display ?? displayOf(code.system, code.code) ?? code.code, this.#charset)
    xml.end()
  }

  node(classificationNode: string): void {
    this.#xml.element('rim:Classification', { id: this.#next(), classificationNode, classifiedObject: this.#owner })
  }

  identifier(identificationScheme: string, name: string, value: string): void {
    this.#xml.start('rim:ExternalIdentifier', {
      id: this.#next(),
      registryObject: this.#owner,
      identificationScheme,
      value,
    })
    localized(this.#xml, 'rim:Name', name, this.#charset)
    this.#xml.end()
  }

  #start(classificationScheme: string, nodeRepresentation: string): XmlWriter {
    return this.#xml.start('rim:Classification', {
      id: this.#next(),
      classificationScheme,
      classifiedObject: this.#owner,
      nodeRepresentation,
    })
  }

  #next(): string {
    return this.#stem + (this.#count++).toString(16).padStart(4, '0')
  }
}
