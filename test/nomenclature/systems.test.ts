import assert from 'node:assert/strict'
import fc from 'fast-check'
import { fromFhirSystem, schemeOf, toFhirSystem } from '../../src/nomenclature/index.ts'

const A07 = '1.2.250.1.213.1.1.4.13'
const nos = 'https://mos.esante.gouv.fr/NOS/'
const a07 = `${nos}TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument`

describe('code systems', () => {
  it('writes a known OID as its published URI and reads it back', () => {
    for (const [oid, uri] of [
      [A07, a07],
      ['2.16.840.1.113883.6.1', 'http://loinc.org'],
      ['2.16.840.1.113883.5.25', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'],
      ['1.3.6.1.4.1.19376.1.2.3', 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode'],
      ['1.2.250.1.213.1.1.4.1', `${nos}TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument`],
      ['1.2.250.1.213.2.5', `${nos}CCAM/FHIR/CCAM`],
      ['URN', `${nos}TRE_A10-NomenclatureURN/FHIR/TRE-A10-NomenclatureURN`],
    ] as const) {
      assert.equal(toFhirSystem(oid), uri)
      assert.equal(fromFhirSystem(uri), oid)
    }
  })

  it('accepts both spellings of TRE_A07, the short forms and the urn:oid form of a known OID', () => {
    for (const uri of [
      `${nos}TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument`,
      `${nos}TRE_A07-StatutVisibiliteDocument`,
      `${nos}TRE_A07-StatusVisibiliteDocument`,
      `urn:oid:${A07}`,
    ])
      assert.equal(fromFhirSystem(uri), A07, uri)
    assert.equal(fromFhirSystem(`${nos}TRE_G15-ProfessionSante`), '1.2.250.1.71.1.2.7')
    assert.equal(fromFhirSystem(`${nos}TRE_A11-IheFormatCode/FHIR/TRE-A11-IheFormatCode`), '1.3.6.1.4.1.19376.1.2.3')
    assert.equal(fromFhirSystem(`${nos}TRE_A08-HL7Confidentiality`), '2.16.840.1.113883.5.25')
  })

  it('writes another OID as urn:oid and a URI of no known system as itself', () => {
    assert.equal(toFhirSystem('1.2.250.1.999.5'), 'urn:oid:1.2.250.1.999.5')
    assert.equal(fromFhirSystem('urn:oid:1.2.250.1.999.5'), '1.2.250.1.999.5')
    assert.equal(toFhirSystem('http://example.org/codes'), 'http://example.org/codes')
    assert.equal(fromFhirSystem('http://example.org/codes'), 'http://example.org/codes')
    assert.equal(fromFhirSystem('urn:oid:not.an.oid'), 'urn:oid:not.an.oid')
  })

  it('wraps a scheme that is no URI, and one that is the alias of a known system', () => {
    for (const scheme of [
      'LOINC',
      'Connect-a-thon classCodes',
      'http://loinc.org',
      `urn:oid:${A07}`,
      '',
      'a~b',
      'é%',
    ]) {
      const uri = toFhirSystem(scheme)
      assert.match(uri, /^urn:dmp-gateway:coding-scheme:[\x21-\x7e]*$/)
      assert.equal(fromFhirSystem(uri), scheme)
    }
    // A wrapped URI is wrapped again, and a URI that only resembles one is nobody's wrapper.
    const wrapped = toFhirSystem('LOINC')
    assert.equal(fromFhirSystem(toFhirSystem(wrapped)), wrapped)
    for (const odd of ['urn:dmp-gateway:coding-scheme:%zz', 'urn:dmp-gateway:coding-scheme:%4C'])
      assert.equal(fromFhirSystem(odd), odd)
  })

  it('gives every XDS coding scheme back, whatever it is', () => {
    const aliases = fc.constantFrom(
      'http://loinc.org',
      a07,
      `urn:oid:${A07}`,
      `${nos}TRE_G15-ProfessionSante`,
      'urn:oid:1.2.3',
      'URN',
      'ASTM',
      'urn:dmp-gateway:coding-scheme:x',
      '\ud800',
      '~d800',
      `1.2.${'3'.repeat(80)}`,
    )
    const anything = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      fc.webUrl(),
      aliases,
      fc.array(fc.nat({ max: 99999 }), { minLength: 1, maxLength: 12 }).map((arcs) => `1.${arcs.join('.')}`),
      fc.tuple(aliases, fc.string()).map(([alias, more]) => alias + more),
    )
    fc.assert(
      fc.property(anything, (scheme) => {
        assert.equal(fromFhirSystem(toFhirSystem(scheme)), scheme)
        // A FHIR system that came in once is stable from then on.
        assert.equal(fromFhirSystem(toFhirSystem(fromFhirSystem(scheme))), fromFhirSystem(scheme))
      }),
      { numRuns: 2000 },
    )
  })

  it('compares systems by OID, whichever form they came in', () => {
    assert.equal(schemeOf('http://loinc.org'), schemeOf('2.16.840.1.113883.6.1'))
    assert.equal(schemeOf('URN'), 'URN')
    assert.equal(schemeOf('Codes locaux'), 'Codes locaux')
  })
})
