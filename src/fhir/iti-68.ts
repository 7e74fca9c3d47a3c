/** ITI-68 Retrieve Document (TD3.2): the bytes under their own type, or a FHIR Binary where the caller asks for FHIR. */
import { pipeline } from 'node:stream/promises'
import { GatewayError } from '../errors.ts'
import { isEntryUuid } from '../metadata/identifiers.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { RetrievedDocument } from '../operations/operations.ts'
import type { DocumentContent } from '../operations/ports.ts'
import { escapeAttribute } from '../xml/writer.ts'
import { contentType, xmlDeclaration } from './answer.ts'
import { Base64Encoder } from './base64-encoder.ts'
import { type Format, mediaTypes, parseAccept, quality } from './negotiate.ts'
import type { Exchange } from './parts.ts'

export async function retrieveDocument(exchange: Exchange): Promise<void> {
  const { request, response, parts, context } = exchange
  const id = String(request.params.id)
  const logicalId = `urn:uuid:${id.toLowerCase()}`
  if (!isEntryUuid(logicalId)) throw notFound()
  const { documents } = await parts.operations.retrieve([{ logicalId }], context)
  const [document] = documents
  if (document === undefined) throw notFound()
  // Only now: what form is asked for must not tell whether the document exists
  const form = formOf(exchange, document.entry.mimeType)
  const etag = form === 'native' ? `"${document.content.sha1}"` : `"${document.content.sha1}-${form}"`
  response.setHeader('ETag', etag)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'")
  if (etagMatches(request.headers['if-none-match'], etag)) {
    response.writeHead(304)
    response.end()
  } else if (form === 'native') await sendNative(exchange, document, etag)
  else await sendBinary(exchange, id, document, form)
}

/** Absent, hidden and refused on the object's account: the same answer, to the byte. */
function notFound(): GatewayError {
  return new GatewayError({ code: 'not-found', detail: 'No document is known under this id.' })
}

/**
 * The native type unless the caller names FHIR and likes it better. `_format` names FHIR.
 * Throws GatewayError `not-acceptable` when the caller takes neither.
 */
function formOf({ request, query }: Exchange, mimeType: string): 'native' | Format {
  const format = query
    .find(([name]) => name === '_format')?.[1]
    .toLowerCase()
    .replace(' ', '+')
  if (format === 'json' || format === mediaTypes.json) return 'json'
  if (format === 'xml' || format === mediaTypes.xml) return 'xml'
  const ranges = parseAccept(request.headers.accept)
  const native = Math.max(
    ...[baseType(mimeType), ...(aliases[baseType(mimeType)] ?? [])].map((type) => quality(ranges, type)),
  )
  const named = (form: Format): number => ranges.find(({ type }) => type === mediaTypes[form])?.q ?? 0
  const [json, xml] = [named('json'), named('xml')]
  const best = Math.max(json, xml)
  // `*/*;q=0.1, application/fhir+json` prefers FHIR; `application/fhir+json, */*` does too, having named it
  const nativeNamed = ranges.some(({ type }) => type === baseType(mimeType))
  if (best > 0 && (best > native || (best === native && !nativeNamed))) return xml > json ? 'xml' : 'json'
  if (native > 0) return 'native'
  throw new GatewayError('not-acceptable', { detail: `Send Accept: ${baseType(mimeType)}, ${mediaTypes.json} or */*.` })
}

/** RFC 7303: two names of one thing. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  'text/xml': ['application/xml'],
  'application/xml': ['text/xml'],
}

function baseType(mimeType: string): string {
  return (mimeType.split(';')[0] ?? '').trim().toLowerCase()
}

function etagMatches(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  return tags.includes(etag) || tags.includes('*')
}

async function sendNative(exchange: Exchange, { entry, content }: RetrievedDocument, etag: string): Promise<void> {
  const { request, response } = exchange
  response.setHeader('Content-Type', headerSafe(entry.mimeType) ? entry.mimeType : 'application/octet-stream')
  response.setHeader('Content-Disposition', disposition(entry))
  response.setHeader('Accept-Ranges', 'bytes')
  const range = rangeOf(request.headers.range, header(request.headers['if-range']), etag, content.size)
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${content.size}`)
    throw new GatewayError('range-not-satisfiable', { detail: `The document has ${content.size} bytes.` })
  }
  if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.end}/${content.size}`)
  response.writeHead(range ? 206 : 200, { 'Content-Length': range ? range.end - range.start + 1 : content.size })
  if (request.method === 'HEAD') response.end()
  else if (content.bytes) response.end(range ? content.bytes.subarray(range.start, range.end + 1) : content.bytes)
  else await pipeline(content.stream(range), response)
}

async function sendBinary(
  { request, response }: Exchange,
  id: string,
  { entry, content }: RetrievedDocument,
  form: Format,
): Promise<void> {
  const [before, after] = wrappers[form](id, entry.mimeType)
  const length = Buffer.byteLength(before) + Math.ceil(content.size / 3) * 4 + Buffer.byteLength(after)
  response.writeHead(200, { 'Content-Type': contentType(form), 'Content-Length': length })
  if (request.method === 'HEAD') return void response.end()
  await pipeline(base64Of(content, before, after), response)
}

const wrappers: Readonly<Record<Format, (id: string, mimeType: string) => readonly [string, string]>> = {
  json: (id, mimeType) => [
    `{"resourceType":"Binary","id":${JSON.stringify(id)},"contentType":${JSON.stringify(mimeType)},"data":"`,
    '"}',
  ],
  xml: (id, mimeType) => [
    `${xmlDeclaration}<Binary xmlns="http://hl7.org/fhir"><id value="${escapeAttribute(id)}"/><contentType value="${escapeAttribute(mimeType)}"/><data value="`,
    '"/></Binary>',
  ],
}

async function* base64Of(content: DocumentContent, before: string, after: string): AsyncGenerator<Buffer> {
  const encoder = new Base64Encoder()
  yield Buffer.from(before)
  for await (const chunk of content.stream() as AsyncIterable<Buffer>) yield encoder.write(chunk)
  yield Buffer.concat([encoder.end(), Buffer.from(after)])
}

function header(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

interface ByteRange {
  readonly start: number
  readonly end: number
}

/** RFC 9110 §14: one range of bytes; several, or another unit, are ignored as it allows. */
function rangeOf(
  header: string | undefined,
  ifRange: string | undefined,
  etag: string,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if ((first === '' && last === '') || (ifRange !== undefined && ifRange !== etag)) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, end }
}

/** Types a browser shows without running anything in them. */
const shownInline: ReadonlySet<string> = new Set([
  'application/pdf',
  'text/plain',
  'image/jpeg',
  'image/png',
  'image/tiff',
])

const suffixes: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'text/plain': 'txt',
  'text/rtf': 'rtf',
  'application/rtf': 'rtf',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/tiff': 'tif',
  'application/dicom': 'dcm',
  'application/zip': 'zip',
}

/** RFC 6266: an ASCII name for everyone, the exact one in UTF-8; neither can leave its quotes or name a path. */
function disposition({ mimeType, title = 'document' }: DocumentEntry): string {
  const type = baseType(mimeType)
  const suffix = suffixes[type] ? `.${suffixes[type]}` : ''
  const name =
    title
      .toWellFormed()
      .replace(/[\p{Cc}\p{Cf}/\\:*?"<>|]+/gu, ' ')
      .trim()
      .slice(0, 100) || 'document'
  const ascii = name
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^\w .()-]+/g, '_')
    .replace(/^\.+/, '_')
  const encoded = encodeURIComponent(name.toWellFormed() + suffix).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${shownInline.has(type) ? 'inline' : 'attachment'}; filename="${ascii}${suffix}"; filename*=UTF-8''${encoded}`
}

function headerSafe(mimeType: string): boolean {
  return /^[\w.+-]+\/[\w.+-]+(\s*;\s*[\w.+-]+="?[\w.+:/-]+"?)*$/.test(mimeType)
}
