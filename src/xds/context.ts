/** Who asks, and with which declarations: from the assertion, the Consent header block and the HTTP headers. */
import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Caller, ConsentDeclaration } from '../access/caller.ts'
import { purposeInForce, readConsentAttributes, readConsentHeader, readPurposeHeader } from '../access/declaration.ts'
import { GatewayError } from '../errors.ts'
import type { Identity, RequestContext, RequestOrigin } from '../operations/ports.ts'
import { child, type XmlElement } from '../xml/tree.ts'
import { XmlWriter } from '../xml/writer.ts'
import { defined } from './defined.ts'
import { ns } from './namespaces.ts'
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
    origin: originOf(http, soap),
  }
}

/** Characters of a query kept in the trace: a longer one is known by its digest. */
const longestQuery = 8192

function originOf({ socket, url = '' }: IncomingMessage, { body }: SoapRequest): RequestOrigin {
  const { remoteAddress: client = 'unknown', localAddress = 'unknown', localPort } = socket
  const host = localAddress.includes(':') ? `[${localAddress}]` : localAddress
  const server = `${'encrypted' in socket ? 'https' : 'http'}://${host}:${localPort}${url.split('?')[0]}`
  const query = child(body, ns.rim, 'AdhocQuery')
  if (query === undefined) return { client, server }
  const xml = new XmlWriter()
  writeTree(xml, query, { xmlns: ns.rim })
  const text = xml.take().toString()
  const kept = text.length <= longestQuery ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`
  return { client, server, query: kept }
}

function writeTree(xml: XmlWriter, element: XmlElement, extra: Readonly<Record<string, string>> = {}): void {
  const own = element.attributes.filter((each) => each.ns === '').map(({ local, value }) => [local, value])
  const attributes = { ...extra, ...Object.fromEntries(own) }
  if (element.children.length === 0) xml.element(element.local, attributes, element.text)
  else {
    xml.start(element.local, attributes)
    for (const each of element.children) writeTree(xml, each)
    xml.end()
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
