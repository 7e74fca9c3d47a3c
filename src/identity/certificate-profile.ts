/** What a certificate says of its own use, as far as paths and signatures depend on it (RFC 5280 4.2). */
import type { X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { BasicConstraints, Certificate, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509'

export interface CertificateProfile {
  readonly ca: boolean
  /** Authorities that may follow below this one; undefined: any number. */
  readonly pathLength: number | undefined
  /** May sign certificates, revocation lists, other data: true where KeyUsage is absent. */
  readonly certSign: boolean
  readonly crlSign: boolean
  readonly signature: boolean
  /** Dotted OID of the algorithm its issuer signed it with. */
  readonly algorithm: string
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  /** A critical extension that is not understood here: such a certificate is not used (RFC 5280 4.2). */
  readonly unknownCritical: string | undefined
}

const oid = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  certificatePolicies: '2.5.29.32',
  extKeyUsage: '2.5.29.37',
} as const

/** Policies constrain nothing as long as no initial policy is asked for (RFC 5280 6.1.1). */
const understood: ReadonlySet<string> = new Set(Object.values(oid))

const profiles = new WeakMap<X509Certificate, CertificateProfile>()

/** Throws when the extensions cannot be read. */
export function profileOf(certificate: X509Certificate): CertificateProfile {
  const known = profiles.get(certificate)
  if (known !== undefined) return known
  const read = readProfile(certificate)
  profiles.set(certificate, read)
  return read
}

function readProfile(certificate: X509Certificate): CertificateProfile {
  const { tbsCertificate, signatureAlgorithm } = AsnConvert.parse(certificate.raw, Certificate)
  const extensions = tbsCertificate.extensions ?? []
  const value = (id: string) => extensions.find(({ extnID }) => extnID === id)?.extnValue
  const [usage, constraints] = [value(oid.keyUsage), value(oid.basicConstraints)]
  const flags = usage === undefined ? undefined : AsnConvert.parse(usage, KeyUsage).toNumber()
  const may = (flag: number): boolean => flags === undefined || (flags & flag) !== 0
  const basic = constraints === undefined ? undefined : AsnConvert.parse(constraints, BasicConstraints)
  return {
    ca: basic?.cA ?? false,
    pathLength: basic?.pathLenConstraint,
    certSign: may(KeyUsageFlags.keyCertSign),
    crlSign: may(KeyUsageFlags.cRLSign),
    signature: may(KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation),
    algorithm: signatureAlgorithm.algorithm,
    serial: serialOf(tbsCertificate.serialNumber),
    unknownCritical: extensions.find(({ extnID, critical }) => critical && !understood.has(extnID))?.extnID,
  }
}

/** DER of an INTEGER as hex without the zeros in front. */
export function serialOf(integer: ArrayBuffer): string {
  return Buffer.from(integer)
    .toString('hex')
    .replace(/^0+(?=.)/, '')
}

const curves = ['prime256v1', 'secp384r1', 'secp521r1']

/** Why a key is too weak to be relied on; undefined when it is not. */
export function weaknessOf({ publicKey }: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048 ? undefined : 'an RSA key has at least 2048 bits'
  if (type === 'ec')
    return curves.includes(details?.namedCurve ?? '') ? undefined : 'the curve is P-256, P-384 or P-521'
  return 'the key is RSA or EC'
}

/** Algorithms that certificates and revocation lists may be signed with, and their hash (RFC 4055, RFC 5758). */
const algorithms: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
])

/** The hash of a signature algorithm; undefined for SHA-1, MD5 and what is not known here. */
export function hashOf(algorithm: string): string | undefined {
  return algorithms.get(algorithm)
}
