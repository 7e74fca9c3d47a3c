/**
 * The envelope of a request: SOAP 1.2 with WS-Addressing 1.0 (ITI TF-2x appendix V.3). What is wrong here is a fault;
 * once the envelope is readable everything else is a RegistryResponse.
 */
import type { AssertionSource } from '../../operations/ports.ts'
import { attribute, child, children, type XmlElement } from '../../xml/tree.ts'
import { defined } from '../defined.ts'
import { ns } from '../namespaces.ts'
import { type FaultSubcode, SoapFault } from './fault.ts'

export interface SoapRequest {
  /** wsa:Action, exactly as sent. */
  readonly action: string
  readonly messageId?: string
  /** The one child of soap:Body. */
  readonly body: XmlElement
  /** The one saml2:Assertion of the one wsse:Security. */
  readonly assertion?: AssertionSource
  /** Attributes of the header block {urn:dmp-gateway:access}Consent. */
  readonly consent?: ReadonlyMap<string, string>
}

/** Longest MessageID that is given back in RelatesTo. */
const longestMessageId = 1024

const ourRoles = new Set(['', `${ns.soap}/role/ultimateReceiver`, `${ns.soap}/role/next`])
const replyAddresses = new Set([`${ns.wsa}/anonymous`, `${ns.wsa}/none`])

/** The MessageID as far as it can be told, for RelatesTo of a fault; never throws. */
export function messageIdOf(envelope: XmlElement): string | undefined {
  const header = child(envelope, ns.soap, 'Header')
  const id = header && child(header, ns.wsa, 'MessageID')?.text.trim()
  return id && id.length <= longestMessageId ? id : undefined
}

/** @throws SoapFault */
export function readEnvelope(envelope: XmlElement, mediaTypeAction?: string): SoapRequest {
  if (envelope.local !== 'Envelope' || envelope.ns !== ns.soap) throw notSoap12(envelope)
  const { header, body } = partsOf(envelope)
  const blocks = header.children.filter(isForUs)
  checkMustUnderstand(blocks)
  const action = readAddressing(blocks, mediaTypeAction)
  return {
    action,
    body,
    ...defined({
      messageId: messageIdOf(envelope),
      assertion: readAssertion(header),
      consent: readConsentBlock(blocks),
    }),
  }
}

function notSoap12(envelope: XmlElement): SoapFault {
  const older = envelope.local === 'Envelope' && envelope.ns === ns.soap11
  return older
    ? new SoapFault('VersionMismatch', {
        fr: 'SOAP 1.1 n’est pas accepté : envoyez SOAP 1.2.',
        en: 'SOAP 1.1 is not accepted: send SOAP 1.2.',
      })
    : new SoapFault('VersionMismatch', {
        fr: 'Ce n’est pas une enveloppe SOAP 1.2.',
        en: 'This is not a SOAP 1.2 Envelope.',
      })
}

function malformed(fr: string, en: string): SoapFault {
  return new SoapFault('Sender', { fr, en })
}

function partsOf(envelope: XmlElement): { header: XmlElement; body: XmlElement } {
  const [header, body, ...more] = envelope.children
  if (
    header?.ns !== ns.soap ||
    header.local !== 'Header' ||
    body?.ns !== ns.soap ||
    body.local !== 'Body' ||
    more.length > 0
  )
    throw malformed(
      'L’enveloppe contient un Header, puis un Body, et rien d’autre.',
      'The Envelope holds one Header, then one Body, and nothing else.',
    )
  const [content, ...others] = body.children
  if (content === undefined || others.length > 0)
    throw malformed('Le Body contient exactement un élément.', 'The Body holds exactly one element.')
  return { header, body: content }
}

/** SOAP 1.2 part 1, 2.2: blocks for other nodes are not ours to judge. */
function isForUs(block: XmlElement): boolean {
  return ourRoles.has(attribute(block, 'role', ns.soap)?.trim() ?? '')
}

function checkMustUnderstand(blocks: readonly XmlElement[]): void {
  const notUnderstood = blocks.filter((block) => mustUnderstand(block) && !isKnown(block))
  if (notUnderstood.length === 0) return
  const names = notUnderstood.map(({ ns: uri, local }) => `{${uri}}${local}`.slice(0, 200)).join(', ')
  throw new SoapFault('MustUnderstand', {
    fr: `Bloc d’en-tête obligatoire inconnu : ${names}.`,
    en: `Mandatory header block not understood: ${names}.`,
    notUnderstood,
  })
}

function mustUnderstand(block: XmlElement): boolean {
  const value = attribute(block, 'mustUnderstand', ns.soap)?.trim() ?? 'false'
  if (value === '0' || value === 'false') return false
  if (value === '1' || value === 'true') return true
  throw malformed('mustUnderstand vaut true ou false.', 'mustUnderstand is true or false.')
}

function isKnown(block: XmlElement): boolean {
  return (
    block.ns === ns.wsa ||
    (block.ns === ns.wsse && block.local === 'Security') ||
    (block.ns === ns.access && block.local === 'Consent')
  )
}

function readAddressing(blocks: readonly XmlElement[], mediaTypeAction: string | undefined): string {
  const of = (local: string) => blocks.filter((block) => block.ns === ns.wsa && block.local === local)
  const invalid = (subcode: FaultSubcode, fr: string, en: string) =>
    new SoapFault('Sender', { subcodes: ['wsa:InvalidAddressingHeader', subcode], fr, en })
  const [action, ...others] = of('Action')
  if (action === undefined)
    throw new SoapFault('Sender', {
      subcodes: ['wsa:MessageAddressingHeaderRequired'],
      fr: 'L’en-tête wsa:Action (WS-Addressing 1.0) manque.',
      en: 'The header wsa:Action (WS-Addressing 1.0) is missing.',
    })
  const repeated = ['To', 'From', 'ReplyTo', 'FaultTo', 'MessageID'].find((local) => of(local).length > 1)
  if (repeated !== undefined || others.length > 0) {
    const name = `wsa:${repeated ?? 'Action'}`
    throw invalid('wsa:InvalidCardinality', `${name} apparaît plusieurs fois.`, `${name} appears more than once.`)
  }
  for (const name of ['ReplyTo', 'FaultTo'])
    for (const endpoint of of(name)) {
      const address = child(endpoint, ns.wsa, 'Address')?.text.trim()
      if (address === undefined)
        throw invalid('wsa:MissingAddressInEPR', `wsa:${name} n’a pas d’adresse.`, `wsa:${name} has no Address.`)
      if (!replyAddresses.has(address))
        throw invalid(
          'wsa:OnlyAnonymousAddressSupported',
          `La réponse part sur la même connexion : wsa:${name} vaut ${ns.wsa}/anonymous.`,
          `The answer leaves on the same connection: wsa:${name} is ${ns.wsa}/anonymous.`,
        )
    }
  const [to] = of('To')
  // The samples of the DMP leave it empty (DMP-SERVICES 1.2): software that was written from them does too
  if (to !== undefined && to.text.trim() !== '' && !/^https?:\/\//i.test(to.text.trim()))
    throw invalid(
      'wsa:InvalidAddress',
      'wsa:To vaut l’adresse HTTP du service, ou manque.',
      'wsa:To is the HTTP address of the service, or absent.',
    )
  if (mediaTypeAction !== undefined && mediaTypeAction !== '' && mediaTypeAction !== action.text)
    throw invalid(
      'wsa:ActionMismatch',
      'Le paramètre action du Content-Type et wsa:Action diffèrent.',
      'The action parameter of the Content-Type and wsa:Action differ.',
    )
  return action.text
}

/** By its path only: an assertion anywhere else is not an identity. */
function readAssertion(header: XmlElement): AssertionSource | undefined {
  const security = children(header, ns.wsse, 'Security')
  if (security.length > 1)
    throw new SoapFault('Sender', {
      subcodes: ['wsse:InvalidSecurity'],
      fr: 'wsse:Security apparaît plusieurs fois : un seul est accepté.',
      en: 'wsse:Security appears more than once: one is accepted.',
    })
  const assertions = security.flatMap((block) => children(block, ns.saml2, 'Assertion'))
  if (assertions.length > 1)
    throw new SoapFault('Sender', {
      subcodes: ['wsse:InvalidSecurityToken'],
      fr: 'wsse:Security porte plusieurs assertions : une seule est acceptée.',
      en: 'wsse:Security holds more than one assertion: one is accepted.',
    })
  const [assertion] = assertions
  // The reader was to keep its characters: without them there is an identity that nobody has verified
  if (assertion && !assertion.source) throw new TypeError('the assertion was read without its source')
  return assertion?.source
}

function readConsentBlock(blocks: readonly XmlElement[]): ReadonlyMap<string, string> | undefined {
  const [consent, ...others] = blocks.filter((block) => block.ns === ns.access && block.local === 'Consent')
  if (others.length > 0)
    throw malformed('Le bloc Consent apparaît plusieurs fois.', 'The Consent block appears more than once.')
  return (
    consent &&
    new Map(consent.attributes.filter((each) => each.ns === '').map(({ local, value }) => [local, value] as const))
  )
}
