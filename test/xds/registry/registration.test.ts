import assert from 'node:assert/strict'
import { newEntryUuid } from '../../../src/metadata/identifiers.ts'
import type { AssociationType, DocumentEntry, Folder, Submission } from '../../../src/metadata/model.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aSubmission,
  aSubmissionSet,
  sha1,
} from '../../mothers/metadata.ts'
import { submitObjects } from '../support.ts'
import { list, openRegistry, type Registry } from './registry.ts'

describe('ITI-42 Register Document Set-b', () => {
  let registry: Registry
  let patientId: DocumentEntry['patientId']

  before(async () => {
    registry = await openRegistry()
  })
  beforeEach(async () => {
    patientId = await registry.patient()
  })
  after(() => registry.close())

  /** A submission of the patient of the test. */
  const ofPatient = (changes: Partial<Submission> = {}, more?: Parameters<typeof aSubmission>[1]): Submission =>
    aSubmission(
      { entries: [aDocumentEntry({ patientId })], submissionSet: aSubmissionSet({ patientId }), ...changes },
      more,
    )
  const registered = async (changes: Partial<Submission> = {}): Promise<Submission> => {
    const submission = ofPatient(changes)
    assert.deepEqual((await registry.register(submission)).errors, [])
    return submission
  }
  const relating = (type: AssociationType, target: DocumentEntry, changes: Partial<DocumentEntry> = {}): Submission => {
    const entry = aDocumentEntry({ patientId, ...changes })
    return ofPatient({ entries: [entry] }, () => [
      anAssociation({ type, source: entry.entryUuid, target: target.entryUuid }),
    ])
  }
  const entryOf = ({ entries: [entry] }: Submission): DocumentEntry => entry ?? assert.fail('no entry')
  const read = async (...uuids: readonly string[]) =>
    (await registry.query('GetDocuments', { XDSDocumentEntryEntryUUID: list(...uuids) })).entries
  const statusOf = async ({ entryUuid }: DocumentEntry) => (await read(entryUuid))[0]?.availabilityStatus
  const folderOf = async ({ entryUuid }: Folder) =>
    (await registry.query('GetFolderAndContents', { XDSFolderEntryUUID: `'${entryUuid}'` })) ?? assert.fail()

  it('registers metadata without bytes, and gives back every attribute as it came', async () => {
    const extra = [{ name: 'urn:example:service', values: ['cardiologie', 'bloc 3'] }]
    const entry = aDocumentEntry({
      patientId,
      extra,
      uri: 'http://example.org/doc/1',
      documentAvailability: 'Online',
      repositoryUniqueId: '1.2.250.1.999.8' as DocumentEntry['repositoryUniqueId'],
    })
    assert.deepEqual((await registry.register(ofPatient({ entries: [entry] }))).errors, [])
    assert.deepEqual(await read(entry.entryUuid), [entry])
  })

  it('resolves symbolic ids, in objects, classifications and associations alike', async () => {
    const submission = ofPatient()
    const { entryUuid, uniqueId } = entryOf(submission)
    const request = submitObjects(submission)
      .replaceAll(entryUuid, 'Document01')
      .replaceAll(submission.submissionSet.entryUuid, 'SubmissionSet01')
    assert.deepEqual((await registry.register(request)).errors, [])
    const found = await registry.query('GetDocuments', { XDSDocumentEntryUniqueId: list(uniqueId) })
    assert.match(found.entries[0]?.entryUuid ?? '', /^urn:uuid:[0-9a-f-]{36}$/)
  })

  for (const [attribute, rule] of [
    ['hash', 'D5'],
    ['size', 'D5'],
    ['repositoryUniqueId', 'D6'],
  ] as const)
    it(`requires ${attribute}, which no byte tells a registry (${rule})`, async () => {
      const entry = aDocumentEntry({ patientId, [attribute]: undefined })
      assert.deepEqual((await registry.register(ofPatient({ entries: [entry] }))).errors, [
        `XDSRegistryMetadataError ${rule} ${entry.entryUuid}/${attribute}`,
      ])
    })

  it('refuses a patient it does not know (T10)', async () => {
    const stranger = { ...patientId, id: 'inconnu' }
    const submission = aSubmission({
      entries: [aDocumentEntry({ patientId: stranger })],
      submissionSet: aSubmissionSet({ patientId: stranger }),
    })
    assert.deepEqual((await registry.register(submission)).codes, ['XDSUnknownPatientId'])
  })

  it('refuses patients that differ inside a submission (T9)', async () => {
    const submission = ofPatient({ submissionSet: aSubmissionSet({ patientId: await registry.patient() }) })
    assert.deepEqual((await registry.register(submission)).codes, ['XDSPatientIdDoesNotMatch'])
  })

  it('replaces: the target is Deprecated, once and for its own patient', async () => {
    const original = entryOf(await registered())
    const replacement = relating('RPLC', original)
    assert.deepEqual((await registry.register(replacement)).errors, [])
    assert.equal(await statusOf(original), 'Deprecated')
    assert.equal(await statusOf(entryOf(replacement)), 'Approved')
    assert.deepEqual((await registry.register(relating('RPLC', original))).codes, [
      'XDSRegistryDeprecatedDocumentError',
    ])
    const elsewhere = await registry.patient()
    const other = aDocumentEntry({ patientId: elsewhere })
    const crossing = aSubmission({ entries: [other], submissionSet: aSubmissionSet({ patientId: elsewhere }) }, () => [
      anAssociation({ type: 'RPLC', source: other.entryUuid, target: entryOf(replacement).entryUuid }),
    ])
    assert.deepEqual((await registry.register(crossing)).codes, ['XDSPatientIdDoesNotMatch'])
  })

  it('appends and transforms: both documents stay Approved', async () => {
    for (const type of ['APND', 'XFRM', 'signs'] as const) {
      const original = entryOf(await registered())
      const related = relating(type, original)
      assert.deepEqual((await registry.register(related)).errors, [], type)
      assert.deepEqual([await statusOf(original), await statusOf(entryOf(related))], ['Approved', 'Approved'], type)
    }
  })

  it('deprecates with a document what was appended to it or transformed from it', async () => {
    const original = entryOf(await registered())
    const [addendum, transform] = [relating('APND', original), relating('XFRM', original)]
    for (const each of [addendum, transform]) assert.deepEqual((await registry.register(each)).errors, [])
    const addendumOfAddendum = relating('APND', entryOf(addendum))
    assert.deepEqual((await registry.register(addendumOfAddendum)).errors, [])
    assert.deepEqual((await registry.register(relating('XFRM_RPLC', original))).errors, [])
    for (const each of [addendum, transform, addendumOfAddendum])
      assert.equal(await statusOf(entryOf(each)), 'Deprecated')
  })

  it('refuses a relationship to what is not registered (T8)', async () => {
    const submission = relating('APND', aDocumentEntry())
    assert.deepEqual((await registry.register(submission)).codes, ['UnresolvedReferenceException'])
  })

  it('takes a document again with the same bytes, and refuses others under its uniqueId (T11)', async () => {
    const { uniqueId } = entryOf(await registered())
    assert.deepEqual(
      (await registry.register(ofPatient({ entries: [aDocumentEntry({ patientId, uniqueId })] }))).codes,
      [],
    )
    const changed = aDocumentEntry({ patientId, uniqueId, hash: sha1(Buffer.from('autre')) })
    assert.deepEqual((await registry.register(ofPatient({ entries: [changed] }))).codes, ['XDSNonIdenticalHash'])
  })

  it('refuses a SubmissionSet that comes again, and an entryUUID that is used (T12)', async () => {
    const { submissionSet } = await registered()
    const again = ofPatient({ submissionSet: aSubmissionSet({ patientId, uniqueId: submissionSet.uniqueId }) })
    assert.deepEqual((await registry.register(again)).codes, ['XDSDuplicateUniqueIdInRegistry'])
    const sameId = ofPatient({ submissionSet: aSubmissionSet({ patientId, entryUuid: submissionSet.entryUuid }) })
    assert.deepEqual((await registry.register(sameId)).codes, ['XDSRegistryMetadataError'])
  })

  it('stores all or nothing (T16)', async () => {
    const [good, bad] = [aDocumentEntry({ patientId }), aDocumentEntry({ patientId, creationTime: undefined })]
    assert.equal((await registry.register(ofPatient({ entries: [good, bad] }))).status, 'Failure')
    assert.deepEqual(await read(good.entryUuid, bad.entryUuid), [])
  })

  it('says everything that is wrong at once, each with its place', async () => {
    const entry = aDocumentEntry({ patientId, creationTime: undefined, languageCode: 'français', hash: undefined })
    const { errors } = await registry.register(ofPatient({ entries: [entry] }))
    assert.deepEqual(errors.toSorted(), [
      `XDSRegistryMetadataError D4 ${entry.entryUuid}/creationTime`,
      `XDSRegistryMetadataError D5 ${entry.entryUuid}/hash`,
      `XDSRegistryMetadataError D7 ${entry.entryUuid}/languageCode`,
    ])
  })

  describe('folders', () => {
    const withFolder = async (): Promise<{ folder: Folder; entry: DocumentEntry }> => {
      const [folder, entry] = [aFolder({ patientId }), aDocumentEntry({ patientId })]
      const filing = aMembership(folder.entryUuid, entry.entryUuid)
      const submission = ofPatient({ entries: [entry], folders: [folder] }, (set) => [
        filing,
        aMembership(set.entryUuid, filing.entryUuid),
      ])
      assert.deepEqual((await registry.register(submission)).errors, [])
      return { folder, entry }
    }
    /** Files a document in a folder that is registered; `reference`: the document is registered too. */
    const filing = (folder: Folder, entry: DocumentEntry, reference = false): Submission => {
      const submissionSet = aSubmissionSet({ patientId: entry.patientId })
      const filed = aMembership(folder.entryUuid, entry.entryUuid)
      const associations = [
        ...(reference ? [] : [aMembership(submissionSet.entryUuid, entry.entryUuid, 'Original')]),
        filed,
        aMembership(submissionSet.entryUuid, filed.entryUuid),
      ]
      return { submissionSet, entries: reference ? [] : [entry], folders: [], associations }
    }

    it('hold new documents and documents that were there, and remember when', async () => {
      const { folder, entry } = await withFolder()
      const before = (await folderOf(folder)).folders[0]?.lastUpdateTime ?? assert.fail('no lastUpdateTime')
      assert.match(before, /^\d{14}$/)
      const added = aDocumentEntry({ patientId })
      assert.deepEqual((await registry.register(filing(folder, added))).errors, [])
      const existing = entryOf(await registered())
      assert.deepEqual((await registry.register(filing(folder, existing, true))).errors, [])
      const { entries, folders } = await folderOf(folder)
      assert.deepEqual(
        entries.map(({ entryUuid }) => entryUuid).sort(),
        [entry, added, existing].map(({ entryUuid }) => entryUuid).sort(),
      )
      assert.ok((folders[0]?.lastUpdateTime ?? '') >= before)
    })

    it('take no document of another patient (T13b)', async () => {
      const { folder } = await withFolder()
      const stranger = aDocumentEntry({ patientId: await registry.patient() })
      assert.deepEqual((await registry.register(filing(folder, stranger))).codes, ['XDSPatientIdDoesNotMatch'])
    })

    it('hold the replacement of what they hold', async () => {
      const { folder, entry } = await withFolder()
      const replacement = relating('RPLC', entry)
      assert.deepEqual((await registry.register(replacement)).errors, [])
      const { entries } = await folderOf(folder)
      assert.ok(entries.some(({ entryUuid }) => entryUuid === entryOf(replacement).entryUuid))
    })

    it('are told when they were last changed by the registry, whatever the source says', async () => {
      const folder = aFolder({ patientId, lastUpdateTime: '20000101000000' as Folder['lastUpdateTime'] })
      assert.deepEqual((await registry.register(ofPatient({ entries: [], folders: [folder] }))).errors, [])
      assert.match((await folderOf(folder)).folders[0]?.lastUpdateTime ?? '', /^\d{14}$/)
    })

    it('need a title, a code, and a time to the second if they have one (M48, M45, M44)', async () => {
      const folder = aFolder({
        patientId,
        title: undefined,
        codes: [],
        lastUpdateTime: '2026' as Folder['lastUpdateTime'],
      })
      const { errors } = await registry.register(ofPatient({ folders: [folder] }))
      assert.deepEqual(errors.toSorted(), [
        `XDSRegistryMetadataError M44 ${folder.entryUuid}/lastUpdateTime`,
        `XDSRegistryMetadataError M45 ${folder.entryUuid}/codeList`,
        `XDSRegistryMetadataError M48 ${folder.entryUuid}/title`,
      ])
    })
  })

  it('leaves updates of metadata to ITI-57 (A2, C5, T12)', async () => {
    const submission = ofPatient()
    const { entryUuid } = entryOf(submission)
    const status = anAssociation({
      type: 'UpdateAvailabilityStatus',
      source: submission.submissionSet.entryUuid,
      target: newEntryUuid(),
    })
    const { errors } = await registry.register({ ...submission, associations: [...submission.associations, status] })
    assert.deepEqual(errors, [`XDSRegistryMetadataError A2 ${status.entryUuid}/associationType`])
    const annotated = submitObjects(submission).replace(
      /(<rim:Association [^>]*>)/,
      '$1<rim:Slot name="PreviousVersion"><rim:ValueList><rim:Value>1</rim:Value></rim:ValueList></rim:Slot>',
    )
    assert.match(
      (await registry.register(annotated)).errors.join(),
      /^XDSRegistryMetadataError C5 .*\/PreviousVersion$/,
    )
    const versioned = submitObjects(submission).replace(`lid="${entryUuid}"`, `lid="${newEntryUuid()}"`)
    assert.deepEqual((await registry.register(versioned)).errors, [`XDSRegistryMetadataError T12 ${entryUuid}/lid`])
  })

  it('takes no limited metadata (LM)', async () => {
    const entry = aDocumentEntry({ patientId, limitedMetadata: true })
    assert.deepEqual((await registry.register(ofPatient({ entries: [entry] }))).errors, [
      `XDSRegistryMetadataError LM ${entry.entryUuid}/limitedMetadata`,
    ])
  })

  it('takes a documentation code where one document follows another, and nowhere else (A3)', async () => {
    const original = entryOf(await registered())
    const documentation = { code: 'complement', system: '1.2.250.1.999.5', display: 'Complément' }
    const entry = aDocumentEntry({ patientId })
    const rplc = anAssociation({ type: 'RPLC', source: entry.entryUuid, target: original.entryUuid, documentation })
    assert.deepEqual((await registry.register(ofPatient({ entries: [entry] }, () => [rplc]))).errors, [])
    const { associations } = await registry.query('GetAssociations', { uuid: list(original.entryUuid) })
    assert.deepEqual(associations.find(({ type }) => type === 'RPLC')?.documentation, documentation)
    const submission = ofPatient()
    const [member, ...others] = submission.associations
    const documented = { ...submission, associations: [{ ...(member ?? rplc), documentation }, ...others] }
    assert.deepEqual((await registry.register(documented)).errors, [
      `XDSRegistryMetadataError A3 ${member?.entryUuid}/associationDocumentation`,
    ])
  })
})
