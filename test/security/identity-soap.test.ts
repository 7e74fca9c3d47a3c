/** Attacks on the identity of SOAP requests, over real HTTP: every one is a fault, and none of them reads a record. */
import assert from 'node:assert/strict'
import { createHash, createHmac, generateKeyPairSync, type X509Certificate } from 'node:crypto'
import { mintVihf } from '../../src/identity/mint.ts'
import { replace, signed, signForm, unsigned } from '../identity/vihf-support.ts'
import {
  declared,
  type IdentityOptions,
  openGateway,
  people,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'
import { aCertificate, anAuthority } from '../support/pki.ts'
import type { XdsReply } from '../support/xds-client.ts'

const saml = 'urn:oasis:names:tc:SAML:2.0:assertion'
const wsse = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
const dsig = 'http://www.w3.org/2000/09/xmldsig#'

describe('SOAP identities under attack', () => {
  let gateway: TestGateway
  let patient: TestPatient
  /** Who the attacker wants to be: another professional. */
  const victim = people.colleague
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
  })
  after(() => gateway.close())

  const who = (identity: IdentityOptions): IdentityOptions => ({
    ...identity,
    ins: patient.ins,
    insSystem: patient.authority,
  })
  const mint = (identity: IdentityOptions): string => mintVihf(gateway.issuer, who(identity))
  /** The envelope of ITI-18 FindDocuments, with these characters where the assertion goes. */
  const envelope = (security: string): string => {
    const query = `<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"><query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/><AdhocQuery xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"><Slot name="$XDSDocumentEntryPatientId"><ValueList><Value>'${patient.ins}^^^&amp;${patient.authority}&amp;ISO^NH'</Value></ValueList></Slot><Slot name="$XDSDocumentEntryStatus"><ValueList><Value>('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')</Value></ValueList></Slot></AdhocQuery></query:AdhocQueryRequest>`
    const whole = gateway.xds.envelope(who(people.author), {
      transaction: 'ITI-18',
      body: query,
      consent: declared.careTeam,
    })
    const [before = '', after = ''] = whole.split(/<saml2:Assertion.*<\/saml2:Assertion>/s)
    return before + security + after
  }
  const post = (xml: string): Promise<XdsReply> =>
    gateway.xds.raw('ITI-18', 'application/soap+xml; charset=UTF-8', Buffer.from(xml))
  const ask = (security: string): Promise<XdsReply> => post(envelope(security))

  /** A fault of WS-Security that names no person, and no access on record. */
  const refused = async (
    attempt: Promise<XdsReply>,
    code: RegExp = /identity-invalid|InvalidSecurity/,
  ): Promise<string> => {
    const seen = (await gateway.records(patient)).length
    const { http, outcome } = await attempt
    assert.equal(outcome.ok, false)
    assert.match(http.bytes.toString(), /:Fault>/)
    assert.match(`${outcome.code} ${outcome.text}`, code)
    assert.doesNotMatch(http.bytes.toString(), /899700000|EXEMPLE Anne|BENALI/)
    assert.equal((await gateway.records(patient)).length, seen)
    return outcome.text
  }

  it('are answered when nothing is wrong with them', async () => {
    const { outcome } = await ask(mint(people.author))
    assert.equal(outcome.ok, true, outcome.text)
  })

  describe('by signature wrapping', () => {
    const good = (): string => mint(people.author)
    const parts = (xml: string) => {
      const [signature = ''] = /<ds:Signature.*<\/ds:Signature>/s.exec(xml) ?? []
      return { signature, bare: xml.replace(signature, '') }
    }
    /** What the victim would send, without a signature that the attacker cannot make; under this ID. */
    const forged = (id: string): string => parts(mint(victim)).bare.replace(/\bID="[^"]+"/, `ID="${id}"`)
    const idOf = (xml: string): string => /\bID="([^"]+)"/.exec(xml)?.[1] ?? ''
    const intoForged = (extra: string, id = '_evil'): string =>
      forged(id).replace('</saml2:Issuer>', `</saml2:Issuer>${extra}`)

    const forms: readonly (readonly [what: string, write: () => string])[] = [
      ['a forged assertion before the signed one', () => forged('_evil') + good()],
      ['a forged assertion after the signed one', () => good() + forged('_evil')],
      ['two copies of the signed one', () => good() + good()],
      ['the same one twice', () => ((xml) => xml + xml)(good())],
      ['the signed one inside a forged one', () => intoForged(good())],
      [
        'the signature in the forged one, the signed one inside it',
        () => ((xml) => intoForged(parts(xml).signature + parts(xml).bare))(good()),
      ],
      [
        'the signed one in an Object of the signature of the forged one',
        () =>
          ((xml) =>
            intoForged(
              parts(xml).signature.replace(
                '</ds:Signature>',
                `<ds:Object>${parts(xml).bare}</ds:Object></ds:Signature>`,
              ),
            ))(good()),
      ],
      [
        'the signed one in the KeyInfo of the signature of the forged one',
        () =>
          ((xml) => intoForged(parts(xml).signature.replace('<ds:KeyInfo>', `<ds:KeyInfo>${parts(xml).bare}`)))(good()),
      ],
      [
        'the forged one under the ID of the signed one, which stands inside',
        () => ((xml) => intoForged(parts(xml).signature + parts(xml).bare, idOf(xml)))(good()),
      ],
      [
        'the forged one in an Advice of the signed one',
        () =>
          ((xml) =>
            xml.replace(
              '<saml2:AuthnStatement',
              `<saml2:Advice>${forged('_evil')}</saml2:Advice><saml2:AuthnStatement`,
            ))(good()),
      ],
      [
        'the forged one in an Object of the signature of the signed one',
        () =>
          ((xml) => xml.replace('</ds:Signature>', `<ds:Object>${forged('_evil')}</ds:Object></ds:Signature>`))(good()),
      ],
      ['a second signature that holds, of something else', () => ((xml) => intoForged(parts(xml).signature))(good())],
      [
        'the signature of one assertion in another of the same ID',
        () => ((xml) => forged(idOf(xml)).replace('</saml2:Issuer>', `</saml2:Issuer>${parts(xml).signature}`))(good()),
      ],
      [
        'an extension element around the signed one',
        () => `<x:Extensions xmlns:x="urn:x">${good()}</x:Extensions>${forged('_evil')}`,
      ],
    ]
    for (const [what, write] of forms)
      it(`are refused: ${what}`, async () => {
        await refused(ask(write()))
      })

    it('are refused: the signed one elsewhere in the envelope, the forged one in wsse:Security', async () => {
      const xml = good()
      const inHeader = envelope(intoForged(parts(xml).signature)).replace(
        '</soap:Header>',
        `<x:Other xmlns:x="urn:x">${parts(xml).bare}</x:Other></soap:Header>`,
      )
      await refused(post(inHeader))
      const inBody = envelope(intoForged(parts(xml).signature)).replace(
        '<query:ResponseOption',
        `${parts(xml).bare}<query:ResponseOption`,
      )
      await refused(post(inBody))
    })

    it('are refused: the signed one anywhere but in wsse:Security', async () => {
      const moved = envelope('').replace('</soap:Header>', `<x:Other xmlns:x="urn:x">${good()}</x:Other></soap:Header>`)
      await refused(post(moved), /identity-missing/)
    })

    it('are refused: two wsse:Security', async () => {
      const twice = envelope(good()).replace(
        '</soap:Header>',
        `<wsse:Security xmlns:wsse="${wsse}">${forged('_evil')}</wsse:Security></soap:Header>`,
      )
      await refused(post(twice))
    })

    it('are refused: a Reference to the signed one by another identifier that the forged one carries too', async () => {
      const xml = good()
      for (const name of ['Id', 'id', 'xml:id'])
        await refused(ask(intoForged(parts(xml).signature).replace('ID="_evil"', `ID="_evil" ${name}="${idOf(xml)}"`)))
    })
  })

  describe('by what was signed and is read', () => {
    it('is the whole NameID, whatever comments and sections stand in it', async () => {
      for (const cut of ['<!-- -->', '<![CDATA[]]>']) {
        const xml = mint(people.author).replace('899700000001<', `8997${cut}00000001<`)
        const { outcome } = await ask(xml)
        const [record] = await gateway.records(patient)
        if (outcome.ok) assert.equal(record?.caller.person?.id, '899700000001')
      }
      // Signed for a longer identifier, a comment after the victim's: the rest is not lost
      const longer = mint({ ...people.author, id: '8997000000029' }).replace('8997000000029', '899700000002<!---->9')
      assert.equal((await ask(longer)).outcome.ok, true)
      assert.equal((await gateway.records(patient))[0]?.caller.person?.id, '8997000000029')
    })

    const tampering: readonly (readonly [what: string, from: string | RegExp, to: string])[] = [
      ['another person', '899700000001', '899700000002'],
      ['another structure', '1010099999', '1020099999'],
      ['another patient', /26005\d{10}\^/, '260059999999998^'],
      ['another purpose', 'code="normal"', 'code="bris_de_glace"'],
      ['a later end', /NotOnOrAfter="20\d\d/, 'NotOnOrAfter="2999'],
      ['another mode of authentication', '>DIRECTE<', '>INDIRECTE<'],
    ]
    for (const [what, from, to] of tampering)
      it(`is not what was changed afterwards: ${what}`, async () => {
        await refused(ask(replace(from, to)(mint(people.author))), /identity-invalid/)
      })

    it('holds one role and one purpose', async () => {
      const role = /(<saml2:AttributeValue><Role [^>]*code=")10("[^>]*\/><\/saml2:AttributeValue>)/
      const two = signed(gateway.issuer, replace(role, '$110$2$160$2'), who(people.author))
      await refused(ask(two), /identity-invalid/)
      const purpose = /(<saml2:AttributeValue><PurposeOfUse [^>]*code=")normal("[^>]*\/><\/saml2:AttributeValue>)/
      const both = signed(gateway.issuer, replace(purpose, '$1normal$2$1bris_de_glace$2'), who(people.author))
      await refused(ask(both), /identity-invalid/)
      const attribute =
        /<saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:subject:purposeofuse">.*?<\/saml2:Attribute>/
      const repeated = signed(gateway.issuer, replace(attribute, '$&$&'), who(people.author))
      await refused(ask(repeated), /identity-invalid/)
    })
  })

  describe('by signatures that prove nothing', () => {
    const form = (changes: Parameters<typeof signForm>[2]): string =>
      signForm(unsigned(gateway.issuer, undefined, who(people.author)), gateway.issuer, changes)

    it('are refused unsigned', async () => {
      await refused(ask(mint(people.author).replace(/<ds:Signature.*<\/ds:Signature>/s, '')), /not signed/)
    })

    it('are refused with weaker algorithms than agreed', async () => {
      const sha1 = `${dsig}rsa-sha1`
      await refused(ask(form({ method: sha1, hash: 'sha1' })), /SHA-1 is refused/)
      await refused(ask(form({ digestMethod: `${dsig}sha1`, digestHash: 'sha1' })), /SHA-1 is refused/)
      await refused(ask(form({ method: 'http://www.w3.org/2001/04/xmldsig-more#md5' })), /SignatureMethod/)
      await refused(ask(form({ method: '' })), /SignatureMethod/)
    })

    it('are refused with the public key as the key of a MAC', async () => {
      const xml = form({ method: `${dsig}hmac-sha256` })
      const [signedInfo = ''] = /<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(xml) ?? []
      const secret = gateway.issuer.vihfCertificate.publicKey.export({ type: 'spki', format: 'der' })
      const mac = createHmac('sha256', secret).update(signedInfo).digest('base64')
      await refused(ask(xml.replace(/<ds:SignatureValue>[^<]*/, `<ds:SignatureValue>${mac}`)), /SignatureMethod/)
    })

    it('are refused with a key or a certificate of their own', async () => {
      const own = generateKeyPairSync('rsa', { modulusLength: 2048 })
      await refused(ask(form({ key: own.privateKey })), /signature of the VIHF is not valid/)
      const { n = '', e = '' } = own.publicKey.export({ format: 'jwk' })
      const base64 = (value: string) => Buffer.from(value, 'base64url').toString('base64')
      const keyValue = `<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>${base64(n)}</ds:Modulus><ds:Exponent>${base64(e)}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>`
      await refused(ask(form({ key: own.privateKey, keyInfo: keyValue })), /X509Data is missing/)
      const impostor = await aCertificate(await anAuthority('RACINE'), {
        name: 'CN=EMETTEUR LOCAL,OU=IDENTITES DE TEST,O=DMP-GATEWAY DEVELOPPEMENT,C=FR',
      })
      const method = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256'
      await refused(ask(form({ key: impostor.key, certificate: impostor.certificate, method })), /not trusted/)
      // The trusted certificate beside the attacker's own
      const both = [impostor.certificate, gateway.issuer.vihfCertificate].map(
        (each: X509Certificate) => `<ds:X509Certificate>${each.raw.toString('base64')}</ds:X509Certificate>`,
      )
      const keyInfo = `<ds:KeyInfo><ds:X509Data>${both.join('')}</ds:X509Data></ds:KeyInfo>`
      await refused(ask(form({ key: impostor.key, method, keyInfo })), /not trusted/)
    })

    it('are refused with a digest of something else', async () => {
      const nothing = createHash('sha256').update('').digest('base64')
      await refused(
        ask(
          form({ references: (reference) => reference.replace(/<ds:DigestValue>[^<]*/, `<ds:DigestValue>${nothing}`) }),
        ),
        /digest/,
      )
      await refused(ask(form({ uri: '' })), /Reference/)
      await refused(
        ask(
          form({
            transforms: `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>true()</ds:XPath></ds:Transform>`,
          }),
        ),
        /Transforms/,
      )
    })
  })

  describe('out of time and place', () => {
    const at = (seconds: number, expiresSeconds = 3600): string =>
      mintVihf(gateway.issuer, { ...who(people.author), now: new Date(Date.now() + seconds * 1000), expiresSeconds })

    it('are refused expired', async () => {
      await refused(ask(mintVihf(gateway.issuer, { ...who(people.author), expiresSeconds: -3600 })), /identity-expired/)
    })
    it('are refused before their time', async () => {
      await refused(ask(at(600)), /not valid yet/)
    })
    it('are refused for another audience', async () => {
      const other = '<saml2:AudienceRestriction><saml2:Audience>urn:autre</saml2:Audience></saml2:AudienceRestriction>'
      const xml = signed(
        gateway.issuer,
        (text) => text.replace(/(<saml2:Conditions [^>]*?)\/>/, `$1>${other}</saml2:Conditions>`),
        who(people.author),
      )
      assert.match(xml, /urn:autre/)
      await refused(ask(xml), /AudienceRestriction/)
    })
    it('are refused for another patient, on record', async () => {
      const other = await gateway.patient()
      const bound = mintVihf(gateway.issuer, { ...people.author, ins: other.ins, insSystem: other.authority })
      const { outcome } = await ask(bound)
      assert.equal(outcome.ok, false)
      assert.equal(outcome.code, 'patient-mismatch')
      assert.equal((await gateway.records(patient))[0]?.outcome, 'refused')
    })
    it('are refused without an assertion', async () => {
      await refused(ask(''), /identity-missing/)
    })
  })

  it(`holds only the ${saml} that stands in wsse:Security to be an identity`, async () => {
    await refused(
      ask(mint(people.author).replaceAll(saml, 'urn:oasis:names:tc:SAML:1.0:assertion')),
      /identity-missing/,
    )
  })
})

describe('SOAP identities that may be used once', () => {
  it('are refused when they come again, through either door', async () => {
    await using gateway = await openGateway({ 'identity.vihf.refuseReplay': true })
    const patient = await gateway.patient()
    const vihf = mintVihf(gateway.issuer, { ...people.author, ins: patient.ins, insSystem: patient.authority })
    const search = `/DocumentReference?patient.identifier=${encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)}&status=current`
    const token = Buffer.from(vihf).toString('base64url')
    const first = await gateway.fhir.call({}, 'GET', search, { token, consent: declared.careTeam })
    assert.equal(first.status, 200, first.outcome.text)
    const second = await gateway.fhir.call({}, 'GET', search, { token, consent: declared.careTeam })
    assert.equal(second.status, 401)
    assert.match(second.outcome.text, /used before/)
    const found = await gateway.xds.find(people.author, patient, { consent: declared.careTeam })
    assert.equal(found.outcome.ok, true, found.outcome.text)
  })
})
