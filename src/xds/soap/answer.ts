/** The envelope of an answer around a body that may still be in the making. */
import { randomUUID } from 'node:crypto'
import { XmlWriter } from '../../xml/writer.ts'
import { ns } from '../namespaces.ts'

const anonymous = `${ns.wsa}/anonymous`
const tail = Buffer.from('</soap:Body></soap:Envelope>')

export interface EnvelopeOptions {
  /** wsa:Action. */
  readonly action: string
  /** MessageID of the request, when it had one. */
  readonly relatesTo?: string | undefined
  /** Further header blocks, written with the prefixes soap, wsa and wsse. */
  readonly headers?: Buffer
}

/** Whole when the body is; otherwise each piece is given on as it comes. */
export function envelope(
  options: EnvelopeOptions,
  body: Buffer | AsyncIterable<Buffer>,
): Buffer | AsyncIterable<Buffer> {
  const head = envelopeHead(options)
  return Buffer.isBuffer(body) ? Buffer.concat([head, body, tail]) : around(head, body)
}

async function* around(head: Buffer, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first: Buffer | undefined = head
  for await (const piece of body) {
    yield first ? Buffer.concat([first, piece]) : piece
    first = undefined
  }
  yield first ? Buffer.concat([first, tail]) : tail
}

function envelopeHead({ action, relatesTo, headers }: EnvelopeOptions): Buffer {
  const xml = new XmlWriter().declaration()
  xml.start('soap:Envelope', { 'xmlns:soap': ns.soap, 'xmlns:wsa': ns.wsa, 'xmlns:wsse': ns.wsse })
  xml.start('soap:Header')
  if (headers) xml.raw(headers)
  xml.element('wsa:Action', { 'soap:mustUnderstand': '1' }, action)
  xml.element('wsa:MessageID', undefined, `urn:uuid:${randomUUID()}`)
  if (relatesTo !== undefined) xml.element('wsa:RelatesTo', undefined, relatesTo)
  xml.element('wsa:To', undefined, anonymous).end()
  return xml.start('soap:Body').take()
}
