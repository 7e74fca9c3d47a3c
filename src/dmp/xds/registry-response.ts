/** rs:RegistryResponse and its errors, as the DMP gives them: known codes become ours, unknown ones go on unchanged. */
import { type ErrorCode, errorTable, GatewayError, type Issue } from '../../errors.ts'
import { ns } from '../../xds/namespaces.ts'
import { attribute, child, children, type XmlElement } from '../../xml/tree.ts'

const longestWords = 1000

/**
 * Warnings of a successful answer.
 * @param element rs:RegistryResponse, or an answer that has its attributes (AdhocQueryResponse)
 * @throws GatewayError with every error of a failed one, or dmp-answer-invalid
 */
export function readRegistryResponse(element: XmlElement): readonly Issue[] {
  const status = attribute(element, 'status') ?? ''
  const list = child(element, ns.rs, 'RegistryErrorList')
  const issues = (list ? children(list, ns.rs, 'RegistryError') : []).map(issueOf)
  // Warnings alone are no failure (ITI TF-3 4.2.4.2), whatever the status says of them
  if (status.endsWith(':Success') || (status.endsWith(':PartialSuccess') && !issues.some(isError))) return issues
  const errors = issues.filter(isError)
  if (errors.length > 0) throw new GatewayError(errors)
  throw new GatewayError('dmp-answer-invalid', { detail: 'The answer is no success and names no error.' })
}

function isError({ severity }: Issue): boolean {
  return severity !== 'warning'
}

function issueOf(error: XmlElement): Issue {
  const code = (attribute(error, 'errorCode') ?? '').trim()
  const words = (attribute(error, 'codeContext') ?? '').trim()
  const location = attribute(error, 'location')?.trim()
  return {
    ...(isIheCode(code) ? { code } : { code: 'dmp-refused', foreign: code.slice(0, 200) || 'unknown' }),
    ...(attribute(error, 'severity')?.endsWith('Warning') && { severity: 'warning' as const }),
    ...(words !== '' && { detail: words.slice(0, longestWords) }),
    ...(location && { location: location.slice(0, 200) }),
  }
}

/** Rows under their own IHE name; the house's own codes are no codes of a registry. */
function isIheCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code) && errorTable[code as ErrorCode].xds === code
}
