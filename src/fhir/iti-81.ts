/** ITI-81 Retrieve ATNA Audit Event: the access history of one patient, newest first; as a table to people. */
import { isDtm, upperBound } from '../metadata/dtm.ts'
import type { AccessRecord } from '../operations/ports.ts'
import { outcomeCodes, toAuditEvent } from './audit-event.ts'
import { formatOf } from './exchange.ts'
import { sendTable } from './history-table.ts'
import { tableFormat } from './negotiate.ts'
import { compare, linksOf, type Position, pageOf } from './paging.ts'
import type { Exchange } from './parts.ts'
import { patientOf } from './search-patient.ts'
import { readSearch } from './search-query.ts'
import { alternatives, dateMatches, parseDate, parseToken, refuseModifier } from './search-values.ts'
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
  const all = await parts.operations.history(patient, context, { titles: table !== undefined })
  const records = all.filter((record) => tests.every((test) => test(record)))
  const position = ({ at, id }: AccessRecord): Position => ({ key: at, id })
  const { descending } = search.order
  if (table !== undefined) {
    sendTable(
      response,
      table,
      patient,
      records.toSorted((a, b) => compare(position(a), position(b), descending)),
    )
    return
  }
  const { items, next } = pageOf(
    search.countOnly ? [] : records.toSorted((a, b) => compare(position(a), position(b), descending)),
    { position, descending, after: search.after, count: search.count },
  )
  const links = linksOf(`${baseUrl}/AuditEvent`, search.used, next)
  await sendSearchset(
    response,
    format,
    { total: records.length, links },
    items.map((record) => ({ fullUrl: `${baseUrl}/AuditEvent/${record.id}`, resource: toAuditEvent(record, parts) })),
  )
}
