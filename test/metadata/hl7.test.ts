import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  cxOf,
  formatCx,
  formatHd,
  formatXcn,
  formatXon,
  formatXtn,
  isIsoAuthority,
  parseCx,
  parseHd,
  parseXcn,
  parseXon,
  parseXtn,
  patientKeyOf,
} from '../../src/metadata/hl7.ts'
import * as arbitrary from '../arbitraries/metadata.ts'
import { aPatientId, aProfessional } from '../mothers/metadata.ts'

/** What formatting may change: empty components at the end, and empty sub-components at the end of an HD. */
function withoutTrailingEmpty(text: string, hdComponent?: number): string {
  const components = text.split('^').map((component, index) => {
    if (index + 1 !== hdComponent) return component
    const trimmed = component.replace(/&+$/, '')
    return trimmed.split('&').length > 3 ? component : trimmed
  })
  return components.join('^').replace(/\^+$/, '')
}

const anyText = fc.oneof(
  fc.string({ unit: fc.constantFrom('^', '^', '&', '&', 'a', 'É', '\\', '~', '|', ' ', '1.2'), maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

describe('HL7 types in metadata', () => {
  describe('every string survives parsing and formatting', () => {
    it('as CX', () =>
      fc.assert(fc.property(anyText, (s) => assert.equal(formatCx(parseCx(s)), withoutTrailingEmpty(s, 4)))))
    it('as XCN', () =>
      fc.assert(fc.property(anyText, (s) => assert.equal(formatXcn(parseXcn(s)), withoutTrailingEmpty(s, 9)))))
    it('as XON', () =>
      fc.assert(fc.property(anyText, (s) => assert.equal(formatXon(parseXon(s)), withoutTrailingEmpty(s, 6)))))
    it('as XTN', () =>
      fc.assert(fc.property(anyText, (s) => assert.equal(formatXtn(parseXtn(s)), withoutTrailingEmpty(s)))))
  })

  describe('every value survives formatting and parsing', () => {
    it('as HD', () =>
      fc.assert(fc.property(arbitrary.hd, (value) => assert.deepEqual(parseHd(formatHd(value)), value))))
    it('as CX', () =>
      fc.assert(fc.property(arbitrary.anyCx, (value) => assert.deepEqual(parseCx(formatCx(value)), value))))
    it('as XCN', () =>
      fc.assert(fc.property(arbitrary.anyXcn, (value) => assert.deepEqual(parseXcn(formatXcn(value)), value))))
    it('as XON', () =>
      fc.assert(fc.property(arbitrary.anyXon, (value) => assert.deepEqual(parseXon(formatXon(value)), value))))
    it('as XTN', () =>
      fc.assert(fc.property(arbitrary.anyXtn, (value) => assert.deepEqual(parseXtn(formatXtn(value)), value))))
  })

  describe('French forms', () => {
    it('reads an INS with its authority and NH', () => {
      const text = '260059999999999^^^&1.2.250.1.213.1.4.10&ISO^NH'
      assert.deepEqual(parseCx(text), aPatientId())
      assert.equal(formatCx(aPatientId()), text)
    })

    it('reads a structure with IDNST and Struct_IdNat', () => {
      const text = 'CH EXEMPLE^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^1010099999'
      assert.deepEqual(parseXon(text), {
        name: 'CH EXEMPLE',
        assigningAuthority: { universalId: '1.2.250.1.71.4.2.2', universalIdType: 'ISO' },
        idType: 'IDNST',
        id: '1010099999',
      })
      assert.equal(formatXon(parseXon(text)), text)
    })

    it('reads a professional with IDNPS', () => {
      const text = '899700000001^EXEMPLE^Anne^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS'
      assert.deepEqual(parseXcn(text), aProfessional())
      assert.equal(formatXcn(aProfessional()), text)
    })

    it('reads a device with U and RI', () => {
      const text = '1010099999/77^AUTOMATE^Modèle 3^^^^^^&1.2.250.1.71.4.2.1&ISO^U^^^RI'
      const device = parseXcn(text)
      assert.deepEqual(
        [device.family, device.given, device.nameType, device.idType],
        ['AUTOMATE', 'Modèle 3', 'U', 'RI'],
      )
      assert.equal(formatXcn(device), text)
    })

    it('reads a reference identifier whose type is a urn:', () => {
      const text = 'ACC-2026-1^^^&1.2.250.1.999.2&ISO^urn:ihe:iti:xds:2013:accession'
      assert.equal(parseCx(text).typeCode, 'urn:ihe:iti:xds:2013:accession')
      assert.equal(formatCx(parseCx(text)), text)
    })
  })

  it('keeps sub-components and escapes of a name as received', () => {
    const text = '1^DE LA TOUR&DE&LA TOUR^Jean\\S\\Luc'
    assert.equal(parseXcn(text).family, 'DE LA TOUR&DE&LA TOUR')
    assert.equal(parseXcn(text).given, 'Jean\\S\\Luc')
    assert.equal(formatXcn(parseXcn(text)), text)
  })

  it('keeps an authority with too many parts as text instead of losing one', () => {
    const text = '1^^^A&1.2.3&ISO&X'
    assert.equal(parseCx(text).assigningAuthority, undefined)
    assert.deepEqual(parseCx(text).rest, { 4: 'A&1.2.3&ISO&X' })
    assert.equal(formatCx(parseCx(text)), text)
  })

  it('has no property for an empty component', () => {
    assert.deepEqual(parseXcn('^EXEMPLE^^^^^^^&&'), { family: 'EXEMPLE' })
    assert.deepEqual(parseCx('1^^^^^'), { id: '1' })
    assert.deepEqual(parseXon(''), { name: '' })
  })

  it('cannot be made to move a component by a caret in a name', () => {
    const text = formatXcn({ id: '1', family: 'X^^^^^^^&1.2.3&ISO' })
    assert.equal(parseXcn(text).assigningAuthority, undefined)
    assert.equal(text, '1^X\\S\\\\S\\\\S\\\\S\\\\S\\\\S\\\\S\\&1.2.3&ISO')
  })

  it('cannot be made to move a part of an authority by an ampersand in it', () => {
    const text = formatHd({ universalId: '1.2&ISO' })
    assert.deepEqual(parseHd(text), { universalId: '1.2\\T\\ISO' })
  })
})

describe('the key of a patient', () => {
  it('is the same for every CX of one identifier in one authority', () => {
    const keys = ['7^^^&1.2.3&ISO', '7^^^&1.2.3&ISO^NH', '7^^^&1.2.3&ISO^PI^^20260101'].map((text) =>
      patientKeyOf(parseCx(text)),
    )
    assert.deepEqual(keys, ['1.2.3|7', '1.2.3|7', '1.2.3|7'])
  })

  for (const text of [
    '',
    '7',
    '^^^&1.2.3&ISO',
    '7^^^&1.2.3',
    '7^^^1.2.3',
    '7^^^&1.2.3&DNS',
    '7^^^X&1.2.3&ISO',
    '7^^^&a.b&ISO',
    `7^^^&1.${'2'.repeat(64)}&ISO`,
  ]) {
    it(`is not made from ${text.slice(0, 30) || 'nothing'}`, () => assert.equal(patientKeyOf(parseCx(text)), undefined))
  }

  it('gives back the CX, with or without a type', () => {
    fc.assert(
      fc.property(arbitrary.cx, (cx) => {
        const key = patientKeyOf(cx)
        assert.ok(key)
        assert.deepEqual(cxOf(key, cx.typeCode), cx)
        assert.equal(patientKeyOf(cxOf(key)), key)
      }),
    )
  })

  it('takes any dotted number as an authority', () => {
    assert.ok(isIsoAuthority({ universalId: '3.4.5', universalIdType: 'ISO' }))
    assert.ok(!isIsoAuthority({ universalId: '3.04.5', universalIdType: 'ISO' }))
    assert.ok(!isIsoAuthority(undefined))
  })
})
