/**
 * A PKCS#12 file (RFC 7292) as a key and its certificates. Node reads such files for TLS only and gives no key out of
 * them; node-forge does, with the ciphers of today (PBES2, AES) and those of older exports (3DES, RC2), which the OpenSSL
 * of Node has put away.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type forge from 'node-forge'

export interface Pkcs12 {
  readonly key: KeyObject
  /** The certificate of the key. */
  readonly certificate: X509Certificate
  /** The others, each issuer after what it issued, as far as they go. */
  readonly chain: readonly X509Certificate[]
}

/** A file with a key and a chain has a few thousand. */
const mostBytes = 1024 * 1024

/** @throws Error that says what is wrong, without anything of the file or the passphrase */
export async function readPkcs12(bytes: Buffer, passphrase: string): Promise<Pkcs12> {
  if (bytes.length > mostBytes) throw new Error(`more than ${mostBytes} bytes`)
  // Where there is no such file, nothing of it is loaded
  const { default: library } = await import('node-forge')
  const file = parse(library, bytes, passphrase)
  const keys = bagsOf(library, file, ['pkcs8ShroudedKeyBag', 'keyBag']).map((bag) => keyOf(library, bag))
  const [key, ...others] = keys
  if (key === undefined || others.length > 0) throw new Error(`holds ${keys.length} private keys, not one`)
  const certificates = bagsOf(library, file, ['certBag']).map((bag) => certificateOf(library, bag))
  const certificate = certificates.find((each) => each.checkPrivateKey(key))
  if (certificate === undefined) throw new Error('holds no certificate of its key')
  const chain: X509Certificate[] = []
  for (let at = certificate; ; ) {
    const issuer = certificates.find(
      (each) => each !== certificate && !chain.includes(each) && at.checkIssued(each) && at.verify(each.publicKey),
    )
    if (issuer === undefined) return { key, certificate, chain }
    chain.push(issuer)
    at = issuer
  }
}

function parse(library: typeof forge, bytes: Buffer, passphrase: string): forge.pkcs12.Pkcs12Pfx {
  let content: forge.asn1.Asn1
  try {
    content = library.asn1.fromDer(bytes.toString('latin1'))
  } catch (cause) {
    throw new Error('is no PKCS#12', { cause })
  }
  try {
    return library.pkcs12.pkcs12FromAsn1(content, passphrase)
  } catch (cause) {
    const reread = isVerified(cause) && withBytesOf(library, content, passphrase)
    if (reread) return reread
    throw new Error('cannot be opened: is the passphrase the right one?', { cause })
  }
}

/** The MAC of the file was found right, or there was none: what failed came after it. */
function isVerified(error: unknown): boolean {
  return error instanceof Error && !error.message.includes('MAC')
}

/**
 * The MAC has the passphrase in UTF-16, PBES2 as bytes of UTF-8 (RFC 7292 appendix B, RFC 8018); the library takes one
 * form for both. With letters beyond ASCII it is asked again for the rest, once the MAC was found right.
 */
function withBytesOf(
  library: typeof forge,
  content: forge.asn1.Asn1,
  passphrase: string,
): forge.pkcs12.Pkcs12Pfx | undefined {
  const bytes = Buffer.from(passphrase).toString('latin1')
  if (bytes === passphrase || !Array.isArray(content.value)) return undefined
  try {
    // version and authSafe, without macData
    return library.pkcs12.pkcs12FromAsn1({ ...content, value: content.value.slice(0, 2) }, bytes)
  } catch {
    return undefined
  }
}

function bagsOf(
  { pki }: typeof forge,
  file: forge.pkcs12.Pkcs12Pfx,
  types: readonly ('pkcs8ShroudedKeyBag' | 'keyBag' | 'certBag')[],
): readonly forge.pkcs12.Bag[] {
  return types.flatMap((type) => {
    const oid = pki.oids[type] ?? ''
    return file.getBags({ bagType: oid })[oid] ?? []
  })
}

/** The library knows RSA; what it does not know it leaves as it found it. */
function keyOf(library: typeof forge, { key, asn1 }: forge.pkcs12.Bag): KeyObject {
  if (!key) return createPrivateKey({ key: der(library, asn1), format: 'der', type: 'pkcs8' })
  return createPrivateKey({ key: der(library, library.pki.privateKeyToAsn1(key)), format: 'der', type: 'pkcs1' })
}

function certificateOf(library: typeof forge, { cert, asn1 }: forge.pkcs12.Bag): X509Certificate {
  return new X509Certificate(der(library, cert ? library.pki.certificateToAsn1(cert) : asn1))
}

function der({ asn1 }: typeof forge, value: forge.asn1.Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'latin1')
}
