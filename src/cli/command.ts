/** What the commands share: options with a list of values, and errors as one line. */
import { errorRow, GatewayError } from '../errors.ts'

/** A command that was called in no way it knows: its usage, line by line, is what to do instead. */
export class UsageError extends Error {}

/** @throws RangeError that names the option and its values */
export function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw new RangeError(`--${name}: one of ${allowed.join(', ')} is expected`)
  return found
}

/** One line: what is wrong, nothing of where in the code. A usage keeps its lines. */
export function lineOf(error: unknown): string {
  if (error instanceof UsageError) return error.message
  if (error instanceof GatewayError) {
    const [{ code, rule, detail }] = error.issues
    const what = `${errorRow(code).en} (${code})`
    if (detail === undefined) return what
    // A rule says what to do instead, its code what is wrong
    return rule === undefined ? detail : `${what} ${detail}`
  }
  const message = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
  // parseArgs throws TypeError
  return error instanceof TypeError ? `${message} (--help lists the options)` : message
}

/** A whole number above 0. @throws RangeError that names the option */
export function countOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  if (!/^[1-9]\d{0,14}$/.test(value)) throw new RangeError(`--${name}: a whole number above 0 is expected`)
  return Number(value)
}

/** Rows of text in columns as wide as what they hold. */
export function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    rows.reduce((widest, row) => Math.max(widest, row[column]?.length ?? 0), 0),
  )
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}
