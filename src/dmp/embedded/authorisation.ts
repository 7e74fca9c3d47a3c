/** Whom an authorisation (TD0.3) is for, as one column: a PS_IdNat, or `structure:` before a Struct_IdNat. */
import type { Effects } from '../../operations/ports.ts'

type Holder = { readonly person: string } | { readonly structure: string }

/** No PS_IdNat has a colon. */
const structurePrefix = 'structure:'

export function authorisationKey(holder: Holder | NonNullable<Effects['authorisation']>): string {
  return 'person' in holder ? holder.person : structurePrefix + holder.structure
}

export function authorisationHolder(key: string): Holder {
  return key.startsWith(structurePrefix) ? { structure: key.slice(structurePrefix.length) } : { person: key }
}
