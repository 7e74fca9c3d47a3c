/** What the gateway shows to a system that it calls, and whom it believes there: PEM files, held to fit together. */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { ConfigError } from './config.ts'

export interface PeerFiles {
  /** Authorities of the other system. */
  readonly ca?: string | undefined
  /** Client certificate and its key. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

export interface PeerCredentials {
  readonly ca: Buffer | undefined
  readonly certificate: Buffer | undefined
  readonly key: Buffer | undefined
}

/**
 * @param setting where the files are configured: `trace.syslog`
 * @throws ConfigError naming the setting when they cannot serve, Error naming the file that cannot be read
 */
export async function peerCredentials(setting: string, files: PeerFiles): Promise<PeerCredentials> {
  const read = async (file: string | undefined) => (file === undefined ? undefined : readFile(file))
  const [ca, certificate, key] = [await read(files.ca), await read(files.certificate), await read(files.key)]
  try {
    createSecureContext({
      ...(ca !== undefined && { ca }),
      ...(certificate !== undefined && { cert: certificate }),
      ...(key !== undefined && { key }),
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unreadable'
    throw new ConfigError(`${setting}: ca, certificate and key cannot be used (${reason})`, { cause })
  }
  // OpenSSL takes a file without any certificate for one without authorities
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----'))
    throw new ConfigError(`${setting}.ca: ${files.ca} holds no certificate in PEM`)
  return { ca, certificate, key }
}
