/**
 * Tokens bound to a key: to the client certificate of the connection (RFC 8705 3.1) or to a key that signs each request
 * (DPoP, RFC 9449). Who merely holds a copy of such a token is nobody.
 */
import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, errors, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Presentation } from '../operations/ports.ts'
import { clientCertificateOf } from './client-certificate.ts'
import { invalid } from './refusal.ts'
import type { OnceOnly } from './replay.ts'

export type Confirmation =
  /** SHA-256 of the DER of the certificate, base64url. */
  | { readonly by: 'certificate'; readonly thumbprint: string }
  /** SHA-256 JWK thumbprint (RFC 7638), base64url. */
  | { readonly by: 'proof'; readonly thumbprint: string }

const thumbprint = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'a SHA-256 in base64url is expected')
const schema = z.union([
  z
    .strictObject({ 'x5t#S256': thumbprint })
    .transform((cnf) => ({ by: 'certificate', thumbprint: cnf['x5t#S256'] }) as const),
  z.strictObject({ jkt: thumbprint }).transform((cnf) => ({ by: 'proof', thumbprint: cnf.jkt }) as const),
])

/** Reads the claim cnf. A confirmation that is not known here cannot be checked, and is refused. */
export function confirmationOf(cnf: unknown): Confirmation | undefined {
  if (cnf === undefined) return undefined
  const parsed = schema.safeParse(cnf)
  if (!parsed.success) throw invalid('The claim cnf: one of x5t#S256 (RFC 8705) or jkt (RFC 9449) is expected.')
  return parsed.data
}

/** Seconds a proof lives around its iat, besides the skew. */
const proofLife = 60
/** RFC 9449 4.2: asymmetric signatures only. */
const proofAlgorithms = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA']
const proofClaims = z.looseObject({
  jti: z.string().min(1).max(256),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.string(),
})

export interface ProofSettings {
  readonly clockSkewSeconds: number
  /** Proofs that were used; RFC 9449 11.1. */
  readonly used: OnceOnly
}

/**
 * Checks that whoever presents a token holds its key.
 * @throws GatewayError identity-invalid
 */
export async function checkConfirmation(
  confirmation: Confirmation | undefined,
  token: string,
  presentation: Presentation | undefined,
  now: Date,
  settings: ProofSettings,
): Promise<void> {
  const proof = presentation?.proof
  if (confirmation?.by !== 'proof') {
    if (proof !== undefined) throw invalid('Authorization: DPoP comes with a token that is bound to a key (cnf jkt).')
    if (confirmation === undefined) return
    const certificate = presentation && clientCertificateOf(presentation.socket)
    const own = certificate && createHash('sha256').update(certificate.raw).digest('base64url')
    if (own !== confirmation.thumbprint)
      throw invalid('The token is bound to a client certificate (cnf x5t#S256): call with that certificate.')
    return
  }
  if (proof === undefined)
    throw invalid('The token is bound to a key (cnf jkt): send Authorization: DPoP and a proof in the header DPoP.')
  const { payload, key } = await verifyProof(proof.jwt, now)
  const seconds = now.getTime() / 1000
  const allowed = proofLife + settings.clockSkewSeconds
  if (key !== confirmation.thumbprint) throw invalid('The DPoP proof is signed by another key than that of the token.')
  if (payload.htm !== proof.method || normal(payload.htu) !== normal(proof.url))
    throw invalid('The DPoP proof is for another request (htm, htu).')
  if (payload.ath !== createHash('sha256').update(token).digest('base64url'))
    throw invalid('The DPoP proof is for another token (ath).')
  if (Math.abs(seconds - payload.iat) > allowed) throw invalid('The DPoP proof is not of now (iat): make a new one.')
  const until = (payload.iat + allowed) * 1000
  settings.used.claim(`dpop ${key} ${payload.jti}`, payload.iat * 1000, until, now.getTime())
}

async function verifyProof(
  jwt: string,
  now: Date,
): Promise<{ readonly payload: z.infer<typeof proofClaims>; readonly key: string }> {
  try {
    const { payload, protectedHeader } = await jwtVerify(jwt, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: proofAlgorithms,
      currentDate: now,
    })
    const { jwk } = protectedHeader
    if (jwk === undefined) throw new errors.JWTInvalid('jwk')
    return { payload: proofClaims.parse(payload), key: await calculateJwkThumbprint(jwk, 'sha256') }
  } catch (error) {
    throw invalid(
      'The DPoP proof is not valid: RFC 9449 4.2 says what it holds (typ, jwk; jti, htm, htu, iat, ath).',
      error,
    )
  }
}

/** RFC 9449 4.3: without query and fragment; a slash at the end says nothing. */
function normal(url: string): string {
  try {
    const { origin, pathname } = new URL(url)
    return origin + pathname.replace(/\/+$/, '')
  } catch {
    return ''
  }
}
