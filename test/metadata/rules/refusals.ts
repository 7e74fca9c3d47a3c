/** What the tables of rule tests share. */
import assert from 'node:assert/strict'
import type { Issue } from '../../../src/errors.ts'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import { type Profile, validateSubmission } from '../../../src/metadata/rules.ts'
import { aDocumentEntry, aSubmission, type Changes } from '../../mothers/metadata.ts'

export const both: readonly Profile[] = ['ihe', 'ci-sis']

/** Refused in `profiles` (default both) by one issue with this rule at this attribute. */
export type Row<T> = readonly [
  case_: string,
  changes: Changes<T>,
  rule: string,
  at: string,
  profiles?: readonly Profile[],
]

export interface Refusal {
  readonly rule: string
  readonly at: string
  readonly code?: string
}

/** Exactly one issue, of this rule, attribute and code, with a sentence. */
export function expectRefusal(issues: readonly Issue[], id: string, refusal: Refusal): void {
  const found = issues.map((issue) => [issue.rule, issue.location, issue.code])
  assert.deepEqual(found, [[refusal.rule, `${id}/${refusal.at}`, refusal.code ?? 'XDSRegistryMetadataError']])
  assert.match(issues[0]?.detail ?? '', /^\S.* .*\.$/s)
}

/** What the rules say of a submission with one document, and the entryUUID of that document. */
export function entryIssues(changes: Changes<DocumentEntry>, profile: Profile): [readonly Issue[], string] {
  const entry = aDocumentEntry(changes)
  return [validateSubmission(aSubmission({ entries: [entry] }), { profile }), entry.entryUuid]
}

/** Each row refused in its profiles; a French requirement is none in `ihe`. */
export function refuseEach<T>(
  rows: readonly Row<T>[],
  validate: (changes: Changes<T>, profile: Profile) => [readonly Issue[], string],
): void {
  for (const [case_, changes, rule, at, profiles = both] of rows) {
    for (const profile of profiles) {
      it(`refuse one ${case_} (${profile}, ${rule})`, () => {
        const [issues, id] = validate(changes, profile)
        expectRefusal(issues, id, { rule, at, ...(rule === 'T14' && { code: 'XDSRegistryError' }) })
      })
    }
    if (profiles.length === 1 && profiles[0] === 'ci-sis') {
      it(`accept one ${case_} (ihe)`, () => assert.deepEqual(validate(changes, 'ihe')[0], []))
    }
  }
}

export const noCode = { code: '', system: '1.2.3' }
export const noScheme = { code: 'x', system: '' }
export const authority = { universalId: '1.2.250.1.999.7', universalIdType: 'ISO' }
/** One character more than a slot value may have. */
export const tooLong = 'é'.repeat(257)

export const slot = (name: string, ...values: string[]) => ({ extra: [{ name, values }] })
