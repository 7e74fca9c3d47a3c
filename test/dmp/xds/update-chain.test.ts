/** TD3.3a to d by PATCH through the whole chain: what the DMP is asked, as whom, and what stands there afterwards. */
import assert from 'node:assert/strict'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import { type Changes, codes } from '../../mothers/metadata.ts'
import { aDocument, declared, people, type TestPatient } from '../../support/gateway.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'

const { author, colleague, structure, staff } = people
const visibility =
  'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'
const isArchived = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'
const normal = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] }
const label = (code: string) => ({ coding: [{ system: visibility, code }] })

/** Each change as its patch; labels are replaced as a whole. */
const patches = {
  mask: [{ op: 'add', path: '/securityLabel', value: [label('MASQUE_PS'), normal] }],
  show: [{ op: 'add', path: '/securityLabel', value: [normal] }],
  archive: [{ op: 'add', path: '/extension', value: [{ url: isArchived, valueBoolean: true }] }],
  unarchive: [{ op: 'remove', path: '/extension' }],
  delete: [{ op: 'replace', path: '/status', value: 'entered-in-error' }],
} as const

describe('changes of documents at the national DMP', () => {
  let gateway: NationalGateway
  before(async () => {
    gateway = await openNationalGateway()
  })
  after(() => gateway.close())

  /** Fed by the structure in the name of `author`. */
  const given = async (changes: Changes<DocumentEntry> = {}, who: object = author) => {
    const patient = await gateway.patient()
    const document = aDocument(patient, changes)
    const { stored, ...fed } = await gateway.fhirDoor.feed(who, document, { consent: declared.informed })
    assert.ok(fed.ok && stored, fed.text)
    return { patient, stored, uniqueId: document.entry.uniqueId }
  }
  const patch = async (
    who: object,
    patient: TestPatient,
    { logicalId }: { readonly logicalId: string },
    change: keyof typeof patches,
    options: object = {},
  ) => {
    const before = gateway.farEnd.calls.length
    const reply = await gateway.fhir.call(
      { ...who, ins: patient.ins },
      'PATCH',
      `/DocumentReference/${logicalId.slice('urn:uuid:'.length)}`,
      {
        consent: declared.careTeam,
        ...options,
        headers: { 'Content-Type': 'application/json-patch+json' },
        body: JSON.stringify(patches[change]),
      },
    )
    const calls = gateway.farEnd.calls.slice(before).map(({ td, mode }) => `${td} ${mode}`)
    return { ...reply, calls, changes: calls.filter((call) => call.startsWith('TD3.3')) }
  }
  const done = async (...asked: Parameters<typeof patch>) => {
    const reply = await patch(...asked)
    assert.equal(reply.status, 200, reply.outcome.text)
    return reply
  }
  const atFarEnd = async (uniqueId: DocumentEntry['uniqueId']) => {
    const { dmp } = gateway.farEnd.embedded
    const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [uniqueId] })
    const [facts] = documents
    assert.ok(facts)
    const { version, availabilityStatus, confidentiality } = facts
    return [version, availabilityStatus, confidentiality.join(' ')]
  }
  const lastDone = async (patient: TestPatient) => {
    const [last] = await gateway.records(patient)
    return [last?.operation, last?.outcome, last?.caller.person?.id]
  }
  const asPerson = (td: string) => [`${td} INDIRECTE_RENFORCEE`]

  it('TD3.3a: any professional masks, the author unmasks, each a new version under the own name', async () => {
    const { patient, stored, uniqueId } = await given()
    const masked = await done(colleague, patient, stored, 'mask')
    assert.deepEqual(masked.changes, asPerson('TD3.3a'))
    assert.deepEqual(
      masked.calls.map((call) => call.split(' ')[0]),
      ['TD0.2', 'TD0.3', 'TD3.1b', 'TD3.1a', 'TD3.3a', 'TD3.1b'],
      'the document and its relations read once, changed, and the new version',
    )
    assert.deepEqual(await atFarEnd(uniqueId), [2, 'Approved', 'N MASQUE_PS'])
    assert.deepEqual(await lastDone(patient), ['TD3.3a.mask', 'permitted', colleague.id])
    const hidden = await patch(colleague, patient, stored, 'show')
    assert.deepEqual([hidden.status, hidden.changes], [404, []], 'who masked it does not see it any more')
    const unmasked = await done(author, patient, stored, 'show')
    assert.deepEqual(unmasked.changes, asPerson('TD3.3a'))
    assert.deepEqual(await atFarEnd(uniqueId), [3, 'Approved', 'N'])
    assert.deepEqual(await lastDone(patient), ['TD3.3a.unmask', 'permitted', author.id])
  })

  it('TD3.3b: a professional makes visible what was hidden from the patient', async () => {
    const { patient, stored, uniqueId } = await given({
      confidentialityCodes: [codes.normal, codes.hiddenFromPatient],
    })
    const shown = await done(colleague, patient, stored, 'show')
    assert.deepEqual(shown.changes, asPerson('TD3.3a'), 'one message for both at the DMP')
    assert.deepEqual(await atFarEnd(uniqueId), [2, 'Approved', 'N'])
    assert.deepEqual(await lastDone(patient), ['TD3.3b', 'permitted', colleague.id])
  })

  it('TD3.3d: the author archives and takes back out of the archive, without a new version', async () => {
    const { patient, stored, uniqueId } = await given()
    const archived = await done(author, patient, stored, 'archive')
    assert.deepEqual(archived.changes, asPerson('TD3.3d'))
    assert.deepEqual(await atFarEnd(uniqueId), [1, 'Archived', 'N'])
    assert.deepEqual(await lastDone(patient), ['TD3.3d', 'permitted', author.id])
    const find = (query: string) =>
      gateway.fhir.call(
        author,
        'GET',
        `/DocumentReference?patient.identifier=urn:oid:${patient.authority}|${patient.ins}&${query}`,
        { consent: declared.careTeam },
      )
    const total = async (query: string) => ((await find(query)).json as { total?: number }).total
    assert.equal(await total('status=current'), 0, 'an archived document is not among the current ones')
    assert.equal(await total('status=current&isArchived=true'), 1)
    const back = await done(author, patient, stored, 'unarchive')
    assert.deepEqual(back.changes, asPerson('TD3.3d'))
    assert.deepEqual(await atFarEnd(uniqueId), [1, 'Approved', 'N'])
    assert.equal(await total('status=current'), 1)
  })

  it('TD3.3d is the author’s: a nurse does not archive what another has written, and nothing is sent', async () => {
    const { patient, stored, uniqueId } = await given()
    const refused = await patch(people.nurse, patient, stored, 'archive')
    assert.equal(refused.outcome.code, 'not-the-author')
    assert.deepEqual([refused.changes, await atFarEnd(uniqueId)], [[], [1, 'Approved', 'N']])
  })

  it('TD3.3c: the author deletes, an archived document too, and it stays at the DMP as deleted', async () => {
    const { patient, stored, uniqueId } = await given()
    await done(author, patient, stored, 'archive')
    const deleted = await done(author, patient, stored, 'delete')
    assert.deepEqual(deleted.changes, asPerson('TD3.3c'))
    assert.deepEqual(await atFarEnd(uniqueId), [1, 'Deleted', 'N'])
    assert.deepEqual(await lastDone(patient), ['TD3.3c', 'permitted', author.id])
  })

  for (const who of [structure, staff])
    it(`TD3.3c: ${who.kind === 'staff' ? 'staff delete' : 'the structure deletes'} what the structure fed, by its reference alone`, async () => {
      const { patient, stored, uniqueId } = await given({}, structure)
      const deleted = await done(who, patient, stored, 'delete', { consent: undefined })
      assert.deepEqual(deleted.changes, ['TD3.3c INDIRECTE'])
      assert.deepEqual(
        deleted.calls.filter((call) => !call.startsWith('TD0.2')),
        ['TD3.1b INDIRECTE', 'TD3.3c INDIRECTE'],
      )
      assert.deepEqual(await atFarEnd(uniqueId), [1, 'Deleted', 'N'])
    })

  it('TD3.3 is closed to the structure but for deletion, which says what to do instead', async () => {
    const { patient, stored, uniqueId } = await given({}, structure)
    for (const change of ['mask', 'archive'] as const) {
      const refused = await patch(structure, patient, stored, change)
      assert.deepEqual([refused.outcome.code, refused.changes], ['use-replacement', []], change)
    }
    assert.deepEqual(await atFarEnd(uniqueId), [1, 'Approved', 'N'])
  })
})
