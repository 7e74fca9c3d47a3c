/** JWT identities: signature, issuer, audience and time verified, then read by the claims their issuer writes. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose'
import { z } from 'zod'
import type { Caller } from '../access/caller.ts'
import { toCaller } from './assemble.ts'
import type { ClaimSet } from './claims.ts'
import { type Confirmation, confirmationOf } from './confirmation.ts'
import { expired, invalid } from './refusal.ts'
import type { UserInfo } from './userinfo.ts'

/** Asymmetric signatures only: `none` says nothing, HS* would let whoever can verify also sign. */
export const jwtAlgorithms = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'] as const
export type JwtAlgorithm = (typeof jwtAlgorithms)[number]

/** One issuer whose tokens are believed, with its keys at hand: they are never fetched. */
export interface JwtTrust {
  readonly issuer: string
  readonly keys: JSONWebKeySet | KeyObject
  /** Undefined: only where `clients` says whose tokens they are. */
  readonly audience: string | readonly string[] | undefined
  /** Clients (azp) whose access tokens are accepted, for an issuer that writes no audience. */
  readonly clients?: readonly string[] | undefined
  /** Where the issuer says who holds a token; absent: the token says it. */
  readonly userInfo?: UserInfo | undefined
  readonly algorithms: readonly JwtAlgorithm[]
  readonly claims: ClaimSet
}

export interface JwtSettings {
  readonly trusted: readonly JwtTrust[]
  readonly mode: 'development' | 'production'
  readonly clockSkewSeconds: number
}

/** RFC 7519 4.1, as far as it is not jose that checks it. */
const registered = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1).max(128),
  jti: z.string().min(1).max(256).optional(),
  exp: z.number(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
  cnf: z.unknown().optional(),
  azp: z.string().optional(),
  aud: z.unknown().optional(),
  typ: z.string().optional(),
})

export interface VerifiedToken {
  readonly caller: Caller
  /** Milliseconds since 1970; none of them includes the skew. */
  readonly from: number
  readonly until: number
  /** The key that the bearer must hold, where the token is bound to one. */
  readonly confirmation: Confirmation | undefined
}

export type JwtVerifier = (token: string, now: Date) => Promise<VerifiedToken>

/**
 * A verifier of compact JWS: algorithm allowed, signature of a trusted issuer, audience, exp (required), nbf, iat.
 * It throws GatewayError identity-invalid or identity-expired.
 */
export function createJwtVerifier(settings: JwtSettings): JwtVerifier {
  const issuers = new Map<string, Issuer>()
  for (const trust of settings.trusted) {
    if (issuers.has(trust.issuer)) throw new RangeError(`two trusted JWT issuers have the name ${trust.issuer}`)
    if (trust.audience === undefined && (trust.clients ?? []).length === 0)
      throw new RangeError(`${trust.issuer}: either an audience or clients are given`)
    const { issuer, algorithms } = trust
    const common = { issuer, algorithms: [...algorithms], clockTolerance: settings.clockSkewSeconds }
    issuers.set(trust.issuer, {
      trust,
      verify: signatureVerifier(trust, {
        ...common,
        ...(trust.audience !== undefined && { audience: [trust.audience].flat() }),
        requiredClaims: ['exp'],
      }),
      verifyAnswer: signatureVerifier(trust, {
        ...common,
        ...(trust.clients !== undefined && { audience: [...trust.clients] }),
      }),
    })
  }
  return async (token, now) => {
    const issuer = issuers.get(issuerClaimed(token))
    if (issuer === undefined) throw invalid('The claim iss names no trusted issuer.')
    const payload = await issuer.verify(token, now).catch((error: unknown) => {
      throw refusalOf(error)
    })
    try {
      const { exp, nbf, iat, cnf, ...own } = registered.parse(payload)
      checkClient(own, issuer.trust)
      if (iat !== undefined && iat > now.getTime() / 1000 + settings.clockSkewSeconds)
        throw invalid('The claim iat is in the future.')
      const { claims, userInfo } = issuer.trust
      const described =
        userInfo === undefined
          ? payload
          : { ...(await userInfo(token, own.sub, (jwt) => issuer.verifyAnswer(jwt, now))), jti: own.jti }
      return {
        caller: toCaller(claims.read(described), claims.names, settings.mode),
        from: Math.max(nbf ?? 0, iat ?? 0) * 1000,
        until: exp * 1000,
        confirmation: confirmationOf(cnf),
      }
    } catch (error) {
      throw error instanceof z.ZodError ? invalid(describe(error)) : error
    }
  }
}

interface Issuer {
  readonly trust: JwtTrust
  verify(token: string, now: Date): Promise<JWTPayload>
  /** A signed answer of userinfo (OIDC Core 5.3.2): of the issuer, for one of the clients where they are known. */
  verifyAnswer(jwt: string, now: Date): Promise<JWTPayload>
}

/** An access token that names no audience is for its client: one of another would open what its holder never asked for. */
function checkClient(
  { azp, typ, aud }: { azp?: string | undefined; typ?: string | undefined; aud?: unknown },
  { clients, audience }: JwtTrust,
): void {
  if (clients === undefined) return
  // An ID token names its client, a token for another service that service: neither was made for this one
  if (audience === undefined && aud !== undefined)
    throw invalid('The claim aud names an audience, and none is configured for this issuer: send its access token.')
  if (azp === undefined || !clients.includes(azp)) throw invalid('The claim azp names no client that is known here.')
  // Keycloak says so: ID, Refresh and Offline tokens are not for services
  if (typ !== undefined && typ !== 'Bearer') throw invalid('The claim typ is Bearer: send the access token.')
}

function signatureVerifier(
  { issuer, keys }: JwtTrust,
  options: JWTVerifyOptions,
): (token: string, now: Date) => Promise<JWTPayload> {
  if ('keys' in keys) {
    if (keys.keys.some(({ kty }) => kty === 'oct')) throw new RangeError(`the keys of ${issuer} hold a symmetric key`)
    const set = createLocalJWKSet(keys)
    return async (token, currentDate) => (await jwtVerify(token, set, { ...options, currentDate })).payload
  }
  if (keys.type === 'secret') throw new RangeError(`the key of ${issuer} is symmetric`)
  const key = keys.type === 'private' ? createPublicKey(keys) : keys
  return async (token, currentDate) => (await jwtVerify(token, key, { ...options, currentDate })).payload
}

/** Only to choose the keys: nothing else is believed before the signature holds. */
function issuerClaimed(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch (error) {
    throw invalid('The bearer token is neither a signed JWT nor a base64url VIHF assertion.', error)
  }
}

function refusalOf(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return expired('The token has expired (claim exp): ask for a new one.')
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalid(
      error.reason === 'missing'
        ? `The claim ${error.claim} is missing.`
        : `The claim ${error.claim} is not accepted here.`,
      error,
    )
  if (error instanceof errors.JOSEAlgNotAllowed)
    return invalid('The algorithm (alg) of the token is not allowed.', error)
  if (error instanceof errors.JWKSNoMatchingKey)
    return invalid('No key of the issuer matches the header of the token.', error)
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return invalid('The token does not say which key signed it (kid).', error)
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return invalid('The signature of the token is not valid.', error)
  if (error instanceof errors.JOSEError) return invalid('The token is malformed.', error)
  // jose throws TypeError when the key is not of the kind that the algorithm needs
  if (error instanceof TypeError) return invalid('The algorithm (alg) of the token is not that of the key.', error)
  return error instanceof Error ? error : new Error('the token cannot be verified', { cause: error })
}

function describe(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join('.')}: ${message}.`)
    .join(' ')
}
