/** What permits when no rule refused, and what follows from the permission (ACCESS-RULES 2 and 4). */
import type { Issue } from '../errors.ts'
import { isLotSignature } from './confidentiality.ts'
import { isPatientDocument } from './role.ts'
import type { Question } from './rule.ts'
import { informs } from './rules/consultation.ts'
import { authorCannotRead } from './rules/feeding.ts'
import { openTo } from './rules/people.ts'
import type { Obligation } from './types.ts'

const nothing: readonly never[] = []

/** The rule or cell of the functional-rights matrix that opens the operation, or undefined: silence is a refusal. */
export function permittingRule({ request, facts, right, policy }: Question): string | undefined {
  const { caller, operation, target } = request
  const others = openTo[caller.kind]
  if (others !== undefined) return others.operations.has(operation) ? others.rule : undefined
  switch (operation) {
    case 'open':
      return caller.kind === 'structure' ? 'OPEN' : undefined
    case 'history':
      if (caller.kind !== 'professional') return undefined
      return facts?.treatingPhysician === true ? 'MT1' : 'HI1'
    case 'choose':
    case 'close':
    case 'reopen':
    case 'copy':
    case 'rectify':
      return caller.kind === 'professional' ? 'MT1' : undefined
    case 'brain-death':
      return caller.kind === 'professional' ? 'BD2' : undefined
    case 'explain':
    case 'destroy':
      return undefined
    case 'registry':
      return policy.profile === 'ihe' && caller.kind !== 'staff' ? 'UP7' : undefined
    default:
      // Deleting or archiving a patient's document is the patient's act, done by the treating physician on request.
      if (target !== undefined && right !== undefined && caller.kind === 'professional' && isPatientDocument(target))
        return facts?.treatingPhysician === true ? 'MT1' : right.rule
      return right?.rule
  }
}

/** What is written and told with a permitted action. Patients' own acts oblige nobody, but for what they ask an author. */
export function obligationsOf(question: Question): readonly Obligation[] {
  const { request, facts } = question
  const { caller, operation } = request
  if (operation === 'rectify') return ['notify-rectification']
  if (caller.kind === 'patient' || caller.kind === 'representative' || facts === undefined) return nothing
  switch (operation) {
    case 'TD0.3.add':
      return ['record-authorisation']
    case 'TD2.1':
    case 'TD2.1b':
      return feedingObligations(question)
    case 'TD3.1a':
    case 'TD3.2':
      return request.purpose === 'normal'
        ? consultationObligations(question)
        : ['notify-emergency-access', 'display-mode']
    case 'TD3.3a.mask':
    case 'TD3.3a.unmask':
    case 'TD3.3b':
    case 'TD3.3c':
    case 'TD3.3d':
      return ['notify-visibility-change']
    case 'brain-death':
      return ['notify-brain-death']
    default:
      return nothing
  }
}

function feedingObligations({ request: { declaration, entries = [] } }: Question): readonly Obligation[] {
  const obligations: Obligation[] = []
  if (informs(declaration)) obligations.push('record-information')
  if (!entries.every(isLotSignature)) obligations.push('notify-feed')
  return obligations
}

function consultationObligations({ request: { declaration }, facts }: Question): readonly Obligation[] {
  const authorised = facts?.authorisation === 'VALIDE'
  // Whose authorisation has ended consulted before: it is declared again, but this is not the first time.
  const first = facts?.authorisation === 'NON_EXISTE'
  const { basis, episode } = declaration
  const informsNow =
    basis === 'care-team' && episode !== undefined && informs(declaration) && !facts?.informedEpisodes.includes(episode)
  if (authorised && !informsNow) return nothing
  const obligations: Obligation[] = []
  // Never automatic: only what was declared with this request makes an authorisation (BB EX_0.3-1010).
  if (!authorised && basis !== undefined) obligations.push('record-authorisation')
  if (informsNow) obligations.push('record-information')
  if (first) obligations.push('notify-first-consultation')
  return obligations
}

/** What is done and said: FE5. */
export function warningsOf(question: Question): readonly Issue[] {
  const { operation, entries } = question.request
  if (entries === undefined || (operation !== 'TD2.1' && operation !== 'TD2.1b')) return nothing
  return question.policy.profile === 'ihe' ? nothing : authorCannotRead(question)
}
