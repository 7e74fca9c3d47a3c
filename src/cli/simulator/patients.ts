/** TD0.2 and TD1.3a as the DMP answers them (DMP-SERVICES §2.1, §2.2). */
import { randomUUID } from 'node:crypto'
import { splitPatientKey } from '../../metadata/identifiers.ts'
import type { Demographics } from '../../operations/ports.ts'
import { escapeAttribute, escapeText } from '../../xml/writer.ts'
import type { PatientQuestion } from './hl7.ts'
import { type Service, timestamp } from './services.ts'

const reasons: Readonly<Record<string, string>> = {
  TEST_EXST: "Test d'existence de dossier",
  CNSLT_DATA: 'Consultation des données de gestion de dossier',
}
const choices = '1.2.250.1.213.4.1.2.3'

export const patientQuery: Service = async ({ question, caller }, { embedded, clock }) => {
  if (question === undefined) throw new TypeError('a question of another service')
  const [patient] = question.patients as readonly [Parameters<typeof splitPatientKey>[0]]
  const facts = await embedded.dmp.status(patient, caller)
  const demographics = (await embedded.dmp.demographics(patient)) ?? { given: [] }
  const existence = question.reason === 'TEST_EXST'
  const lines =
    facts && existence
      ? `<attentionLine><keyWordText code="AUTORISATION" codeSystem="1.2.250.1.213.4.1.2.6.1"/><value xsi:type="CV" code="${facts.authorisation}" codeSystem="1.2.250.1.213.4.1.2.6.2"/></attentionLine><attentionLine><keyWordText code="STATUT_MT" codeSystem="1.2.250.1.213.4.1.2.6.3"/><value xsi:type="BL" value="${facts.treatingPhysician}"/></attentionLine>`
      : ''
  const told = existence
    ? observation('COMPTE_INTERNET_OUVERT', '1.2.250.1.213.4.1.2.9', true) +
      observation('RATTACHEMENT_ENS', choices, true)
    : observation('OPPOSITION_BRIS_DE_GLACE', choices, facts?.choices.breakGlassPermitted === false) +
      observation('OPPOSITION_ACCES_URGENCE', choices, facts?.choices.regulationPermitted === false)
  const { authority, id } = splitPatientKey(patient)
  const status = facts?.status === 'active' ? 'active' : 'terminated'
  const subject = facts
    ? `<subject typeCode="SUBJ" contextConductionInd="false"><registrationEvent classCode="REG" moodCode="EVN"><statusCode code="completed"/><subject1 typeCode="SBJ"><patient classCode="PAT"><id root="${authority}" extension="${escapeAttribute(id)}"/><statusCode code="${status}"/>${personOf(demographics)}${told}</patient></subject1><custodian typeCode="CST"><assignedEntity classCode="ASSIGNED"><id root="1.2.250.1.213.4.1.1.1"/></assignedEntity></custodian></registrationEvent></subject>`
    : ''
  const act = `<controlActProcess classCode="CACT" moodCode="EVN"><reasonCode code="${question.reason}" codeSystem="1.2.250.1.213.1.1.4.11" displayName="${reasons[question.reason]}"/>${subject}<queryAck>${idOf('queryId', question.query)}<queryResponseCode code="${facts ? 'OK' : 'NF'}"/></queryAck></controlActProcess>`
  return {
    action: 'urn:hl7-org:v3:PRPA_IN201308UV02',
    body: `<PRPA_IN201308UV02 xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ITSVersion="XML_1.0"><id root="${randomUUID()}"/><creationTime value="${timestamp(clock.now().toISOString())}"/><interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201308UV02"/><processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>${device('receiver', 'RCV', question.sender)}${device('sender', 'SND', ['1.2.250.1.213.4.1.1.1', 'DMP'])}${lines}<acknowledgement typeCode="AA"><targetMessage>${idOf('id', question.message)}</targetMessage></acknowledgement>${act}</PRPA_IN201308UV02>`,
  }
}

function personOf({ family = 'INCONNU', given, gender, birthDate }: Demographics): string {
  const [first] = given
  const code = gender === 'male' ? 'M' : gender === 'female' ? 'F' : undefined
  return `<patientPerson classCode="PSN" determinerCode="INSTANCE"><name>${first === undefined ? '' : `<given>${escapeText(first)}</given>`}<family qualifier="SP">${escapeText(family)}</family></name>${code ? `<administrativeGenderCode code="${code}"/>` : ''}${birthDate ? `<birthTime value="${birthDate.replaceAll('-', '')}"/>` : ''}</patientPerson>`
}

function observation(code: string, codeSystem: string, value: boolean): string {
  return `<subjectOf typeCode="SBJ"><administrativeObservation classCode="OBS" moodCode="EVN"><code code="${code}" codeSystem="${codeSystem}"/><value xsi:type="BL" value="${value}"/></administrativeObservation></subjectOf>`
}

function device(role: string, typeCode: string, [oid, name]: PatientQuestion['sender']): string {
  return `<${role} typeCode="${typeCode}"><device classCode="DEV" determinerCode="INSTANCE"><id root="${oid}"/><softwareName>${escapeText(name)}</softwareName></device></${role}>`
}

function idOf(name: string, [root, extension]: readonly [string, string]): string {
  return `<${name} root="${escapeAttribute(root)}" extension="${escapeAttribute(extension)}"/>`
}
