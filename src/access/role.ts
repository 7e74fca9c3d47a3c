/** What a caller is in the terms of the functional-rights matrix: a column, a mode, a row, and whose documents are theirs. */
import {
  effectiveProfession,
  functionalRight,
  isOccupational,
  professionSystems,
  type Right,
  type RightsColumn,
  type RightsMode,
  schemeOf,
} from '../nomenclature/index.ts'
import type { Caller, PurposeOfUse } from './caller.ts'
import type { DocumentFacts, Operation } from './types.ts'

/** Rows of the matrix by operation. TD2.1 and TD2.1b of a CPE holder are TD2.2; TD3.3d has two rows that agree. */
const rows: Readonly<Partial<Record<Operation, string>>> = {
  'TD0.2': 'TD0.2',
  'TD0.3.add': 'TD0.3.add',
  'TD0.3.remove': 'TD0.3.remove',
  'TD0.4': 'TD0.4',
  'TD1.3a': 'TD1.3a',
  'TD1.6': 'TD1.6',
  'TD2.1': 'TD2.1',
  'TD2.1b': 'TD2.1',
  'TD3.1a': 'TD3.1.metadata',
  'TD3.1b': 'TD3.1.reference',
  'TD3.2': 'TD3.2.normal',
  'TD3.3a.mask': 'TD3.3a.mask',
  'TD3.3a.unmask': 'TD3.3a.unmask',
  'TD3.3b': 'TD3.3b',
  'TD3.3c': 'TD3.3c',
  'TD3.3d': 'TD3.3d.archive',
}

/** Operations the functional-rights matrix knows. */
export const matrixOperations = Object.keys(rows) as readonly Operation[]

const modes: Readonly<Record<PurposeOfUse, RightsMode>> = {
  normal: 'normal',
  bris_de_glace: 'bris_de_glace',
  centre_15: 'regulation',
}

/**
 * The column of a caller; undefined for a profession that no column names and for a professional who is not named.
 * `treatingPhysician` is what the DMP says (STATUT_MT), never what the caller says.
 */
export function columnOf(caller: Caller, treatingPhysician: boolean): RightsColumn | undefined {
  switch (caller.kind) {
    case 'structure':
      return 'es_cert'
    case 'staff':
      // Behind plain indirect authentication only the certificate of the structure is proved.
      if (caller.authentication === 'indirect') return 'es_cert'
      return caller.authentication === 'air' ? 'pe_non_ps' : 'cpe_non_ps'
    case 'professional':
      return caller.authentication === 'indirect' ? 'es_cert' : professionalColumn(caller, treatingPhysician)
    default:
      return undefined
  }
}

function professionalColumn(caller: Caller, treatingPhysician: boolean): RightsColumn | undefined {
  if (caller.person === undefined) return undefined
  const profession = effectiveProfession(caller.profession, caller.specialities)
  if (profession === undefined) return undefined
  const system = profession.system === professionSystems.G15 ? profession.system : schemeOf(profession.system)
  if (system === professionSystems.G15 && profession.code === '10') {
    if (isOccupational(caller.specialities)) return 'medecin_du_travail'
    return treatingPhysician ? 'mt' : 'medecin'
  }
  if (system !== professionSystems.G15 && system !== professionSystems.R94 && system !== professionSystems.R22)
    return undefined
  return treatingPhysician ? 'mt' : 'ps_non_medecin'
}

/** A named physician, occupational medicine left aside, as TRE_G15 and the matrix know one. */
export function isPhysician(caller: Caller): boolean {
  return caller.kind === 'professional' && columnOf(caller, false) === 'medecin'
}

/** The mode of the matrix; occupational medicine has one column without modes, for normal use only. */
export function modeOf(column: RightsColumn, purpose: PurposeOfUse): RightsMode {
  return column === 'medecin_du_travail' && purpose === 'normal' ? 'sans_objet' : modes[purpose]
}

/** The cell for an operation, or undefined where the matrix says no or has none. */
export function rightOf(
  operation: Operation,
  column: RightsColumn | undefined,
  purpose: PurposeOfUse,
  caller: Caller,
): Right | undefined {
  const row = rows[operation]
  if (row === undefined || column === undefined) return undefined
  // S526 lets occupational physicians search metadata; the public rules (SEED3 Q7) do not, and they are the stricter.
  if (column === 'medecin_du_travail' && operation === 'TD3.1a') return undefined
  const staffRow = row === 'TD2.1' && (column === 'cpe_non_ps' || column === 'pe_non_ps') ? 'TD2.2' : row
  return functionalRight(staffRow, column, modeOf(column, purpose), caller.authentication)
}

/** Documents that no professional deposited. */
export function isPatientDocument({ depositedBy }: DocumentFacts): boolean {
  return depositedBy === 'patient' || depositedBy === 'representative'
}

/**
 * Whether the caller is the author (ACCESS-RULES 1): a professional listed by PS_IdNat in the stored entry, never one
 * who merely belongs to the structure; a structure or its staff, of what the structure fed (S526 note 9).
 */
export function isAuthor(caller: Caller, document: DocumentFacts): boolean {
  switch (caller.kind) {
    case 'professional':
      return (
        caller.person !== undefined && !isPatientDocument(document) && document.authorPersons.includes(caller.person.id)
      )
    case 'structure':
    case 'staff':
      return (
        caller.structure !== undefined &&
        document.feedingStructure === caller.structure.id &&
        (document.depositedBy === 'structure' || document.depositedBy === 'staff')
      )
    case 'patient':
    case 'representative':
      return isPatientDocument(document)
    default:
      return false
  }
}

/**
 * Who a document counts as deposited by. Behind plain indirect authentication the matrix imputes feeding to the
 * structure (S526 note 4), whoever the certificate spoke for.
 */
export function depositorOf(caller: Caller): DocumentFacts['depositedBy'] {
  return caller.authentication === 'indirect' && caller.kind === 'professional' ? 'structure' : caller.kind
}
