/** Feeding from either transaction: what the middle says of entryUUIDs, told in terms of the message. */
import { GatewayError, type Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Submission } from '../metadata/model.ts'
import type { DocumentContent, Receipt } from '../operations/ports.ts'
import type { Exchange } from './parts.ts'

export interface ToFeed {
  readonly submission: Submission
  readonly contents: ReadonlyMap<EntryUuid, DocumentContent>
}

/** @param pathOf the FHIRPath of the resource behind an entryUUID of the submission */
export async function feedWithLocations(
  { submission, contents }: ToFeed,
  pathOf: (id: EntryUuid) => string | undefined,
  { parts, context }: Exchange,
): Promise<Receipt> {
  try {
    return await parts.operations.feed(submission, contents, context)
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new GatewayError(
      error.issues.map((issue) => located(issue, pathOf)),
      { cause: error.cause },
    )
  }
}

/** `urn:uuid:…/creationTime` means nothing to a source whose ids were given here: name its resource instead. */
function located(issue: Issue, pathOf: (id: EntryUuid) => string | undefined): Issue {
  const [, id = '', attribute] = /^(urn:uuid:[0-9a-f-]{36})(?:\/(.*))?$/.exec(issue.location ?? '') ?? []
  const path = id === '' ? undefined : pathOf(id as EntryUuid)
  if (path === undefined) return issue
  const detail = [attribute, issue.detail].filter((part) => part !== undefined).join(': ')
  return { ...issue, location: path, ...(detail === '' ? {} : { detail }) }
}
