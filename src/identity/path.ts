/**
 * Certification paths: from a certificate through the authorities that came with it to one that is trusted (RFC 5280 6.1,
 * as far as it applies without policies and name constraints: a certificate that asks for them is refused). Nothing is
 * fetched.
 */
import type { X509Certificate } from 'node:crypto'
import { hashOf, profileOf, weaknessOf } from './certificate-profile.ts'

export interface CertificationPath {
  /** The certificate first, the trusted authority last. */
  readonly certificates: readonly X509Certificate[]
  /** When all of them are valid; milliseconds since 1970. */
  readonly from: number
  readonly until: number
}

/** Authorities between a certificate and the trusted one. */
export const maxIntermediates = 3

/**
 * @param offered authorities that came along, believed only as links of a path
 * @param anchors trusted authorities
 * @returns undefined when no path leads to an anchor
 */
export function findPath(
  certificate: X509Certificate,
  offered: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): CertificationPath | undefined {
  const certificates = extend([certificate], offered, anchors)
  return (
    certificates && {
      certificates,
      from: Math.max(...certificates.map(({ validFromDate }) => validFromDate.getTime())),
      until: Math.min(...certificates.map(({ validToDate }) => validToDate.getTime())),
    }
  )
}

function extend(
  path: readonly X509Certificate[],
  offered: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const [last, below] = [path.at(-1), path.length - 1]
  if (last === undefined) return undefined
  for (const anchor of anchors) if (isIssuedBy(last, anchor, below)) return [...path, anchor]
  if (below >= maxIntermediates) return undefined
  for (const candidate of offered) {
    if (path.some((each) => each.raw.equals(candidate.raw)) || !isIssuedBy(last, candidate, below)) continue
    const found = extend([...path, candidate], offered, anchors)
    if (found !== undefined) return found
  }
  return undefined
}

/** @param below authorities that already stand between the issuer and the end of the path */
function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate, below: number): boolean {
  if (!certificate.checkIssued(issuer)) return false
  const [own, above] = [profileOf(certificate), profileOf(issuer)]
  return (
    above.ca &&
    above.certSign &&
    above.unknownCritical === undefined &&
    below <= (above.pathLength ?? Number.POSITIVE_INFINITY) &&
    weaknessOf(issuer) === undefined &&
    hashOf(own.algorithm) !== undefined &&
    certificate.verify(issuer.publicKey)
  )
}
