/** Feeding: opposition, information, and what the DMP accepts: FE1–FE5. FE3 and FE4 name every wrong code of every entry. */
import type { Issue } from '../../errors.ts'
import type { Code, DocumentEntry } from '../../metadata/model.ts'
import { classOfType, habilitation, isDmpType, type ValueSetName, valueSet } from '../../nomenclature/index.ts'
import { entryConfidentialityIssues, isLotSignature } from '../confidentiality.ts'
import { carers, feeding, type Question, type Refusal, type Rule, refusal } from '../rule.ts'
import type { AccessRequest, Policy } from '../types.ts'
import { informs } from './consultation.ts'

const opposed = refusal(
  'FE1',
  'feed-opposed',
  'The refusal is on record. Feed once the patient no longer opposes, and send no opposition then.',
)
const notInformed = refusal(
  'FE2',
  'patient-not-informed',
  'Inform the patient of feeding (once in the follow-up; a poster alone does not), then send DMP-Consent: informed=?1.',
)

/** A code as an error may show it: of the message, cut short. */
const shown = (code: string): string => code.slice(0, 80)

function notAccepted(entry: DocumentEntry, attribute: string, set: ValueSetName, code: Code): Issue {
  const { name } = valueSet(set)
  const known = valueSet(set).get(code.code)
  const advice =
    known === undefined
      ? `send a code of ${name}`
      : `send it with code system ${known.system} (${name}), not ${shown(code.system)}`
  return {
    code: 'code-not-accepted',
    rule: 'FE3',
    location: `${entry.entryUuid}/${attribute}`,
    detail: `${shown(code.code)}: ${advice}.`,
  }
}

const coded = [
  ['formatCode', 'formatCode'],
  ['healthcareFacilityTypeCode', 'healthcareFacilityTypeCode'],
  ['practiceSettingCode', 'practiceSettingCode'],
] as const

/** typeCode and classCode: JDV_J66, and the class that ASS_X16 deduces from the type. */
function typeIssues(entry: DocumentEntry): Issue[] {
  const { typeCode, classCode, entryUuid } = entry
  const report = (code: Issue['code'], attribute: string, detail: string): Issue[] => [
    { code, rule: 'FE3', location: `${entryUuid}/${attribute}`, detail },
  ]
  if (typeCode === undefined)
    return report('type-not-accepted', 'typeCode', 'typeCode is missing: send a code of JDV_J66.')
  if (!isDmpType(typeCode.code, typeCode.system)) {
    const known = valueSet('typeCode').get(typeCode.code)
    return report(
      'type-not-accepted',
      'typeCode',
      known === undefined
        ? `${shown(typeCode.code)} is not in JDV_J66: send a type that the DMP accepts.`
        : `${shown(typeCode.code)}: send it with code system ${known.system}, not ${shown(typeCode.system)}.`,
    )
  }
  const deduced = classOfType(typeCode.code)
  if (classCode === undefined || deduced === undefined) return []
  if (classCode.code !== deduced.code)
    return report(
      'class-type-mismatch',
      'classCode',
      `The class of type ${typeCode.code} is ${deduced.code} (ASS_X16), not ${shown(classCode.code)}: send that, or no class.`,
    )
  return valueSet('classCode').has(classCode.code, classCode.system)
    ? []
    : [notAccepted(entry, 'classCode', 'classCode', classCode)]
}

function codeIssues(entry: DocumentEntry): Issue[] {
  const issues = typeIssues(entry)
  for (const [attribute, set] of coded) {
    const code = entry[attribute]
    if (code !== undefined && !valueSet(set).has(code.code, code.system))
      issues.push(notAccepted(entry, attribute, set, code))
  }
  for (const code of entry.confidentialityCodes)
    if (!valueSet('confidentialityCode').has(code.code, code.system))
      issues.push(notAccepted(entry, 'confidentialityCode', 'confidentialityCode', code))
  for (const { typeCode } of entry.referenceIds)
    if (typeCode !== undefined && !valueSet('referenceIdType').has(typeCode))
      issues.push(
        notAccepted(entry, 'referenceIdList', 'referenceIdType', { code: typeCode, system: '1.2.250.1.213.1.1.4.347' }),
      )
  return issues
}

/** contentTypeCode of the SubmissionSet: JDV_J59. Absent, the metadata rules have said so. */
function contentTypeIssues(submissionSet: AccessRequest['submissionSet']): Issue[] {
  const set = valueSet('contentTypeCode')
  const code = submissionSet?.contentTypeCode
  if (submissionSet === undefined || code === undefined || set.has(code.code, code.system)) return []
  const known = set.get(code.code)
  return [
    {
      code: 'code-not-accepted',
      rule: 'FE3',
      location: `${submissionSet.entryUuid}/contentTypeCode`,
      detail:
        known === undefined
          ? `${shown(code.code)}: send a code of ${set.name}.`
          : `${shown(code.code)}: send it with code system ${known.system} (${set.name}), not ${shown(code.system)}.`,
    },
  ]
}

const asRefusal = ([first, ...rest]: readonly Issue[]): Refusal | undefined =>
  first === undefined ? undefined : [first, ...rest]

function confidentiality({ request: { entries = [] }, facts, policy }: Question): Issue[] {
  return entries.flatMap((entry) => entryConfidentialityIssues(entry, facts?.minor, policy))
}

function acceptedCodes(question: Question): Refusal | undefined {
  if (question.policy.profile === 'ihe') return undefined
  const { submissionSet, entries = [] } = question.request
  const issues = [...contentTypeIssues(submissionSet), ...entries.flatMap(codeIssues)]
  return issues.length === 0 ? undefined : asRefusal([...issues, ...confidentiality(question)])
}

/** FE3 and FE4 as far as the message alone breaks them, whoever sends it and whatever the record is. */
export function messageIssues(
  { submissionSet, entries = [] }: Pick<AccessRequest, 'submissionSet' | 'entries'>,
  policy: Policy,
): readonly Issue[] {
  if (policy.profile === 'ihe') return []
  // Whether the patient is a minor the record says
  const labels = entries.flatMap((entry) => entryConfidentialityIssues(entry, true, policy))
  return [...contentTypeIssues(submissionSet), ...entries.flatMap(codeIssues), ...labels]
}

/** FE5: the matrix governs reading, not feeding; an author who could not read the type back is told. */
export function authorCannotRead({ request: { entries = [], caller } }: Question): readonly Issue[] {
  if (caller.kind !== 'professional') return []
  const column = habilitation.column(caller.profession, caller.specialities)
  return entries.flatMap((entry) =>
    isLotSignature(entry) || habilitation.permits(column, entry.typeCode?.code)
      ? []
      : [
          {
            code: 'author-cannot-read' as const,
            severity: 'warning' as const,
            rule: 'FE5',
            location: `${entry.entryUuid}/typeCode`,
          },
        ],
  )
}

export const feedingRules: readonly Rule[] = [
  {
    id: 'FE1',
    says: 'the patient has not opposed this feeding for a legitimate reason',
    source: 'SEED0, SEED2; R.1111-47',
    operations: feeding,
    kinds: carers,
    needs: 'record',
    uses: ['declaration.opposition', 'choices.feedOpposed'],
    refuse: ({ request: { declaration }, facts }) =>
      declaration.opposition === true || facts?.choices.feedOpposed !== false ? opposed : undefined,
  },
  {
    id: 'FE2',
    says: 'the patient is informed of feeding: declared now, or on record for this structure',
    source: 'SEED0, SEED2',
    operations: feeding,
    kinds: carers,
    needs: 'record',
    uses: ['declaration.informed', 'record.informedOfFeeding'],
    refuse: ({ request: { declaration }, facts }) =>
      informs(declaration) || facts?.informedOfFeeding === true ? undefined : notInformed,
  },
  {
    id: 'FE3',
    says: 'typeCode is in JDV_J66, classCode is its class (ASS_X16), contentTypeCode in JDV_J59, the other codes in their DMP value sets',
    source: 'DMP-FACTS 4',
    operations: feeding,
    kinds: 'all',
    needs: 'record',
    uses: ['entries', 'submissionSet', 'policy.profile'],
    refuse: acceptedCodes,
  },
  {
    id: 'FE4',
    says: 'confidentiality: N always, never R or V, no forbidden combination',
    source: 'DMP-FACTS 3.6',
    operations: feeding,
    kinds: 'all',
    needs: 'record',
    uses: ['entries', 'record.minor', 'policy.cumulativeMasking', 'policy.profile'],
    refuse: (question) => (question.policy.profile === 'ihe' ? undefined : asRefusal(confidentiality(question))),
  },
]
