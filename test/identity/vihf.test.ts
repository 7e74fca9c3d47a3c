import assert from 'node:assert/strict'
import type { Caller } from '../../src/access/caller.ts'
import { createIdentity } from '../../src/identity/index.ts'
import type { LocalIssuer } from '../../src/identity/issuer.ts'
import type { IdentityOptions } from '../../src/identity/test-identity.ts'
import { anIdentity, anIssuer, now, refused, testClock } from './support.ts'
import { alone, type Edit, replace, signed } from './vihf-support.ts'

const subjectRole = 'urn:oasis:names:tc:xacml:2.0:subject:role'
const at = testClock()
const time = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString()

function attribute(name: string, value: string): string {
  return `<saml2:Attribute Name="${name}"><saml2:AttributeValue xsi:type="xs:string">${value}</saml2:AttributeValue></saml2:Attribute>`
}
/** Takes a whole attribute away. */
function without(name: string): Edit {
  return replace(new RegExp(`<saml2:Attribute Name="${name.replaceAll('.', '\\.')}">.*?</saml2:Attribute>`, 's'), '')
}
function add(xml: string): Edit {
  return replace('</saml2:AttributeStatement>', `${xml}</saml2:AttributeStatement>`)
}
function value(name: string, to: string): Edit {
  return replace(
    new RegExp(`(Name="${name.replaceAll('.', '\\.')}"><saml2:AttributeValue xsi:type="xs:string">)[^<]*`),
    `$1${to}`,
  )
}
const role = (code: string, system: string): string =>
  `<saml2:AttributeValue><Role xmlns="urn:hl7-org:v3" xsi:type="CE" code="${code}" codeSystem="${system}" displayName="x"/></saml2:AttributeValue>`
function roles(...values: string[]): Edit {
  return replace(/(subject:role">).*?(<\/saml2:Attribute>)/s, `$1${values.join('')}$2`)
}
const both =
  (...edits: Edit[]): Edit =>
  (xml) =>
    edits.reduce((text, edit) => edit(text), xml)

describe('a VIHF identity', () => {
  let issuer: LocalIssuer
  before(async () => {
    issuer = await anIssuer()
  })
  beforeEach(() => {
    at.offset = 0
  })
  const present = async (edit?: Edit, options?: IdentityOptions): Promise<Caller> =>
    (await anIdentity({ clock: at })).fromAssertion(alone(signed(issuer, edit, options)))

  it('becomes a caller with everything it says', async () => {
    const caller = await present(undefined, {
      authentication: 'air',
      specialities: ['SM59'],
      purpose: 'bris_de_glace',
      reason: 'patient inconscient, identifié',
      regulation: true,
    })
    assert.match(caller.tokenId ?? '', /^_/)
    assert.deepEqual(
      { ...caller, tokenId: undefined },
      {
        kind: 'professional',
        authentication: 'air',
        person: { id: '899700000001', name: 'DUPONT Anne' },
        structure: { id: '1010099999', name: 'CH EXEMPLE' },
        profession: { code: '10', system: '1.2.250.1.71.1.2.7', display: 'Médecin' },
        specialities: [{ code: 'SM59', system: '1.2.250.1.71.4.2.5', display: 'SM59' }],
        sector: 'SA01',
        purposeOfUse: 'bris_de_glace',
        reason: 'patient inconscient, identifié',
        regulation: true,
        patient: '1.2.250.1.213.1.4.10|260059999999999',
        secretConnection: false,
        proof: 'vihf',
        tokenId: undefined,
      },
    )
  })

  it('is what its first role says', async () => {
    const kinds = await Promise.all(
      (['professional', 'staff', 'structure', 'patient', 'representative', 'system'] as const).map(async (kind) => [
        kind,
        (await present(undefined, { kind })).kind,
      ]),
    )
    for (const [asked, got] of kinds) assert.equal(got, asked)
    assert.equal((await present(undefined, { kind: 'structure' })).person, undefined)
  })

  it('is social care too: R94, R22, and an actor known by role', async () => {
    assert.equal((await present(undefined, { profession: '41' })).profession?.system, '1.2.250.1.213.1.6.1.4')
    assert.equal((await present(undefined, { profession: 'GENR08' })).profession?.system, '1.2.250.1.213.1.6.1.19')
    const known = roles(role('99', '1.2.250.1.213.1.6.1.140'), role('GENR09', '1.2.250.1.213.1.6.1.19'))
    assert.equal((await present(known)).profession?.code, 'GENR09')
  })

  it('knows both spellings of the authentication mode, but not both at once', async () => {
    const other = replace('"Authentification_mode"', '"Authentification_Mode"')
    assert.equal((await present(other, { authentication: 'indirect' })).authentication, 'indirect')
    await refused(present(add(attribute('Authentification_Mode', 'DIRECTE'))), /both spellings/)
  })

  it('knows the secret connection of a minor', async () => {
    const code = (value: string) =>
      `<saml2:Attribute Name="urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code"><saml2:AttributeValue><C xmlns="urn:hl7-org:v3" code="${value}" codeSystem="1.2.250.1.213.1.1.4.13"/></saml2:AttributeValue></saml2:Attribute>`
    assert.equal((await present(add(code('INVISIBLE_REPRESENTANTS_LEGAUX')))).secretConnection, true)
    await refused(present(add(code('MASQUE_PS'))), /confidentiality-code/)
  })

  it('needs no name in direct authentication, and needs one behind a structure', async () => {
    const nameless = without('urn:oasis:names:tc:xspa:1.0:subject:subject-id')
    assert.equal((await present(nameless)).person?.name, undefined)
    await refused(present(nameless, { authentication: 'air' }), /subject-id is missing/)
  })

  it('ignores attributes it does not know', async () => {
    await present(add(attribute('LPS_ID', 'x') + attribute('other', 'y') + attribute('other', 'z')))
  })

  describe('is refused', () => {
    const required = [
      'Identifiant_Structure',
      'Secteur_Activite',
      subjectRole,
      'VIHF_Version',
      'Authentification_mode',
      'Ressource_URN',
      'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
      'LPS_Nom',
      'LPS_Version',
      'LPS_ID_HOMOLOGATION_DMP',
    ]
    for (const name of required)
      it(`without ${name}, naming it`, async () => {
        await refused(present(without(name)), new RegExp(`^${name.replaceAll('.', '\\.')} is missing`))
      })
    for (const name of ['Identifiant_Structure', 'Authentification_mode', 'Mode_Acces_Raison'])
      it(`with ${name} twice`, async () => {
        const edit = add(attribute(name, '1') + attribute(name, '1'))
        await refused(
          present(both(name === 'Mode_Acces_Raison' ? (xml) => xml : without(name), edit)),
          new RegExp(name),
        )
      })
    const wrong: readonly (readonly [what: string, edit: Edit, detail: RegExp])[] = [
      ['another VIHF version', value('VIHF_Version', '2.0'), /VIHF_Version/],
      ['another resource', value('Ressource_URN', 'urn:msp'), /Ressource_URN/],
      ['another authentication mode', value('Authentification_mode', 'constructor'), /Authentification_mode/],
      ['a sector of another system', value('Secteur_Activite', 'SA01^1.2.3'), /Secteur_Activite/],
      [
        'a resource-id that is no CX',
        value('urn:oasis:names:tc:xacml:2.0:resource:resource-id', '2600599'),
        /resource-id/,
      ],
      ['a structure that is none', value('Identifiant_Structure', 'CH &amp; co'), /Identifiant_Structure/],
      ['a NameID that is no PS_IdNat', replace('>899700000001<', '>Anne<'), /NameID/],
      ['an empty NameID', replace('>899700000001<', '> <'), /NameID/],
      ['an element in NameID', replace('>899700000001<', '>899700000001<a/><'), /NameID/],
      ['two subjects', replace('</saml2:Subject>', '</saml2:Subject><saml2:Subject/>'), /Subject is given twice/],
      [
        'two values where there is one',
        replace(
          'xsi:type="xs:string">urn:dmp',
          'xsi:type="xs:string">a</saml2:AttributeValue><saml2:AttributeValue>urn:dmp',
        ),
        /Ressource_URN/,
      ],
      ['another access mode', replace('code="normal"', 'code="always"'), /purposeofuse/],
      [
        'an access mode of another system',
        replace('1.2.250.1.213.1.1.4.248', '1.2.250.1.213.1.1.4.336'),
        /purposeofuse/,
      ],
      ['a reason of any length', add(attribute('Mode_Acces_Raison', 'x'.repeat(1025))), /Mode_Acces_Raison/],
      [
        'two professions',
        roles(role('10', '1.2.250.1.71.1.2.7'), role('60', '1.2.250.1.71.1.2.7'), role('SM26', '1.2.250.1.71.4.2.5')),
        /two professions/,
      ],
      ['a speciality without profession', roles(role('SM26', '1.2.250.1.71.4.2.5')), /first value/],
      [
        'a profession and an automaton',
        roles(role('60', '1.2.250.1.71.1.2.7'), role('AUTOMATE', '1.2.250.1.213.1.1.4.6')),
        /two kinds/,
      ],
      ['a role of an unknown system', roles(role('60', '1.2.250.1.71.1.2.7'), role('x', '1.2.3')), /role system/],
      ['a producer that is no caller', roles(role('ALIM_AM', '1.2.250.1.213.1.1.4.6')), /first value/],
      ['a role without code', roles(role('', '1.2.250.1.71.1.2.7')), /code and codeSystem/],
      ['a role that is no Role', replace('<Role ', '<Rule '), /Role element/],
      ['a physician without speciality', roles(role('10', '1.2.250.1.71.1.2.7')), /Spécialité obligatoire/],
      ['a pharmacist without section', roles(role('21', '1.2.250.1.71.1.2.7')), /Spécialité obligatoire/],
      [
        'a physician whose only speciality is a function',
        roles(role('10', '1.2.250.1.71.1.2.7'), role('FON-29', '1.2.250.1.213.1.6.1.17')),
        /Spécialité obligatoire/,
      ],
      ['an automaton with a card', roles(role('AUTOMATE', '1.2.250.1.213.1.1.4.6')), /indirect/],
      ['another SAML version', replace('Version="2.0"', 'Version="1.1"'), /Version/],
      ['an issuer of another format', replace('X509SubjectName', 'unspecified'), /Format/],
      [
        'no authentication statement',
        replace(/<saml2:AuthnStatement.*<\/saml2:AuthnStatement>/s, ''),
        /AuthnStatement/,
      ],
      [
        'a condition that is not understood',
        replace(/<saml2:Conditions([^>]*)\/>/, '<saml2:Conditions$1><saml2:OneTimeUse/></saml2:Conditions>'),
        /OneTimeUse/,
      ],
      [
        'another audience',
        replace(
          /<saml2:Conditions([^>]*)\/>/,
          '<saml2:Conditions$1><saml2:AudienceRestriction><saml2:Audience>urn:x</saml2:Audience></saml2:AudienceRestriction></saml2:Conditions>',
        ),
        /Audience/,
      ],
      [
        'a holder-of-key confirmation',
        replace(
          '</saml2:NameID>',
          '</saml2:NameID><saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"/>',
        ),
        /bearer/,
      ],
    ]
    for (const [what, edit, detail] of wrong)
      it(`with ${what}`, async () => {
        await refused(present(edit), detail)
      })

    it('with a kind of the development issuer, signed by another', async () => {
      const xml = signed(issuer, undefined, { kind: 'system' })
      const certificate = issuer.vihfCertificate.toString()
      const identity = await createIdentity({ mode: 'production', trustedVihf: [{ certificate }], clock: at })
      await refused(identity.fromAssertion(alone(xml)), /development issuer/)
    })

    it('from the development issuer in production', async () => {
      const identity = await createIdentity({ mode: 'production', clock: at })
      await refused(identity.fromAssertion(alone(signed(issuer))), /not trusted/)
    })

    it('with a patient of a test authority in production', async () => {
      const trustedVihf = [{ certificate: issuer.vihfCertificate.toString() }]
      const identity = await createIdentity({ mode: 'production', trustedVihf, clock: at })
      await refused(identity.fromAssertion(alone(signed(issuer))), /test authority/)
      await identity.fromAssertion(alone(signed(issuer, undefined, { insSystem: '1.2.250.1.213.1.4.8' })))
    })
  })

  it('is accepted with our audience, and with a bearer confirmation that holds', async () => {
    const audience =
      '<saml2:AudienceRestriction><saml2:Audience>urn:dmp-gateway</saml2:Audience></saml2:AudienceRestriction>'
    await present(replace(/<saml2:Conditions([^>]*)\/>/, `<saml2:Conditions$1>${audience}</saml2:Conditions>`))
    const bearer = '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>'
    await present(replace('</saml2:NameID>', `</saml2:NameID>${bearer}`))
  })

  describe('in time', () => {
    const noConditions = replace(/<saml2:Conditions[^>]*\/>/, '')
    const issuedAt =
      (seconds: number): Edit =>
      (xml) =>
        xml.replaceAll(now.toISOString(), time(seconds))

    it('holds from NotBefore to NotOnOrAfter, with the skew', async () => {
      const window = replace(
        /<saml2:Conditions[^>]*\/>/,
        `<saml2:Conditions NotBefore="${time(-10)}" NotOnOrAfter="${time(100)}"/>`,
      )
      await present(window)
      at.offset = 159
      await present(window)
      at.offset = 160
      await refused(present(window), /expired/, 'identity-expired')
      at.offset = -61
      await refused(present(window), /not valid yet/)
    })

    it('lives an hour from IssueInstant where it says nothing', async () => {
      await present(both(noConditions, issuedAt(-3600)))
      await refused(present(both(noConditions, issuedAt(-3660))), /expired/, 'identity-expired')
    })

    it('lives as long as the configuration says where it says nothing', async () => {
      const identity = await anIdentity({ clock: at, vihf: { maxAgeSeconds: 60 } })
      await refused(
        identity.fromAssertion(alone(signed(issuer, both(noConditions, issuedAt(-121))))),
        /expired/,
        'identity-expired',
      )
    })

    it('is refused when issued in the future, beyond the skew', async () => {
      await present(both(noConditions, issuedAt(60)))
      await refused(present(both(noConditions, issuedAt(61))), /not valid yet/)
    })

    it('ends with the session, or with the confirmation of the subject', async () => {
      const session = replace('<saml2:AuthnStatement ', `<saml2:AuthnStatement SessionNotOnOrAfter="${time(-60)}" `)
      await refused(present(session), /expired/, 'identity-expired')
      const data = `<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml2:SubjectConfirmationData NotOnOrAfter="${time(-60)}"/></saml2:SubjectConfirmation>`
      await refused(present(replace('</saml2:NameID>', `</saml2:NameID>${data}`)), /expired/, 'identity-expired')
    })

    it('says instants in UTC', async () => {
      for (const instant of ['2026-03-02T08:00:00', '2026-03-02T08:00:00+01:00', '2026-02-30T25:00:00Z', 'now'])
        await refused(present(replace(/IssueInstant="[^"]*"/, `IssueInstant="${instant}"`)), /UTC/)
    })

    it('is minted expired when asked', async () => {
      await refused(present(undefined, { expiresSeconds: -3600 }), /expired/, 'identity-expired')
    })
  })

  describe('seen before', () => {
    it('is the same caller, without verifying again', async () => {
      const identity = await anIdentity({ clock: at })
      const source = alone(signed(issuer))
      assert.equal(await identity.fromAssertion(source), await identity.fromAssertion({ ...source }))
    })

    it('has expired all the same', async () => {
      const identity = await anIdentity({ clock: at })
      const source = alone(signed(issuer, undefined, { expiresSeconds: 100 }))
      await identity.fromAssertion(source)
      at.offset = 159
      await identity.fromAssertion(source)
      at.offset = 160
      await refused(identity.fromAssertion(source), /expired/, 'identity-expired')
    })

    it('is another one under other namespaces', async () => {
      const identity = await anIdentity({ clock: at })
      const source = alone(signed(issuer))
      const known = await identity.fromAssertion(source)
      const again = await identity.fromAssertion({ ...source, namespaces: { a: 'urn:a' } })
      assert.notEqual(again, known)
      assert.deepEqual(again, known)
    })

    it('is forgotten when others took its place', async () => {
      const identity = await anIdentity({ clock: at, cacheSize: 2 })
      const sources = [1, 2, 3].map(() => alone(signed(issuer)))
      const [first] = await Promise.all(sources.map((source) => identity.fromAssertion(source)))
      assert.ok(sources[0])
      assert.notEqual(await identity.fromAssertion(sources[0]), first)
    })
  })
})
