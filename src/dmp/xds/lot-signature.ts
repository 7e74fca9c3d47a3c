/**
 * The signature of a submission (DMP-SERVICES §3.3, §3.4): XAdES 1.1.1 over a manifest of its documents, with ORG_SIGN, and
 * the DocumentEntry that it travels under. Whether a digest is of canonical or of raw bytes its Reference says.
 */
import { createHash, randomUUID, sign } from 'node:crypto'
import { newLink, newObject } from '../../metadata/association.ts'
import { newEntryUuid, type UniqueId } from '../../metadata/identifiers.ts'
import type { Association, Author, Code, DocumentEntry, SubmissionSet } from '../../metadata/model.ts'
import { canonicalizeElement, inclusiveC14nWithComments } from '../../xml/c14n-inclusive.ts'
import { type SignatureHash, signatureHashes } from '../../xml/sign.ts'
import { XmlWriter } from '../../xml/writer.ts'
import type { SigningCredential } from './credentials.ts'

const ds = 'http://www.w3.org/2000/09/xmldsig#'
const xades = 'http://uri.etsi.org/01903/v1.1.1#'
/** ASTM E1762: the purpose of a signature, "source". */
const sourcePurpose = '1.2.840.10065.1.12.1.14'

export interface SignedDocument {
  readonly uniqueId: string
  readonly digest: Buffer
  /** The digest is of the canonical XML; else of the bytes. */
  readonly canonical: boolean
}

/** The whole signature document, in UTF-8. */
export function signLot(
  lotUniqueId: string,
  documents: readonly SignedDocument[],
  signing: SigningCredential,
  hash: SignatureHash,
  now: Date,
): Buffer {
  const id = `_${randomUUID()}`
  const algorithms = signatureHashes[hash]
  const digest = (xml: XmlWriter, value: string) =>
    xml.element('DigestMethod', { Algorithm: algorithms.digest }).element('DigestValue', undefined, value)

  const objects = new XmlWriter().start('Object').start('Manifest', { Id: 'IHEManifest' })
  // The lot itself has no bytes: the samples of the DMP hold its place with this value
  digest(objects.start('Reference', { URI: `urn:oid:${lotUniqueId}` }), 'AA==').end()
  for (const { uniqueId, digest: value, canonical } of documents) {
    objects.start('Reference', { URI: `urn:oid:${uniqueId}` })
    if (canonical) objects.start('Transforms').element('Transform', { Algorithm: inclusiveC14nWithComments }).end()
    digest(objects, value.toString('base64')).end()
  }
  objects.end().end()
  objects
    .start('Object')
    .start('SignatureProperties')
    .element('SignatureProperty', { Id: 'purposeOfSignature', Target: `#${id}` }, sourcePurpose)
    .end()
    .end()
  writeQualifyingProperties(objects, id, signing, hash, now)
  const objectText = objects.take().toString()

  const signature = (before: string) =>
    Buffer.from(`<Signature xmlns="${ds}" Id="${id}">${before}${objectText}</Signature>`)
  const unsigned = signature('')
  const digestOf = (path: readonly (readonly [string, string])[], from = unsigned) =>
    createHash(hash)
      .update(
        canonicalizeElement(
          from,
          path.map(([ns, local]) => ({ ns, local })),
        ),
      )
      .digest('base64')
  const manifest = digestOf([
    [ds, 'Object'],
    [ds, 'Manifest'],
  ])
  const properties = createHash(hash).update(signedProperties(objectText)).digest('base64')
  const signedInfo = new XmlWriter()
    .start('SignedInfo')
    .element('CanonicalizationMethod', { Algorithm: inclusiveC14nWithComments })
    .element('SignatureMethod', { Algorithm: algorithms.signature })
  const reference = (type: string, uri: string, value: string) =>
    digest(signedInfo.start('Reference', { Type: type, URI: uri }), value).end()
  reference(`${ds}Manifest`, '#IHEManifest', manifest)
  reference(`${xades}SignedProperties`, '#S0-SignedProperties', properties)
  const info = signedInfo.end().take().toString()
  const canonical = canonicalizeElement(signature(info), [{ ns: ds, local: 'SignedInfo' }])
  const rest = new XmlWriter()
    .element('SignatureValue', undefined, sign(hash, canonical, signing.key).toString('base64'))
    .start('KeyInfo')
    .start('X509Data')
    .element('X509Certificate', undefined, signing.certificate.raw.toString('base64'))
    .end()
    .end()
    .take()
    .toString()
  return Buffer.concat([Buffer.from('<?xml version="1.0" encoding="UTF-8"?>'), signature(info + rest)])
}

/** Canonical SignedProperties: its own namespace is the only one in scope that it can see, so that its place does not matter. */
function signedProperties(objects: string): Buffer {
  const start = objects.indexOf('<QualifyingProperties')
  const whole = objects.slice(start, objects.indexOf('</QualifyingProperties>') + '</QualifyingProperties>'.length)
  return canonicalizeElement(Buffer.from(whole), [{ ns: xades, local: 'SignedProperties' }])
}

function writeQualifyingProperties(
  xml: XmlWriter,
  id: string,
  { certificate, issuerName }: SigningCredential,
  hash: SignatureHash,
  now: Date,
): void {
  const fingerprint = createHash(hash).update(certificate.raw).digest('base64')
  xml
    .start('Object')
    .start('QualifyingProperties', { xmlns: xades, Target: `#${id}` })
    .start('SignedProperties', { Id: 'S0-SignedProperties' })
    .start('SignedSignatureProperties')
    .element('SigningTime', undefined, `${now.toISOString().slice(0, 19)}+00:00`)
    .start('SigningCertificate')
    .start('Cert')
    .start('CertDigest')
    .element('DigestMethod', { Algorithm: signatureHashes[hash].digest })
    .element('DigestValue', undefined, fingerprint)
    .end()
    .start('IssuerSerial')
    .element('X509IssuerName', { xmlns: ds }, issuerName)
    .element('X509SerialNumber', { xmlns: ds }, BigInt(`0x${certificate.serialNumber}`).toString())
    .end()
    .end()
    .end()
    .start('SignaturePolicyIdentifier')
    .element('SignaturePolicyImplied')
    .end()
    .end()
    .element('SignedDataObjectProperties')
    .end()
    .end()
    .end()
}

const code = (value: string, system: string, display: string): Code => ({ code: value, system, display })
const visibility = '1.2.250.1.213.1.1.4.13'

/** The entry of the signature, and the association by which it signs the lot. */
export function signatureObjects(
  set: SubmissionSet,
  model: DocumentEntry,
  content: { readonly sha1: string; readonly size: number },
): { readonly entry: DocumentEntry; readonly associations: readonly Association[] } {
  const entryUuid = newEntryUuid()
  const [author] = set.authors as readonly (Author | undefined)[]
  const { person } = author ?? {}
  const entry: DocumentEntry = {
    kind: 'DocumentEntry',
    ...newObject(entryUuid),
    uniqueId: oidOfUuid(randomUUID()) as UniqueId,
    stability: 'stable',
    limitedMetadata: false,
    patientId: model.patientId,
    sourcePatientId: model.patientId,
    sourcePatientInfo: [],
    authors: author ? [author] : [],
    ...(person && { legalAuthenticator: person }),
    classCode: code('urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1', 'URN', 'Digital Signature'),
    typeCode: code('E1762', 'ASTM', 'Full Document'),
    formatCode: code(ds, 'URN', 'Default Signature Style'),
    confidentialityCodes: [
      code('N', '2.16.840.1.113883.5.25', 'Normal'),
      code('MASQUE_PS', visibility, 'Masqué aux professionnels de santé'),
      code('INVISIBLE_PATIENT', visibility, 'Non visible par le patient'),
    ],
    eventCodes: [code(sourcePurpose, '1.2.840.10065.1.12', 'Source')],
    ...(model.healthcareFacilityTypeCode && { healthcareFacilityTypeCode: model.healthcareFacilityTypeCode }),
    ...(model.practiceSettingCode && { practiceSettingCode: model.practiceSettingCode }),
    creationTime: set.submissionTime,
    serviceStartTime: set.submissionTime,
    serviceStopTime: set.submissionTime,
    languageCode: 'art',
    mimeType: 'text/xml',
    title: 'Source',
    hash: content.sha1,
    size: content.size,
    referenceIds: [],
  }
  return {
    entry,
    associations: [newLink('HasMember', set.entryUuid, entryUuid), newLink('signs', entryUuid, set.entryUuid)],
  }
}

/** X.667: a UUID as an OID. */
export function oidOfUuid(uuid: string): string {
  return `2.25.${BigInt(`0x${uuid.replaceAll('-', '')}`)}`
}
