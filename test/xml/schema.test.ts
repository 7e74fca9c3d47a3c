import assert from 'node:assert/strict'
import { XmlError } from '../../src/xml/error.ts'
import { loadSchema, type XmlSchema } from '../../src/xml/schema.ts'

const files = {
  'main/order.xsd':
    Buffer.from(`<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:order" xmlns:i="urn:item" elementFormDefault="qualified">
    <xs:import namespace="urn:item" schemaLocation="../item.xsd"/>
    <xs:element name="order"><xs:complexType><xs:sequence><xs:element ref="i:item" maxOccurs="2"/></xs:sequence></xs:complexType></xs:element>
  </xs:schema>`),
  'item.xsd': Buffer.from(`<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:item">
    <xs:element name="item" type="xs:int"/>
  </xs:schema>`),
}
const order = (...items: readonly string[]): string =>
  `<order xmlns="urn:order" xmlns:i="urn:item">\n${items.map((each) => `<i:item>${each}</i:item>\n`).join('')}</order>`

describe('XML Schema validation', () => {
  let schema: XmlSchema
  before(() => {
    schema = loadSchema(files, 'main/order.xsd')
  })
  after(() => schema.dispose())

  it('finds nothing in a valid document', () => {
    assert.deepEqual(schema.validate(order('1', '2')), [])
  })

  it('names every violation with its line', () => {
    const violations = schema.validate(order('one', 'two', '3'))
    assert(violations.length >= 2)
    assert.match(violations[0] ?? '', /^line 2: .*'one'/)
  })

  it('reports what is not well formed, and a DOCTYPE, like a violation', () => {
    assert.equal(schema.validate('<order').length > 0, true)
    assert.match(schema.validate(`<!DOCTYPE order>${order('1')}`)[0] ?? '', /DOCTYPE/)
  })

  it('opens no file but those it was given', () => {
    assert.throws(() => loadSchema({ 'order.xsd': files['main/order.xsd'] }, 'order.xsd'), XmlError)
    assert.throws(() => loadSchema(files, 'absent.xsd'), RangeError)
  })

  it('refuses a schema that is broken', () => {
    assert.throws(
      () =>
        loadSchema(
          { 'a.xsd': Buffer.from('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:nonsense/></xs:schema>') },
          'a.xsd',
        ),
      XmlError,
    )
  })
})
