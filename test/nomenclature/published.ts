/** The published code lists, where the machine has them next to the checkout; tests against them are skipped elsewhere. */
import { existsSync, readFileSync } from 'node:fs'

const folder = new URL('../../../shared/codes/', import.meta.url)

export interface PublishedSet {
  readonly name: string
  readonly oid: string
  readonly version?: string
  readonly codes: readonly { readonly code: string; readonly display: string; readonly systemOid?: string | null }[]
}

/** A published list by file name without `.json`, or undefined where the lists are not on this machine. */
export function published<T>(file: string): T | undefined {
  const url = new URL(`${file}.json`, folder)
  return existsSync(url) ? (JSON.parse(readFileSync(url, 'utf8')) as T) : undefined
}

/** The list, or a skipped test that says why. */
export function publishedOrSkip<T>(test: Mocha.Context, file: string): T {
  const list = published<T>(file)
  if (list === undefined) {
    process.stderr.write(`  skipped: ${folder.pathname}${file}.json is not on this machine\n`)
    test.skip()
  }
  return list
}
