/** Search criteria over DocumentEntries: the union of what ITI-18 and ITI-67 can ask. Absent means "any". */
import type { Dtm } from './identifiers.ts'

/** A code to match; without `system` the code matches in any. */
export interface CodeMatch {
  readonly code?: string
  readonly system?: string
}

/** ITI-18 ranges: `from` inclusive, `to` exclusive (ITI TF-2 3.18.4.1.2.3.3). A missing attribute never matches. */
export interface TimeRange {
  readonly from?: Dtm
  readonly to?: Dtm
}

/** Inside a list: OR. Lists of lists: AND of ORs. */
export interface DocumentCriteria {
  readonly classCodes?: readonly CodeMatch[]
  readonly typeCodes?: readonly CodeMatch[]
  readonly formatCodes?: readonly CodeMatch[]
  readonly practiceSettingCodes?: readonly CodeMatch[]
  readonly healthcareFacilityTypeCodes?: readonly CodeMatch[]
  readonly eventCodes?: readonly (readonly CodeMatch[])[]
  readonly confidentialityCodes?: readonly (readonly CodeMatch[])[]
  readonly creationTime?: readonly TimeRange[]
  readonly serviceStartTime?: readonly TimeRange[]
  readonly serviceStopTime?: readonly TimeRange[]
  /** The service interval [start, stop] overlaps the range; an absent stop is the start. */
  readonly servicePeriod?: readonly TimeRange[]
  /** SQL LIKE patterns over the formatted XCN (`%` and `_`), OR. */
  readonly authorPersons?: readonly string[]
  readonly referenceIds?: readonly (readonly string[])[]
  readonly uniqueIds?: readonly string[]
  /** entryUUID or logicalID, any version. */
  readonly entryUuids?: readonly string[]
  readonly stability?: readonly ('stable' | 'on-demand')[]
}
