/** The confidentiality codes of a document: what may be said together, and about whom (DMP-FACTS 3.6). */
import type { Issue } from '../errors.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import type { Policy } from './types.ts'

export const MASKED = 'MASQUE_PS'
export const HIDDEN_FROM_PATIENT = 'INVISIBLE_PATIENT'
export const HIDDEN_FROM_REPRESENTATIVES = 'INVISIBLE_REPRESENTANTS_LEGAUX'

/** typeCode of the XAdES signature of a submission: in the record, but no document of it. */
export const LOT_SIGNATURE = 'E1762'

export function isLotSignature(document: { readonly typeCode?: string | { readonly code: string } }): boolean {
  const { typeCode } = document
  return (typeof typeCode === 'object' ? typeCode.code : typeCode) === LOT_SIGNATURE
}

/**
 * What is wrong with a set of confidentiality codes (FE4): `N` always, R and V never, no INVISIBLE_PATIENT with MASQUE_PS
 * unless the house allows it, INVISIBLE_REPRESENTANTS_LEGAUX only for a minor. `minor` is undefined when not known.
 */
export function confidentialityIssues(
  codes: readonly string[],
  minor: boolean | undefined,
  policy: Policy,
  location: string,
): Issue[] {
  const issues: Issue[] = []
  const report = (code: Issue['code'], detail: string) => issues.push({ code, rule: 'FE4', location, detail })
  const notShared = ['R', 'V'].filter((code) => codes.includes(code))
  for (const code of notShared)
    report(
      'confidentiality-not-shareable',
      `${code} is not shared in the DMP: send N, with MASQUE_PS where it applies.`,
    )
  // R or V in the place of N is one fault, and said
  if (notShared.length === 0 && !codes.includes('N'))
    report('code-not-accepted', 'N is always present: send N first, then the visibility codes.')
  if (codes.includes(MASKED) && codes.includes(HIDDEN_FROM_PATIENT) && !policy.cumulativeMasking)
    report('confidentiality-combination', 'Send MASQUE_PS or INVISIBLE_PATIENT, not both.')
  if (codes.includes(HIDDEN_FROM_REPRESENTATIVES) && minor !== true)
    report(
      'confidentiality-not-applicable',
      minor === undefined
        ? 'INVISIBLE_REPRESENTANTS_LEGAUX is for minors, and no birth date is on record for this patient.'
        : 'INVISIBLE_REPRESENTANTS_LEGAUX is for minors: leave it out.',
    )
  return issues
}

/** The same for an entry to be fed; the lot signature carries N, MASQUE_PS and INVISIBLE_PATIENT by design. */
export function entryConfidentialityIssues(entry: DocumentEntry, minor: boolean | undefined, policy: Policy): Issue[] {
  if (isLotSignature(entry)) return []
  const codes = entry.confidentialityCodes.map(({ code }) => code)
  return confidentialityIssues(codes, minor, policy, `${entry.entryUuid}/confidentialityCode`)
}
