/** The self-signed certificate of the development issuer: node:crypto reads X.509 but does not issue it. */
import { type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  Extension,
  Extensions,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509'

const sha256WithRsa = '1.2.840.113549.1.1.11'
const countryName = '2.5.4.6'
const keyUsage = '2.5.29.15'

export interface SelfSigned {
  /** Attribute type (dotted OID) and value, most general first. */
  readonly subject: readonly (readonly [type: string, value: string])[]
  /** RSA keys. */
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A version 3 certificate for digital signature, signed with RSA-SHA256 by its own key (RFC 5280 4.1). */
export function selfSign({ subject, publicKey, privateKey, notBefore, notAfter }: SelfSigned): X509Certificate {
  const name = new Name(
    subject.map(
      ([type, value]) =>
        new RelativeDistinguishedName([new AttributeTypeAndValue({ type, value: attributeValue(type, value) })]),
    ),
  )
  const algorithm = new AlgorithmIdentifier({ algorithm: sha256WithRsa, parameters: null })
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: algorithm,
    issuer: name,
    subject: name,
    validity: new Validity({ notBefore, notAfter }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo),
    extensions: new Extensions([
      new Extension({
        extnID: keyUsage,
        critical: true,
        extnValue: new OctetString(AsnConvert.serialize(new KeyUsage(KeyUsageFlags.digitalSignature))),
      }),
    ]),
  })
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(tbsCertificate)), privateKey)
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: new Uint8Array(signature).buffer,
  })
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate)))
}

/** RFC 5280 appendix A.1: a country name is a PrintableString. */
function attributeValue(type: string, value: string): AttributeValue {
  return new AttributeValue(type === countryName ? { printableString: value } : { utf8String: value })
}

/** A positive number of 16 random bytes (RFC 5280 4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const bytes = new Uint8Array(randomBytes(16))
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.buffer
}
