/**
 * The two certificates of a structure (IGC-Santé): ORG_AUTH_CLI for mutual TLS, ORG_SIGN for what is signed. PEM or PKCS#12
 * files, read again on demand; what cannot be used is refused whole, and what was in use stays.
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import type { Agent } from 'node:https'
import { type KeyFiles, readKeyPair } from '../remote/key-pair.ts'
import { agentOf, type Reloading, reloadable } from '../remote/reloadable.ts'

export interface CredentialFiles {
  /** ORG_AUTH_CLI. */
  readonly authentication: KeyFiles
  /** ORG_SIGN. */
  readonly signature: KeyFiles
  /** Authorities that the DMP's own certificate is checked against. */
  readonly authorities: readonly string[]
}

export interface SigningCredential {
  readonly key: KeyObject
  readonly certificate: X509Certificate
  /** Subject as RFC 4514 text, the most particular attribute first: Issuer of the VIHF. */
  readonly subjectName: string
  /** Issuer, the same way, without blanks after commas. */
  readonly issuerName: string
}

export interface Credentials extends Reloading {
  readonly signing: SigningCredential
  /** For connections to the DMP; changes with the files. */
  readonly agent: Agent
  /** ISO 8601 instants of the end of the certificates. */
  readonly expiry: { readonly authentication: string; readonly signature: string }
}

/** @throws Error that names the file at fault */
export async function openCredentials(files: CredentialFiles, connections = 32): Promise<Credentials> {
  return reloadable(async () => {
    const authentication = await readKeyPair(files.authentication)
    const signature = await readKeyPair(files.signature)
    if (signature.certificate.publicKey.asymmetricKeyType !== 'rsa')
      throw new Error(`${signature.file}: the DMP knows RSA signatures only`)
    return {
      agent: await agentOf(authentication, files.authorities, connections),
      signing: {
        key: signature.key,
        certificate: signature.certificate,
        subjectName: distinguishedName(signature.certificate.subject),
        issuerName: distinguishedName(signature.certificate.issuer),
      },
      expiry: {
        authentication: authentication.certificate.validToDate.toISOString(),
        signature: signature.certificate.validToDate.toISOString(),
      },
    }
  })
}

/** node gives one attribute a line, the most general first, escaped as RFC 2253 asks for; the name reads the other way. */
function distinguishedName(lines: string): string {
  return lines.split('\n').reverse().join(',')
}
