/** Refused credentials as an AuditEvent (FHIR R4; DICOM User Authentication, Security Alert), for repositories: no patient has it. */
import type { AuditEvent } from '@medplum/fhirtypes'
import { alertKinds } from '../operations/alerts.ts'
import type { AlertRecord } from '../operations/ports.ts'
import { auditSource, observerOf } from './audit-agents.ts'

const dicom = 'http://dicom.nema.org/resources/ontology/DCM'
const decisionSystem = 'https://dmp-gateway.example.org/fhir/CodeSystem/decision'

export function toAlertEvent(
  { at, from, to, count, client, door, reason }: AlertRecord,
  { repositoryUniqueId }: { readonly repositoryUniqueId: string },
): AuditEvent {
  const { event, type, outcome, text } = alertKinds[reason]
  const observer = observerOf(repositoryUniqueId)
  return {
    resourceType: 'AuditEvent',
    type: { system: dicom, ...event },
    subtype: [{ system: dicom, ...type }],
    action: 'E',
    period: { start: from, end: to },
    recorded: at,
    outcome,
    outcomeDesc: `${text} : ${count}`,
    agent: [
      {
        type: { coding: [{ system: dicom, code: '110153', display: 'Source Role ID' }] },
        who: { display: client ?? 'plusieurs sources' },
        requestor: true,
        ...(client === undefined ? {} : { network: { address: client, type: '2' } }),
      },
      {
        type: { coding: [{ system: dicom, code: '110152', display: 'Destination Role ID' }] },
        who: observer,
        requestor: false,
      },
    ],
    source: auditSource(observer),
    entity: [
      {
        what: { display: `${door} : ${reason}` },
        type: {
          system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type',
          code: '2',
          display: 'System Object',
        },
        detail: [
          { type: decisionSystem, valueString: reason },
          { type: 'count', valueString: String(count) },
        ],
      },
    ],
  }
}
