import assert from 'node:assert/strict'
import {
  functionalRight,
  habilitation,
  professionSystems,
  type RightsColumn,
  type RightsMode,
  valueSet,
} from '../../src/nomenclature/index.ts'
import { published, publishedOrSkip } from './published.ts'

const { G15, R22, R94, R291 } = professionSystems
const of = (code: string, ...specialities: string[]) =>
  habilitation.column(
    { code, system: code.startsWith('GENR') ? R22 : code === '41' ? R94 : G15 },
    specialities.map((speciality) => ({ code: speciality, system: '1.2.250.1.71.4.2.5' })),
  )
const opened = (code: string): number =>
  habilitation.types.filter((type) => habilitation.permits(of(code), type)).length

interface PublishedMatrix {
  readonly classes: readonly {
    readonly code: string
    readonly types: readonly {
      readonly code: string
      readonly allowed: Readonly<Record<string, boolean>>
      readonly allowedByColumn: Readonly<Record<string, boolean>>
    }[]
  }[]
}

describe('habilitation matrix', () => {
  it('has 108 rows, 19 columns and 912 open cells', () => {
    assert.equal(habilitation.types.length, 108)
    assert.equal(habilitation.columns.length, 19)
    const open = habilitation.types.flatMap((type) =>
      habilitation.columns.filter((column) => habilitation.permits(column, type)),
    )
    assert.equal(open.length, 912)
  })

  it('opens as many types to each profession as the matrix counts', () => {
    const counts = ['10', '21', '40', '50', '60', '69', '70', '80', '91', '94', '26', '81', '28', '98']
    assert.deepEqual(
      [...counts, 'GENR08', '41', 'GENR09', 'GENR10', 'GENR11', 'GENR12'].map(opened),
      [108, 78, 74, 75, 78, 78, 76, 70, 61, 49, 19, 19, 12, 38, 34, 9, 5, 9, 26, 13],
    )
  })

  it('has a row for every type of JDV_J66 but the lot signature', () => {
    assert.deepEqual(
      valueSet('typeCode')
        .codes.map(({ code }) => code)
        .filter((code) => habilitation.mask(code) === 0),
      ['E1762'],
    )
  })

  it('agrees with the published matrix for every type and every profession', function () {
    const { classes } = publishedOrSkip<PublishedMatrix>(this, 'habilitation_matrix_full')
    let cells = 0
    for (const { types } of classes)
      for (const { code, allowed, allowedByColumn } of types) {
        for (const [profession, expected] of Object.entries(allowed)) {
          assert.equal(habilitation.permits(of(profession), code), expected, `${profession} × ${code}`)
          cells += 1
        }
        for (const column of habilitation.columns)
          assert.equal(habilitation.permits(column, code), allowedByColumn[column.key], `${column.key} × ${code}`)
      }
    assert.equal(cells, 108 * 29)
  })

  it('has the rows per class of the published matrix', () => {
    const classOf = new Map(
      published<PublishedMatrix>('habilitation_matrix_full')?.classes.map(({ code, types }) => [code, types.length]),
    )
    for (const [code, rows] of classOf)
      assert.equal(rows, { 10: 37, 11: 22, 31: 5, 42: 14, 43: 2, 44: 6, 45: 1, 52: 8, 60: 1, 90: 4, 95: 8 }[code], code)
  })

  it('gives nothing to a profession without a column', () => {
    for (const code of ['31', '32', '35', '36', '37', '86', '99', '']) assert.equal(of(code), undefined, code)
    assert.equal(habilitation.column(undefined), undefined)
    assert.ok(!habilitation.permits(undefined, '11502-2'))
  })

  it('gives nothing for a type without a row', () => {
    for (const type of ['E1762', '11526-1', '', 'constructor', undefined])
      assert.ok(!habilitation.permits(of('10'), type), String(type))
  })

  it('keeps occupational medicine out of the physicians’ column, by speciality or by function', () => {
    assert.equal(of('10')?.key, 'c01')
    assert.equal(of('10', 'SM26')?.key, 'c01')
    assert.equal(of('10', 'SM25'), undefined)
    assert.equal(of('10', 'SM26', 'FON-29'), undefined)
    assert.equal(of('10', 'G15_10/SM25'), undefined)
  })

  it('tells the two pharmacists’ columns apart by section, and they agree on every row', () => {
    assert.equal(of('21', 'G')?.key, 'c02')
    assert.equal(of('21', 'EG')?.key, 'c02')
    assert.equal(of('21', 'A')?.key, 'c03')
    assert.equal(of('21')?.key, 'c03')
    for (const type of habilitation.types)
      assert.equal(habilitation.permits(of('21', 'G'), type), habilitation.permits(of('21'), type), type)
  })

  it('knows a profession by its code system: 10 of a physician in training or 41 of TRE_G15 is another code', () => {
    assert.equal(habilitation.column({ code: '10', system: '1.2.250.1.71.1.2.8' }), undefined)
    assert.equal(habilitation.column({ code: '41', system: G15 }), undefined)
    assert.equal(habilitation.column({ code: '60', system: `urn:oid:${G15}` })?.key, 'c06')
    assert.equal(
      habilitation.column({ code: '60', system: 'https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante' })?.key,
      'c06',
    )
  })

  it('takes the activity of an actor known by role', () => {
    assert.equal(habilitation.column({ code: '99', system: R291 }, [{ code: 'GENR08', system: R22 }])?.key, 'c14')
    assert.equal(habilitation.column({ code: '99', system: R291 }), undefined)
  })
})

interface PublishedRights {
  readonly direct_and_indirect: readonly PublishedRow[]
  readonly air: readonly PublishedRow[]
}
interface PublishedRow {
  readonly td: string
  readonly rights: Readonly<Record<string, { readonly allowed: boolean; readonly note: string | null }>>
}

describe('functional-rights matrices', () => {
  it('agree with the published ones, cell by cell and note by note', function () {
    const rights = publishedOrSkip<PublishedRights>(this, 'functional_rights_matrix')
    let cells = 0
    for (const [authentication, rows] of [
      ['direct', rights.direct_and_indirect],
      ['air', rights.air],
    ] as const)
      for (const { td, rights: row } of rows)
        for (const [key, { allowed, note }] of Object.entries(row)) {
          const [column, mode] = key.split('.') as [RightsColumn, RightsMode]
          const right = functionalRight(td, column, mode, authentication)
          assert.equal(right?.note, allowed ? (note ?? '') : undefined, `${authentication} ${td} ${key}`)
          cells += 1
        }
    assert.equal(cells, 27 * 12 + 25 * 9)
  })

  it('say no where a cell does not exist', () => {
    assert.equal(functionalRight('TD3.2.normal', 'mt', 'regulation'), undefined)
    assert.equal(functionalRight('TD3.2.normal', 'medecin', 'sans_objet'), undefined)
    assert.equal(functionalRight('TD9.9', 'medecin', 'normal'), undefined)
    assert.equal(functionalRight('TD2.1', 'medecin_du_travail', 'sans_objet', 'air'), undefined)
  })

  it('give the footnote that narrows a right and name the cell', () => {
    assert.deepEqual(functionalRight('TD3.3a.unmask', 'medecin', 'normal'), {
      note: '8',
      rule: 'FRM TD3.3a.unmask medecin.normal',
    })
    assert.deepEqual(functionalRight('TD3.3d.archive', 'medecin', 'normal', 'air'), {
      note: '',
      rule: 'FRM AIR TD3.3d.archive medecin.normal',
    })
    assert.equal(functionalRight('TD2.1', 'es_cert', 'normal')?.note, '4')
  })

  it('let AIR consult and never feed', () => {
    for (const mode of ['normal', 'regulation', 'bris_de_glace'] as const) {
      assert.equal(functionalRight('TD2.1', 'medecin', mode, 'air'), undefined)
      assert.ok(functionalRight('TD3.2.normal', 'medecin', mode, 'air'))
    }
  })

  it('archive and unarchive alike, which lets TD3.3d be one operation', () => {
    for (const authentication of ['direct', 'air'] as const)
      for (const column of ['ps_non_medecin', 'medecin', 'medecin_du_travail', 'mt', 'cpe_non_ps', 'es_cert'] as const)
        for (const mode of ['normal', 'regulation', 'bris_de_glace', 'sans_objet'] as const)
          assert.equal(
            functionalRight('TD3.3d.archive', column, mode, authentication)?.note,
            functionalRight('TD3.3d.unarchive', column, mode, authentication)?.note,
          )
  })
})
