/**
 * Who is presented to the DMP, and the token that says so (IHE IUA ITI-71/72): made for one request from the caller of
 * that request, signed with the gateway's own key, short-lived, and of no use without our client certificate.
 *
 * The same person is presented in two ways, as at the national DMP: what the structure answers for (feeding, references
 * of one's own) as authenticated by it (indirect), everything else as a named person whom the structure has authenticated
 * with two factors (air). Whoever came here with less is never presented as more.
 */
import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import type { Authentication } from '../../access/caller.ts'
import { cxOf, formatCx } from '../../metadata/hl7.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { Code } from '../../metadata/model.ts'
import type { RequestContext } from '../../operations/ports.ts'
import { userOf } from '../remote/users.ts'
import type { Credentials } from './credentials.ts'
import type { FhirDmpOptions } from './options.ts'

/** What a call does: feeding and references of one's own, or reading and settling as a person. */
export type Purpose = 'own' | 'person'

export interface Presented {
  readonly kind: 'professional' | 'staff' | 'structure'
  readonly mode: Authentication
  /** PS_IdNat; of a structure alone its own identifier. */
  readonly nameId: string
  readonly structure: string
  readonly purpose: RequestContext['purpose']
}

/**
 * @throws GatewayError not-a-dmp-operation for patients and others, not-permitted-for-role for a structure that the
 * certificate was not issued to
 */
export function presented(
  { structure }: FhirDmpOptions,
  { caller, purpose }: Pick<RequestContext, 'caller' | 'purpose'>,
  use: Purpose,
): Presented {
  const { kind, site } = userOf(caller, structure)
  const reinforced = caller.authentication !== 'indirect' && use === 'person'
  const mode = reinforced ? 'air' : 'indirect'
  return { kind, mode, nameId: caller.person?.id ?? site, structure: site, purpose }
}

const accessModes = '1.2.250.1.213.1.1.4.248'

/** @param patient whom the request is about, where that is known: the token is of use for no other */
export async function signToken(
  options: FhirDmpOptions,
  { tokenKey, certificateThumbprint }: Pick<Credentials, 'tokenKey' | 'certificateThumbprint'>,
  context: RequestContext,
  who: Presented,
  patient: PatientKey | undefined,
  now: Date,
): Promise<string> {
  const { caller, reason } = context
  const { token, structure } = options
  const roles = caller.profession === undefined ? [] : [caller.profession, ...caller.specialities]
  const issued = Math.floor(now.getTime() / 1000)
  const claims = {
    ...(token.bound && { cnf: { 'x5t#S256': certificateThumbprint } }),
    extensions: {
      ihe_iua: {
        subject_name: caller.person?.name,
        subject_organization: caller.structure?.name ?? structure.name,
        subject_organization_id: who.structure,
        subject_role: roles.length === 0 ? undefined : roles.map(coding),
        purpose_of_use: [coding({ code: who.purpose, system: accessModes })],
        person_id: caller.person?.id,
      },
      ...(patient !== undefined && { ihe_bppc: { patient_id: formatCx(cxOf(patient, 'NH')) } }),
      dmp: {
        kind: who.kind,
        authentication: who.mode,
        sector: caller.sector,
        reason,
        regulation: caller.regulation ? true : undefined,
        secret_connection: caller.secretConnection ? true : undefined,
      },
    },
  }
  return new SignJWT(claims)
    .setProtectedHeader({ alg: tokenKey.algorithm, typ: 'at+jwt', kid: token.keyId ?? tokenKey.thumbprint })
    .setIssuer(token.issuer)
    .setAudience(token.audience)
    .setSubject(who.nameId)
    .setJti(randomUUID())
    .setIssuedAt(issued)
    .setExpirationTime(issued + token.lifetime)
    .sign(tokenKey.key)
}

function coding({ code, system, display }: Code): Record<string, string | undefined> {
  return { system: `urn:oid:${system}`, code, display }
}
