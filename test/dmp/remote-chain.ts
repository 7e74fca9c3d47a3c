/** What holds for a gateway before any remote DMP, asked at its doors; and a look at the far end. */
import assert from 'node:assert/strict'
import type { EmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import { formatCx, formatXcn, formatXon } from '../../src/metadata/hl7.ts'
import {
  aDocument,
  declared,
  people,
  type TestDocument,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'

interface RemoteGateway extends Pick<TestGateway, 'fhirDoor' | 'xdsDoor'> {
  readonly farEnd: { readonly embedded: EmbeddedDmp }
  patient(): Promise<TestPatient>
}

/** The entry as the far end keeps it. */
export async function storedAtFarEnd(
  { farEnd }: Pick<RemoteGateway, 'farEnd'>,
  { entry: sent }: Pick<TestDocument, 'entry'>,
) {
  const { dmp } = farEnd.embedded
  const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [sent.uniqueId] })
  for await (const entry of dmp.read(documents.map(({ entryUuid }) => entryUuid))) return { entry, dmp }
  return assert.fail('the document is not at the far end')
}

/** @param gateway open by the time the rules are asked */
export function unchangedRules(gateway: () => RemoteGateway): void {
  for (const door of ['xdsDoor', 'fhirDoor'] as const)
    it(`feeds, finds and gives back a document unchanged, by ${door}`, async () => {
      const patient = await gateway().patient()
      const document = aDocument(patient)
      const fed = await gateway()[door].feed(people.structure, document, { consent: declared.informed })
      assert.ok(fed.ok, JSON.stringify(fed))
      const found = await gateway()[door].find(people.author, patient, { consent: declared.careTeam })
      const [entry] = found.entries
      assert.ok(entry, JSON.stringify(found.outcome))
      assert.equal(entry.uniqueId, document.entry.uniqueId)
      assert.deepEqual(entry.legalAuthenticator, document.entry.legalAuthenticator)
      const read = await gateway()[door].retrieve({ ...people.author, ins: patient.ins }, entry, {
        consent: declared.careTeam,
      })
      assert.deepEqual(read.bytes, document.bytes)
    })

  it('carries the French forms to the DMP as they came', async () => {
    const document = aDocument(await gateway().patient())
    assert.ok((await gateway().xdsDoor.feed(people.structure, document, { consent: declared.informed })).ok)
    const { entry } = await storedAtFarEnd(gateway(), document)
    const [author, sent] = [entry.authors[0], document.entry.authors[0]]
    assert.ok(author?.person && sent?.person && author.institutions[0] && sent.institutions[0])
    assert.equal(formatXcn(author.person), formatXcn(sent.person))
    assert.equal(formatXon(author.institutions[0]), formatXon(sent.institutions[0]))
    assert.deepEqual(author.specialties, sent.specialties)
    assert.equal(formatCx(entry.patientId), formatCx(document.entry.patientId))
    assert.match(formatCx(entry.patientId), /\^NH$/)
  })
}
