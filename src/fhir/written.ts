/** The answer to a write: the resource, nothing, or an OperationOutcome, as `Prefer: return=` asks (FHIR R4 http.html#ops). */
import type { Resource } from '@medplum/fhirtypes'
import { serializeList, Token } from 'structured-headers'
import type { Issue } from '../errors.ts'
import { sendResource } from './answer.ts'
import { outcomeOf } from './outcome.ts'
import type { Exchange } from './parts.ts'
import { parsePrefer } from './prefer.ts'

/**
 * Warnings of a receipt (metadata completed, stored masked, the author cannot read it) are told to everyone: their codes
 * in the header `DMP-Warnings` (a list of RFC 9651), in full with `Prefer: return=OperationOutcome`.
 */
export function sendWritten(
  { request, response, format }: Exchange,
  status: number,
  resource: Resource,
  headers: Readonly<Record<string, string>>,
  warnings: readonly Issue[] = [],
): void {
  const { return: wanted } = parsePrefer(request.headers.prefer)
  const told = {
    ...headers,
    ...warningsHeader(warnings),
    ...(wanted === undefined ? {} : { 'Preference-Applied': `return=${wanted}` }),
  }
  if (wanted === 'minimal') {
    response.writeHead(status, { ...told, 'Content-Length': 0 })
    response.end()
    return
  }
  sendResource(response, status, wanted === 'OperationOutcome' ? successOf(warnings) : resource, format, told)
}

function warningsHeader(warnings: readonly Issue[]): Record<string, string> {
  const codes = [...new Set(warnings.map(({ code }) => code))]
  return codes.length === 0 ? {} : { 'DMP-Warnings': serializeList(codes.map((code) => [new Token(code), new Map()])) }
}

/** FHIR R4 operationoutcome.html: an outcome has at least one issue, success too. */
function successOf(warnings: readonly Issue[]) {
  if (warnings.length > 0) return outcomeOf(warnings.map((issue) => ({ ...issue, severity: 'warning' as const })))
  return {
    resourceType: 'OperationOutcome' as const,
    issue: [{ severity: 'information' as const, code: 'informational' as const, details: { text: 'Enregistré.' } }],
  }
}
