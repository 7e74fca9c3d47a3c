import assert from 'node:assert/strict'
import { describe as historyLine } from '../../src/operations/history-line.ts'
import type { AccessRecord } from '../../src/operations/ports.ts'
import { anAccessRecord, aProfessionalCaller } from '../dmp/mothers.ts'
import { aDocumentEntry, aUniqueId } from '../mothers/metadata.ts'

const about = (changes: Partial<AccessRecord>) => historyLine(anAccessRecord(changes))
const document = { logicalId: aDocumentEntry().entryUuid, uniqueId: aUniqueId() }

describe('the access history', () => {
  it('reads as on dmp.fr: date in French time, author, action, context', () => {
    const record = anAccessRecord({
      at: '2018-12-10T15:43:41.000Z',
      operation: 'TD3.2',
      caller: aProfessionalCaller({ person: { id: '899700000001', name: 'EXEMPLE Anne' } }),
      documents: [document],
    })
    assert.deepEqual(
      historyLine(record, () => 'Bilan sanguin'),
      {
        date: '10/12/2018 16:43:41',
        author: 'EXEMPLE Anne (CH EXEMPLE)',
        action: 'a consulté le document « Bilan sanguin »',
        context: 'Normal',
      },
    )
  })

  it('names a document by its uniqueId where its title is not known, and several by their number', () => {
    assert.equal(about({ documents: [document] }).action, `a consulté le document ${document.uniqueId}`)
    assert.equal(about({ operation: 'TD2.1', documents: [document, document] }).action, 'a ajouté 2 documents')
  })

  it('keeps a $ in a title', () => {
    const record = anAccessRecord({ documents: [document] })
    assert.equal(historyLine(record, () => "Coût : 3 $& $1 $'").action, "a consulté le document « Coût : 3 $& $1 $' »")
  })

  it('says what was done to a document in French', () => {
    assert.equal(
      about({ operation: 'TD3.1b', documents: [document] }).action,
      `a recherché la référence du document ${document.uniqueId}`,
    )
    const record = anAccessRecord({ operation: 'TD3.1b', documents: [document] })
    assert.equal(historyLine(record, () => '5 %').action, 'a recherché la référence du document « 5 % »')
  })

  it('says the mode of an emergency access', () => {
    assert.equal(about({ purpose: 'bris_de_glace' }).context, 'Bris de glace')
    assert.equal(about({ purpose: 'centre_15' }).context, 'Centre 15')
  })

  it('says what was refused and why', () => {
    assert.equal(
      about({ outcome: 'refused', reasonCode: 'professional-blocked', documents: [document] }).action,
      `s’est vu refuser la consultation du document ${document.uniqueId} : Le patient a bloqué l’accès de ce professionnel.`,
    )
    assert.equal(
      about({ outcome: 'refused', reasonCode: 'consent-missing', documents: [document] }).action,
      `s’est vu refuser la consultation du document ${document.uniqueId} : La déclaration de consentement manque.`,
    )
    assert.equal(about({ outcome: 'refused' }).action, 's’est vu refuser la consultation d’un document')
    assert.equal(
      about({ outcome: 'failed', operation: 'TD2.1', documents: [document, document, document] }).action,
      'a tenté sans succès l’ajout de 3 documents',
    )
  })

  it('never shows the INS of the patient as the author', () => {
    const { author } = about({ caller: aProfessionalCaller({ kind: 'patient', person: { id: '260059999999999' } }) })
    assert.equal(author, 'Patient')
  })

  it('names a structure that acts alone', () => {
    assert.equal(about({ caller: aProfessionalCaller({ kind: 'structure', person: undefined }) }).author, 'CH EXEMPLE')
  })
})
