import assert from 'node:assert/strict'
import type { EntryUuid } from '../../src/metadata/identifiers.ts'
import { patient } from '../mothers/access.ts'
import { aDocumentEntry, aReplacement, aSubmission } from '../mothers/metadata.ts'
import { type House, openHouse, theAuthor, theHospital, thePatientThemself } from './house.ts'

describe('masking every document at once', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse()
  })
  afterEach(() => house.close())

  const statusAndLabels = async (logicalId: EntryUuid) => {
    const [facts] = (await house.embedded.dmp.find({ kind: 'GetDocuments', by: 'logicalId', ids: [logicalId] }))
      .documents
    return [facts?.availabilityStatus, facts?.confidentiality]
  }

  it('masks what is in force, archived or replaced, each keeping its status, and leaves the deleted alone', async () => {
    const hospital = house.as(theHospital)
    const [plain, archived, replaced, deleted] = Array.from({ length: 4 }, () => aDocumentEntry())
    assert.ok(plain && archived && replaced && deleted)
    for (const entry of [plain, archived, replaced, deleted]) await hospital.feed(aSubmission({ entries: [entry] }))
    await hospital.feed(aReplacement(replaced.entryUuid))
    const author = house.as(theAuthor)
    await author.update({ statuses: [{ target: archived.entryUuid, from: 'Approved', to: 'Archived' }] })
    await author.update({ statuses: [{ target: deleted.entryUuid, from: 'Approved', to: 'Deleted' }] })

    await house.operations.choose(patient, { kind: 'mask-all' }, house.as(thePatientThemself).context)
    assert.deepEqual(await statusAndLabels(plain.entryUuid), ['Approved', ['N', 'MASQUE_PS']])
    assert.deepEqual(await statusAndLabels(archived.entryUuid), ['Archived', ['N', 'MASQUE_PS']])
    assert.deepEqual(await statusAndLabels(replaced.entryUuid), ['Deprecated', ['N', 'MASQUE_PS']])
    assert.deepEqual(await statusAndLabels(deleted.entryUuid), ['Deleted', ['N']])

    await house.operations.choose(patient, { kind: 'unmask-all' }, house.as(thePatientThemself).context)
    assert.deepEqual(await statusAndLabels(replaced.entryUuid), ['Deprecated', ['N']])
  })
})
