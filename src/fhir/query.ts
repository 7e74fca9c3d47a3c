/** `name=value&…` of a URL or of a form, decoded; in the order sent. */
import { GatewayError } from '../errors.ts'
import type { Query } from './paging.ts'

const mostParameters = 500

/** Throws GatewayError `malformed` on an escape that is not UTF-8, `over-limit` on too many parameters. */
export function parseQuery(text: string): Query {
  if (text === '') return []
  const pairs = text.split('&').filter((pair) => pair !== '')
  if (pairs.length > mostParameters)
    throw new GatewayError('over-limit', { detail: `A search is limited to ${mostParameters} parameters.` })
  return pairs.map((pair): [string, string] => {
    const equals = pair.indexOf('=')
    return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new GatewayError('malformed', { detail: 'The query is not percent-encoded UTF-8 (RFC 3986).', cause })
  }
}

/** The query part of a request target, without its question mark. */
export function queryOf(url: string): string {
  const start = url.indexOf('?')
  return start < 0 ? '' : url.slice(start + 1)
}
