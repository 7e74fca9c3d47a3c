/**
 * Distinguished names: the Issuer of a VIHF is the subject of the certificate that signs it, written as text (X509SubjectName,
 * DMP-FACTS 2.1). Writers differ in order, spacing, names of types and escapes (RFC 4514, RFC 1779, OpenSSL, Java), so two names
 * are compared by their parts: same relative names in the same or the opposite order, values without regard to case and
 * repeated spaces (RFC 4518 2.6.1).
 */
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, type Name } from '@peculiar/asn1-x509'

/** One `type=value`; `type` is a dotted OID. */
interface Attribute {
  readonly type: string
  readonly value: string
}

/** Relative names in the order of the certificate or the text; each is a set of attributes. */
export type DistinguishedName = readonly (readonly Attribute[])[]

/** Short and long names in use for attribute types (RFC 4519, OpenSSL, Java). */
const types: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  COMMONNAME: '2.5.4.3',
  SN: '2.5.4.4',
  SURNAME: '2.5.4.4',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  COUNTRYNAME: '2.5.4.6',
  L: '2.5.4.7',
  LOCALITYNAME: '2.5.4.7',
  ST: '2.5.4.8',
  S: '2.5.4.8',
  STATEORPROVINCENAME: '2.5.4.8',
  STREET: '2.5.4.9',
  STREETADDRESS: '2.5.4.9',
  O: '2.5.4.10',
  ORGANIZATIONNAME: '2.5.4.10',
  OU: '2.5.4.11',
  ORGANIZATIONALUNITNAME: '2.5.4.11',
  T: '2.5.4.12',
  TITLE: '2.5.4.12',
  GN: '2.5.4.42',
  G: '2.5.4.42',
  GIVENNAME: '2.5.4.42',
  INITIALS: '2.5.4.43',
  GENERATIONQUALIFIER: '2.5.4.44',
  GENERATION: '2.5.4.44',
  DNQUALIFIER: '2.5.4.46',
  DNQ: '2.5.4.46',
  PSEUDONYM: '2.5.4.65',
  ORGANIZATIONIDENTIFIER: '2.5.4.97',
  E: '1.2.840.113549.1.9.1',
  EMAIL: '1.2.840.113549.1.9.1',
  EMAILADDRESS: '1.2.840.113549.1.9.1',
  UID: '0.9.2342.19200300.100.1.1',
  USERID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
  DOMAINCOMPONENT: '0.9.2342.19200300.100.1.25',
}

const maxLength = 2000

/** The subject of a certificate. Throws when the DER is no certificate. */
export function subjectOf(der: Uint8Array): DistinguishedName {
  return nameOf(AsnConvert.parse(der, Certificate).tbsCertificate.subject)
}

/** A name as ASN.1 has it. */
export function nameOf(name: Name): DistinguishedName {
  return [...name].map((rdn) => [...rdn].map(({ type, value }) => ({ type, value: value.toString() })))
}

/** Reads a name as text; undefined when it is not one. */
export function parseDistinguishedName(text: string): DistinguishedName | undefined {
  if (text.length > maxLength) return undefined
  const name: Attribute[][] = [[]]
  let rest = text.trimStart()
  while (rest !== '') {
    const head = /^(?:OID\.)?([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)\s*=\s*/i.exec(rest)
    if (head?.[1] === undefined) return undefined
    const type = /^[0-9]/.test(head[1]) ? head[1] : types[head[1].toUpperCase()]
    const read = readValue(rest.slice(head[0].length))
    if (type === undefined || read === undefined) return undefined
    name.at(-1)?.push({ type, value: read.value })
    if (read.separator === '') return name
    if (read.separator !== '+') name.push([])
    rest = read.rest.trimStart()
  }
  return undefined
}

interface ReadValue {
  readonly value: string
  /** `,`, `;`, `+`, or '' at the end. */
  readonly separator: string
  readonly rest: string
}

/** RFC 4514 2.4: a string with escapes, or `#` and hex of the DER; RFC 1779: a string in quotes. */
function readValue(text: string): ReadValue | undefined {
  const hex = /^#((?:[0-9a-f]{2})+)\s*(?:([,;+])|$)/i.exec(text)
  if (hex?.[1] !== undefined) {
    const value = derString(Buffer.from(hex[1], 'hex'))
    return value === undefined ? undefined : { value, separator: hex[2] ?? '', rest: text.slice(hex[0].length) }
  }
  const quoted = text.startsWith('"')
  const bytes: Buffer[] = []
  let index = quoted ? 1 : 0
  /** Characters up to here are kept even if they are spaces. */
  let kept = 0
  let closed = !quoted
  for (; index < text.length; index++) {
    const character = text.charAt(index)
    if (character === '\\') {
      const pair = /^[0-9a-f]{2}/i.exec(text.slice(index + 1))
      if (pair !== null) bytes.push(Buffer.from(pair[0], 'hex'))
      else if (index + 1 < text.length) bytes.push(Buffer.from(text.charAt(index + 1)))
      else return undefined
      index += pair === null ? 1 : 2
      kept = bytes.length
    } else if (quoted && !closed && character === '"') {
      closed = true
      kept = bytes.length
    } else if ((!quoted || closed) && /[,;+]/.test(character)) break
    else if (quoted && closed) {
      if (!/\s/.test(character)) return undefined
    } else {
      const codePoint = String.fromCodePoint(text.codePointAt(index) ?? 0)
      bytes.push(Buffer.from(codePoint))
      index += codePoint.length - 1
      if (!/\s/.test(codePoint)) kept = bytes.length
    }
  }
  if (!closed) return undefined
  const value = Buffer.concat(bytes.slice(0, kept)).toString('utf8')
  return { value, separator: text.charAt(index), rest: text.slice(index + 1) }
}

/** A DER string of less than 128 bytes: UTF8String, PrintableString, IA5String, TeletexString read as Latin-1, BMPString. */
function derString(der: Buffer): string | undefined {
  const [tag, length] = der
  const content = der.subarray(2)
  if (length === undefined || length > 127 || content.length !== length) return undefined
  if (tag === 0x0c) return content.toString('utf8')
  if (tag === 0x13 || tag === 0x14 || tag === 0x16) return content.toString('latin1')
  if (tag === 0x1e && length % 2 === 0) return Buffer.from(content).swap16().toString('utf16le')
  return undefined
}

/** Whether two names are the same name, whichever end they were written from. */
export function sameName(left: DistinguishedName, right: DistinguishedName): boolean {
  if (left.length !== right.length || left.length === 0) return false
  const a = left.map(canonical)
  const b = right.map(canonical)
  return a.every((part, index) => part === b[index]) || a.every((part, index) => part === b[b.length - 1 - index])
}

function canonical(rdn: readonly Attribute[]): string {
  return JSON.stringify(rdn.map(({ type, value }) => `${type}=${fold(value)}`).sort())
}

function fold(value: string): string {
  return value.normalize('NFKC').trim().replace(/\s+/g, ' ').toLowerCase()
}

const shortNames: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
}

/** RFC 4514: the most specific name first, special characters escaped. */
export function formatDistinguishedName(name: DistinguishedName): string {
  return [...name]
    .reverse()
    .map((rdn) => rdn.map(({ type, value }) => `${shortNames[type] ?? type}=${escapeValue(value)}`).join('+'))
    .join(',')
}

function escapeValue(value: string): string {
  return value
    .replace(/[\\"+,;<>]/g, '\\$&')
    .replace(/^[ #]/, '\\$&')
    .replace(/ $/, '\\ ')
}
