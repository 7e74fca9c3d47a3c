/** JWT identities: IHE IUA access tokens (ITI-72) with the gateway's own `extensions.dmp`. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Caller, PurposeOfUse } from '../access/caller.ts'
import { parseCx, patientKeyOf } from '../metadata/hl7.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import { splitPatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'
import { fromFhirSystem } from '../nomenclature/index.ts'
import { type ClaimNames, toCaller } from './assemble.ts'
import { expired, invalid } from './refusal.ts'
import { purposeSystem } from './roles.ts'
import type { Verified } from './verified-cache.ts'

/** Asymmetric signatures only: `none` says nothing, HS* would let whoever can verify also sign. */
export const jwtAlgorithms = ['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA'] as const
export type JwtAlgorithm = (typeof jwtAlgorithms)[number]

/** One issuer whose tokens are believed, with its keys at hand: nothing is fetched. */
export interface JwtTrust {
  readonly issuer: string
  readonly keys: JSONWebKeySet | KeyObject
  readonly audience: string | readonly string[]
  readonly algorithms: readonly JwtAlgorithm[]
}

export interface JwtSettings {
  readonly trusted: readonly JwtTrust[]
  readonly mode: 'development' | 'production'
  readonly clockSkewSeconds: number
}

/** Text of a person: no control characters, no more than a screen line holds. */
const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^\P{Cc}*$/u, 'control characters are not allowed')
    .transform((value) => value.trim())
const name = text(256).transform((value) => (value === '' ? undefined : value))
const identifier = text(128).refine((value) => value !== '', 'an identifier is expected')
const coding = z.looseObject({
  system: z.string().min(1).max(256),
  code: z.string().min(1).max(64),
  display: z.string().max(256).optional(),
})
const codings = z.union([coding.transform((one) => [one]), z.array(coding).max(20)])

const claims = z.looseObject({
  iss: z.string(),
  sub: identifier,
  jti: z.string().min(1).max(256).optional(),
  exp: z.number(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
  extensions: z.looseObject({
    ihe_iua: z
      .looseObject({
        subject_name: name.optional(),
        subject_organization: name.optional(),
        subject_organization_id: identifier.optional(),
        subject_role: codings.optional(),
        purpose_of_use: codings.optional(),
        national_provider_identifier: identifier.optional(),
        person_id: identifier.optional(),
      })
      .default({}),
    ihe_bppc: z.looseObject({ patient_id: z.string().max(256).optional() }).default({}),
    dmp: z.strictObject({
      kind: z.enum(['professional', 'staff', 'structure', 'patient', 'representative', 'system']),
      authentication: z.enum(['direct', 'indirect', 'air']),
      sector: z.string().max(16).optional(),
      reason: text(1024).optional(),
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

export type JwtVerifier = (token: string, now: Date) => Promise<Verified>

/**
 * A verifier of compact JWS: algorithm allowed, signature of a trusted issuer, audience, exp (required), nbf, iat.
 * It throws GatewayError identity-invalid or identity-expired.
 */
export function createJwtVerifier(settings: JwtSettings): JwtVerifier {
  const verifiers = new Map<string, (token: string, now: Date) => Promise<JWTPayload>>()
  for (const trust of settings.trusted) {
    if (verifiers.has(trust.issuer)) throw new RangeError(`two trusted JWT issuers have the name ${trust.issuer}`)
    verifiers.set(trust.issuer, signatureVerifier(trust, settings.clockSkewSeconds))
  }
  return async (token, now) => {
    const verify = verifiers.get(issuerClaimed(token))
    if (verify === undefined) throw invalid('The claim iss names no trusted issuer.')
    const payload = await verify(token, now).catch((error: unknown) => {
      throw refusalOf(error)
    })
    const parsed = claims.safeParse(payload)
    if (!parsed.success) throw invalid(describe(parsed.error))
    const read = parsed.data
    if (read.iat !== undefined && read.iat > now.getTime() / 1000 + settings.clockSkewSeconds)
      throw invalid('The claim iat is in the future.')
    return {
      caller: callerOf(read, settings.mode),
      from: Math.max(read.nbf ?? 0, read.iat ?? 0) * 1000,
      until: read.exp * 1000,
    }
  }
}

function signatureVerifier(trust: JwtTrust, clockTolerance: number): (token: string, now: Date) => Promise<JWTPayload> {
  const { issuer, keys } = trust
  const options = {
    issuer,
    audience: [trust.audience].flat(),
    algorithms: [...trust.algorithms],
    clockTolerance,
    requiredClaims: ['exp'],
  }
  if ('keys' in keys) {
    if (keys.keys.some(({ kty }) => kty === 'oct')) throw new RangeError(`the keys of ${issuer} hold a symmetric key`)
    const set = createLocalJWKSet(keys)
    return async (token, currentDate) => (await jwtVerify(token, set, { ...options, currentDate })).payload
  }
  if (keys.type === 'secret') throw new RangeError(`the key of ${issuer} is symmetric`)
  const key = keys.type === 'private' ? createPublicKey(keys) : keys
  return async (token, currentDate) => (await jwtVerify(token, key, { ...options, currentDate })).payload
}

/** Only to choose the keys: nothing else is believed before the signature holds. */
function issuerClaimed(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch (error) {
    throw invalid('The bearer token is neither a signed JWT nor a base64url VIHF assertion.', error)
  }
}

function refusalOf(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return expired('The token has expired (claim exp): ask for a new one.')
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalid(
      error.reason === 'missing'
        ? `The claim ${error.claim} is missing.`
        : `The claim ${error.claim} is not accepted here.`,
      error,
    )
  if (error instanceof errors.JOSEAlgNotAllowed)
    return invalid('The algorithm (alg) of the token is not allowed.', error)
  if (error instanceof errors.JWKSNoMatchingKey)
    return invalid('No key of the issuer matches the header of the token.', error)
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return invalid('The token does not say which key signed it (kid).', error)
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return invalid('The signature of the token is not valid.', error)
  if (error instanceof errors.JOSEError) return invalid('The token is malformed.', error)
  // jose throws TypeError when the key is not of the kind that the algorithm needs
  if (error instanceof TypeError) return invalid('The algorithm (alg) of the token is not that of the key.', error)
  return error instanceof Error ? error : new Error('the token cannot be verified', { cause: error })
}

function describe(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join('.')}: ${message}.`)
    .join(' ')
}

function callerOf(read: Claims, mode: 'development' | 'production'): Caller {
  const { ihe_iua: iua, ihe_bppc: bppc, dmp } = read.extensions
  const patient = patientOf(bppc.patient_id)
  return toCaller(
    {
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
    },
    names,
    mode,
  )
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

export function isPurpose(code: string): code is PurposeOfUse {
  return code === 'normal' || code === 'bris_de_glace' || code === 'centre_15'
}
