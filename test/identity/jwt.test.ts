import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { createIdentity } from '../../src/identity/index.ts'
import { type LocalIssuer, localAudience, localIssuerName } from '../../src/identity/issuer.ts'
import { mintJwt } from '../../src/identity/mint.ts'
import { anIdentity, anIssuer, now, refused, testClock } from './support.ts'

const physician = { system: 'urn:oid:1.2.250.1.71.1.2.7', code: '10', display: 'Médecin' }
const nurse = { ...physician, code: '60', display: 'Infirmier' }
const seconds = Math.floor(now.getTime() / 1000)

interface Changes {
  readonly payload?: JWTPayload
  readonly iua?: Record<string, unknown>
  readonly bppc?: Record<string, unknown>
  readonly dmp?: Record<string, unknown>
}

function payload({ payload: top, iua, bppc, dmp }: Changes = {}): JWTPayload {
  return {
    iss: localIssuerName,
    aud: localAudience,
    sub: '899700000001',
    jti: 'test-1',
    iat: seconds,
    exp: seconds + 600,
    extensions: {
      ihe_iua: {
        subject_name: 'DUPONT Anne',
        subject_organization_id: '1010099999',
        subject_role: [physician],
        person_id: '899700000001',
        ...iua,
      },
      ihe_bppc: { ...bppc },
      dmp: { kind: 'professional', authentication: 'direct', sector: 'SA01', ...dmp },
    },
    ...top,
  }
}

function sign(claims: JWTPayload, key: KeyObject, alg = 'ES256'): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(key)
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a JWT identity', () => {
  let issuer: LocalIssuer
  const at = testClock()
  before(async () => {
    issuer = await anIssuer()
  })
  beforeEach(() => {
    at.offset = 0
  })
  const present = async (changes: Changes): Promise<unknown> =>
    (await anIdentity({ clock: at })).fromBearer(await sign(payload(changes), issuer.jwtKey))

  it('becomes a caller with everything it says', async () => {
    const caller = await present({
      iua: {
        subject_role: [physician, { system: 'urn:oid:1.2.250.1.71.4.2.5', code: 'SM26' }],
        subject_organization: 'CH EXEMPLE',
        purpose_of_use: { system: '1.2.250.1.213.1.1.4.248', code: 'bris_de_glace' },
      },
      bppc: { patient_id: '260059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH' },
      dmp: { reason: 'patient inconscient', regulation: true, authentication: 'air' },
    })
    assert.deepEqual(caller, {
      kind: 'professional',
      authentication: 'air',
      person: { id: '899700000001', name: 'DUPONT Anne' },
      structure: { id: '1010099999', name: 'CH EXEMPLE' },
      profession: { code: '10', system: '1.2.250.1.71.1.2.7', display: 'Médecin' },
      specialities: [{ code: 'SM26', system: '1.2.250.1.71.4.2.5' }],
      sector: 'SA01',
      purposeOfUse: 'bris_de_glace',
      reason: 'patient inconscient',
      regulation: true,
      patient: '1.2.250.1.213.1.4.10|260059999999999',
      secretConnection: false,
      proof: 'jwt',
      tokenId: 'test-1',
    })
  })

  it('carries no purpose of use and no patient where the token has none', async () => {
    const caller = (await present({})) as object
    assert.equal('purposeOfUse' in caller, false)
    assert.equal('patient' in caller, false)
  })

  it('names roles by FHIR URI as well as by OID', async () => {
    const system = 'https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante'
    const caller = (await present({ iua: { subject_role: { system, code: '60' } } })) as { profession: object }
    assert.deepEqual(caller.profession, { code: '60', system: '1.2.250.1.71.1.2.7' })
  })

  it('is refused without a token', async () => {
    await refused((await anIdentity()).fromBearer(''), /token/, 'identity-missing')
  })

  it('is refused when it is neither a JWT nor an assertion', async () => {
    const identity = await anIdentity()
    for (const token of ['abc', 'a.b.c', 'é.é.é', `${encode({})}.${encode({})}.`, 'x'.repeat(400_000)])
      await refused(identity.fromBearer(token), /./)
  })

  describe('time', () => {
    it('is refused once expired, with its own code', async () => {
      await refused(present({ payload: { exp: seconds - 61 } }), /exp/, 'identity-expired')
    })
    it('is accepted within the skew after exp', async () => {
      await present({ payload: { exp: seconds - 59 } })
    })
    it('is refused before nbf, and accepted within the skew', async () => {
      await refused(present({ payload: { nbf: seconds + 61 } }), /nbf/)
      await present({ payload: { nbf: seconds + 59 } })
    })
    it('is refused when it was issued in the future', async () => {
      await refused(present({ payload: { iat: seconds + 61 } }), /iat/)
    })
    it('is refused without exp', async () => {
      const { exp: _, ...eternal } = payload()
      const identity = await anIdentity({ clock: at })
      await refused(identity.fromBearer(await sign(eternal, issuer.jwtKey)), /exp/)
    })
    it('is checked again when the same token comes back', async () => {
      const identity = await anIdentity({ clock: at })
      const token = await sign(payload(), issuer.jwtKey)
      await identity.fromBearer(token)
      at.offset = 700
      await refused(identity.fromBearer(token), /exp/, 'identity-expired')
    })
  })

  describe('signature', () => {
    it('is refused when another key signed', async () => {
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      await refused((await anIdentity({ clock: at })).fromBearer(await sign(payload(), privateKey)), /signature/)
    })
    it('is refused when a character of the payload changes', async () => {
      const [head, , tail] = (await sign(payload(), issuer.jwtKey)).split('.')
      const forged = encode(payload({ iua: { person_id: '899700000002' } }))
      await refused((await anIdentity({ clock: at })).fromBearer(`${head}.${forged}.${tail}`), /signature/)
    })
    it('is refused with alg none, with and without a signature', async () => {
      const identity = await anIdentity({ clock: at })
      for (const alg of ['none', 'None', 'NONE'])
        for (const tail of ['', 'AAAA']) {
          const token = `${encode({ alg })}.${encode(payload())}.${tail}`
          await refused(identity.fromBearer(token), /./)
        }
    })
    it('is refused with HS256 over the public key', async () => {
      const pem = issuer.jwtPublicKey.export({ type: 'spki', format: 'pem' })
      const input = `${encode({ alg: 'HS256' })}.${encode(payload())}`
      const mac = createHmac('sha256', pem).update(input).digest('base64url')
      await refused((await anIdentity({ clock: at })).fromBearer(`${input}.${mac}`), /alg/)
    })
    it('is refused with an algorithm that its issuer does not use', async () => {
      const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const trusted = {
        issuer: 'https://as.example.org',
        key: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        audience: 'a',
        algorithms: ['PS256'],
      }
      const identity = await createIdentity({ mode: 'production', trustedJwtIssuers: [trusted], clock: at })
      const claims = payload({ payload: { iss: trusted.issuer, aud: 'a' } })
      await identity.fromBearer(await sign(claims, privateKey, 'PS256'))
      await refused(identity.fromBearer(await sign(claims, privateKey, 'RS256')), /alg/)
    })
    it('is refused when its header demands an extension that is not understood', async () => {
      const header = { alg: 'ES256', crit: ['b64'], b64: true }
      const token = new SignJWT(payload()).setProtectedHeader(header).sign(issuer.jwtKey)
      const unknown = `${encode({ alg: 'ES256', crit: ['x'], x: 1 })}.${(await token).split('.').slice(1).join('.')}`
      await refused((await anIdentity({ clock: at })).fromBearer(unknown), /malformed/)
    })
  })

  describe('issuer and audience', () => {
    it('is refused for another audience', async () => {
      await refused(present({ payload: { aud: 'urn:elsewhere' } }), /aud/)
    })
    it('is accepted when the audience is one of several', async () => {
      await present({ payload: { aud: ['urn:elsewhere', localAudience] } })
    })
    it('is refused from an issuer that is not trusted', async () => {
      await refused(present({ payload: { iss: 'https://elsewhere.example' } }), /iss/)
    })
    it('is refused when one trusted issuer signs in the name of another', async () => {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] }
      const identity = await anIdentity({ clock: at, trustedJwtIssuers: [{ issuer: 'https://as.example.org', jwks }] })
      const token = await sign(payload({ payload: { iss: 'https://as.example.org' } }), issuer.jwtKey)
      await refused(identity.fromBearer(token), /signature/)
    })
    it('is accepted from a configured issuer whose keys are a JWK Set, by kid', async () => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }
      const identity = await createIdentity({
        mode: 'production',
        clock: at,
        trustedJwtIssuers: [{ issuer: 'https://as.example.org', jwks }],
      })
      const claims = payload({ payload: { iss: 'https://as.example.org' } })
      const token = (kid: string) => new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey)
      assert.equal((await identity.fromBearer(await token('k1'))).kind, 'professional')
      await refused(identity.fromBearer(await token('k2')), /[Kk]ey/)
    })
    it('is never trusted from the development issuer in production', async () => {
      await assert.rejects(createIdentity({ mode: 'production', issuer }), RangeError)
      const identity = await createIdentity({ mode: 'production', clock: at })
      await refused(identity.fromBearer(await sign(payload(), issuer.jwtKey)), /iss/)
    })
    it('cannot be configured with a symmetric key or algorithm', async () => {
      const jwks = { keys: [{ kty: 'oct', k: 'AAAA' }] }
      const one = { issuer: 'https://as.example.org', jwks }
      await assert.rejects(createIdentity({ mode: 'development', trustedJwtIssuers: [one] }), RangeError)
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
      const two = { issuer: 'https://as.example.org', key, algorithms: ['HS256'] }
      await assert.rejects(createIdentity({ mode: 'development', trustedJwtIssuers: [two] }), RangeError)
    })
  })

  describe('claims', () => {
    const wrong: readonly (readonly [rule: string, changes: Changes, detail: RegExp])[] = [
      ['an unknown kind', { dmp: { kind: 'root' } }, /extensions\.dmp\.kind/],
      ['the tester of conformance mode', { dmp: { kind: 'tester' } }, /extensions\.dmp\.kind/],
      ['no kind', { dmp: { kind: undefined } }, /extensions\.dmp\.kind/],
      ['an unknown authentication', { dmp: { authentication: 'password' } }, /extensions\.dmp\.authentication/],
      ['a claim of extensions.dmp that is not known', { dmp: { treatingPhysician: true } }, /extensions\.dmp/],
      ['two professions', { iua: { subject_role: [physician, nurse] } }, /subject_role.*two professions/],
      ['a professional without profession', { iua: { subject_role: undefined } }, /subject_role.*no profession/],
      ['a professional who is nobody', { iua: { person_id: undefined }, payload: { sub: 'service-1' } }, /person_id/],
      ['a person id that is no PS_IdNat', { iua: { person_id: '260059999999999' } }, /PS_IdNat/],
      ['two persons', { iua: { national_provider_identifier: '899700000002' } }, /two persons/],
      [
        'a role of an unknown system',
        { iua: { subject_role: [physician, { system: 'urn:oid:1.2.3', code: 'x' }] } },
        /subject_role/,
      ],
      [
        'a purpose of an unknown system',
        { iua: { purpose_of_use: [{ system: '1.2.3', code: 'normal' }] } },
        /purpose_of_use/,
      ],
      [
        'an unknown purpose',
        { iua: { purpose_of_use: [{ system: '1.2.250.1.213.1.1.4.248', code: 'x' }] } },
        /purpose_of_use/,
      ],
      ['a patient id that is no CX', { bppc: { patient_id: '260059999999999' } }, /patient_id/],
      ['two patient ids', { bppc: { patient_id: '1^^^&1.2.3&ISO~2^^^&1.2.3&ISO' } }, /patient_id/],
      [
        'a patient without patient id',
        { iua: { subject_role: undefined }, dmp: { kind: 'patient' } },
        /patient_id is missing/,
      ],
      [
        'a representative without patient id',
        { iua: { subject_role: undefined }, dmp: { kind: 'representative' } },
        /patient_id/,
      ],
      ['a staff member with a profession', { dmp: { kind: 'staff' } }, /subject_role/],
      ['a structure with a profession', { dmp: { kind: 'structure', authentication: 'indirect' } }, /subject_role/],
      [
        'a structure by direct authentication',
        { iua: { subject_role: [] }, dmp: { kind: 'structure' } },
        /authentication/,
      ],
      [
        'a structure without identifier',
        {
          iua: { subject_role: [], subject_organization_id: undefined },
          dmp: { kind: 'structure', authentication: 'indirect' },
        },
        /subject_organization_id/,
      ],
      ['a sector that is no code', { dmp: { sector: 'hôpital' } }, /sector/],
      ['control characters in a name', { iua: { subject_name: 'DUPONT\nAnne' } }, /subject_name/],
      ['a reason of any length', { dmp: { reason: 'x'.repeat(2000) } }, /reason/],
    ]
    for (const [rule, changes, detail] of wrong)
      it(`refuses ${rule}`, async () => {
        await refused(present(changes), detail)
      })

    it('refuses a patient in an emergency mode', async () => {
      const changes: Changes = {
        iua: {
          subject_role: [],
          person_id: undefined,
          purpose_of_use: { system: '1.2.250.1.213.1.1.4.248', code: 'bris_de_glace' },
        },
        bppc: { patient_id: '260059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH' },
        dmp: { kind: 'patient' },
      }
      await refused(present(changes), /emergency/)
    })

    it('refuses a patient who is not the patient of the record', async () => {
      const changes: Changes = {
        iua: { subject_role: [], person_id: '269029999999999' },
        bppc: { patient_id: '260059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH' },
        dmp: { kind: 'patient' },
      }
      await refused(present(changes), /person_id/)
    })

    it('never repeats a value in the refusal', async () => {
      await refused(present({ iua: { person_id: 'DUPONT-SECRET' } }), /^(?!.*SECRET)/)
      await refused(present({ dmp: { kind: 'DUPONT-SECRET' } }), /^(?!.*SECRET)/)
    })

    it('takes the profession of an actor known by role from the activity', async () => {
      const roles = [
        { system: 'urn:oid:1.2.250.1.213.1.6.1.140', code: '99' },
        { system: 'urn:oid:1.2.250.1.213.1.6.1.19', code: 'GENR08' },
      ]
      const caller = (await present({ iua: { subject_role: roles } })) as { profession: { code: string } }
      assert.equal(caller.profession.code, 'GENR08')
    })

    it('refuses a patient of a test authority in production', async () => {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
      const identity = await createIdentity({
        mode: 'production',
        clock: at,
        trustedJwtIssuers: [{ issuer: 'i', key }],
      })
      const bound = (oid: string) =>
        sign(payload({ payload: { iss: 'i' }, bppc: { patient_id: `260059999999999^^^&${oid}&ISO^NH` } }), privateKey)
      await refused(identity.fromBearer(await bound('1.2.250.1.213.1.4.10')), /test authority/)
      await identity.fromBearer(await bound('1.2.250.1.213.1.4.8'))
    })
  })

  it('is minted valid for every kind', async () => {
    const identity = await anIdentity()
    for (const kind of ['professional', 'staff', 'structure', 'patient', 'representative', 'system'] as const) {
      const caller = await identity.fromBearer(await mintJwt(issuer, { kind, ins: '260059999999999' }))
      assert.equal(caller.kind, kind)
      assert.equal(caller.authentication, kind === 'structure' ? 'indirect' : 'direct')
    }
  })
})

describe('the anonymous caller', () => {
  it('is nobody unless configured, and never in production', async () => {
    assert.equal((await anIdentity()).anonymous(), undefined)
    const caller = {
      kind: 'tester',
      authentication: 'direct',
      specialities: [],
      regulation: false,
      secretConnection: false,
      proof: 'anonymous',
    } as const
    assert.equal((await anIdentity({ anonymous: caller })).anonymous(), caller)
    await assert.rejects(createIdentity({ mode: 'production', anonymous: caller }), RangeError)
  })
})
