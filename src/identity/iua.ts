/** Claims of IHE IUA access tokens (ITI-72), with the gateway's own `extensions.dmp`. */
import { z } from 'zod'
import type { PurposeOfUse } from '../access/caller.ts'
import { parseCx, patientKeyOf } from '../metadata/hl7.ts'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { fromFhirSystem } from '../nomenclature/index.ts'
import type { ClaimNames, Draft } from './assemble.ts'
import { type ClaimSet, identifierClaim, nameClaim, textClaim } from './claims.ts'
import { invalid } from './refusal.ts'
import { isPurpose, purposeSystem } from './roles.ts'

const coding = z.looseObject({
  system: z.string().min(1).max(256),
  code: z.string().min(1).max(64),
  display: z.string().max(256).optional(),
})
const codings = z.union([coding.transform((one) => [one]), z.array(coding).max(20)])

const claims = z.looseObject({
  sub: identifierClaim,
  jti: z.string().optional(),
  extensions: z.looseObject({
    ihe_iua: z
      .looseObject({
        subject_name: nameClaim.optional(),
        subject_organization: nameClaim.optional(),
        subject_organization_id: identifierClaim.optional(),
        subject_role: codings.optional(),
        purpose_of_use: codings.optional(),
        national_provider_identifier: identifierClaim.optional(),
        person_id: identifierClaim.optional(),
      })
      .default({}),
    ihe_bppc: z.looseObject({ patient_id: z.string().max(256).optional() }).default({}),
    dmp: z.strictObject({
      kind: z.enum(['professional', 'staff', 'structure', 'patient', 'representative', 'system']),
      authentication: z.enum(['direct', 'indirect', 'air']),
      sector: z.string().max(16).optional(),
      reason: textClaim(1024).optional(),
      regulation: z.boolean().optional(),
      secret_connection: z.boolean().optional(),
    }),
  }),
})
type Claims = z.infer<typeof claims>

const names: ClaimNames = {
  person: 'extensions.ihe_iua.person_id',
  structure: 'extensions.ihe_iua.subject_organization_id',
  role: 'extensions.ihe_iua.subject_role',
  patient: 'extensions.ihe_bppc.patient_id',
  authentication: 'extensions.dmp.authentication',
  purpose: 'extensions.ihe_iua.purpose_of_use',
  regulation: 'extensions.dmp.regulation',
}

export const iuaClaims: ClaimSet = { names, read: (payload) => draftOf(claims.parse(payload)) }

function draftOf(read: Claims): Draft {
  const { ihe_iua: iua, ihe_bppc: bppc, dmp } = read.extensions
  const patient = patientOf(bppc.patient_id)
  return {
    kind: dmp.kind,
    authentication: dmp.authentication,
    personId: personOf(read, patient),
    personName: iua.subject_name,
    structureId: iua.subject_organization_id,
    structureName: iua.subject_organization,
    roles: (iua.subject_role ?? []).map(toCode),
    sector: dmp.sector,
    purposeOfUse: purposeOf(iua.purpose_of_use),
    reason: dmp.reason === '' ? undefined : dmp.reason,
    regulation: dmp.regulation ?? false,
    patient,
    secretConnection: dmp.secret_connection ?? false,
    proof: 'jwt',
    tokenId: read.jti,
  }
}

/** ITI-71 3.71.4.2.2.2: `patient_id` is the resource-id of XUA, in CX. */
function patientOf(value: string | undefined): PatientKey | undefined {
  if (value === undefined) return undefined
  const patient = value.includes('~') ? undefined : patientKeyOf(parseCx(value))
  if (patient === undefined) throw invalid(`${names.patient}: INS^^^&OID&ISO^NH is expected.`)
  return patient
}

/**
 * ITI-71 3.71.4.2.2.1: `person_id` is a public identifier of the user, `national_provider_identifier` one given to
 * professionals; where both are absent `sub` is the user. A patient is known by the INS of the record.
 */
function personOf({ sub, extensions }: Claims, patient: PatientKey | undefined): string | undefined {
  const { person_id: person, national_provider_identifier: provider } = extensions.ihe_iua
  if (person !== undefined && provider !== undefined && person !== provider)
    throw invalid('extensions.ihe_iua.national_provider_identifier and person_id name two persons.')
  const given = person ?? provider ?? sub
  if (extensions.dmp.kind !== 'patient' || patient === undefined) return given
  const ins = splitPatientKey(patient).id
  if (person !== undefined && parseCx(person).id !== ins)
    throw invalid(`${names.person} is not the patient of ${names.patient}; a representative has kind representative.`)
  return ins
}

function toCode({ system, code, display }: z.infer<typeof coding>): Code {
  return { code, system: fromFhirSystem(system), ...(display === undefined ? {} : { display }) }
}

function purposeOf(values: readonly z.infer<typeof coding>[] | undefined): PurposeOfUse | undefined {
  if (values === undefined || values.length === 0) return undefined
  const [first, ...more] = values
  if (first === undefined || more.length > 0) throw invalid(`${names.purpose}: one access mode is expected.`)
  if (fromFhirSystem(first.system) !== purposeSystem || !isPurpose(first.code))
    throw invalid(`${names.purpose}: normal, bris_de_glace or centre_15 of TRE_R248 (${purposeSystem}) is expected.`)
  return first.code
}
