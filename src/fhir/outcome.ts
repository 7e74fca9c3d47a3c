/** Errors as OperationOutcome, from the one table of errors. */
import type { OperationOutcome, OperationOutcomeIssue } from '@medplum/fhirtypes'
import { errorRow, type GatewayError, type Issue } from '../errors.ts'

const decisionSystem = 'https://dmp-gateway.example.org/fhir/CodeSystem/decision'
const xdsSystem = 'urn:ihe:iti:xds:error'

/** FHIRPath from a resource type: `Bundle.entry[1].resource.type`; other locations are of the registry, not of FHIR. */
const fhirPath = /^[A-Z][A-Za-z]+(\.|\[|$)/

/** An OperationOutcome that carries every issue. */
export function outcomeOf(issues: readonly Issue[]): OperationOutcome {
  return { resourceType: 'OperationOutcome', issue: issues.map(outcomeIssue) }
}

function outcomeIssue(issue: Issue): OperationOutcomeIssue {
  const row = errorRow(issue.code)
  const diagnostics = [issue.rule, issue.detail].filter((part) => part !== undefined).join(': ')
  const coding = [{ system: xdsSystem, code: issue.foreign ?? row.xds }]
  if (row.xds !== issue.code) coding.unshift({ system: decisionSystem, code: issue.code })
  return {
    severity: issue.severity ?? 'error',
    code: row.issue,
    details: { coding, text: row.fr },
    ...(diagnostics === '' ? {} : { diagnostics }),
    ...(issue.location === undefined
      ? {}
      : fhirPath.test(issue.location)
        ? { expression: [issue.location] }
        : { diagnostics: [diagnostics, `(${issue.location})`].filter((part) => part !== '').join(' ') }),
  }
}

/** Headers that the status of an error asks for. */
export function headersOf(error: GatewayError): Readonly<Record<string, string>> {
  if (error.http === 401)
    return {
      'WWW-Authenticate':
        error.code === 'identity-missing'
          ? 'Bearer realm="dmp-gateway"'
          : 'Bearer realm="dmp-gateway", error="invalid_token"',
    }
  return error.http === 503 ? { 'Retry-After': '5' } : {}
}
