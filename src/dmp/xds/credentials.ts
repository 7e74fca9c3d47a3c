/**
 * The two certificates of a structure (IGC-Santé): ORG_AUTH_CLI for mutual TLS, ORG_SIGN for what is signed. PEM or PKCS#12
 * files, read again on demand; what cannot be used is refused whole, and what was in use stays.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { readPkcs12 } from './pkcs12.ts'

/** PEM: a key, and its certificate with its chain. PKCS#12: all of them, under a passphrase, which may be empty. */
export type KeyFiles =
  | { readonly key: string; readonly certificate: string }
  | { readonly pkcs12: string; readonly passphrase?: string; readonly passphraseFile?: string }

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
  const authentication = await pair(files.authentication)
  const signature = await pair(files.signature)
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

/** A key and its certificate, as objects and as PEM, the chain after the certificate; `file` is where it is. */
async function pair(files: KeyFiles) {
  return 'pkcs12' in files ? fromPkcs12(files) : fromPem(files)
}

async function fromPkcs12({ pkcs12: file, passphrase, passphraseFile }: Extract<KeyFiles, { pkcs12: string }>) {
  // An editor leaves a line end after the passphrase
  const secret =
    passphraseFile === undefined ? passphrase : (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '')
  const bytes = await readFile(file)
  let content: Awaited<ReturnType<typeof readPkcs12>>
  try {
    content = await readPkcs12(bytes, secret ?? '')
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : 'cannot be used as PKCS#12'}`, { cause })
  }
  const { key, certificate, chain } = content
  return {
    file,
    key,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }),
    certificate,
    certificatePem: [certificate, ...chain].join(''),
  }
}

async function fromPem({ key: keyFile, certificate: certificateFile }: Extract<KeyFiles, { key: string }>) {
  const keyPem = await readFile(keyFile)
  const certificatePem = await readFile(certificateFile)
  const key = orNamed(keyFile, () => createPrivateKey(keyPem))
  const certificate = orNamed(certificateFile, () => new X509Certificate(certificatePem))
  if (!certificate.checkPrivateKey(key)) throw new Error(`${certificateFile}: not the certificate of ${keyFile}`)
  return { file: certificateFile, key, keyPem, certificate, certificatePem }
}

function orNamed<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new Error(`${file}: cannot be used as PEM`, { cause })
  }
}

/** node gives one attribute a line, the most general first, escaped as RFC 2253 asks for; the name reads the other way. */
function distinguishedName(lines: string): string {
  return lines.split('\n').reverse().join(',')
}
