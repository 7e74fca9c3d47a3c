/** Across the doors nothing is lost: whatever an entry holds, it crosses ebRIM and FHIR, either way round, unchanged. */
import assert from 'node:assert/strict'
import type { DocumentReference } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { fromDocumentReference, toDocumentReference, visibilityLast } from '../../src/fhir/mapping/index.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { readObjects } from '../../src/xds/ebrim/reader.ts'
import { writeDocumentEntry } from '../../src/xds/ebrim/writer.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { XmlWriter } from '../../src/xml/writer.ts'
import { documentEntryFor } from '../arbitraries/metadata.ts'

const options = { baseUrl: 'https://gateway.example.org/fhir', updatedAt: '2026-05-12T08:16:00.123Z' }

/** Through the characters of an ITI-18 answer. */
function throughEbrim(entry: DocumentEntry): DocumentEntry {
  const xml = new XmlWriter().start('rim:RegistryObjectList', {
    'xmlns:rim': 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0',
  })
  writeDocumentEntry(xml, entry)
  const { entries, issues } = readObjects(parseXml(xml.end().take()), 'stored')
  assert.deepEqual(issues, [])
  assert.ok(entries[0])
  return entries[0]
}

/** Through the characters of an ITI-67 answer. */
function throughFhir(resource: DocumentReference): DocumentEntry {
  const { entry, issues } = fromDocumentReference(JSON.parse(JSON.stringify(resource)), { profile: 'ihe' })
  assert.deepEqual(issues, [])
  assert.ok(entry)
  return entry
}

/** The order of confidentiality codes is XDS's, and a code without a display gets itself, which ebRIM requires. */
function asRegistered(entry: DocumentEntry): DocumentEntry {
  const named = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(named)
    return typeof value === 'object' && value !== null && 'code' in value ? { display: value.code, ...value } : value
  }
  const coded = Object.entries(entry).map(([key, value]) => [key, named(value)])
  const registered = Object.fromEntries(coded) as DocumentEntry
  return { ...registered, confidentialityCodes: visibilityLast(registered.confidentialityCodes) }
}

for (const profile of ['ci-sis', 'ihe'] as const) {
  describe(`entries of profile ${profile} across the doors`, () => {
    it('come back the same from XDS through FHIR', () => {
      fc.assert(
        fc.property(documentEntryFor(profile, { stored: true }), (entry) => {
          const registered = throughEbrim(asRegistered(entry))
          assert.deepEqual(registered, asRegistered(entry))
          assert.deepEqual(throughFhir(toDocumentReference(registered, options)), registered)
        }),
        { numRuns: 200 },
      )
    })

    it('come back the same from FHIR through XDS', () => {
      fc.assert(
        fc.property(documentEntryFor(profile, { stored: true }), (entry) => {
          const resource = toDocumentReference(asRegistered(entry), options)
          const back = toDocumentReference(throughEbrim(throughFhir(resource)), options)
          assert.deepEqual(back, resource)
        }),
        { numRuns: 200 },
      )
    })
  })
}
