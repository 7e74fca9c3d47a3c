import assert from 'node:assert/strict'
import { describeIdentity, type IdentityOptions, withNeededSpeciality } from '../../src/identity/test-identity.ts'

describe('a test identity', () => {
  it('is a physician of an invented hospital when nothing is asked', () => {
    const { kind, authentication, profession, personId, structureId, sector } = describeIdentity({})
    assert.deepEqual(
      { kind, authentication, profession: profession?.code, personId, structureId, sector },
      {
        kind: 'professional',
        authentication: 'direct',
        profession: '10',
        personId: '899700000001',
        structureId: '1010099999',
        sector: 'SA01',
      },
    )
  })

  it('knows the code system of a profession', () => {
    const system = (profession: string) => describeIdentity({ profession }).profession?.system
    assert.equal(system('60'), '1.2.250.1.71.1.2.7')
    assert.equal(system('41'), '1.2.250.1.213.1.6.1.4')
    assert.equal(system('GENR08'), '1.2.250.1.213.1.6.1.19')
    assert.equal(system('GENR12'), '1.2.250.1.213.1.6.1.19')
    assert.equal(system('93'), '1.2.250.1.213.1.6.1.109')
  })

  it('knows the code system of a speciality', () => {
    const system = (profession: string, code: string) =>
      describeIdentity({ profession, specialities: [code] }).specialities[0]?.system
    assert.equal(system('10', 'SM26'), '1.2.250.1.71.4.2.5')
    assert.equal(system('10', 'FON-29'), '1.2.250.1.213.1.6.1.17')
    assert.equal(system('21', 'G'), '1.2.250.1.71.4.2.6')
  })

  it('is given the speciality that a VIHF cannot be without, and no other', () => {
    const codes = (options: IdentityOptions) => withNeededSpeciality(describeIdentity(options)).map(({ code }) => code)
    assert.deepEqual(codes({}), ['SM26'])
    assert.deepEqual(codes({ specialities: ['FON-29'] }), ['SM26', 'FON-29'])
    assert.deepEqual(codes({ specialities: ['SM25'] }), ['SM25'])
    assert.deepEqual(codes({ profession: '21' }), ['A'])
    assert.deepEqual(codes({ profession: '60' }), [])
  })

  it('is authenticated indirectly when it is a structure', () => {
    assert.equal(describeIdentity({ kind: 'structure' }).authentication, 'indirect')
    assert.equal(describeIdentity({ kind: 'staff' }).authentication, 'direct')
  })

  const wrong: readonly IdentityOptions[] = [
    { profession: '999' },
    { specialities: ['a b'] },
    { kind: 'patient' },
    { kind: 'representative' },
    { ins: 'a^b' },
    { ins: '1', insSystem: 'INS' },
    { id: 'Anne' },
    { structure: 'a b' },
    { sector: 'hôpital' },
    { kind: 'structure', authentication: 'direct' },
    { kind: 'patient', ins: '1', authentication: 'air' },
    { kind: 'patient', ins: '1', purpose: 'bris_de_glace' },
    { kind: 'staff', profession: '10' },
    { kind: 'staff', specialities: ['SM26'] },
  ]
  for (const options of wrong)
    it(`is refused with ${JSON.stringify(options)}`, () => {
      assert.throws(() => describeIdentity(options))
    })
})
