/**
 * Revocation lists at hand as files (RFC 5280 5): each verified by the authority whose list it is, and believed only
 * while it is fresh. Once there are lists, a certificate whose issuer has none here is not accepted: silence is a no.
 */
import { verify, type X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { CertificateList, type Name } from '@peculiar/asn1-x509'
import { hashOf, profileOf, serialOf } from './certificate-profile.ts'
import { type DistinguishedName, nameOf, sameName, subjectOf } from './distinguished-name.ts'
import { invalid } from './refusal.ts'

export interface RevocationList {
  readonly issuer: DistinguishedName
  /** Milliseconds since 1970. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** Serial numbers, lower-case hex without leading zeros. */
  readonly revoked: ReadonlySet<string>
  /** Whether this authority signed the list. */
  isSignedBy(authority: X509Certificate): boolean
}

/** Bytes of one list. */
const maxLength = 64 * 1024 * 1024
/** Extensions of entries that change nothing of what is asked: reasonCode, invalidityDate. */
const knownEntryExtensions: ReadonlySet<string> = new Set(['2.5.29.21', '2.5.29.24'])

/**
 * Reads a list in DER or PEM (`X509 CRL`).
 * @throws RangeError with a line for the operator when it cannot be relied on
 */
export function readRevocationList(file: Buffer): RevocationList {
  if (file.length > maxLength) throw new RangeError(`a revocation list has at most ${maxLength} bytes`)
  const list = parseList(derOf(file))
  const { tbsCertList: tbs, signatureAlgorithm, signature, tbsCertListRaw } = list
  const hash = hashOf(signatureAlgorithm.algorithm)
  if (hash === undefined || tbsCertListRaw === undefined)
    throw new RangeError('a revocation list is signed with RSA or ECDSA and SHA-256, SHA-384 or SHA-512')
  const revoked = tbs.revokedCertificates ?? []
  const extensions = [
    ...(tbs.crlExtensions ?? []),
    ...revoked.flatMap(({ crlEntryExtensions = [] }) =>
      crlEntryExtensions.filter(({ extnID }) => !knownEntryExtensions.has(extnID)),
    ),
  ]
  const unknown = extensions.find(({ critical }) => critical)
  // Delta lists, lists of some reasons only, lists of other issuers' certificates
  if (unknown !== undefined)
    throw new RangeError(`a revocation list with the critical extension ${unknown.extnID} is not understood`)
  if (tbs.nextUpdate === undefined) throw new RangeError('a revocation list says when the next one comes (nextUpdate)')
  return {
    issuer: nameOf(tbs.issuer as Name),
    thisUpdate: tbs.thisUpdate.getTime().getTime(),
    nextUpdate: tbs.nextUpdate.getTime().getTime(),
    revoked: new Set(revoked.map(({ userCertificate }) => serialOf(userCertificate))),
    isSignedBy: (authority) =>
      profileOf(authority).crlSign &&
      verify(hash, Buffer.from(tbsCertListRaw), authority.publicKey, Buffer.from(signature)),
  }
}

function derOf(file: Buffer): Buffer {
  const [, body] =
    /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/.exec(file.toString('latin1')) ?? []
  return body === undefined ? file : Buffer.from(body, 'base64')
}

function parseList(der: Buffer): CertificateList {
  try {
    return AsnConvert.parse(der, CertificateList)
  } catch (cause) {
    throw new RangeError('the file is no revocation list in DER or PEM', { cause })
  }
}

export interface Revocation {
  /**
   * Checks every certificate of a path but the trusted one.
   * @param path the certificate first, the trusted authority last
   * @param now milliseconds since 1970
   * @returns until when the lists are good; milliseconds since 1970
   * @throws GatewayError identity-invalid: revoked, or no fresh list to know it by
   */
  check(path: readonly X509Certificate[], now: number): number
}

const noLists: Revocation = { check: () => Number.POSITIVE_INFINITY }

/** @param skew milliseconds of difference allowed between clocks */
export function createRevocation(lists: readonly RevocationList[], skew: number): Revocation {
  if (lists.length === 0) return noLists
  const ofAuthority = new WeakMap<X509Certificate, readonly RevocationList[]>()
  const listsOf = (authority: X509Certificate): readonly RevocationList[] => {
    const known = ofAuthority.get(authority)
    if (known !== undefined) return known
    const subject = subjectOf(authority.raw)
    const signed = lists.filter((list) => sameName(list.issuer, subject) && list.isSignedBy(authority))
    ofAuthority.set(authority, signed)
    return signed
  }
  return {
    check(path, now) {
      let until = Number.POSITIVE_INFINITY
      path.slice(0, -1).forEach((certificate, index) => {
        const authority = path[index + 1]
        const own = authority === undefined ? [] : listsOf(authority)
        const { serial } = profileOf(certificate)
        // Revoked is revoked, also by a list that has become old
        if (own.some(({ revoked }) => revoked.has(serial)))
          throw invalid('The certificate behind this identity is revoked.')
        const fresh = own.filter(({ thisUpdate, nextUpdate }) => thisUpdate <= now + skew && now - skew < nextUpdate)
        if (fresh.length === 0)
          throw invalid(
            'Whether the certificate behind this identity is revoked cannot be known: no current revocation list of its authority is configured (identity.vihf.revocationLists).',
          )
        until = Math.min(until, Math.max(...fresh.map(({ nextUpdate }) => nextUpdate)))
      })
      return until
    },
  }
}
