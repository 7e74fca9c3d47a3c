/** Who is calling, as verified by identity/: nothing in it was merely claimed, except where a docstring says so. */

import type { PatientKey } from '../metadata/identifiers.ts'
import type { Code } from '../metadata/model.ts'

/** `system` is the administrator of the embedded DMP; `tester` exists only in conformance mode (metadata profile `ihe`). */
export type CallerKind = 'professional' | 'staff' | 'structure' | 'patient' | 'representative' | 'system' | 'tester'

/** direct: CPS, CPF, CPE, e-CPS. indirect: structure certificate. air: reinforced indirect (S606). */
export type Authentication = 'direct' | 'indirect' | 'air'

/** TRE_R248 access modes. */
export type PurposeOfUse = 'normal' | 'bris_de_glace' | 'centre_15'

export interface Person {
  /** PS_IdNat of a professional or staff member (`899700000001`), INS of a patient, as in the token. */
  readonly id: string
  readonly name?: string
}

export interface Structure {
  /** Struct_IdNat. */
  readonly id: string
  readonly name?: string
}

export interface Caller {
  readonly kind: CallerKind
  readonly authentication: Authentication
  /** Absent for a structure certificate alone. */
  readonly person?: Person
  readonly structure?: Structure
  /** TRE_G15, TRE_R94 or TRE_R22 code; `system` is the OID of its code system. */
  readonly profession?: Code
  /** TRE_R01 (SM26), TRE_G05, TRE_R21 (FON-29) codes. */
  readonly specialities: readonly Code[]
  /** Secteur d’activité, SAxx. */
  readonly sector?: string
  /** Absent when the token carries none: the request may then name one. */
  readonly purposeOfUse?: PurposeOfUse
  readonly reason?: string
  /** The token says the caller belongs to a medical regulation centre. */
  readonly regulation: boolean
  /** The patient the token is bound to, if any. */
  readonly patient?: PatientKey
  /** Secret connection of a minor (VIHF confidentiality-code). */
  readonly secretConnection: boolean
  /** How this identity was proved, for the trace; `local`: a command run by whoever owns the data folder. */
  readonly proof: 'jwt' | 'vihf' | 'mtls' | 'local' | 'anonymous'
  /** Identifier of the assertion or token (ID, jti), for the trace. */
  readonly tokenId?: string
}

/** Whoever owns the data folder: a command run there, and what the gateway does by itself. */
export const localSystem: Caller = {
  kind: 'system',
  authentication: 'direct',
  specialities: [],
  regulation: false,
  secretConnection: false,
  proof: 'local',
}

/** What the request declares about consent (DMP-Consent header, or the SOAP header block): declared, not proved. */
export interface ConsentDeclaration {
  readonly basis?: 'care-team' | 'explicit'
  readonly informed?: boolean
  readonly means?: 'oral' | 'letter' | 'email' | 'online' | 'poster'
  readonly episode?: string
  readonly opposition?: boolean
  readonly reason?: string
  /** PS_IdNat of who collected it. */
  readonly by?: string
}
