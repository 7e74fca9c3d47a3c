import assert from 'node:assert/strict'
import { type EntryUuid, newEntryUuid, type Oid } from '../../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import { aFolder, aUniqueId } from '../../mothers/metadata.ts'
import { Administrator } from './administrator.ts'
import {
  association,
  nextVersion,
  type Outcome,
  openRegistry,
  type Registry,
  statusChange,
  updateRequest,
} from './registry.ts'

describe('ITI-92 Restricted Update Document Set', () => {
  let registry: Registry
  let admin: Administrator
  let initiator: Administrator
  let entry: DocumentEntry

  before(async () => {
    registry = await openRegistry()
  })
  beforeEach(async () => {
    const patientId = await registry.patient()
    admin = new Administrator(registry, patientId)
    initiator = new Administrator(registry, patientId, 'ITI-92')
    entry = await admin.registered()
  })
  after(() => registry.close())

  it('makes a new version of a document', async () => {
    assert.deepEqual((await initiator.update(nextVersion(entry, { title: 'Bilan relu' }))).errors, [])
    const [, second] = await admin.versions(entry)
    assert.deepEqual([second?.version, second?.title, second?.availabilityStatus], [2, 'Bilan relu', 'Approved'])
  })

  it('takes over the status of a document that is Deprecated', async () => {
    await admin.ask((set) => [statusChange(set, entry.entryUuid, 'Approved', 'Deprecated')])
    assert.deepEqual((await initiator.update(nextVersion(entry, { title: 'Bilan relu' }))).errors, [])
    assert.deepEqual(await admin.statuses(entry), ['1 Deprecated', '2 Deprecated'])
  })

  const other = (oid: string): DocumentEntry['patientId'] => ({
    id: 'IPP-7',
    assigningAuthority: { universalId: oid, universalIdType: 'ISO' },
  })
  const refusals: Readonly<Record<string, readonly [string, (of: DocumentEntry) => Promise<Outcome>]>> = {
    'under another uniqueId': [
      'XDSMetadataIdentifierError',
      (of) => initiator.update(nextVersion(of, { uniqueId: aUniqueId() })),
    ],
    'of another objectType': [
      'XDSObjectTypeError',
      (of) => initiator.update(nextVersion(of, { stability: 'on-demand' })),
    ],
    'of another sourcePatientId': [
      'UnmodifiableMetadataError',
      (of) => initiator.update(nextVersion(of, { sourcePatientId: other('1.2.250.1.999.1.8') })),
    ],
    'of another repositoryUniqueId': [
      'UnmodifiableMetadataError',
      (of) => initiator.update(nextVersion(of, { repositoryUniqueId: '1.2.250.1.999.8' as Oid })),
    ],
    'of another documentAvailability': [
      'UnmodifiableMetadataError',
      (of) => initiator.update(nextVersion(of, { documentAvailability: 'Offline' })),
    ],
    'of a logicalID that nothing has': [
      'XDSMetadataVersionError',
      (of) => initiator.update(nextVersion({ ...of, logicalId: newEntryUuid() })),
    ],
    'that follows another version': [
      'XDSMetadataVersionError',
      (of) => initiator.update(nextVersion(of), { previous: 3 }),
    ],
    'whose lid is its id': [
      'XDSInvalidRequestException MU2',
      ({ entryUuid: _, logicalId: __, ...of }) => {
        const id = newEntryUuid()
        return initiator.update({ ...of, entryUuid: id, logicalId: id })
      },
    ],
    'without PreviousVersion': [
      'XDSMetadataAnnotationError MU5',
      (of) => initiator.update(nextVersion(of), { previous: '' }),
    ],
    'that does not take over associations': [
      'XDSMetadataAnnotationError MU6',
      (of) => initiator.update(nextVersion(of), { slots: { AssociationPropagation: 'no' } }),
    ],
    'with AssociationPropagation that is neither yes nor no': [
      'XDSMetadataUpdateError MU6',
      (of) => initiator.update(nextVersion(of), { slots: { AssociationPropagation: 'oui' } }),
    ],
    'without a HasMember': [
      'XDSMetadataAnnotationError T3',
      (of) => initiator.send(updateRequest(initiator.submission({ entries: [nextVersion(of)], associations: [] }))),
    ],
  }
  for (const [what, [refusal, send]] of Object.entries(refusals))
    it(`refuses a version ${what} (${refusal})`, async () => {
      const { status, errors } = await send(entry)
      assert.equal(status, 'Failure')
      assert.match(errors.join('\n'), new RegExp(`^${refusal}( |$)`))
      assert.deepEqual(await admin.statuses(entry), ['1 Approved'])
    })

  it('refuses another patient, who may be known', async () => {
    const patientId = await registry.patient()
    assert.deepEqual((await initiator.update(nextVersion(entry, { patientId }))).codes, [
      'XDSPatientIDReconciliationError',
    ])
  })

  it('updates documents alone: neither folders, nor statuses, nor associations (MU3, MU9)', async () => {
    const { patientId } = admin
    const folder = nextVersion(aFolder({ patientId }))
    assert.match((await initiator.update(folder)).errors.join('\n'), /^XDSObjectTypeError MU3/m)
    const status = await initiator.ask((set) => [statusChange(set, entry.entryUuid, 'Approved', 'Deprecated')])
    assert.match(status.errors.join('\n'), /^UnmodifiableMetadataError MU9/m)
    const link = await initiator.ask((set: EntryUuid) => {
      const id = newEntryUuid()
      return [association('APND', entry.entryUuid, entry.entryUuid, {}, id), association('SubmitAssociation', set, id)]
    })
    assert.match(link.errors.join('\n'), /^XDSMetadataUpdateError MU9/m)
  })
})
