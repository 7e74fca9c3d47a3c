import assert from 'node:assert/strict'
import { submissionForSingle } from '../../../src/fhir/mapping/index.ts'
import type { UniqueId } from '../../../src/metadata/identifiers.ts'
import { isOid } from '../../../src/metadata/identifiers.ts'
import { aDocumentEntry, anAssociation, anAuthor, codes } from '../../mothers/metadata.ts'

const options = {
  profile: 'ci-sis',
  uniqueId: '1.2.250.1.999.9.3' as UniqueId,
  sourceId: '1.2.250.1.999.1.1',
  now: new Date('2026-05-12T08:16:00.500Z'),
} as const

describe('mapping/submission', () => {
  it('makes a lot of one document by its first author, now', () => {
    const entry = aDocumentEntry({ authors: [anAuthor(), anAuthor({ roles: [] })] })
    const { submissionSet, entries, folders, associations } = submissionForSingle(entry, options)
    assert.deepEqual(entries, [entry])
    assert.deepEqual(folders, [])
    assert.deepEqual(submissionSet.authors, [entry.authors[0]])
    assert.deepEqual(submissionSet.patientId, entry.patientId)
    assert.equal(submissionSet.submissionTime, '20260512081600')
    assert.ok(isOid(submissionSet.sourceId))
    const [member, ...others] = associations
    assert.deepEqual(others, [])
    assert.equal(member?.type, 'HasMember')
    assert.equal(member?.source, submissionSet.entryUuid)
    assert.equal(member?.target, entry.entryUuid)
    assert.equal(member?.submissionSetStatus, 'Original')
    assert.equal(new Set([entry.entryUuid, submissionSet.entryUuid, member?.entryUuid]).size, 3)
  })

  it('carries the relationships of the document along', () => {
    const entry = aDocumentEntry()
    const replacement = anAssociation({ type: 'RPLC', source: entry.entryUuid })
    const { associations } = submissionForSingle(entry, { ...options, associations: [replacement] })
    assert.deepEqual(associations.slice(1), [replacement])
  })

  it('takes the sector of the document as content type where JDV_J59 has it, else the undifferentiated activity', () => {
    const contentType = (changes: Parameters<typeof aDocumentEntry>[0]) =>
      submissionForSingle(aDocumentEntry(changes), options).submissionSet.contentTypeCode
    assert.equal(contentType({ healthcareFacilityTypeCode: codes.office })?.code, 'SA07')
    const undifferentiated = { code: '97', system: '1.2.250.1.213.2.2', display: "Type d'activité indifférencié" }
    assert.deepEqual(contentType({ healthcareFacilityTypeCode: codes.hospital }), undifferentiated)
    assert.deepEqual(contentType({ healthcareFacilityTypeCode: undefined }), undifferentiated)
  })

  it('takes what the source said about the content before anything derived', () => {
    const { submissionSet } = submissionForSingle(aDocumentEntry(), { ...options, contentTypeCode: codes.fullStay })
    assert.deepEqual(submissionSet.contentTypeCode, codes.fullStay)
  })

  it('takes the type of the document in profile ihe, and is limited with it', () => {
    const entry = aDocumentEntry({ limitedMetadata: true, typeCode: undefined })
    const { submissionSet } = submissionForSingle(entry, { ...options, profile: 'ihe' })
    assert.equal(submissionSet.contentTypeCode, undefined)
    assert.equal(submissionSet.limitedMetadata, true)
    const complete = submissionForSingle(aDocumentEntry(), { ...options, profile: 'ihe' })
    assert.deepEqual(complete.submissionSet.contentTypeCode, codes.bloodTest)
  })
})
