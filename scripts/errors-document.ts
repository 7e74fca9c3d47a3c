/** docs/errors.md from the one table of errors (src/errors.ts): `npm run errors`. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type ErrorCode, type ErrorRow, errorTable, GatewayError } from '../src/errors.ts'
import { errorCodeOf } from '../src/xds/ebrim/response.ts'
import { faultOf } from '../src/xds/soap/fault.ts'

export const errorsFile = path.resolve(import.meta.dirname, '..', 'docs', 'errors.md')

const rows = Object.entries(errorTable) as [ErrorCode, ErrorRow][]
/** IHE writes its codes with a capital. */
const isIhe = (code: string): boolean => /^[A-Z]/.test(code)

export function errorsDocument(): string {
  const own = rows.filter(([code]) => !isIhe(code))
  const ihe = rows.filter(([code]) => isIhe(code))
  return `# Errors

Made from \`src/errors.ts\` by \`npm run errors\`. Both doors answer from that table, so an error is the same one whichever
door it leaves by.

- **FHIR**: the HTTP status, and an OperationOutcome with every issue. \`issue.code\` is the type below, \`details.coding\` has the
  reason code (system \`https://dmp-gateway.example.org/fhir/CodeSystem/decision\`) and the XDS code (system
  \`urn:ihe:iti:xds:error\`), \`details.text\` the French text, \`diagnostics\` the id of the rule and what to send instead,
  \`expression\` the element.
- **XDS.b**: a RegistryResponse with a RegistryError for every issue. \`errorCode\` is the XDS code; \`codeContext\` begins with the
  reason code where that is another one, then the rule, then what to send instead; \`location\` is the id of the object and
  its attribute. What is wrong with the envelope or the identity is a SOAP fault instead (last table).
- The repository endpoint speaks of itself: ${atRepository()}.
- A warning has severity \`warning\` on both doors, and the request succeeded.

## From an OperationOutcome to a RegistryError

Reason codes of this gateway. IHE codes stand for themselves (next table).

| reason code | HTTP | issue.code | errorCode | in French | in English |
|---|---|---|---|---|---|
${own.map(([code, row]) => line(tick(code), row.http, tick(row.issue), tick(row.xds), row.fr, row.en)).join('\n')}

## From a RegistryError to an OperationOutcome

Codes of IHE ITI TF-3 table 4.2.4.1-2 and its supplements, and the reason codes that share them.

| errorCode | HTTP | issue.code | in French | in English | also for |
|---|---|---|---|---|---|
${ihe.map(([code, row]) => line(tick(code), row.http, tick(row.issue), row.fr, row.en, sharing(code))).join('\n')}

## SOAP faults

| reason code | code | subcode |
|---|---|---|
${(['identity-missing', 'identity-invalid', 'identity-expired'] as const).map(faultLine).join('\n')}
| any other, before there is an envelope to answer to | \`soap:Sender\`, \`soap:Receiver\` for status 5xx | |
`
}

/** Codes of the registry that the repository has under a name of its own. */
function atRepository(): string {
  return rows
    .filter(([code]) => isIhe(code) && errorCodeOf(code, 'repository') !== code)
    .map(([code]) => `${tick(code)} is ${tick(errorCodeOf(code, 'repository'))}`)
    .join(', ')
}

/** Reason codes whose RegistryError has this code. */
function sharing(xds: string): string {
  return rows
    .filter(([code, row]) => row.xds === xds && code !== xds)
    .map(([code]) => tick(code))
    .join(', ')
}

function faultLine(code: ErrorCode): string {
  const { code: value, details } = faultOf(new GatewayError(code))
  return line(tick(code), tick(`soap:${value}`), (details.subcodes ?? []).map(tick).join(', '))
}

function tick(text: string): string {
  return `\`${text}\``
}

function line(...cells: readonly (string | number)[]): string {
  return `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await writeFile(errorsFile, errorsDocument())
