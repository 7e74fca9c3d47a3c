/**
 * What the gateway proves itself with: the client certificate of mutual TLS, and the key that signs the tokens of its
 * users. Files, read again on demand; what cannot be used is refused whole, and what was in use stays.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Agent } from 'node:https'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { type KeyFiles, orNamed, readKeyPair } from '../remote/key-pair.ts'
import { agentOf, type Reloading, reloadable } from '../remote/reloadable.ts'

export interface CredentialFiles {
  /** Mutual TLS. */
  readonly authentication: KeyFiles
  /** Authorities that the DMP's own certificate is checked against. */
  readonly authorities: readonly string[]
  /** The key of the tokens. */
  readonly tokenKey: string
}

export interface TokenKey {
  readonly key: KeyObject
  readonly algorithm: 'ES256' | 'ES384' | 'PS256' | 'EdDSA'
  /** JWK thumbprint, SHA-256 (RFC 7638). */
  readonly thumbprint: string
}

export interface Credentials extends Reloading {
  readonly tokenKey: TokenKey
  /** SHA-256 of the client certificate, base64url: `x5t#S256` of RFC 8705. */
  readonly certificateThumbprint: string
  /** For connections to the DMP; changes with the files. */
  readonly agent: Agent
  /** ISO 8601 instant of the end of the client certificate. */
  readonly expiry: string
}

/** @throws Error that names the file at fault */
export async function openCredentials(files: CredentialFiles, connections = 32): Promise<Credentials> {
  return reloadable(async () => {
    const pair = await readKeyPair(files.authentication)
    return {
      agent: await agentOf(pair, files.authorities, connections),
      certificateThumbprint: createHash('sha256').update(pair.certificate.raw).digest('base64url'),
      expiry: pair.certificate.validToDate.toISOString(),
      tokenKey: await readTokenKey(files.tokenKey),
    }
  })
}

async function readTokenKey(file: string): Promise<TokenKey> {
  const pem = await readFile(file)
  const key = orNamed(file, () => createPrivateKey(pem))
  const thumbprint = await calculateJwkThumbprint(await exportJWK(createPublicKey(key)))
  return { key, algorithm: algorithmOf(key, file), thumbprint }
}

/** RFC 7518 3.1, RFC 8037: one algorithm for each kind of key, none that is symmetric. */
function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject, file: string) {
  if (type === 'ed25519') return 'EdDSA'
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ES256'
  if (type === 'ec' && details?.namedCurve === 'secp384r1') return 'ES384'
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= 2048) return 'PS256'
  throw new Error(`${file}: tokens are signed with EC P-256 or P-384, Ed25519, or RSA of 2048 bits and more`)
}
