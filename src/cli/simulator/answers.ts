/** Answers of the DMP around their bodies (DMP-SERVICES §1.4, §3.7), in the forms of its samples. */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { escapeAttribute, escapeText } from '../../xml/writer.ts'
import { type Breach, ns } from './check.ts'
import type { Framed } from './frame.ts'

const faultAction = 'http://www.w3.org/2005/08/addressing/soap/fault'
const status = 'urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure'
const severity = 'urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error'

const words = ({ rule, text }: Breach) => (/^§/.test(rule) ? `DMP-SERVICES ${rule} : ${text}` : `${rule} : ${text}`)

/** @param subcode one of the DMP's, as `DMPInvalidCertificate` */
export function answerFault(
  response: ServerResponse,
  subcode: string,
  breaches: readonly Breach[],
  relatesTo?: string,
): void {
  const text = breaches.map(words).join(' ; ')
  const body = `<soap:Fault><soap:Code><soap:Value>soap:Sender</soap:Value><soap:Subcode><soap:Value>soap:${subcode}</soap:Value></soap:Subcode></soap:Code><soap:Reason><soap:Text xml:lang="fr">${escapeText(text)}</soap:Text></soap:Reason></soap:Fault>`
  answer(response, { status: 500, action: faultAction, relatesTo, body })
}

/** Failure of the transaction, with one RegistryError for each rule that was broken. */
export function answerRegistry(
  response: ServerResponse,
  { operation, messageId }: Framed,
  packaging: 'simple' | 'mtom',
  breaches: readonly Breach[],
): void {
  const other = operation.service === 'repository' ? 'XDSRepositoryError' : 'XDSRegistryError'
  const errors = breaches.map((breach) => {
    const place = breach.location === undefined ? '' : ` location="${escapeAttribute(breach.location)}"`
    return `<rs:RegistryError errorCode="${breach.code ?? other}" codeContext="${escapeAttribute(words(breach))}"${place} severity="${severity}"/>`
  })
  const list = `<rs:RegistryErrorList highestSeverity="${severity}">${errors.join('')}</rs:RegistryErrorList>`
  const rs = `xmlns:rs="urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"`
  const registry = `<rs:RegistryResponse ${rs} status="${status}">${list}</rs:RegistryResponse>`
  const bodies: Readonly<Record<string, string>> = {
    AdhocQueryRequest: `<q:AdhocQueryResponse xmlns:q="${ns.query}" ${rs} status="${status}">${list}<RegistryObjectList xmlns="${ns.rim}"/></q:AdhocQueryResponse>`,
    RetrieveDocumentSetRequest: `<x:RetrieveDocumentSetResponse xmlns:x="${ns.xdsb}">${registry}</x:RetrieveDocumentSetResponse>`,
  }
  const { action } = operation
  const hyphen = action.endsWith('UpdateDocumentSet') ? '-' : ''
  const body = bodies[operation.body.local] ?? registry
  answer(response, { status: 200, action: `${action}${hyphen}Response`, relatesTo: messageId, body, packaging })
}

export interface AnswerParts {
  readonly status: number
  readonly action: string
  readonly relatesTo: string | undefined
  readonly body: string
  readonly packaging?: 'simple' | 'mtom'
}

/** No Security; To is the anonymous address (§1.4). */
export function answer(response: ServerResponse, { status, action, relatesTo, body, packaging }: AnswerParts): void {
  const relation = relatesTo === undefined ? '' : `<RelatesTo xmlns="${ns.wsa}">${escapeText(relatesTo)}</RelatesTo>`
  const envelope = `<soap:Envelope xmlns:soap="${ns.soap}"><soap:Header><Action xmlns="${ns.wsa}">${action}</Action><MessageID xmlns="${ns.wsa}">urn:uuid:${randomUUID()}</MessageID><To xmlns="${ns.wsa}">${ns.wsa}/anonymous</To>${relation}</soap:Header><soap:Body>${body}</soap:Body></soap:Envelope>`
  if (packaging !== 'mtom') {
    response.writeHead(status, { 'Content-Type': 'application/soap+xml; charset=UTF-8' })
    response.end(envelope)
    return
  }
  const boundary = `uuid:${randomUUID()}`
  const type = `multipart/related; type="application/xop+xml"; boundary="${boundary}"; start="<root.message@dmp>"; start-info="application/soap+xml"`
  response.writeHead(status, { 'Content-Type': type })
  response.end(
    `\r\n--${boundary}\r\nContent-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <root.message@dmp>\r\n\r\n${envelope}\r\n--${boundary}--\r\n`,
  )
}
