/** ITI-81 Retrieve ATNA Audit Event: the access history of one patient, newest first; as a table to people. */
import { isDtm, upperBound } from '../metadata/dtm.ts'
import type { AccessRecord, TracedAccess } from '../operations/ports.ts'
import { outcomeCodes, toAuditEvent } from './audit-event.ts'
import { formatOf } from './exchange.ts'
import { sendTable } from './history-table.ts'
import { tableFormat } from './negotiate.ts'
import { linksOf, type Position } from './paging.ts'
import type { Exchange } from './parts.ts'
import { patientOf } from './search-patient.ts'
import { readSearch } from './search-query.ts'
import { alternatives, dateMatches, invalid, parseDate, parseToken, refuseModifier } from './search-values.ts'
import { sendSearchset } from './searchset.ts'

export const auditParameters = {
  date: { type: 'date', documentation: 'When the access took place.' },
  outcome: { type: 'token', documentation: '0 permitted, 4 failed, 8 refused.' },
  'agent.identifier': { type: 'token', documentation: 'PS_IdNat of the person, or Struct_IdNat of the structure.' },
} as const

export async function findAuditEvents(exchange: Exchange): Promise<void> {
  const { parts, context, baseUrl, response, format } = exchange
  const search = readSearch(exchange.query, exchange, {
    known: auditParameters,
    sortable: { date: 'date' },
    defaultOrder: { by: 'date', descending: true },
  })
  const patient = patientOf(search.patientParameters, exchange)
  const tests = search.parameters.map((parameter): ((record: AccessRecord) => boolean) => {
    refuseModifier(parameter)
    const values = alternatives(parameter)
    if (parameter.name === 'date') {
      const dates = values.map((value) => parseDate('date', value))
      return ({ at }) => {
        // A record has milliseconds, a search has seconds: what counts is the second
        const second = at.replace(/\D/g, '').slice(0, 14)
        return isDtm(second) && dates.some((date) => dateMatches(date, { from: second, to: upperBound(second) }))
      }
    }
    const codes = values.map((value) => parseToken(value).code)
    return parameter.name === 'outcome'
      ? (record) => codes.includes(outcomeCodes[record.outcome])
      : ({ caller }) => codes.includes(caller.person?.id) || codes.includes(caller.structure?.id)
  })
  const table = tableFormat(exchange.request.headers.accept, formatOf(exchange.query))
  const oldestFirst = !search.order.descending
  const all = await parts.operations.history(patient, context, { titles: table !== undefined, oldestFirst })
  const matches = matching(all, (record) => tests.every((test) => test(record)))
  if (table !== undefined) {
    await sendTable(response, table, patient, matches)
    return
  }
  requireOurs(search.after)
  const { total, items, next } = await pageOf(matches, search.countOnly ? 0 : search.count, search.after, oldestFirst)
  const links = linksOf(`${baseUrl}/AuditEvent`, search.used, next)
  await sendSearchset(
    response,
    format,
    { total, links },
    items.map((record) => ({ fullUrl: `${baseUrl}/AuditEvent/${record.id}`, resource: toAuditEvent(record, parts) })),
  )
}

async function* matching(
  rows: AsyncIterable<TracedAccess>,
  test: (record: AccessRecord) => boolean,
): AsyncGenerator<TracedAccess> {
  for await (const row of rows) if (test(row.record)) yield row
}

interface Page {
  readonly total: number
  readonly items: readonly AccessRecord[]
  readonly next: Position | undefined
}

/** Throws GatewayError `invalid-parameter` for a cursor that no link had. */
function requireOurs(after: Position | undefined): void {
  if (after === undefined) return
  const { key, id } = after
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(key) || !/^[-\da-f]{36}$/.test(id))
    throw invalid('_cursor', 'is not a position in a history: follow the next link as it was given.')
}

/** Rows of one page as they come, and whether more follow. */
class PageOfRows {
  readonly items: AccessRecord[] = []
  readonly #count: number
  #more = false

  constructor(count: number) {
    this.#count = count
  }

  take(record: AccessRecord): void {
    if (this.items.length < this.#count) this.items.push(record)
    else this.#more = true
  }

  /** The last row of the page, by what the reader has of it: a place in the trace would count what others did. */
  get next(): Position | undefined {
    const last = this.items.at(-1)
    return this.#more && last !== undefined ? { key: last.at, id: last.id } : undefined
  }
}

/**
 * One page in memory, whatever the length of the history; every row counts in the total, which is exact. It begins behind
 * the row that the last one ended with or, where that row is not to be seen any more, with what came later in the order.
 */
async function pageOf(
  rows: AsyncIterable<TracedAccess>,
  count: number,
  after: Position | undefined,
  oldestFirst: boolean,
): Promise<Page> {
  const [behindRow, behindTime] = [new PageOfRows(count), new PageOfRows(count)]
  let total = 0
  let passed = after === undefined
  for await (const { record } of rows) {
    total++
    if (passed) behindRow.take(record)
    if (after === undefined) continue
    if (record.id === after.id) passed = true
    if (oldestFirst ? record.at > after.key : record.at < after.key) behindTime.take(record)
  }
  const { items, next } = passed ? behindRow : behindTime
  return { total, items, next }
}
