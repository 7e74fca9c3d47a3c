import assert from 'node:assert/strict'
import type { DocumentReference } from '@medplum/fhirtypes'
import fc from 'fast-check'
import {
  fromDocumentReference,
  fromSubmissionSetList,
  toDocumentReference,
  toSubmissionSetList,
} from '../../../src/fhir/mapping/index.ts'
import type { Dtm } from '../../../src/metadata/identifiers.ts'
import { newEntryUuid } from '../../../src/metadata/identifiers.ts'
import { aDocumentEntry, anAuthor, aStructure, aSubmissionSet, codes } from '../../mothers/metadata.ts'
import {
  aDocumentReference,
  aSubmissionSetList,
  coded,
  entryOf,
  published,
  publishedSet,
  sent,
  served,
  withAttachment,
  withContext,
} from './published.ts'

/** One test for each mapping defect seen in an existing FHIR→XDS gateway. */
describe('mapping: defects seen elsewhere and not here', () => {
  it('keeps hash and size as claimed, so that they can be compared with the bytes', () => {
    const hash = Buffer.alloc(20, 7)
    const entry = entryOf(withAttachment({ hash: hash.toString('base64'), size: 11 }))
    assert.equal(entry.hash, hash.toString('hex'))
    assert.equal(entry.size, 11)
  })

  it('refuses a second content instead of reading the first alone', () => {
    const { content } = aDocumentReference()
    assert.equal(published(aDocumentReference({ content: [content[0], content[0]] })).entry, undefined)
  })

  it('takes the coding of a known system wherever it stands, and says which codings it leaves', () => {
    const type = {
      coding: [
        { system: 'https://hospital.example.org/types', code: 'BIO' },
        { system: 'http://loinc.org', code: '11502-2', display: "CR d'examens biologiques" },
      ],
    }
    const { entry, issues } = published(aDocumentReference({ type }))
    assert.deepEqual(entry?.typeCode, codes.bloodTest)
    assert.deepEqual(
      issues.map(({ location }) => location),
      ['DocumentReference.type.coding[0]'],
    )
  })

  it('takes a relatesTo target by FHIR reference, by absolute URL or by identifier: no XDS UUID needed', () => {
    const target = (each: object) =>
      published(aDocumentReference({ relatesTo: [{ code: 'replaces', target: each }] })).relations[0]?.target
    for (const each of [
      { reference: 'DocumentReference/7f3c' },
      { reference: 'https://gateway.example.org/fhir/DocumentReference/7f3c' },
      { identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3' } },
    ])
      assert.deepEqual(target(each), each)
  })

  it('writes a relatesTo target that resolves, never urn:oid: before a UUID', () => {
    const target = newEntryUuid()
    const { relatesTo } = toDocumentReference(aDocumentEntry(), { baseUrl: '', relations: [{ type: 'RPLC', target }] })
    assert.equal(relatesTo?.[0]?.target.reference, `DocumentReference/${target.slice('urn:uuid:'.length)}`)
  })

  it('gives no author a role that nobody stated', () => {
    assert.deepEqual(entryOf(aDocumentReference()).authors[0]?.roles, [])
  })

  it('invents no author where there is none', () => {
    assert.deepEqual(entryOf(aDocumentReference({ author: undefined })).authors, [])
    assert.equal(served(aDocumentEntry({ authors: [], legalAuthenticator: undefined })).author, undefined)
  })

  it('gives every reference id a type: CXi without CX.5 is not valid', () => {
    const related = [
      { identifier: { system: 'urn:oid:1.2.250.1.999.2', value: 'R1' } },
      { identifier: { system: 'urn:ietf:rfc:3986', value: 'urn:uuid:7d5bb8ac-68ee-4926-85e7-000000000000' } },
      { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.250.1.999.3' } },
      {
        identifier: {
          type: coded('http://terminology.hl7.org/CodeSystem/v2-0203', 'ACSN'),
          system: 'urn:oid:1.2.250.1.999.2',
          value: 'A1',
        },
      },
    ]
    const entry = entryOf(withContext({ related }))
    assert.deepEqual(
      entry.referenceIds.map(({ typeCode }) => typeCode),
      [
        'urn:dmp-gateway:reference:untyped',
        'urn:ihe:iti:xds:2013:uniqueId',
        'urn:ihe:iti:xds:2016:studyInstanceUID',
        'urn:ihe:iti:xds:2013:accession',
      ],
    )
    const [first, , third] = served(entry).context?.related ?? []
    assert.deepEqual(first, related[0])
    assert.equal(third?.identifier?.system, 'urn:dicom:uid')
  })

  it('keeps the type code of a reference id on the way out', () => {
    const identifier = {
      type: coded('urn:ietf:rfc:3986', 'urn:ihe:iti:xds:2013:accession'),
      system: 'urn:oid:1.2.250.1.999.2',
      value: 'ACC1',
    }
    assert.deepEqual(served(entryOf(withContext({ related: [{ identifier }] }))).context?.related, [{ identifier }])
  })

  it('keeps the encounter: as a reference id, and back in context.encounter', () => {
    const identifier = { system: 'urn:oid:1.2.250.1.999.2', value: 'SEJOUR-7' }
    const entry = entryOf(withContext({ encounter: [{ type: 'Encounter', identifier }] }))
    assert.equal(entry.referenceIds[0]?.typeCode, 'urn:ihe:iti:xds:2015:encounterId')
    assert.deepEqual(served(entry).context?.encounter, [{ type: 'Encounter', identifier }])
    const contained = [{ resourceType: 'Encounter', id: 'e', status: 'finished', class: {}, identifier: [identifier] }]
    const byReference = withContext({ encounter: [{ reference: '#e' }] })
    const { referenceIds } = entryOf({
      ...byReference,
      contained: [...(byReference.contained ?? []), ...contained],
    } as DocumentReference)
    assert.deepEqual(referenceIds, entry.referenceIds)
  })

  it('keeps the order of reference ids, encounters among them', () => {
    const authority = { universalId: '1.2.250.1.999.2', universalIdType: 'ISO' }
    const [encounter, order] = ['urn:ihe:iti:xds:2015:encounterId', 'urn:ihe:iti:xds:2013:order']
    for (const types of [
      [encounter, order],
      [order, encounter],
      [encounter, order, encounter],
    ]) {
      const referenceIds = types.map((typeCode, i) => ({
        id: `R${i}`,
        assigningAuthority: authority,
        typeCode: String(typeCode),
      }))
      assert.deepEqual(entryOf(served(aDocumentEntry({ referenceIds }))).referenceIds, referenceIds)
    }
  })

  it('says that an encounter without an identifier is not kept', () => {
    const { issues } = published(withContext({ encounter: [{ reference: 'Encounter/1' }] }))
    assert.deepEqual(
      issues.map(({ code, location }) => [code, location]),
      [['XDSExtraMetadataNotSaved', 'DocumentReference.context.encounter[0]']],
    )
  })

  it('requires the sourceId of a SubmissionSet', () => {
    const extension = aSubmissionSetList().extension?.filter(({ url }) => !url.endsWith('sourceId'))
    assert.deepEqual(
      publishedSet(aSubmissionSetList({ extension })).issues.map(({ rule }) => rule),
      ['SSLIST410_2'],
    )
  })

  it('serves one label for each confidentiality code', () => {
    const confidentialityCodes = [codes.normal, codes.maskedToProfessionals, codes.hiddenFromPatient]
    const { securityLabel } = served(aDocumentEntry({ confidentialityCodes }))
    assert.equal(securityLabel?.length, 3)
    for (const { coding } of securityLabel ?? []) assert.equal(coding?.length, 1)
  })

  it('claims a DocumentReference profile on a DocumentReference', () => {
    for (const limitedMetadata of [true, false])
      assert.match(served(aDocumentEntry({ limitedMetadata })).meta?.profile?.[0] ?? '', /\.DocumentReference$/)
  })

  it('has a status for every availabilityStatus', () => {
    for (const availabilityStatus of ['Approved', 'Deprecated', 'Archived', 'Deleted'] as const)
      assert.match(served(aDocumentEntry({ availabilityStatus })).status, /^(current|superseded|entered-in-error)$/)
  })

  it('reports a missing status instead of failing on it', () => {
    assert.deepEqual(
      published(aDocumentReference({ status: undefined })).issues.map(({ rule }) => rule),
      ['DR_11'],
    )
  })

  it('never emits an empty display, and keeps the one there is', () => {
    const { type, category } = served(
      aDocumentEntry({
        typeCode: { ...codes.bloodTest, display: '' },
        classCode: { code: '10', system: '1.2.250.1.213.1.1.4.1' },
      }),
    )
    assert.deepEqual(Object.keys(type?.coding?.[0] ?? {}), ['system', 'code'])
    assert.deepEqual(Object.keys(category?.[0]?.coding?.[0] ?? {}), ['system', 'code'])
    assert.equal(served(aDocumentEntry()).type?.coding?.[0]?.display, codes.bloodTest.display)
  })

  it('turns a month into no milliseconds and an hour into no known minutes', () => {
    const resource = served(
      aDocumentEntry({
        creationTime: '202605' as Dtm,
        serviceStartTime: '2026051207' as Dtm,
        serviceStopTime: undefined,
      }),
    )
    assert.equal(resource.content[0]?.attachment.creation, '2026-05')
    const entry = entryOf(resource)
    assert.deepEqual([entry.creationTime, entry.serviceStartTime], ['202605', '2026051207'])
  })

  it('keeps several institutions of one author', () => {
    const authors = [anAuthor({ institutions: [aStructure({ name: 'A' }), aStructure({ name: 'B' })] })]
    assert.deepEqual(entryOf(served(aDocumentEntry({ authors }))).authors, authors)
  })

  it('serves an entry whatever local flags it carries', () => {
    const extra = [{ name: 'urn:e-health-suisse:2019:deletionStatus', values: ['deletionRequested'] }]
    assert.deepEqual(entryOf(served(aDocumentEntry({ extra }))).extra, extra)
  })

  it('names folders among the members of a SubmissionSet, and keeps every recipient and author', () => {
    const telecom = { type: 'Internet', email: 'a@b.example' }
    const set = aSubmissionSet({ authors: [anAuthor(), anAuthor({ roles: [] })], intendedRecipients: [{ telecom }] })
    const list = sent(toSubmissionSetList(set, { items: ['DocumentReference/1', 'List/2'] }))
    assert.equal(list.entry?.[1]?.item.reference, 'List/2')
    assert.deepEqual(fromSubmissionSetList(list, { profile: 'ihe' }).value, set)
  })

  it('has one id for an entry, the same in every version', () => {
    const logicalId = newEntryUuid()
    const ids = [1, 2, 3].map((version) => served(aDocumentEntry({ logicalId, version })).id)
    assert.deepEqual(new Set(ids), new Set([logicalId.slice('urn:uuid:'.length)]))
  })

  it('never throws for a resource of the right structure, however odd', () => {
    const odd = fc.constantFrom(
      {},
      { reference: '#author' },
      { reference: '#' },
      { reference: 'urn:uuid:x' },
      { identifier: {} },
      { identifier: { value: '^&|~\\' } },
      { display: 'x' },
      { type: 'Group', identifier: { value: '1' } },
    )
    const concept = fc.constantFrom({}, { text: 'x' }, { coding: [] }, { coding: [{}] }, { coding: [{ code: 'x' }] })
    fc.assert(
      fc.property(odd, odd, odd, concept, concept, (subject, author, other, type, label) => {
        const resource = aDocumentReference({
          subject,
          author: [author],
          authenticator: other,
          custodian: other,
          type,
          securityLabel: [label],
          relatesTo: [{ code: 'replaces', target: other }],
          context: { encounter: [other], related: [author], sourcePatientInfo: subject, event: [type] },
        })
        for (const options of [{ assign: { entryUuid: newEntryUuid() } }, {}]) {
          const { issues, entry } = fromDocumentReference(resource, { profile: 'ihe', ...options })
          assert.equal(
            entry === undefined,
            issues.some(({ severity }) => severity === 'error'),
          )
        }
      }),
    )
  })
})
