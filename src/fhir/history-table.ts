/**
 * The access history as people read it: « Date, Auteur de l’action, Action réalisée, Contexte », as CSV for a spreadsheet
 * or as a page to print. The same rows as ITI-81, of the same operation.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import { type PatientKey, splitPatientKey } from '../metadata/identifiers.ts'
import { describe, type HistoryLine } from '../operations/history-line.ts'
import type { AccessRecord, TracedAccess } from '../operations/ports.ts'
import { frenchTime } from '../operations/wording.ts'

export type TableFormat = 'csv' | 'html'

/** Characters written at once. */
const chunk = 64 * 1024

const columns: readonly (readonly [name: string, of: keyof HistoryLine])[] = [
  ['Date', 'date'],
  ['Auteur de l’action', 'author'],
  ['Action réalisée', 'action'],
  ['Contexte', 'context'],
]

const contentTypes: Readonly<Record<TableFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  html: 'text/html; charset=utf-8',
}

/** Written as it is read: a table that cannot be completed is cut, so that nobody takes it for whole. */
export async function sendTable(
  response: Response,
  format: TableFormat,
  patient: PatientKey,
  rows: AsyncIterable<TracedAccess>,
): Promise<void> {
  const lines = linesOf(rows)
  const body = format === 'csv' ? csvOf(lines) : pageOf(lines, patient)
  // What fails before the first chunk is answered as an error
  const first = await body.next()
  response.writeHead(200, {
    'Content-Type': contentTypes[format],
    // Nothing in the page runs or is fetched, whatever a name or a title says
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    'X-Content-Type-Options': 'nosniff',
    ...(format === 'csv' && { 'Content-Disposition': 'attachment; filename="historique-des-acces.csv"' }),
  })
  await pipeline(Readable.from(whole(first, body)), response)
}

async function* whole(first: IteratorResult<string>, rest: AsyncIterable<string>): AsyncGenerator<string> {
  if (first.done === true) return
  yield first.value
  yield* rest
}

async function* linesOf(rows: AsyncIterable<TracedAccess>): AsyncGenerator<HistoryLine> {
  for await (const { record } of rows) yield describe(record, (id) => titleIn(record, id))
}

function titleIn({ documents }: AccessRecord, id: string): string | undefined {
  return documents.find(({ logicalId }) => logicalId === id)?.title
}

/** RFC 4180 with `;`, which is what spreadsheets read where the comma is in numbers; the mark says that it is UTF-8. */
async function* csvOf(lines: AsyncIterable<HistoryLine>): AsyncGenerator<string> {
  const row = (cells: readonly string[]): string => `${cells.map(cell).join(';')}\r\n`
  let text = `\ufeff${row(columns.map(([name]) => name))}`
  for await (const line of lines) {
    text += row(columns.map(([, of]) => line[of]))
    if (text.length < chunk) continue
    yield text
    text = ''
  }
  yield text
}

/** A cell that begins like a formula is one to a spreadsheet: an apostrophe makes it text. */
function cell(text: string): string {
  const safe = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return `"${safe.replaceAll('"', '""')}"`
}

async function* pageOf(lines: AsyncIterable<HistoryLine>, patient: PatientKey): AsyncGenerator<string> {
  let text = headOf(patient)
  let count = 0
  for await (const line of lines) {
    count++
    text += `<tr>${columns.map(([, of]) => `<td>${escapeHtml(line[of])}</td>`).join('')}</tr>\n`
    if (text.length < chunk) continue
    yield text
    text = ''
  }
  yield `${text}</tbody>\n</table>\n<p>${count} accès</p>\n</body>\n</html>\n`
}

function headOf(patient: PatientKey): string {
  const { id } = splitPatientKey(patient)
  const head = columns.map(([name]) => `<th scope="col">${escapeHtml(name)}</th>`).join('')
  return `<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Historique des accès</title>
<style>
body { font-family: system-ui, sans-serif; margin: 2rem; color: #1a1a1a; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #767676; padding: .4rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { background: #eee; }
td:first-child { white-space: nowrap; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
@media print { body { margin: 0; font-size: 10pt; } }
</style>
</head>
<body>
<h1>Historique des accès</h1>
<p>INS ${escapeHtml(id)} – édité le ${escapeHtml(frenchTime(new Date().toISOString()))}</p>
<table>
<thead><tr>${head}</tr></thead>
<tbody>
`
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
