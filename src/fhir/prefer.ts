/** The Prefer header (RFC 7240) as FHIR uses it (FHIR R4 http.html#ops, search.html#errors, async.html). */

export interface Preference {
  /** What the answer to a write carries. */
  readonly return?: 'minimal' | 'representation' | 'OperationOutcome'
  /** What becomes of search parameters that are not known. */
  readonly handling?: 'strict' | 'lenient'
  readonly respondAsync: boolean
}

/** Unknown preferences are ignored (RFC 7240 §2). */
export function parsePrefer(header: string | readonly string[] | undefined): Preference {
  const preferences = String(header ?? '')
    .split(',')
    .map((part) => part.split(';')[0]?.trim().replaceAll('"', '') ?? '')
  const value = (name: string): string | undefined =>
    preferences
      .map((each) => /^([\w-]+)\s*=\s*(\S+)$/.exec(each))
      .find((match) => match?.[1]?.toLowerCase() === name)?.[2]
      ?.toLowerCase()
  const [asked, handling] = [value('return'), value('handling')]
  const shape = (['minimal', 'representation', 'OperationOutcome'] as const).find(
    (each) => each.toLowerCase() === asked,
  )
  return {
    ...(shape ? { return: shape } : {}),
    ...(handling === 'strict' || handling === 'lenient' ? { handling } : {}),
    respondAsync: preferences.some((each) => each.toLowerCase() === 'respond-async'),
  }
}
