/** The envelope around every request: SOAP 1.2, WS-Addressing, one VIHF (DMP-SERVICES §1.2), and what the service takes. */
import type { XmlElement } from '../../xml/tree.ts'
import { attribute } from '../../xml/tree.ts'
import { all, type Check, first, ns, textOf, uuid } from './check.ts'
import type { WireMessage } from './wire.ts'

/** Last step of the path (§1.1). */
export type ServiceName = 'patients' | 'patientsSpecific' | 'habilitations' | 'registry' | 'repository'

/** The operations of the wire, as their wsa:Action tells them. */
export interface OperationOnWire {
  readonly service: ServiceName
  readonly action: string
  readonly body: { readonly ns: string; readonly local: string }
  /** `text`: application/soap+xml; `either` where the witnesses differ (§1.1). */
  readonly packaging: 'text' | 'mtom' | 'either'
}

const { hl7, habilitations, patients, xdsb, query, lcm } = ns

export const operations: readonly OperationOnWire[] = [
  {
    service: 'patients',
    action: 'urn:hl7-org:v3:PRPA_IN201307UV02',
    body: { ns: hl7, local: 'PRPA_IN201307UV02' },
    packaging: 'text',
  },
  {
    service: 'habilitations',
    action: 'urn:si-dmp-habilitations:HabilitationsEndPoint:setAuthorization',
    body: { ns: habilitations, local: 'setAuthorization' },
    packaging: 'text',
  },
  {
    service: 'habilitations',
    action: 'urn:si-dmp-habilitations:HabilitationsEndPoint:listAuthorizationByPatient',
    body: { ns: habilitations, local: 'listAuthorizationByPatient' },
    packaging: 'text',
  },
  {
    service: 'patientsSpecific',
    action: 'urn:si-dmp-patients:PatientSpecificEndPoint:patientList',
    body: { ns: patients, local: 'patientList' },
    packaging: 'text',
  },
  {
    service: 'repository',
    action: 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b',
    body: { ns: xdsb, local: 'ProvideAndRegisterDocumentSetRequest' },
    packaging: 'mtom',
  },
  {
    service: 'repository',
    action: 'urn:ihe:iti:2007:RetrieveDocumentSet',
    body: { ns: xdsb, local: 'RetrieveDocumentSetRequest' },
    packaging: 'mtom',
  },
  {
    service: 'registry',
    action: 'urn:ihe:iti:2007:RegistryStoredQuery',
    body: { ns: query, local: 'AdhocQueryRequest' },
    packaging: 'either',
  },
  {
    service: 'registry',
    action: 'urn:ihe:iti:2010:UpdateDocumentSet',
    body: { ns: lcm, local: 'SubmitObjectsRequest' },
    packaging: 'either',
  },
]

export interface Framed {
  readonly operation: OperationOnWire
  readonly messageId: string
  readonly assertion: XmlElement
  readonly body: XmlElement
}

/** Order of the header blocks; all but ReplyTo are in every sender that is known to run (§1.2). */
const order = ['MessageID', 'To', 'ReplyTo', 'Action', 'Security']

/** @returns undefined when there is a breach after which nothing more can be told */
export function readFrame(message: WireMessage, service: ServiceName, url: string, check: Check): Framed | undefined {
  const { envelope } = message
  const soap12 = envelope.ns === ns.soap && envelope.local === 'Envelope'
  check.that(soap12, '§1.2 Envelope', 'enveloppe SOAP 1.2 attendue')
  const [header, body, ...rest] = envelope.children
  const shaped = header?.local === 'Header' && header.ns === ns.soap && body?.local === 'Body' && rest.length === 0
  check.that(shaped, '§1.2 Envelope', 'Header puis Body attendus')
  const content = body && check.one(body.children, '§1.2 Body', 'élément du Body')
  if (!soap12 || !shaped || content === undefined) return undefined

  const names = header.children.map(({ local }) => local)
  const known = header.children.every((each) => each.ns === (each.local === 'Security' ? ns.wsse : ns.wsa))
  check.that(
    known && names.every((name) => order.includes(name)),
    '§1.2 Header',
    `blocs attendus : ${order.join(', ')}`,
  )
  check.that(
    names.every((name, index) => index === 0 || order.indexOf(names[index - 1] ?? '') < order.indexOf(name)),
    '§1.2 Header',
    `ordre attendu : ${order.join(', ')}`,
  )
  const block = (local: string) =>
    check.one(all(header, ns.wsa, local), `§1.2 ${local}`, 'required header representing a Message Addressing Property')
  const messageId = textOf(block('MessageID'))
  check.that(
    messageId.startsWith('urn:uuid:') && uuid.test(messageId.slice('urn:uuid:'.length)),
    '§1.2 MessageID',
    'urn:uuid:… attendu',
  )
  const to = block('To')
  check.that(textOf(to) === '' || textOf(to) === url, '§1.2 To', 'vide, ou l’adresse du service')
  const action = block('Action')
  checkMustUnderstand(check, action, 'Action')
  for (const replyTo of all(header, ns.wsa, 'ReplyTo')) {
    checkMustUnderstand(check, replyTo, 'ReplyTo')
    const address = textOf(first(replyTo, ns.wsa, 'Address'))
    check.that(address === `${ns.wsa}/anonymous`, '§1.2 ReplyTo', 'adresse anonyme attendue')
  }
  const operation = operations.find((each) => each.service === service && each.action === textOf(action))
  check.that(operation !== undefined, '§1.2 Action', `inconnue de ce service`)
  check.that(
    message.action === undefined || message.action === textOf(action),
    '§1.2 action',
    'différente de wsa:Action',
  )
  const security = check.one(all(header, ns.wsse, 'Security'), '§1.2 Security', 'wsse:Security')
  if (security)
    check.that(
      security.attributes.every(({ ns: uri }) => uri === 'http://www.w3.org/2000/xmlns/'),
      '§1.2 Security',
      'aucun attribut',
    )
  const assertion = security && check.one(security.children, '§1.2 Security', 'enfant de wsse:Security')
  const isVihf = assertion?.ns === ns.saml && assertion.local === 'Assertion'
  check.that(isVihf, '§1.2 Security', 'VIHF absent')
  if (operation === undefined || !isVihf) return undefined

  const { body: expected, packaging } = operation
  const right = content.ns === expected.ns && content.local === expected.local
  check.that(right, '§1.2 Action', `le Body ne correspond pas : ${expected.local} attendu`)
  check.that(
    packaging === 'either' || (packaging === 'mtom') === (message.packaging === 'mtom'),
    '§1.1 encodage',
    packaging === 'mtom' ? 'MTOM attendu' : 'application/soap+xml attendu',
  )
  return right ? { operation, messageId, assertion, body: content } : undefined
}

/** `true` without namespace as in S21, or the SOAP attribute (§1.2). */
function checkMustUnderstand(check: Check, block: XmlElement | undefined, name: string): void {
  const value = block && (attribute(block, 'mustUnderstand') ?? attribute(block, 'mustUnderstand', ns.soap))
  check.that(value === 'true' || value === '1', `§1.2 ${name}`, 'mustUnderstand="true" attendu')
}
