/** Every cell of both matrices, read from the data as it lies in the file, against what the guard and the filter do. */
import assert from 'node:assert/strict'
import type { Authentication, Caller } from '../../src/access/caller.ts'
import { decide } from '../../src/access/decide.ts'
import { visible } from '../../src/access/filter.ts'
import type { AccessRequest, DocumentFacts, Operation, RecordFacts } from '../../src/access/types.ts'
import rights from '../../src/nomenclature/data/functional-rights.json' with { type: 'json' }
import habilitation from '../../src/nomenclature/data/habilitation.json' with { type: 'json' }
import {
  aHospital,
  aNurse,
  anOccupationalPhysician,
  aPhysician,
  aPolicy,
  aRecord,
  aRequest,
  aSecretary,
  aStoredDocument,
  careTeam,
  structureId,
} from '../mothers/access.ts'
import { aDocumentEntry } from '../mothers/metadata.ts'

/** Rows of the functional-rights matrices, by the operation that they open; TD2.2 is TD2.1 of a CPE holder. */
const operationOf: Readonly<Record<string, Operation>> = {
  'TD0.2': 'TD0.2',
  'TD0.3.add': 'TD0.3.add',
  'TD0.3.remove': 'TD0.3.remove',
  'TD0.4': 'TD0.4',
  'TD1.3a': 'TD1.3a',
  'TD1.6': 'TD1.6',
  'TD2.1': 'TD2.1',
  'TD2.2': 'TD2.1',
  'TD3.1.metadata': 'TD3.1a',
  'TD3.1.reference': 'TD3.1b',
  'TD3.2.normal': 'TD3.2',
  'TD3.3a.mask': 'TD3.3a.mask',
  'TD3.3a.unmask': 'TD3.3a.unmask',
  'TD3.3b': 'TD3.3b',
  'TD3.3d.archive': 'TD3.3d',
  'TD3.3d.unarchive': 'TD3.3d',
  'TD3.3c': 'TD3.3c',
}
/** Rows that are about documents: the filter reads them. */
const documentRows: Readonly<Record<string, Partial<DocumentFacts>>> = {
  'TD3.2.normal': {},
  'TD3.2.masque_ps': { confidentiality: ['N', 'MASQUE_PS'] },
  'TD3.2.invisible_patient_rl': { confidentiality: ['N', 'INVISIBLE_PATIENT'] },
  'TD3.2.archived': { availabilityStatus: 'Archived' },
  'TD3.2.obsolete': { availabilityStatus: 'Deprecated' },
  'TD3.2.deleted': { availabilityStatus: 'Deleted' },
}
/** What the gateway does not do: identity acquisition, search without INS, access by browser. */
const elsewhere = ['TD0.0', 'TD0.1', 'TD0.3.remove_mt', 'TD0.5', 'TD0.9', 'TD0.10']

const purposes = {
  normal: { purpose: 'normal' },
  sans_objet: { purpose: 'normal' },
  regulation: { purpose: 'centre_15' },
  bris_de_glace: { purpose: 'bris_de_glace', reason: 'patient inconscient' },
} as const

/** Somebody of a column. */
function callerOf(column: string, authentication: Authentication): Caller {
  const how = { authentication, regulation: true }
  switch (column) {
    case 'ps_non_medecin':
      return aNurse(how)
    case 'medecin':
    case 'mt':
      return aPhysician(how)
    case 'medecin_du_travail':
      return anOccupationalPhysician(how)
    case 'cpe_non_ps':
    case 'pe_non_ps':
      return aSecretary(how)
    default:
      return aHospital({ regulation: true })
  }
}

interface Cell {
  readonly td: string
  readonly column: string
  readonly mode: keyof typeof purposes
  readonly cell: string
  readonly caller: Caller
  readonly facts: RecordFacts
}

const cells: Cell[] = (['direct', 'air'] as const).flatMap((authentication) =>
  rights[authentication].rows.flatMap(([td = '', , ...row]) =>
    rights[authentication].columns.map((key, index) => {
      const [column = '', mode = ''] = key.split('.')
      return {
        td,
        column,
        mode: mode as keyof typeof purposes,
        cell: row[index] ?? '',
        caller: callerOf(column, authentication),
        facts: aRecord({ treatingPhysician: column === 'mt' }),
      }
    }),
  ),
)

/** A document that is the caller's own in the sense of notes 6, 8 and 9, or somebody else's. */
function target({ kind, person }: Caller, own: boolean, changes: Partial<DocumentFacts> = {}): DocumentFacts {
  if (!own) return aStoredDocument(changes)
  if (kind === 'professional') return aStoredDocument({ authorPersons: [person?.id ?? ''], ...changes })
  return aStoredDocument({ depositedBy: 'structure', feedingStructure: structureId, ...changes })
}

function requestOf({ mode, caller }: Cell, operation: Operation, own: boolean): AccessRequest {
  return aRequest(operation, {
    caller,
    ...purposes[mode],
    declaration: careTeam,
    target: target(caller, own),
    ...(operation === 'TD0.4' && { by: 'authorisation' }),
    ...(operation === 'TD2.1' && { entries: [aDocumentEntry()] }),
  })
}

/** The public rules let occupational physicians consult nothing, metadata included (SEED3 Q7), and are the stricter. */
const isOverruled = ({ td, column }: Cell) => column === 'medecin_du_travail' && td === 'TD3.1.metadata'
/** A CPE holder feeds by the row TD2.2, everyone else by TD2.1. */
const isOtherRow = ({ td, column }: Cell) => td === (['cpe_non_ps', 'pe_non_ps'].includes(column) ? 'TD2.1' : 'TD2.2')

describe('the functional-rights matrices', () => {
  it('have a meaning here for every row, or are listed as done elsewhere', () => {
    const known = new Set([...Object.keys(operationOf), ...Object.keys(documentRows), ...elsewhere])
    assert.deepEqual(
      [...new Set(cells.map(({ td }) => td))].filter((td) => !known.has(td)),
      [],
    )
    assert.equal(cells.length, 27 * 12 + 25 * 9)
  })

  for (const td of Object.keys(operationOf)) {
    const operation = operationOf[td] as Operation
    const row = cells.filter((cell) => cell.td === td && !isOverruled(cell) && !isOtherRow(cell))
    it(`${td}: each open cell permits, and names itself; each other cell refuses`, () => {
      assert.ok(row.length > 0)
      for (const cell of row) {
        const where = `${td} ${cell.column}.${cell.mode}`
        const decision = decide(requestOf(cell, operation, true), cell.facts, aPolicy())
        assert.equal(decision.verdict, cell.cell.startsWith('y') ? 'permit' : 'deny', `${where}: ${decision.rule}`)
        if (decision.verdict === 'deny') assert.ok(['FR1', 'UP6'].includes(decision.rule), `${where}: ${decision.rule}`)
        else assert.match(decision.rule, new RegExp(`${cell.column}\\.${cell.mode}$`))
      }
    })

    const narrowed = row.filter(({ cell }) => /^y[89]$/.test(cell))
    if (narrowed.length === 0) continue
    it(`${td}: a cell narrowed to own documents refuses those of others`, () => {
      for (const cell of narrowed) {
        const decision = decide(requestOf(cell, operation, false), cell.facts, aPolicy())
        assert.deepEqual(
          decision.verdict === 'deny' && decision.issues.map(({ code }) => code),
          ['not-the-author'],
          `${td} ${cell.column}.${cell.mode}`,
        )
      }
    })
  }

  it('let occupational physicians search nothing, against the matrix', () => {
    const overruled = cells.filter(isOverruled)
    assert.ok(overruled.length > 0)
    for (const cell of overruled) {
      assert.equal(cell.cell, 'y')
      assert.equal(decide(requestOf(cell, 'TD3.1a', true), cell.facts, aPolicy()).rule, 'FR1')
    }
  })

  for (const [td, changes] of Object.entries(documentRows))
    it(`${td}: the filter shows what each cell opens, and nothing else`, () => {
      for (const cell of cells.filter((each) => each.td === td)) {
        const { caller, facts, mode } = cell
        const sees = (own: boolean, masked: boolean) =>
          visible(target(caller, own, changes), {
            caller,
            ...purposes[mode],
            facts: { ...facts, choices: { ...facts.choices, maskedInEmergencyPermitted: masked } },
            policy: aPolicy(),
            now: new Date('2026-06-01T12:00:00.000Z'),
            operation: 'TD3.2',
          })
        const expected = {
          n: [false, false, false],
          y: [true, true, true],
          // the author alone; everyone, once the patient permits it
          y6: [false, true, false],
          y7: [false, false, true],
        }[cell.cell]
        assert.deepEqual(
          [sees(false, false), sees(true, false), sees(false, true)],
          expected,
          `${td} ${cell.column}.${mode}`,
        )
      }
    })
})

describe('the habilitation matrix', () => {
  const reader = (code: string, system: string) =>
    aNurse({ profession: { code, system }, person: { id: '899700000077' }, specialities: [] })

  for (const [index, { key, label, system, codes }] of habilitation.columns.entries())
    it(`${key} ${label}: each of the ${habilitation.rows.length} types is visible where the cell says so`, () => {
      for (const code of codes) {
        // Code 21 stands in two columns, which agree.
        const viewer = {
          caller: reader(code, system),
          purpose: 'normal',
          facts: aRecord(),
          policy: aPolicy(),
          now: new Date('2026-06-01T12:00:00.000Z'),
          operation: 'TD3.2',
        } as const
        for (const [type = '', , , row = ''] of habilitation.rows)
          assert.equal(visible(aStoredDocument({ typeCode: type }), viewer), row[index] === 'X', `${code} × ${type}`)
      }
    })
})
