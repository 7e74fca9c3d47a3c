import assert from 'node:assert/strict'
import type { DocumentReference } from '@medplum/fhirtypes'
import fc from 'fast-check'
import {
  fromDocumentReference,
  fromFolderList,
  fromSubmissionSetList,
  toDocumentReference,
  toFolderList,
  toSubmissionSetList,
  visibilityLast,
} from '../../../src/fhir/mapping/index.ts'
import { checkStructure } from '../../../src/fhir/structure/check.ts'
import { formatXcn, formatXon, formatXtn } from '../../../src/metadata/hl7.ts'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import { anyXcn, anyXon, anyXtn, documentEntryFor, folder, submissionSetFor } from '../../arbitraries/metadata.ts'
import { aDocumentEntry } from '../../mothers/metadata.ts'

const baseUrl = 'https://gateway.example.org/fhir'
const updatedAt = '2026-05-12T08:16:00.123Z'

/** Through the characters of a message, as a client would. */
function sent<T>(resource: T): T {
  return JSON.parse(JSON.stringify(resource)) as T
}

function readBack(entry: DocumentEntry): { resource: DocumentReference; entry: DocumentEntry | undefined } {
  const resource = sent(toDocumentReference(entry, { baseUrl, updatedAt }))
  assert.deepEqual(checkStructure(resource), [])
  const read = fromDocumentReference(resource, { profile: 'ihe' })
  assert.deepEqual(read.issues, [])
  return { resource, entry: read.entry }
}

/** N first is the order of XDS; FHIR serves the visibility codes first. */
function inXdsOrder(entry: DocumentEntry): DocumentEntry {
  return { ...entry, confidentialityCodes: visibilityLast(entry.confidentialityCodes) }
}

describe('mapping there and back', () => {
  for (const profile of ['ihe', 'ci-sis'] as const) {
    it(`gives back every DocumentEntry of profile ${profile} unchanged`, () => {
      fc.assert(
        fc.property(documentEntryFor(profile, { stored: true }), (entry) => {
          assert.deepEqual(readBack(entry).entry, inXdsOrder(entry))
        }),
        { numRuns: 300 },
      )
    })

    it(`gives back every SubmissionSet of profile ${profile} unchanged`, () => {
      fc.assert(
        fc.property(submissionSetFor(profile), (set) => {
          const list = sent(toSubmissionSetList(set, { items: ['DocumentReference/1'], updatedAt }))
          assert.deepEqual(checkStructure(list), [])
          const read = fromSubmissionSetList(list, { profile: 'ihe' })
          assert.deepEqual(read.issues, [])
          assert.deepEqual(read.value, set)
        }),
        { numRuns: 300 },
      )
    })
  }

  it('gives back any XCN, XON and XTN to the character, valid or not', () => {
    const hl7 = fc.tuple(anyXcn, fc.array(anyXon, { maxLength: 2 }), fc.array(anyXtn, { maxLength: 2 }))
    fc.assert(
      fc.property(hl7, ([person, institutions, telecoms]) => {
        const authors = [{ person, institutions, telecoms, roles: ['Correspondant'], specialties: [] }]
        const resource = sent(toDocumentReference(aDocumentEntry({ authors }), { baseUrl }))
        const { entry, issues } = fromDocumentReference(resource, { profile: 'ihe' })
        const [author] = entry?.authors ?? []
        // An organization without a name and without an identifier cannot be read: XON.1 is required.
        if (entry === undefined)
          return assert.match(issues[0]?.detail ?? '', /name of the Organization|identifier, name/)
        assert.equal(formatXcn(author?.person ?? {}), formatXcn(person))
        assert.deepEqual(author?.institutions.map(formatXon), institutions.map(formatXon))
        assert.deepEqual(author?.telecoms.map(formatXtn), telecoms.map(formatXtn))
      }),
    )
  })

  it('gives back every Folder unchanged', () => {
    fc.assert(
      fc.property(folder, (each) => {
        const list = sent(toFolderList(each, { items: [], updatedAt }))
        assert.deepEqual(checkStructure(list), [])
        const read = fromFolderList(list, { profile: 'ihe' })
        assert.deepEqual(read.issues, [])
        assert.deepEqual(read.value, each)
      }),
    )
  })

  it('gives the same DocumentReference again after a pass through XDS', () => {
    fc.assert(
      fc.property(documentEntryFor('ihe', { stored: true }), (entry) => {
        const { resource, entry: read } = readBack(entry)
        assert.ok(read)
        assert.deepEqual(readBack(read).resource, resource)
      }),
    )
  })
})
