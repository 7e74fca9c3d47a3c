/**
 * What is wrong with a submission in itself, before anyone asks who sends it and about whom: feeding and validation
 * (`$validate`) judge by this alone, so that they cannot disagree.
 */
import { messageIssues } from '../access/rules/feeding.ts'
import type { Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { Submission } from '../metadata/model.ts'
import { validateSubmission } from '../metadata/rules.ts'
import type { OperationParts } from './access.ts'
import { complete, measure } from './complete.ts'
import type { FeedOptions } from './operations.ts'
import type { DocumentContent } from './ports.ts'

export interface Judgement {
  /** The submission with what its bytes say, and what CI-SIS requires and follows from the rest. */
  readonly completed: Submission
  readonly patient: PatientKey | undefined
  /** Violations of the metadata rules; then, so that all are told at once, those of the codes (FE3, FE4) as well. */
  readonly issues: readonly Issue[]
  readonly warnings: readonly Issue[]
}

export async function judge(
  parts: Pick<OperationParts, 'dmp' | 'policy' | 'affinityDomain' | 'checkDocument'>,
  submission: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
  { register = false }: FeedOptions = {},
): Promise<Judgement> {
  const { policy, dmp, affinityDomain } = parts
  const measured = submission.entries.map((entry) =>
    register ? { entry, issues: [] } : measure(entry, contents.get(entry.entryUuid), dmp.repositoryUniqueId),
  )
  const entries = measured.map(({ entry }) => (policy.profile === 'ci-sis' ? complete(entry) : { entry, warnings: [] }))
  const completed: Submission = { ...submission, entries: entries.map(({ entry }) => entry) }
  const patient = patientOf(submission)
  const differences = await inDocuments(parts, submission, contents)
  const issues: Issue[] = [
    ...validateSubmission(completed, { profile: policy.profile, register, ...(affinityDomain && { affinityDomain }) }),
    ...measured.flatMap((each) => each.issues),
    ...differences.filter(({ severity }) => severity !== 'warning'),
  ]
  if (patient === undefined && issues.length === 0)
    issues.push({ code: 'XDSRegistryMetadataError', detail: 'The submission names no patient.' })
  if (issues.length > 0) issues.push(...messageIssues(completed, policy))
  return {
    completed,
    patient,
    issues,
    warnings: [
      ...entries.flatMap(({ warnings }) => warnings),
      ...differences.filter(({ severity }) => severity === 'warning'),
    ],
  }
}

/** What documents say otherwise than the metadata sent with them. */
async function inDocuments(
  { checkDocument }: Pick<OperationParts, 'checkDocument'>,
  { entries }: Submission,
  contents: ReadonlyMap<EntryUuid, DocumentContent>,
): Promise<readonly Issue[]> {
  if (checkDocument === undefined) return []
  const found: Issue[] = []
  for (const entry of entries) {
    const content = contents.get(entry.entryUuid)
    if (content !== undefined) found.push(...(await checkDocument(entry, content)))
  }
  return found
}

function patientOf({ submissionSet, entries }: Submission): PatientKey | undefined {
  const cx = submissionSet.patientId ?? entries[0]?.patientId
  return cx && patientKeyOf(cx)
}
