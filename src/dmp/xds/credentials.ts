/**
 * The two certificates of a structure (IGC-Santé): ORG_AUTH_CLI for mutual TLS, ORG_SIGN for what is signed. PEM or PKCS#12
 * files, read again on demand; what cannot be used is refused whole, and what was in use stays.
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { type KeyFiles, readKeyPair } from '../remote/key-pair.ts'

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

export interface Credentials {
  readonly signing: SigningCredential
  /** For connections to the DMP; changes with the files. */
  readonly agent: Agent
  /** ISO 8601 instants of the end of the certificates. */
  readonly expiry: { readonly authentication: string; readonly signature: string }
  /** @throws Error that names the file at fault; nothing changes then */
  reload(): Promise<void>
  close(): void
}

/** @throws Error that names the file at fault */
export async function openCredentials(files: CredentialFiles, connections = 32): Promise<Credentials> {
  let current = await read(files, connections)
  return {
    get signing() {
      return current.signing
    },
    get agent() {
      return current.agent
    },
    get expiry() {
      return current.expiry
    },
    async reload() {
      const fresh = await read(files, connections)
      const old = current
      current = fresh
      // Exchanges under way keep their sockets; idle ones of the old certificate are closed
      for (const socket of Object.values(old.agent.freeSockets).flat()) socket?.destroy()
    },
    close: () => current.agent.destroy(),
  }
}

async function read(files: CredentialFiles, maxSockets: number) {
  const authentication = await readKeyPair(files.authentication)
  const signature = await readKeyPair(files.signature)
  if (signature.certificate.publicKey.asymmetricKeyType !== 'rsa')
    throw new Error(`${signature.file}: the DMP knows RSA signatures only`)
  const agent = new Agent({
    keepAlive: true,
    maxSockets,
    scheduling: 'lifo',
    minVersion: 'TLSv1.2',
    key: authentication.keyPem,
    cert: authentication.certificatePem,
    ca: await Promise.all(files.authorities.map((file) => readFile(file))),
  })
  return {
    agent,
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
}

/** node gives one attribute a line, the most general first, escaped as RFC 2253 asks for; the name reads the other way. */
function distinguishedName(lines: string): string {
  return lines.split('\n').reverse().join(',')
}
