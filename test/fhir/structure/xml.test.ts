import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { toDocumentReference } from '../../../src/fhir/mapping/index.ts'
import { resourceFromXml } from '../../../src/fhir/structure/xml-reader.ts'
import { resourceToXml } from '../../../src/fhir/structure/xml-writer.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { documentEntry } from '../../arbitraries/metadata.ts'
import { aBundle } from '../mothers.ts'

function read(xml: string): ReturnType<typeof resourceFromXml> {
  return resourceFromXml(parseXml(xml, { processingInstructions: 'ignore' }), () => undefined)
}

function roundTrip(resource: { readonly resourceType: string }): void {
  const { resource: back, issues } = read(resourceToXml(resource))
  assert.deepEqual(issues, [])
  assert.deepEqual(back, withoutNarrative(JSON.parse(JSON.stringify(resource))))
}

/** Narratives are not read. */
function withoutNarrative(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNarrative)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [
      key,
      key === 'div' && typeof child === 'string'
        ? '<div xmlns="http://www.w3.org/1999/xhtml"/>'
        : withoutNarrative(child),
    ]),
  )
}

describe('FHIR XML', () => {
  it('carries every DocumentReference this gateway writes, unchanged', () => {
    fc.assert(
      fc.property(documentEntry, (entry) =>
        roundTrip(toDocumentReference(entry, { baseUrl: 'http://gateway.test/fhir' })),
      ),
      { numRuns: 100 },
    )
  })

  it('carries a Bundle with its resources, and keeps the places of primitive lists', () => {
    roundTrip(aBundle())
    const patient = {
      resourceType: 'Patient',
      id: 'p',
      name: [
        {
          id: 'n',
          given: [null, 'Anne', 'É'],
          _given: [{ id: 'a' }, null, { extension: [{ url: 'urn:x', valueBoolean: false }] }],
        },
      ],
    }
    roundTrip(patient)
  })

  it('writes elements in the order of the definition, ids and urls as attributes', () => {
    const xml = resourceToXml({
      resourceType: 'Patient',
      ...{ birthDate: '1985-02-01', active: true, extension: [{ url: 'urn:x', id: 'e', valueDecimal: 1.5 }], id: 'p' },
    })
    assert.equal(
      xml,
      '<Patient xmlns="http://hl7.org/fhir"><id value="p"/><extension id="e" url="urn:x"><valueDecimal value="1.5"/></extension><active value="true"/><birthDate value="1985-02-01"/></Patient>',
    )
  })

  it('reads the published examples as their JSON', function () {
    const samples = path.resolve('..', 'shared', 'samples', 'fhir')
    if (!existsSync(samples)) return this.skip()
    for (const name of readdirSync(samples).filter((each) => each.endsWith('.json') && !each.includes('fhir-document')))
      roundTrip(JSON.parse(readFileSync(path.join(samples, name), 'utf8')))
  })

  const patient = (inner: string): string => `<Patient xmlns="http://hl7.org/fhir">${inner}</Patient>`

  it('refuses unknown elements, attributes, namespaces, text and a container without its one resource', () => {
    for (const inner of [
      '<colour value="x"/>',
      '<active value="true" colour="x"/>',
      '<active xmlns="urn:x" value="true"/>',
      'text',
      '<contained/>',
      '<contained><Device/><Device/></contained>',
      '<contained><Nothing/></contained>',
      '<name><url value="x"/></name>',
    ])
      assert.equal(read(patient(inner)).issues.length, 1, inner)
    assert.equal(read('<Patient/>').issues.length, 1)
    assert.equal(read('<Observation xmlns="http://hl7.org/fhir"/>').resource, undefined)
  })

  it('leaves what has no JSON value as text, and a repeated single element as a list, for the check to refuse', () => {
    assert.deepEqual(read(patient('<active value="yes"/>')).resource, { resourceType: 'Patient', active: 'yes' })
    assert.deepEqual(read(patient('<active value="true"/><active value="false"/>')).resource, {
      resourceType: 'Patient',
      active: [true, false],
    })
  })
})
