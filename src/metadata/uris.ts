/**
 * The URNs of association types and statuses in ebRIM (ITI TF-3 4.2.2, 4.2.3.1.5; CI-SIS statuses: JDV_J52). The model
 * uses the last word; both doors and the store translate with these tables.
 */
import type { AssociationType, AvailabilityStatus } from './model.ts'

const oasis = 'urn:oasis:names:tc:ebxml-regrep'

export const associationTypeUris: Readonly<Record<AssociationType, string>> = {
  HasMember: `${oasis}:AssociationType:HasMember`,
  RPLC: 'urn:ihe:iti:2007:AssociationType:RPLC',
  APND: 'urn:ihe:iti:2007:AssociationType:APND',
  XFRM: 'urn:ihe:iti:2007:AssociationType:XFRM',
  XFRM_RPLC: 'urn:ihe:iti:2007:AssociationType:XFRM_RPLC',
  signs: 'urn:ihe:iti:2007:AssociationType:signs',
  IsSnapshotOf: 'urn:ihe:iti:2010:AssociationType:IsSnapshotOf',
  UpdateAvailabilityStatus: 'urn:ihe:iti:2010:AssociationType:UpdateAvailabilityStatus',
  SubmitAssociation: 'urn:ihe:iti:2010:AssociationType:SubmitAssociation',
}

export const statusUris: Readonly<Record<AvailabilityStatus, string>> = {
  Approved: `${oasis}:StatusType:Approved`,
  Deprecated: `${oasis}:StatusType:Deprecated`,
  Archived: 'urn:asip:ci-sis:2010:StatusType:Archived',
  Deleted: 'urn:asip:ci-sis:2010:StatusType:Deleted',
}

export function associationTypeUri(type: AssociationType): string {
  return associationTypeUris[type]
}

/** Undefined when the URI is no association type of ITI TF-3 4.2.2. */
export function associationTypeFromUri(uri: string): AssociationType | undefined {
  return typesByUri.get(uri)
}

export function statusUri(status: AvailabilityStatus): string {
  return statusUris[status]
}

/** Undefined when the URI is none of the four statuses of JDV_J52. */
export function statusFromUri(uri: string): AvailabilityStatus | undefined {
  return statusesByUri.get(uri)
}

const typesByUri = inverse(associationTypeUris)
const statusesByUri = inverse(statusUris)

function inverse<K extends string>(table: Readonly<Record<K, string>>): ReadonlyMap<string, K> {
  return new Map(Object.entries<string>(table).map(([name, uri]) => [uri, name as K]))
}
