import assert from 'node:assert/strict'
import type { DocumentCriteria } from '../../src/metadata/criteria.ts'
import { type Dtm, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { anAuthor, aProfessional, type Changes, codes } from '../mothers/metadata.ts'
import { newOid } from '../support/documents.ts'
import type { TestPatient } from '../support/people.ts'
import type { PortRules } from './port-suite.ts'
import { carried, everyStatus, fed, found, opened, readAll } from './port-support.ts'

/** TD3.1 and TD3.2. */
export function findRules(rules: PortRules): void {
  describe('finding', () => {
    const port = opened(rules)
    let patient: TestPatient
    let stored: readonly DocumentEntry[]
    /** What is asked, and the places in `various` that answer it. */
    const various: readonly Changes<DocumentEntry>[] = [
      { creationTime: '20260301080000' as Dtm, serviceStartTime: '20260228' as Dtm, title: 'Premier' },
      { creationTime: '20260401080000' as Dtm, typeCode: codes.summaryType, classCode: codes.summary },
      { creationTime: '20260501080000' as Dtm, confidentialityCodes: [codes.normal, codes.hiddenFromPatient] },
      {
        creationTime: '20260501080000' as Dtm,
        practiceSettingCode: codes.outpatientCare,
        authors: [
          anAuthor(),
          anAuthor({ person: aProfessional({ id: '899700000009', family: 'MARTIN', given: 'Éloïse' }) }),
        ],
      },
      {
        creationTime: '20260601080000' as Dtm,
        healthcareFacilityTypeCode: codes.office,
        formatCode: codes.pdfFormat,
        eventCodes: [{ code: 'ZBQK002', system: '1.2.250.1.215.300.1', display: 'Radiographie du thorax' }],
      },
    ]
    before(async () => {
      patient = await port().patient()
      const made: DocumentEntry[] = []
      for (const changes of various) made.push((await fed(port(), patient, changes)).stored)
      stored = made
      await fed(port(), await port().patient())
    })
    const placesOf = (documents: readonly { readonly entryUuid: string }[]) =>
      documents.map(({ entryUuid }) => stored.findIndex((each) => each.entryUuid === entryUuid))

    it('gives the newest first, then by entryUUID', async () => {
      const expected = [...stored].sort(
        (a, b) => (b.creationTime ?? '').localeCompare(a.creationTime ?? '') || (a.entryUuid < b.entryUuid ? -1 : 1),
      )
      assert.deepEqual(placesOf(await found(port().reader, patient)), placesOf(expected))
      assert.deepEqual(placesOf(await found(port().reader, patient)), placesOf(expected), 'and again')
    })

    const match = ({ code, system }: { readonly code: string; readonly system: string }) => ({ code, system })
    const questions: readonly (readonly [string, DocumentCriteria, readonly number[]])[] = [
      ['a type', { typeCodes: [match(codes.summaryType)] }, [1]],
      ['one of two types', { typeCodes: [match(codes.summaryType), match(codes.bloodTest)] }, [0, 1, 2, 3, 4]],
      ['a class', { classCodes: [match(codes.summary)] }, [1]],
      ['a format', { formatCodes: [match(codes.pdfFormat)] }, [4]],
      ['a facility', { healthcareFacilityTypeCodes: [match(codes.office)] }, [4]],
      ['a practice setting', { practiceSettingCodes: [match(codes.outpatientCare)] }, [3]],
      ['an event', { eventCodes: [[{ code: 'ZBQK002', system: '1.2.250.1.215.300.1' }]] }, [4]],
      ['a label', { confidentialityCodes: [[match(codes.hiddenFromPatient)]] }, [2]],
      ['two labels together', { confidentialityCodes: [[match(codes.normal)], [match(codes.hiddenFromPatient)]] }, [2]],
      ['an author, by a pattern', { authorPersons: ['%MARTIN%'] }, [3]],
      [
        'a time of creation, its end excluded',
        { creationTime: [{ from: '20260401080000' as Dtm, to: '20260501080000' as Dtm }] },
        [1],
      ],
      ['a beginning of the act', { serviceStartTime: [{ to: '20260301' as Dtm }] }, [0]],
      ['two at once', { typeCodes: [match(codes.bloodTest)], classCodes: [match(codes.summary)] }, []],
    ]
    for (const [what, criteria, places] of questions)
      it(`finds by ${what}`, async () => {
        assert.deepEqual([...placesOf(await found(port().reader, patient, criteria))].sort(), places)
      })

    it('gives only the statuses asked for', async () => {
      assert.deepEqual(await found(port().reader, patient, {}, ['Archived', 'Deleted', 'Deprecated']), [])
    })

    it('gives nothing of another patient, and nothing for one without documents', async () => {
      const documents = await found(port().reader, patient, {}, everyStatus)
      assert.deepEqual(new Set(documents.map((each) => each.patient)), new Set([patient.key]))
      assert.deepEqual(await found(port().reader, await port().patient()), [])
    })

    it('gets documents by entryUUID, uniqueId and logicalId, and leaves out what there is not', async () => {
      const [entry] = stored
      assert.ok(entry)
      const asked = {
        entryUuid: entry.entryUuid,
        any: entry.entryUuid,
        uniqueId: entry.uniqueId,
        logicalId: entry.logicalId,
      }
      for (const [by, id] of Object.entries(asked) as [keyof typeof asked, string][]) {
        const unknown = by === 'uniqueId' ? newOid() : newEntryUuid()
        const { documents } = await port().reader.find({ kind: 'GetDocuments', by, ids: [unknown, id] })
        assert.deepEqual(placesOf(documents), [0], by)
      }
    })

    it('reads entries in the order of the ids, leaving out those without an entry', async () => {
      const reversed = [...stored].reverse()
      const ids = reversed.map(({ entryUuid }) => entryUuid)
      const entries = await readAll(port().reader, [newEntryUuid(), ...ids])
      assert.deepEqual(entries.map(carried), reversed.map(carried))
      assert.deepEqual(placesOf(entries), placesOf(reversed))
    })

    it('stops reading when the reader stops', async () => {
      for await (const entry of port().reader.read(stored.map(({ entryUuid }) => entryUuid))) {
        assert.equal(entry.entryUuid, stored[0]?.entryUuid)
        break
      }
    })

    it('gives the submission of a document, and the association between them', async () => {
      const [entry] = stored
      assert.ok(entry)
      const { associations } = await port().reader.find({ kind: 'GetAssociations', ids: [entry.entryUuid] })
      const [membership] = associations.filter(({ type }) => type === 'HasMember')
      assert.ok(membership)
      assert.equal(membership.target, entry.entryUuid)
      const { submissionSets } = await port().reader.find({
        kind: 'FindSubmissionSets',
        patient: patient.key,
        statuses: ['Approved'],
        criteria: {},
      })
      assert.ok(submissionSets.some(({ entryUuid }) => entryUuid === membership.source))
      assert.equal(submissionSets.length, stored.length)
    })

    it('has no bytes under an entryUUID that is not there', async () => {
      assert.equal(await port().reader.content(newEntryUuid()), undefined)
    })

    it('has no versions of a document that is not there, and one of a document that was never changed', async () => {
      assert.deepEqual(await port().reader.versions(newEntryUuid()), [])
      const [entry] = stored
      assert.ok(entry)
      assert.deepEqual(
        (await port().reader.versions(entry.logicalId)).map(({ version }) => version),
        [1],
      )
    })

    it(
      rules.can('depositTime')
        ? 'tells when a document was stored'
        : `tells the time of creation for that of deposit: ${rules.why('depositTime')}`,
      async () => {
        const began = new Date(Date.now() - 600_000).toISOString()
        for (const { depositedAt, updatedAt, creationTime } of await found(port().reader, patient)) {
          if (rules.can('depositTime')) assert.ok(depositedAt > began && updatedAt >= depositedAt)
          else assert.equal(depositedAt.replace(/\D/g, '').slice(0, 14), creationTime)
        }
      },
    )
  })
}
