/**
 * The guard: an ordered list of named rules, each of which refuses or abstains. The first refusal is the answer; if none
 * refuses, a cell of the functional-rights matrix or a rule for callers outside it must permit; silence is a refusal.
 * Pure: no I/O, no clock, no randomness. The rules are sorted by operation and kind of caller once, at load.
 */
import type { CallerKind } from './caller.ts'
import { obligationsOf, permittingRule, warningsOf } from './permission.ts'
import { columnOf, matrixOperations, rightOf } from './role.ts'
import { carers, patientActs, type Question, type Rule, refusal } from './rule.ts'
import { consultationRules } from './rules/consultation.ts'
import { emergencyRules } from './rules/emergency.ts'
import { feedingRules } from './rules/feeding.ts'
import { identityRules } from './rules/identity.ts'
import { listRules } from './rules/lists.ts'
import { openTo, peopleRules } from './rules/people.ts'
import { updateRules } from './rules/updates.ts'
import type { AccessRequest, Decision, Deny, Operation, Permit, Policy, RecordFacts } from './types.ts'

/** Every rule, in the order in which they answer (docs/access-rules.md). */
export const rules: readonly Rule[] = [
  ...identityRules,
  ...listRules,
  ...emergencyRules,
  ...consultationRules,
  ...feedingRules,
  ...updateRules,
  ...peopleRules,
]

/** Every operation there is. */
export const allOperations: readonly Operation[] = [
  ...matrixOperations,
  ...patientActs,
  'open',
  'history',
  'brain-death',
  'explain',
  'destroy',
  'registry',
]
const kinds: readonly CallerKind[] = [
  'professional',
  'staff',
  'structure',
  'patient',
  'representative',
  'system',
  'tester',
]

interface Plan {
  readonly rules: readonly Rule[]
  /** Facts read up to and including each rule, in the order of `rules`. */
  readonly used: readonly (readonly string[])[]
  /** All of them, for a decision that no rule made. */
  readonly all: readonly string[]
  readonly withoutObject: readonly Rule[]
}

function plan(operation: Operation, kind: CallerKind): Plan {
  const chosen = rules.filter(
    (rule) =>
      (rule.operations === 'all' || rule.operations.includes(operation)) &&
      (rule.kinds === 'all' || rule.kinds.includes(kind)),
  )
  const used = chosen.map((_, index) => [...new Set(chosen.slice(0, index + 1).flatMap(({ uses }) => uses))])
  return {
    rules: chosen,
    used,
    all: used.at(-1) ?? [],
    withoutObject: chosen.filter(({ needs }) => needs === 'request'),
  }
}

/** A table with a value for each of the keys. */
function tableOf<K extends string, V>(keys: readonly K[], value: (key: K) => V): Readonly<Record<K, V>> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>
}

const plans = tableOf(allOperations, (operation) => tableOf(kinds, (kind) => plan(operation, kind)))

const nothing: readonly never[] = []
/** Conformance mode: the tester may call everything. */
const tester: Permit = {
  verdict: 'permit',
  rule: 'IHE',
  obligations: nothing,
  warnings: nothing,
  used: ['kind', 'policy.profile'],
}
const silence = refusal(
  'DEFAULT',
  'not-permitted-for-role',
  'No rule opens this operation to this kind of caller: present another identity.',
)

export function isTester({ caller }: Pick<AccessRequest, 'caller'>, policy: Policy): boolean {
  return caller.kind === 'tester' && policy.profile === 'ihe'
}

/** The rules that bear on a request, and what they judge. */
export function questionOf(request: AccessRequest, facts: RecordFacts | undefined, policy: Policy): Question {
  const column = columnOf(request.caller, facts?.treatingPhysician === true)
  const right = rightOf(request.operation, column, request.purpose, request.caller)
  return { request, facts, policy, column, right }
}

/** The rules that bear on an operation by a kind of caller, in order. */
export function rulesFor({ operation, caller }: AccessRequest): readonly Rule[] {
  return plans[operation][caller.kind].rules
}

/**
 * Decides on a request about a known patient. `facts` is what the DMP knows of the record as it bears on this caller;
 * undefined when there is none. Never throws; a decision carries its rule and the names of the facts it rests on.
 */
export function decide(request: AccessRequest, facts: RecordFacts | undefined, policy: Policy): Decision {
  if (isTester(request, policy)) return tester
  const { rules: chosen, used, all } = plans[request.operation][request.caller.kind]
  const question = questionOf(request, facts, policy)
  for (let index = 0; index < chosen.length; index++) {
    const rule = chosen[index] as Rule
    const issues = rule.refuse(question)
    if (issues !== undefined) return { verdict: 'deny', rule: rule.id, issues, used: used[index] ?? nothing }
  }
  const permitting = permittingRule(question)
  if (permitting === undefined) return { verdict: 'deny', rule: 'DEFAULT', issues: silence, used: all }
  return {
    verdict: 'permit',
    rule: permitting,
    obligations: obligationsOf(question),
    warnings: warningsOf(question),
    used: all,
  }
}

/** Whether anything could ever permit this operation to this kind of caller. */
function isImaginable({ caller, operation }: AccessRequest, policy: Policy): boolean {
  const others = openTo[caller.kind]
  if (others !== undefined) return others.operations.has(operation)
  if (!carers.some((kind) => kind === caller.kind)) return false
  switch (operation) {
    case 'open':
      return caller.kind === 'structure'
    case 'history':
    case 'choose':
    case 'close':
    case 'reopen':
    case 'copy':
    case 'rectify':
    case 'brain-death':
      return caller.kind === 'professional'
    case 'explain':
    case 'destroy':
      return false
    case 'registry':
      return policy.profile === 'ihe' && caller.kind !== 'staff'
    default:
      return true
  }
}

/**
 * What can be decided before the object is looked up (ACCESS-RULES, A request that names no patient, step 1): identity,
 * functional rights, reason, regulation, presence and form of the declaration. The answer is the same whether or not
 * the object exists; undefined when nothing refuses yet.
 */
export function decideWithoutObject(request: AccessRequest, policy: Policy): Deny | undefined {
  if (isTester(request, policy)) return undefined
  const { withoutObject, all } = plans[request.operation][request.caller.kind]
  const question = questionOf(request, undefined, policy)
  for (const rule of withoutObject) {
    const issues = rule.refuse(question)
    if (issues !== undefined) return { verdict: 'deny', rule: rule.id, issues, used: rule.uses }
  }
  return isImaginable(request, policy) ? undefined : { verdict: 'deny', rule: 'DEFAULT', issues: silence, used: all }
}
