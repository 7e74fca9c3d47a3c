/**
 * TD0.2 (does the DMP exist, may this person consult it) and TD1.3a (what the patient chose for emergencies): HL7 v3
 * PRPA_IN201307UV02, answered by PRPA_IN201308UV02 (DMP-SERVICES §2.0 to §2.2). Answers are not always valid against
 * their schema: read by name, and what bears on access must be there.
 */
import { randomUUID } from 'node:crypto'
import type { AuthorisationStatus } from '../../access/types.ts'
import { GatewayError } from '../../errors.ts'
import { type PatientKey, splitPatientKey } from '../../metadata/identifiers.ts'
import { attribute, child, children, type XmlElement } from '../../xml/tree.ts'
import type { NationalOptions } from './options.ts'
import { refusedByDmp } from './soap.ts'
import type { Templates } from './template.ts'

const v3 = 'urn:hl7-org:v3'
const xsi = 'http://www.w3.org/2001/XMLSchema-instance'

export const patientStatusAction = 'urn:hl7-org:v3:PRPA_IN201307UV02'

const reasons = {
  'TD0.2': { reason: 'TEST_EXST', reasonName: "Test d'existence de dossier" },
  'TD1.3a': { reason: 'CNSLT_DATA', reasonName: 'Consultation des données de gestion de dossier' },
} as const

export interface PatientStatus {
  readonly status: 'active' | 'closed'
  readonly authorisation: AuthorisationStatus
  readonly treatingPhysician: boolean
  /** ISO date, where the DMP says one. */
  readonly birthDate?: string
}

export interface EmergencyChoices {
  readonly breakGlassPermitted: boolean
  readonly regulationPermitted: boolean
}

export function writePatientQuery(
  templates: Templates,
  { software, processingCode }: Pick<NationalOptions, 'software' | 'processingCode'>,
  transaction: keyof typeof reasons,
  patient: PatientKey,
  now: Date,
): Buffer {
  const { authority, id } = splitPatientKey(patient)
  return templates('patient-status', {
    ...reasons[transaction],
    messageRoot: `${software.oid}.1.1`,
    messageId: randomUUID(),
    queryRoot: `${software.oid}.2`,
    queryId: randomUUID(),
    now: now.toISOString().replace(/[-:T]/g, '').slice(0, 14),
    processingCode,
    softwareOid: software.oid,
    softwareName: software.name,
    insAuthority: authority,
    ins: id,
  })
}

/** TD0.2: undefined when there is no DMP. Throws GatewayError dmp-refused or dmp-answer-invalid. */
export function readPatientStatus(answer: XmlElement, patient: PatientKey): PatientStatus | undefined {
  const found = patientOf(answer, patient)
  if (found === undefined) return undefined
  const status = code(child(found, v3, 'statusCode'))
  if (status !== 'active' && status !== 'terminated') throw invalid('statusCode is neither active nor terminated')
  const attention = new Map(
    children(answer, v3, 'attentionLine').map((line) => [
      code(child(line, v3, 'keyWordText')),
      child(line, v3, 'value'),
    ]),
  )
  const authorisation = code(attention.get('AUTORISATION'))
  if (!isAuthorisation(authorisation)) throw invalid('AUTORISATION is missing or not a known status')
  const person = child(found, v3, 'patientPerson')
  const birth = attribute(person?.children.find(({ local }) => local === 'birthTime') ?? found, 'value') ?? ''
  const birthDate = /^(\d{4})(\d{2})(\d{2})/.exec(birth)
  return {
    status: status === 'active' ? 'active' : 'closed',
    authorisation,
    treatingPhysician: isTrue(attention.get('STATUT_MT')),
    ...(birthDate && { birthDate: birthDate.slice(1).join('-') }),
  }
}

/** TD1.3a; an opposition that is not said is none, but one that cannot be read refuses. */
export function readEmergencyChoices(answer: XmlElement, patient: PatientKey): EmergencyChoices | undefined {
  const found = patientOf(answer, patient)
  if (found === undefined) return undefined
  const opposed = (name: string): boolean =>
    children(found, v3, 'subjectOf')
      .flatMap((subject) => children(subject, v3, 'administrativeObservation'))
      .filter((observation) => code(child(observation, v3, 'code')) === name)
      .some((observation) => attribute(child(observation, v3, 'value') ?? observation, 'value') !== 'false')
  return {
    breakGlassPermitted: !opposed('OPPOSITION_BRIS_DE_GLACE'),
    regulationPermitted: !opposed('OPPOSITION_ACCES_URGENCE'),
  }
}

/** The patient that was asked for, and no other; undefined for an answer that says none was found. */
function patientOf(answer: XmlElement, patient: PatientKey): XmlElement | undefined {
  if (answer.ns !== v3 || answer.local !== 'PRPA_IN201308UV02') throw invalid('it is no PRPA_IN201308UV02')
  const acknowledgement = child(answer, v3, 'acknowledgement')
  const typeCode =
    acknowledgement && (attribute(acknowledgement, 'typeCode') ?? code(child(acknowledgement, v3, 'typeCode')))
  if (typeCode !== 'AA') {
    const detail = acknowledgement && child(acknowledgement, v3, 'acknowledgementDetail')
    throw refusedByDmp(
      code(detail && child(detail, v3, 'code')) ?? '',
      (detail && child(detail, v3, 'text')?.text.trim()) ?? '',
    )
  }
  const act = child(answer, v3, 'controlActProcess')
  const response = code(act && path(act, ['queryAck', 'queryResponseCode']))
  if (response === 'NF') return undefined
  if (response !== 'OK') throw invalid('queryResponseCode is neither OK nor NF')
  const found = act && path(act, ['subject', 'registrationEvent', 'subject1', 'patient'])
  const { authority, id } = splitPatientKey(patient)
  const isAsked = (each: XmlElement) => attribute(each, 'root') === authority && attribute(each, 'extension') === id
  if (found === undefined || !children(found, v3, 'id').some(isAsked)) throw invalid('it is about another patient')
  return found
}

function path(element: XmlElement, steps: readonly string[]): XmlElement | undefined {
  let at: XmlElement | undefined = element
  for (const step of steps) at = at && child(at, v3, step)
  return at
}

function code(element: XmlElement | undefined): string | undefined {
  return element && attribute(element, 'code')
}

function isTrue(element: XmlElement | undefined): boolean {
  return element !== undefined && attribute(element, 'value') === 'true' && !attribute(element, 'nil', xsi)
}

function isAuthorisation(value: string | undefined): value is AuthorisationStatus {
  return value === 'VALIDE' || value === 'NON_EXISTE' || value === 'INTERDIT' || value === 'EXPIRE'
}

function invalid(what: string): GatewayError {
  return new GatewayError('dmp-answer-invalid', { detail: `The answer about the patient cannot be used: ${what}.` })
}
