/** The roles an identity carries, by code system (JDV_J65 SubjectRole, DMP-FACTS 2.2): profession first, then specialities. */
import type { PurposeOfUse } from '../access/caller.ts'
import type { Code } from '../metadata/model.ts'

/** Code systems of roles, by OID. */
export const roleSystems = {
  /** ProfessionSante */
  G15: '1.2.250.1.71.1.2.7',
  /** ProfessionFormation: 10 is a physician in training here */
  G16: '1.2.250.1.71.1.2.8',
  /** ProfessionSocial */
  R94: '1.2.250.1.213.1.6.1.4',
  /** UsagerTitre */
  R95: '1.2.250.1.213.1.6.1.109',
  /** GenreActivite: roles of social care (GENR08 to GENR12) */
  R22: '1.2.250.1.213.1.6.1.19',
  /** AutreProfession: 99, known by the role that follows */
  R291: '1.2.250.1.213.1.6.1.140',
  /** ProducteurDocNonPS: AUTOMATE, SECRETARIAT_MEDICAL */
  A00: '1.2.250.1.213.1.1.4.6',
  /** EnsembleSavoirFaire: specialities of physicians */
  R01: '1.2.250.1.71.4.2.5',
  /** SousSectionTableauCNOP: sections of pharmacists */
  G05: '1.2.250.1.71.4.2.6',
  /** SectionTableauCNOP */
  R06: '1.2.250.1.213.2.37',
  /** Fonction: FON-29 */
  R21: '1.2.250.1.213.1.6.1.17',
  /** RolePriseCharge */
  R85: '1.2.250.1.213.1.6.1.107',
} as const

/** TRE_R248 access modes in a VIHF (DMP-FACTS 2.2: .248, not .336). */
export const purposeSystem = '1.2.250.1.213.1.1.4.248'

export function isPurpose(code: string): code is PurposeOfUse {
  return code === 'normal' || code === 'bris_de_glace' || code === 'centre_15'
}

const professions: ReadonlySet<string> = new Set([
  roleSystems.G15,
  roleSystems.G16,
  roleSystems.R94,
  roleSystems.R95,
  roleSystems.R22,
  roleSystems.R291,
])
const specialities: ReadonlySet<string> = new Set([
  roleSystems.R01,
  roleSystems.G05,
  roleSystems.R06,
  roleSystems.R21,
  roleSystems.R85,
])

export interface SortedRoles {
  readonly professions: readonly Code[]
  readonly specialities: readonly Code[]
  /** A00 codes: who is no professional. */
  readonly nonProfessional: readonly Code[]
  /** Codes of a system that means nothing here. */
  readonly unknown: readonly Code[]
}

/**
 * Sorts roles by what their code system says they are. R291 99, an actor known by role, is the profession only where no
 * R22 activity says more.
 */
export function sortRoles(roles: readonly Code[]): SortedRoles {
  const knownByRole = roles.some(({ system }) => system === roleSystems.R22)
  const sorted = {
    professions: [] as Code[],
    specialities: [] as Code[],
    nonProfessional: [] as Code[],
    unknown: [] as Code[],
  }
  for (const role of roles) {
    if (role.system === roleSystems.R291 && knownByRole) continue
    if (professions.has(role.system)) sorted.professions.push(role)
    else if (specialities.has(role.system)) sorted.specialities.push(role)
    else if (role.system === roleSystems.A00) sorted.nonProfessional.push(role)
    else sorted.unknown.push(role)
  }
  return sorted
}

/** Physicians (G15 10) carry a speciality and pharmacists (G15 21) a section: the DMP refuses a VIHF without (DMP-FACTS 6.7). */
export function lacksSpeciality(profession: Code | undefined, held: readonly Code[]): boolean {
  if (profession?.system !== roleSystems.G15) return false
  if (profession.code === '10') return !held.some(({ system }) => system === roleSystems.R01)
  if (profession.code === '21')
    return !held.some(({ system }) => system === roleSystems.G05 || system === roleSystems.R06)
  return false
}
