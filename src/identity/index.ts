/**
 * Who is calling. JWT (IHE IUA) and VIHF (SAML) identities are verified here and become a Caller; a cache keyed by the digest
 * of what was verified spares the signature, never the time. Nothing is fetched from the network.
 */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import type { Caller } from '../access/caller.ts'
import type { AssertionSource, Clock, Identity } from '../operations/ports.ts'
import { parseXml, XmlError } from '../xml/reader.ts'
import type { LocalIssuer } from './issuer.ts'
import { createJwtVerifier, type JwtAlgorithm, type JwtTrust, jwtAlgorithms } from './jwt.ts'
import { invalid, missing } from './refusal.ts'
import { createSignerFinder } from './trust.ts'
import { digestOf, VerifiedCache } from './verified-cache.ts'
import { createVihfVerifier } from './vihf.ts'
import { samlNamespace } from './vihf-attributes.ts'
import { assertionLimits } from './vihf-signature.ts'

export { type LocalIssuer, openLocalIssuer } from './issuer.ts'

export interface TrustedJwtIssuer {
  /** `iss` */
  readonly issuer: string
  /** A JWK Set, or the path of a file that holds one. */
  readonly jwks?: JSONWebKeySet | string
  /** A public key or certificate in PEM, or the path of a file that holds one. */
  readonly key?: string
  /** `aud`; default the audience of the gateway. */
  readonly audience?: string | readonly string[]
  /** Default ES256, RS256, PS256. */
  readonly algorithms?: readonly string[]
}

export interface TrustedVihf {
  /** A signature certificate, or the certificate of an authority, in PEM, or the path of a file that holds one. */
  readonly certificate: string
}

export interface IdentityOptions {
  readonly mode: 'development' | 'production'
  /** The development issuer; refused in production. */
  readonly issuer?: LocalIssuer | undefined
  readonly trustedJwtIssuers?: readonly TrustedJwtIssuer[]
  readonly trustedVihf?: readonly TrustedVihf[]
  /** Default urn:dmp-gateway. */
  readonly audience?: string
  readonly clock?: Clock
  /** Allowance for clocks that differ; default 60, at most 300. */
  readonly clockSkewSeconds?: number
  readonly vihf?: { readonly maxAgeSeconds?: number; readonly versions?: readonly string[] }
  /** Conformance mode: who a request without credentials is. Development only. */
  readonly anonymous?: Caller | undefined
  /** Identities remembered, JWT and VIHF together; default 10000. */
  readonly cacheSize?: number
}

/** Characters of a bearer token: a VIHF in base64url has some 12,000. */
const maxToken = 350_000
const defaultAlgorithms: readonly JwtAlgorithm[] = ['ES256', 'RS256', 'PS256']

/**
 * @throws RangeError when the options contradict each other or name keys that cannot serve; Error when a file cannot be read
 */
export async function createIdentity(options: IdentityOptions): Promise<Identity> {
  const { mode, issuer, anonymous, clock = { now: () => new Date() }, audience = 'urn:dmp-gateway' } = options
  const { clockSkewSeconds = 60, cacheSize = 10_000 } = options
  if (mode === 'production' && issuer !== undefined)
    throw new RangeError('the local issuer is not trusted in production')
  if (mode === 'production' && anonymous !== undefined)
    throw new RangeError('there is no anonymous caller in production')
  if (!(clockSkewSeconds >= 0 && clockSkewSeconds <= 300))
    throw new RangeError('the clock skew is between 0 and 300 seconds')

  const jwtTrust = await Promise.all((options.trustedJwtIssuers ?? []).map((trusted) => jwtTrustOf(trusted, audience)))
  if (issuer !== undefined)
    jwtTrust.push({ issuer: issuer.name, keys: issuer.jwtPublicKey, audience: issuer.audience, algorithms: ['ES256'] })
  const verifyJwt = createJwtVerifier({ trusted: jwtTrust, mode, clockSkewSeconds })

  const certificates = await Promise.all((options.trustedVihf ?? []).map(certificateOf))
  const verifyVihf = createVihfVerifier({
    findSigner: createSignerFinder(certificates, issuer?.vihfCertificate),
    mode,
    clockSkewSeconds,
    maxAgeSeconds: options.vihf?.maxAgeSeconds ?? 3600,
    versions: options.vihf?.versions ?? ['3.0', '4.0'],
    audience,
  })
  const cache = new VerifiedCache(cacheSize)

  const fromAssertion = async (source: AssertionSource): Promise<Caller> => {
    const now = clock.now()
    const key = digestOf('vihf', source.xml, ...sortedEntries(source.namespaces))
    const known = cache.get(key, now.getTime(), clockSkewSeconds * 1000)
    if (known !== undefined) return known
    const verified = verifyVihf(source, now)
    cache.set(key, verified)
    return verified.caller
  }

  return {
    async fromBearer(token) {
      if (token === '') throw missing('Authorization: Bearer is followed by a token.')
      if (token.length > maxToken) throw invalid(`A bearer token has at most ${maxToken} characters.`)
      const assertion = assertionIn(token)
      if (assertion !== undefined) return fromAssertion(assertion)
      const now = clock.now()
      const key = digestOf('jwt', token)
      const known = cache.get(key, now.getTime(), clockSkewSeconds * 1000)
      if (known !== undefined) return known
      const verified = await verifyJwt(token, now)
      cache.set(key, verified)
      return verified.caller
    },
    fromAssertion,
    anonymous: () => anonymous,
  }
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

const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) })

async function jwtTrustOf(trusted: TrustedJwtIssuer, audience: string): Promise<JwtTrust> {
  const { issuer, jwks, key, algorithms = defaultAlgorithms } = trusted
  const allowed = algorithms.map((algorithm) => {
    const known = jwtAlgorithms.find((candidate) => candidate === algorithm)
    if (known === undefined) throw new RangeError(`${issuer}: the algorithm is one of ${jwtAlgorithms.join(', ')}`)
    return known
  })
  if ((jwks === undefined) === (key === undefined)) throw new RangeError(`${issuer}: either jwks or key is given`)
  const keys = jwks === undefined ? await publicKeyOf(key ?? '') : await keySetOf(jwks, issuer)
  return { issuer, keys, audience: trusted.audience ?? audience, algorithms: allowed }
}

async function keySetOf(jwks: JSONWebKeySet | string, issuer: string): Promise<JSONWebKeySet> {
  if (typeof jwks !== 'string') return jwks
  const parsed = keySet.safeParse(JSON.parse(await readFile(jwks, 'utf8')))
  if (!parsed.success) throw new RangeError(`${issuer}: ${jwks} is no JWK Set`)
  return parsed.data
}

async function publicKeyOf(pemOrFile: string): Promise<KeyObject> {
  return createPublicKey(await pemOf(pemOrFile))
}

async function certificateOf({ certificate }: TrustedVihf): Promise<X509Certificate> {
  return new X509Certificate(await pemOf(certificate))
}

async function pemOf(pemOrFile: string): Promise<string | Buffer> {
  return pemOrFile.includes('-----BEGIN') ? pemOrFile : readFile(pemOrFile)
}
