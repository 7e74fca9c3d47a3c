/** TD0.2, TD1.3a and TD0.3 as the DMP answers them, written from the description of the wire (DMP-SERVICES §2). */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../../access/caller.ts'
import type { EmbeddedDmp } from '../../dmp/embedded/index.ts'
import { toGatewayError } from '../../errors.ts'
import { type PatientKey, patientKey, splitPatientKey } from '../../metadata/identifiers.ts'
import type { AccessRecord, Clock, Identity } from '../../operations/ports.ts'
import type { Spool } from '../../spool/index.ts'
import { readMessage } from '../../xds/mtom/reader.ts'
import { attribute, type XmlElement } from '../../xml/tree.ts'
import { escapeText } from '../../xml/writer.ts'

interface Parts {
  readonly embedded: EmbeddedDmp
  readonly identity: Identity
  readonly spool: Spool
  readonly clock: Clock
}

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** What a service makes of the body of a message. */
type Service = (body: XmlElement, caller: Caller) => Promise<{ readonly action: string; readonly xml: string }>

export function createServices(parts: Parts): { readonly patients: Handler; readonly habilitations: Handler } {
  return { patients: serving(parts, patientQuery(parts)), habilitations: serving(parts, setAuthorization(parts)) }
}

/** A message that the service cannot accept: a fault with a subcode of the DMP. */
class Fault extends Error {
  readonly subcode: string

  constructor(subcode: string, text: string) {
    super(text)
    this.subcode = subcode
  }
}

function serving({ spool, identity }: Parts, service: Service): Handler {
  return async (request, response) => {
    let action = 'http://www.w3.org/2005/08/addressing/soap/fault'
    let status = 200
    let xml: string
    try {
      const message = await readMessage(request, { spool })
      const [header, body] = message.envelope.children
      if (header === undefined || !find(header, 'Action') || !find(header, 'MessageID'))
        throw new Fault(
          'MissingAddressing',
          'required header representing a Message Addressing Property is not present',
        )
      const assertion = find(header, 'Assertion')
      if (assertion?.source === undefined) throw new Fault('DMPInvalidVIHF', 'VIHF absent')
      const caller = await identity.fromAssertion(assertion.source)
      const [content] = body?.children ?? []
      if (content === undefined) throw new Fault('Malformed', 'Body vide')
      const answer = await service(content, caller)
      action = answer.action
      xml = answer.xml
    } catch (error) {
      status = 500
      const subcode = error instanceof Fault ? error.subcode : 'DMPInvalidVIHF'
      const text = error instanceof Fault ? error.message : (toGatewayError(error).issues[0].detail ?? 'refusé')
      xml = `<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value>soap:${subcode}</soap:Value></soap:Subcode></soap:Code><soap:Reason><soap:Text xml:lang="fr">${escapeText(text)}</soap:Text></soap:Reason></soap:Fault>`
    }
    response.writeHead(status, { 'Content-Type': 'application/soap+xml; charset=UTF-8' })
    response.end(
      `<soap:Envelope xmlns:soap="http://www.w3.org/2003/05/soap-envelope"><soap:Header><Action xmlns="http://www.w3.org/2005/08/addressing">${action}</Action></soap:Header><soap:Body>${xml}</soap:Body></soap:Envelope>`,
    )
  }
}

function patientQuery({ embedded, clock }: Parts): Service {
  return async (body, caller) => {
    const asked = find(find(body, 'patientIdentifier'), 'value')
    const patient = patientKey(of(asked, 'root'), of(asked, 'extension'))
    const reason = of(find(body, 'reasonCode'), 'code')
    sameAsVihf(caller, patient)
    const facts = await embedded.dmp.status(patient, caller)
    const birthDate = (await embedded.dmp.demographics(patient))?.birthDate?.replaceAll('-', '')
    const { authority, id } = splitPatientKey(patient)
    const observation = (code: string, value: boolean) =>
      `<subjectOf typeCode="SBJ"><administrativeObservation classCode="OBS" moodCode="EVN"><code code="${code}" codeSystem="1.2.250.1.213.4.1.2.3"/><value xsi:type="BL" value="${value}"/></administrativeObservation></subjectOf>`
    const lines =
      facts && reason === 'TEST_EXST'
        ? `<attentionLine><keyWordText code="AUTORISATION" codeSystem="1.2.250.1.213.4.1.2.6.1"/><value xsi:type="CV" code="${facts.authorisation}" codeSystem="1.2.250.1.213.4.1.2.6.2"/></attentionLine><attentionLine><keyWordText code="STATUT_MT" codeSystem="1.2.250.1.213.4.1.2.6.3"/><value xsi:type="BL" value="${facts.treatingPhysician}"/></attentionLine>`
        : ''
    const choices =
      facts && reason === 'CNSLT_DATA'
        ? observation('OPPOSITION_BRIS_DE_GLACE', !facts.choices.breakGlassPermitted) +
          observation('OPPOSITION_ACCES_URGENCE', !facts.choices.regulationPermitted)
        : observation('RATTACHEMENT_ENS', true)
    const subject = facts
      ? `<subject typeCode="SUBJ" contextConductionInd="false"><registrationEvent classCode="REG" moodCode="EVN"><statusCode code="completed"/><subject1 typeCode="SBJ"><patient classCode="PAT"><id root="${authority}" extension="${escapeText(id)}"/><statusCode code="${facts.status === 'active' ? 'active' : 'terminated'}"/><patientPerson classCode="PSN" determinerCode="INSTANCE"><name><family qualifier="SP">INCONNU</family></name>${birthDate ? `<birthTime value="${birthDate}"/>` : ''}</patientPerson>${choices}</patient></subject1><custodian typeCode="CST"><assignedEntity classCode="ASSIGNED"><id root="1.2.250.1.213.4.1.1.1"/></assignedEntity></custodian></registrationEvent></subject>`
      : ''
    const now = clock.now().toISOString().replace(/\D/g, '').slice(0, 14)
    return {
      action: 'urn:hl7-org:v3:PRPA_IN201308UV02',
      xml: `<PRPA_IN201308UV02 xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ITSVersion="XML_1.0"><id root="${randomUUID()}"/><creationTime value="${now}"/><interactionId root="2.16.840.1.113883.1.6" extension="PRPA_IN201308UV02"/><processingCode code="P"/><processingModeCode code="T"/><acceptAckCode code="NE"/>${lines}<acknowledgement typeCode="AA"><targetMessage><id root="1.2.250.1.999.77.1.1"/></targetMessage></acknowledgement><controlActProcess classCode="CACT" moodCode="EVN"><reasonCode code="${escapeText(reason)}" codeSystem="1.2.250.1.213.1.1.4.11"/>${subject}<queryAck><queryResponseCode code="${facts ? 'OK' : 'NF'}"/></queryAck></controlActProcess></PRPA_IN201308UV02>`,
    }
  }
}

function setAuthorization({ embedded, clock }: Parts): Service {
  return async (body, caller) => {
    const action = find(body, 'action')?.text
    const answer = (status: string, context: string) => ({
      action: 'urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorizationResponse',
      xml: `<h:setAuthorizationResponse xmlns:h="urn:si-dmp-habilitations"><h:output><h:status>${status}</h:status><h:context>${context}</h:context></h:output></h:setAuthorizationResponse>`,
    })
    const { patient, person } = caller
    if (body.local !== 'setAuthorization' || (action !== 'AJOUT' && action !== 'SUPPRESSION'))
      return answer('DMPInvalidRequest', 'action inconnue')
    if (patient === undefined || person === undefined || caller.authentication === 'indirect')
      return answer('DMPAccessDeniedByRightsService', 'droits insuffisants')
    if (caller.purposeOfUse !== 'normal') return answer('DMPAccessDeniedByRightsService', 'mode normal seulement')
    const until = action === 'AJOUT' ? undefined : '2000-01-01T00:00:00.000Z'
    await embedded.administration.authorise(patient, person.id, until, recordOf(patient, caller, clock))
    return answer('DMPOk', 'autorisation enregistrée')
  }
}

function sameAsVihf({ patient: named }: Caller, patient: PatientKey): void {
  if (named !== patient) throw new Fault('DMPPatientMismatch', 'INS de la requête différent de celui du VIHF')
}

function recordOf(patient: PatientKey, caller: Caller, clock: Clock): AccessRecord {
  return {
    id: randomUUID(),
    at: clock.now().toISOString(),
    operation: 'TD0.3.add',
    door: 'xds',
    transaction: 'TD0.3',
    requestId: randomUUID(),
    caller,
    purpose: 'normal',
    declaration: {},
    patient,
    documents: [],
    outcome: 'permitted',
    effects: { notifications: [] },
  }
}

/** The first element with this local name, wherever it stands. */
function find(element: XmlElement | undefined, local: string): XmlElement | undefined {
  if (element === undefined || element.local === local) return element
  for (const child of element.children) {
    const found = find(child, local)
    if (found) return found
  }
  return undefined
}

function of(element: XmlElement | undefined, name: string): string {
  return (element && attribute(element, name)) ?? ''
}
