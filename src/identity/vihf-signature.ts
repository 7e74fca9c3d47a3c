/**
 * The XML signature of a VIHF (XML-DSig, enveloped). What is verified is exactly the given Assertion; what is returned is
 * the tree of the canonical bytes that were hashed, so that nothing can be read that was not signed.
 */
import { createHash, type KeyObject, verify as verifySignatureValue } from 'node:crypto'
import type { AssertionSource } from '../operations/ports.ts'
import { type CanonicalizeOptions, canonicalizeExclusive } from '../xml/c14n.ts'
import { parseXml, XmlError, type XmlLimits } from '../xml/reader.ts'
import { attribute, children, type XmlElement } from '../xml/tree.ts'
import { invalid } from './refusal.ts'
import { samlNamespace } from './saml-attributes.ts'
import type { Signer, SignerFinder } from './trust.ts'

export const signatureNamespace = 'http://www.w3.org/2000/09/xmldsig#'
export const exclusiveC14n = 'http://www.w3.org/2001/10/xml-exc-c14n#'
export const envelopedSignature = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'

const signatureName = { ns: signatureNamespace, local: 'Signature' }
const signedInfoName = { ns: signatureNamespace, local: 'SignedInfo' }

/** Characters of one assertion as it came. */
const maxLength = 256 * 1024
/** Limits of one assertion; those of the DMP have about 60 elements and 8 KB. */
export const assertionLimits: Partial<XmlLimits> = {
  maxBytes: 256 * 1024,
  maxDepth: 24,
  maxElements: 2000,
  maxAttributes: 40,
  maxText: 64 * 1024,
}

/** RFC 6931 2.3: signature algorithms in use, SHA-1 not among them. */
const signatureAlgorithms: Readonly<Record<string, { readonly hash: string; readonly key: 'rsa' | 'ec' }>> = {
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256': { hash: 'sha256', key: 'rsa' },
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha384': { hash: 'sha384', key: 'rsa' },
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512': { hash: 'sha512', key: 'rsa' },
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256': { hash: 'sha256', key: 'ec' },
}
const digestAlgorithms: Readonly<Record<string, string>> = {
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  'http://www.w3.org/2001/04/xmldsig-more#sha384': 'sha384',
  'http://www.w3.org/2001/04/xmlenc#sha512': 'sha512',
}

export interface SignedAssertion {
  /** The Assertion as it was signed; its Signature is still a child of it, and the only thing in it that was not signed. */
  readonly assertion: XmlElement
  readonly id: string
  readonly signer: Signer
  /** Whose trust the signer was found by: the Issuer as it stands in the verified text. */
  readonly issuer: string
}

/** Verifies the signature of an Assertion. Throws GatewayError identity-invalid. */
export type SignatureVerifier = (source: AssertionSource) => SignedAssertion

/** @param finderOf who may sign for an Issuer, whose text is not verified yet and only chooses */
export function createSignatureVerifier(finderOf: (issuer: string) => SignerFinder): SignatureVerifier {
  // The canonical form depends on a list that stands inside it: the one that last held is tried first
  let usual: readonly string[] = []
  return (source) => {
    const first = canonicalForm(source, usual)
    const issuer = issuerOf(first.assertion)
    const signer = finderOf(issuer)(certificatesOf(first.signature))
    const bytes = signedInfoBytes(source, first.signature)
    const signedInfo = parseSigned(bytes)
    checkSignatureValue(signedInfo, bytes, first.signature, signer.key)

    // From here on SignedInfo is what the signer wrote
    const reference = readReference(only(signedInfo, 'Reference'), first.id)
    const sameList = reference.prefixes.join(' ') === usual.join(' ')
    const form = sameList ? first : canonicalForm(source, reference.prefixes)
    const hash = createHash(reference.hash).update(form.before).update(form.after)
    if (!hash.digest().equals(reference.digest))
      throw invalid('The digest of the VIHF is not that of its signature: it was changed after signing.')
    usual = reference.prefixes
    if (issuerOf(form.assertion) !== issuer) throw invalid('The Issuer changes with the canonical form.')
    return { assertion: form.assertion, id: form.id, signer, issuer }
  }
}

interface CanonicalForm {
  /** The tree of the canonical bytes. */
  readonly assertion: XmlElement
  readonly id: string
  readonly signature: XmlElement
  /** The canonical bytes around the Signature: what its digest is made of. */
  readonly before: string
  readonly after: string
}

/**
 * The exclusive canonical form of the Assertion and its tree. An element taken out of a canonical text leaves the canonical
 * text of the rest, so the enveloped-signature transform is a cut: what is hashed and what is read are one text.
 */
function canonicalForm(source: AssertionSource, prefixes: readonly string[]): CanonicalForm {
  if (source.xml.length > maxLength) throw invalid(`A VIHF has at most ${maxLength} characters.`)
  const text = canonical(source, { prefixes }).toString('utf8')
  const assertion = orInvalid(() =>
    parseXml(text, { limits: assertionLimits, capture: [signatureName, signedInfoName] }),
  )
  if (assertion.ns !== samlNamespace || assertion.local !== 'Assertion')
    throw invalid('One saml2:Assertion is expected.')
  const id = attribute(assertion, 'ID') ?? ''
  const signature = onlySignature(assertion, id)
  const cut = signature.source?.xml ?? ''
  // No `<` stands in canonical text or attributes: this is the one element with these characters
  const start = text.indexOf(cut)
  return { assertion, id, signature, before: text.slice(0, start), after: text.slice(start + cut.length) }
}

/** SignedInfo by its own canonicalization; what it names in PrefixList may be declared around it and unused. */
function signedInfoBytes(source: AssertionSource, signature: XmlElement): Buffer {
  const signedInfo = only(signature, 'SignedInfo')
  const prefixes = c14nPrefixes(only(signedInfo, 'CanonicalizationMethod'))
  if (prefixes.length > 0) return canonical(source, { prefixes, path: [signatureName, signedInfoName] })
  return canonical(signedInfo.source, {})
}

/** Canonical bytes back to a tree: what is read from it is what was hashed. */
function parseSigned(bytes: Buffer): XmlElement {
  return orInvalid(() => parseXml(bytes, { limits: assertionLimits }))
}

function canonical(source: AssertionSource | undefined, options: CanonicalizeOptions): Buffer {
  if (source === undefined) throw invalid('ds:SignedInfo is missing.')
  return orInvalid(() => canonicalizeExclusive(source.xml, source.namespaces, options))
}

function orInvalid<T>(step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (error instanceof XmlError) throw invalid(`The VIHF cannot be read: ${error.message}.`, error)
    throw error
  }
}

/** One ds:Signature in all the Assertion, its child; one element that carries the ID; one Assertion. */
function onlySignature(assertion: XmlElement, id: string): XmlElement {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/.test(id)) throw invalid('Assertion/@ID: an NCName is expected.')
  let signatures = 0
  for (const element of descendants(assertion)) {
    if (element.ns === signatureNamespace && element.local === 'Signature') signatures++
    if (element.ns === samlNamespace && element.local === 'Assertion')
      throw invalid('An Assertion stands inside the Assertion.')
    if (carriesId(element, id)) throw invalid('The ID of the Assertion is given to another element too.')
  }
  const [signature] = children(assertion, signatureNamespace, 'Signature')
  if (signature === undefined) throw invalid('The VIHF is not signed: ds:Signature is a child of the Assertion.')
  if (signatures > 1) throw invalid('The VIHF holds more than one ds:Signature.')
  return signature
}

/** ID of SAML, Id of XML-DSig, id, xml:id, wsu:Id: whatever a reader might take for an identifier. */
function carriesId(element: XmlElement, id: string): boolean {
  return element.attributes.some(({ local, value }) => local.toLowerCase() === 'id' && value === id)
}

function* descendants(element: XmlElement): Generator<XmlElement> {
  for (const below of element.children) {
    yield below
    yield* descendants(below)
  }
}

/** Trimmed text of the one Issuer, '' when there is none. */
function issuerOf(assertion: XmlElement): string {
  const [issuer, ...more] = children(assertion, samlNamespace, 'Issuer')
  if (more.length > 0) throw invalid('Issuer is given twice.')
  return issuer?.text.trim() ?? ''
}

/** Certificates that may come along: the signer's and the authorities above it. */
const maxCertificates = 6

/** DER of the X509Certificates in KeyInfo; of several, the first is the signer's. */
function certificatesOf(signature: XmlElement): readonly Buffer[] {
  const data = only(only(signature, 'KeyInfo'), 'X509Data')
  const found = children(data, signatureNamespace, 'X509Certificate')
  if (found.length === 0) throw invalid('KeyInfo/X509Data/X509Certificate is missing.')
  if (found.length > maxCertificates)
    throw invalid(`KeyInfo/X509Data holds at most ${maxCertificates} certificates: the signer's, then its authorities.`)
  return found.map(({ text }) => base64(text, 'X509Certificate'))
}

function checkSignatureValue(signed: XmlElement, bytes: Buffer, signature: XmlElement, key: KeyObject): void {
  checkC14n(only(signed, 'CanonicalizationMethod'))
  const uri = attribute(only(signed, 'SignatureMethod'), 'Algorithm') ?? ''
  const algorithm = own(signatureAlgorithms, uri)
  if (algorithm === undefined || algorithm.key !== key.asymmetricKeyType)
    throw invalid(
      'SignatureMethod: rsa-sha256, rsa-sha384, rsa-sha512 or ecdsa-sha256 is expected, as the key is (SHA-1 is refused).',
    )
  const value = base64(only(signature, 'SignatureValue').text, 'SignatureValue')
  // RFC 6931 2.3.6: the value of ECDSA is r and s side by side
  const input = algorithm.key === 'ec' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key
  if (!verifySignatureValue(algorithm.hash, bytes, input, value))
    throw invalid('The signature of the VIHF is not valid.')
}

interface Reference {
  readonly hash: string
  readonly digest: Buffer
  readonly prefixes: readonly string[]
}

function readReference(reference: XmlElement, id: string): Reference {
  if (attribute(reference, 'URI') !== `#${id}`)
    throw invalid('Reference/@URI: # and the ID of the Assertion is expected.')
  const [enveloped, c14n, ...more] = only(reference, 'Transforms').children
  if (
    c14n === undefined ||
    more.length > 0 ||
    !isTransform(enveloped, envelopedSignature) ||
    !isTransform(c14n, exclusiveC14n) ||
    (enveloped?.children.length ?? 0) > 0
  )
    throw invalid('Transforms: enveloped-signature, then exclusive canonicalization is expected, nothing else.')
  const hash = own(digestAlgorithms, attribute(only(reference, 'DigestMethod'), 'Algorithm') ?? '')
  if (hash === undefined) throw invalid('DigestMethod: SHA-256, SHA-384 or SHA-512 is expected (SHA-1 is refused).')
  return { hash, digest: base64(only(reference, 'DigestValue').text, 'DigestValue'), prefixes: c14nPrefixes(c14n) }
}

function isTransform(element: XmlElement | undefined, algorithm: string): boolean {
  return (
    element?.ns === signatureNamespace && element.local === 'Transform' && attribute(element, 'Algorithm') === algorithm
  )
}

function checkC14n(method: XmlElement): void {
  if (attribute(method, 'Algorithm') !== exclusiveC14n)
    throw invalid('CanonicalizationMethod: exclusive canonicalization without comments is expected.')
}

/** InclusiveNamespaces/@PrefixList of exclusive canonicalization, `#default` included. */
function c14nPrefixes(method: XmlElement): readonly string[] {
  const [inclusive, ...more] = method.children
  if (inclusive === undefined) return []
  if (more.length > 0 || inclusive.ns !== exclusiveC14n || inclusive.local !== 'InclusiveNamespaces')
    throw invalid('Exclusive canonicalization takes InclusiveNamespaces only.')
  const prefixes = (attribute(inclusive, 'PrefixList') ?? '').split(/[ \t\n\r]+/).filter((prefix) => prefix !== '')
  if (
    prefixes.length > 32 ||
    prefixes.some((prefix) => prefix !== '#default' && !/^[\p{L}_][\p{L}\p{N}._-]*$/u.test(prefix))
  )
    throw invalid('InclusiveNamespaces/@PrefixList: at most 32 prefixes are expected.')
  return prefixes
}

function only(parent: XmlElement, local: string): XmlElement {
  const [found, ...more] = children(parent, signatureNamespace, local)
  if (found === undefined) throw invalid(`ds:${local} is missing.`)
  if (more.length > 0) throw invalid(`ds:${local} is given twice.`)
  return found
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function base64(text: string, name: string): Buffer {
  const compact = text.replace(/[ \t\n\r]+/g, '')
  if (compact === '' || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact))
    throw invalid(`ds:${name}: base64 is expected.`)
  return Buffer.from(compact, 'base64')
}
