/**
 * Claims of Pro Santé Connect (DMP-FACTS 2.2): a professional who signed in with e-CPS or CPS. A value is `code^OID`; what
 * says nothing is an empty string. The token names no patient: the request does.
 */
import { z } from 'zod'
import type { Code } from '../metadata/model.ts'
import { displayOf } from '../nomenclature/index.ts'
import type { ClaimNames, Draft } from './assemble.ts'
import { type ClaimSet, identifierClaim, nameClaim, textClaim } from './claims.ts'
import { invalid } from './refusal.ts'
import { roleSystems } from './roles.ts'
import { sectorSystem } from './vihf-attributes.ts'

const short = textClaim(64).optional()

const activity = z.looseObject({
  codeGenreActivite: short,
  codeSectionPharmacien: short,
  codeSecteurDactivite: short,
})
const practice = z.looseObject({
  codeProfession: short,
  codeCategorieProfessionnelle: short,
  codeTypeSavoirFaire: short,
  codeSavoirFaire: short,
  activities: z.array(activity).max(50).optional(),
})
const claims = z.looseObject({
  sub: identifierClaim,
  jti: z.string().optional(),
  SubjectNameID: identifierClaim,
  SubjectRole: z.union([textClaim(64).transform((one) => [one]), z.array(textClaim(64)).min(1).max(20)]),
  SubjectOrganization: nameClaim.optional(),
  SubjectOrganizationID: nameClaim.optional(),
  Secteur_Activite: nameClaim.optional(),
  Mode_Acces_Raison: textClaim(1024).optional(),
  Acces_Regulation_Medicale: nameClaim.optional(),
  family_name: nameClaim.optional(),
  given_name: nameClaim.optional(),
  SubjectRefPro: z.looseObject({ exercices: z.array(practice).max(50).default([]) }).optional(),
})
type Claims = z.infer<typeof claims>
type Practice = z.infer<typeof practice>

const names: ClaimNames = {
  person: 'SubjectNameID',
  structure: 'SubjectOrganizationID',
  role: 'SubjectRole',
  patient: 'patient',
  authentication: 'authentication',
  purpose: 'purpose',
  regulation: 'Acces_Regulation_Medicale',
}

export const pscClaims: ClaimSet = { names, read: (payload) => draftOf(claims.parse(payload)) }

function draftOf(read: Claims): Draft {
  return {
    kind: 'professional',
    authentication: 'direct',
    personId: psIdNat(read.SubjectNameID),
    personName: [read.family_name, read.given_name].filter((part) => part !== undefined).join(' ') || undefined,
    structureId: read.SubjectOrganizationID,
    structureName: read.SubjectOrganization,
    roles: rolesOf(read),
    sector: sectorOf(read.Secteur_Activite),
    purposeOfUse: undefined,
    reason: read.Mode_Acces_Raison === '' ? undefined : read.Mode_Acces_Raison,
    regulation: regulationOf(read.Acces_Regulation_Medicale),
    patient: undefined,
    secretConnection: false,
    proof: 'jwt',
    tokenId: read.jti,
  }
}

/** An RPPS number alone has 11 digits: PS_IdNat puts its type, 8, in front. */
function psIdNat(value: string): string {
  return /^\d{11}$/.test(value) ? `8${value}` : value
}

/** JDV_J65, the value set of subject roles: Pro Santé Connect names it where the code system is meant. */
const subjectRoles = '1.2.250.1.213.1.1.5.5'

function rolesOf(read: Claims): readonly Code[] {
  const practices = read.SubjectRefPro?.exercices ?? []
  const professions = read.SubjectRole.map((value) => {
    const [code = '', system = subjectRoles, ...rest] = value.split('^')
    if (code === '' || rest.length > 0) throw invalid(`${names.role}: code^OID is expected.`)
    const own = practices.filter(({ codeProfession }) => codeProfession === code)
    return system === subjectRoles ? inSystem(code, own) : named(code, system)
  })
  const [first] = professions
  if (first === undefined || professions.some(({ code }) => code !== first.code))
    throw invalid(`${names.role}: one profession is expected.`)
  const own = practices.filter(({ codeProfession }) => codeProfession === undefined || codeProfession === first.code)
  const known = new Map([first, ...own.flatMap((each) => specialitiesOf(each, first))].map((code) => [code.code, code]))
  return [...known.values()]
}

/** The system of a code of JDV_J65; a student (category E) has a profession of TRE_G16. */
function inSystem(code: string, practices: readonly Practice[]): Code {
  const student = practices.length > 0 && practices.every((each) => each.codeCategorieProfessionnelle === 'E')
  const { G15, G16, R94, R95, R291 } = roleSystems
  for (const system of student ? [G16] : [G15, R94, R95, R291])
    if (displayOf(system, code) !== undefined || (system === G16 && student)) return named(code, system)
  throw invalid(`${names.role}: a profession of JDV_J65 is expected.`)
}

function specialitiesOf(practice: Practice, profession: Code): readonly Code[] {
  const { codeTypeSavoirFaire: type, codeSavoirFaire: skill, activities = [] } = practice
  const found: Code[] = []
  // TRE_R04: S, a qualification as a specialist; the others (competences, capacities) open nothing here
  if (skill !== undefined && skill !== '' && (type === 'S' || /^SM\d/.test(skill)))
    found.push(named(skill, roleSystems.R01))
  for (const { codeSectionPharmacien: section, codeGenreActivite: activity } of activities) {
    if (section !== undefined && section !== '' && profession.code === '21') found.push(named(section, roleSystems.G05))
    if (profession.system === roleSystems.R291 && activity !== undefined && activity !== '')
      found.push(named(activity, roleSystems.R22))
  }
  return found
}

function named(code: string, system: string): Code {
  const display = displayOf(system, code)
  return { code, system, ...(display === undefined ? {} : { display }) }
}

/** `SA07^1.2.250.1.71.4.2.4`; the system may be left out. */
function sectorOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const [code, system = sectorSystem, ...rest] = value.split('^')
  if (system !== sectorSystem || rest.length > 0) throw invalid(`Secteur_Activite: SAxx^${sectorSystem} is expected.`)
  return code
}

function regulationOf(value: string | undefined): boolean {
  if (value === undefined || value === 'FAUX') return false
  if (value === 'VRAI') return true
  throw invalid(`${names.regulation}: VRAI or FAUX is expected.`)
}
