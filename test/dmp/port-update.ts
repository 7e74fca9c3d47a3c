import assert from 'node:assert/strict'
import { newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { AvailabilityStatus, Code, DocumentEntry } from '../../src/metadata/model.ts'
import type { MetadataUpdate } from '../../src/operations/ports.ts'
import { aSubmissionSet, type Changes, codes } from '../mothers/metadata.ts'
import { newOid } from '../support/documents.ts'
import type { TestPatient } from '../support/people.ts'
import { aProfessionalCaller, refused } from './mothers.ts'
import type { PortRules } from './port-suite.ts'
import {
  bytesOf,
  carried,
  everyStatus,
  factsOf,
  fed,
  found,
  opened,
  readAll,
  recordOf,
  refusedAsOneOf,
  storedOf,
} from './port-support.ts'

/** TD3.3. */
export function updateRules(rules: PortRules): void {
  describe('updating metadata', () => {
    const port = opened(rules)
    const given = async (changes: Changes<DocumentEntry> = {}) => {
      const patient = await port().patient()
      return { patient, ...(await fed(port(), patient, changes)) }
    }
    const change = (patient: TestPatient, changes: Partial<MetadataUpdate>) =>
      port().reader.update(
        { patient: patient.key, restricted: true, versions: [], statuses: [], associations: [], ...changes },
        recordOf(patient, { operation: 'TD3.3a.mask', transaction: 'ITI-57', caller: aProfessionalCaller() }),
      )
    const labelled = (
      stored: DocumentEntry,
      confidentialityCodes: readonly Code[],
      previousVersion = stored.version,
    ) => ({
      versions: [
        {
          object: { ...stored, entryUuid: newEntryUuid(), confidentialityCodes },
          previousVersion,
          propagate: true,
        },
      ],
    })
    const moved = (stored: DocumentEntry, from: AvailabilityStatus, to: AvailabilityStatus) => ({
      statuses: [{ target: stored.entryUuid, from, to }],
    })

    const wrongStatus = refusedAsOneOf('XDSMetadataUpdateError', 'UnmodifiableMetadataError')

    for (const own of [false, true])
      it(`masks by a new version in the place of the one before (TD3.3a), ${own ? 'with a submission' : 'without one'}`, async () => {
        const { patient, stored, document } = await given()
        const submissionSet = aSubmissionSet({ patientId: stored.patientId, uniqueId: newOid() })
        const labels = [codes.normal, codes.maskedToProfessionals]
        const receipt = await change(patient, { ...labelled(stored, labels), ...(own && { submissionSet }) })
        assert.deepEqual(
          receipt.entries.map(({ version, logicalId }) => [version, logicalId]),
          [[2, stored.logicalId]],
        )
        const after = await storedOf(port().reader, patient, stored.uniqueId)
        assert.deepEqual(carried(after), { ...carried(stored), confidentialityCodes: labels })
        assert.deepEqual([after.version, after.logicalId, after.availabilityStatus], [2, stored.logicalId, 'Approved'])
        assert.notEqual(after.entryUuid, stored.entryUuid)
        assert.equal((await found(port().reader, patient)).length, 1)
        assert.deepEqual(await bytesOf(await port().reader.content(after.entryUuid)), document.bytes)
        assert.deepEqual(
          (await port().reader.versions(stored.logicalId)).map(({ version }) => version),
          rules.can('earlierVersions') ? [2, 1] : [2],
        )
      })

    it('unmasks what was masked (TD3.3a)', async () => {
      const { patient, stored } = await given({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] })
      await change(patient, labelled(stored, [codes.normal]))
      assert.deepEqual((await factsOf(port().reader, patient, stored.uniqueId)).confidentiality, ['N'])
    })

    it('makes visible to the patient what was hidden (TD3.3b)', async () => {
      const { patient, stored } = await given({ confidentialityCodes: [codes.normal, codes.hiddenFromPatient] })
      await change(patient, labelled(stored, [codes.normal]))
      const facts = await factsOf(port().reader, patient, stored.uniqueId)
      assert.deepEqual([facts.confidentiality, facts.version], [['N'], 2])
    })

    it('deletes by the status, Approved or Archived before (TD3.3c)', async () => {
      for (const before of ['Approved', 'Archived'] as const) {
        const { patient, stored } = await given()
        if (before === 'Archived') await change(patient, moved(stored, 'Approved', 'Archived'))
        await change(patient, moved(stored, before, 'Deleted'))
        assert.deepEqual(await found(port().reader, patient, {}, ['Approved', 'Archived']), [])
        const [facts] = await found(port().reader, patient, {}, ['Deleted'])
        assert.deepEqual([facts?.uniqueId, facts?.availabilityStatus], [stored.uniqueId, 'Deleted'])
      }
    })

    it('archives and takes back (TD3.3d), under the same version', async () => {
      const { patient, stored } = await given()
      await change(patient, moved(stored, 'Approved', 'Archived'))
      const archived = await storedOf(port().reader, patient, stored.uniqueId)
      assert.deepEqual([archived.availabilityStatus, archived.version], ['Archived', 1])
      assert.deepEqual(carried(archived), carried(stored))
      await change(patient, moved(archived, 'Archived', 'Approved'))
      assert.equal((await storedOf(port().reader, patient, stored.uniqueId)).availabilityStatus, 'Approved')
    })

    it('refuses a new version of a version that is not the current one', async () => {
      const { patient, stored } = await given()
      const labels = [codes.normal, codes.maskedToProfessionals]
      await assert.rejects(change(patient, labelled(stored, labels, 2)), refused('XDSMetadataVersionError'))
      await change(patient, labelled(stored, labels))
      await assert.rejects(change(patient, labelled(stored, [codes.normal], 1)), refused('XDSMetadataVersionError'))
      assert.equal((await factsOf(port().reader, patient, stored.uniqueId)).version, 2)
    })

    it('refuses a status that is not the one before, and a target that is not there', async () => {
      const { patient, stored } = await given()
      await assert.rejects(change(patient, moved(stored, 'Archived', 'Approved')), wrongStatus)
      const unknown = { ...stored, entryUuid: newEntryUuid() }
      await assert.rejects(
        change(patient, moved(unknown, 'Approved', 'Archived')),
        refused('UnresolvedReferenceException'),
      )
      assert.equal((await found(port().reader, patient, {}, ['Approved'])).length, 1)
      assert.equal((await found(port().reader, patient, {}, everyStatus)).length, 1)
    })

    const earlier = rules.can('earlierVersions')
      ? 'and that version by it'
      : `and no earlier version: ${rules.why('earlierVersions')}`
    it(`answers any id of a document by the current version, ${earlier}`, async () => {
      const { patient, stored } = await given()
      await change(patient, labelled(stored, [codes.normal, codes.maskedToProfessionals]))
      const current = await factsOf(port().reader, patient, stored.uniqueId)
      const { documents } = await port().reader.find({ kind: 'GetDocuments', by: 'any', ids: [stored.entryUuid] })
      assert.deepEqual(
        documents.map(({ entryUuid, version }) => [entryUuid, version]),
        [[current.entryUuid, 2]],
      )
      assert.deepEqual(
        (await readAll(port().reader, [stored.entryUuid])).map(({ version }) => version),
        rules.can('earlierVersions') ? [1] : [],
      )
    })
  })
}
