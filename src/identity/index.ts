/**
 * Who is calling. JWT (IHE IUA, Pro Santé Connect), SAML assertions (VIHF, XUA) and client certificates are verified here
 * and become a Caller; a cache keyed by the digest of what was verified spares the signature, never the time nor the proof
 * of possession. Nothing is fetched from the network, but what a provider says of the holder of its token (userinfo).
 *
 *   index, options     the port, and what it is configured with
 *   jwt, claims, iua, psc, userinfo, confirmation   tokens, what their issuers write, the key they are bound to
 *   assertion, saml, saml-attributes, vihf*, xua   assertions of the DMP and of others
 *   trust, path, certificate-profile, revocation, distinguished-name, client-certificate   X.509
 *   assemble, roles, refusal, replay, verified-cache   what is common to all
 *   issuer, certificate, mint, test-identity   the development issuer and its test identities
 */
import type { Caller } from '../access/caller.ts'
import type { AssertionSource, Identity } from '../operations/ports.ts'
import { parseXml, XmlError } from '../xml/reader.ts'
import { createAssertionVerifier, type VerifiedAssertion } from './assertion.ts'
import { createCertificateIdentity } from './client-certificate.ts'
import { checkConfirmation } from './confirmation.ts'
import { iuaClaims } from './iua.ts'
import { createJwtVerifier, type VerifiedToken } from './jwt.ts'
import { certificateOf, type IdentityOptions, jwtTrustOf, revocationListOf, xuaIssuersOf } from './options.ts'
import { invalid, missing } from './refusal.ts'
import { createOnceOnly } from './replay.ts'
import { createRevocation } from './revocation.ts'
import { samlNamespace } from './saml-attributes.ts'
import { createSignerFinder } from './trust.ts'
import { digestOf, VerifiedCache } from './verified-cache.ts'
import { assertionLimits } from './vihf-signature.ts'

export { type LocalIssuer, openLocalIssuer } from './issuer.ts'
export type { IdentityOptions, TrustedJwtIssuer, TrustedVihf, TrustedXuaIssuer } from './options.ts'
export { createOnceOnly, type OnceOnly } from './replay.ts'

/** Characters of a bearer token: a VIHF in base64url has some 12,000. */
const maxToken = 350_000

/**
 * @throws RangeError when the options contradict each other or name keys that cannot serve; Error when a file cannot be read
 */
export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { mode, issuer, anonymous, clock = { now: () => new Date() }, audience = 'urn:dmp-gateway' } = options
  const { clockSkewSeconds = 60, cacheSize = 10_000, onceOnly = createOnceOnly(clock.now().getTime()) } = options
  if (mode === 'production' && issuer !== undefined)
    throw new RangeError('the local issuer is not trusted in production')
  if (mode === 'production' && anonymous !== undefined)
    throw new RangeError('there is no anonymous caller in production')
  if (!(clockSkewSeconds >= 0 && clockSkewSeconds <= 300))
    throw new RangeError('the clock skew is between 0 and 300 seconds')

  const skew = clockSkewSeconds * 1000
  const verifyJwt = await jwtVerifierOf(options, audience, clockSkewSeconds)
  const verifyAssertion = await assertionVerifierOf(options, audience, clockSkewSeconds)
  const certificates = createCertificateIdentity(options.certificates ?? [])
  const tokens = new VerifiedCache<VerifiedToken>(cacheSize)
  const assertions = new VerifiedCache<VerifiedAssertion>(cacheSize)
  const underWay = new Map<string, Promise<VerifiedToken>>()

  const assertionCaller = (source: AssertionSource): Caller => {
    const now = clock.now()
    if (options.vihf?.refuseReplay === true) {
      const { caller, id, issued, until } = verifyAssertion(source, now)
      onceOnly.claim(id, issued, until + skew, now.getTime())
      return caller
    }
    const key = digestOf(source.xml, ...sortedEntries(source.namespaces))
    const known = assertions.get(key, now.getTime(), skew)
    if (known !== undefined) return known.caller
    const verified = verifyAssertion(source, now)
    assertions.set(key, verified)
    return verified.caller
  }

  const verifiedToken = async (token: string, now: Date): Promise<VerifiedToken> => {
    const key = digestOf(token)
    const known = tokens.get(key, now.getTime(), skew)
    if (known !== undefined) return known
    // Requests that come together with one token ask its provider once
    const pending = underWay.get(key) ?? verifyJwt(token, now).finally(() => underWay.delete(key))
    underWay.set(key, pending)
    const verified = await pending
    tokens.set(key, verified)
    return verified
  }

  const fromAssertion: Identity['fromAssertion'] = async (source, presentation) => {
    const caller = assertionCaller(source)
    if (presentation !== undefined) certificates.checkAgrees(presentation.socket, caller)
    return caller
  }

  return {
    async fromBearer(token, presentation) {
      if (token === '') throw missing('Authorization: Bearer is followed by a token.')
      if (token.length > maxToken) throw invalid(`A bearer token has at most ${maxToken} characters.`)
      const assertion = assertionIn(token)
      if (assertion !== undefined) {
        if (presentation?.proof !== undefined) throw invalid('A VIHF is sent as Authorization: Bearer, without DPoP.')
        return fromAssertion(assertion, presentation)
      }
      const now = clock.now()
      const { caller, confirmation } = await verifiedToken(token, now)
      await checkConfirmation(confirmation, token, presentation, now, { clockSkewSeconds, used: onceOnly })
      if (presentation !== undefined) certificates.checkAgrees(presentation.socket, caller)
      return caller
    },
    fromAssertion,
    fromConnection: (socket) => certificates.callerOf(socket),
    anonymous: () => anonymous,
  }
}

async function jwtVerifierOf(options: IdentityOptions, audience: string, clockSkewSeconds: number) {
  const { mode, issuer } = options
  const trusted = await Promise.all((options.trustedJwtIssuers ?? []).map((each) => jwtTrustOf(each, audience)))
  if (issuer !== undefined)
    trusted.push({
      issuer: issuer.name,
      keys: issuer.jwtPublicKey,
      audience: issuer.audience,
      algorithms: ['ES256'],
      claims: iuaClaims,
    })
  return createJwtVerifier({ trusted, mode, clockSkewSeconds })
}

async function assertionVerifierOf(options: IdentityOptions, audience: string, clockSkewSeconds: number) {
  const { mode, issuer, vihf = {} } = options
  const lists = await Promise.all((vihf.revocationLists ?? []).map(revocationListOf))
  const revocation = createRevocation(lists, clockSkewSeconds * 1000)
  const trusted = await Promise.all(
    (options.trustedVihf ?? []).map(({ certificate }) => certificateOf(certificate, 'identity.vihf.certificates')),
  )
  return createAssertionVerifier({
    findSigner: createSignerFinder({ trusted, local: issuer?.vihfCertificate, revocation }),
    issuers: await xuaIssuersOf(options.trustedXua ?? [], audience, revocation),
    mode,
    clockSkewSeconds,
    maxAgeSeconds: vihf.maxAgeSeconds ?? 3600,
    versions: vihf.versions ?? ['3.0', '4.0'],
    audience,
  })
}

/** A token without dots that decodes to XML is an Assertion, in base64url (RFC 7522 2.1). */
function assertionIn(token: string): AssertionSource | undefined {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(token)) return undefined
  const bytes = Buffer.from(token, 'base64url')
  if (bytes[0] !== 0x3c) return undefined
  try {
    const root = parseXml(bytes, { limits: assertionLimits, capture: [{ ns: samlNamespace, local: 'Assertion' }] })
    if (root.source !== undefined) return root.source
  } catch (error) {
    if (error instanceof XmlError)
      throw invalid(`The bearer token is XML that cannot be read: ${error.message}.`, error)
    throw error
  }
  throw invalid('The bearer token is XML, but not a saml2:Assertion.')
}

function sortedEntries(namespaces: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(namespaces)
    .sort()
    .flatMap((prefix) => [prefix, namespaces[prefix] ?? ''])
}
