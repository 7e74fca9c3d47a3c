/**
 * One access as an AuditEvent (FHIR R4; roles of agents and entities as in IHE BALP), with the sentence a person reads:
 * date, author, action and context, as on the history page of the DMP.
 */
import type { AuditEvent, AuditEventAgent, AuditEventEntity, Coding } from '@medplum/fhirtypes'
import type { Caller, PurposeOfUse } from '../access/caller.ts'
import { splitPatientKey } from '../metadata/identifiers.ts'
import { toFhirSystem } from '../nomenclature/index.ts'
import { changeWords } from '../operations/change-words.ts'
import type { AccessRecord } from '../operations/ports.ts'
import { frenchTime, modeNames, operationWords, outcomeNames, reasonText } from '../operations/wording.ts'
import { oids } from './mapping/terms.ts'

const dicom = 'http://dicom.nema.org/resources/ontology/DCM'
const restful = 'http://terminology.hl7.org/CodeSystem/audit-event-type'
const extraRoles = 'http://terminology.hl7.org/CodeSystem/extra-security-role-type'
const roleClass = 'http://terminology.hl7.org/CodeSystem/v3-RoleClass'
const entityType = 'http://terminology.hl7.org/CodeSystem/audit-entity-type'
const entityRole = 'http://terminology.hl7.org/CodeSystem/object-role'
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
  const { action, name } = operationWords[record.operation]
  const mode = modeNames[record.purpose]
  const description = describe(record, nameOf(record, name))
  return {
    resourceType: 'AuditEvent',
    id: record.id,
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${escapeHtml(description)}</div>` },
    type: { system: restful, code: 'rest', display: 'Restful Operation' },
    subtype: [
      { system: operationSystem, code: record.operation, display: name },
      { system: 'urn:ihe:event-type-code', code: record.transaction },
    ],
    action,
    recorded: record.at,
    outcome: outcomeCodes[record.outcome],
    outcomeDesc: description,
    purposeOfEvent: [
      {
        coding: [
          { system: accessModes, code: record.purpose, display: mode },
          { system: 'http://terminology.hl7.org/CodeSystem/v3-ActReason', code: actReasons[record.purpose] },
        ],
        text: mode,
      },
    ],
    agent: agentsOf(record.caller),
    source: {
      site: 'dmp-gateway',
      observer: {
        identifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:${repositoryUniqueId}` },
        display: 'dmp-gateway',
      },
      type: [
        {
          system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
          code: '4',
          display: 'Application Server',
        },
      ],
    },
    entity: entitiesOf(record),
  }
}

function agentsOf({ kind, person, structure, profession }: Caller): AuditEventAgent[] {
  const agents: AuditEventAgent[] = []
  if (person)
    agents.push({
      type: {
        coding: [kind === 'patient' ? { system: roleClass, code: 'PAT' } : { system: extraRoles, code: 'humanuser' }],
      },
      ...(profession ? { role: [{ coding: [codingOf(profession)] }] } : {}),
      who: {
        identifier: { ...(isProfessional(kind) ? { system: `urn:oid:${oids.professional}` } : {}), value: person.id },
        ...(person.name === undefined ? {} : { display: person.name }),
      },
      ...(person.name === undefined ? {} : { name: person.name }),
      requestor: true,
    })
  if (structure)
    agents.push({
      type: { coding: [{ system: roleClass, code: 'PROV' }] },
      who: {
        identifier: { system: `urn:oid:${oids.structure}`, value: structure.id },
        ...(structure.name === undefined ? {} : { display: structure.name }),
      },
      ...(structure.name === undefined ? {} : { name: structure.name }),
      requestor: person === undefined,
    })
  if (agents.length === 0)
    agents.push({
      type: { coding: [{ system: dicom, code: '110150', display: 'Application' }] },
      name: kind,
      requestor: true,
    })
  return agents
}

function isProfessional(kind: Caller['kind']): boolean {
  return kind === 'professional' || kind === 'staff' || kind === 'tester'
}

function codingOf({ code, system, display }: { code: string; system: string; display?: string }): Coding {
  return { system: toFhirSystem(system), code, ...(display === undefined ? {} : { display }) }
}

function entitiesOf({ patient, documents, requestId, rule, reasonCode }: AccessRecord): AuditEventEntity[] {
  const entities: AuditEventEntity[] = []
  if (patient !== undefined) {
    const { authority, id } = splitPatientKey(patient)
    entities.push({
      what: { type: 'Patient', identifier: { system: `urn:oid:${authority}`, value: id } },
      type: { system: entityType, code: '1', display: 'Person' },
      role: { system: entityRole, code: '1', display: 'Patient' },
    })
  }
  for (const { logicalId, uniqueId } of documents)
    entities.push({
      what: {
        reference: `DocumentReference/${logicalId.slice('urn:uuid:'.length)}`,
        type: 'DocumentReference',
        identifier: uniqueId.startsWith('urn:')
          ? { system: 'urn:ietf:rfc:3986', value: uniqueId }
          : { system: 'urn:ietf:rfc:3986', value: `urn:oid:${uniqueId}` },
      },
      type: { system: entityType, code: '2', display: 'System Object' },
      role: { system: entityRole, code: '3', display: 'Report' },
    })
  entities.push({
    what: { identifier: { value: requestId } },
    type: { system: 'https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType', code: 'XrequestId' },
    ...(rule === undefined && reasonCode === undefined
      ? {}
      : { detail: [...detail('rule', rule), ...detail(decisionSystem, reasonCode)] }),
  })
  return entities
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
  const { caller, reasonCode } = record
  const who = caller.person?.name ?? caller.person?.id ?? caller.structure?.name ?? caller.structure?.id ?? caller.kind
  const where = caller.person && caller.structure ? ` (${caller.structure.name ?? caller.structure.id})` : ''
  const parts = [
    frenchTime(record.at),
    `${who}${where}`,
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
