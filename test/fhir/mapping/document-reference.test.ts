import assert from 'node:assert/strict'
import type { DocumentReference } from '@medplum/fhirtypes'
import { fromDocumentReference, toDocumentReference } from '../../../src/fhir/mapping/index.ts'
import { type Dtm, newEntryUuid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import { aDocumentEntry, codes, sha1 } from '../../mothers/metadata.ts'
import { baseUrl, entryOf, published, sent, served } from './published.ts'

const archivedUrl = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'

/** rule (or code), location of each error. */
function _errorsOf(resource: DocumentReference, path?: string): string[] {
  return published(resource, path === undefined ? {} : { path })
    .issues.filter(({ severity }) => severity === 'error')
    .map(({ rule, code, location }) => `${rule ?? code} ${location}`)
}

describe('mapping/document-reference, as served', () => {
  it('names itself by the logicalId, and carries entryUUID, logicalId and version', () => {
    const logicalId = newEntryUuid()
    const entry = aDocumentEntry({ logicalId, version: 3 })
    const resource = toDocumentReference(entry, { baseUrl, updatedAt: '2026-05-12T08:16:00.000Z' })
    assert.equal(resource.id, logicalId.slice('urn:uuid:'.length))
    assert.equal(resource.meta?.versionId, '3')
    assert.equal(resource.meta?.lastUpdated, '2026-05-12T08:16:00.000Z')
    assert.deepEqual(
      resource.identifier?.map(({ use, value }) => [use, value]),
      [
        ['official', entry.entryUuid],
        ['secondary', logicalId],
      ],
    )
    assert.equal(resource.content[0]?.attachment.url, `${baseUrl}/Binary/${resource.id}`)
  })

  for (const [uniqueId, value] of [
    ['1.2.250.1.999.7', 'urn:oid:1.2.250.1.999.7'],
    ['1.2.250.1.999.7^A12', 'urn:oid:1.2.250.1.999.7^A12'],
    ['urn:uuid:6d0c2d5e-90a1-4ed2-8a0d-6a5f9f3f7b10', 'urn:uuid:6d0c2d5e-90a1-4ed2-8a0d-6a5f9f3f7b10'],
    ['https://lab.example.org/reports/7', 'https://lab.example.org/reports/7'],
  ] as const)
    it(`writes the uniqueId ${uniqueId} as a URI and reads it back`, () => {
      const resource = served(aDocumentEntry({ uniqueId: uniqueId as UniqueId }))
      assert.deepEqual(resource.masterIdentifier, { use: 'usual', system: 'urn:ietf:rfc:3986', value })
      assert.equal(entryOf(resource).uniqueId, uniqueId)
    })

  for (const uniqueId of ['DOC-0042', 'urn:oid:1.2.250.1.999.7', 'urn:oid:nonsense'])
    it(`keeps the uniqueId ${uniqueId}, which is neither OID nor UUID`, () => {
      assert.equal(entryOf(served(aDocumentEntry({ uniqueId: uniqueId as UniqueId }))).uniqueId, uniqueId)
    })

  for (const [availabilityStatus, status, archived] of [
    ['Approved', 'current', undefined],
    ['Archived', 'current', true],
    ['Deprecated', 'superseded', undefined],
    ['Deleted', 'entered-in-error', undefined],
  ] as const)
    it(`serves ${availabilityStatus} as ${status}${archived ? ' and archived' : ''}`, () => {
      const resource = served(aDocumentEntry({ availabilityStatus, extra: [{ name: 'urn:x:y', values: ['1'] }] }))
      assert.equal(resource.status, status)
      assert.equal(resource.extension?.find(({ url }) => url === archivedUrl)?.valueBoolean, archived)
      // JSON Patch of the guide points to /extension/0
      if (archived) assert.equal(resource.extension?.[0]?.url, archivedUrl)
      assert.equal(fromDocumentReference(resource, { profile: 'ci-sis' }).entry?.availabilityStatus, availabilityStatus)
    })

  it('serves visibility before N and reads N first', () => {
    const confidentialityCodes = [codes.normal, codes.maskedToProfessionals, codes.hiddenFromRepresentatives]
    const resource = served(aDocumentEntry({ confidentialityCodes }))
    assert.deepEqual(
      resource.securityLabel?.map(({ coding }) => coding?.[0]?.code),
      ['MASQUE_PS', 'INVISIBLE_REPRESENTANTS_LEGAUX', 'N'],
    )
    assert.deepEqual(entryOf(resource).confidentialityCodes, confidentialityCodes)
  })

  it('leaves confidentiality codes of other code systems in their order', () => {
    const confidentialityCodes = [
      { code: 'B', system: '1.2.250.1.999.4' },
      { code: 'A', system: '1.2.250.1.999.4' },
    ]
    assert.deepEqual(
      entryOf(served(aDocumentEntry({ confidentialityCodes }))).confidentialityCodes,
      confidentialityCodes,
    )
  })

  it('gives the SHA-1 as base64 of its 20 bytes', () => {
    const hash = sha1(Buffer.from('x'))
    const written = served(aDocumentEntry({ hash })).content[0]?.attachment.hash ?? ''
    assert.equal(Buffer.from(written, 'base64').length, 20)
    assert.equal(Buffer.from(written, 'base64').toString('hex'), hash)
  })

  it('keeps a size beyond FHIR unsignedInt', () => {
    const size = 2 ** 31 + 5
    const resource = served(aDocumentEntry({ size }))
    assert.equal(resource.content[0]?.attachment.size, undefined)
    assert.equal(entryOf(resource).size, size)
  })

  it('writes creationTime into date and attachment.creation alike', () => {
    const resource = served(aDocumentEntry({ creationTime: '20260512081530' as Dtm }))
    assert.equal(resource.date, '2026-05-12T08:15:30Z')
    assert.equal(resource.content[0]?.attachment.creation, '2026-05-12T08:15:30Z')
  })

  for (const creationTime of ['2026', '202605', '20260512', '2026051208', '202605120815'] as const)
    it(`keeps the precision of ${creationTime}: what FHIR must fill up is not taken for known`, () => {
      const entry = aDocumentEntry({ creationTime: creationTime as Dtm, serviceStartTime: creationTime as Dtm })
      const read = entryOf(served({ ...entry, serviceStopTime: creationTime as Dtm }))
      assert.deepEqual(
        [read.creationTime, read.serviceStartTime, read.serviceStopTime],
        [creationTime, creationTime, creationTime],
      )
    })

  it('names the feeding structure as custodian where it is known', () => {
    const resource = toDocumentReference(aDocumentEntry(), { baseUrl, custodian: { id: '1010099999' } })
    assert.deepEqual(resource.custodian, {
      type: 'Organization',
      identifier: { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1010099999' },
    })
    assert.equal(served(aDocumentEntry()).custodian, undefined)
  })

  it('writes replaces and transforms for XFRM_RPLC, and reads them as one', () => {
    const target = newEntryUuid()
    const other = newEntryUuid()
    const resource = toDocumentReference(aDocumentEntry(), {
      baseUrl,
      relations: [
        { type: 'XFRM_RPLC', target },
        { type: 'APND', target: other, documentation: codes.report },
        { type: 'IsSnapshotOf', target: other },
        { type: 'signs', target: other },
      ],
    })
    const reference = `DocumentReference/${target.slice(9)}`
    assert.deepEqual(
      resource.relatesTo?.map(({ code }) => code),
      ['replaces', 'transforms', 'appends', 'transforms', 'signs'],
    )
    assert.equal(resource.relatesTo?.[0]?.target.reference, reference)
    const { relations } = published(sent(resource))
    assert.deepEqual(
      relations.map(({ type }) => type),
      ['XFRM_RPLC', 'APND', 'IsSnapshotOf', 'signs'],
    )
    assert.deepEqual(relations[0]?.target, { reference })
    assert.deepEqual(relations[1]?.documentation, codes.report)
  })

  it('claims the profile that holds: minimal for limited metadata, none when neither limited nor complete', () => {
    const claim = (changes: Parameters<typeof aDocumentEntry>[0]) => served(aDocumentEntry(changes)).meta?.profile?.[0]
    assert.match(claim({}) ?? '', /\/IHE\.MHD\.Comprehensive\.DocumentReference$/)
    assert.match(claim({ limitedMetadata: true }) ?? '', /\/IHE\.MHD\.Minimal\.DocumentReference$/)
    assert.equal(claim({ formatCode: undefined }), undefined)
  })

  it('keeps what MHD has no element for', () => {
    const entry = aDocumentEntry({
      homeCommunityId: 'urn:oid:1.2.250.1.999.8',
      documentAvailability: 'Offline',
      uri: 'IHE_XDM/SUBSET01/DOC00001.XML',
      stability: 'on-demand',
      hash: undefined,
      size: undefined,
      extra: [{ name: 'urn:exemple:a', values: ['1', '2'] }],
    })
    const read = fromDocumentReference(served(entry), { profile: 'ihe' })
    assert.deepEqual(read.issues, [])
    assert.deepEqual(read.entry, entry)
  })

  it('shares nothing that a reader of one answer could change for another', () => {
    const entry = aDocumentEntry()
    const first = toDocumentReference(entry, { baseUrl })
    assert.throws(() => Object.assign(first.subject?.identifier ?? {}, { value: 'someone else' }), TypeError)
    assert.equal(toDocumentReference(entry, { baseUrl }).subject?.identifier?.value, entry.patientId.id)
  })
})
