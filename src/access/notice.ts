/**
 * When somebody may be told of a document (ACCESS-RULES 3 DF3 and 5, R.1111-53 CSP): a notice about a document that the
 * patient may not see is held until it becomes visible, and of a hidden document the patient is told after two weeks.
 */
import { HIDDEN_FROM_PATIENT } from './confidentiality.ts'
import { liftsAt } from './filter.ts'
import type { DocumentFacts } from './types.ts'

/** Two weeks after deposit, at the same time of day. */
export function announcedAt({ depositedAt }: Pick<DocumentFacts, 'depositedAt'>): number {
  const date = new Date(depositedAt)
  date.setUTCDate(date.getUTCDate() + 14)
  return date.getTime()
}

/**
 * Whether a notice may go out now.
 * @param documents those it is about that still exist
 * @param visible whether its reader may see a document now
 */
export function isDue(
  kind: string,
  documents: readonly DocumentFacts[],
  visible: (document: DocumentFacts) => boolean,
  now: Date,
): boolean {
  if (kind !== 'hidden-document') return documents.every(visible)
  return documents.some(
    (document) =>
      document.confidentiality.includes(HIDDEN_FROM_PATIENT) &&
      now.getTime() >= announcedAt(document) &&
      now.getTime() < liftsAt(document),
  )
}
