import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createXmlReader, parseXml, XmlError, type XmlReaderOptions } from '../../src/xml/reader.ts'
import { attribute, child, children, type XmlElement } from '../../src/xml/tree.ts'
import { inPieces, pieceSizes, xmlDocument } from '../arbitraries/xml.ts'

const malformed = (error: unknown): boolean => error instanceof XmlError && error.kind === 'malformed'
const overLimit = (error: unknown): boolean => error instanceof XmlError && error.kind === 'over-limit'

function readInPieces(pieces: readonly Uint8Array[], options?: XmlReaderOptions): XmlElement {
  const reader = createXmlReader(options)
  for (const piece of pieces) reader.write(piece)
  return reader.end()
}

describe('XML reader', () => {
  it('builds elements and attributes by namespace and local name', () => {
    const root = parseXml('<a xmlns="urn:a" xmlns:b="urn:b" x="1" b:x="2"><b:c>t&#233;<d/>&lt;</b:c><c xmlns=""/></a>')
    assert.equal(root.ns, 'urn:a')
    assert.equal(attribute(root, 'x'), '1')
    assert.equal(attribute(root, 'x', 'urn:b'), '2')
    assert.equal(root.attributes.length, 2, 'namespace declarations are not attributes')
    assert.equal(child(root, 'urn:b', 'c')?.text, 'té<')
    assert.equal(children(root, '', 'c').length, 1)
  })

  it('reads line ends and CDATA as XML does', () => {
    assert.equal(parseXml('<a>1\r\n2\r3<![CDATA[<&\r\n]]></a>').text, '1\n2\n3<&\n')
    assert.equal(attribute(parseXml('<a b="1\n2&#10;3"/>'), 'b'), '1 2\n3')
  })

  it('ignores comments, and xml-stylesheet before the root', () => {
    assert.equal(parseXml('<?xml-stylesheet href="a.xsl"?><!-- <b/> --><a>1<!-- 2 -->3</a>').text, '13')
  })

  it('gives the same tree however the bytes arrive', () => {
    fc.assert(
      fc.property(xmlDocument({ odd: true }), pieceSizes, (source, sizes) => {
        assert.deepEqual(readInPieces(inPieces(source, sizes)), parseXml(Buffer.from(source)))
      }),
      { numRuns: 200 },
    )
  })

  describe('encodings', () => {
    it('reads UTF-8 with and without a byte order mark', () => {
      for (const mark of ['', '\ufeff'])
        assert.equal(parseXml(Buffer.from(`${mark}<?xml version="1.0" encoding="utf-8"?><a>é漢🩺</a>`)).text, 'é漢🩺')
    })

    it('reads UTF-16 with a byte order mark, in pieces too', () => {
      const bytes = Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a>é漢🩺</a>', 'utf16le')
      assert.equal(readInPieces(inPieces(bytes, [1])).text, 'é漢🩺')
      assert.equal(parseXml(Buffer.from(bytes).swap16()).text, 'é漢🩺')
    })

    for (const [title, bytes] of [
      ['bytes that are not UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xe9, 0x3c, 0x2f, 0x61, 0x3e])],
      ['an incomplete last character', Buffer.from([0x3c, 0x61, 0x2f, 0x3e, 0xc3])],
      ['ISO-8859-1', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a/>')],
      ['a declaration of UTF-16 over UTF-8 bytes', Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a/>')],
      ['UTF-16 without a byte order mark', Buffer.from('<a/>', 'utf16le')],
      ['half of a surrogate pair in UTF-16', Buffer.from('\ufeff<a>\ud83e</a>', 'utf16le')],
    ] as const)
      it(`refuses ${title} and says to send UTF-8`, () => {
        assert.throws(
          () => parseXml(bytes),
          (error: unknown) => malformed(error) && /UTF-8/.test((error as XmlError).message),
        )
      })

    it('refuses half of a surrogate pair in a string', () => {
      assert.throws(() => parseXml('<a>\ud83ea</a>'), malformed)
    })
  })

  for (const [title, source] of [
    ['a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['a DOCTYPE with entities', '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'],
    ['an entity nobody declared', '<a>&nbsp;</a>'],
    ['XML 1.1', '<?xml version="1.1"?><a/>'],
    ['a processing instruction', '<a><?php echo ?></a>'],
    ['a repeated attribute', '<a b="1" b="2"/>'],
    ['an attribute repeated through two prefixes', '<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>'],
    ['two roots', '<a/><b/>'],
    ['text after the root', '<a/>b'],
    ['nothing', ''],
    ['white space alone', ' \n'],
    ['an element that does not end', '<a><b></b>'],
    ['crossed tags', '<a><b></a></b>'],
    ['a prefix nobody declared', '<p:a/>'],
    ['a control character', '<a>\u0001</a>'],
    ['a control character by reference', '<a>&#1;</a>'],
    ['space around a namespace name', '<a xmlns=" urn:a"/>'],
    ['an XML declaration after a line', '\n<?xml version="1.0"?><a/>'],
    ['< in an attribute value', '<a b="<"/>'],
  ] as const)
    it(`refuses ${title}`, () => {
      assert.throws(() => parseXml(source), malformed)
      assert.throws(() => readInPieces(inPieces(source, [1])), malformed)
    })

  it('lets a FHIR reader ignore processing instructions', () => {
    assert.equal(parseXml('<?xml-model href="x"?><a>1<?b c?>2</a>', { processingInstructions: 'ignore' }).text, '12')
  })

  describe('limits', () => {
    for (const [title, source, options] of [
      ['nesting', '<a>'.repeat(5), { maxDepth: 4 }],
      ['attributes', '<a b="" c="" d=""/>', { maxAttributes: 2 }],
      ['namespace declarations', '<a xmlns:b="urn:b" xmlns:c="urn:c" xmlns:d="urn:d"/>', { maxAttributes: 2 }],
      ['elements', '<a><b/><b/><b/></a>', { maxElements: 3 }],
      ['text', '<a>12345</a>', { maxText: 4 }],
      ['text in pieces', '<a>12<!-- -->345</a>', { maxText: 4 }],
      ['text between elements', '<a>12<b/>345</a>', { maxText: 4 }],
      ['an attribute value', '<a b="12345"/>', { maxText: 4 }],
      ['the whole', '<a>12345</a>', { maxBytes: 11 }],
    ] as const)
      it(`holds for ${title}`, () => {
        assert.throws(() => parseXml(source, { limits: options }), overLimit)
        assert.throws(() => parseXml(Buffer.from(source), { limits: options }), overLimit)
      })

    it('lets pass what is exactly at a limit', () => {
      const limits = { maxDepth: 2, maxAttributes: 1, maxElements: 2, maxText: 4, maxBytes: 25 }
      assert.equal(
        parseXml(Buffer.from('<a b="1234"><c>1234</c></a>').subarray(0, 25 + 2), {
          limits: { ...limits, maxBytes: 27 },
        }).children.length,
        1,
      )
      assert.throws(() => parseXml('<a b="1234"><c>1234</c></a>', { limits }), overLimit)
    })

    // What saxes would gather without end: each of these is refused before the input ends
    for (const [title, start] of [
      ['a tag name', '<a'],
      ['an attribute name', '<a b'],
      ['an attribute value', '<a b="'],
      ['a text', '<a>'],
      ['a comment', '<!-- '],
      ['a CDATA section', '<a><![CDATA['],
      ['an entity name', '<a>&'],
      ['a processing instruction', '<a><?b '],
      ['an end tag', '<a></a'],
    ] as const)
      it(`stops an endless ${title}`, () => {
        const reader = createXmlReader({ limits: { maxText: 1000 } })
        reader.write(Buffer.from(start))
        const more = Buffer.alloc(64 * 1024, 'x')
        assert.throws(() => {
          for (let written = 0; written < 10; written++) reader.write(more)
        }, overLimit)
      })

    it('refuses a nesting bomb in no time, in one piece', () => {
      const started = process.cpuUsage()
      assert.throws(() => parseXml('<a>'.repeat(230_000)), overLimit)
      assert.throws(() => parseXml(`<a ${'b="" '.repeat(10_000)}/>`), XmlError)
      assert(process.cpuUsage(started).user < 5_000_000, 'seconds of CPU')
    })

    it('refuses 10,000 different attributes', () => {
      const attributes = Array.from({ length: 10_000 }, (_, index) => `a${index}="1"`).join(' ')
      assert.throws(() => parseXml(`<a ${attributes}/>`), overLimit)
    })
  })

  it('keeps throwing once it has refused', () => {
    const reader = createXmlReader()
    assert.throws(() => reader.write(Buffer.from('<a></b>')), malformed)
    assert.throws(() => reader.write(Buffer.from('<a/>')), malformed)
    assert.throws(() => reader.end(), malformed)
  })

  it('says where the document is broken', () => {
    assert.throws(
      () => parseXml('<a>\n  <b></c></a>'),
      (error: unknown) => malformed(error) && /2:/.test((error as XmlError).message),
    )
  })

  describe('capture', () => {
    const capture = [{ ns: 'urn:s', local: 'A' }]
    const signed = '<s:A\r\n  b = \'>\'><!-- > --><s:A c="é"/>&#65;<![CDATA[</s:A>]]></s:A >'

    it('keeps the exact characters and the namespaces around them', () => {
      const source = `<e xmlns="urn:e" xmlns:s="urn:t"><f xmlns:s="urn:s" xmlns="">${signed}</f></e>`
      const root = parseXml(source, { capture })
      const element = root.children[0]?.children[0]
      assert.equal(element?.source?.xml, signed)
      assert.deepEqual(element?.source?.namespaces, { s: 'urn:s' })
      assert.equal(element?.children[0]?.source?.xml, '<s:A c="é"/>')
      assert.equal(root.source, undefined)
    })

    it('leaves out what the element declares itself', () => {
      const root = parseXml('<e xmlns="urn:e"><s:A xmlns:s="urn:s"/></e>', { capture })
      assert.deepEqual(root.children[0]?.source, { xml: '<s:A xmlns:s="urn:s"/>', namespaces: { '': 'urn:e' } })
    })

    it('keeps them however the bytes arrive', () => {
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom('<x/>', 't', '\r', '&amp;', signed), { maxLength: 6 }),
          pieceSizes,
          (around, sizes) => {
            const source = `<e xmlns:s="urn:s">${around.join('')}${signed}${around.join('')}</e>`
            const found = readInPieces(inPieces(source, sizes), { capture }).children.filter(
              (each) => each.local === 'A',
            )
            assert.deepEqual(
              found.map((each) => each.source?.xml),
              found.map(() => signed),
            )
            assert(found.length > 0)
          },
        ),
        { numRuns: 100 },
      )
    })

    it('keeps it when the document is longer than one step of the parser', () => {
      const filler = `<x>${'y'.repeat(70_000)}</x>`
      const root = parseXml(`<e xmlns:s="urn:s">${filler}${signed}${filler}${signed}</e>`, { capture })
      assert.deepEqual([root.children[1]?.source?.xml, root.children[3]?.source?.xml], [signed, signed])
    })

    it('caps the length of what it keeps', () => {
      const long = `<s:A xmlns:s="urn:s">${'<x>yyyy</x>'.repeat(50_000)}</s:A>`
      assert.throws(() => parseXml(`<e>${long}</e>`, { capture, limits: { maxText: 100_000 } }), overLimit)
    })
  })
})
