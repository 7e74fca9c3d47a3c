/** Who asks, and with which declarations: from the assertion, the Consent header block and the HTTP headers. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Caller, ConsentDeclaration } from '../access/caller.ts'
import { purposeInForce, readConsentAttributes, readConsentHeader, readPurposeHeader } from '../access/declaration.ts'
import { GatewayError } from '../errors.ts'
import type { Identity, RequestContext } from '../operations/ports.ts'
import { defined } from './defined.ts'
import type { SoapRequest } from './soap/envelope.ts'

/** @throws GatewayError identity-missing, identity-invalid, identity-expired, header-invalid: all of them become faults. */
export async function contextOf(
  http: IncomingMessage,
  soap: SoapRequest,
  transaction: string,
  identity: Identity,
): Promise<RequestContext> {
  const caller = await callerOf(http, soap, identity)
  const { purpose, reason } = purposeInForce(caller, readPurposeHeader(header(http, 'dmp-purpose-of-use')))
  return {
    caller,
    purpose,
    ...defined({ reason }),
    declaration: declarationOf(http, soap),
    door: 'xds',
    transaction,
    requestId: randomUUID(),
  }
}

async function callerOf(http: IncomingMessage, soap: SoapRequest, identity: Identity): Promise<Caller> {
  if (soap.assertion) return identity.fromAssertion(soap.assertion, { socket: http.socket })
  // An Authorization header is not silently left aside: without it, the client certificate of the connection may do
  const { authorization } = http.headers
  const caller =
    authorization === undefined ? (identity.fromConnection(http.socket) ?? identity.anonymous()) : undefined
  if (caller) return caller
  throw new GatewayError('identity-missing', {
    detail: 'Send one saml2:Assertion (VIHF) in one wsse:Security header block.',
  })
}

function declarationOf(http: IncomingMessage, { consent }: SoapRequest): ConsentDeclaration {
  const sent = header(http, 'dmp-consent')
  if (consent === undefined) return readConsentHeader(sent)
  if (sent !== undefined)
    throw new GatewayError('header-invalid', {
      detail: 'Consent is declared twice: send the Consent header block or the HTTP header DMP-Consent.',
    })
  return readConsentAttributes(consent)
}

/** Repeated headers come joined by commas, which is what RFC 9651 asks for. */
function header(http: IncomingMessage, name: string): string | undefined {
  const value = http.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
