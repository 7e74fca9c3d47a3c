/** fast-check arbitraries of XML as senders write it: every lexical form of the same thing, and look-alikes of documents. */
import fc from 'fast-check'

export const xdsB = 'urn:ihe:iti:xds-b:2007'
export const fhir = 'http://hl7.org/fhir'

/** Base64 with white space anywhere, as MIME and XML writers break it. */
export const brokenBase64 = fc
  .tuple(
    fc.uint8Array({ minLength: 1, maxLength: 90 }),
    fc.infiniteStream(fc.constantFrom('', '', '', '', '', '\n', ' ', '\r\n', '\t')),
  )
  .map(([bytes, spaces]) =>
    [...Buffer.from(bytes).toString('base64')].map((character) => character + spaces.next().value).join(''),
  )

const space = fc.constantFrom(' ', '\n', '\r\n', '\t', '\r', '  \n ')
const maybeSpace = fc.oneof(fc.constant(''), space)

/** Text that holds everything the cutter looks for, where it means nothing. */
const lookAlike = fc.constantFrom(
  'Document',
  'Document>',
  'data value="QUJD"',
  'data\r\n',
  'Docu',
  'Document/',
  'éàç',
  '漢🩺',
  '&lt;Document&gt;QQ==&lt;/Document&gt;',
  '&#68;ocument>',
  'dmp-spool:0',
  ']]',
  '\r\n',
  '\r',
)
const text = fc.array(lookAlike, { maxLength: 3 }).map((list) => list.join(''))
const comment = lookAlike.map((inside) => `<!-- <Document>QQ==</Document> ${inside} -->`)
const cdata = lookAlike.map((inside) => `<![CDATA[<Document>QQ==</Document><data value="QQ=="/> ${inside}]]>`)

const name = fc.constantFrom(
  'a',
  'p:b',
  'Documents',
  'xDocument',
  'Document.x',
  'p:Document',
  'attachment',
  'Binary',
  'p:Binary',
  'data',
  'metadata',
)
const value = fc.array(
  fc.constantFrom('x', 'Document>', '<Document>'.replaceAll('<', '&lt;'), '>', "'", 'data value=', '\n', 'é'),
  { maxLength: 3 },
)
const attribute = fc
  .tuple(fc.constantFrom('id', 'value', 'p:value', 'data', 'Document'), maybeSpace, maybeSpace, value)
  .map(([key, before, after, parts]) => `${key}${before}=${after}"${parts.join('').replaceAll('"', '')}"`)
const namespace = fc.constantFrom(
  `xmlns="${xdsB}"`,
  `xmlns="${fhir}"`,
  `xmlns:p='${fhir}'`,
  'xmlns="urn:other"',
  'xmlns=""',
)

function uniquely(attributes: readonly string[]): string[] {
  const byName = new Map(attributes.map((each) => [/^[^\s=]+/.exec(each)?.[0], each]))
  return [...byName.values()]
}

function element(open: string, attributes: readonly string[], gap: string, content: string | undefined): string {
  const tag = `${open}${uniquely(attributes)
    .map((each) => `${gap === '' ? ' ' : gap}${each}`)
    .join('')}${gap}`
  return content === undefined ? `<${tag}/>` : `<${tag}>${content}</${open}>`
}

/** An inline document of ITI-41 or ITI-43, in any prefix. */
const inlineDocument = fc
  .tuple(fc.boolean(), maybeSpace, maybeSpace, brokenBase64, fc.array(attribute, { maxLength: 2 }))
  .map(([prefixed, gap, before, base64, attributes]) =>
    prefixed
      ? element(
          'd:Document',
          [`xmlns:d="${xdsB}"`, ...attributes.filter((each) => !each.startsWith('p:'))],
          gap,
          before + base64,
        )
      : element(
          'Document',
          [...attributes.filter((each) => !each.startsWith('p:')), `xmlns="${xdsB}"`],
          gap,
          before + base64,
        ),
  )

const xopInclude = maybeSpace.map(
  (gap) =>
    `<Document xmlns="${xdsB}">${gap}<i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:a"/>${gap}</Document>`,
)

/** Binary or attachment with its data. */
const inlineData = fc
  .tuple(fc.constantFrom('Binary', 'attachment'), maybeSpace, maybeSpace, brokenBase64, fc.constantFrom('"', "'"))
  .map(
    ([parent, gap, equals, base64, quote]) =>
      `<${parent} xmlns="${fhir}"><data id="1"${gap === '' ? ' ' : gap}value${equals}=${equals}${quote}${base64}${quote}${gap}/></${parent}>`,
  )

/** What only looks like an inline document to a search for bytes, and what a careful reader refuses. */
export const oddities = fc.constantFrom(
  `<Document xmlns="${xdsB}">QU<!-- -->JD</Document>`,
  `<Document xmlns="${xdsB}"><![CDATA[QUJD]]></Document>`,
  `<Document xmlns="${xdsB}">QU&#74;D</Document>`,
  `<Document xmlns="${xdsB}">QUJD<x/></Document>`,
  `<Document xmlns="${xdsB}"/>`,
  `<Document xmlns="${xdsB}"> </Document>`,
  `<Binary xmlns="${fhir}"><data xmlns="urn:other" value="QUJD"/></Binary>`,
  `<Binary xmlns="${fhir}"><data value="QUJD" xmlns="urn:other"/></Binary>`,
  `<Binary xmlns="${fhir}"><data value="QU&#74;D"/></Binary>`,
  `<Binary xmlns="${fhir}"><data value=""/></Binary>`,
  `<Binary xmlns="${fhir}"><data/></Binary>`,
  `<Binary xmlns="${fhir}"><x><data value="not base64!"/></x></Binary>`,
)

/** A whole document; the oddities make most, not all, of those that hold one unreadable for the cutter. */
export function xmlDocument(options: { readonly odd: boolean }): fc.Arbitrary<string> {
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc.oneof(text, comment, cdata, inlineDocument, xopInclude, inlineData, ...(options.odd ? [oddities] : [])),
      fc
        .tuple(
          name,
          fc.array(attribute, { maxLength: 2 }),
          fc.array(namespace, { maxLength: 1 }),
          maybeSpace,
          fc.option(fc.array(tie('node'), { maxLength: 4 }), { nil: undefined, freq: 4 }),
        )
        // A data element in a Binary of the generator would be cut: its value is arbitrary text
        .map(([open, attributes, namespaces, gap, content]) =>
          element(
            open,
            [...attributes.filter((each) => !(open === 'data' && /^value/.test(each))), ...namespaces],
            gap,
            content?.join(''),
          ),
        ),
    ),
  }))
  return fc
    .tuple(
      fc.constantFrom('', '\ufeff', '<?xml version="1.0" encoding="UTF-8"?>', '<!-- <Document> -->'),
      fc.array(node, { maxLength: 5 }),
    )
    .map(([prolog, nodes]) => `${prolog}<root xmlns:p="urn:p">${nodes.join('')}</root>`)
}

/** The bytes of a text in random pieces, cut anywhere, also inside a character. */
export function inPieces(source: string | Uint8Array, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.from(source as string)
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

export const pieceSizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 200 })), {
  minLength: 1,
  maxLength: 12,
})
