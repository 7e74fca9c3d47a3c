/**
 * The profiles of profiles/ at run time: a thin layer over the shape of FHIR (structure/) and beside the mapping, which
 * has the rules of MHD and speaks first. What it adds: FHIR's own codes and reference targets, the form of every known
 * extension, and whatever the profiles require of which nothing else has spoken.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Issue } from '../../errors.ts'
import { violations } from './check.ts'
import { ownProfile } from './definitions.ts'

export type OwnProfile =
  | 'dmp-provide-bundle'
  | 'dmp-simplified-publish'
  | 'dmp-submission-set'
  | 'dmp-document-reference'
  | 'dmp-patient'
  | 'ihe-folder'

/**
 * Violations of FHIR R4 and of a profile; without a profile, of FHIR R4 and the extensions alone.
 * @param follow resources of the same message by the references to them
 */
export function profileIssues(
  resource: Resource,
  profile: OwnProfile | undefined,
  follow: (reference: string) => Resource | undefined = () => undefined,
): readonly Issue[] {
  return violations({ ...resource }, profile && ownProfile(profile), resource.resourceType, follow)
}

/** Issues with those of `more` that stand at a place of which nothing has been said yet. */
export function withMore(issues: readonly Issue[], more: readonly Issue[]): readonly Issue[] {
  const places = issues.filter(({ severity }) => severity !== 'warning').flatMap(({ location }) => location ?? [])
  const said = (location: string) =>
    places.some((place) => place === location || within(place, location) || within(location, place))
  return [...issues, ...more.filter(({ location }) => location === undefined || !said(location))]
}

/** `DocumentReference.content[0].format` is within `DocumentReference.content`; a resource as a whole says nothing of its parts. */
function within(inner: string, outer: string): boolean {
  if (!inner.startsWith(outer) || !/^[.[]/.test(inner.slice(outer.length))) return false
  return !/^[A-Z]\w*(\.entry)?$|\.resource$/.test(outer)
}
