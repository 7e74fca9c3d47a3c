import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { DOMParser } from '@xmldom/xmldom'
import { type CertificateExtension, generate } from 'selfsigned'
import { SignedXml } from 'xml-crypto'
import type { LocalIssuer } from '../../src/identity/issuer.ts'
import { mintVihf, signAssertion } from '../../src/identity/mint.ts'
import type { Identity } from '../../src/operations/ports.ts'
import { anIdentity, anIssuer, now, refused } from './support.ts'
import { alone, defaults, inMessage, replace, type SignatureForm, signed, signForm, unsigned } from './vihf-support.ts'

const sha1 = 'http://www.w3.org/2000/09/xmldsig#sha1'
const more = 'http://www.w3.org/2001/04/xmldsig-more#'
const enveloped = '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>'
const c14n = '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'

describe('the signature of a VIHF', () => {
  let issuer: LocalIssuer
  let identity: Identity
  before(async () => {
    issuer = await anIssuer()
    identity = await anIdentity()
  })
  const form = (changes: SignatureForm): string => signForm(unsigned(issuer), issuer, changes)

  describe('holds', () => {
    it('wherever the assertion is pasted, whatever is declared around it', async () => {
      const xml = mintVihf(issuer, defaults)
      assert.ok(xml.startsWith('<saml2:Assertion '))
      const messages = [
        xml,
        `<Envelope xmlns="http://www.w3.org/2003/05/soap-envelope" xmlns:xs="urn:other" xmlns:ds="urn:other2"><Header>${xml}</Header></Envelope>`,
        `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns="urn:hl7-org:v3"><s:Header>\n  ${xml}\n</s:Header></s:Envelope>`,
      ]
      for (const message of messages)
        assert.equal((await identity.fromAssertion(inMessage(message))).kind, 'professional')
    })

    it('as a bearer token, in base64url', async () => {
      const token = Buffer.from(mintVihf(issuer, defaults)).toString('base64url')
      assert.equal((await identity.fromBearer(token)).proof, 'vihf')
      await refused(identity.fromBearer(Buffer.from('<a/>').toString('base64url')), /not a saml2:Assertion/)
      await refused(identity.fromBearer(Buffer.from('<a>').toString('base64url')), /cannot be read/)
      await refused(identity.fromBearer(Buffer.from('<!DOCTYPE a><a/>').toString('base64url')), /DOCTYPE/)
    })

    it('when PrefixList names the default namespace and a prefix declared around the assertion', async () => {
      const around = { '': 'urn:around', soap: 'http://www.w3.org/2003/05/soap-envelope' }
      const xml = form({ around, prefixes: ['ds', 'saml2', '#default', 'xsi', 'soap'] })
      assert.equal((await identity.fromAssertion({ xml, namespaces: around })).kind, 'professional')
      // Named and signed: without them it is another text
      await refused(identity.fromAssertion(alone(xml)), /digest/)
    })

    it('with each algorithm that is allowed', async () => {
      const digests = [
        ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
        [`${more}sha384`, 'sha384'],
        ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
      ] as const
      for (const hash of ['sha256', 'sha384', 'sha512'])
        for (const [digestMethod, digestHash] of digests) {
          const xml = form({ method: `${more}rsa-${hash}`, hash, digestMethod, digestHash })
          assert.equal((await identity.fromAssertion(alone(xml))).kind, 'professional')
        }
    })

    it('for xml-crypto too', () => {
      const xml = mintVihf(issuer, defaults)
      const document = new DOMParser().parseFromString(xml, 'text/xml')
      const verifier = new SignedXml({ publicCert: issuer.vihfCertificate.toString(), getCertFromKeyInfo: () => null })
      const element = document.getElementsByTagNameNS('http://www.w3.org/2000/09/xmldsig#', 'Signature').item(0)
      assert.ok(element)
      verifier.loadSignature(element)
      assert.equal(verifier.checkSignature(xml), true)
    })

    it('when xml-crypto made it', async () => {
      const { head, tail } = unsigned(issuer)
      const signer = new SignedXml({
        privateKey: issuer.vihfKey.export({ type: 'pkcs8', format: 'pem' }),
        publicCert: issuer.vihfCertificate.toString(),
        canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
        signatureAlgorithm: `${more}rsa-sha256`,
        idAttribute: 'ID',
      })
      signer.addReference({
        xpath: '/*',
        digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
        transforms: [
          'http://www.w3.org/2000/09/xmldsig#enveloped-signature',
          'http://www.w3.org/2001/10/xml-exc-c14n#',
        ],
      })
      signer.computeSignature(head + tail, {
        location: { reference: "/*/*[local-name(.)='Issuer']", action: 'after' },
      })
      assert.equal((await identity.fromAssertion(alone(signer.getSignedXml()))).kind, 'professional')
    })
  })

  describe('is refused', () => {
    it('when an attribute was changed after signing', async () => {
      const xml = mintVihf(issuer, defaults)
      const edits = [
        replace('>1010099999<', '>1010099998<'),
        replace('>899700000001<', '>899700000002<'),
        replace('code="10"', 'code="60"'),
        replace('260059999999999', '260059999999998'),
        replace('Version="2.0"', 'Version="2.0" extra="1"'),
        replace('</saml2:Assertion>', ' </saml2:Assertion>'),
        replace('xmlns:xs="http://www.w3.org/2001/XMLSchema"', 'xmlns:xs="urn:other"'),
      ]
      for (const edit of edits) await refused(identity.fromAssertion(alone(edit(xml))), /digest/)
    })

    it('when SignedInfo or its value was changed', async () => {
      const xml = mintVihf(issuer, defaults)
      const other = (tag: string): string =>
        xml.replace(
          new RegExp(`(<ds:${tag}>)(.)`),
          (_, start: string, first: string) => start + (first === 'A' ? 'B' : 'A'),
        )
      await refused(identity.fromAssertion(alone(other('DigestValue'))), /signature/)
      await refused(identity.fromAssertion(alone(other('SignatureValue'))), /signature/)
      const values = [
        replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'),
        replace(/(<ds:SignatureValue>)/, '$1*'),
      ]
      for (const value of values) await refused(identity.fromAssertion(alone(value(xml))), /SignatureValue: base64/)
    })

    it('when there is none', async () => {
      const { head, tail } = unsigned(issuer)
      await refused(identity.fromAssertion(alone(head + tail)), /not signed/)
    })

    it('with SHA-1, in the signature or in the digest', async () => {
      await refused(
        identity.fromAssertion(alone(form({ method: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1', hash: 'sha1' }))),
        /SHA-1/,
      )
      await refused(identity.fromAssertion(alone(form({ digestMethod: sha1, digestHash: 'sha1' }))), /SHA-1/)
    })

    it('with an algorithm that is not that of the key', async () => {
      await refused(identity.fromAssertion(alone(form({ method: `${more}ecdsa-sha256` }))), /SignatureMethod/)
      await refused(identity.fromAssertion(alone(form({ method: `${more}hmac-sha256` }))), /SignatureMethod/)
      await refused(identity.fromAssertion(alone(form({ method: 'constructor' }))), /SignatureMethod/)
    })

    it('with another canonicalization, comments included', async () => {
      for (const method of [
        'http://www.w3.org/2001/10/xml-exc-c14n#WithComments',
        'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
      ])
        await refused(identity.fromAssertion(alone(form({ c14n: method }))), /CanonicalizationMethod/)
    })

    it('with any other list of transforms', async () => {
      const lists = [
        c14n,
        enveloped,
        c14n + enveloped,
        enveloped + c14n + c14n,
        enveloped + enveloped + c14n,
        `${enveloped}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>self::text()</ds:XPath></ds:Transform>`,
        `${enveloped}<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>`,
      ]
      for (const transforms of lists)
        await refused(identity.fromAssertion(alone(form({ transforms, prefixes: [] }))), /Transforms/)
    })

    it('when its Reference is to anything but the assertion', async () => {
      for (const uri of ['', '#other', 'http://example.org/a.xml', '#xpointer(/)']) {
        const xml = signForm(unsigned(issuer), issuer, { uri })
        await refused(identity.fromAssertion(alone(xml)), /Reference/)
      }
    })

    it('with no Reference, or two', async () => {
      await refused(identity.fromAssertion(alone(form({ references: () => '' }))), /Reference/)
      await refused(identity.fromAssertion(alone(form({ references: (reference) => reference + reference }))), /twice/)
    })

    it('without a certificate, or with something that is none', async () => {
      await refused(identity.fromAssertion(alone(form({ keyInfo: '' }))), /KeyInfo/)
      await refused(
        identity.fromAssertion(alone(form({ keyInfo: '<ds:KeyInfo><ds:X509Data/></ds:KeyInfo>' }))),
        /X509Certificate/,
      )
      await refused(identity.fromAssertion(alone(form({ certificate: 'AAAA' }))), /certificate/)
    })
  })

  describe('cannot be wrapped', () => {
    const evil = replace('>899700000001<', '>899700000666<')

    it('around a forged assertion that keeps the signed one inside', async () => {
      const genuine = mintVihf(issuer, defaults)
      const signature = /<ds:Signature .*<\/ds:Signature>/s.exec(genuine)?.[0] ?? ''
      const stripped = genuine.replace(signature, '')
      const forged = (inner: string, id: string) =>
        evil(stripped)
          .replace(/ID="[^"]*"/, `ID="${id}"`)
          .replace('</saml2:Issuer>', `</saml2:Issuer>${inner}`)
      const id = /ID="([^"]*)"/.exec(genuine)?.[1] ?? ''
      const attempts = [
        // the signed one as a sibling of the signature, in an Object, in an extension, with the same ID or another
        forged(signature.replace('</ds:Signature>', `<ds:Object>${stripped}</ds:Object></ds:Signature>`), '_evil'),
        forged(signature.replace('</ds:Signature>', `<ds:Object>${stripped}</ds:Object></ds:Signature>`), id),
        forged(`<x>${genuine}</x>`, '_evil'),
        forged(`${signature}<x>${stripped}</x>`, '_evil'),
        forged(`${signature}<x>${stripped}</x>`, id),
        forged(signature, '_evil'),
        forged(signature, id),
      ]
      for (const attempt of attempts) await refused(identity.fromAssertion(alone(attempt)), /./)
    })

    it('by a second element with the same identifier', async () => {
      for (const name of ['ID', 'Id', 'id', 'xml:id']) {
        const { id, head, tail } = unsigned(issuer)
        const twice = tail.replace('<saml2:Subject>', `<saml2:Subject ${name}="${id}">`)
        const xml = signAssertion({ id, head, tail: twice }, issuer.vihfKey, issuer.vihfCertificate)
        await refused(identity.fromAssertion(alone(xml)), /another element/)
      }
    })

    it('by a second signature', async () => {
      const xml = mintVihf(issuer, defaults)
      const signature = /<ds:Signature .*<\/ds:Signature>/s.exec(xml)?.[0] ?? ''
      const places = [
        replace('</saml2:Issuer>', `</saml2:Issuer>${signature}`),
        replace('</saml2:Subject>', `${signature}</saml2:Subject>`),
      ]
      for (const place of places) await refused(identity.fromAssertion(alone(place(xml))), /more than one/)
      await refused(
        identity.fromAssertion(
          alone(xml.replace(signature, '').replace('</saml2:Subject>', `${signature}</saml2:Subject>`)),
        ),
        /not signed/,
      )
    })

    it('by two assertions in one source, or by another root', async () => {
      const xml = mintVihf(issuer, defaults)
      await refused(identity.fromAssertion(alone(xml + xml)), /cannot be read/)
      await refused(identity.fromAssertion(alone(`<w>${xml}</w>`)), /saml2:Assertion/)
      await refused(identity.fromAssertion(alone(`<!DOCTYPE a [<!ENTITY e "x">]>${xml}`)), /cannot be read/)
    })

    it('by a comment that cuts a NameID in two', async () => {
      const xml = signed(issuer, replace('>899700000001<', '>899700000<!-- -->001<'))
      assert.equal((await identity.fromAssertion(alone(xml))).person?.id, '899700000001')
      const later = replace('>899700000001<', '>8997000<!--x-->00001<')(mintVihf(issuer, defaults))
      assert.equal((await identity.fromAssertion(alone(later))).person?.id, '899700000001')
    })

    it('by what canonical text writes differently', async () => {
      const xml = replace('>899700000001<', '><![CDATA[8997]]>&#48;0000001<')(mintVihf(issuer, defaults))
      assert.equal((await identity.fromAssertion(alone(xml))).person?.id, '899700000001')
    })

    it('by size or depth', async () => {
      const big = replace('</saml2:Issuer>', `</saml2:Issuer>${'<a>'.repeat(40)}${'</a>'.repeat(40)}`)
      await refused(identity.fromAssertion(alone(signed(issuer, big))), /deeper/)
      await refused(identity.fromAssertion(alone(`${mintVihf(issuer, defaults)}${' '.repeat(300_000)}`)), /characters/)
    })
  })

  describe('is that of a trusted certificate', () => {
    const certificate = async (
      extensions: CertificateExtension[],
      ca?: { key: string; cert: string },
      dates: { from?: Date; to?: Date } = {},
    ) => {
      const made = await generate(
        [
          { shortName: 'C', value: 'FR' },
          { shortName: 'O', value: 'CH EXEMPLE' },
          { shortName: 'CN', value: ca ? 'SIGNATURE' : 'AC' },
        ],
        {
          keyType: 'ec',
          algorithm: 'sha256',
          extensions,
          notBeforeDate: dates.from ?? new Date(now.getTime() - 3_600_000),
          notAfterDate: dates.to ?? new Date(now.getTime() + 86_400_000),
          ...(ca === undefined ? {} : { ca }),
        },
      )
      return { key: made.private, cert: made.cert }
    }
    const authority = (): ReturnType<typeof certificate> =>
      certificate([
        { name: 'basicConstraints', cA: true, critical: true },
        { name: 'keyUsage', keyCertSign: true },
      ])
    const signWith = ({ key, cert }: { key: string; cert: string }, name = 'CN=SIGNATURE,O=CH EXEMPLE,C=FR'): string =>
      signForm(unsigned(issuer, replace(issuer.vihfSubject, name)), issuer, {
        key: createPrivateKey(key),
        certificate: new X509Certificate(cert),
        method: `${more}ecdsa-sha256`,
      })

    it('given by itself, with an EC key', async () => {
      const ca = await authority()
      const leaf = await certificate([{ name: 'keyUsage', digitalSignature: true }], ca)
      const trusting = await anIdentity({ trustedVihf: [{ certificate: leaf.cert }] })
      assert.equal((await trusting.fromAssertion(alone(signWith(leaf)))).kind, 'professional')
      await refused(identity.fromAssertion(alone(signWith(leaf))), /not trusted/)
    })

    it('issued by a trusted authority', async () => {
      const ca = await authority()
      const leaf = await certificate([{ name: 'keyUsage', nonRepudiation: true }], ca)
      const trusting = await anIdentity({ trustedVihf: [{ certificate: ca.cert }] })
      const xml = signWith(leaf)
      assert.equal((await trusting.fromAssertion(alone(xml))).kind, 'professional')
      const other = await authority()
      const elsewhere = await anIdentity({ trustedVihf: [{ certificate: other.cert }] })
      await refused(elsewhere.fromAssertion(alone(xml)), /not trusted/)
    })

    it('and not the certificate of another key of the same name', async () => {
      const ca = await authority()
      const trusted = await certificate([{ name: 'keyUsage', digitalSignature: true }], ca)
      const forger = await certificate([{ name: 'keyUsage', digitalSignature: true }], await authority())
      const trusting = await anIdentity({ trustedVihf: [{ certificate: trusted.cert }] })
      await refused(trusting.fromAssertion(alone(signWith(forger))), /not trusted/)
      await refused(
        trusting.fromAssertion(alone(signWith({ key: forger.key, cert: trusted.cert }))),
        /signature of the VIHF/,
      )
    })

    it('made for signature, not for authentication', async () => {
      const ca = await authority()
      const trusting = await anIdentity({ trustedVihf: [{ certificate: ca.cert }] })
      const uses: CertificateExtension[][] = [
        [
          { name: 'keyUsage', digitalSignature: true },
          { name: 'extKeyUsage', clientAuth: true },
        ],
        [{ name: 'keyUsage', keyEncipherment: true }],
        [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', digitalSignature: true, keyCertSign: true },
        ],
      ]
      for (const use of uses)
        await refused(
          trusting.fromAssertion(alone(signWith(await certificate(use, ca)))),
          /Not a valid signature certificate/,
        )
    })

    it('within its validity', async () => {
      const ca = await authority()
      const past = await certificate([{ name: 'keyUsage', digitalSignature: true }], ca, {
        to: new Date(now.getTime() - 600_000),
      })
      const future = await certificate([{ name: 'keyUsage', digitalSignature: true }], ca, {
        from: new Date(now.getTime() + 600_000),
      })
      const trusting = await anIdentity({ trustedVihf: [{ certificate: ca.cert }] })
      for (const leaf of [past, future])
        await refused(trusting.fromAssertion(alone(signWith(leaf))), /not valid at this time/)
    })

    it('whose subject is the Issuer, in whatever order it is written', async () => {
      const leaf = await certificate([{ name: 'keyUsage', digitalSignature: true }], await authority())
      const trusting = await anIdentity({ trustedVihf: [{ certificate: leaf.cert }] })
      for (const name of ['C=FR, O=CH EXEMPLE, CN=SIGNATURE', 'cn=signature;o="CH  Exemple";c=fr'])
        assert.equal((await trusting.fromAssertion(alone(signWith(leaf, name)))).kind, 'professional')
      for (const name of ['CN=SIGNATURE,O=CH AUTRE,C=FR', 'CN=SIGNATURE,C=FR', 'CN=SIGNATURE,C=FR,O=CH EXEMPLE'])
        await refused(trusting.fromAssertion(alone(signWith(leaf, name))), /Issuer is not the subject/)
      await refused(trusting.fromAssertion(alone(signWith(leaf, 'CH EXEMPLE'))), /Issuer/)
    })
  })

  it('of published assertions does not hold', async function () {
    const folder = path.resolve('..', 'shared', 'samples', 'saml')
    if (!existsSync(folder)) return this.skip()
    for (const file of readdirSync(folder)) {
      const source = inMessage(readFileSync(path.join(folder, file), 'utf8'))
      await refused(identity.fromAssertion(source), /KeyInfo|X509Certificate/)
    }
  })
})
