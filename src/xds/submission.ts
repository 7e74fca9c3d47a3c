/** What ITI-41, 42, 57 and 92 have in common: every violation of a submission in one answer, in the sender's words. */
import { GatewayError, type Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import { type ValidationOptions, validateSubmission } from '../metadata/rules.ts'
import type { DocumentContent, Receipt } from '../operations/ports.ts'
import type { ReadSubmission } from './ebrim/reader.ts'
import { withSchemaIssues } from './schema/index.ts'

/** `urn:uuid:` and a UUID. */
const entryUuidLength = 45

/** Issues of one answer; a message can hold any number of wrong objects. */
const mostIssues = 500

export const noContents: ReadonlyMap<EntryUuid, DocumentContent> = new Map()

/** An issue as the answer gives it. */
export type Telling = (issue: Issue) => Issue

/** The sender knows its objects by the ids it gave them, symbolic ones included. */
export function inTheWordsOfTheSender({ ids }: ReadSubmission): Telling {
  const sent = new Map<string, string>([...ids].map(([id, entryUuid]) => [entryUuid, id]))
  return (issue) => {
    const id = issue.location === undefined ? undefined : sent.get(issue.location.slice(0, entryUuidLength))
    return id === undefined ? issue : { ...issue, location: id + (issue.location ?? '').slice(entryUuidLength) }
  }
}

/** What the message itself has wrong, before its metadata are judged; `beside` is what the transaction found. */
export function faultsOf(
  reading: ReadSubmission,
  schemaIssues: readonly Issue[],
  beside: readonly Issue[] = [],
): readonly Issue[] {
  return withSchemaIssues([...reading.issues, ...limitedMetadata(reading), ...beside], schemaIssues)
}

/**
 * Everything that is wrong with the message: its own faults, and what the rules of the metadata find in what could be
 * read. What two of them say of one place is said once.
 */
export function violationsOf(
  reading: ReadSubmission,
  options: ValidationOptions,
  faults: readonly Issue[],
): readonly Issue[] {
  const told = inTheWordsOfTheSender(reading)
  const place = (issue: Issue) => {
    const { location } = told(issue)
    return location?.includes('/') ? location : undefined
  }
  const places = new Set(faults.map(place))
  const rules = reading.submission ? validateSubmission(reading.submission, options) : []
  return [...faults, ...rules.filter((issue) => place(issue) === undefined || !places.has(place(issue)))]
}

/** Limited metadata is for media and direct exchange; in XDS.b every attribute is there (ITI TF-3 table 4.3.1-3). */
function limitedMetadata({ submissionSets, entries, folders }: ReadSubmission): readonly Issue[] {
  return [...submissionSets, ...entries, ...folders]
    .filter((object) => object.limitedMetadata)
    .map(({ entryUuid }) => ({
      code: 'XDSRegistryMetadataError',
      rule: 'LM',
      location: `${entryUuid}/limitedMetadata`,
      detail: 'Limited metadata is not for XDS.b: leave the classification out and send the whole metadata.',
    }))
}

/** The issues as they are told, cut where nobody reads on. */
export function refusal(issues: readonly Issue[], tell: Telling): GatewayError {
  const told = issues.slice(0, mostIssues).map((issue) => tell(issue))
  if (issues.length <= mostIssues) return new GatewayError(told)
  const detail = `${issues.length - mostIssues} more violations are not listed: correct these first.`
  return new GatewayError([...told, { code: 'XDSRegistryMetadataError', detail }])
}

/** Runs the operation; its warnings and refusals are told like those of the door. */
export async function submit(operation: () => Promise<Receipt>, tell: Telling): Promise<readonly Issue[]> {
  try {
    const { warnings } = await operation()
    return warnings.map((warning) => tell(warning))
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new GatewayError(
      error.issues.map((issue) => tell(issue)),
      { cause: error },
    )
  }
}
