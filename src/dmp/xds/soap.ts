/** The frame of every message to the DMP (DMP-SERVICES §1.2, §1.4): header in its fixed order, the VIHF as it was signed. */
import { randomUUID } from 'node:crypto'
import { GatewayError } from '../../errors.ts'
import { ns } from '../../xds/namespaces.ts'
import { child, children, type XmlElement } from '../../xml/tree.ts'
import { XmlWriter } from '../../xml/writer.ts'

/**
 * @param to URL of the service, or undefined for the empty element of the samples
 * @param body the child of soap:Body
 */
export function writeEnvelope(action: string, to: string | undefined, vihf: string, body: Buffer): Buffer {
  const wsa = { xmlns: ns.wsa }
  // mustUnderstand without a namespace is what the samples of the DMP have (S21)
  const must = { mustUnderstand: 'true', ...wsa }
  return new XmlWriter()
    .declaration()
    .start('soap:Envelope', { 'xmlns:soap': ns.soap })
    .start('soap:Header')
    .element('MessageID', wsa, `urn:uuid:${randomUUID()}`)
    .element('To', wsa, to)
    .start('ReplyTo', must)
    .element('Address', undefined, `${ns.wsa}/anonymous`)
    .end()
    .element('Action', must, action)
    .start('wsse:Security', { 'xmlns:wsse': ns.wsse })
    .raw(vihf)
    .end()
    .end()
    .start('soap:Body')
    .raw(body)
    .end()
    .end()
    .take()
}

/**
 * The one child of soap:Body.
 * @throws GatewayError dmp-refused for a fault, its subcode and reason as the DMP gave them; dmp-answer-invalid
 */
export function bodyOf(envelope: XmlElement): XmlElement {
  const body = envelope.ns === ns.soap && envelope.local === 'Envelope' ? child(envelope, ns.soap, 'Body') : undefined
  const [content, ...others] = body?.children ?? []
  if (content === undefined || others.length > 0)
    throw new GatewayError('dmp-answer-invalid', { detail: 'The answer is no SOAP 1.2 envelope with one element.' })
  if (content.ns === ns.soap && content.local === 'Fault') throw faultOf(content)
  return content
}

/** Subcodes are the DMP's own (`DMPInvalidCertificate`); no list of them is published. */
function faultOf(fault: XmlElement): GatewayError {
  const codes: string[] = []
  for (let code = child(fault, ns.soap, 'Code'); code !== undefined; code = child(code, ns.soap, 'Subcode'))
    codes.push((child(code, ns.soap, 'Value')?.text ?? '').trim().replace(/^[^:]*:/, ''))
  const reason = child(fault, ns.soap, 'Reason')
  const texts = reason ? children(reason, ns.soap, 'Text') : []
  const foreign = codes.at(-1) ?? ''
  return refusedByDmp(foreign, texts[0]?.text.trim() ?? '')
}

/** An error of the DMP that is none of IHE's: its code and its words go on unchanged. */
export function refusedByDmp(code: string, words: string): GatewayError {
  return new GatewayError({
    code: 'dmp-refused',
    ...(code !== '' && { foreign: code.slice(0, 200) }),
    ...(words !== '' && { detail: words.slice(0, 1000) }),
  })
}
