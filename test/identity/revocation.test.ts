import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { LocalIssuer } from '../../src/identity/index.ts'
import { createIdentity } from '../../src/identity/index.ts'
import { aCertificate, anAuthority, aRevocationList, type Certified, listPem, x509 } from '../support/pki.ts'
import { anIdentity, anIssuer, now, refused, testClock } from './support.ts'
import { alone, replace, signForm, unsigned } from './vihf-support.ts'

const ecdsa = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'
const at = (seconds: number): Date => new Date(now.getTime() + seconds * 1000)

describe('a revocation list', () => {
  let issuer: LocalIssuer
  let folder: string
  let root: Certified
  let leaf: Certified
  before(async () => {
    issuer = await anIssuer()
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-crl-'))
    root = await anAuthority('RACINE')
    leaf = await aCertificate(root)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  let written = 0
  const inFile = async (bytes: Buffer | string): Promise<string> => {
    const file = path.join(folder, `list-${++written}`)
    await writeFile(file, bytes)
    return file
  }
  const signed = (by: Certified, others: readonly Certified[] = []): string => {
    const data = [by, ...others].map(
      ({ certificate }) => `<ds:X509Certificate>${certificate.raw.toString('base64')}</ds:X509Certificate>`,
    )
    return signForm(unsigned(issuer, replace(issuer.vihfSubject, 'CN=SIGNATURE,O=CH EXEMPLE,C=FR')), issuer, {
      key: by.key,
      method: ecdsa,
      keyInfo: `<ds:KeyInfo><ds:X509Data>${data.join('')}</ds:X509Data></ds:KeyInfo>`,
    })
  }
  const withLists = async (files: readonly string[], clock = testClock()) =>
    anIdentity({ trustedVihf: [{ certificate: root.pem }], vihf: { revocationLists: files }, clock })

  it('takes out the certificates it names, and no other', async () => {
    const other = await aCertificate(root)
    for (const write of [(der: Buffer) => der, listPem]) {
      const identity = await withLists([await inFile(write(await aRevocationList(root, { revoked: [other] })))])
      assert.equal((await identity.fromAssertion(alone(signed(leaf)))).kind, 'professional')
      await refused(identity.fromAssertion(alone(signed(other))), /is revoked/)
    }
  })

  it('takes out an authority and all below it', async () => {
    const between = await anAuthority('INTERMEDIAIRE', { issuer: root })
    const below = await aCertificate(between)
    const own = await inFile(await aRevocationList(between))
    const good = await withLists([own, await inFile(await aRevocationList(root))])
    assert.equal((await good.fromAssertion(alone(signed(below, [between])))).kind, 'professional')
    const bad = await withLists([own, await inFile(await aRevocationList(root, { revoked: [between] }))])
    await refused(bad.fromAssertion(alone(signed(below, [between]))), /is revoked/)
  })

  it('is needed for every authority once there is one', async () => {
    const between = await anAuthority('INTERMEDIAIRE', { issuer: root })
    const below = await aCertificate(between)
    const identity = await withLists([await inFile(await aRevocationList(root))])
    await refused(identity.fromAssertion(alone(signed(below, [between]))), /cannot be known/)
  })

  it('is believed only as long as it is fresh', async () => {
    const file = await inFile(await aRevocationList(root, { thisUpdate: at(-60), nextUpdate: at(600) }))
    const clock = testClock()
    const identity = await withLists([file], clock)
    const xml = signed(leaf)
    assert.equal((await identity.fromAssertion(alone(xml))).kind, 'professional')
    clock.offset = 700
    // The assertion itself is still good, and remembered
    await refused(identity.fromAssertion(alone(xml)), /cannot be known/)
    const future = await withLists([
      await inFile(await aRevocationList(root, { thisUpdate: at(300), nextUpdate: at(900) })),
    ])
    await refused(future.fromAssertion(alone(xml)), /cannot be known/)
  })

  it('takes out a certificate even when it has become old', async () => {
    const old = await aRevocationList(root, { revoked: [leaf], thisUpdate: at(-900), nextUpdate: at(-600) })
    const fresh = await aRevocationList(root)
    await refused(
      (await withLists([await inFile(old), await inFile(fresh)])).fromAssertion(alone(signed(leaf))),
      /is revoked/,
    )
  })

  it('is signed by the authority whose list it is', async () => {
    const impostor = await anAuthority('RACINE')
    const forged = await aRevocationList(root, { signer: impostor })
    await refused((await withLists([await inFile(forged)])).fromAssertion(alone(signed(leaf))), /cannot be known/)
    const mute = await anAuthority('RACINE', { usages: x509.KeyUsageFlags.keyCertSign })
    const below = await aCertificate(mute)
    const identity = await anIdentity({
      trustedVihf: [{ certificate: mute.pem }],
      vihf: { revocationLists: [await inFile(await aRevocationList(mute))] },
    })
    await refused(identity.fromAssertion(alone(signed(below))), /cannot be known/)
  })

  it('stops the start when it cannot be read or relied on, naming its file', async () => {
    const delta = new x509.Extension('2.5.29.27', true, new Uint8Array([0x02, 0x01, 0x01]))
    const cases = [
      await inFile('not a list'),
      await inFile(await aRevocationList(root, { extensions: [delta] })),
      await inFile((await aRevocationList(root)).subarray(0, 60)),
    ]
    for (const file of cases) {
      const start = createIdentity({ mode: 'development', issuer, vihf: { revocationLists: [file] } })
      await assert.rejects(
        start,
        (error: unknown) =>
          error instanceof RangeError && error.message.startsWith(`identity.vihf.revocationLists: ${file}: `),
      )
    }
  })
})
