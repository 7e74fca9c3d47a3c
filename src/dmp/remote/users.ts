/** Who may be presented to a remote DMP, and as which structure. */
import type { Caller } from '../../access/caller.ts'
import { GatewayError } from '../../errors.ts'

/** Kinds that a DMP takes requests from through health software; patients have Mon espace santé. */
type UserKind = 'professional' | 'staff' | 'structure'

export function isUser(caller: Caller): caller is Caller & { readonly kind: UserKind } {
  return caller.kind === 'professional' || caller.kind === 'staff' || caller.kind === 'structure'
}

/**
 * The caller as a user of the DMP, and the Struct_IdNat it acts for: the certificate speaks for its own entity and the
 * sites of it.
 * @throws GatewayError not-a-dmp-operation for patients and others, not-permitted-for-role for a structure that the
 * certificate was not issued to
 */
export function userOf(
  caller: Caller,
  structure: { readonly id: string; readonly sites: readonly string[] },
): { readonly kind: UserKind; readonly site: string } {
  if (!isUser(caller))
    throw new GatewayError('not-a-dmp-operation', {
      detail: 'Patients and representatives reach their DMP through Mon espace santé.',
    })
  const site = caller.structure?.id ?? structure.id
  if (site !== structure.id && !structure.sites.includes(site))
    throw new GatewayError('not-permitted-for-role', {
      detail: 'This gateway presents its own structure and the sites of it to the DMP, and no other.',
    })
  return { kind: caller.kind, site }
}
