/** Pages of a search: a position in a stable order, not a number of rows, so that a new document moves nothing. */
import { GatewayError } from '../errors.ts'
import { invalid } from './search-values.ts'

/** Where a page ended: what the results are ordered by, then an id that decides between equals. */
export interface Position {
  readonly key: string
  readonly id: string
}

const defaultCount = 100
const mostCount = 1000
/** A `next` link is a URL: servers and proxies take about 8 KiB. */
const longestLink = 7000

export function parseCount(name: string, value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw invalid(name, 'must be a whole number.')
  return Math.min(Number(value), mostCount)
}

export function countOf(asked: number | undefined): number {
  return asked ?? defaultCount
}

export function formatCursor({ key, id }: Position): string {
  return Buffer.from(JSON.stringify([key, id])).toString('base64url')
}

export function parseCursor(name: string, value: string): Position {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value, 'base64url').toString('utf8'))
    if (Array.isArray(parsed) && parsed.length === 2 && parsed.every((part) => typeof part === 'string'))
      return { key: String(parsed[0]), id: String(parsed[1]) }
  } catch {
    // answered below
  }
  throw invalid(name, 'is not a position of this server: follow the next link as it was given.')
}

/** Orders by key, descending or ascending, then by id ascending. */
export function compare(a: Position, b: Position, descending: boolean): number {
  if (a.key !== b.key) return a.key < b.key === descending ? 1 : -1
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Where to go on; absent on the last page. */
  readonly next?: Position
}

/** The page after a position, of items in order. */
export function pageOf<T>(items: readonly T[], { position, descending, after, count }: PageRequest<T>): Page<T> {
  const rest = after === undefined ? items : items.filter((item) => compare(position(item), after, descending) > 0)
  const page = rest.slice(0, count)
  const last = page.at(-1)
  return last === undefined || rest.length === page.length ? { items: page } : { items: page, next: position(last) }
}

export interface PageRequest<T> {
  readonly position: (item: T) => Position
  readonly descending: boolean
  readonly after: Position | undefined
  readonly count: number
}

export type Query = readonly (readonly [name: string, value: string])[]

/** The link to this search with the parameters that were used, and to its next page. */
export function linksOf(url: string, used: Query, next: Position | undefined): { relation: string; url: string }[] {
  const own = used.filter(([name]) => name !== '_cursor')
  const links = [{ relation: 'self', url: linkOf(url, used) }]
  if (next) links.push({ relation: 'next', url: linkOf(url, [...own, ['_cursor', formatCursor(next)]]) })
  if (next && (links[1]?.url.length ?? 0) > longestLink)
    throw new GatewayError('invalid-parameter', {
      detail: `The search is too long for a link to its next page: send fewer values, or a larger _count (at most ${mostCount}).`,
    })
  return links
}

function linkOf(url: string, query: Query): string {
  const text = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
  return text === '' ? url : `${url}?${text}`
}
