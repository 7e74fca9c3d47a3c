import assert from 'node:assert/strict'
import { DOMParser } from '@xmldom/xmldom'
import fc from 'fast-check'
import { ExclusiveCanonicalization } from 'xml-crypto'
import { canonicalizeExclusive } from '../../src/xml/c14n.ts'
import { parseXml, XmlError } from '../../src/xml/reader.ts'

type TheirNode = Parameters<ExclusiveCanonicalization['process']>[0]

const ds = 'http://www.w3.org/2000/09/xmldsig#'
const around = { '': 'urn:default', p: 'urn:p', q: 'urn:q', unused: 'urn:unused' }

describe('exclusive canonicalisation', () => {
  it('writes only the namespaces in use, sorts attributes, drops comments and opens empty elements', () => {
    const canonical = canonicalizeExclusive(
      `<p:a  z='1' a="&#x9;2" q:b='3'><!-- c --><p:b/><![CDATA[<]]>\r\n</p:a>`,
      around,
    )
    assert.equal(
      canonical.toString(),
      '<p:a xmlns:p="urn:p" xmlns:q="urn:q" a="&#x9;2" z="1" q:b="3"><p:b></p:b>&lt;\n</p:a>',
    )
  })

  it('writes the namespaces of the prefix list too, and the default one as #default', () => {
    assert.equal(
      canonicalizeExclusive('<p:a t="q:x"/>', around, { prefixes: ['q', '#default'] }).toString(),
      '<p:a xmlns="urn:default" xmlns:p="urn:p" xmlns:q="urn:q" t="q:x"></p:a>',
    )
  })

  it('lets the element declare a prefix of its surroundings again', () => {
    assert.equal(
      canonicalizeExclusive(
        `<p:a x="xmlns:q='urn:fake'" xmlns:p = 'urn:other' xmlns=""><b/><q:c/></p:a>`,
        around,
      ).toString(),
      `<p:a xmlns:p="urn:other" x="xmlns:q='urn:fake'"><b></b><q:c xmlns:q="urn:q"></q:c></p:a>`,
    )
  })

  it('leaves the enveloped signature out', () => {
    const xml = `<p:a>1<s:Signature xmlns:s="${ds}"><s:SignedInfo/></s:Signature>2<p:b><s:Signature xmlns:s="${ds}"/></p:b></p:a>`
    assert.equal(
      canonicalizeExclusive(xml, around, { withoutSignature: true }).toString(),
      `<p:a xmlns:p="urn:p">12<p:b><s:Signature xmlns:s="${ds}"></s:Signature></p:b></p:a>`,
    )
  })

  it('takes an element inside the fragment, by its path', () => {
    const xml = `<p:a><s:Signature xmlns:s="${ds}"><s:SignedInfo><s:x/></s:SignedInfo></s:Signature></p:a>`
    const path = [
      { ns: ds, local: 'Signature' },
      { ns: ds, local: 'SignedInfo' },
    ]
    assert.equal(
      canonicalizeExclusive(xml, around, { path, prefixes: ['p'] }).toString(),
      `<s:SignedInfo xmlns:p="urn:p" xmlns:s="${ds}"><s:x></s:x></s:SignedInfo>`,
    )
  })

  it('agrees with an independent implementation', () => {
    const part = fc.constantFrom(
      '<p:b xmlns:p="urn:other" p:c="1"/>',
      "<q:c  b='é\"' a='&lt;&amp;&#10;'>t</q:c >",
      '<d xmlns="">&gt;<q:e/></d>',
      'text\r\n&#13;',
      '<![CDATA[<&>]]>',
      '<!-- comment -->',
      '<p:f q:z="1" a="2" q:b="3" p:c="4"><p:f/></p:f>',
      '<g xmlns:p="urn:p" xmlns:r="urn:r" r:s="1"/>',
      '漢🩺',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.subarray(['p', 'q', 'unused']), (parts, prefixes) => {
        const fragment = `<p:a q:x="1" xmlns:new="urn:new">${parts.join('')}</p:a>`
        const declarations = Object.entries(around).map(([prefix, uri]) => ` xmlns${prefix && `:${prefix}`}="${uri}"`)
        const document = new DOMParser().parseFromString(`<w${declarations.join('')}>${fragment}</w>`, 'text/xml')
        const element = document.documentElement?.firstChild
        assert(element)
        const theirs = new ExclusiveCanonicalization().process(element as unknown as TheirNode, {
          inclusiveNamespacesPrefixList: prefixes,
          ancestorNamespaces: Object.entries(around).map(([prefix, namespaceURI]) => ({ prefix, namespaceURI })),
        })
        assert.equal(canonicalizeExclusive(fragment, around, { prefixes }).toString(), theirs.toString())
      }),
      { numRuns: 100 },
    )
  })

  it('gives bytes that the reader reads as the same element', () => {
    const source = `<e xmlns="urn:default" xmlns:p="urn:p" xmlns:q="urn:q"><p:a q:b=" 1 ">x<c/></p:a></e>`
    const element = parseXml(source, { capture: [{ ns: 'urn:p', local: 'a' }] }).children[0]
    assert(element?.source !== undefined)
    const { source: captured, ...tree } = element
    assert.deepEqual(parseXml(canonicalizeExclusive(captured.xml, captured.namespaces)), tree)
  })

  for (const [title, fragment] of [
    ['a DOCTYPE', '<!DOCTYPE p:a [<!ENTITY e "x">]><p:a>&e;</p:a>'],
    ['an entity', '<p:a>&e;</p:a>'],
    ['two elements', '<p:a/><p:b/>'],
    ['text around the element', ' <p:a/>'],
    ['a processing instruction beside it', '<p:a/><?x y?>'],
    ['an element cut short', '<p:a><p:b>'],
    ['a prefix that nobody declares', '<no:a/>'],
    ['a relative namespace URI', '<a xmlns="relative"/>'],
    ['nothing', ''],
  ] as const)
    it(`refuses ${title}`, () => {
      assert.throws(
        () => canonicalizeExclusive(fragment, around),
        (error: unknown) => error instanceof XmlError && error.kind === 'malformed',
      )
    })

  it('refuses a path or a signature that is not there exactly once', () => {
    const step = { ns: 'urn:p', local: 'b' }
    for (const xml of ['<p:a/>', '<p:a><p:b/><p:b/></p:a>'])
      assert.throws(() => canonicalizeExclusive(xml, around, { path: [step] }), XmlError)
    const signature = `<Signature xmlns="${ds}"/>`
    for (const xml of ['<p:a/>', `<p:a>${signature}${signature}</p:a>`])
      assert.throws(() => canonicalizeExclusive(xml, around, { withoutSignature: true }), XmlError)
  })
})
