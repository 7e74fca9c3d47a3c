/** What the commands share: options with a list of values, and errors as one line. */
import { GatewayError } from '../errors.ts'

/** @throws RangeError that names the option and its values */
export function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw new RangeError(`--${name}: one of ${allowed.join(', ')} is expected`)
  return found
}

/** One line: what is wrong, nothing of where in the code. */
export function lineOf(error: unknown): string {
  if (error instanceof GatewayError) return error.issues[0].detail ?? error.message
  const message = (error instanceof Error ? error.message : String(error)).replaceAll('\n', ' ')
  // parseArgs throws TypeError
  return error instanceof TypeError ? `${message} (--help lists the options)` : message
}
