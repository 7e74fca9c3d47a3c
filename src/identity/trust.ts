/** Who may sign an assertion: certificates trusted one by one, or issued below a trusted authority. Nothing is fetched. */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { profileOf, weaknessOf } from './certificate-profile.ts'
import { type DistinguishedName, subjectOf } from './distinguished-name.ts'
import { findPath } from './path.ts'
import { invalid } from './refusal.ts'
import type { Revocation } from './revocation.ts'

export interface Signer {
  readonly key: KeyObject
  readonly subject: DistinguishedName
  /** The development issuer of this data folder. */
  readonly local: boolean
  /** Validity of the certificate and of the authorities above it, milliseconds since 1970. */
  readonly from: number
  readonly until: number
  /**
   * @param now milliseconds since 1970
   * @returns until when it is known not to be revoked
   * @throws GatewayError identity-invalid when it is revoked, or when that cannot be known
   */
  checkRevoked(now: number): number
}

/**
 * The signer behind a certificate.
 * @param der the certificate that signs, then the authorities that came with it
 * @throws GatewayError identity-invalid when it is not trusted
 */
export type SignerFinder = (der: readonly Buffer[]) => Signer

/** Extended key usages of TLS: an authentication certificate, of which a card holds one with the same name. */
const authenticationUsages = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']
const maxRemembered = 1000

/** DMP-FACTS 6.7: what the DMP answers to a certificate that is not for signature. */
const notForSignature = 'Le certificat ayant signé le VIHF est invalide : Not a valid signature certificate'

export interface TrustOptions {
  /** Signature certificates, and authorities (basicConstraints CA) below which signature certificates are trusted. */
  readonly trusted: readonly X509Certificate[]
  /** The certificate of the development issuer. */
  readonly local?: X509Certificate | undefined
  readonly revocation: Revocation
}

/** @throws RangeError when a trusted certificate cannot serve: weak key, or not for signature */
export function createSignerFinder({ trusted, local, revocation }: TrustOptions): SignerFinder {
  const signers = new Map<string, Signer>()
  const authorities: X509Certificate[] = []
  for (const certificate of trusted) {
    const reason = weaknessOf(certificate)
    if (reason !== undefined) throw new RangeError(`a trusted VIHF certificate cannot serve: ${reason}`)
    if (profileOf(certificate).ca) authorities.push(certificate)
    else if (!isForSignature(certificate)) throw new RangeError('a trusted VIHF certificate is not for signature')
    else signers.set(fingerprint(certificate.raw), pinned(certificate, false))
  }
  if (local !== undefined) signers.set(fingerprint(local.raw), pinned(local, true))
  const issued = new Map<string, Signer>()
  return ([der = Buffer.alloc(0), ...offered]) => {
    const key = fingerprint(der)
    const known = signers.get(key) ?? issued.get(key)
    if (known !== undefined) return known
    const signer = issuedBelow(authorities, parse(der), offered.map(parse), revocation)
    if (issued.size >= maxRemembered) issued.clear()
    issued.set(key, signer)
    return signer
  }
}

function issuedBelow(
  authorities: readonly X509Certificate[],
  certificate: X509Certificate,
  offered: readonly X509Certificate[],
  revocation: Revocation,
): Signer {
  const path = findPath(certificate, offered, authorities)
  if (path === undefined)
    throw invalid(
      'The certificate that signed the VIHF is not trusted here (X509Certificate): it is configured itself, or its authorities stand beside it in X509Data up to one that is.',
    )
  const profile = profileOf(certificate)
  if (profile.ca || profile.unknownCritical !== undefined || !isForSignature(certificate))
    throw invalid(notForSignature)
  const reason = weaknessOf(certificate)
  if (reason !== undefined) throw invalid(`The certificate that signed the VIHF cannot serve: ${reason}.`)
  return {
    key: certificate.publicKey,
    subject: subjectOf(certificate.raw),
    local: false,
    from: path.from,
    until: path.until,
    checkRevoked: (now) => revocation.check(path.certificates, now),
  }
}

function parse(der: Buffer): X509Certificate {
  try {
    const certificate = new X509Certificate(der)
    profileOf(certificate)
    return certificate
  } catch (error) {
    throw invalid('The X509Certificate of the VIHF is no certificate.', error)
  }
}

/** Trusted by itself: the operator who names it takes it out when it is revoked. */
function pinned(certificate: X509Certificate, local: boolean): Signer {
  return {
    key: certificate.publicKey,
    subject: subjectOf(certificate.raw),
    local,
    from: certificate.validFromDate.getTime(),
    until: certificate.validToDate.getTime(),
    checkRevoked: () => Number.POSITIVE_INFINITY,
  }
}

/** KeyUsage, where there is one, names signature or non-repudiation; no extended usage says TLS authentication. */
function isForSignature(certificate: X509Certificate): boolean {
  if (certificate.keyUsage?.some((usage) => authenticationUsages.includes(usage))) return false
  return profileOf(certificate).signature
}

function fingerprint(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64')
}
