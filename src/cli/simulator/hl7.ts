/** The request of TD0.2 and TD1.3a: PRPA_IN201307UV02 as DMP-SERVICES §2.0 and §2.1 state it. */
import type { XmlElement } from '../../xml/tree.ts'
import { type Check, first, ns, of, oid, second, textOf, uuid } from './check.ts'
import type { Asked } from './query.ts'

const order = [
  'id',
  'creationTime',
  'interactionId',
  'processingCode',
  'processingModeCode',
  'acceptAckCode',
  'receiver',
  'sender',
  'controlActProcess',
]
const dmp = '1.2.250.1.213.4.1.1.1'

/** What the answer is made from. */
export interface PatientQuestion extends Asked {
  readonly reason: string
  /** Root and extension of what is given back. */
  readonly message: readonly [string, string]
  readonly query: readonly [string, string]
  readonly sender: readonly [oid: string, name: string]
}

export function checkPatientQuery(body: XmlElement, check: Check): PatientQuestion {
  const that = (condition: boolean, what: string, text: string) => check.that(condition, `§2.0 ${what}`, text)
  that(of(body, 'ITSVersion') === 'XML_1.0', 'ITSVersion', 'XML_1.0')
  that(body.children.map(({ local }) => local).join() === order.join(), 'ordre', order.join(', '))
  const at = (...path: readonly string[]) => first(body, ns.hl7, ...path)
  const pair = (element: XmlElement | undefined) => [of(element, 'root'), of(element, 'extension')] as const
  const message = pair(at('id'))
  that(oid.test(message[0]) && uuid.test(message[1]), 'id', 'OID propre et UUID')
  that(second.test(of(at('creationTime'), 'value')), 'creationTime', 'yyyyMMddHHmmss')
  that(
    pair(at('interactionId')).join() === '2.16.840.1.113883.1.6,PRPA_IN201307UV02',
    'interactionId',
    'PRPA_IN201307UV02',
  )
  that(['D', 'P'].includes(of(at('processingCode'), 'code')), 'processingCode', 'D ou P')
  that(of(at('processingModeCode'), 'code') === 'T', 'processingModeCode', 'T')
  that(of(at('acceptAckCode'), 'code') === 'AL', 'acceptAckCode', 'AL')
  const device = (role: string) => {
    const found = at(role, 'device')
    that(of(found, 'classCode') === 'DEV' && of(found, 'determinerCode') === 'INSTANCE', role, 'device DEV, INSTANCE')
    return [of(first(found, ns.hl7, 'id'), 'root'), textOf(first(found, ns.hl7, 'softwareName'))] as const
  }
  that(of(at('receiver'), 'typeCode') === 'RCV' && device('receiver')[0] === dmp, 'receiver', dmp)
  const sender = device('sender')
  that(of(at('sender'), 'typeCode') === 'SND' && oid.test(sender[0]), 'sender', 'OID du logiciel')
  that(message[0].startsWith(sender[0]), 'id', 'sous l’OID du logiciel')
  const act = at('controlActProcess')
  that(of(act, 'classCode') === 'CACT' && of(act, 'moodCode') === 'EVN', 'controlActProcess', 'CACT, EVN')
  const reason = at('controlActProcess', 'reasonCode')
  check.that(
    act?.children.map(({ local }) => local).join() === 'reasonCode,queryByParameter',
    '§2.1',
    'reasonCode, queryByParameter',
  )
  check.that(
    ['TEST_EXST', 'CNSLT_DATA'].includes(of(reason, 'code')) && of(reason, 'codeSystem') === '1.2.250.1.213.1.1.4.11',
    '§2.1 reasonCode',
    'TEST_EXST ou CNSLT_DATA',
  )
  const query = at('controlActProcess', 'queryByParameter')
  check.that(
    query?.children.map(({ local }) => local).join() === 'queryId,statusCode,parameterList',
    '§2.1 queryByParameter',
    'queryId, statusCode, parameterList',
  )
  const queryId = pair(first(query, ns.hl7, 'queryId'))
  check.that(oid.test(queryId[0]) && queryId[1] !== '', '§2.1 queryId', 'root et extension')
  check.that(of(first(query, ns.hl7, 'statusCode'), 'code') === 'new', '§2.1 statusCode', 'new')
  const identifier = first(query, ns.hl7, 'parameterList', 'patientIdentifier')
  check.that(textOf(first(identifier, ns.hl7, 'semanticsText')) === 'Patient.id', '§2.1 semanticsText', 'Patient.id')
  const [root, extension] = pair(first(identifier, ns.hl7, 'value'))
  check.that(/^\d{15}$/.test(extension), '§2.1 patientIdentifier', 'INS de 15 chiffres, clé comprise')
  return {
    td: of(reason, 'code') === 'CNSLT_DATA' ? 'TD1.3a' : 'TD0.2',
    patients: [`${root}|${extension}`],
    ...{ reason: of(reason, 'code'), message, query: queryId, sender },
  }
}
