/**
 * The habilitation matrix (arrêté du 26 octobre 2023): which profession reads which type of document. Compiled at load
 * to one bit mask per type; a type that has no row and a profession that has no column give nothing.
 */
import type { Code } from '../metadata/model.ts'
import data from './data/habilitation.json' with { type: 'json' }
import { schemeOf } from './systems.ts'

/** Code systems of professions. */
export const professionSystems = {
  G15: '1.2.250.1.71.1.2.7',
  R94: '1.2.250.1.213.1.6.1.4',
  R22: '1.2.250.1.213.1.6.1.19',
  R291: '1.2.250.1.213.1.6.1.140',
} as const

export interface HabilitationColumn {
  /** c01 … c19. */
  readonly key: string
  readonly label: string
  /** The bit of this column in the mask of a type. */
  readonly bit: number
}

const columns: readonly HabilitationColumn[] = data.columns.map(({ key, label }, index) => ({
  key,
  label,
  bit: 1 << index,
}))
/** By code system, then by code: two look-ups cost less than one key put together. */
const columnOfProfession = new Map<string, Map<string, HabilitationColumn>>()
data.columns.forEach(({ system, codes }, index) => {
  const column = columns[index]
  const ofSystem = columnOfProfession.get(system) ?? new Map<string, HabilitationColumn>()
  columnOfProfession.set(system, ofSystem)
  // Code 21 stands in two columns that agree on every row: the later one (officine, PUI) is the default.
  if (column !== undefined) for (const code of codes) ofSystem.set(code, column)
})
const biologists = columns[1]

const masks = new Map<string, number>()
for (const [type, , , cells] of data.rows) {
  if (type === undefined || cells?.length !== columns.length) throw new RangeError(`habilitation matrix: row ${type}`)
  let mask = 0
  for (const { bit, key } of columns) {
    const cell = cells[columns.findIndex((column) => column.key === key)]
    if (cell === 'X') mask |= bit
  }
  masks.set(type, mask)
}

/** The last part of a composite code: `G15_10/SM25` names the speciality SM25. */
const tail = (code: string): string => code.slice(code.lastIndexOf('/') + 1)

const occupational: ReadonlySet<string> = new Set(['SM25', 'FON-29'])

/** Occupational medicine: speciality SM25 or function FON-29, in whatever code system they come. */
export function isOccupational(specialities: readonly Code[]): boolean {
  for (const { code } of specialities)
    if ((code.endsWith('SM25') || code.endsWith('FON-29')) && occupational.has(tail(code))) return true
  return false
}

/**
 * The profession that counts: as given; for an actor known by role (TRE_R291), the TRE_R22 activity among the roles.
 */
export function effectiveProfession(profession: Code | undefined, specialities: readonly Code[]): Code | undefined {
  if (profession === undefined || profession.system === professionSystems.G15) return profession
  if (schemeOf(profession.system) !== professionSystems.R291) return profession
  return specialities.find(({ system }) => schemeOf(system) === professionSystems.R22)
}

/**
 * The column of a profession (TRE_G15, TRE_R94 or TRE_R22 code, system as OID or FHIR URI), or undefined: such a
 * profession reads nothing. Occupational medicine is not in the physicians' column.
 */
function column(profession: Code | undefined, specialities: readonly Code[] = []): HabilitationColumn | undefined {
  const effective = effectiveProfession(profession, specialities)
  if (effective === undefined) return undefined
  const { system, code } = effective
  const found = (columnOfProfession.get(system) ?? columnOfProfession.get(schemeOf(system)))?.get(code)
  if (found === columns[0] && isOccupational(specialities)) return undefined
  if (effective.code === '21' && found !== undefined && specialities.some(({ code }) => code === 'G' || code === 'EG'))
    return biologists
  return found
}

/** Whether the column opens the type. */
function permits(column: HabilitationColumn | undefined, typeCode: string | undefined): boolean {
  return column !== undefined && typeCode !== undefined && ((masks.get(typeCode) ?? 0) & column.bit) !== 0
}

export const habilitation = {
  columns,
  /** Types that have a row, in the order of the matrix. */
  types: [...masks.keys()] as readonly string[],
  column,
  permits,
  /** The columns that open a type, as a mask of their bits; 0 for a type without a row. */
  mask: (typeCode: string): number => masks.get(typeCode) ?? 0,
} as const
