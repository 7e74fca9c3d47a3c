/** What every search has besides its own parameters: order, pages, strictness (FHIR R4 search.html). */
import { GatewayError } from '../errors.ts'
import { countOf, type Position, parseCount, parseCursor, type Query } from './paging.ts'
import type { Exchange } from './parts.ts'
import { parsePrefer } from './prefer.ts'
import { namesPatient } from './search-patient.ts'
import { invalid, type Parameter, parseParameter, shown } from './search-values.ts'

export interface Ordering {
  readonly by: string
  readonly descending: boolean
}

export interface SearchSettings {
  /** Names of the parameters of this resource. */
  readonly known: Readonly<Record<string, unknown>>
  /** Values of `_sort`, and the order each stands for. */
  readonly sortable: Readonly<Record<string, string>>
  readonly defaultOrder: Ordering
}

export interface SearchQuery {
  readonly parameters: readonly Parameter[]
  readonly patientParameters: readonly Parameter[]
  readonly order: Ordering
  readonly count: number
  readonly countOnly: boolean
  readonly after: Position | undefined
  /** What was understood, in the order sent: the self link. */
  readonly used: Query
}

/** Change how an answer looks, never which resources it holds: left out without a word. */
const harmless: ReadonlySet<string> = new Set(['_pretty', '_elements', '_total', '_contained', '_containedType'])

export function readSearch(query: Query, { request, parts }: Exchange, settings: SearchSettings): SearchQuery {
  const { handling } = parsePrefer(request.headers.prefer)
  const strict = handling === undefined ? parts.profile === 'ci-sis' : handling === 'strict'
  const parameters: Parameter[] = []
  const patientParameters: Parameter[] = []
  const used: [string, string][] = []
  const unknown: string[] = []
  let order = settings.defaultOrder
  let count: number | undefined
  let countOnly = false
  let after: Position | undefined
  for (const [name, value] of query) {
    const parameter = parseParameter([name, value])
    if (name === '_format') used.push([name, value])
    else if (name === '_count') count = parseCount(name, value)
    else if (name === '_cursor') after = parseCursor(name, value)
    else if (name === '_summary') countOnly = summary(value)
    else if (name === '_sort' && sortOf(value, settings)) order = sortOf(value, settings) ?? order
    else if (namesPatient(parameter)) patientParameters.push(parameter)
    else if (Object.hasOwn(settings.known, parameter.name)) parameters.push(parameter)
    else {
      if (!harmless.has(name)) unknown.push(name)
      continue
    }
    if (name !== '_format') used.push([name, value])
  }
  // ITI TF-2 3.67.4.1.3 lets a responder ignore what it does not know; a filter that is silently dropped shows documents
  // the caller meant to leave out, so the DMP refuses unless told to be lenient.
  if (strict && unknown.length > 0)
    throw new GatewayError(
      unknown.map((name) => ({
        code: 'unknown-parameter' as const,
        detail: `${shown(name)} is not a parameter here: leave it out, or send Prefer: handling=lenient to have it ignored. Known: ${Object.keys(settings.known).join(', ')}.`,
      })),
    )
  return {
    parameters,
    patientParameters,
    order,
    count: countOf(count),
    countOnly: countOnly || count === 0,
    after,
    used,
  }
}

function summary(value: string): boolean {
  if (value === 'count') return true
  if (value === 'false' || value === 'true') return false
  throw invalid('_summary', 'must be count, or left out.')
}

function sortOf(value: string, { sortable }: SearchSettings): Ordering | undefined {
  const descending = value.startsWith('-')
  const name = descending ? value.slice(1) : value
  const by = Object.hasOwn(sortable, name) ? sortable[name] : undefined
  return by === undefined ? undefined : { by, descending }
}
