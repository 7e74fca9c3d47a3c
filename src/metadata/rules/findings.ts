/** What the rules write into: one list of issues for the whole submission. */
import type { ErrorCode, Issue } from '../../errors.ts'
import type { Profile } from '../rules.ts'

/**
 * One violation of an object. `attribute` is the XDS name, with an index where it repeats (`author[1].authorPerson`).
 * `detail` says what was found and what to send instead, and never repeats an identifier or a name of a person.
 */
export type Report = (rule: string, attribute: string, detail: string, code?: ErrorCode) => void

/** More issues than anybody reads: the caps of the doors allow messages with far more faults. */
const MOST_ISSUES = 500

export class Findings {
  readonly profile: Profile
  readonly #issues: Issue[] = []
  #leftOut = 0

  constructor(profile: Profile) {
    this.profile = profile
  }

  /** The reporter of one object; `id` begins every location. */
  about(id: string): Report {
    return (rule, attribute, detail, code = 'XDSRegistryMetadataError') => {
      if (this.#issues.length < MOST_ISSUES) {
        this.#issues.push({ code, rule, location: attribute === '' ? id : `${id}/${attribute}`, detail })
      } else this.#leftOut += 1
    }
  }

  get issues(): readonly Issue[] {
    if (this.#leftOut === 0) return this.#issues
    const detail = `${this.#leftOut} more violations are not listed: correct these first.`
    return [...this.#issues, { code: 'XDSRegistryMetadataError', detail }]
  }
}

/** A received value inside a sentence: quoted, cut. Only for values that cannot name a person. */
export function quoted(value: string): string {
  const shown = value.length > 60 ? `${value.slice(0, 60)}…` : value
  return `"${shown}"`
}

/** ebRIM 3.0 LongName, the type of rim:Value (M3). Counted in characters, as XML Schema does. */
const LONGEST_VALUE = 256

export function checkLength(value: string, attribute: string, report: Report): void {
  // Only a string of more UTF-16 units can have more characters; the count is not free.
  if (value.length > LONGEST_VALUE && Array.from(value).length > LONGEST_VALUE) {
    report('M3', attribute, `The value has more than ${LONGEST_VALUE} characters: send a shorter one.`)
  }
}
