import assert from 'node:assert/strict'
import { type Dtm, newEntryUuid } from '../../../src/metadata/identifiers.ts'
import type { DocumentEntry, Submission } from '../../../src/metadata/model.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aSubmission,
  aSubmissionSet,
  codes,
} from '../../mothers/metadata.ts'
import { approved, deprecated, list, one, openRegistry, type Registry } from './registry.ts'

const status = `(${approved})`
const cx = ({ id, assigningAuthority: a }: DocumentEntry['patientId']) => one(`${id}^^^&${a?.universalId}&ISO`)
const ids = (objects: readonly { readonly entryUuid: string }[]) => objects.map(({ entryUuid }) => entryUuid).sort()

describe('stored queries of a registry', () => {
  let registry: Registry
  let patientId: DocumentEntry['patientId']
  /** Two documents, of which the first is in a folder; the second is masked R and of another format. */
  let first: DocumentEntry
  let second: DocumentEntry
  let submission: Submission
  /** Appends to the first document. */
  let addendum: Submission

  before(async () => {
    registry = await openRegistry()
    patientId = await registry.patient()
    first = aDocumentEntry({ patientId })
    second = aDocumentEntry({
      patientId,
      confidentialityCodes: [{ code: 'R', system: '2.16.840.1.113883.5.25', display: 'Restreint' }],
      formatCode: { code: 'autre', system: '1.2.250.1.999.4', display: 'Autre' },
    })
    const folder = aFolder({ patientId, lastUpdateTime: '20260101000000' as Dtm })
    const submissionSet = aSubmissionSet({ patientId })
    const filing = aMembership(folder.entryUuid, first.entryUuid)
    submission = aSubmission({ submissionSet, entries: [first, second], folders: [folder] }, () => [
      filing,
      aMembership(submissionSet.entryUuid, filing.entryUuid),
    ])
    assert.deepEqual((await registry.register(submission)).errors, [])
    const appended = aDocumentEntry({ patientId })
    addendum = aSubmission({ submissionSet: aSubmissionSet({ patientId }), entries: [appended] }, () => [
      anAssociation({ type: 'APND', source: appended.entryUuid, target: first.entryUuid }),
    ])
    assert.deepEqual((await registry.register(addendum)).errors, [])
  })
  after(() => registry.close())

  it('FindDocuments finds by patient, status and codes', async () => {
    const all = { XDSDocumentEntryPatientId: cx(patientId), XDSDocumentEntryStatus: status }
    assert.equal((await registry.query('FindDocuments', all)).entries.length, 3)
    const code = list(`autre^^1.2.250.1.999.4`)
    const { entries } = await registry.query('FindDocuments', { ...all, XDSDocumentEntryFormatCode: code })
    assert.deepEqual(ids(entries), [second.entryUuid])
  })

  it('FindSubmissionSets finds by patient, source, time, author and content type', async () => {
    const all = { XDSSubmissionSetPatientId: cx(patientId), XDSSubmissionSetStatus: status }
    const found = async (more: Readonly<Record<string, string | number>>) =>
      ids((await registry.query('FindSubmissionSets', { ...all, ...more })).submissionSets)
    const both = [submission, addendum].map(({ submissionSet }) => submissionSet.entryUuid).sort()
    assert.deepEqual(await found({}), both)
    assert.deepEqual(await found({ XDSSubmissionSetSourceId: list('1.2.250.1.999.1.1') }), both)
    assert.deepEqual(await found({ XDSSubmissionSetSourceId: list('1.2.3') }), [])
    assert.deepEqual(await found({ XDSSubmissionSetSubmissionTimeFrom: 202605 }), both)
    assert.deepEqual(await found({ XDSSubmissionSetSubmissionTimeTo: 202605 }), [])
    assert.deepEqual(await found({ XDSSubmissionSetAuthorPerson: one('%EXEMPLE%') }), both)
    assert.deepEqual(await found({ XDSSubmissionSetAuthorPerson: one('%PERSONNE%') }), [])
    const { code, system } = codes.fullStay
    assert.deepEqual(await found({ XDSSubmissionSetContentType: list(`${code}^^${system}`) }), both)
  })

  it('FindFolders finds by patient, time and codes', async () => {
    const all = { XDSFolderPatientId: cx(patientId), XDSFolderStatus: status }
    const found = async (more: Readonly<Record<string, string | number>>) =>
      ids((await registry.query('FindFolders', { ...all, ...more })).folders)
    const folder = ids(submission.folders)
    assert.deepEqual(await found({}), folder)
    assert.deepEqual(await found({ XDSFolderCodeList: list('suivi^^1.2.250.1.999.3') }), folder)
    assert.deepEqual(await found({ XDSFolderCodeList: list('autre^^1.2.250.1.999.3') }), [])
    assert.deepEqual(await found({ XDSFolderLastUpdateTimeFrom: 2026 }), folder)
    assert.deepEqual(await found({ XDSFolderLastUpdateTimeTo: 2026 }), [])
  })

  it('GetAll gives everything of a patient with the associations between', async () => {
    const all = {
      patientId: cx(patientId),
      XDSDocumentEntryStatus: status,
      XDSSubmissionSetStatus: status,
      XDSFolderStatus: status,
    }
    const found = await registry.query('GetAll', all)
    assert.equal(found.entries.length, 3)
    assert.equal(found.submissionSets.length, 2)
    assert.equal(found.folders.length, 1)
    assert.equal(found.associations.length, submission.associations.length + addendum.associations.length)
    const restricted = await registry.query('GetAll', {
      ...all,
      XDSDocumentEntryConfidentialityCode: list('R^^2.16.840.1.113883.5.25'),
    })
    assert.deepEqual(ids(restricted.entries), [second.entryUuid])
  })

  it('GetDocuments and GetFolders find by entryUUID, uniqueId and logicalID', async () => {
    const [folder] = submission.folders
    for (const parameters of [
      { XDSDocumentEntryEntryUUID: list(first.entryUuid) },
      { XDSDocumentEntryUniqueId: list(first.uniqueId) },
      { XDSDocumentEntryLogicalID: list(first.entryUuid) },
    ])
      assert.deepEqual(ids((await registry.query('GetDocuments', parameters)).entries), [first.entryUuid])
    for (const parameters of [
      { XDSFolderEntryUUID: list(folder?.entryUuid ?? '') },
      { XDSFolderUniqueId: list(folder?.uniqueId ?? '') },
      { XDSFolderLogicalID: list(folder?.entryUuid ?? '') },
    ])
      assert.deepEqual(ids((await registry.query('GetFolders', parameters)).folders), [folder?.entryUuid])
  })

  it('GetAssociations gives those at either end of an object', async () => {
    const { associations } = await registry.query('GetAssociations', { uuid: list(first.entryUuid) })
    const types = associations.map(({ type }) => type).sort()
    assert.deepEqual(types, ['APND', 'HasMember', 'HasMember'])
  })

  it('GetDocumentsAndAssociations gives documents with their associations, and only the documents asked for', async () => {
    const found = await registry.query('GetDocumentsAndAssociations', {
      XDSDocumentEntryUniqueId: list(first.uniqueId, second.uniqueId),
    })
    assert.deepEqual(ids(found.entries), [first.entryUuid, second.entryUuid].sort())
    assert.equal(found.associations.length, 4)
  })

  it('GetSubmissionSets gives the sets that hold documents and folders, with what makes them members', async () => {
    const [folder] = submission.folders
    const found = await registry.query('GetSubmissionSets', { uuid: list(first.entryUuid, folder?.entryUuid ?? '') })
    assert.deepEqual(ids(found.submissionSets), [submission.submissionSet.entryUuid])
    assert.deepEqual(
      found.associations.map(({ target }) => target).sort(),
      [first.entryUuid, folder?.entryUuid ?? ''].sort(),
    )
  })

  it('GetSubmissionSetAndContents gives all that was submitted, narrowed to the documents asked for', async () => {
    const { submissionSet } = submission
    const all = await registry.query('GetSubmissionSetAndContents', {
      XDSSubmissionSetEntryUUID: one(submissionSet.entryUuid),
    })
    assert.deepEqual(ids(all.entries), ids(submission.entries))
    assert.deepEqual(ids(all.folders), ids(submission.folders))
    assert.deepEqual(ids(all.associations), ids(submission.associations))
    const narrowed = await registry.query('GetSubmissionSetAndContents', {
      XDSSubmissionSetUniqueId: one(submissionSet.uniqueId),
      XDSDocumentEntryFormatCode: list('autre^^1.2.250.1.999.4'),
    })
    assert.deepEqual(ids(narrowed.entries), [second.entryUuid])
    assert.ok(!narrowed.associations.some(({ target }) => target === first.entryUuid))
  })

  it('GetFolderAndContents gives a folder with its documents', async () => {
    const [folder] = submission.folders
    const found = await registry.query('GetFolderAndContents', { XDSFolderUniqueId: one(folder?.uniqueId ?? '') })
    assert.deepEqual(ids(found.folders), [folder?.entryUuid])
    assert.deepEqual(ids(found.entries), [first.entryUuid])
    assert.deepEqual(
      found.associations.map(({ source, target }) => [source, target]),
      [[folder?.entryUuid, first.entryUuid]],
    )
  })

  it('GetFoldersForDocument gives folders and nothing else', async () => {
    const found = await registry.query('GetFoldersForDocument', { XDSDocumentEntryEntryUUID: one(first.entryUuid) })
    assert.deepEqual(ids(found.folders), ids(submission.folders))
    assert.equal(found.associations.length + found.entries.length, 0)
    const none = await registry.query('GetFoldersForDocument', { XDSDocumentEntryEntryUUID: one(second.entryUuid) })
    assert.deepEqual(none.folders, [])
  })

  it('GetRelatedDocuments gives a document with those related by the types asked for, or nothing', async () => {
    const appends = { AssociationTypes: list('urn:ihe:iti:2007:AssociationType:APND') }
    const found = await registry.query('GetRelatedDocuments', {
      XDSDocumentEntryUniqueId: one(first.uniqueId),
      ...appends,
    })
    assert.deepEqual(ids(found.entries), [first.entryUuid, ...ids(addendum.entries)].sort())
    assert.deepEqual(
      found.associations.map(({ type }) => type),
      ['APND'],
    )
    const none = await registry.query('GetRelatedDocuments', {
      XDSDocumentEntryUniqueId: one(second.uniqueId),
      ...appends,
    })
    assert.equal(none.entries.length, 0)
  })

  it('FindDocumentsByReferenceId finds by the references of documents', async () => {
    const reference = { id: 'E-118', assigningAuthority: { universalId: '1.2.250.1.999.7', universalIdType: 'ISO' } }
    const typeCode = 'urn:ihe:iti:xds:2013:order'
    const entry = aDocumentEntry({ patientId, referenceIds: [{ ...reference, typeCode }] })
    await registry.register(aSubmission({ submissionSet: aSubmissionSet({ patientId }), entries: [entry] }))
    const { entries } = await registry.query('FindDocumentsByReferenceId', {
      XDSDocumentEntryPatientId: cx(patientId),
      XDSDocumentEntryStatus: status,
      XDSDocumentEntryReferenceIdList: list(`E-118^^^&1.2.250.1.999.7&ISO^${typeCode}`),
    })
    assert.deepEqual(ids(entries), [entry.entryUuid])
  })

  it('answers references to objects of several patients, but never their metadata', async () => {
    const other = await registry.patient()
    const entry = aDocumentEntry({ patientId: other })
    await registry.register(aSubmission({ submissionSet: aSubmissionSet({ patientId: other }), entries: [entry] }))
    const both = { XDSDocumentEntryEntryUUID: list(first.entryUuid, entry.entryUuid) }
    assert.deepEqual((await registry.query('GetDocuments', both)).outcome.codes, ['XDSResultNotSinglePatient'])
    assert.deepEqual(
      (await registry.query('GetDocuments', both, 'ObjectRef')).refs.toSorted(),
      [first.entryUuid, entry.entryUuid].sort(),
    )
  })

  it('answers nothing to ids that nothing has, and to a patient without documents', async () => {
    const none = await registry.query('GetDocuments', { XDSDocumentEntryEntryUUID: list(newEntryUuid()) })
    assert.deepEqual([none.outcome.status, none.entries.length], ['Success', 0])
    const unknown = one('inconnu^^^&1.2.250.1.213.1.4.10&ISO')
    const found = await registry.query('FindDocuments', {
      XDSDocumentEntryPatientId: unknown,
      XDSDocumentEntryStatus: `(${approved},${deprecated})`,
    })
    assert.deepEqual([found.outcome.status, found.entries.length], ['Success', 0])
  })

  it('leaves offline entries out at metadata level 1, unless they are asked for', async () => {
    const elsewhere = await registry.patient()
    const entry = aDocumentEntry({ patientId: elsewhere, documentAvailability: 'Offline' })
    await registry.register(aSubmission({ submissionSet: aSubmissionSet({ patientId: elsewhere }), entries: [entry] }))
    const all = { XDSDocumentEntryPatientId: cx(elsewhere), XDSDocumentEntryStatus: status }
    const offline = list('urn:ihe:iti:2010:DocumentAvailability:Offline')
    const counted = async (more: Readonly<Record<string, string | number>>) => [
      (await registry.query('FindDocuments', { ...all, ...more })).entries.length,
      (await registry.query('FindDocuments', { ...all, ...more }, 'ObjectRef')).refs.length,
    ]
    assert.deepEqual(await counted({}), [0, 0])
    assert.deepEqual(await counted({ MetadataLevel: 2 }), [1, 1])
    assert.deepEqual(await counted({}), [0, 0])
    assert.deepEqual(await counted({ XDSDocumentEntryDocumentAvailability: offline }), [1, 1])
  })

  it('takes metadata level 1 or 2 and nothing else', async () => {
    const { outcome } = await registry.query('GetAssociations', { uuid: list(first.entryUuid), MetadataLevel: 3 })
    assert.deepEqual(outcome.errors, ['XDSRegistryError SQ $MetadataLevel'])
  })

  it('wants a parameter to be named with $', async () => {
    const request = (name: string) =>
      registry.call(
        'ITI-18',
        `<q:AdhocQueryRequest xmlns:q="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"><q:ResponseOption returnType="ObjectRef"/><rim:AdhocQuery id="urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155"><rim:Slot name="$uuid"><rim:ValueList><rim:Value>${list(first.entryUuid)}</rim:Value></rim:ValueList></rim:Slot><rim:Slot name="${name}"><rim:ValueList><rim:Value>'x'</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery></q:AdhocQueryRequest>`,
      )
    assert.match((await request('uuid2')).text, /ResponseStatusType:Failure/)
    assert.match((await request('$unknownToThisQuery')).text, /ResponseStatusType:Success/)
    assert.match((await request('urn:example:extension')).text, /ResponseStatusType:Success/)
  })
})
