/** A decision told step by step, by reading the same rules again. For administrators; it names facts, never documents. */
import { footnotes, habilitation } from '../nomenclature/index.ts'
import { decide, isTester, questionOf, rulesFor } from './decide.ts'
import type { Question } from './rule.ts'
import type { AccessRequest, Policy, RecordFacts } from './types.ts'

/**
 * The path through the rules, one line each, ending with the decision; `typeCodes` adds what the habilitation matrix says
 * of these types for the caller's profession.
 */
export function explain(
  request: AccessRequest,
  facts: RecordFacts | undefined,
  policy: Policy,
  typeCodes: readonly string[] = [],
): readonly string[] {
  const { caller, operation, purpose } = request
  const lines = [`${operation} by ${caller.kind} (${caller.authentication}), mode ${purpose}`]
  if (isTester(request, policy)) return [...lines, 'permit by IHE: conformance mode']
  const question = questionOf(request, facts, policy)
  lines.push(cell(question))
  for (const rule of rulesFor(request)) {
    const issues = rule.refuse(question)
    if (issues === undefined) {
      lines.push(`${rule.id}  passed: ${rule.says} (${rule.source})`)
      continue
    }
    lines.push(`${rule.id}  REFUSED: ${rule.says} (${rule.source})`)
    for (const { code, detail, location } of issues)
      lines.push(
        `      ${code}${location === undefined ? '' : ` at ${location}`}${detail === undefined ? '' : `: ${detail}`}`,
      )
    break
  }
  const decision = decide(request, facts, policy)
  lines.push(
    decision.verdict === 'permit'
      ? `permit by ${decision.rule}${decision.obligations.length === 0 ? '' : `; then ${decision.obligations.join(', ')}`}`
      : `deny by ${decision.rule}: ${decision.issues.map(({ code }) => code).join(', ')}`,
  )
  return [...lines, ...typeCodes.map((type) => matrixLine(question, type))]
}

function cell({ request, column, right }: Question): string {
  if (column === undefined) return 'functional rights: no column for this caller'
  if (right === undefined) return `functional rights: column ${column}, no right to ${request.operation}`
  const note = right.note === '' ? '' : `, note ${right.note} (${footnotes[right.note]})`
  return `functional rights: ${right.rule}${note}`
}

function matrixLine({ request: { caller } }: Question, type: string): string {
  const column = habilitation.column(caller.profession, caller.specialities)
  if (column === undefined) return `DF1  ${type}: hidden, this profession has no column in the habilitation matrix`
  return `DF1  ${type}: ${habilitation.permits(column, type) ? 'open' : 'hidden'} to column ${column.key} (${column.label})`
}
