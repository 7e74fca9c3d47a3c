import assert from 'node:assert/strict'
import { explain } from '../../src/access/explain.ts'
import { anOccupationalPhysician, aPolicy, aRecord, aTester, nurseId, patient } from '../mothers/access.ts'
import { breakGlass, consult } from './rules/table.ts'

describe('explain', () => {
  it('tells the path through the rules up to the refusal', () => {
    const lines = explain(consult({ declaration: {} }), aRecord(), aPolicy())
    assert.equal(lines[0], 'TD3.2 by professional (direct), mode normal')
    assert.equal(lines[1], 'functional rights: FRM TD3.2.normal ps_non_medecin.normal')
    assert.ok(lines.some((line) => line.startsWith('CO1  passed')))
    assert.ok(lines.some((line) => line.startsWith('CO3  REFUSED')))
    assert.ok(!lines.some((line) => line.startsWith('CO4')))
    assert.equal(lines.at(-1), 'deny by CO3: consent-missing')
  })

  it('tells what follows from a permission', () => {
    const lines = explain(consult(breakGlass), aRecord(), aPolicy())
    assert.equal(
      lines.at(-1),
      'permit by FRM TD3.2.normal ps_non_medecin.bris_de_glace; then notify-emergency-access, display-mode',
    )
  })

  it('adds what the habilitation matrix says of a type', () => {
    const lines = explain(consult(), aRecord(), aPolicy(), ['11502-2', 'PRESC-AAT'])
    assert.match(lines.at(-2) ?? '', /11502-2: open to column c06/)
    assert.match(lines.at(-1) ?? '', /PRESC-AAT: hidden to column c06/)
    const none = explain(consult({ caller: anOccupationalPhysician() }), aRecord(), aPolicy(), ['11502-2'])
    assert.match(none.at(-1) ?? '', /no column/)
  })

  it('says so of conformance mode', () => {
    assert.match(
      explain(consult({ caller: aTester() }), undefined, aPolicy({ profile: 'ihe' })).at(-1) ?? '',
      /permit by IHE/,
    )
  })

  it('names neither the patient nor the caller', () => {
    const text = explain(consult(), aRecord(), aPolicy()).join('\n')
    assert.ok(!text.includes(patient) && !text.includes(nurseId))
  })
})
