/** Who may sign a VIHF: certificates trusted one by one, or issued by a trusted authority. Nothing is fetched. */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509'
import { type DistinguishedName, subjectOf } from './distinguished-name.ts'
import { invalid } from './refusal.ts'

export interface Signer {
  readonly key: KeyObject
  readonly subject: DistinguishedName
  /** The development issuer of this data folder. */
  readonly local: boolean
  /** Validity of the certificate (and of its authority), milliseconds since 1970. */
  readonly from: number
  readonly until: number
}

/** The signer behind the DER of a certificate. Throws GatewayError identity-invalid when it is not trusted. */
export type SignerFinder = (der: Buffer) => Signer

const keyUsage = '2.5.29.15'
/** Extended key usages of TLS: an authentication certificate, of which a card holds one with the same name. */
const authenticationUsages = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const curves = ['prime256v1', 'secp384r1', 'secp521r1']
const maxRemembered = 1000

/** DMP-FACTS 6.7: what the DMP answers to a certificate that is not for signature. */
const notForSignature = 'Le certificat ayant signé le VIHF est invalide : Not a valid signature certificate'

/**
 * @param trusted signature certificates, and authorities (basicConstraints CA) whose signature certificates are trusted
 * @param local the certificate of the development issuer
 * @throws RangeError when a trusted certificate cannot serve: weak key, or not for signature
 */
export function createSignerFinder(trusted: readonly X509Certificate[], local?: X509Certificate): SignerFinder {
  const signers = new Map<string, Signer>()
  const authorities: X509Certificate[] = []
  for (const certificate of trusted) {
    const reason = weakness(certificate)
    if (reason !== undefined) throw new RangeError(`a trusted VIHF certificate cannot serve: ${reason}`)
    if (certificate.ca) authorities.push(certificate)
    else if (!isForSignature(certificate)) throw new RangeError('a trusted VIHF certificate is not for signature')
    else signers.set(fingerprint(certificate.raw), signerOf(certificate, false))
  }
  if (local !== undefined) signers.set(fingerprint(local.raw), signerOf(local, true))
  const issued = new Map<string, Signer>()
  return (der) => {
    const key = fingerprint(der)
    const known = signers.get(key) ?? issued.get(key)
    if (known !== undefined) return known
    const signer = issuedBy(authorities, der)
    if (issued.size >= maxRemembered) issued.clear()
    issued.set(key, signer)
    return signer
  }
}

function issuedBy(authorities: readonly X509Certificate[], der: Buffer): Signer {
  const certificate = parse(der)
  const authority = authorities.find(
    (candidate) => certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey),
  )
  if (authority === undefined)
    throw invalid('The certificate that signed the VIHF is not trusted here (X509Certificate).')
  if (certificate.ca || !isForSignature(certificate)) throw invalid(notForSignature)
  const reason = weakness(certificate)
  if (reason !== undefined) throw invalid(`The certificate that signed the VIHF cannot serve: ${reason}.`)
  const signer = signerOf(certificate, false)
  return {
    ...signer,
    from: Math.max(signer.from, authority.validFromDate.getTime()),
    until: Math.min(signer.until, authority.validToDate.getTime()),
  }
}

function parse(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (error) {
    throw invalid('The X509Certificate of the VIHF is no certificate.', error)
  }
}

function signerOf(certificate: X509Certificate, local: boolean): Signer {
  return {
    key: certificate.publicKey,
    subject: subjectOf(certificate.raw),
    local,
    from: certificate.validFromDate.getTime(),
    until: certificate.validToDate.getTime(),
  }
}

function weakness({ publicKey }: X509Certificate): string | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = publicKey
  if (type === 'rsa') return (details?.modulusLength ?? 0) >= 2048 ? undefined : 'an RSA key has at least 2048 bits'
  if (type === 'ec')
    return curves.includes(details?.namedCurve ?? '') ? undefined : 'the curve is P-256, P-384 or P-521'
  return 'the key is RSA or EC'
}

/** KeyUsage, where there is one, names signature or non-repudiation; no extended usage says TLS authentication. */
function isForSignature(certificate: X509Certificate): boolean {
  if (certificate.keyUsage?.some((usage) => authenticationUsages.includes(usage))) return false
  const extensions = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate.extensions ?? []
  const extension = extensions.find(({ extnID }) => extnID === keyUsage)
  if (extension === undefined) return true
  const usage = AsnConvert.parse(extension.extnValue, KeyUsage).toNumber()
  return (usage & (KeyUsageFlags.digitalSignature | KeyUsageFlags.nonRepudiation)) !== 0
}

function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64')
}
