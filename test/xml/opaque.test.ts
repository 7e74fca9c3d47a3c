import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createCutter, xdsDocument } from '../../src/xml/cutter.ts'
import { XmlError } from '../../src/xml/error.ts'
import { parseXml } from '../../src/xml/reader.ts'
import type { XmlElement } from '../../src/xml/tree.ts'
import { inPieces, pieceSizes } from '../arbitraries/xml.ts'

const opaque = { ns: 'urn:s', local: 'A' }

async function read(pieces: readonly Uint8Array[], maxText = 100_000): Promise<XmlElement> {
  const open = () => ({ write: () => {}, end: () => 'cut' })
  const place = { element: opaque, path: [{ ns: 'urn:e', local: 'e' }] }
  const cutter = createCutter({ rule: xdsDocument, open, opaque: place, reader: { limits: { maxText } } })
  for (const piece of pieces) await cutter.write(piece)
  return cutter.end()
}

const whole = (xml: string): Promise<XmlElement> => read([Buffer.from(xml)])
const envelope = (inside: string): string => `<e xmlns:s="urn:s" xmlns="urn:e">${inside}</e>`
const refused = (kind: 'malformed' | 'over-limit') => (error: unknown) =>
  error instanceof XmlError && error.kind === kind

/** What stands inside: look-alikes of its own tags, of documents, and elements of its own name, prefixed or not. */
const piece = fc.constantFrom(
  'text é 漢🩺',
  's:A',
  '/s:A',
  '<s:AB/>',
  '<s:B></s:B>',
  '<s:A>inner</s:A>',
  '<s:A a="1">a<s:A>b</s:A></s:A>',
  '<A xmlns="urn:s">other prefix</A>',
  '<Document xmlns="urn:ihe:iti:xds-b:2007">QQ==</Document>',
  '&lt;/s:A&gt;',
  '\r\n',
  '<!-- a comment -->',
  '<![CDATA[<x>]]>',
)
const content = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''))

describe('an opaque element', () => {
  it('keeps the source that the parser itself would capture, however the bytes arrive, and nothing in the tree', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.constantFrom('', ' ', '\r\n'), pieceSizes, async (inside, space, sizes) => {
        const xml = envelope(`<s:A b="/&gt;"${space}>${inside}</s:A${space}><after>x</after>`)
        const expected = parseXml(xml, { capture: [opaque] }).children[0]?.source
        const [element, after] = (await read(inPieces(xml, sizes))).children
        assert.deepEqual(element?.source, expected)
        assert.deepEqual([element?.children, element?.text], [[], ''])
        assert.equal(after?.text, 'x')
      }),
    )
  })

  it('is only the first of its name; the next is in the tree like any other', async () => {
    const [first, second] = (await whole(envelope('<s:A>1</s:A><s:A>2</s:A>'))).children
    assert.equal(first?.source?.xml, '<s:A>1</s:A>')
    assert.deepEqual([second?.source?.xml, second?.text], ['<s:A>2</s:A>', '2'])
  })

  it('is not one of the same name in another namespace, nor one without content', async () => {
    const { children } = await whole(envelope('<A>1</A><s:A/><s:A>2</s:A>'))
    assert.deepEqual(
      children.map(({ text, source }) => [text, source?.xml]),
      [
        ['1', undefined],
        ['', '<s:A/>'],
        ['', '<s:A>2</s:A>'],
      ],
    )
  })

  for (const [what, inside] of [
    ['an end tag in a comment', '<s:A><!-- </s:A> --></s:A>'],
    ['an end tag in CDATA', '<s:A><![CDATA[</s:A>]]></s:A>'],
    ['no end tag', '<s:A>never closed'],
    ['an element of its name without content', '<s:A><s:A/></s:A>'],
  ] as const)
    it(`is refused, or its source is no element: ${what}`, async () => {
      const source = await whole(envelope(inside)).then(
        (root) => root.children[0]?.source?.xml,
        (error: unknown) => {
          assert.ok(refused('malformed')(error))
          return '<'
        },
      )
      assert.throws(() => parseXml(`<x xmlns:s="urn:s">${source}</x>`), XmlError)
    })

  for (const [what, inside] of [
    ['deeper', '<d><s:A>never <closed</s:A></d>'],
    ['deeper, in a start tag with attributes', '<d><s:A b="1">never <closed</s:A></d>'],
    ['in an element like its own place', '<e><s:A>never <closed</s:A></e><s:A/>'],
  ] as const)
    it(`is parsed like the rest in any other place: ${what}`, async () => {
      await assert.rejects(whole(envelope(inside)), refused('malformed'))
      const { children } = await whole(envelope(`${inside.replace('<closed', '<c/>')}<s:A>1<!-- --></s:A>`))
      assert.deepEqual(children[0]?.children[0]?.text, 'never ')
      assert.equal(children.at(-1)?.text, '')
      assert.equal(children.at(-1)?.source?.xml, '<s:A>1<!-- --></s:A>')
    })

  it('must be UTF-8, and no longer than the limit of a text', async () => {
    const broken = Buffer.from(envelope('<s:A>\u00e9</s:A>'), 'latin1')
    await assert.rejects(read([broken]), refused('malformed'))
    await assert.rejects(read([Buffer.from(envelope(`<s:A>${'x'.repeat(2000)}</s:A>`))], 1000), refused('over-limit'))
  })
})
