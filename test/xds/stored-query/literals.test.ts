import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseValue } from '../../../src/xds/stored-query/literals.ts'

const texts = (source: string) => parseValue(source).literals.map(({ text }) => text)

describe('the value syntax of stored queries', () => {
  it('reads a string, with doubled quotes as one', () => {
    assert.deepEqual(parseValue("'O''Brien'"), { list: false, literals: [{ kind: 'string', text: "O'Brien" }] })
    assert.deepEqual(texts("''''"), ["'"])
    assert.deepEqual(texts("''"), [''])
  })

  it('reads a number without quotes', () => {
    assert.deepEqual(parseValue('20260512'), { list: false, literals: [{ kind: 'number', text: '20260512' }] })
  })

  it('keeps commas, parentheses and line ends inside strings', () => {
    assert.deepEqual(texts("('EXEMPLE, Anne (Dr)','b\nc')"), ['EXEMPLE, Anne (Dr)', 'b\nc'])
  })

  it('passes over white space between the parts of a list', () => {
    assert.deepEqual(parseValue(" ( 'a' ,\n\n\t'b' , 3 ) ").literals, [
      { kind: 'string', text: 'a' },
      { kind: 'string', text: 'b' },
      { kind: 'number', text: '3' },
    ])
  })

  for (const wrong of [
    '',
    '()',
    "('a'",
    "'a",
    "('a',)",
    "(,'a')",
    "'a' 'b'",
    "'a'b",
    'abc',
    "(('a'))",
    "'a')",
    "('a''",
    '-1',
    '1.5',
  ])
    it(`refuses ${JSON.stringify(wrong)}`, () => {
      assert.throws(() => parseValue(wrong), RangeError)
    })

  it('never repeats a value in what it says of it', () => {
    const said = (source: string): string => {
      try {
        parseValue(source)
      } catch (error) {
        return String(error)
      }
      throw new Error('no error')
    }
    assert.doesNotMatch(said("'SECRET"), /SECRET/)
    assert.doesNotMatch(said('SECRET'), /SECRET/)
  })

  it('gives back every list of strings that is written by the rule', () => {
    const string = fc.string({ unit: fc.constantFrom('a', 'é', "'", ',', '(', ')', ' ', '^', '\n', '0') })
    fc.assert(
      fc.property(fc.array(string, { minLength: 1, maxLength: 5 }), (list) => {
        const source = `(${list.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')})`
        assert.deepEqual(texts(source), list)
      }),
    )
  })
})
