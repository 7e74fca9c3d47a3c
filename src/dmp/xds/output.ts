/** `output` of the DMP's own services: a status, a context in words, and rows (DMP-SERVICES §2.4 to §2.6). */
import { GatewayError } from '../../errors.ts'
import { dtmToIso, isDtm } from '../../metadata/dtm.ts'
import { child, type XmlElement } from '../../xml/tree.ts'
import { refusedByDmp } from './soap.ts'

/**
 * The output of an answer that says DMPOk, in whatever case it is written.
 * @throws GatewayError dmp-refused with the status and the context of anything else; dmp-answer-invalid
 */
export function outputOf(answer: XmlElement, namespace: string, operation: string): XmlElement {
  const output =
    answer.ns === namespace && answer.local === `${operation}Response` ? child(answer, namespace, 'output') : undefined
  const status = output && textOf(output, 'status')
  if (output === undefined || status === undefined) throw unusable(operation, 'it has no status')
  if (status.toLowerCase() !== 'dmpok') throw refusedByDmp(status, textOf(output, 'context') ?? '')
  return output
}

/** Text of a child in the namespace of its parent; undefined when it is absent or says nothing. */
export function textOf(row: XmlElement, local: string): string | undefined {
  return child(row, row.ns, local)?.text.trim() || undefined
}

/** ISO 8601 instant of `yyyyMMddHHmmss`, UTC; undefined when it is absent. @throws GatewayError dmp-answer-invalid */
export function instantOf(row: XmlElement, local: string, operation: string): string | undefined {
  const value = textOf(row, local)
  if (value === undefined) return undefined
  if (value.length !== 14 || !isDtm(value)) throw unusable(operation, `${local} is not yyyyMMddHHmmss`)
  return dtmToIso(value)
}

export function unusable(operation: string, what: string): GatewayError {
  return new GatewayError('dmp-answer-invalid', { detail: `The answer to ${operation} cannot be used: ${what}.` })
}
