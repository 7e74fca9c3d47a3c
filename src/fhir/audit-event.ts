/**
 * One access as an AuditEvent (FHIR R4, IHE BALP 1.1 and the audit profiles of MHD 4.2), with the sentence a person reads:
 * date, author, action and context, as on the history page of the DMP.
 */
import type { AuditEvent, AuditEventEntity, CodeableConcept, Coding } from '@medplum/fhirtypes'
import type { PurposeOfUse } from '../access/caller.ts'
import { splitPatientKey } from '../metadata/identifiers.ts'
import { toFhirSystem } from '../nomenclature/index.ts'
import { auditKindOf } from '../operations/audit-kind.ts'
import { changeWords } from '../operations/change-words.ts'
import { authorOf } from '../operations/history-line.ts'
import type { AccessRecord } from '../operations/ports.ts'
import { frenchTime, modeNames, operationWords, outcomeNames, reasonText } from '../operations/wording.ts'
import { auditSource, observerOf, personalAgents, systemAgents } from './audit-agents.ts'

const dicom = 'http://dicom.nema.org/resources/ontology/DCM'
const balp = 'https://profiles.ihe.net/ITI/BALP/CodeSystem'
const restful = {
  system: 'http://terminology.hl7.org/CodeSystem/audit-event-type',
  code: 'rest',
  display: 'Restful Operation',
}
const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type'
const entityRole = 'http://terminology.hl7.org/CodeSystem/object-role'
const systemObject = { system: entityType, code: '2', display: 'System Object' }
const report = { system: entityRole, code: '3', display: 'Report' }
const resource = { system: entityRole, code: '4', display: 'Domain Resource' }
const decisionSystem = 'https://dmp-gateway.example.org/fhir/CodeSystem/decision'
/** TRE_R248. */
const accessModes = toFhirSystem('1.2.250.1.213.1.1.4.248')
const operationSystem = 'https://dmp-gateway.example.org/fhir/CodeSystem/operation'

/** http://hl7.org/fhir/audit-event-outcome: success, minor failure, serious failure. */
export const outcomeCodes: Readonly<Record<AccessRecord['outcome'], '0' | '4' | '8'>> = {
  permitted: '0',
  failed: '4',
  refused: '8',
}

/** The purpose of v3-ActReason nearest to an access mode of TRE_R248. */
const actReasons: Readonly<Record<PurposeOfUse, string>> = {
  normal: 'TREAT',
  bris_de_glace: 'BTG',
  centre_15: 'ETREAT',
}

export function toAuditEvent(
  record: AccessRecord,
  { repositoryUniqueId }: { readonly repositoryUniqueId: string },
): AuditEvent {
  const kind = auditKindOf(record)
  const description = describe(record, nameOf(record, operationWords[record.operation].name))
  const observer = observerOf(repositoryUniqueId)
  const purpose = purposeOf(record)
  const profile = profileOf(record)
  return {
    resourceType: 'AuditEvent',
    id: record.id,
    ...(profile === undefined ? {} : { meta: { profile: [profile] } }),
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${escapeHtml(description)}</div>` },
    type: isRestful(record) ? restful : { system: dicom, ...kind.event },
    subtype: subtypesOf(record),
    // BALP PatientQuery: whatever is searched for, a search is executed
    action: isRestful(record) && kind.query ? 'E' : kind.action,
    recorded: record.at,
    outcome: outcomeCodes[record.outcome],
    outcomeDesc: description,
    purposeOfEvent: [purpose],
    agent: [...personalAgents(record, purpose), ...systemAgents(record, observer)],
    source: auditSource(observer),
    entity: entitiesOf(record),
  }
}

function purposeOf({ purpose }: AccessRecord): CodeableConcept {
  const mode = modeNames[purpose]
  return {
    coding: [
      { system: accessModes, code: purpose, display: mode },
      { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: actReasons[purpose] },
    ],
    text: mode,
  }
}

/** BALP: a RESTful operation; MHD keeps the DICOM event for ITI-65, as RESTful ATNA does for SOAP. */
function isRestful({ door, transaction }: AccessRecord): boolean {
  return door === 'fhir' && transaction !== 'ITI-65'
}

/** http://hl7.org/fhir/restful-interaction */
function interactionOf(record: AccessRecord): string | undefined {
  const { operation, transaction } = record
  if (!isRestful(record)) return undefined
  if (auditKindOf(record).query) return 'search'
  if (operation === 'TD3.2') return 'read'
  if (operation === 'TD2.1' || operation === 'TD2.1b' || transaction === 'consent') return 'create'
  if (operation === 'open') return 'update'
  return operation.startsWith('TD3.3') && transaction === 'TD3.3' ? 'patch' : 'operation'
}

function subtypesOf(record: AccessRecord): Coding[] {
  const { operation, transaction } = record
  const interaction = interactionOf(record)
  return [
    { system: operationSystem, code: operation, display: operationWords[operation].name },
    ...(/^ITI-\d+$/.test(transaction) ? [{ system: 'urn:ihe:event-type-code', code: transaction }] : []),
    ...(interaction === undefined ? [] : [{ system: 'http://hl7.org/fhir/restful-interaction', code: interaction }]),
  ]
}

const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition'
const profiles: Readonly<Record<string, string>> = {
  'ITI-66': `${mhd}/IHE.MHD.FindDocumentLists.Audit.Responder`,
  'ITI-67': `${mhd}/IHE.MHD.FindDocumentReferences.Audit.Responder`,
  'ITI-68': `${mhd}/IHE.MHD.RetrieveDocument.Audit.Responder`,
  'ITI-105': `${mhd}/IHE.MHD.SimplifiedPublish.Audit.Recipient`,
}

/**
 * The profile of IHE that the event conforms to. They are for what succeeded, with a patient and a connection; ITI-65 takes
 * no document beside its submission, and here the documents are told.
 */
function profileOf(record: AccessRecord): string | undefined {
  const { door, outcome, patient, origin, transaction, documents } = record
  if (door !== 'fhir' || outcome !== 'permitted' || patient === undefined || origin === undefined) return undefined
  const { query } = auditKindOf(record)
  if (Object.hasOwn(profiles, transaction)) return query || documents.length === 1 ? profiles[transaction] : undefined
  return query ? 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery' : undefined
}

function entitiesOf(record: AccessRecord): AuditEventEntity[] {
  const { patient, documents, submissionSet, requestId, rule, reasonCode } = record
  const entities: AuditEventEntity[] = []
  if (patient !== undefined) {
    const { authority, id } = splitPatientKey(patient)
    entities.push({
      what: { type: 'Patient', identifier: { system: `urn:oid:${authority}`, value: id } },
      type: { system: entityType, code: '1', display: 'Person' },
      role: { system: entityRole, code: '1', display: 'Patient' },
    })
  }
  const role = record.operation.startsWith('TD3.2') ? report : resource
  for (const { logicalId, uniqueId } of documents)
    entities.push({
      what: {
        reference: `DocumentReference/${logicalId.slice('urn:uuid:'.length)}`,
        type: 'DocumentReference',
        identifier: uri(uniqueId),
      },
      type: systemObject,
      role,
    })
  if (submissionSet !== undefined)
    entities.push({
      what: {
        reference: `List/${submissionSet.entryUuid.slice('urn:uuid:'.length)}`,
        type: 'List',
        identifier: uri(submissionSet.uniqueId),
      },
      type: systemObject,
      role: { system: entityRole, code: '20', display: 'Job' },
    })
  if (auditKindOf(record).query) entities.push(queryOf(record))
  entities.push({
    what: { identifier: { value: requestId } },
    type: { system: `${balp}/BasicAuditEntityType`, code: 'XrequestId' },
    ...(rule === undefined && reasonCode === undefined
      ? {}
      : { detail: [...detail('rule', rule), ...detail(decisionSystem, reasonCode)] }),
  })
  return entities
}

/** The search in base64, as BALP wants it; what the reader may not know of it is left out, and said to be. */
function queryOf({ origin, patient, transaction }: AccessRecord): AuditEventEntity {
  const token = patient === undefined ? undefined : splitPatientKey(patient)
  const known = token && `${transaction}?patient.identifier=urn:oid:${token.authority}|${token.id}`
  return {
    type: systemObject,
    role: { system: entityRole, code: '24', display: 'Query' },
    ...(origin?.query === undefined ? { description: 'Critères de la recherche non communiqués' } : {}),
    query: Buffer.from(origin?.query ?? known ?? transaction).toString('base64'),
  }
}

function uri(uniqueId: string): { readonly system: string; readonly value: string } {
  return { system: 'urn:ietf:rfc:3986', value: uniqueId.startsWith('urn:') ? uniqueId : `urn:oid:${uniqueId}` }
}

function detail(type: string, valueString: string | undefined): { type: string; valueString: string }[] {
  return valueString === undefined ? [] : [{ type, valueString }]
}

/** A choice says which one it was. */
function nameOf({ operation, change }: AccessRecord, name: string): string {
  if (change === undefined || (operation !== 'choose' && operation !== 'brain-death')) return name
  return `${name} : ${changeWords(change).attempt}`
}

/** `21/11/2026 23:40 – DUPONT Anne (CH EXEMPLE) – Consultation de document – autorisé – contexte : Normal`. */
function describe(record: AccessRecord, action: string): string {
  const { reasonCode } = record
  const parts = [
    frenchTime(record.at),
    authorOf(record.caller),
    action,
    outcomeNames[record.outcome],
    `contexte : ${modeNames[record.purpose]}`,
    ...(record.reason === undefined ? [] : [`motif : ${record.reason}`]),
    ...(record.outcome === 'permitted' || reasonCode === undefined ? [] : [reasonText(reasonCode)]),
  ]
  return parts.join(' – ')
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
