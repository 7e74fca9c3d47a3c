/**
 * The functional-rights matrices: which DMP transaction (TD) is open to whom and in which access mode, for direct and
 * indirect authentication (PDT-INF-526) and for reinforced indirect authentication, AIR (PDT-INF-606).
 * A cell that does not exist is a no.
 */
import type { Authentication } from '../access/caller.ts'
import data from './data/functional-rights.json' with { type: 'json' }

export type RightsColumn =
  | 'ps_non_medecin'
  | 'medecin'
  | 'medecin_du_travail'
  | 'mt'
  | 'cpe_non_ps'
  | 'pe_non_ps'
  | 'es_cert'

/** Access modes of the matrix; the only mode of occupational medicine is `sans_objet`. */
export type RightsMode = 'normal' | 'regulation' | 'bris_de_glace' | 'sans_objet'

export interface Right {
  /** Footnote that narrows the right: 6 and 8 own documents, 7 with the patient's permission, 9 own structure's, … */
  readonly note: string
  /** `FRM TD3.2.normal medecin.normal`: the cell, for the trace. */
  readonly rule: string
}

/** Rights by row, column and mode. */
type Matrix = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Right>>>>>>

function compile(
  grid: { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] },
  mark: string,
): Matrix {
  const matrix: Record<string, Record<string, Record<string, Right>>> = {}
  for (const [td = '', , ...cells] of grid.rows) {
    const row: Record<string, Record<string, Right>> = {}
    grid.columns.forEach((key, index) => {
      const [column = '', mode = ''] = key.split('.')
      const modes = row[column] ?? {}
      row[column] = modes
      const cell = cells[index]
      if (cell?.startsWith('y')) modes[mode] = { note: cell.slice(1), rule: `FRM${mark} ${td} ${key}` }
    })
    matrix[td] = row
  }
  return matrix
}

const direct = compile(data.direct, '')
const air = compile(data.air, ' AIR')

/** What the footnotes of the matrix say. */
export const footnotes: Readonly<Record<string, string>> = data.notes

/**
 * The right a cell gives, or undefined where it is a no or does not exist.
 * `td` is a row (`TD2.1`, `TD3.1.metadata`, `TD3.3a.unmask`, …).
 */
export function functionalRight(
  td: string,
  column: RightsColumn,
  mode: RightsMode,
  authentication: Authentication = 'direct',
): Right | undefined {
  // The certificate of a structure stands in the first matrix only; it is what AIR leaves behind.
  const matrix = authentication === 'air' && column !== 'es_cert' ? air : direct
  return matrix[td]?.[column]?.[mode]
}
