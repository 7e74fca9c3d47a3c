/** The agents of an AuditEvent: who asked, for which structure, and the two ends of the connection (BALP, MHD). */
import type { AuditEventAgent, AuditEventSource, CodeableConcept, Coding, Identifier } from '@medplum/fhirtypes'
import type { Caller } from '../access/caller.ts'
import { splitPatientKey } from '../metadata/identifiers.ts'
import { toFhirSystem } from '../nomenclature/index.ts'
import { auditKindOf } from '../operations/audit-kind.ts'
import type { AccessRecord } from '../operations/ports.ts'
import { callerNames } from '../operations/wording.ts'
import { oids } from './mapping/terms.ts'

const dicom = 'http://dicom.nema.org/resources/ontology/DCM'
const extraRoles = 'http://terminology.hl7.org/CodeSystem/extra-security-role-type'
const roleClass = 'http://terminology.hl7.org/CodeSystem/v3-RoleClass'
const participation = 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType'
const userAgents = 'https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes'

/** The person and the structure behind the request (BALP: user, userorg). */
export function personalAgents({ caller, operation }: AccessRecord, purpose: CodeableConcept): AuditEventAgent[] {
  const { kind, person, structure, profession } = caller
  const agents: AuditEventAgent[] = []
  if (person)
    agents.push({
      type: { coding: userTypes(caller, operation) },
      ...(profession ? { role: [{ coding: [codingOf(profession)] }] } : {}),
      who: {
        identifier: identifierOf(caller, person.id),
        ...(person.name === undefined ? {} : { display: person.name }),
      },
      ...(person.name === undefined ? {} : { name: person.name }),
      requestor: true,
      ...(caller.tokenId === undefined ? {} : { policy: [policyOf(caller.proof, caller.tokenId)] }),
      purposeOfUse: [purpose],
    })
  if (structure)
    agents.push({
      type: { coding: [{ system: roleClass, code: 'PROV' }] },
      who: {
        identifier: { system: `urn:oid:${oids.structure}`, value: structure.id },
        display: structure.name ?? structure.id,
      },
      requestor: person === undefined,
    })
  if (agents.length === 0)
    agents.push({
      type: { coding: [{ system: dicom, code: '110150', display: 'Application' }] },
      name: callerNames[kind],
      requestor: true,
    })
  return agents
}

/** A professional by PS_IdNat, a patient by the INS; a representative as the issuer knows them. */
function identifierOf({ kind, patient }: Caller, id: string): Identifier {
  if (isProfessional(kind)) return { system: `urn:oid:${oids.professional}`, value: id }
  if (kind !== 'patient' || patient === undefined) return { value: id }
  const own = splitPatientKey(patient)
  return own.id === id ? { system: `urn:oid:${own.authority}`, value: id } : { value: id }
}

/** BALP UserAgentTypes: by which kind of token the user is known; and what part the user has in the event. */
function userTypes({ kind, proof }: Caller, operation: AccessRecord['operation']): Coding[] {
  const part: Coding =
    kind === 'patient'
      ? { system: roleClass, code: 'PAT' }
      : operation.startsWith('TD2')
        ? { system: participation, code: 'AUT' }
        : { system: participation, code: 'IRCP' }
  const token = proof === 'jwt' ? 'UserOauthAgent' : proof === 'vihf' ? 'UserSamlAgent' : undefined
  return [
    part,
    { system: extraRoles, code: 'humanuser' },
    ...(token === undefined ? [] : [{ system: userAgents, code: token }]),
  ]
}

/** The identifier of the token: jti as a URN (BALP), ID of the assertion as it is. */
function policyOf(proof: Caller['proof'], tokenId: string): string {
  return proof === 'jwt' ? `urn:ietf:params:oauth:jti:${tokenId}` : tokenId
}

/** The two ends of the connection: what asks is the source of a query or a feed, and the destination of a document. */
export function systemAgents(record: AccessRecord, observer: NonNullable<AuditEventAgent['who']>): AuditEventAgent[] {
  const { origin } = record
  if (origin === undefined) return []
  const { outgoing } = auditKindOf(record)
  const [source, destination] = [
    { system: dicom, code: '110153', display: 'Source Role ID' },
    { system: dicom, code: '110152', display: 'Destination Role ID' },
  ]
  return [
    {
      type: { coding: [outgoing ? destination : source] },
      who: { display: origin.client },
      requestor: false,
      network: { address: origin.client, type: '2' },
    },
    {
      type: { coding: [outgoing ? source : destination] },
      who: observer,
      requestor: false,
      network: { address: origin.server, type: '5' },
    },
  ]
}

function isProfessional(kind: Caller['kind']): boolean {
  return kind === 'professional' || kind === 'staff' || kind === 'tester'
}

function codingOf({ code, system, display }: { code: string; system: string; display?: string }): Coding {
  return { system: toFhirSystem(system), code, ...(display === undefined ? {} : { display }) }
}

/** The gateway as it observes: every event is its own. */
export function observerOf(repositoryUniqueId: string) {
  return {
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:oid:${repositoryUniqueId}` },
    display: 'dmp-gateway',
  }
}

export function auditSource(observer: NonNullable<AuditEventAgent['who']>): AuditEventSource {
  return {
    site: 'dmp-gateway',
    observer,
    type: [
      {
        system: 'http://terminology.hl7.org/CodeSystem/security-source-type',
        code: '4',
        display: 'Application Server',
      },
    ],
  }
}
