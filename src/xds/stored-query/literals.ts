/**
 * The value syntax of stored queries (ITI TF-2 3.18.4.1.2.3.5): a string in single quotes, a quote inside it doubled; a
 * number without quotes; a list of them in parentheses. Read character by character: a comma, a parenthesis or a doubled
 * quote inside a string is only text.
 */

export interface Literal {
  readonly kind: 'string' | 'number'
  /** Without the quotes, doubled ones made single. */
  readonly text: string
}

export interface ParameterValue {
  readonly literals: readonly Literal[]
  /** It stood in parentheses. */
  readonly list: boolean
}

/** One Value element. Throws RangeError that says what is wrong, without repeating the value. */
export function parseValue(source: string): ParameterValue {
  const scanner = new Scanner(source)
  const list = scanner.take('(')
  const literals = [scanner.literal()]
  if (list) {
    while (scanner.take(',')) literals.push(scanner.literal())
    if (!scanner.take(')'))
      throw new RangeError('a list is not closed: separate its values with commas and end it with ).')
  }
  scanner.end()
  return { literals, list }
}

class Scanner {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Takes this character if it comes next, white space aside. */
  take(character: string): boolean {
    this.#skipSpace()
    if (this.#source[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  literal(): Literal {
    if (this.take("'")) return { kind: 'string', text: this.#string() }
    const start = this.#at
    while (/[0-9]/.test(this.#source[this.#at] ?? '')) this.#at += 1
    if (this.#at === start) throw new RangeError("a value is missing or not quoted: send 'text' in single quotes.")
    return { kind: 'number', text: this.#source.slice(start, this.#at) }
  }

  end(): void {
    this.#skipSpace()
    if (this.#at < this.#source.length)
      throw new RangeError(
        "something follows the value: double a quote inside a text ('' for '), put lists in parentheses.",
      )
  }

  #string(): string {
    let text = ''
    for (;;) {
      const quote = this.#source.indexOf("'", this.#at)
      if (quote < 0) throw new RangeError('a text is not closed: end it with a single quote.')
      text += this.#source.slice(this.#at, quote)
      this.#at = quote + 1
      if (this.#source[this.#at] !== "'") return text
      text += "'"
      this.#at += 1
    }
  }

  #skipSpace(): void {
    while (/[ \t\r\n]/.test(this.#source[this.#at] ?? '')) this.#at += 1
  }
}
