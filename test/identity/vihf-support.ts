/** Assertions for tests: valid ones, ones changed before signing, and signatures of every form. */
import { createHash, type KeyObject, sign, type X509Certificate } from 'node:crypto'
import type { LocalIssuer } from '../../src/identity/issuer.ts'
import { signAssertion, type UnsignedAssertion, writeAssertion } from '../../src/identity/mint.ts'
import { describeIdentity, type IdentityOptions } from '../../src/identity/test-identity.ts'
import type { AssertionSource } from '../../src/operations/ports.ts'
import { canonicalizeExclusive } from '../../src/xml/c14n.ts'
import { parseXml } from '../../src/xml/reader.ts'
import type { XmlElement } from '../../src/xml/tree.ts'
import { now } from './support.ts'

export const saml = 'urn:oasis:names:tc:SAML:2.0:assertion'
const dsig = 'http://www.w3.org/2000/09/xmldsig#'
const excC14n = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const enveloped = `${dsig}enveloped-signature`

export const defaults: IdentityOptions = { ins: '260059999999999', now }

export type Edit = (xml: string) => string

/** Fails when what is replaced is not there: a test that changes nothing proves nothing. */
export function replace(from: string | RegExp, to: string): Edit {
  return (xml) => {
    const changed = xml.replace(from, to)
    if (changed === xml) throw new Error(`nothing to replace: ${from}`)
    return changed
  }
}

/** An Assertion as the development issuer writes it, changed before it is signed. */
export function unsigned(
  issuer: LocalIssuer,
  edit: Edit = (xml) => xml,
  options: IdentityOptions = {},
): UnsignedAssertion {
  const { id, head, tail } = writeAssertion(describeIdentity({ ...defaults, ...options }), issuer.vihfSubject)
  const mark = '<mark/>'
  const [before = '', after = ''] = edit(head + mark + tail).split(mark)
  return { id, head: before, tail: after }
}

export function signed(issuer: LocalIssuer, edit?: Edit, options?: IdentityOptions): string {
  return signAssertion(unsigned(issuer, edit, options), issuer.vihfKey, issuer.vihfCertificate)
}

/** As it stands alone: nothing declared around it. */
export function alone(xml: string): AssertionSource {
  return { xml, namespaces: {} }
}

/** As the SOAP door finds it. */
export function inMessage(message: string): AssertionSource {
  const root = parseXml(message, { capture: [{ ns: saml, local: 'Assertion' }] })
  const found = find(root)
  if (found?.source === undefined) throw new Error('no assertion in the message')
  return found.source
}

function find(element: XmlElement): XmlElement | undefined {
  if (element.ns === saml && element.local === 'Assertion') return element
  for (const child of element.children) {
    const found = find(child)
    if (found !== undefined) return found
  }
  return undefined
}

export interface SignatureForm {
  readonly key?: KeyObject
  readonly certificate?: X509Certificate | string
  readonly c14n?: string
  readonly method?: string
  readonly hash?: string
  readonly digestMethod?: string
  readonly digestHash?: string
  readonly uri?: string
  readonly transforms?: string
  readonly prefixes?: readonly string[]
  readonly references?: (reference: string) => string
  /** Namespaces around the Assertion that PrefixList names. */
  readonly around?: Readonly<Record<string, string>>
  readonly keyInfo?: string
}

/** A signature whose every part can be another one; all digests and values are computed as the form says. */
export function signForm({ id, head, tail }: UnsignedAssertion, issuer: LocalIssuer, form: SignatureForm = {}): string {
  const { prefixes = ['xs'], around = {}, hash = 'sha256', digestHash = 'sha256' } = form
  const list = `<ec:InclusiveNamespaces xmlns:ec="${excC14n}" PrefixList="${prefixes.join(' ')}"/>`
  const digest = createHash(digestHash)
    .update(canonicalizeExclusive(head + tail, around, { prefixes }))
    .digest('base64')
  const transforms =
    form.transforms ??
    `<ds:Transform Algorithm="${enveloped}"/><ds:Transform Algorithm="${excC14n}">${list}</ds:Transform>`
  const reference = [
    `<ds:Reference URI="${form.uri ?? `#${id}`}"><ds:Transforms>${transforms}</ds:Transforms>`,
    `<ds:DigestMethod Algorithm="${form.digestMethod ?? 'http://www.w3.org/2001/04/xmlenc#sha256'}"/>`,
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference>`,
  ].join('')
  const signedInfo = [
    `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="${form.c14n ?? excC14n}"/>`,
    `<ds:SignatureMethod Algorithm="${form.method ?? 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'}"/>`,
    `${form.references?.(reference) ?? reference}</ds:SignedInfo>`,
  ].join('')
  const key = form.key ?? issuer.vihfKey
  const value = sign(
    hash,
    canonicalizeExclusive(signedInfo, { ds: dsig }),
    key.asymmetricKeyType === 'ec' ? { key, dsaEncoding: 'ieee-p1363' } : key,
  )
  const certificate = form.certificate ?? issuer.vihfCertificate
  const der = typeof certificate === 'string' ? certificate : certificate.raw.toString('base64')
  const keyInfo =
    form.keyInfo ??
    `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>${der}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`
  const signature = `<ds:Signature xmlns:ds="${dsig}">${signedInfo}<ds:SignatureValue>${value.toString('base64')}</ds:SignatureValue>${keyInfo}</ds:Signature>`
  return head + signature + tail
}
