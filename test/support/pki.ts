/**
 * A public key infrastructure for tests: authorities, certificates below them, revocation lists; EC keys, all invented.
 *
 *   const root = await anAuthority('RACINE')
 *   const leaf = await aCertificate(root, { name: 'CN=SIGNATURE,O=CH EXEMPLE,C=FR' })
 *   const list = await aRevocationList(root, { revoked: [leaf] })
 */
import 'reflect-metadata'
import { createPrivateKey, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0])

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const day = 86_400_000

export interface Certified {
  readonly certificate: X509Certificate
  readonly pem: string
  readonly key: KeyObject
  readonly keyPem: string
  readonly pair: webcrypto.CryptoKeyPair
}

export interface CertificateForm {
  /** CN=…,O=…,C=FR */
  readonly name?: string
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly usages?: x509.KeyUsageFlags
  readonly extendedUsages?: readonly string[]
  /** DNS names or IP addresses. */
  readonly hosts?: readonly string[]
  readonly extensions?: readonly x509.Extension[]
  /** Another key's pair, to issue a certificate again. */
  readonly pair?: webcrypto.CryptoKeyPair
}

export interface AuthorityForm extends CertificateForm {
  /** Absent: a root, which signs itself. */
  readonly issuer?: Certified
  readonly pathLength?: number
  /** false: no basicConstraints at all. */
  readonly ca?: boolean
}

export const clientUsage = '1.3.6.1.5.5.7.3.2'
export const serverUsage = '1.3.6.1.5.5.7.3.1'

export async function anAuthority(name: string, form: AuthorityForm = {}): Promise<Certified> {
  const { issuer, pathLength, ca = true } = form
  return make(issuer, {
    ...form,
    name: form.name ?? `CN=${name},O=AUTORITE EXEMPLE,C=FR`,
    usages: form.usages ?? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
    extensions: [
      ...(ca ? [new x509.BasicConstraintsExtension(true, pathLength, true)] : []),
      ...(form.extensions ?? []),
    ],
  })
}

/** A certificate of an end entity; by default for signature. */
export async function aCertificate(issuer: Certified, form: CertificateForm = {}): Promise<Certified> {
  return make(issuer, {
    name: 'CN=SIGNATURE,O=CH EXEMPLE,C=FR',
    usages: x509.KeyUsageFlags.digitalSignature,
    ...form,
  })
}

/** The certificate of a server on this machine, with its key. */
export async function aServerCertificate(issuer: Certified): Promise<Certified> {
  return aCertificate(issuer, {
    name: 'CN=localhost,C=FR',
    hosts: ['localhost', '127.0.0.1'],
    extendedUsages: [serverUsage],
  })
}

async function make(issuer: Certified | undefined, form: CertificateForm): Promise<Certified> {
  const pair =
    form.pair ?? ((await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair)
  const { name = 'CN=EXEMPLE', usages, extendedUsages = [], hosts = [], extensions = [] } = form
  const built = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(15).toString('hex').replace(/^/, '4a'),
    subject: reversed(name),
    issuer: issuer === undefined ? reversed(name) : new x509.X509Certificate(issuer.certificate.raw).subject,
    notBefore: form.notBefore ?? new Date(Date.now() - day),
    notAfter: form.notAfter ?? new Date(Date.now() + day),
    signingKey: (issuer?.pair ?? pair).privateKey,
    publicKey: pair.publicKey,
    signingAlgorithm: algorithm,
    extensions: [
      ...(usages === undefined ? [] : [new x509.KeyUsagesExtension(usages, true)]),
      ...(extendedUsages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extendedUsages])]),
      ...(hosts.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(hosts.map(nameOfHost))]),
      ...extensions,
    ],
  })
  const keyDer = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey))
  const key = createPrivateKey({ key: keyDer, format: 'der', type: 'pkcs8' })
  return {
    certificate: new X509Certificate(Buffer.from(built.rawData)),
    pem: built.toString('pem'),
    key,
    keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    pair,
  }
}

export interface ListForm {
  readonly revoked?: readonly Certified[]
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date
  readonly extensions?: readonly x509.Extension[]
  /** Who signs, where it is not the issuer. */
  readonly signer?: Certified
}

/** A revocation list in DER. */
export async function aRevocationList(issuer: Certified, form: ListForm = {}): Promise<Buffer> {
  const list = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(issuer.certificate.raw).subject,
    thisUpdate: form.thisUpdate ?? new Date(Date.now() - day),
    nextUpdate: form.nextUpdate ?? new Date(Date.now() + day),
    signingAlgorithm: algorithm,
    signingKey: (form.signer ?? issuer).pair.privateKey,
    entries: (form.revoked ?? []).map(({ certificate }) => ({
      serialNumber: certificate.serialNumber.toLowerCase(),
      revocationDate: new Date(Date.now() - day),
    })),
    extensions: [...(form.extensions ?? [])],
  })
  return Buffer.from(list.rawData)
}

/** As PEM. */
export function listPem(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n')
  return `-----BEGIN X509 CRL-----\n${lines}-----END X509 CRL-----\n`
}

/** The most general part first, as certificates have it. */
function reversed(name: string): string {
  return name.split(',').reverse().join(',')
}

function nameOfHost(host: string): { type: 'ip' | 'dns'; value: string } {
  return { type: /^[0-9.]+$/.test(host) ? 'ip' : 'dns', value: host }
}

export { x509 }
