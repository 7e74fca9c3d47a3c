/**
 * The verdict on a message that is to be fed, before anything is looked up or stored: what the door found, what the
 * metadata rules and the codes of the DMP say, what the profiles add. Publishing and `$validate` judge by this alone.
 */
import type { Issue } from '../errors.ts'
import { located, type Places, type ToFeed } from './feed.ts'
import type { Exchange } from './parts.ts'
import { withMore } from './profiles/index.ts'

/** A message as the door has read it. */
export interface Reading {
  /** Errors found while reading it. */
  readonly issues: readonly Issue[]
  readonly warnings: readonly Issue[]
  /** Violations of FHIR R4 and of the profile. */
  readonly violations: readonly Issue[]
  /** Absent when it was not understood. */
  readonly understood: ToFeed | undefined
  readonly places: Places
}

/** Nothing is wrong with it, as far as the door can tell. */
export function isSound(reading: Reading): reading is Reading & { readonly understood: ToFeed } {
  return reading.understood !== undefined && reading.issues.length + reading.violations.length === 0
}

export interface Verdict {
  /** All of them at once; what two layers say of one place is said once, by the one that knows the rule best. */
  readonly errors: readonly Issue[]
  readonly warnings: readonly Issue[]
}

export async function verdictOn(reading: Reading, { parts }: Exchange): Promise<Verdict> {
  const { issues, warnings, violations, understood, places } = reading
  const judged = understood ? await parts.operations.validate(understood.submission, understood.contents) : []
  const metadata = judged.map((issue) => located(issue, places, understood?.locations))
  // That a document is missing the door has said at its place
  const told = issues.some(({ code }) => code === 'XDSMissingDocument')
  const errors = metadata.filter(
    ({ severity, code }) => severity !== 'warning' && !(told && code === 'XDSMissingDocument'),
  )
  return {
    errors: withMore(withMore(issues, errors), violations),
    warnings: [...warnings, ...metadata.filter(({ severity }) => severity === 'warning')],
  }
}
