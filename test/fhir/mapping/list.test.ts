import assert from 'node:assert/strict'
import type { List } from '@medplum/fhirtypes'
import {
  fromFolderList,
  fromSubmissionSetList,
  listKind,
  toFolderList,
  toSubmissionSetList,
} from '../../../src/fhir/mapping/index.ts'
import { newEntryUuid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import type { SubmissionSet } from '../../../src/metadata/model.ts'
import { aDevice, aFolder, anAuthor, aProfessional, aStructure, aSubmissionSet, codes } from '../../mothers/metadata.ts'
import { aSubmissionSetList, coded, entryUuid, publishedSet, sent } from './published.ts'

const ihe = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition/'

function servedSet(set: SubmissionSet): List {
  return sent(toSubmissionSetList(set, { items: ['DocumentReference/1', 'List/2'] }))
}

function readBack(set: SubmissionSet): SubmissionSet | undefined {
  const { value, issues } = fromSubmissionSetList(servedSet(set), { profile: 'ci-sis' })
  assert.deepEqual(issues, [])
  return value
}

function errorsOf(list: List): string[] {
  return publishedSet(list).issues.map(({ rule, code, location }) => `${rule ?? code} ${location}`)
}

describe('mapping/list: SubmissionSet', () => {
  it('is a working List of code submissionset that names its members in order', () => {
    const set = aSubmissionSet({ comments: 'Sortie' })
    const list = servedSet(set)
    assert.equal(list.id, set.logicalId.slice('urn:uuid:'.length))
    assert.equal(list.mode, 'working')
    assert.equal(list.status, 'current')
    assert.equal(listKind(list), 'submissionset')
    assert.deepEqual(
      list.entry?.map(({ item }) => item.reference),
      ['DocumentReference/1', 'List/2'],
    )
    assert.deepEqual(list.note, [{ text: 'Sortie' }])
    assert.deepEqual(list.extension?.find(({ url }) => url === `${ihe}ihe-sourceId`)?.valueIdentifier, {
      system: 'urn:ietf:rfc:3986',
      value: `urn:oid:${set.sourceId}`,
    })
    assert.deepEqual(
      list.identifier?.map(({ use, value }) => [use, value]),
      [
        ['official', set.entryUuid],
        ['secondary', set.logicalId],
        ['usual', `urn:oid:${set.uniqueId}`],
      ],
    )
  })

  it('puts an institution by itself into ihe-authorOrg: a List has no Organization as source', () => {
    const set = aSubmissionSet({
      authors: [{ institutions: [aStructure()], roles: [], specialties: [], telecoms: [] }],
    })
    const list = servedSet(set)
    assert.equal(list.source?.reference, undefined)
    assert.equal(list.source?.extension?.[0]?.url, `${ihe}ihe-authorOrg`)
    assert.deepEqual(readBack(set), set)
  })

  it('keeps the telecoms of an institution by itself', () => {
    const telecoms = [{ type: 'Internet', email: 'a@b.example' }]
    const set = aSubmissionSet({ authors: [{ institutions: [aStructure()], roles: [], specialties: [], telecoms }] })
    assert.deepEqual(readBack(set), set)
  })

  it('keeps every author, the first as source', () => {
    const set = aSubmissionSet({ authors: [anAuthor(), anAuthor({ person: aDevice() }), anAuthor({ roles: [] })] })
    assert.deepEqual(readBack(set), set)
  })

  it('keeps recipients whole: organization, person, telecom, alone or together', () => {
    const telecom = { use: 'NET', type: 'Internet', email: 'a@b.example' }
    const set = aSubmissionSet({
      intendedRecipients: [
        { organization: aStructure() },
        { person: aProfessional() },
        { telecom },
        { organization: aStructure({ name: 'CH DEUX' }), person: aProfessional(), telecom },
      ],
    })
    assert.equal(servedSet(set).extension?.filter(({ url }) => url === `${ihe}ihe-intendedRecipient`).length, 4)
    assert.deepEqual(readBack(set), set)
  })

  for (const availabilityStatus of ['Approved', 'Archived', 'Deprecated', 'Deleted'] as const)
    it(`keeps the status ${availabilityStatus}, versions, extra slots and limited metadata`, () => {
      const set = aSubmissionSet({
        availabilityStatus,
        logicalId: newEntryUuid(),
        version: 2,
        limitedMetadata: true,
        homeCommunityId: 'urn:oid:1.2.250.1.999.8',
        extra: [{ name: 'urn:exemple:a', values: ['1'] }],
      })
      assert.deepEqual(readBack(set), set)
    })

  it('reads a source with its ihe-authorOrg as one author', () => {
    const list = aSubmissionSetList()
    const contained = [...(list.contained ?? []), { resourceType: 'Organization', id: 'org', name: 'CH EXEMPLE' }]
    const extension = [{ url: `${ihe}ihe-authorOrg`, valueReference: { reference: '#org' } }]
    const { value } = publishedSet(aSubmissionSetList({ contained, source: { reference: '#author', extension } }))
    assert.equal(value?.authors.length, 1)
    assert.equal(value?.authors[0]?.person?.id, '899700000001')
    assert.deepEqual(value?.authors[0]?.institutions, [{ name: 'CH EXEMPLE' }])
  })

  it('takes the uniqueId of the list, else the one the gateway made', () => {
    assert.equal(publishedSet(aSubmissionSetList()).value?.uniqueId, '1.2.250.1.999.9.2')
    assert.equal(publishedSet(aSubmissionSetList({ identifier: undefined })).value?.uniqueId, '1.2.250.1.999.9.3')
    const official = [{ use: 'official', system: 'urn:ietf:rfc:3986', value: newEntryUuid() }]
    assert.equal(publishedSet(aSubmissionSetList({ identifier: official })).value?.uniqueId, '1.2.250.1.999.9.3')
  })

  it('reports every violation at once, each with its rule', () => {
    const list = aSubmissionSetList({
      extension: [1, 2].map((code) => ({
        url: `${ihe}ihe-designationType`,
        valueCodeableConcept: coded('urn:oid:1.2.250.1.213.2.2', `0${code}`),
      })),
      date: undefined,
      status: 'retired',
      mode: 'snapshot',
      subject: { reference: 'Patient/unknown' },
      source: { reference: '#nobody' },
      entry: [{ item: { display: 'a document' } }, { item: { reference: 'DocumentReference/1' }, deleted: true }],
    })
    assert.deepEqual(errorsOf(list), [
      'SSLIST_5 List.status',
      'SUBJ4_3 List.subject',
      'SSLIST410_2 List.extension',
      'SSLIST_3 List.date',
      'profile-violation List.extension[0]',
      'DR_8 List.source',
      'profile-violation List.mode',
      'profile-violation List.entry[0].item',
      'profile-violation List.entry[1].deleted',
    ])
    assert.equal(publishedSet(list).value, undefined)
  })

  it('says what a list has no place for', () => {
    const { value, issues } = publishedSet(aSubmissionSetList({ encounter: { reference: 'Encounter/1' } }))
    assert.ok(value)
    assert.deepEqual(
      issues.map(({ code, location }) => [code, location]),
      [['XDSExtraMetadataNotSaved', 'List.encounter']],
    )
  })

  it('gives the members with their location, for the door to find', () => {
    const { items } = publishedSet(aSubmissionSetList())
    assert.deepEqual(items, [{ reference: 'urn:uuid:0c0a91c8-1111-4b2c-9d0a-000000000002', location: 'List.entry[0]' }])
  })
})

describe('mapping/list: Folder', () => {
  it('keeps every code of the codeList, and everything else', () => {
    const folder = aFolder({ codes: [codes.report, codes.summary], comments: 'Suivi', version: 2 })
    const list = sent(toFolderList(folder, { items: ['DocumentReference/1'] }))
    assert.equal(listKind(list), 'folder')
    assert.equal(list.extension?.filter(({ url }) => url === `${ihe}ihe-designationType`).length, 2)
    assert.deepEqual(fromFolderList(list, { profile: 'ihe' }).value, folder)
  })

  it('is read from a published list, without author', () => {
    const list = aSubmissionSetList({
      code: coded('https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', 'folder'),
      extension: [
        { url: `${ihe}ihe-designationType`, valueCodeableConcept: coded('urn:oid:1.2.250.1.999.3', 'suivi') },
      ],
      title: 'Suivi',
    })
    const { value, issues } = fromFolderList(list, {
      profile: 'ihe',
      assign: { entryUuid, uniqueId: '1.2.250.1.999.9.3' as UniqueId },
    })
    assert.equal(value?.entryUuid, entryUuid)
    assert.deepEqual(
      value?.codes.map(({ code }) => code),
      ['suivi'],
    )
    assert.deepEqual(
      issues.map(({ severity, location }) => [severity, location]),
      [['warning', 'List.source']],
    )
  })

  it('is told from a SubmissionSet by its code, in the MHD code system only', () => {
    const of = (system: string, code: string) => listKind(aSubmissionSetList({ code: coded(system, code) }))
    assert.equal(of('http://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', 'folder'), 'folder')
    assert.equal(of('https://example.org/lists', 'folder'), undefined)
    assert.equal(of('https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes', 'other'), undefined)
  })
})
