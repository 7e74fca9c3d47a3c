import assert from 'node:assert/strict'
import { type Dtm, newEntryUuid } from '../../../src/metadata/identifiers.ts'
import type { DocumentEntry, Folder } from '../../../src/metadata/model.ts'
import { aUniqueId } from '../../mothers/metadata.ts'
import { Administrator } from './administrator.ts'
import {
  list,
  nextVersion,
  type Outcome,
  one,
  openRegistry,
  type Registry,
  statusChange,
  updateRequest,
  versionOf,
} from './registry.ts'

describe('ITI-57 Update Document Set', () => {
  let registry: Registry
  let admin: Administrator
  let entry: DocumentEntry

  before(async () => {
    registry = await openRegistry()
  })
  beforeEach(async () => {
    admin = new Administrator(registry, await registry.patient())
    entry = await admin.registered()
  })
  after(() => registry.close())

  describe('a new version of a DocumentEntry', () => {
    it('is Approved, the version before Deprecated, both under one logicalID', async () => {
      const next = nextVersion(entry, { title: 'Bilan relu' })
      assert.deepEqual((await admin.update(next)).errors, [])
      const [first, second, ...others] = await admin.versions(entry)
      assert.deepEqual(others, [])
      assert.deepEqual(
        [first, second].map((each) => [each?.entryUuid, each?.logicalId, each?.version, each?.availabilityStatus]),
        [
          [entry.entryUuid, entry.entryUuid, 1, 'Deprecated'],
          [next.entryUuid, entry.entryUuid, 2, 'Approved'],
        ],
      )
      assert.deepEqual([first?.title, second?.title], [entry.title, 'Bilan relu'])
    })

    it('is what consumers of level 1 see, and all they see', async () => {
      const next = nextVersion(entry, { title: 'Bilan relu' })
      await admin.update(next)
      assert.deepEqual(
        (await admin.versions(entry, 1)).map(({ entryUuid }) => entryUuid),
        [next.entryUuid],
      )
      const byId = { XDSDocumentEntryEntryUUID: list(entry.entryUuid) }
      assert.deepEqual((await registry.query('GetDocuments', byId)).entries, [])
      const { entries } = await registry.query('GetDocuments', { ...byId, MetadataLevel: 2 })
      assert.equal(entries[0]?.version, 1)
    })

    it('follows a version that was made of another', async () => {
      const second = nextVersion(entry, { comments: 'deuxième' })
      assert.deepEqual((await admin.update(second)).errors, [])
      const third = nextVersion(second, { comments: 'troisième' })
      assert.deepEqual((await admin.update(third, { previous: 2 })).errors, [])
      assert.deepEqual(await admin.statuses(entry), ['1 Deprecated', '2 Deprecated', '3 Approved'])
    })

    it('takes over what linked the version before, unless it is told not to', async () => {
      const addendum = await admin.related('APND', entry)
      const folder = await admin.registeredFolder([entry])
      const next = nextVersion(entry)
      assert.deepEqual((await admin.update(next)).errors, [])
      const links = (await admin.associations(next.entryUuid)).map(({ type, source }) => `${type} ${source}`)
      assert.ok(links.includes(`APND ${addendum.entryUuid}`))
      assert.ok(links.includes(`HasMember ${folder.entryUuid}`))
      const third = nextVersion(next)
      const slots = { AssociationPropagation: 'no' }
      assert.deepEqual((await admin.update(third, { previous: 2, slots })).errors, [])
      assert.deepEqual(
        (await admin.associations(third.entryUuid)).map(({ type }) => type),
        ['HasMember'],
      )
    })

    it('may change the patient where nothing links it', async () => {
      const patientId = await registry.patient()
      assert.deepEqual((await admin.update(nextVersion(entry, { patientId }))).errors, [])
      const linked = await admin.registered()
      await admin.related('APND', linked)
      assert.deepEqual((await admin.update(nextVersion(linked, { patientId }))).codes, [
        'XDSPatientIDReconciliationError',
      ])
    })

    const approved = 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved'
    const refusals: Readonly<Record<string, readonly [string, (of: DocumentEntry) => Promise<Outcome>]>> = {
      'of a logicalID that nothing has': [
        'XDSMetadataVersionError',
        (of) => admin.update(nextVersion({ ...of, logicalId: newEntryUuid() })),
      ],
      'that follows a version which is not the current one': [
        'XDSMetadataVersionError',
        (of) => admin.update(nextVersion(of), { previous: 2 }),
      ],
      'under another uniqueId': [
        'XDSMetadataUpdateError',
        (of) => admin.update(nextVersion(of, { uniqueId: aUniqueId() })),
      ],
      'whose lid is its id': ['XDSMetadataUpdateError MU2', (of) => admin.update(initial(of))],
      'without PreviousVersion': [
        'XDSMetadataUpdateError MU5',
        (of) => admin.update(nextVersion(of), { previous: '' }),
      ],
      'whose PreviousVersion is no number': [
        'XDSMetadataUpdateError MU5',
        (of) => admin.update(nextVersion(of), { previous: 'un' }),
      ],
      'with AssociationPropagation that is neither yes nor no': [
        'XDSMetadataUpdateError MU6',
        (of) => admin.update(nextVersion(of), { slots: { AssociationPropagation: 'peut-être' } }),
      ],
      'with a slot of another operation': [
        'XDSMetadataUpdateOperationError MU7',
        (of) => admin.update(nextVersion(of), { slots: { NewStatus: approved } }),
      ],
      'without an attribute that is required': [
        'XDSRegistryMetadataError D4',
        (of) => admin.update(nextVersion(of, { creationTime: '' as Dtm })),
      ],
      'without hash': ['XDSRegistryMetadataError D5', (of) => admin.update(withoutHash(nextVersion(of)))],
      'that is on demand': [
        'XDSMetadataUpdateError D1',
        (of) => admin.update(nextVersion(of, { stability: 'on-demand' })),
      ],
    }
    for (const [what, [refusal, send]] of Object.entries(refusals))
      it(`is refused ${what} (${refusal})`, async () => {
        const { status, errors } = await send(entry)
        assert.equal(status, 'Failure')
        assert.match(errors.join('\n'), new RegExp(`^${refusal}( |$)`))
        assert.deepEqual(await admin.statuses(entry), ['1 Approved'])
      })

    it('is refused without a HasMember (T3)', async () => {
      const next = nextVersion(entry)
      const request = updateRequest(admin.submission({ entries: [next], associations: [] }))
      assert.deepEqual((await admin.send(request)).errors, [`XDSMetadataUpdateError T3 ${next.entryUuid}`])
    })

    it('is refused twice in one request (M15)', async () => {
      const [first, second] = [nextVersion(entry), nextVersion(entry, { uniqueId: aUniqueId() })]
      const submission = admin.submission({ entries: [first, second], associations: [] })
      const { entryUuid } = submission.submissionSet
      const request = updateRequest(submission, versionOf(entryUuid, first), versionOf(entryUuid, second, 2))
      assert.match((await admin.send(request)).errors.join('\n'), /^XDSMetadataUpdateError M15/m)
    })

    it('is refused under a symbolic lid (MU2)', async () => {
      const next = nextVersion(entry)
      const submission = admin.submission({ entries: [next], associations: [] })
      const request = updateRequest(submission, versionOf(submission.submissionSet.entryUuid, next))
      const { errors } = await admin.send(request.replace(`lid="${entry.entryUuid}"`, 'lid="Document01"'))
      assert.match(errors.join('\n'), /^XDSMetadataUpdateError MU2/m)
    })

    it('is refused where the latest is Deprecated', async () => {
      await admin.ask((set) => [statusChange(set, entry.entryUuid, 'Approved', 'Deprecated')])
      assert.deepEqual((await admin.update(nextVersion(entry))).codes, ['XDSMetadataUpdateError'])
    })
  })

  describe('a new version of a Folder', () => {
    it('is Approved, the version before Deprecated, with its documents', async () => {
      const folder = await admin.registeredFolder([entry])
      const next = nextVersion(folder, { title: 'Suivi 2027' })
      assert.deepEqual((await admin.update(next)).errors, [])
      const byLogicalId = { XDSFolderLogicalID: list(folder.entryUuid), MetadataLevel: 2 }
      const { folders } = await registry.query('GetFolders', byLogicalId)
      const inOrder = folders.toSorted((a, b) => a.version - b.version)
      assert.deepEqual(
        inOrder.map(({ title, availabilityStatus }) => [title, availabilityStatus]),
        [
          ['Suivi 2026', 'Deprecated'],
          ['Suivi 2027', 'Approved'],
        ],
      )
      const { entries } = await registry.query('GetFolderAndContents', { XDSFolderEntryUUID: one(next.entryUuid) })
      assert.deepEqual(
        entries.map(({ entryUuid }) => entryUuid),
        [entry.entryUuid],
      )
    })

    it('is refused without its own previous version, its uniqueId or a lid', async () => {
      const folder = await admin.registeredFolder()
      assert.deepEqual((await admin.update(nextVersion(folder), { previous: 3 })).codes, ['XDSMetadataVersionError'])
      const renamed = nextVersion(folder, { uniqueId: aUniqueId() })
      assert.deepEqual((await admin.update(renamed)).codes, ['XDSMetadataUpdateError'])
      assert.deepEqual((await admin.update(initial(folder))).codes, ['XDSMetadataUpdateError'])
    })
  })

  it('needs one SubmissionSet (T1)', async () => {
    const request = updateRequest(admin.submission({ associations: [] }))
    const without = request.replace(/<rim:RegistryPackage .*<\/rim:RegistryPackage>/s, '')
    assert.deepEqual((await admin.send(without)).errors, ['XDSMetadataUpdateError T1 RegistryObjectList'])
  })

  it('is a message of its own: a SubmissionSet and an association have one version (MU1)', async () => {
    const submission = admin.submission({ associations: [] })
    const { entryUuid } = submission.submissionSet
    const request = updateRequest(submission, statusChange(entryUuid, entry.entryUuid, 'Approved', 'Deprecated'))
    const { errors } = await admin.send(request.replace(`lid="${entryUuid}"`, `lid="${newEntryUuid()}"`))
    assert.deepEqual(errors, [`XDSRegistryMetadataError MU1 ${entryUuid}/lid`])
  })
})

function withoutHash({ hash, ...entry }: DocumentEntry): DocumentEntry {
  return entry
}

/** The same content as a first version. */
function initial<T extends DocumentEntry | Folder>(object: T): T {
  const entryUuid = newEntryUuid()
  return { ...object, entryUuid, logicalId: entryUuid }
}
