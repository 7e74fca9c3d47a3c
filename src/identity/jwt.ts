/** JWT identities: signature, issuer, audience and time verified, then read by the claims their issuer writes. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Caller } from '../access/caller.ts'
import { toCaller } from './assemble.ts'
import type { ClaimSet } from './claims.ts'
import { type Confirmation, confirmationOf } from './confirmation.ts'
import { expired, invalid } from './refusal.ts'

/** Asymmetric signatures only: `none` says nothing, HS* would let whoever can verify also sign. */
export const jwtAlgorithms = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'] as const
export type JwtAlgorithm = (typeof jwtAlgorithms)[number]

/** One issuer whose tokens are believed, with its keys at hand: nothing is fetched. */
export interface JwtTrust {
  readonly issuer: string
  readonly keys: JSONWebKeySet | KeyObject
  readonly audience: string | readonly string[]
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
    issuers.set(trust.issuer, {
      claims: trust.claims,
      verify: signatureVerifier(trust, settings.clockSkewSeconds),
    })
  }
  return async (token, now) => {
    const issuer = issuers.get(issuerClaimed(token))
    if (issuer === undefined) throw invalid('The claim iss names no trusted issuer.')
    const payload = await issuer.verify(token, now).catch((error: unknown) => {
      throw refusalOf(error)
    })
    try {
      const { exp, nbf, iat, cnf } = registered.parse(payload)
      if (iat !== undefined && iat > now.getTime() / 1000 + settings.clockSkewSeconds)
        throw invalid('The claim iat is in the future.')
      return {
        caller: toCaller(issuer.claims.read(payload), issuer.claims.names, settings.mode),
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
  readonly claims: ClaimSet
  verify(token: string, now: Date): Promise<JWTPayload>
}

function signatureVerifier(trust: JwtTrust, clockTolerance: number): (token: string, now: Date) => Promise<JWTPayload> {
  const { issuer, keys } = trust
  const options = {
    issuer,
    audience: [trust.audience].flat(),
    algorithms: [...trust.algorithms],
    clockTolerance,
    requiredClaims: ['exp'],
  }
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
