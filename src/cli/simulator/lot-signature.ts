/** The XAdES signature of a lot: its shape and what it proves (DMP-SERVICES §3.4). */
import { createHash, verify, X509Certificate } from 'node:crypto'
import { type C14NOptions, ParseOption, XmlC14NMode, XmlDocument, XmlElement as XmlNodeElement } from 'libxml2-wasm'
import { parseXml } from '../../xml/reader.ts'
import type { XmlElement } from '../../xml/tree.ts'
import { all, type Check, first, ns, of, textOf } from './check.ts'

const withComments = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments'
const withComments10: C14NOptions = { mode: XmlC14NMode.XML_C14N_1_0, withComments: true }
const parsing = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_NO_SYS_CATALOG
const manifestType = 'http://www.w3.org/2000/09/xmldsig#Manifest'
const propertiesType = 'http://uri.etsi.org/01903/v1.1.1#SignedProperties'
const purposeOfSignature = '1.2.840.10065.1.12.1.14'

/** SHA-1 is what all witnesses send; SHA-256 is the switch (§3.4, §6.3). */
const digests: Readonly<Record<string, 'sha1' | 'sha256'>> = {
  'http://www.w3.org/2000/09/xmldsig#sha1': 'sha1',
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
}
const signatures: Readonly<Record<string, 'sha1' | 'sha256'>> = {
  'http://www.w3.org/2000/09/xmldsig#rsa-sha1': 'sha1',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256': 'sha256',
}

export interface Lot {
  /** uniqueId of the SubmissionSet. */
  readonly uniqueId: string
  /** Of the documents without the signature: uniqueId, bytes, and whether the bytes are XML. */
  readonly documents: readonly { readonly uniqueId: string; readonly bytes: Buffer; readonly xml: boolean }[]
}

/** @param certificate base64 of what signed the VIHF: card signature certificate or ORG_SIGN, the same for both (§1.2) */
export function checkLotSignature(bytes: Buffer, lot: Lot, certificate: string, check: Check): void {
  const that = (condition: boolean, what: string, text: string) =>
    check.that(condition, `§3.4 ${what}`, text, { code: 'XDSRegistryMetadataError' })
  let root: XmlElement
  try {
    root = parseXml(bytes)
  } catch {
    that(false, 'Signature', 'XML attendu')
    return
  }
  that(root.ns === ns.ds && root.local === 'Signature' && of(root, 'Id') !== '', 'Signature', 'ds:Signature avec Id')
  const info = first(root, ns.ds, 'SignedInfo')
  that(of(first(info, ns.ds, 'CanonicalizationMethod'), 'Algorithm') === withComments, 'SignedInfo', withComments)
  checkReferences(info, bytes, that)

  const sent = textOf(first(root, ns.ds, 'KeyInfo', 'X509Data', 'X509Certificate')).replace(/\s/g, '')
  that(all(root, ns.ds, 'KeyInfo', 'X509Data', 'X509Certificate').length === 1, 'KeyInfo', 'le certificat seul')
  that(sent === certificate, 'KeyInfo', 'le certificat qui a signé le VIHF')
  const algorithm = signatures[of(first(info, ns.ds, 'SignatureMethod'), 'Algorithm')]
  that(algorithm !== undefined, 'SignatureMethod', 'rsa-sha1 (ou rsa-sha256)')
  if (algorithm !== undefined && sent !== '') {
    const value = Buffer.from(textOf(first(root, ns.ds, 'SignatureValue')), 'base64')
    const signed = canonical(bytes, "/*/*[local-name()='SignedInfo']")
    that(signed !== undefined && verify(algorithm, signed, keyOf(sent), value), 'SignatureValue', 'ne vérifie pas')
  }
  const objects = all(root, ns.ds, 'Object')
  checkManifest(all(root, ns.ds, 'Object', 'Manifest'), lot, that)
  const property = first(root, ns.ds, 'Object', 'SignatureProperties', 'SignatureProperty')
  that(of(property, 'Id') === 'purposeOfSignature', 'SignatureProperty', 'Id="purposeOfSignature"')
  that(textOf(property) === purposeOfSignature, 'SignatureProperty', purposeOfSignature)
  const qualifying = objects.flatMap((each) => all(each, ns.xades, 'QualifyingProperties'))
  for (const each of [property, qualifying[0]])
    that(of(each, 'Target') === `#${of(root, 'Id')}`, 'Target', 'désigne la signature')
  checkProperties(first(qualifying[0], ns.xades, 'SignedProperties'), sent, that)
}

type That = (condition: boolean, what: string, text: string) => void

/** The two references of SignedInfo, by the element each leads to. */
function checkReferences(info: XmlElement | undefined, bytes: Buffer, that: That): void {
  const references = all(info, ns.ds, 'Reference')
  that(references.length === 2, 'SignedInfo', 'deux Reference')
  const targets = [
    { type: manifestType, id: 'IHEManifest' },
    { type: propertiesType, id: 'S0-SignedProperties' },
  ]
  for (const { type, id } of targets) {
    const uri = `#${id}`
    const reference = references.find((each) => of(each, 'Type') === type)
    that(of(reference, 'URI') === uri, 'Reference', `${type} : URI="${uri}"`)
    const transforms = all(reference, ns.ds, 'Transforms', 'Transform').map((each) => of(each, 'Algorithm'))
    that(
      transforms.every((each) => each === withComments),
      'Reference',
      'sans Transform',
    )
    const hash = digests[of(first(reference, ns.ds, 'DigestMethod'), 'Algorithm')]
    that(hash !== undefined, 'Reference', 'SHA-1 (ou SHA-256)')
    const target = canonical(bytes, `//*[@Id='${id}']`)
    const digest = hash && target && createHash(hash).update(target).digest('base64')
    that(digest === textOf(first(reference, ns.ds, 'DigestValue')), 'Reference', `${uri} : condensat faux`)
  }
}

/** First the lot with a placeholder, then every document but the signature. */
function checkManifest(manifests: readonly XmlElement[], lot: Lot, that: That): void {
  const [manifest, ...others] = manifests
  that(manifest !== undefined && others.length === 0, 'Manifest', 'exactement un')
  that(of(manifest, 'Id') === 'IHEManifest', 'Manifest', 'Id="IHEManifest"')
  const [ofLot, ...ofDocuments] = all(manifest, ns.ds, 'Reference')
  that(of(ofLot, 'URI') === `urn:oid:${lot.uniqueId}`, 'Manifest', 'd’abord le lot, par urn:oid:')
  that(textOf(first(ofLot, ns.ds, 'DigestValue')) === 'AA==', 'Manifest', 'condensat du lot : AA==')
  const wanted = new Map(lot.documents.map((each) => [`urn:oid:${each.uniqueId}`, each]))
  const listed = new Set(ofDocuments.map((each) => of(each, 'URI')))
  that(listed.size === wanted.size && ofDocuments.length === wanted.size, 'Manifest', 'chaque document une fois')
  for (const reference of ofDocuments) {
    const uri = of(reference, 'URI')
    const document = wanted.get(uri)
    that(document !== undefined, 'Manifest', 'document étranger au lot')
    if (document === undefined) continue
    const transforms = all(reference, ns.ds, 'Transforms', 'Transform').map((each) => of(each, 'Algorithm'))
    that(
      transforms.join() === (document.xml ? withComments : ''),
      'Manifest',
      'Transform : C14N pour du XML, sinon aucun',
    )
    const hash = digests[of(first(reference, ns.ds, 'DigestMethod'), 'Algorithm')]
    const bytes = document.xml ? canonical(document.bytes) : document.bytes
    const digest = hash && bytes && createHash(hash).update(bytes).digest('base64')
    that(digest === textOf(first(reference, ns.ds, 'DigestValue')), 'Manifest', 'condensat d’un document faux')
  }
}

function checkProperties(properties: XmlElement | undefined, certificate: string, that: That): void {
  that(of(properties, 'Id') === 'S0-SignedProperties', 'SignedProperties', 'Id="S0-SignedProperties"')
  const signed = first(properties, ns.xades, 'SignedSignatureProperties')
  const names = signed?.children.map(({ local }) => local).join()
  that(
    names === 'SigningTime,SigningCertificate,SignaturePolicyIdentifier',
    'SignedSignatureProperties',
    'trois enfants',
  )
  const time = textOf(first(signed, ns.xades, 'SigningTime'))
  that(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)$/.test(time), 'SigningTime', 'avec décalage')
  const policy = first(signed, ns.xades, 'SignaturePolicyIdentifier', 'SignaturePolicyImplied')
  that(policy !== undefined, 'SignaturePolicyIdentifier', 'SignaturePolicyImplied')
  that(first(properties, ns.xades, 'SignedDataObjectProperties') !== undefined, 'SignedDataObjectProperties', 'présent')
  const [leaf] = all(signed, ns.xades, 'SigningCertificate', 'Cert')
  // The digest stands in XAdES, the issuer in ds (§3.4, namespace trap)
  const digest = first(leaf, ns.xades, 'CertDigest')
  const hash = digests[of(first(digest, ns.xades, 'DigestMethod'), 'Algorithm')]
  const der = Buffer.from(certificate, 'base64')
  const expected = hash && createHash(hash).update(der).digest('base64')
  that(textOf(first(digest, ns.xades, 'DigestValue')) === expected, 'CertDigest', 'celui du certificat')
  const serial = first(leaf, ns.xades, 'IssuerSerial')
  const number = textOf(first(serial, ns.ds, 'X509SerialNumber'))
  const real = BigInt(`0x${new X509Certificate(der).serialNumber}`)
  that(/^\d+$/.test(number) && BigInt(number) === real, 'X509SerialNumber', 'décimal, du certificat')
  const issuer = textOf(first(serial, ns.ds, 'X509IssuerName'))
  that(issuer !== '' && !/,\s/.test(issuer), 'X509IssuerName', 'RFC 2253, sans blanc après les virgules')
}

function keyOf(certificate: string) {
  return new X509Certificate(Buffer.from(certificate, 'base64')).publicKey
}

/** Inclusive C14N 1.0 with comments of the first element that an XPath leads to; undefined where there is none. */
function canonical(bytes: Buffer, xpath = '/*'): Buffer | undefined {
  let document: XmlDocument
  try {
    document = XmlDocument.fromBuffer(bytes, { option: parsing })
  } catch {
    return undefined
  }
  try {
    // Of the whole document, comments around the root count too
    const node = xpath === '/*' ? document : document.get(xpath)
    if (!(node instanceof XmlDocument || node instanceof XmlNodeElement)) return undefined
    return Buffer.from(node.canonicalizeToString(withComments10))
  } finally {
    document.dispose()
  }
}
