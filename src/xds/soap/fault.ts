/** SOAP 1.2 faults: what is wrong with an envelope or with the identity in it, in the words of the standards. */
import { type ErrorCode, errorRow, type GatewayError } from '../../errors.ts'
import { XmlWriter } from '../../xml/writer.ts'
import { ns } from '../namespaces.ts'

export type FaultCode = 'Sender' | 'Receiver' | 'MustUnderstand' | 'VersionMismatch'

/** Subcodes of WS-Addressing 1.0 SOAP Binding 6.4 and of WS-Security 1.1 clause 12. */
export type FaultSubcode =
  | 'wsa:ActionNotSupported'
  | 'wsa:ActionMismatch'
  | 'wsa:InvalidAddress'
  | 'wsa:InvalidAddressingHeader'
  | 'wsa:InvalidCardinality'
  | 'wsa:MessageAddressingHeaderRequired'
  | 'wsa:MissingAddressInEPR'
  | 'wsa:OnlyAnonymousAddressSupported'
  | 'wsse:FailedAuthentication'
  | 'wsse:InvalidSecurity'
  | 'wsse:InvalidSecurityToken'
  | 'wsse:MessageExpired'

export interface FaultDetails {
  /** From the general to the particular: each stands inside the one before. */
  readonly subcodes?: readonly FaultSubcode[]
  /** Reason: what is wrong and what to send instead. */
  readonly fr: string
  readonly en: string
  /** The row of the error table this came from; its issues go into the Detail. */
  readonly cause?: GatewayError
  /** Header blocks with mustUnderstand that we do not know (SOAP 1.2 part 1, 5.4.8). */
  readonly notUnderstood?: readonly { readonly ns: string; readonly local: string }[]
}

export class SoapFault extends Error {
  readonly code: FaultCode
  readonly details: FaultDetails

  constructor(code: FaultCode, details: FaultDetails) {
    super(details.en, { cause: details.cause })
    this.name = 'SoapFault'
    this.code = code
    this.details = details
  }

  /** SOAP 1.2 part 2, 7.5 (HTTP binding): 400 for Sender, 500 for the rest; what HTTP itself refuses keeps its own status. */
  get http(): number {
    const status = this.details.cause?.http ?? 0
    if (status === 405 || status === 413 || status === 415) return status
    return this.code === 'Sender' ? 400 : 500
  }

  /** wsa:Action of the fault message (WS-Addressing 1.0 SOAP Binding 6). */
  get action(): string {
    const addressing = this.details.subcodes?.some((subcode) => subcode.startsWith('wsa:')) ?? false
    return addressing ? `${ns.wsa}/fault` : `${ns.wsa}/soap/fault`
  }

  /** What the log says. */
  get logCode(): string {
    return this.details.subcodes?.at(-1) ?? this.details.cause?.code ?? this.code
  }
}

const identitySubcodes: Readonly<Partial<Record<ErrorCode, FaultSubcode>>> = {
  'identity-missing': 'wsse:FailedAuthentication',
  'identity-invalid': 'wsse:InvalidSecurityToken',
  'identity-expired': 'wsse:MessageExpired',
}

/** An error of the identity, or one that came before there was an envelope to answer to. */
export function faultOf(error: GatewayError): SoapFault {
  const { fr, en } = errorRow(error.code)
  const subcode = identitySubcodes[error.code]
  return new SoapFault(error.http < 500 ? 'Sender' : 'Receiver', {
    fr,
    en,
    cause: error,
    ...(subcode && { subcodes: [subcode] }),
  })
}

/** The Fault element, as the child of soap:Body. The envelope declares soap, wsa and wsse. */
export function writeFault(fault: SoapFault): Buffer {
  const { subcodes = [], fr, en, cause } = fault.details
  const xml = new XmlWriter().start('soap:Fault').start('soap:Code')
  xml.element('soap:Value', undefined, `soap:${fault.code}`)
  for (const subcode of subcodes) xml.start('soap:Subcode').element('soap:Value', undefined, subcode)
  for (const _ of subcodes) xml.end()
  xml.end().start('soap:Reason')
  xml.element('soap:Text', { 'xml:lang': 'fr' }, fr).element('soap:Text', { 'xml:lang': 'en' }, en).end()
  if (cause) {
    xml.start('soap:Detail')
    for (const { code, rule, location, detail } of cause.issues)
      xml.element('access:Issue', { 'xmlns:access': ns.access, code, rule, location }, detail)
    xml.end()
  }
  return xml.end().take()
}

/** Header blocks that go with some faults. */
export function faultHeaders(fault: SoapFault): Buffer {
  const xml = new XmlWriter()
  for (const { ns: uri, local } of fault.details.notUnderstood ?? [])
    xml.element('soap:NotUnderstood', uri === '' ? { qname: local } : { 'xmlns:nu': uri, qname: `nu:${local}` })
  if (fault.code === 'VersionMismatch')
    xml.start('soap:Upgrade').element('soap:SupportedEnvelope', { qname: 'soap:Envelope' }).end()
  return xml.take()
}
