/** Feeding from either transaction: what the middle says of entryUUIDs, told in terms of the message. */
import { GatewayError, type Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Submission } from '../metadata/model.ts'
import type { FeedOptions } from '../operations/operations.ts'
import type { DocumentContent, Receipt } from '../operations/ports.ts'
import type { Exchange } from './parts.ts'
import { type Place, placeOf } from './places.ts'

export interface ToFeed {
  readonly submission: Submission
  readonly contents: ReadonlyMap<EntryUuid, DocumentContent>
  /** FHIRPath of what each relationship points to, by the entryUUID of its association. */
  readonly locations?: ReadonlyMap<EntryUuid, string>
  readonly options?: FeedOptions
}

/** The resource behind an entryUUID of the submission. */
export type Places = (id: EntryUuid) => Place | undefined

export async function feedWithLocations(
  { submission, contents, locations, options = {} }: ToFeed,
  places: Places,
  { parts, context }: Pick<Exchange, 'parts' | 'context'>,
): Promise<Receipt> {
  try {
    return await parts.operations.feed(submission, contents, context, options)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new GatewayError(
      error.issues.map((issue) => located(issue, places, locations)),
      { cause: error.cause },
    )
  }
}

/** `urn:uuid:…/creationTime` means nothing to a source whose ids were given here: name the element it sent instead. */
export function located(issue: Issue, places: Places, locations?: ToFeed['locations']): Issue {
  const [, id = '', attribute] = /^(urn:uuid:[0-9a-f-]{36})(?:\/(.*))?$/.exec(issue.location ?? '') ?? []
  const location = locations?.get(id as EntryUuid)
  if (location !== undefined) return { ...issue, location }
  const place = id === '' ? undefined : places(id as EntryUuid)
  if (place === undefined) return issue
  const detail = [attribute, issue.detail].filter((part) => part !== undefined).join(': ')
  return { ...issue, location: placeOf(place, attribute), ...(detail === '' ? {} : { detail }) }
}
