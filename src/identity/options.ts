/** What identities are configured with, and the files behind it: keys, certificates and revocation lists at hand. */
import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'
import type { Authentication, Caller, PurposeOfUse } from '../access/caller.ts'
import type { Clock } from '../operations/ports.ts'
import type { CertificateMapping } from './client-certificate.ts'
import type { LocalIssuer } from './issuer.ts'
import { iuaClaims } from './iua.ts'
import { type JwtAlgorithm, type JwtTrust, jwtAlgorithms } from './jwt.ts'
import { pscClaims } from './psc.ts'
import type { OnceOnly } from './replay.ts'
import { type RevocationList, readRevocationList } from './revocation.ts'
import { createSignerFinder, type TrustOptions } from './trust.ts'
import { createUserInfo } from './userinfo.ts'
import type { XuaIssuer, XuaRole } from './xua.ts'

export interface TrustedJwtIssuer {
  /** `iss` */
  readonly issuer: string
  /** A JWK Set, or the path of a file that holds one. */
  readonly jwks?: JSONWebKeySet | string
  /** A public key or certificate in PEM, or the path of a file that holds one. */
  readonly key?: string
  /** `aud`; default the audience of the gateway, unless there are clients. */
  readonly audience?: string | readonly string[]
  /** `azp`: clients whose access tokens are accepted; for an issuer whose tokens name no audience. */
  readonly clients?: readonly string[]
  /** Where the issuer says who holds a token; files are paths of PEM. */
  readonly userinfo?: {
    readonly url: string
    readonly ca?: string | undefined
    readonly certificate?: string | undefined
    readonly key?: string | undefined
    readonly signed?: boolean | undefined
    readonly timeout?: number | undefined
  }
  /** Default ES256, RS256, PS256. */
  readonly algorithms?: readonly string[]
  /** How it writes who is calling: IHE IUA (default) or Pro Santé Connect. */
  readonly claims?: 'iua' | 'psc'
}

export interface TrustedVihf {
  /** A signature certificate, or the certificate of an authority, in PEM, or the path of a file that holds one. */
  readonly certificate: string
}

/** An issuer of XUA assertions besides the DMP's, and what its codes mean here. */
export interface TrustedXuaIssuer {
  /** Text of Issuer. */
  readonly issuer: string
  /** Certificates as for a VIHF. */
  readonly certificates: readonly string[]
  /** Default the audience of the gateway. */
  readonly audience?: string
  /** Default indirect, which lets nobody consult. */
  readonly authentication?: Authentication
  readonly roles: readonly XuaRole[]
  readonly purposes?: readonly { readonly system: string; readonly code: string; readonly purpose: PurposeOfUse }[]
  readonly personPrefix?: string
  readonly structures?: Readonly<Record<string, string>>
  readonly sector?: string
}

export interface VihfOptions {
  readonly maxAgeSeconds?: number
  readonly versions?: readonly string[]
  /** An assertion is used once. Default false. */
  readonly refuseReplay?: boolean
  /** Paths of revocation lists, DER or PEM. Where there are some, every certificate below an authority needs one. */
  readonly revocationLists?: readonly string[]
}

export interface IdentityOptions {
  readonly mode: 'development' | 'production'
  /** The development issuer; refused in production. */
  readonly issuer?: LocalIssuer | undefined
  readonly trustedJwtIssuers?: readonly TrustedJwtIssuer[]
  readonly trustedVihf?: readonly TrustedVihf[]
  readonly trustedXua?: readonly TrustedXuaIssuer[]
  /** Structures behind client certificates. */
  readonly certificates?: readonly CertificateMapping[]
  /** Default urn:dmp-gateway. */
  readonly audience?: string
  readonly clock?: Clock
  /** Allowance for clocks that differ; default 60, at most 300. */
  readonly clockSkewSeconds?: number
  readonly vihf?: VihfOptions
  /** What was used once; given where it outlives this identity (a reload). */
  readonly onceOnly?: OnceOnly
  /** Conformance mode: who a request without credentials is. Development only. */
  readonly anonymous?: Caller | undefined
  /** Identities remembered, JWT and assertions each; default 10000. */
  readonly cacheSize?: number
}

const defaultAlgorithms: readonly JwtAlgorithm[] = ['ES256', 'RS256', 'PS256']
const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) })

/** @throws RangeError or Error for the operator */
export async function jwtTrustOf(trusted: TrustedJwtIssuer, audience: string): Promise<JwtTrust> {
  const { issuer, jwks, key, algorithms = defaultAlgorithms } = trusted
  const allowed = algorithms.map((algorithm) => {
    const known = jwtAlgorithms.find((candidate) => candidate === algorithm)
    if (known === undefined)
      throw new RangeError(`identity.jwt ${issuer}: the algorithm is one of ${jwtAlgorithms.join(', ')}`)
    return known
  })
  if ((jwks === undefined) === (key === undefined))
    throw new RangeError(`identity.jwt ${issuer}: either jwks or key is given`)
  const keys = jwks === undefined ? await publicKeyOf(key ?? '', issuer) : await keySetOf(jwks, issuer)
  const claims = trusted.claims === 'psc' ? pscClaims : iuaClaims
  return {
    issuer,
    keys,
    audience: trusted.audience ?? (trusted.clients === undefined ? audience : undefined),
    clients: trusted.clients,
    userInfo: trusted.userinfo && (await userInfoOf(trusted.userinfo)),
    algorithms: allowed,
    claims,
  }
}

async function userInfoOf({ ca, certificate, key, ...others }: NonNullable<TrustedJwtIssuer['userinfo']>) {
  const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file))
  const files = { ca: await read(ca), certificate: await read(certificate), key: await read(key) }
  try {
    createSecureContext({
      ...(files.ca !== undefined && { ca: files.ca }),
      ...(files.certificate !== undefined && { cert: files.certificate }),
      ...(files.key !== undefined && { key: files.key }),
    })
  } catch (cause) {
    throw new RangeError(`identity.jwt userinfo ${others.url}: ca, certificate and key cannot be used`, { cause })
  }
  return createUserInfo({ ...others, ...files })
}

async function keySetOf(jwks: JSONWebKeySet | string, issuer: string): Promise<JSONWebKeySet> {
  if (typeof jwks !== 'string') return jwks
  const parsed = keySet.safeParse(jsonOf(await readFile(jwks, 'utf8')))
  if (!parsed.success) throw new RangeError(`identity.jwt ${issuer}: ${jwks} is no JWK Set`)
  return parsed.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function publicKeyOf(pemOrFile: string, issuer: string): Promise<KeyObject> {
  const pem = await pemOf(pemOrFile)
  try {
    return createPublicKey(pem)
  } catch (cause) {
    throw new RangeError(`identity.jwt ${issuer}: ${nameOf(pemOrFile)} holds no public key or certificate in PEM`, {
      cause,
    })
  }
}

/** @param setting that names it */
export async function certificateOf(pemOrFile: string, setting: string): Promise<X509Certificate> {
  const pem = await pemOf(pemOrFile)
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new RangeError(`${setting}: ${nameOf(pemOrFile)} holds no certificate in PEM`, { cause })
  }
}

function nameOf(pemOrFile: string): string {
  return pemOrFile.includes('-----BEGIN') ? 'what is written there' : pemOrFile
}

async function pemOf(pemOrFile: string): Promise<string | Buffer> {
  return pemOrFile.includes('-----BEGIN') ? pemOrFile : readFile(pemOrFile)
}

/** @throws RangeError naming the file */
export async function revocationListOf(file: string): Promise<RevocationList> {
  const bytes = await readFile(file)
  try {
    return readRevocationList(bytes)
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'unreadable'
    throw new RangeError(`identity.vihf.revocationLists: ${file}: ${reason}`, { cause: error })
  }
}

/** By the text of Issuer. @throws RangeError or Error for the operator */
export async function xuaIssuersOf(
  trusted: readonly TrustedXuaIssuer[],
  audience: string,
  revocation: TrustOptions['revocation'],
): Promise<ReadonlyMap<string, XuaIssuer>> {
  const issuers = new Map<string, XuaIssuer>()
  for (const each of trusted) {
    if (issuers.has(each.issuer)) throw new RangeError(`two trusted XUA issuers have the name ${each.issuer}`)
    const certificates = await Promise.all(
      each.certificates.map((certificate) => certificateOf(certificate, `identity.xua ${each.issuer}`)),
    )
    issuers.set(each.issuer, {
      findSigner: createSignerFinder({ trusted: certificates, revocation }),
      audience: each.audience ?? audience,
      authentication: each.authentication ?? 'indirect',
      roles: each.roles,
      purposes: each.purposes ?? [],
      personPrefix: each.personPrefix ?? '',
      structures: new Map(Object.entries(each.structures ?? {})),
      sector: each.sector,
    })
  }
  return issuers
}
