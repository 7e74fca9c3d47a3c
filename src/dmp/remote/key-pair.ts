/** A key with its certificate, as an administrator has them: in PEM files, or in one PKCS#12 file. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readPkcs12 } from './pkcs12.ts'

/** PEM: a key, and its certificate with its chain. PKCS#12: all of them, under a passphrase, which may be empty. */
export type KeyFiles =
  | { readonly key: string; readonly certificate: string }
  | { readonly pkcs12: string; readonly passphrase?: string; readonly passphraseFile?: string }

/** As objects and as PEM, the chain after the certificate. */
export interface KeyPair {
  /** Where the certificate is. */
  readonly file: string
  readonly key: KeyObject
  readonly keyPem: string | Buffer
  readonly certificate: X509Certificate
  readonly certificatePem: string | Buffer
}

/** @throws Error that names the file at fault */
export async function readKeyPair(files: KeyFiles): Promise<KeyPair> {
  return 'pkcs12' in files ? fromPkcs12(files) : fromPem(files)
}

async function fromPkcs12({
  pkcs12: file,
  passphrase,
  passphraseFile,
}: Extract<KeyFiles, { pkcs12: string }>): Promise<KeyPair> {
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

async function fromPem({
  key: keyFile,
  certificate: certificateFile,
}: Extract<KeyFiles, { key: string }>): Promise<KeyPair> {
  const keyPem = await readFile(keyFile)
  const certificatePem = await readFile(certificateFile)
  const key = orNamed(keyFile, () => createPrivateKey(keyPem))
  const certificate = orNamed(certificateFile, () => new X509Certificate(certificatePem))
  if (!certificate.checkPrivateKey(key)) throw new Error(`${certificateFile}: not the certificate of ${keyFile}`)
  return { file: certificateFile, key, keyPem, certificate, certificatePem }
}

/** @throws Error that names the file */
export function orNamed<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new Error(`${file}: cannot be used as PEM`, { cause })
  }
}
