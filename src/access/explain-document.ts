/**
 * Which rule of the filter hides a document from somebody, or shows it: the filter read again, step by step, as it judges
 * (filter.ts). It names rules, never what is in the document.
 */
import { functionalRight, habilitation } from '../nomenclature/index.ts'
import { filterRules } from './catalogue.ts'
import { HIDDEN_FROM_PATIENT, HIDDEN_FROM_REPRESENTATIVES, isLotSignature, MASKED } from './confidentiality.ts'
import { byReference, liftsAt, type Viewer, visible } from './filter.ts'
import { columnOf, isAuthor, modeOf } from './role.ts'
import type { DocumentFacts } from './types.ts'

/** What a rule says of the document: it hides it, shows it whatever the others say, or lets it pass. */
type Word = 'passed' | 'SHOWS' | 'HIDES'
type Step = readonly [rule: string, word: Word, why?: string]

/** One line a step; the last one is the verdict, which is the filter's own. */
export function explainDocument(document: DocumentFacts, viewer: Viewer): readonly string[] {
  const lines: string[] = []
  for (const [rule, word, why] of stepsOf(document, viewer)) {
    const says = filterRules.find(({ id }) => id === rule)?.says
    lines.push(`${rule}  ${word}: ${why ?? says ?? ''}`)
    if (word !== 'passed') break
  }
  return [...lines, `the document is ${visible(document, viewer) ? 'shown' : 'hidden'}`]
}

function stepsOf(document: DocumentFacts, viewer: Viewer): readonly Step[] {
  const { caller, facts, policy } = viewer
  if (caller.kind === 'tester') return [['IHE', policy.profile === 'ihe' ? 'SHOWS' : 'HIDES', 'conformance mode']]
  if (document.patient !== facts.patient) return [['ID3', 'HIDES', 'the document is in the record of another patient']]
  switch (caller.kind) {
    case 'structure':
    case 'staff':
      return ofStructure(document, viewer)
    case 'patient':
      return [signature(document), secret(document, viewer), ['PA1', 'SHOWS', 'the record is the own one']]
    case 'representative':
      return ofRepresentative(document, viewer)
    case 'professional':
      return ofProfessional(document, viewer)
    default:
      return [['SY1', 'HIDES', 'the administrator reads no document']]
  }
}

function passedOr(rule: string, hides: boolean, why?: string): Step {
  const word = hides ? 'HIDES' : 'passed'
  return why === undefined ? [rule, word] : [rule, word, why]
}

function signature(document: DocumentFacts): Step {
  return passedOr('FE4', isLotSignature(document), 'the signature of a lot is found by its structure alone')
}

/** DF3. */
function secret(document: DocumentFacts, { now }: Viewer): Step {
  const hidden = document.confidentiality.includes(HIDDEN_FROM_PATIENT) && !(now.getTime() >= liftsAt(document))
  return passedOr('DF3', hidden)
}

function ofStructure(document: DocumentFacts, { caller, operation }: Viewer): readonly Step[] {
  if (!byReference.has(operation))
    return [['AD1', 'HIDES', 'staff and structures look up references only, and read nothing']]
  const signed = operation === 'TD3.1b' ? [] : [signature(document)]
  return [...signed, ['DF0', isAuthor(caller, document) ? 'SHOWS' : 'HIDES']]
}

function ofRepresentative(document: DocumentFacts, viewer: Viewer): readonly Step[] {
  const { caller, facts } = viewer
  return [
    passedOr('PA2', facts.minor !== true, 'a representative acts for a minor by the birth date on record'),
    passedOr('DF4', caller.secretConnection, 'a secret connection is the minor’s own'),
    signature(document),
    passedOr('DF4', document.confidentiality.includes(HIDDEN_FROM_REPRESENTATIVES)),
    secret(document, viewer),
    ['PA2', 'SHOWS', 'the record is that of the minor'],
  ]
}

function ofProfessional(document: DocumentFacts, viewer: Viewer): readonly Step[] {
  const { caller, purpose, facts, operation } = viewer
  const steps: Step[] = [signature(document)]
  const reference = viewer.byReference === true || byReference.has(operation) || operation === 'history'
  if (isAuthor(caller, document))
    steps.push(
      reference
        ? ['DF0', 'SHOWS']
        : ['DF0', 'passed', 'an author finds it by its uniqueId or identifier, whatever follows'],
    )
  const column = columnOf(caller, facts.treatingPhysician)
  const bit = habilitation.column(caller.profession, caller.specialities)?.bit ?? 0
  if (column === undefined || column === 'es_cert')
    return [...steps, ['FR1', 'HIDES', 'no column of the functional-rights matrix lets this caller read']]
  const opens = (row: string) => functionalRight(row, column, modeOf(column, purpose), caller.authentication)
  const { availabilityStatus: status, confidentiality, typeCode } = document
  const masked = opens('TD3.2.masque_ps')?.note
  const unmasked =
    masked === '' ||
    (masked === '6' && isAuthor(caller, document)) ||
    (masked === '7' && facts.choices.maskedInEmergencyPermitted)
  const invisible = [HIDDEN_FROM_PATIENT, HIDDEN_FROM_REPRESENTATIVES].some((code) => confidentiality.includes(code))
  return [
    ...steps,
    passedOr('DF1', typeCode === undefined || (habilitation.mask(typeCode) & bit) === 0),
    passedOr('DF5', opens(statusRows[status]) === undefined),
    passedOr('DF2', confidentiality.includes(MASKED) && !unmasked),
    passedOr('DF3', invisible && opens('TD3.2.invisible_patient_rl') === undefined),
    ['FRM', 'SHOWS', 'nothing hides it from this caller'],
  ]
}

const statusRows: Readonly<Record<DocumentFacts['availabilityStatus'], string>> = {
  Approved: 'TD3.2.normal',
  Deprecated: 'TD3.2.obsolete',
  Archived: 'TD3.2.archived',
  Deleted: 'TD3.2.deleted',
}
