/** Updates and replacement: whose document it is, and what a structure or the DMP cannot do at all: UP1–UP9. */
import { confidentialityIssues, HIDDEN_FROM_PATIENT, HIDDEN_FROM_REPRESENTATIVES } from '../confidentiality.ts'
import { isAuthor, isPatientDocument } from '../role.ts'
import { carers, holders, type Question, type Refusal, type Rule, refusal } from '../rule.ts'

const owner = (rule: string, detail: string): Refusal => refusal(rule, 'not-the-author', detail)
const unmasking = owner('UP2', 'A document is unmasked by its author, the treating physician or the patient.')
const deleting = owner(
  'UP4',
  'A document is deleted by its author; a patient’s document by the patient or the treating physician.',
)
const archiving = owner(
  'UP5',
  'A document is archived by its author or as the functional-rights matrix opens it to others.',
)
const replacing = owner('UP9', 'Replace a document that you fed, or feed this one as a new document.')
const replaceInstead = refusal(
  'UP6',
  'use-replacement',
  'Feed the document again as a replacement (RPLC) that carries the new confidentiality.',
)
const notADmpOperation = refusal(
  'UP7',
  'not-a-dmp-operation',
  'The DMP knows feeding, replacement, masking, visibility, archiving and logical deletion of documents.',
)

/** A professional's own document, or a patient's document at the hands of the treating physician (S526, mark *). */
function mine({ request: { caller, target }, facts }: Question): boolean {
  if (target === undefined) return false
  if (isPatientDocument(target) && caller.kind === 'professional') return facts?.treatingPhysician === true
  return isAuthor(caller, target)
}

/** Notes 8 and 9 narrow the right to own documents; a cell without a note opens every document but a patient's. */
function opened(question: Question): boolean {
  const { right, request } = question
  const narrowed = right === undefined || right.note === '8' || right.note === '9'
  if (narrowed || (request.target !== undefined && isPatientDocument(request.target))) return mine(question)
  return request.target !== undefined
}

const settable = [HIDDEN_FROM_PATIENT, HIDDEN_FROM_REPRESENTATIVES]

function addsWhatIsSetAtFeeding({ request: { target, newConfidentiality } }: Question): Refusal | undefined {
  if (target === undefined || newConfidentiality === undefined) return undefined
  const added = settable.filter((code) => newConfidentiality.includes(code) && !target.confidentiality.includes(code))
  const [first] = added
  return first === undefined
    ? undefined
    : refusal(
        'UP3',
        'set-at-feeding',
        `${added.join(', ')}: feed a replacement that carries it.`,
        `${target.entryUuid}/confidentialityCode`,
      )
}

function wrongConfidentiality({
  request: { target, newConfidentiality },
  facts,
  policy,
}: Question): Refusal | undefined {
  if (target === undefined || newConfidentiality === undefined || policy.profile === 'ihe') return undefined
  const location = `${target.entryUuid}/confidentialityCode`
  const [first, ...rest] = confidentialityIssues(newConfidentiality, facts?.minor, policy, location)
  return first === undefined ? undefined : [first, ...rest]
}

export const updateRules: readonly Rule[] = [
  {
    id: 'UP2',
    says: 'a document is unmasked by its author, the treating physician or the patient',
    source: 'PDT-INF-526',
    operations: ['TD3.3a.unmask'],
    kinds: ['professional', 'staff'],
    needs: 'record',
    uses: ['target.authorPersons', 'record.treatingPhysician'],
    // Not `opened`: MT unmasks whatever the patient or others masked, the patient's own documents included.
    refuse: (question) =>
      question.column === 'es_cert' || question.right?.note === '' || mine(question) ? undefined : unmasking,
  },
  {
    id: 'UP3',
    says: 'nothing is made invisible to the patient or the representatives after feeding',
    source: 'PDT-INF-526, SEED0',
    operations: ['TD3.3a.mask', 'TD3.3a.unmask', 'TD3.3b'],
    kinds: [...carers, ...holders],
    needs: 'record',
    uses: ['target.confidentiality', 'newConfidentiality'],
    refuse: addsWhatIsSetAtFeeding,
  },
  {
    id: 'FE4',
    says: 'the new set of confidentiality codes is one the DMP accepts',
    source: 'DMP-FACTS 3.6',
    operations: ['TD3.3a.mask', 'TD3.3a.unmask', 'TD3.3b'],
    kinds: [...carers, ...holders],
    needs: 'record',
    uses: ['newConfidentiality', 'record.minor', 'policy.cumulativeMasking', 'policy.profile'],
    refuse: wrongConfidentiality,
  },
  {
    id: 'UP4',
    says: 'a document is deleted by its author; a patient’s by the patient or the treating physician; never physically',
    source: 'PDT-INF-526, SEED3',
    operations: ['TD3.3c'],
    kinds: [...carers, ...holders],
    needs: 'record',
    uses: ['target.authorPersons', 'target.depositedBy', 'target.feedingStructure', 'record.treatingPhysician'],
    refuse: (question) => (mine(question) ? undefined : deleting),
  },
  {
    id: 'UP5',
    says: 'a document is archived as the functional-rights matrix says; a patient’s by the patient or the treating physician',
    source: 'PDT-INF-526, PDT-INF-606',
    operations: ['TD3.3d'],
    kinds: [...carers, ...holders],
    needs: 'record',
    uses: ['target.authorPersons', 'target.depositedBy', 'record.treatingPhysician'],
    refuse: (question) => (question.column === 'es_cert' || opened(question) ? undefined : archiving),
  },
  {
    id: 'UP6',
    says: 'a structure certificate changes confidentiality by replacement',
    source: 'DMP-FACTS 1.2',
    operations: ['TD3.3a.mask', 'TD3.3a.unmask', 'TD3.3b', 'TD3.3d'],
    kinds: carers,
    needs: 'request',
    uses: ['kind', 'authentication'],
    refuse: ({ column }) => (column === 'es_cert' ? replaceInstead : undefined),
  },
  {
    id: 'UP7',
    says: 'registry maintenance exists outside the DMP only',
    source: 'the DMP never deletes physically; DMP-FACTS 1.2',
    operations: ['registry'],
    kinds: 'all',
    needs: 'request',
    uses: ['policy.profile'],
    refuse: ({ policy }) => (policy.profile === 'ci-sis' ? notADmpOperation : undefined),
  },
  {
    id: 'UP9',
    says: 'a document is replaced by whoever fed it: its person author, the structure, the patient (or the treating physician)',
    source: 'PDT-INF-526 notes 8 and 9',
    operations: ['TD2.1b'],
    kinds: [...carers, ...holders],
    needs: 'record',
    uses: ['target.authorPersons', 'target.depositedBy', 'target.feedingStructure', 'record.treatingPhysician'],
    // Without a target the replaced document is absent, and the registry says so of itself.
    refuse: (question) => (question.request.target === undefined || mine(question) ? undefined : replacing),
  },
]
