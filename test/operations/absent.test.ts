/** Whoever asked without naming a patient and was told that there is nothing learns no more of it afterwards (DF6). */
import assert from 'node:assert/strict'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { aPatient, patient } from '../mothers/access.ts'
import { aDocumentEntry, anAuthor, aSubmission, codes } from '../mothers/metadata.ts'
import { recordsOf } from '../support/trace.ts'
import { aColleague, type House, openHouse, theHospital } from './house.ts'

describe('an object that was answered as absent', () => {
  let house: House
  let masked: DocumentEntry
  beforeEach(async () => {
    house = await openHouse()
    const entry = aDocumentEntry({
      authors: [anAuthor()],
      confidentialityCodes: [codes.normal, codes.maskedToProfessionals],
    })
    const { entries } = await house.as(theHospital).feed(aSubmission({ entries: [entry] }))
    masked = entries[0] as DocumentEntry
  })
  afterEach(() => house.close())
  const ask = async () => {
    const query = { kind: 'GetDocuments', by: 'uniqueId', ids: [masked.uniqueId] } as const
    assert.deepEqual((await house.as(aColleague).find(query)).documents, [])
    const { context } = house.as(aColleague)
    const { documents, issues } = await house.operations.retrieve(
      [{ documentUniqueId: masked.uniqueId }, { logicalId: masked.logicalId }],
      context,
    )
    assert.deepEqual([documents.length, issues.map(({ code }) => code)], [0, ['XDSDocumentUniqueIdError', 'not-found']])
  }
  const rows = async (who: Parameters<House['as']>[0]) =>
    (await recordsOf(await house.operations.history(patient, house.as(who).context))).filter(
      ({ caller }) => caller.person?.id === aColleague.person?.id,
    )

  it('leaves no row in the own history of who asked, for a masked document as for a refused record', async () => {
    await ask()
    assert.deepEqual(
      (await rows(aColleague)).map(({ operation }) => operation),
      ['history'],
    )
    const { choices } = house.embedded
    const [record] = await house.trace()
    assert.ok(record)
    await choices.apply(patient, [{ kind: 'block', person: aColleague.person?.id ?? '' }], record)
    await ask()
    assert.deepEqual([...new Set((await rows(aColleague)).map(({ operation }) => operation))], ['history'])
  })

  it('is in the history of the patient', async () => {
    await ask()
    assert.deepEqual((await rows(aPatient())).map(({ operation }) => operation).sort(), ['TD3.1a', 'TD3.2'])
    const refused = (await house.trace()).filter(({ rule }) => rule === 'DF')
    assert.equal(refused.length, 1)
  })

  it('authorises nobody and tells nobody of a consultation', async () => {
    await ask()
    assert.equal((await house.embedded.dmp.status(patient, aColleague))?.authorisation, 'NON_EXISTE')
    const kinds = (await house.embedded.choices.notices(patient)).map(({ kind }) => kind)
    assert.deepEqual([...new Set(kinds)], ['feed'])
  })
})
