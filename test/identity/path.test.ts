import assert from 'node:assert/strict'
import type { LocalIssuer } from '../../src/identity/index.ts'
import { aCertificate, anAuthority, type Certified, x509 } from '../support/pki.ts'
import { anIdentity, anIssuer, now, refused } from './support.ts'
import { alone, replace, signForm, unsigned } from './vihf-support.ts'

const ecdsa = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'
const subject = 'CN=SIGNATURE,O=CH EXEMPLE,C=FR'
const { keyCertSign, cRLSign, digitalSignature } = x509.KeyUsageFlags

describe('the authorities above a VIHF certificate', () => {
  let issuer: LocalIssuer
  before(async () => {
    issuer = await anIssuer()
  })

  /** A VIHF signed by `leaf`, with these certificates in X509Data. */
  const signedBy = (leaf: Certified, others: readonly Certified[] = []): string => {
    const certificates = [leaf, ...others].map(
      ({ certificate }) => `<ds:X509Certificate>${certificate.raw.toString('base64')}</ds:X509Certificate>`,
    )
    return signForm(unsigned(issuer, replace(issuer.vihfSubject, subject)), issuer, {
      key: leaf.key,
      method: ecdsa,
      keyInfo: `<ds:KeyInfo><ds:X509Data>${certificates.join('')}</ds:X509Data></ds:KeyInfo>`,
    })
  }

  const trusting = (...anchors: readonly Certified[]) =>
    anIdentity({ trustedVihf: anchors.map(({ pem }) => ({ certificate: pem })) })

  /** A chain of authorities, each below the one before it. */
  const chain = async (length: number, form: Parameters<typeof anAuthority>[1] = {}): Promise<Certified[]> => {
    const authorities = [await anAuthority('RACINE')]
    for (let level = 1; level <= length; level++) {
      const above = authorities.at(-1)
      if (above !== undefined) authorities.push(await anAuthority(`NIVEAU ${level}`, { ...form, issuer: above }))
    }
    return authorities
  }

  for (const length of [0, 1, 3])
    it(`are followed through ${length} intermediates, in whatever order they stand`, async () => {
      const [root, ...between] = await chain(length)
      const last = between.at(-1) ?? root
      assert.ok(root && last)
      const leaf = await aCertificate(last)
      const identity = await trusting(root)
      for (const order of [between, between.toReversed(), [...between, root]]) {
        const { kind } = await identity.fromAssertion(alone(signedBy(leaf, order)))
        assert.equal(kind, 'professional')
      }
    })

  it('may be trusted from the middle on', async () => {
    const [, middle, last] = await chain(2)
    assert.ok(middle && last)
    const leaf = await aCertificate(last)
    assert.equal((await (await trusting(middle)).fromAssertion(alone(signedBy(leaf, [last])))).kind, 'professional')
  })

  it('are followed through three and no more', async () => {
    const [root, ...between] = await chain(4)
    const last = between.at(-1)
    assert.ok(root && last)
    const leaf = await aCertificate(last)
    await refused((await trusting(root)).fromAssertion(alone(signedBy(leaf, between))), /not trusted here/)
  })

  it('all stand there: one that is missing breaks the path', async () => {
    const [root, first, second] = await chain(2)
    assert.ok(root && first && second)
    const leaf = await aCertificate(second)
    const identity = await trusting(root)
    for (const others of [[], [first], [second]])
      await refused(identity.fromAssertion(alone(signedBy(leaf, others))), /not trusted here/)
  })

  it('are no more than five beside the signer', async () => {
    const [root, ...between] = await chain(3)
    const last = between.at(-1)
    assert.ok(root && last)
    const leaf = await aCertificate(last)
    const padded = [...between, root, root, root]
    await refused((await trusting(root)).fromAssertion(alone(signedBy(leaf, padded))), /at most 6 certificates/)
  })

  const unfit: readonly (readonly [why: string, form: Parameters<typeof anAuthority>[1]])[] = [
    ['is no authority (no basicConstraints)', { ca: false }],
    ['may not sign certificates', { usages: cRLSign }],
    ['has expired', { notAfter: new Date(now.getTime() - 600_000) }],
    ['is not valid yet', { notBefore: new Date(now.getTime() + 600_000) }],
    [
      'carries a critical extension that is not understood (name constraints)',
      { extensions: [new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, 0x00]))] },
    ],
  ]
  for (const [why, form] of unfit)
    it(`are refused where one ${why}`, async () => {
      const root = await anAuthority('RACINE')
      const between = await anAuthority('INTERMEDIAIRE', { issuer: root, usages: keyCertSign, ...form })
      const leaf = await aCertificate(between)
      const attempt = (await trusting(root)).fromAssertion(alone(signedBy(leaf, [between])))
      await refused(attempt, /not trusted here|not valid at this time/)
    })

  it('keep to the length of path that each allows', async () => {
    const root = await anAuthority('RACINE', { pathLength: 0 })
    const between = await anAuthority('INTERMEDIAIRE', { issuer: root })
    const identity = await trusting(root)
    await refused(identity.fromAssertion(alone(signedBy(await aCertificate(between), [between]))), /not trusted here/)
    const direct = await aCertificate(root)
    assert.equal((await identity.fromAssertion(alone(signedBy(direct)))).kind, 'professional')
  })

  it('do not include a certificate of an end entity that signs another', async () => {
    const root = await anAuthority('RACINE')
    const leaf = await aCertificate(root, {
      name: 'CN=FEUILLE,O=CH EXEMPLE,C=FR',
      usages: digitalSignature | keyCertSign,
    })
    const forged = await aCertificate(leaf)
    await refused((await trusting(root)).fromAssertion(alone(signedBy(forged, [leaf]))), /not trusted here/)
  })

  it('do not include an authority of the same name with another key', async () => {
    const root = await anAuthority('RACINE')
    const impostor = await anAuthority('RACINE')
    const leaf = await aCertificate(impostor)
    await refused((await trusting(root)).fromAssertion(alone(signedBy(leaf, [impostor]))), /not trusted here/)
  })
})
