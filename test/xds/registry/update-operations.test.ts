import assert from 'node:assert/strict'
import { type EntryUuid, newEntryUuid } from '../../../src/metadata/identifiers.ts'
import type { Association, DocumentEntry } from '../../../src/metadata/model.ts'
import { Administrator } from './administrator.ts'
import { association, list, nextVersion, type Outcome, openRegistry, type Registry, statusChange } from './registry.ts'

describe('ITI-57 operations on what is registered', () => {
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

  describe('UpdateAvailabilityStatus', () => {
    it('deprecates and approves a document, of the latest version', async () => {
      assert.deepEqual(
        (await admin.ask((set) => [statusChange(set, entry.entryUuid, 'Approved', 'Deprecated')])).errors,
        [],
      )
      assert.deepEqual(await admin.statuses(entry), ['1 Deprecated'])
      assert.deepEqual(
        (await admin.ask((set) => [statusChange(set, entry.entryUuid, 'Deprecated', 'Approved')])).errors,
        [],
      )
      assert.deepEqual(await admin.statuses(entry), ['1 Approved'])
    })

    it('knows the French statuses', async () => {
      assert.deepEqual(
        (await admin.ask((set) => [statusChange(set, entry.entryUuid, 'Approved', 'Archived')])).errors,
        [],
      )
      assert.deepEqual(await admin.statuses(entry), ['1 Archived'])
    })

    it('changes folders and associations', async () => {
      const folder = await admin.registeredFolder()
      assert.deepEqual(
        (await admin.ask((set) => [statusChange(set, folder.entryUuid, 'Approved', 'Deprecated')])).errors,
        [],
      )
      await admin.related('APND', entry)
      const apnd = async () => (await admin.associations(entry.entryUuid)).find(({ type }) => type === 'APND')
      const id = (await apnd())?.entryUuid ?? assert.fail('no APND')
      assert.deepEqual((await admin.ask((set) => [statusChange(set, id, 'Approved', 'Deprecated')])).errors, [])
      assert.equal((await apnd())?.availabilityStatus, 'Deprecated')
    })

    it('applies to the new version that comes with it', async () => {
      const next = nextVersion(entry)
      const more = (set: EntryUuid) => [statusChange(set, next.entryUuid, 'Approved', 'Deprecated')]
      assert.deepEqual((await admin.update(next, { more })).errors, [])
      assert.deepEqual(await admin.statuses(entry), ['1 Deprecated', '2 Deprecated'])
    })

    const urn = 'urn:oasis:names:tc:ebxml-regrep:StatusType:'
    const slots = { OriginalStatus: `${urn}Approved`, NewStatus: `${urn}Deprecated` }
    for (const [what, changed] of [
      ['OriginalStatus missing', { NewStatus: slots.NewStatus }],
      ['NewStatus missing', { OriginalStatus: slots.OriginalStatus }],
      ['an OriginalStatus that is none', { ...slots, OriginalStatus: 'Approved' }],
      ['a NewStatus that is none', { ...slots, NewStatus: `${urn}Withdrawn` }],
      ['a NewStatus that is the original', { ...slots, NewStatus: slots.OriginalStatus }],
      ['a slot of another operation', { ...slots, PreviousVersion: '1' }],
    ] as const)
      it(`cannot be understood with ${what} (MU7)`, async () => {
        const { errors } = await admin.ask((set) => [
          association('UpdateAvailabilityStatus', set, entry.entryUuid, changed),
        ])
        assert.match(errors.join('\n'), /^XDSMetadataUpdateOperationError MU7/)
        assert.deepEqual(await admin.statuses(entry), ['1 Approved'])
      })

    it('is refused of a status that is not the current one, of an old version, of a SubmissionSet', async () => {
      const refused = async (outcome: Promise<Outcome>) =>
        assert.deepEqual((await outcome).codes, ['XDSMetadataUpdateError'])
      const reapprove = () => admin.ask((set) => [statusChange(set, entry.entryUuid, 'Deprecated', 'Approved')])
      await refused(reapprove())
      const holder = (await admin.associations(entry.entryUuid))[0]?.source ?? assert.fail('no SubmissionSet')
      await admin.update(nextVersion(entry))
      await refused(reapprove())
      await refused(admin.ask((set) => [statusChange(set, holder, 'Approved', 'Deprecated')]))
    })
  })

  describe('SubmitAssociation', () => {
    const submitted = (type: Association['type'], source: string, target: string) => (set: EntryUuid) => {
      const id = newEntryUuid()
      return [association(type, source, target, {}, id), association('SubmitAssociation', set, id)]
    }

    it('links documents, and files one in a folder', async () => {
      const other = await admin.registered()
      assert.deepEqual((await admin.ask(submitted('APND', other.entryUuid, entry.entryUuid))).errors, [])
      const folder = await admin.registeredFolder()
      assert.deepEqual((await admin.ask(submitted('HasMember', folder.entryUuid, entry.entryUuid))).errors, [])
      const { associations } = await registry.query('GetAssociations', { uuid: list(entry.entryUuid) })
      assert.deepEqual(associations.map(({ type }) => type).sort(), ['APND', 'HasMember', 'HasMember'])
    })

    it('is refused of what is there already', async () => {
      const folder = await admin.registeredFolder([entry])
      const again = submitted('HasMember', folder.entryUuid, entry.entryUuid)
      assert.deepEqual((await admin.ask(again)).codes, ['XDSMetadataUpdateError'])
    })

    it('is refused between patients, to what is unknown or Deprecated, and of a folder in a relationship', async () => {
      const failed = async (type: Association['type'], source: string) =>
        assert.equal((await admin.ask(submitted(type, source, entry.entryUuid))).status, 'Failure', type)
      const stranger = await new Administrator(registry, await registry.patient()).registered()
      const between = submitted('APND', stranger.entryUuid, entry.entryUuid)
      assert.deepEqual((await admin.ask(between)).codes, ['XDSPatientIDReconciliationError'])
      await failed('XFRM', newEntryUuid())
      await failed('RPLC', (await admin.registeredFolder()).entryUuid)
      const retired = await admin.registered()
      await admin.ask((set) => [statusChange(set, retired.entryUuid, 'Approved', 'Deprecated')])
      await failed('signs', retired.entryUuid)
      assert.equal((await admin.associations(entry.entryUuid)).length, 1)
    })

    it('is what makes an association new: one that comes without it is refused (MU8)', async () => {
      const other = await admin.registered()
      const { errors } = await admin.ask(() => [association('APND', other.entryUuid, entry.entryUuid)])
      assert.match(errors.join(), /^XDSMetadataUpdateError MU8/)
    })

    it('links a new version only where that does not take over links itself (MU10)', async () => {
      const other = await admin.registered()
      const next = nextVersion(entry)
      const more = submitted('APND', next.entryUuid, other.entryUuid)
      assert.match((await admin.update(next, { more })).errors.join(), /^XDSMetadataUpdateOperationError MU10/)
      const alone = { more, slots: { AssociationPropagation: 'no' } }
      assert.deepEqual((await admin.update(next, alone)).errors, [])
    })
  })
})
