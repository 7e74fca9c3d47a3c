/** Self-signed certificates for both sides of a simulated DMP: server, ORG_AUTH_CLI and ORG_SIGN, in PEM files. */
import { generateKeyPair } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { selfSign } from '../../identity/certificate.ts'

interface Pair {
  /** Paths of PEM files. */
  readonly key: string
  readonly certificate: string
}

export interface SimulatorKeys {
  readonly authentication: Pair
  readonly signature: Pair
  readonly server: Pair
  /** Path: what the client checks the server against. */
  readonly authority: string
  readonly serverKey: string
  readonly serverCertificate: string
  readonly clientCertificate: string
}

const [country, organization, unit, commonName] = ['2.5.4.6', '2.5.4.10', '2.5.4.11', '2.5.4.3']
const day = 86_400_000

export async function makeKeys(directory: string): Promise<SimulatorKeys> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const [server, client, signer] = await Promise.all([
    make('localhost'),
    make('ORG AUTH CLI TEST'),
    make('ORG SIGN TEST'),
  ])
  const keep = async (name: string, { key, certificate }: Awaited<ReturnType<typeof make>>): Promise<Pair> => {
    const files = { key: path.join(directory, `${name}.key`), certificate: path.join(directory, `${name}.pem`) }
    await writeFile(files.key, key, { mode: 0o600 })
    await writeFile(files.certificate, certificate)
    return files
  }
  const served = await keep('server', server)
  return {
    authentication: await keep('authentication', client),
    signature: await keep('signature', signer),
    server: served,
    authority: served.certificate,
    serverKey: server.key,
    serverCertificate: server.certificate,
    clientCertificate: client.certificate,
  }
}

async function make(name: string): Promise<{ readonly key: string; readonly certificate: string }> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const now = Date.now()
  const certificate = selfSign({
    subject: [
      [country, 'FR'],
      [organization, 'CH EXEMPLE'],
      [unit, '1010099999'],
      [commonName, name],
    ],
    publicKey,
    privateKey,
    notBefore: new Date(now - day),
    notAfter: new Date(now + 30 * day),
  })
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: certificate.toString(),
  }
}
