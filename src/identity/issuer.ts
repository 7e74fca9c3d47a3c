/**
 * The local issuer of development mode: two key pairs in the data folder, made at the first start, with which `token` signs
 * test identities and which verification trusts. Production never makes nor trusts one (docs: INTERFACE, Commands).
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { mkdir, mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { selfSign } from './certificate.ts'
import { formatDistinguishedName, subjectOf } from './distinguished-name.ts'

export interface LocalIssuer {
  /** `iss` of its JWT. */
  readonly name: string
  /** `aud` of its JWT. */
  readonly audience: string
  /** `kid` of its JWT: changes with the key. */
  readonly keyId: string
  /** EC P-256, signs JWT with ES256. */
  readonly jwtKey: KeyObject
  readonly jwtPublicKey: KeyObject
  /** RSA-2048, signs VIHF with RSA-SHA256. */
  readonly vihfKey: KeyObject
  readonly vihfCertificate: X509Certificate
  /** Subject of the certificate as RFC 4514 text: Issuer of the VIHF. */
  readonly vihfSubject: string
}

export const localIssuerName = 'urn:dmp-gateway:local-issuer'
export const localAudience = 'urn:dmp-gateway'

const folder = 'issuer'
const files = { jwtKey: 'jwt-key.pem', vihfKey: 'vihf-key.pem', vihfCertificate: 'vihf-certificate.pem' } as const
const years = 10

/**
 * Opens the issuer of a data folder, making it first where there is none: `issuer/` (mode 0700) with its files (0600). Two
 * processes that start at once end with the same keys: the folder appears complete, by one rename, and the second finds it.
 * @param directory the data folder; made when absent
 * @throws Error naming the file when the issuer is there but cannot be read
 */
export async function openLocalIssuer(directory: string): Promise<LocalIssuer> {
  const place = path.join(directory, folder)
  return (await load(place)) ?? (await create(directory, place))
}

async function load(place: string): Promise<LocalIssuer | undefined> {
  try {
    // Asked first: the folder appears with all its files, which read one by one could be half before and half after
    await stat(place)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    const read = (name: string) => readFile(path.join(place, name))
    return assemble(await read(files.jwtKey), await read(files.vihfKey), await read(files.vihfCertificate))
  } catch (cause) {
    throw new Error(
      `the local issuer in ${place} cannot be read: remove the folder, a new issuer is made at the next start`,
      {
        cause,
      },
    )
  }
}

function assemble(jwtPem: Buffer, vihfPem: Buffer, certificatePem: Buffer): LocalIssuer {
  const jwtKey = createPrivateKey(jwtPem)
  const jwtPublicKey = createPublicKey(jwtKey)
  const vihfKey = createPrivateKey(vihfPem)
  const vihfCertificate = new X509Certificate(certificatePem)
  if (!vihfCertificate.checkPrivateKey(vihfKey)) throw new Error('the certificate is not that of the key')
  return {
    name: localIssuerName,
    audience: localAudience,
    keyId: createHash('sha256')
      .update(jwtPublicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
      .slice(0, 22),
    jwtKey,
    jwtPublicKey,
    vihfKey,
    vihfCertificate,
    vihfSubject: formatDistinguishedName(subjectOf(vihfCertificate.raw)),
  }
}

async function create(directory: string, place: string): Promise<LocalIssuer> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  // mkdtemp makes the folder with mode 0700
  const draft = await mkdtemp(`${place}-`)
  try {
    for (const [name, content] of Object.entries(await makeKeys())) await writeDurably(path.join(draft, name), content)
    try {
      // A rename onto a folder that holds files fails: whoever came first stays
      await rename(draft, place)
      await syncDirectory(directory)
    } catch (error) {
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) throw error
    }
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  const issuer = await load(place)
  if (issuer === undefined) throw new Error(`the local issuer could not be made in ${place}`)
  return issuer
}

async function makeKeys(): Promise<Record<string, string>> {
  const generate = promisify(generateKeyPair)
  const [jwt, vihf] = await Promise.all([
    generate('ec', { namedCurve: 'P-256' }),
    generate('rsa', { modulusLength: 2048 }),
  ])
  // An hour of grace for who verifies with another clock.
  const notBefore = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000)
  const notAfter = new Date(notBefore)
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + years)
  const certificate = selfSign({
    subject: [
      ['2.5.4.6', 'FR'],
      ['2.5.4.10', 'DMP-GATEWAY DEVELOPPEMENT'],
      ['2.5.4.11', 'IDENTITES DE TEST'],
      ['2.5.4.3', 'EMETTEUR LOCAL'],
    ],
    ...vihf,
    notBefore,
    notAfter,
  })
  return {
    [files.jwtKey]: jwt.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    [files.vihfKey]: vihf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    [files.vihfCertificate]: certificate.toString(),
  }
}

async function writeDurably(file: string, content: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(content)
  await handle.sync()
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r')
  await handle.sync()
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
}
