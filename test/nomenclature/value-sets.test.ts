import assert from 'node:assert/strict'
import { classOfType, codeOf, displayOf, isDmpType, type ValueSetName, valueSet } from '../../src/nomenclature/index.ts'
import { type PublishedSet, publishedOrSkip } from './published.ts'

const loinc = '2.16.840.1.113883.6.1'

const files: Readonly<Partial<Record<ValueSetName, string>>> = {
  JDV_J66: 'typeCode_JDV_J66_DMP',
  JDV_J57: 'classCode_JDV_J57_DMP',
  JDV_J58: 'confidentiality_JDV_J58_DMP',
  TRE_A07: 'confidentiality_TRE_A07',
  JDV_J60: 'formatCode_JDV_J60_DMP',
  JDV_J61: 'healthcareFacilityType_JDV_J61_DMP',
  JDV_J62: 'practiceSetting_JDV_J62_DMP',
  JDV_J59: 'contentType_JDV_J59_DMP',
  JDV_J65: 'subjectRole_JDV_J65_DMP_professions',
  JDV_J01: 'authorSpecialty_JDV_J01',
  JDV_J47: 'authorRole_JDV_J47',
  JDV_J48: 'professionNonPS_JDV_J48',
  TRE_R248: 'purposeOfUse_TRE_R248',
  JDV_J52: 'availabilityStatus_JDV_J52',
  JDV_J231: 'referenceIdType_JDV_J231_DMP',
}

describe('value sets', () => {
  it('hold as many codes as were published', () => {
    const sizes: Partial<Record<ValueSetName, number>> = {}
    for (const name of Object.keys(files) as ValueSetName[]) sizes[name] = valueSet(name).codes.length
    assert.deepEqual(sizes, {
      JDV_J66: 108,
      JDV_J57: 12,
      JDV_J58: 6,
      TRE_A07: 5,
      JDV_J60: 62,
      JDV_J61: 68,
      JDV_J62: 11,
      JDV_J59: 100,
      JDV_J65: 66,
      JDV_J01: 396,
      JDV_J47: 10,
      JDV_J48: 54,
      TRE_R248: 3,
      JDV_J52: 4,
      JDV_J231: 3,
    })
  })

  for (const [name, file] of Object.entries(files))
    it(`${name} has the codes, displays and systems of its published list`, function () {
      const list = publishedOrSkip<PublishedSet>(this, file)
      const set = valueSet(name as ValueSetName)
      assert.equal(set.oid, list.oid)
      assert.equal(set.version, list.version)
      assert.equal(set.codes.length, list.codes.length)
      for (const { code, display, systemOid } of list.codes) {
        const found = set.codes.filter((each) => each.code === code && each.display === display)
        assert.equal(found.length, 1, code)
        if (systemOid) assert.equal(found[0]?.system, systemOid, code)
      }
    })

  it('find a code by the attribute or by the publisher’s name of the set', () => {
    assert.deepEqual(codeOf('confidentialityCode', 'MASQUE_PS'), codeOf('JDV_J58', 'MASQUE_PS'))
    assert.equal(codeOf('JDV_J58', 'MASQUE_PS')?.system, '1.2.250.1.213.1.1.4.13')
    assert.equal(codeOf('typeCode', '34876-3'), undefined)
    assert.throws(() => valueSet('typecode' as ValueSetName), RangeError)
  })

  it('hold a code in its code system only, given as OID or as FHIR URI', () => {
    assert.ok(isDmpType('11502-2'))
    assert.ok(isDmpType('11502-2', loinc))
    assert.ok(isDmpType('11502-2', 'http://loinc.org'))
    assert.ok(!isDmpType('11502-2', '1.2.250.1.213.1.1.4.12'))
    assert.ok(!isDmpType('11526-1'))
    assert.ok(!valueSet('confidentialityCode').has('MASQUE_PSOCIAL'))
    assert.ok(!valueSet('practiceSettingCode').has('ESSMS'))
  })

  it('keep a code that stands in two systems apart', () => {
    assert.equal(codeOf('contentTypeCode', '11', '1.2.250.1.213.1.6.1.128')?.display, 'Centre postcure')
    assert.match(codeOf('contentTypeCode', '11', '1.2.250.1.213.2.2')?.display ?? '', /^Hébergement complet/)
  })

  it('know the display of a code, and none of a code they lack', () => {
    assert.equal(displayOf('1.2.250.1.213.1.1.4.1', '42'), 'Prescription')
    assert.equal(displayOf('http://loinc.org', '11502-2'), "CR d'examens biologiques")
    assert.equal(displayOf(loinc, '00000-0'), undefined)
  })
})

describe('type and class (ASS_X16)', () => {
  it('deduce a class for every type the DMP accepts', () => {
    for (const { code } of valueSet('typeCode').codes) {
      const deduced = classOfType(code)
      assert.ok(deduced && valueSet('classCode').has(deduced.code, deduced.system), code)
    }
    assert.equal(classOfType('11502-2')?.code, '10')
    assert.equal(classOfType('11502-2')?.display, 'Compte rendu')
    assert.equal(classOfType('E1762')?.code, 'urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1')
    assert.equal(classOfType('00000-0'), undefined)
  })

  it('agree with the published association', function () {
    const { typeToClass } = publishedOrSkip<{ typeToClass: Record<string, { class: string }> }>(
      this,
      'ass_x16_type_class_DMP',
    )
    for (const [type, row] of Object.entries(typeToClass)) assert.equal(classOfType(type)?.code, row.class, type)
  })
})
