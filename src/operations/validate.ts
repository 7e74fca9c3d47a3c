/** The verdict on a submission, without feeding it: nothing is stored, and no record of a patient is looked at. */
import { messageIssues } from '../access/rules/feeding.ts'
import type { Issue } from '../errors.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Submission } from '../metadata/model.ts'
import type { OperationParts } from './access.ts'
import { judge } from './judge.ts'
import type { DocumentContent } from './ports.ts'

/** Errors for which feeding would refuse the submission in itself, and its warnings. */
export async function validate(
  parts: OperationParts,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
): Promise<readonly Issue[]> {
  const { completed, issues, warnings } = await judge(parts, submission, contents)
  return [...(issues.length > 0 ? issues : messageIssues(completed, parts.policy)), ...warnings]
}
