import assert from 'node:assert/strict'
import fc from 'fast-check'
import { XmlError } from '../../src/xml/error.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { attribute } from '../../src/xml/tree.ts'
import { escapeAttribute, escapeText, XmlWriter } from '../../src/xml/writer.ts'

const xmlCharacter = fc
  .oneof(fc.constantFrom(...'&<>"\'\t\n\r]'), fc.string({ unit: 'grapheme-composite', minLength: 1, maxLength: 1 }))
  .filter((character) => /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u.test(character))
const xmlText = fc.array(xmlCharacter, { maxLength: 20 }).map((characters) => characters.join(''))

describe('XML writer', () => {
  it('writes what the reader reads back, whatever the text', () => {
    fc.assert(
      fc.property(xmlText, xmlText, (text, value) => {
        const writer = new XmlWriter()
          .declaration()
          .start('a', { b: value, none: undefined })
          .text(text)
          .element('c', { d: value })
          .end()
        const root = parseXml(writer.take())
        assert.equal(root.text, text)
        assert.equal(attribute(root, 'b'), value)
        assert.equal(attribute(root.children[0] ?? root, 'd'), value)
        assert.equal(root.attributes.length, 1)
      }),
    )
  })

  it('closes an element without content in its start tag', () => {
    const writer = new XmlWriter()
      .start('a')
      .start('b')
      .end()
      .element('c')
      .element('d', undefined, '')
      .element('e', undefined, '1')
      .end()
    assert.equal(writer.take().toString(), '<a><b/><c/><d/><e>1</e></a>')
  })

  it('gives away what is ready while the rest is being made', () => {
    const writer = new XmlWriter().start('a', { b: '1' })
    const pieces = [writer.take().toString()]
    pieces.push(writer.take().toString())
    writer.raw('<x/>').raw(Buffer.from('<y/>')).text('é'.repeat(20_000))
    pieces.push(writer.take().toString())
    pieces.push(writer.end().take().toString())
    assert.deepEqual(pieces, ['<a b="1">', '', `<x/><y/>${'é'.repeat(20_000)}`, '</a>'])
  })

  it('escapes nothing that needs none', () => {
    assert.equal(escapeText(`'"é漢🩺`), `'"é漢🩺`)
    assert.equal(escapeAttribute(`'é漢🩺`), `'é漢🩺`)
    assert.equal(escapeText('a]]>b'), 'a]]&gt;b')
    assert.equal(escapeAttribute('"\r\n\t'), '&quot;&#13;&#10;&#9;')
  })

  for (const [title, text] of [
    ['a control character', 'a\u0001'],
    ['a null', '\0'],
    ['U+FFFF', '\uffff'],
    ['half of a surrogate pair', 'a\ud83e'],
    ['the other half', '\udd7a b'],
  ] as const)
    it(`refuses ${title}, which XML cannot hold`, () => {
      assert.throws(() => escapeText(text), XmlError)
      assert.throws(() => escapeAttribute(text), XmlError)
    })

  it('refuses to end more than was started', () => {
    assert.throws(() => new XmlWriter().element('a').end(), RangeError)
  })
})
