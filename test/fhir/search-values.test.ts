import assert from 'node:assert/strict'
import { GatewayError } from '../../src/errors.ts'
import {
  alternatives,
  dateMatches,
  parseDate,
  parseParameter,
  parseToken,
  stringTest,
} from '../../src/fhir/search-values.ts'
import { lowerBound, toDtm, upperBound } from '../../src/metadata/dtm.ts'

const parameter = (key: string, raw: string) => parseParameter([key, raw])

function date(value: string, dtm: string, overlap?: [string, string]): boolean {
  const [from, to] = overlap ?? [dtm, dtm]
  return dateMatches(
    parseDate('date', value),
    { from: lowerBound(toDtm(from)), to: upperBound(toDtm(to)) },
    overlap !== undefined,
  )
}

describe('search values', () => {
  it('separates alternatives at commas that no backslash escapes', () => {
    assert.deepEqual(alternatives(parameter('type', 'a\\,b,c')), ['a\\,b', 'c'])
    assert.deepEqual(parseToken('http://x|a\\,b\\|c\\\\'), { system: 'http://x', code: 'a,b|c\\' })
  })

  it('refuses an empty alternative: an empty filter must not become no filter', () => {
    for (const raw of ['', 'a,', ',a']) assert.throws(() => alternatives(parameter('type', raw)), GatewayError)
  })

  it('tells code, system|code, |code and system| apart', () => {
    assert.deepEqual(parseToken('c'), { code: 'c' })
    assert.deepEqual(parseToken('s|c'), { system: 's', code: 'c' })
    assert.deepEqual(parseToken('|c'), { system: '', code: 'c' })
    assert.deepEqual(parseToken('s|'), { system: 's' })
    assert.deepEqual(parseToken('s|a|b'), { system: 's', code: 'a|b' })
  })

  it('compares dates by the period each names', () => {
    assert.equal(date('2023-01-10', '20230110120000'), true)
    assert.equal(date('2023-01-10', '202301'), false)
    assert.equal(date('2023', '20230110'), true)
    assert.equal(date('ne2023-01-10', '20230111'), true)
    assert.equal(date('gt2023-06-15T10:30:00Z', '20230615103000'), false)
    assert.equal(date('gt2023-06-15T10:30:00Z', '20230615103001'), true)
    assert.equal(date('ge2023-06-15T10:30:00Z', '20230615103000'), true)
    assert.equal(date('le2023-06-15T10:30:00Z', '20230615103000'), true)
    assert.equal(date('lt2023-06-15T12:30:00+02:00', '20230615103000'), false)
    assert.equal(date('lt2023-06-15T12:30:00 02:00', '20230615102959'), true)
    assert.equal(date('sa2023-01-10', '20230110235959'), false)
    assert.equal(date('sa2023-01-10', '20230111000000'), true)
    assert.equal(date('eb2023-01-10', '20230109235959'), true)
  })

  it('overlaps where MHD says overlap', () => {
    assert.equal(date('2023-01-03', '', ['20230101', '20230105']), true)
    assert.equal(date('2023-01-06', '', ['20230101', '20230105']), false)
    assert.equal(date('ge2023-01-03', '', ['20230101', '20230105']), true)
    assert.equal(date('le2023-01-03', '', ['20230101', '20230105']), true)
    assert.equal(date('sa2023-01-03', '', ['20230101', '20230105']), false)
  })

  it('refuses prefixes and dates it cannot answer exactly', () => {
    for (const value of ['ap2023', 'xx2023', '2023-02-30', '12/01/2023', 'ge', '2023-01-01T10'])
      assert.throws(() => parseDate('date', value), GatewayError)
  })

  it('finds strings from the start, without regard to case and accents, unless told otherwise', () => {
    assert.equal(stringTest(parameter('author.family', 'lef'))('Lefèvre'), true)
    assert.equal(stringTest(parameter('author.family', 'LEFÈVRE'))('lefevre'), true)
    assert.equal(stringTest(parameter('author.family', 'upont'))('Dupont'), false)
    assert.equal(stringTest(parameter('author.family:contains', 'upont'))('Dupont'), true)
    assert.equal(stringTest(parameter('author.family:exact', 'dupont'))('Dupont'), false)
    assert.equal(stringTest(parameter('author.family', '%'))('Dupont'), false)
    assert.throws(() => stringTest(parameter('author.family:text', 'x')), GatewayError)
  })
})
