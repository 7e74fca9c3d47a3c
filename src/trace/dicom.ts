/**
 * An access as a DICOM audit message (PS3.15 A.5), filled in as IHE asks of an XDS registry and repository (ITI TF-2, audit
 * tables of ITI-18, 41, 43), the other transactions alike. Without namespace, as the schema has it.
 */
import type { Caller } from '../access/caller.ts'
import { splitPatientKey } from '../metadata/identifiers.ts'
import { alertKinds, isAlert } from '../operations/alerts.ts'
import { auditKindOf } from '../operations/audit-kind.ts'
import type { AccessRecord, AlertRecord, TracedRecord } from '../operations/ports.ts'
import { callerNames, modeNames, operationWords, outcomeNames, reasonText } from '../operations/wording.ts'
import { XmlWriter } from '../xml/writer.ts'

export interface AuditSource {
  /** AuditSourceID: which system this is; the OID of the repository. */
  readonly id: string
  /** AuditEnterpriseSiteID. */
  readonly site?: string | undefined
}

/** A coded value: code, name of its system, text. */
type Coded = readonly [code: string, system: string, text: string]

const dcm = 'DCM'
const transactionNames: Readonly<Record<string, string>> = {
  'ITI-18': 'Registry Stored Query',
  'ITI-41': 'Provide and Register Document Set-b',
  'ITI-42': 'Register Document Set-b',
  'ITI-43': 'Retrieve Document Set',
  'ITI-57': 'Update Document Set',
  'ITI-62': 'Remove Metadata',
  'ITI-65': 'Provide Document Bundle',
  'ITI-66': 'Find Document Lists',
  'ITI-67': 'Find Document References',
  'ITI-68': 'Retrieve Document',
  'ITI-81': 'Retrieve ATNA Audit Event',
  'ITI-86': 'Remove Documents',
  'ITI-92': 'Restricted Update Document Set',
  'ITI-104': 'Patient Identity Feed FHIR',
  'ITI-105': 'Simplified Publish',
}
const outcomes: Readonly<Record<AccessRecord['outcome'], string>> = { permitted: '0', failed: '4', refused: '8' }

/** The message as XML, without a declaration. */
export function writeAuditMessage({ record: traced, sequence }: TracedRecord, source: AuditSource): string {
  const xml = new XmlWriter().start('AuditMessage')
  if (isAlert(traced)) writeAlert(xml, traced, source, sequence)
  else {
    const record = writable(traced)
    writeEvent(xml, record)
    writeParticipants(xml, record, source)
    writeSource(xml, source)
    writeObjects(xml, record, sequence)
  }
  return xml.end().take().toString()
}

function writeSource(xml: XmlWriter, { id, site }: AuditSource): void {
  xml.start('AuditSourceIdentification', {
    ...(site === undefined ? {} : { AuditEnterpriseSiteID: site }),
    AuditSourceID: id,
  })
  xml.element('AuditSourceTypeCode', { 'csd-code': '4', codeSystemName: dcm, originalText: 'Application Server' }).end()
}

/** PS3.15 A.5.3: User Authentication that failed, or a Security Alert; who it was is not known, only from where. */
function writeAlert(xml: XmlWriter, alert: AlertRecord, source: AuditSource, sequence: number): void {
  const { event, type, outcome, text } = alertKinds[alert.reason]
  xml.start('EventIdentification', {
    EventActionCode: 'E',
    EventDateTime: alert.at,
    EventOutcomeIndicator: outcome,
  })
  coded(xml, 'EventID', [event.code, dcm, event.display])
  coded(xml, 'EventTypeCode', [type.code, dcm, type.display])
  xml.element('EventOutcomeDescription', undefined, `${text} : ${alert.count}`).end()
  xml.start('ActiveParticipant', {
    UserID: alert.client ?? 'plusieurs sources',
    UserIsRequestor: 'true',
    ...accessPoint(alert.client),
  })
  coded(xml, 'RoleIDCode', ['110150', dcm, 'Application'])
  xml.end()
  xml.start('ActiveParticipant', {
    UserID: source.id,
    AlternativeUserID: String(process.pid),
    UserIsRequestor: 'false',
  })
  coded(xml, 'RoleIDCode', ['110150', dcm, 'Application'])
  xml.end()
  writeSource(xml, source)
  writeObject(xml, {
    id: alert.id,
    type: '4',
    role: '26',
    idType: ['record', 'DMP', 'Access record'],
    details: [
      ['sequence', String(sequence)],
      ['reasonCode', alert.reason],
      ['door', alert.door],
      ['count', String(alert.count)],
      ['from', alert.from],
      ['to', alert.to],
    ],
  })
}

// XML 1.0 2.2: what a document may hold; a name or a reason that holds something else is told without it
const unwritable = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

function writable(record: AccessRecord): AccessRecord {
  const clean = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? value.replace(unwritable, '\ufffd') : value
  return JSON.parse(JSON.stringify(record), clean) as AccessRecord
}

function coded(xml: XmlWriter, name: string, [code, system, text]: Coded): void {
  xml.element(name, { 'csd-code': code, codeSystemName: system, originalText: text })
}

function writeEvent(xml: XmlWriter, record: AccessRecord): void {
  const { event, action } = auditKindOf(record)
  const { operation, transaction, outcome, purpose, reason, reasonCode } = record
  xml.start('EventIdentification', {
    EventActionCode: action,
    EventDateTime: record.at,
    EventOutcomeIndicator: outcomes[outcome],
  })
  coded(xml, 'EventID', [event.code, dcm, event.display])
  if (/^ITI-\d+$/.test(transaction))
    coded(xml, 'EventTypeCode', [transaction, 'IHE Transactions', transactionNames[transaction] ?? transaction])
  coded(xml, 'EventTypeCode', [operation, 'DMP', operationWords[operation].name])
  const said = [
    outcomeNames[outcome],
    ...(reasonCode === undefined ? [] : [reasonText(reasonCode)]),
    ...(reason === undefined ? [] : [`motif : ${reason}`]),
  ]
  xml.element('EventOutcomeDescription', undefined, said.join(' – '))
  coded(xml, 'PurposeOfUse', [purpose, '1.2.250.1.213.1.1.4.248', modeNames[purpose]])
  xml.end()
}

/** The two ends of the connection, then who asked (ITI TF-2 3.41.5.1.2: Source, Human Requestor, Destination). */
function writeParticipants(xml: XmlWriter, record: AccessRecord, source: AuditSource): void {
  const { origin, caller } = record
  const { outgoing } = auditKindOf(record)
  const [from, to]: readonly [Coded, Coded] = [
    ['110153', dcm, 'Source Role ID'],
    ['110152', dcm, 'Destination Role ID'],
  ]
  xml.start('ActiveParticipant', {
    UserID: origin?.client ?? source.id,
    // Whoever starts the exchange is its requestor, people aside
    UserIsRequestor: 'true',
    ...accessPoint(origin?.client),
  })
  coded(xml, 'RoleIDCode', outgoing ? to : from)
  xml.end()
  writeRequestors(xml, caller)
  xml.start('ActiveParticipant', {
    UserID: origin?.server ?? source.id,
    AlternativeUserID: String(process.pid),
    UserIsRequestor: 'false',
    ...accessPoint(hostOf(origin?.server)),
  })
  coded(xml, 'RoleIDCode', outgoing ? from : to)
  xml.end()
}

function writeRequestors(xml: XmlWriter, { kind, person, structure, profession, tokenId }: Caller): void {
  if (person !== undefined) {
    xml.start('ActiveParticipant', {
      UserID: person.id,
      ...(tokenId === undefined ? {} : { AlternativeUserID: tokenId }),
      ...(person.name === undefined ? {} : { UserName: person.name }),
      UserIsRequestor: 'true',
    })
    if (profession === undefined) coded(xml, 'RoleIDCode', [kind, 'DMP', callerNames[kind]])
    else coded(xml, 'RoleIDCode', [profession.code, profession.system, profession.display ?? profession.code])
    xml.end()
  }
  if (structure === undefined) return
  xml.start('ActiveParticipant', {
    UserID: structure.id,
    ...(structure.name === undefined ? {} : { UserName: structure.name }),
    UserIsRequestor: String(person === undefined),
  })
  coded(xml, 'RoleIDCode', ['PROV', '2.16.840.1.113883.5.110', 'healthcare provider'])
  xml.end()
}

/** 1: the name of a machine, 2: an IP address. */
function accessPoint(host: string | undefined): Record<string, string> {
  if (host === undefined) return {}
  const address = host.includes(':') || /^[0-9.]+$/.test(host)
  return { NetworkAccessPointID: host, NetworkAccessPointTypeCode: address ? '2' : '1' }
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).hostname.replace(/^\[|\]$/g, '')
}

interface AuditedObject {
  readonly id: string
  /** 1 person, 2 system object, 4 other; and what part it has (PS3.15 A.5.2). */
  readonly type: '1' | '2' | '4'
  readonly role: string
  readonly idType: Coded
  readonly query?: string | undefined
  readonly details?: readonly (readonly [type: string, value: string | undefined])[]
}

function writeObjects(xml: XmlWriter, record: AccessRecord, sequence: number): void {
  const { patient, submissionSet, documents, origin, requestId, rule, reasonCode, transaction } = record
  if (patient !== undefined) {
    const { authority, id } = splitPatientKey(patient)
    writeObject(xml, {
      id: `${id}^^^&${authority}&ISO`,
      type: '1',
      role: '1',
      idType: ['2', 'RFC-3881', 'Patient Number'],
    })
  }
  if (submissionSet !== undefined)
    writeObject(xml, {
      id: submissionSet.uniqueId,
      type: '2',
      role: '20',
      idType: [
        'urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd',
        'IHE XDS Metadata',
        'submission set classificationNode',
      ],
    })
  for (const { uniqueId, logicalId } of documents)
    writeObject(xml, {
      id: uniqueId,
      type: '2',
      role: '3',
      idType: ['9', 'RFC-3881', 'Report Number'],
      details: [['logicalId', logicalId]],
    })
  if (auditKindOf(record).query)
    writeObject(xml, {
      id: queryIdOf(origin?.query) ?? requestId,
      type: '2',
      role: '24',
      idType: [transaction, 'IHE Transactions', transactionNames[transaction] ?? transaction],
      query: origin?.query,
      details: [['QueryEncoding', 'UTF-8']],
    })
  // What identifies the record among all: a receiver that has it already may leave it aside
  writeObject(xml, {
    id: record.id,
    type: '4',
    role: '26',
    idType: ['record', 'DMP', 'Access record'],
    details: [
      ['sequence', String(sequence)],
      ['X-Request-Id', requestId],
      ['rule', rule],
      ['reasonCode', reasonCode],
    ],
  })
}

function writeObject(xml: XmlWriter, { id, type, role, idType, query, details = [] }: AuditedObject): void {
  xml.start('ParticipantObjectIdentification', {
    ParticipantObjectID: id,
    ParticipantObjectTypeCode: type,
    ParticipantObjectTypeCodeRole: role,
  })
  coded(xml, 'ParticipantObjectIDTypeCode', idType)
  if (query !== undefined) xml.element('ParticipantObjectQuery', undefined, base64(query))
  for (const [name, value] of details)
    if (value !== undefined) xml.element('ParticipantObjectDetail', { type: name, value: base64(value) })
  xml.end()
}

/** The id of the stored query of ITI-18. */
function queryIdOf(query: string | undefined): string | undefined {
  return query === undefined ? undefined : /^<AdhocQuery [^>]*\bid="(urn:uuid:[^"]+)"/.exec(query)?.[1]
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
