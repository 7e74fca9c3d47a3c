/** Enveloped XML signatures (XML-DSig) of SAML assertions; what verifies them is in identity/. */
import { createHash, type KeyObject, sign, type X509Certificate } from 'node:crypto'
import { canonicalizeExclusive } from './c14n.ts'
import { XmlWriter } from './writer.ts'

const signatureNamespace = 'http://www.w3.org/2000/09/xmldsig#'
const exclusiveC14n = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const envelopedSignature = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature'

/** RFC 6931 2.1 and 2.3. SHA-1 is written only where the other side knows nothing else. */
export const signatureHashes = {
  sha1: {
    signature: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    digest: 'http://www.w3.org/2000/09/xmldsig#sha1',
  },
  sha256: {
    signature: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    digest: 'http://www.w3.org/2001/04/xmlenc#sha256',
  },
} as const

export type SignatureHash = keyof typeof signatureHashes

/** An Assertion in two pieces: the Signature stands between them, just after Issuer. */
export interface UnsignedAssertion {
  readonly id: string
  readonly head: string
  readonly tail: string
}

/** RSA over exclusive C14N, the certificate in KeyInfo (DMP-FACTS 2.1). */
export function signAssertion(
  { id, head, tail }: UnsignedAssertion,
  key: KeyObject,
  certificate: X509Certificate,
  hash: SignatureHash = 'sha256',
): string {
  const algorithms = signatureHashes[hash]
  const digest = createHash(hash)
    .update(canonicalizeExclusive(head + tail, {}, { prefixes: ['xs'] }))
    .digest('base64')
  const signedInfo = new XmlWriter()
    .start('ds:SignedInfo', { 'xmlns:ds': signatureNamespace })
    .element('ds:CanonicalizationMethod', { Algorithm: exclusiveC14n })
    .element('ds:SignatureMethod', { Algorithm: algorithms.signature })
    .start('ds:Reference', { URI: `#${id}` })
    .start('ds:Transforms')
    .element('ds:Transform', { Algorithm: envelopedSignature })
    .start('ds:Transform', { Algorithm: exclusiveC14n })
    // xs stands in attribute values only (xsi:type): without this list the canonical form drops its declaration
    .element('ec:InclusiveNamespaces', { 'xmlns:ec': exclusiveC14n, PrefixList: 'xs' })
    .end()
    .end()
    .element('ds:DigestMethod', { Algorithm: algorithms.digest })
    .element('ds:DigestValue', undefined, digest)
    .end()
    .end()
    .take()
    .toString()
  const value = sign(hash, canonicalizeExclusive(signedInfo, {}), key).toString('base64')
  const signature = new XmlWriter()
    .start('ds:Signature', { 'xmlns:ds': signatureNamespace })
    .raw(signedInfo)
    .element('ds:SignatureValue', undefined, value)
    .start('ds:KeyInfo')
    .start('ds:X509Data')
    .element('ds:X509Certificate', undefined, certificate.raw.toString('base64'))
    .end()
    .end()
    .end()
    .take()
    .toString()
  return head + signature + tail
}
