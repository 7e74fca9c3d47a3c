/** The criteria of a search as parameters of ITI-67 and ITI-66 (ITI TF-2 3.67.4.1.2.1, 3.66.4.1.2.1; PDSm 3.1). */
import type { SearchParams } from 'fhir-kit-client'
import { systems } from '../../fhir/mapping/index.ts'
import type { CodeMatch, DocumentCriteria, TimeRange } from '../../metadata/criteria.ts'
import { dtmToIso, lowerBound } from '../../metadata/dtm.ts'
import { isOid, type PatientKey, splitPatientKey, type UniqueId } from '../../metadata/identifiers.ts'
import type { AvailabilityStatus } from '../../metadata/model.ts'
import { toFhirSystem } from '../../nomenclature/index.ts'
import type { Declared } from './capability.ts'

export const everyStatus: readonly AvailabilityStatus[] = ['Approved', 'Deprecated', 'Archived', 'Deleted']

/** FHIR R4 search.html#escaping. */
function escaped(value: string): string {
  return value.replace(/[\\$,|]/g, '\\$&')
}

export function patientParameters(patient: PatientKey): SearchParams {
  const { authority, id } = splitPatientKey(patient)
  return { 'patient.identifier': `urn:oid:${authority}|${escaped(id)}` }
}

const documentStatuses = {
  Approved: 'current',
  Archived: 'current',
  Deprecated: 'superseded',
  Deleted: 'entered-in-error',
} as const

/** An archived document is current to FHIR, with isArchived, by which a server of PDSm tells it apart. */
export function documentStatus(statuses: readonly AvailabilityStatus[], declared: Declared): SearchParams {
  const archived = statuses.includes('Archived')
  const others = statuses.some((status) => status !== 'Archived')
  return {
    status: [...new Set(statuses.map((status) => documentStatuses[status]))].join(','),
    ...(archived &&
      declared.searches('DocumentReference', 'isArchived') && { isArchived: others ? 'true,false' : 'true' }),
  }
}

const listStatuses = {
  Approved: 'current',
  Archived: 'current',
  Deprecated: 'retired',
  Deleted: 'entered-in-error',
} as const

export function setParameters(patient: PatientKey, statuses: readonly AvailabilityStatus[]): SearchParams {
  return {
    ...patientParameters(patient),
    code: `${systems.listTypes}|submissionset`,
    status: [...new Set(statuses.map((status) => listStatuses[status]))].join(','),
  }
}

/** uniqueIds and entryUUIDs, as `identifier` searches them. */
export function identifierParameter(ids: readonly string[]): SearchParams {
  return { identifier: ids.map((id) => `${systems.uri}|${escaped(uriOf(id as UniqueId))}`).join(',') }
}

function uriOf(id: UniqueId): string {
  return isOid(id.split('^')[0] ?? '') ? `urn:oid:${id}` : id
}

/**
 * What a server is known to understand of the criteria, as far as it declares so; it may find more than was asked, never
 * less: the rest is for the criteria themselves, applied to what comes back.
 */
export function documentParameters(criteria: DocumentCriteria, declared: Declared): SearchParams {
  const parameters: SearchParams = {}
  const add = (name: string, values: readonly (string | undefined)[]): void => {
    if (values.length === 0 || !declared.searches('DocumentReference', name)) return
    // An alternative that cannot be asked would be left out of the answer
    if (values.every((value) => value !== undefined)) parameters[name] = [...(values as readonly string[])]
  }
  const codes = (name: string, matches: readonly CodeMatch[] | undefined): void => {
    if (matches !== undefined) add(name, [alternatives(matches)])
  }
  codes('type', criteria.typeCodes)
  codes('category', criteria.classCodes)
  codes('format', criteria.formatCodes)
  codes('setting', criteria.practiceSettingCodes)
  codes('facility', criteria.healthcareFacilityTypeCodes)
  add('event', (criteria.eventCodes ?? []).map(alternatives))
  add('security-label', (criteria.confidentialityCodes ?? []).map(alternatives))
  add('creation', during(criteria.creationTime))
  return parameters
}

/** Undefined when one of them says neither code nor system. */
function alternatives(matches: readonly CodeMatch[]): string | undefined {
  if (matches.length === 0 || matches.some(({ code, system }) => code === undefined && system === undefined))
    return undefined
  const token = ({ code = '', system }: CodeMatch) =>
    system === undefined ? escaped(code) : `${escaped(toFhirSystem(system))}|${escaped(code)}`
  return matches.map(token).join(',')
}

/** FHIR has no union of ranges. */
function during(ranges: readonly TimeRange[] | undefined): readonly string[] {
  const [range, ...others] = ranges ?? []
  if (range === undefined || others.length > 0) return []
  return [
    ...(range.from === undefined ? [] : [`ge${dtmToIso(lowerBound(range.from))}`]),
    ...(range.to === undefined ? [] : [`lt${dtmToIso(lowerBound(range.to))}`]),
  ]
}
