import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Identity } from '../../src/operations/ports.ts'
import { anIdentity, now, refused } from './support.ts'

const issuerName = 'https://auth.esante.example/realms/esante'
const audience = 'client-exemple'
const jdvJ65 = '1.2.250.1.213.1.1.5.5'

/** As Pro Santé Connect writes them; all values invented. */
const claims = {
  SubjectNameID: '899700000001',
  SubjectRole: [`10^${jdvJ65}`],
  SubjectOrganization: 'CABINET EXEMPLE',
  SubjectOrganizationID: '1010099999',
  Secteur_Activite: 'SA07^1.2.250.1.71.4.2.4',
  Mode_Acces_Raison: '',
  Acces_Regulation_Medicale: 'FAUX',
  Palier_Authentification: 'APPPRIP3^1.2.250.1.213.1.5.1.1.1',
  UITVersion: '1.0',
  PSI_Locale: '1.2.250.1.213.1.3.1.1',
  given_name: 'ANNE',
  family_name: 'EXEMPLE',
  preferred_username: '899700000001',
  SubjectRefPro: {
    codeCivilite: 'M',
    exercices: [
      {
        codeProfession: '10',
        codeCategorieProfessionnelle: 'C',
        codeTypeSavoirFaire: 'S',
        codeSavoirFaire: 'SM54',
        activities: [
          { codeModeExercice: 'L', codeSecteurDactivite: 'SA07', codeSectionPharmacien: '', codeGenreActivite: '' },
        ],
      },
    ],
  },
}

describe('a Pro Santé Connect token', () => {
  let identity: Identity
  let key: KeyObject
  before(async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    key = pair.privateKey
    const pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    identity = await anIdentity({
      trustedJwtIssuers: [{ issuer: issuerName, key: pem, audience, claims: 'psc' }],
    })
  })

  const token = (changes: object = {}, signingKey = key): Promise<string> =>
    new SignJWT({ ...claims, ...changes })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(issuerName)
      .setAudience(audience)
      .setSubject('f:550dc1c8-0000-4b1e-ac8c-000000000000:899700000001')
      .setJti('psc-1')
      .setIssuedAt(now)
      .setExpirationTime(new Date(now.getTime() + 600_000))
      .sign(signingKey)
  const caller = async (changes: object = {}) => identity.fromBearer(await token(changes))

  it('becomes a professional authenticated directly, with structure, sector and specialities', async () => {
    assert.deepEqual(await caller(), {
      kind: 'professional',
      authentication: 'direct',
      person: { id: '899700000001', name: 'EXEMPLE ANNE' },
      structure: { id: '1010099999', name: 'CABINET EXEMPLE' },
      profession: { code: '10', system: '1.2.250.1.71.1.2.7', display: 'Médecin' },
      specialities: [{ code: 'SM54', system: '1.2.250.1.71.4.2.5' }],
      sector: 'SA07',
      regulation: false,
      secretConnection: false,
      proof: 'jwt',
      tokenId: 'psc-1',
    })
  })

  it('names its profession by the code system too, and a student by the list of professions in training', async () => {
    assert.equal(
      (await caller({ SubjectRole: ['60^1.2.250.1.71.1.2.7'], SubjectRefPro: undefined })).profession?.code,
      '60',
    )
    const student = { exercices: [{ codeProfession: '10', codeCategorieProfessionnelle: 'E' }] }
    assert.equal((await caller({ SubjectRefPro: student })).profession?.system, '1.2.250.1.71.1.2.8')
  })

  it('carries the reason and the regulation centre when it says so', async () => {
    const said = await caller({ Mode_Acces_Raison: 'Patient inconscient', Acces_Regulation_Medicale: 'VRAI' })
    assert.equal(said.reason, 'Patient inconscient')
    assert.equal(said.regulation, true)
    assert.equal((await caller()).reason, undefined)
  })

  it('takes the section of a pharmacist', async () => {
    const exercices = [{ codeProfession: '21', activities: [{ codeSectionPharmacien: 'A' }] }]
    const { specialities } = await caller({ SubjectRole: [`21^${jdvJ65}`], SubjectRefPro: { exercices } })
    assert.deepEqual(
      specialities.map(({ code, system }) => [code, system]),
      [['A', '1.2.250.1.71.4.2.6']],
    )
  })

  it('leaves out what is said of another profession of the same person', async () => {
    const exercices = [{ codeProfession: '40', codeTypeSavoirFaire: 'S', codeSavoirFaire: 'SCD01' }]
    assert.deepEqual((await caller({ SubjectRefPro: { exercices } })).specialities, [])
  })

  it('may say nothing of a structure', async () => {
    const said = await caller({ SubjectOrganizationID: '', SubjectOrganization: '', Secteur_Activite: '' })
    assert.equal(said.structure, undefined)
    assert.equal(said.sector, undefined)
  })

  const bad: readonly (readonly [what: string, changes: object, refusal: RegExp])[] = [
    ['without SubjectNameID', { SubjectNameID: undefined }, /SubjectNameID/],
    ['without SubjectRole', { SubjectRole: undefined }, /SubjectRole/],
    ['with two professions', { SubjectRole: [`10^${jdvJ65}`, `60^${jdvJ65}`] }, /one profession/],
    ['with an unknown profession', { SubjectRole: [`ZZ^${jdvJ65}`], SubjectRefPro: undefined }, /JDV_J65/],
    ['with a role of another system', { SubjectRole: ['10^1.2.3.4'], SubjectRefPro: undefined }, /SubjectRole/],
    ['with a regulation flag that is neither', { Acces_Regulation_Medicale: 'true' }, /VRAI or FAUX/],
    ['with a sector of another system', { Secteur_Activite: 'SA07^1.2.3' }, /Secteur_Activite/],
    ['with a NameID that is no PS_IdNat', { SubjectNameID: 'anne@exemple.fr' }, /SubjectNameID/],
  ]
  for (const [what, changes, refusal] of bad)
    it(`is refused ${what}`, async () => {
      await refused(caller(changes), refusal)
    })

  it('is refused when it brings the claims of another kind of issuer only', async () => {
    const extensions = { dmp: { kind: 'system', authentication: 'direct' } }
    const only = Object.fromEntries(Object.keys(claims).map((name) => [name, undefined]))
    await refused(caller({ ...only, extensions }), /SubjectNameID/)
  })

  it('is refused when another key signed it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    await refused(identity.fromBearer(await token({}, privateKey)), /signature/)
  })
})
