import assert from 'node:assert/strict'
import fc from 'fast-check'
import { compareDtm, dtmToIso, isDtm, isoToDtm, lowerBound, toDtm, upperBound } from '../../src/metadata/dtm.ts'
import type { Dtm } from '../../src/metadata/identifiers.ts'
import { dtm } from '../arbitraries/metadata.ts'

const at = (text: string): Dtm => toDtm(text)

describe('DTM', () => {
  for (const good of [
    '2026',
    '202602',
    '20240229',
    '20000229',
    '2026053123',
    '202605312359',
    '20260531235959',
    '00010101',
  ]) {
    it(`accepts ${good}`, () => assert.ok(isDtm(good)))
  }
  const bad = [
    '',
    '26',
    '20261',
    '20230231',
    '20230431',
    '20230229',
    '19000229',
    '202613',
    '202600',
    '20260500',
    '2026053124',
  ]
  for (const text of [
    ...bad,
    '202605312360',
    '20260531235960',
    '0000',
    '2026-05-31',
    '20260531T10',
    '20260531235959Z',
    '2026053123595900',
    '２０２６',
  ]) {
    it(`refuses ${text || 'nothing'}`, () => {
      assert.ok(!isDtm(text))
      assert.throws(() => toDtm(text), RangeError)
    })
  }

  it('becomes the FHIR date or time of its precision', () => {
    const pairs = [
      ['2026', '2026'],
      ['202605', '2026-05'],
      ['20260512', '2026-05-12'],
      ['20260512081530', '2026-05-12T08:15:30Z'],
    ] as const
    for (const [digits, iso] of pairs) {
      assert.equal(dtmToIso(at(digits)), iso)
      assert.equal(isoToDtm(iso), digits)
    }
  })

  it('gets zeros for the minutes and seconds that FHIR requires', () => {
    assert.equal(dtmToIso(at('2026051208')), '2026-05-12T08:00:00Z')
    assert.equal(dtmToIso(at('202605120815')), '2026-05-12T08:15:00Z')
  })

  it('comes back from FHIR with the same first second, whatever the precision', () => {
    fc.assert(fc.property(dtm, (value) => assert.equal(compareDtm(isoToDtm(dtmToIso(value)), value), 0)))
  })

  it('moves a time to UTC', () => {
    assert.equal(isoToDtm('2026-01-01T00:30:00+02:00'), '20251231223000')
    assert.equal(isoToDtm('2024-02-28T20:00:00-05:00'), '20240229010000')
    assert.equal(isoToDtm('2026-05-12T08:15:30.987Z'), '20260512081530')
    assert.equal(isoToDtm('2016-12-31T23:59:60Z'), '20170101000000')
  })

  it('does not move a date', () => assert.equal(isoToDtm('2026-05-12'), '20260512'))
  it('keeps minutes without seconds', () => assert.equal(isoToDtm('2026-05-12T10:15+02:00'), '202605120815'))

  const wrong = [
    '',
    '2026-5-1',
    '2026-02-30',
    '2026-05-12T10:15:30',
    '2026-05-12T25:00:00Z',
    '2026-05-12T10:15:30+15:00',
  ]
  for (const iso of [
    ...wrong,
    '2026-05-12T10:15:30+02:60',
    '2026-05-12 10:15:30Z',
    '2026-13',
    '0000-01-01',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
  ]) {
    it(`is not made from ${iso || 'nothing'}`, () => assert.throws(() => isoToDtm(iso), RangeError))
  }

  it('agrees with Date on every instant', () => {
    const instants = fc.date({
      min: new Date('0002-01-01T00:00:00Z'),
      max: new Date('9998-12-31T00:00:00Z'),
      noInvalidDate: true,
    })
    fc.assert(
      fc.property(instants, fc.integer({ min: -14 * 60, max: 14 * 60 }), (date, offset) => {
        const sign = offset < 0 ? '-' : '+'
        const two = (value: number) => String(value).padStart(2, '0')
        const hours = `${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
        const local = new Date(date.getTime() + offset * 60_000).toISOString().replace('Z', `${sign}${hours}`)
        assert.equal(isoToDtm(local), date.toISOString().replace(/\D/g, '').slice(0, 14))
      }),
    )
  })

  describe('as a period', () => {
    const periods = [
      ['2026', '20260101000000', '20270101000000'],
      ['202602', '20260201000000', '20260301000000'],
      ['20240228', '20240228000000', '20240229000000'],
      ['2026123123', '20261231230000', '20270101000000'],
      ['202605122359', '20260512235900', '20260513000000'],
      ['20260512081559', '20260512081559', '20260512081600'],
    ] as const
    for (const [value, first, next] of periods) {
      it(`${value} runs from ${first} to before ${next}`, () => {
        assert.equal(lowerBound(at(value)), first)
        assert.equal(upperBound(at(value)), next)
      })
    }

    it('ends after every other time in the last year', () => {
      assert.ok(upperBound(at('9999')) > '99991231235959')
    })

    it('holds its own first second and not its end', () => {
      fc.assert(
        fc.property(dtm, (value) => {
          assert.ok(isDtm(lowerBound(value)) && isDtm(upperBound(value)))
          assert.ok(lowerBound(value) < upperBound(value))
          assert.ok(lowerBound(value).startsWith(value))
          assert.ok(!upperBound(value).startsWith(value))
        }),
      )
    })
  })

  it('compares by the first second', () => {
    assert.equal(compareDtm(at('2026'), at('20260101')), 0)
    assert.ok(compareDtm(at('2026'), at('20260102')) < 0)
    assert.ok(compareDtm(at('202602'), at('20260131235959')) > 0)
  })
})
