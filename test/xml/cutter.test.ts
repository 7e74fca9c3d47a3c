import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type CutRule, createCutter, fhirData, xdsDocument } from '../../src/xml/cutter.ts'
import { malformed, XmlError } from '../../src/xml/error.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { attribute, type XmlElement } from '../../src/xml/tree.ts'
import { fhir, inPieces, pieceSizes, xdsB, xmlDocument } from '../arbitraries/xml.ts'

/** Reads with the cutter; what was cut is put back where its placeholder stands, without white space. */
async function cutAndRestore(
  rule: CutRule,
  pieces: readonly Uint8Array[],
  maxCuts = 512,
): Promise<{ tree: XmlElement; cuts: string[] }> {
  const cuts: string[] = []
  const cutter = createCutter<string>({
    rule,
    maxCuts,
    open: () => {
      let gathered = ''
      return {
        write: (base64) => {
          gathered += Buffer.from(base64).toString('latin1')
        },
        end: () => {
          if (!/^[A-Za-z0-9+/=\s]*$/.test(gathered)) throw malformed('not base64')
          cuts.push(gathered)
          return gathered
        },
      }
    },
  })
  for (const piece of pieces) await cutter.write(piece)
  const tree = await cutter.end()
  const restored = (element: XmlElement): XmlElement => ({
    ...element,
    attributes: element.attributes.map((each) => ({ ...each, value: back(each.value) })),
    children: element.children.map(restored),
    text: back(element.text),
  })
  const back = (value: string): string => cutter.cut(value) ?? value
  return { tree: restored(tree), cuts }
}

/** The tree with the white space of base64 taken out: the only thing a cut may change. */
function comparable(rule: CutRule, element: XmlElement): XmlElement {
  const ours = element.ns === rule.element.ns && element.local === rule.element.local
  const spaceless = (value: string): string => value.replace(/\s/g, '')
  return {
    ...element,
    attributes: element.attributes.map((each) => ({
      ...each,
      value: ours && each.local === rule.attribute ? spaceless(each.value) : each.value,
    })),
    children: element.children.map((each) => comparable(rule, each)),
    text: ours && rule.attribute === undefined ? spaceless(element.text) : element.text,
  }
}

/** Every text that the rule says to cut, in document order. */
function inlineTexts(rule: CutRule, element: XmlElement, parent?: XmlElement): string[] {
  const { ns, local } = rule.element
  const placed = rule.parents?.some((each) => each.ns === parent?.ns && each.local === parent.local) ?? true
  const text = rule.attribute === undefined ? element.text : (attribute(element, rule.attribute) ?? '')
  const own = placed && element.ns === ns && element.local === local && text !== '' ? [text] : []
  return [...own, ...element.children.flatMap((each) => inlineTexts(rule, each, element))]
}

function plain(source: string | Uint8Array): XmlElement | undefined {
  try {
    return parseXml(Buffer.from(source as string))
  } catch (error) {
    assert(error instanceof XmlError)
    return undefined
  }
}

const rules = { 'xds-b:Document text': xdsDocument, 'FHIR data values': fhirData }

for (const [title, rule] of Object.entries(rules)) {
  describe(`base64 cutter: ${title}`, () => {
    it('gives the tree that the parser alone gives, however the bytes arrive', async () => {
      await fc.assert(
        fc.asyncProperty(xmlDocument({ odd: false }), pieceSizes, async (source, sizes) => {
          const { tree, cuts } = await cutAndRestore(rule, inPieces(source, sizes))
          const whole = plain(source)
          assert(whole !== undefined, 'the generator makes well-formed documents')
          assert.deepEqual(comparable(rule, tree), comparable(rule, whole))
          assert.deepEqual(
            cuts.map((each) => each.replace(/\s/g, '')),
            inlineTexts(rule, comparable(rule, whole)),
          )
        }),
        { numRuns: 300 },
      )
    })

    it('never reads what the parser alone would refuse or read otherwise, whatever is broken', async () => {
      await fc.assert(
        fc.asyncProperty(
          xmlDocument({ odd: true }),
          pieceSizes,
          fc.array(
            fc.tuple(
              fc.nat(),
              fc.constantFrom('', '<', '>', '"', "'", '=', '&', '/', '!', '\r', 'D', '\0', '<!--', ' '),
            ),
            {
              maxLength: 2,
            },
          ),
          async (source, sizes, damages) => {
            let damaged = source
            for (const [at, what] of damages) {
              const place = at % damaged.length
              damaged = damaged.slice(0, place) + what + damaged.slice(place + (what === '' ? 1 : 0))
            }
            let read: { tree: XmlElement }
            try {
              read = await cutAndRestore(rule, inPieces(damaged, sizes))
            } catch (error) {
              assert(error instanceof XmlError, String(error))
              return
            }
            const whole = plain(damaged)
            assert(whole !== undefined, 'the parser alone refuses this')
            assert.deepEqual(comparable(rule, read.tree), comparable(rule, whole))
          },
        ),
        { numRuns: 600 },
      )
    })
  })
}

describe('base64 cutter', () => {
  const soap = (document: string): string =>
    `<e xmlns="urn:e" xmlns:x="${xdsB}"><x:Document id="D">${document}</x:Document></e>`
  const binary = (data: string): string => `<Binary xmlns="${fhir}"><contentType value="text/plain"/>${data}</Binary>`
  const cutsOf = async (rule: CutRule, source: string): Promise<string[]> =>
    (await cutAndRestore(rule, [Buffer.from(source)])).cuts

  it('takes the base64 out of the text', async () => {
    assert.deepEqual(await cutsOf(xdsDocument, soap(' QUJD\r\nREVG ')), ['QUJD\r\nREVG '])
  })

  it('takes the base64 out of Binary.data and attachment.data, and of nothing else', async () => {
    assert.deepEqual(await cutsOf(fhirData, binary('<data value="QUJD"/>')), ['QUJD'])
    assert.deepEqual(await cutsOf(fhirData, `<x xmlns="${fhir}"><attachment><data value='QUJD'/></attachment></x>`), [
      'QUJD',
    ])
    assert.deepEqual(await cutsOf(fhirData, `<x xmlns="${fhir}"><signature><data value="QUJD"/></signature></x>`), [])
    assert.deepEqual(await cutsOf(fhirData, '<Binary xmlns="urn:other"><data value="QUJD"/></Binary>'), [])
  })

  it('leaves xop:Include, an empty Document and an empty value alone', async () => {
    assert.deepEqual(
      await cutsOf(xdsDocument, soap('\n <i xmlns="http://www.w3.org/2004/08/xop/include" href="cid:a"/>\n')),
      [],
    )
    assert.deepEqual(await cutsOf(xdsDocument, soap('')), [])
    assert.deepEqual(await cutsOf(fhirData, binary('<data value=""/>')), [])
  })

  for (const [title, rule, source] of [
    ['a comment', xdsDocument, soap('QU<!-- x -->JD')],
    ['a CDATA section', xdsDocument, soap('QU<![CDATA[JD]]>')],
    ['a processing instruction', xdsDocument, soap('QU<?x y?>JD')],
    ['a child element', xdsDocument, soap('QUJD<a/>')],
    ['a character reference', xdsDocument, soap('QU&#74;D')],
    ['a character reference in a value', fhirData, binary('<data value="QU&#74;D"/>')],
    ['an entity in a value', fhirData, binary('<data value="QUJD&amp;"/>')],
    ['a value outside the namespace of its parent', fhirData, binary('<data value="QUJD" xmlns="urn:other"/>')],
    ['two values', fhirData, binary('<data value="QUJD" value="QUJD"/>')],
    ['a value without quotes', fhirData, binary('<data value=QUJD/>')],
    ['a value between letters', fhirData, binary('<data value=éQUJDé/>')],
    ['base64 that does not end', xdsDocument, '<Document xmlns="urn:ihe:iti:xds-b:2007">QUJD'],
    ['UTF-16', xdsDocument, '\0<\0a\0/\0>'],
  ] as const)
    it(`refuses ${title}`, async () => {
      await assert.rejects(
        cutsOf(rule, source),
        (error: unknown) => error instanceof XmlError && error.kind === 'malformed',
      )
    })

  it('refuses UTF-16 with a byte order mark, in which a search for bytes would find nothing', async () => {
    await assert.rejects(cutAndRestore(xdsDocument, [Buffer.from('\ufeff<a/>', 'utf16le')]), XmlError)
  })

  it('does not resolve a placeholder written by the sender', async () => {
    const source = `<e xmlns:x="${xdsB}"><x:Document>QUJD</x:Document><x:Document><![CDATA[dmp-spool:0]]></x:Document></e>`
    const { tree } = await cutAndRestore(xdsDocument, [Buffer.from(source)])
    assert.deepEqual(
      tree.children.map((each) => each.text),
      ['QUJD', 'dmp-spool:0'],
    )
  })

  it('caps the number of inline documents', async () => {
    const source = `<e xmlns="${xdsB}">${'<Document>QQ==</Document>'.repeat(4)}</e>`
    assert.equal((await cutAndRestore(xdsDocument, [Buffer.from(source)], 4)).cuts.length, 4)
    await assert.rejects(
      cutAndRestore(xdsDocument, [Buffer.from(source)], 3),
      (error: unknown) => error instanceof XmlError && error.kind === 'over-limit',
    )
  })

  it('keeps throwing once it has refused', async () => {
    const cutter = createCutter({ rule: xdsDocument, open: () => ({ write: () => {}, end: () => 1 }) })
    await assert.rejects(cutter.write(Buffer.from('<a><!DOCTYPE x>')), XmlError)
    await assert.rejects(cutter.write(Buffer.from('<a/>')), XmlError)
    await assert.rejects(cutter.end(), XmlError)
  })

  it('carries megabytes past the text limit of the parser', async () => {
    const base64 = Buffer.alloc(3 * 1024 * 1024, 7).toString('base64')
    const pieces = inPieces(soap(base64), [65_536])
    const { cuts } = await cutAndRestore(xdsDocument, pieces)
    assert.equal(cuts[0]?.length, base64.length)
    assert.throws(() => parseXml(Buffer.concat(pieces)), XmlError)
  })
})
