/** Callers outside the functional-rights matrix: the administrator, the patient, the representative, readers of the history. */
import type { Issue } from '../../errors.ts'
import { splitPatientKey } from '../../metadata/identifiers.ts'
import type { DocumentEntry } from '../../metadata/model.ts'
import type { Caller, CallerKind } from '../caller.ts'
import { isPatientDocument } from '../role.ts'
import { carers, feeding, holders, patientActs, type Question, type Refusal, type Rule, refusal } from '../rule.ts'
import type { Operation } from '../types.ts'

/** What a patient does on the own record (PA1), and a representative on a minor's (PA2). */
const holderOperations: readonly Operation[] = [
  'TD0.2',
  'TD1.3a',
  'TD1.6',
  'TD2.1',
  'TD2.1b',
  'TD3.1a',
  'TD3.1b',
  'TD3.2',
  'TD3.3a.mask',
  'TD3.3a.unmask',
  'TD3.3c',
  'TD3.3d',
  'history',
  ...patientActs,
]

/** Operations open to a kind of caller outside the matrix, with the rule that says so. */
export const openTo: Readonly<
  Partial<Record<CallerKind, { readonly rule: string; readonly operations: ReadonlySet<Operation> }>>
> = {
  patient: { rule: 'PA1', operations: new Set(holderOperations) },
  representative: { rule: 'PA2', operations: new Set(holderOperations) },
  system: {
    rule: 'SY1',
    operations: new Set<Operation>([
      'TD0.2',
      'TD1.3a',
      'TD1.6',
      'open',
      'choose',
      'close',
      'reopen',
      'explain',
      'destroy',
    ]),
  },
}

/** The choices in force and the persons named in them: shown where they are settled for the patient, on the command line. */
const onCommandLine: ReadonlySet<Operation> = new Set(['TD1.3a', 'TD1.6'])
/** Whoever owns the data folder, and acts at the patient's request. */
const isLocal = ({ kind, proof }: Caller): boolean => kind === 'system' && proof === 'local'

const neverReads = refusal(
  'SY1',
  'not-permitted-for-role',
  'The administrator opens, closes and configures records; present a professional or a structure to feed or consult.',
)
const normalModeOnly = refusal(
  'PA1',
  'not-permitted-for-role',
  'The emergency modes are for professionals: send normal, or none.',
)
const minorsOnly = refusal(
  'PA2',
  'not-permitted-for-role',
  'A representative acts for a minor whose birth date is on record; afterwards the patient acts alone.',
)
const notTheirs = refusal(
  'MT1',
  'not-permitted-for-role',
  'The patient does this, the representative of a minor, or, in the normal mode and at the patient’s request, the treating or administrator physician.',
)
const administratorDesignates = refusal(
  'CH1',
  'not-permitted-for-role',
  'The treating physician is told by the health insurance: here the administrator of the record store sets it, and nothing else of the patient’s choices.',
)
const noEmergencyMode = refusal(
  'CH2',
  'choice-contradictory',
  'Permit break-glass or access by the regulation centres first: masked documents are then opened in that mode only.',
)
const whatIsWrong = refusal(
  'RC1',
  'reason-required',
  'Send the parameter reason: what in the document is to be rectified.',
)
const ownDocument = refusal(
  'RC1',
  'not-permitted-for-role',
  'The patient deposited this document: replace or delete it instead.',
)
const notInForce = refusal(
  'RC1',
  'XDSRegistryDeprecatedDocumentError',
  'This document is replaced or deleted: name the one in force.',
)
const namedReader = refusal(
  'HI1',
  'nominative-identity-required',
  'The access history is read by a named professional (direct CPS or e-CPS, or air), the patient or a representative.',
)

/** Documents of the patient: DOCPAT01–DOCPAT09, EXPPAT_1–EXPPAT_3. */
const PATIENT_TYPE = /^(DOCPAT|EXPPAT_)/

/** PA1: own documents only, written by the patient (EXP_PATIENT) or whoever acts for the patient. */
function ownEntries(rule: string, caller: Caller, entries: readonly DocumentEntry[]): Refusal | undefined {
  const authors = new Set([caller.person?.id, caller.patient && splitPatientKey(caller.patient).id])
  const issues: Issue[] = []
  const report = (entry: DocumentEntry, attribute: string, detail: string) =>
    issues.push({ code: 'not-permitted-for-role', rule, location: `${entry.entryUuid}/${attribute}`, detail })
  for (const entry of entries) {
    if (!PATIENT_TYPE.test(entry.typeCode?.code ?? ''))
      report(entry, 'typeCode', 'A patient feeds documents of types DOCPAT01 to DOCPAT09 and EXPPAT_1 to EXPPAT_3.')
    if (
      entry.authors.some(
        ({ person, institutions }) => institutions.length > 0 || (person !== undefined && !authors.has(person.id)),
      )
    )
      report(entry, 'author', 'The author of a patient’s document is the patient, without an institution.')
  }
  const [first, ...rest] = issues
  return first === undefined ? undefined : [first, ...rest]
}

/** Nobody is asked to rectify what the patient can change, or what is in force no more. */
function nothingToRectify({ request: { target } }: Question): Refusal | undefined {
  if (target === undefined) return undefined
  if (isPatientDocument(target)) return ownDocument
  const { availabilityStatus: status } = target
  return status === 'Deprecated' || status === 'Deleted' ? notInForce : undefined
}

/** MES: the choice about masked documents can be made only where an emergency mode stands (DMP-FACTS 6.3). */
function contradiction({ request: { change }, facts }: Question): Refusal | undefined {
  if (change?.kind !== 'choice' || change.choice !== 'maskedInEmergencyPermitted' || !change.value) return undefined
  const { breakGlassPermitted, regulationPermitted } = facts?.choices ?? {}
  return breakGlassPermitted === true || regulationPermitted === true ? undefined : noEmergencyMode
}

export const peopleRules: readonly Rule[] = [
  {
    id: 'SY1',
    says: 'the administrator opens, closes and configures, reads the choices on the command line only, and never a document or its metadata',
    source: 'design',
    operations: 'all',
    kinds: ['system'],
    needs: 'request',
    uses: ['kind', 'proof'],
    refuse: ({ request: { operation, caller } }) =>
      openTo.system?.operations.has(operation) && (isLocal(caller) || !onCommandLine.has(operation))
        ? undefined
        : neverReads,
  },
  {
    id: 'MT1',
    says: 'what is the patient’s to settle is settled by the patient, or by the treating or administrator physician at the patient’s request, in the normal mode',
    source: 'SEED3 Q6, Q10',
    operations: patientActs,
    kinds: carers,
    needs: 'record',
    uses: ['kind', 'authentication', 'purpose', 'record.treatingPhysician'],
    refuse: ({ request: { purpose }, column }) => (column === 'mt' && purpose === 'normal' ? undefined : notTheirs),
  },
  {
    id: 'CH1',
    says: 'the treating physician of the record is set by the administrator, everything else by the patient or for the patient; on the command line by the administrator at the patient’s request',
    source: 'SEED3 Q13, DMP-FACTS 3.6 (STATUT_MT); design',
    operations: ['choose'],
    kinds: 'all',
    needs: 'request',
    uses: ['kind', 'proof', 'change'],
    refuse: ({ request: { caller, change } }) => {
      if (isLocal(caller)) return undefined
      const treating = change?.kind === 'designate' && change.role === 'treating'
      return treating === (caller.kind === 'system') ? undefined : administratorDesignates
    },
  },
  {
    id: 'CH2',
    says: 'masked documents are permitted in emergency only where an emergency mode is',
    source: 'DMP-FACTS 6.3 (Mon espace santé)',
    operations: ['choose'],
    kinds: 'all',
    needs: 'record',
    uses: ['change', 'choices.breakGlassPermitted', 'choices.regulationPermitted'],
    refuse: contradiction,
  },
  {
    id: 'HI1',
    says: 'a professional who reads the access history is a named person',
    source: 'SEED1; PDT-INF-527 2.6',
    operations: ['history'],
    kinds: ['professional'],
    needs: 'request',
    uses: ['authentication', 'person'],
    refuse: ({ request: { caller }, column }) =>
      column === 'es_cert' || caller.person === undefined ? namedReader : undefined,
  },
  {
    id: 'PA1',
    says: 'a patient acts in the normal mode and feeds own documents only',
    source: 'SEED0, SEED3 Q9',
    operations: 'all',
    kinds: holders,
    needs: 'request',
    uses: ['purpose'],
    refuse: ({ request: { purpose } }) => (purpose === 'normal' ? undefined : normalModeOnly),
  },
  {
    id: 'PA1',
    says: 'what a patient feeds is of a patient’s type and written by the patient',
    source: 'SEED0, SEED3 Q9',
    operations: feeding,
    kinds: holders,
    needs: 'record',
    uses: ['entries', 'token.patient'],
    refuse: ({ request: { caller, entries = [] } }) => ownEntries('PA1', caller, entries),
  },
  {
    id: 'PA2',
    says: 'a representative acts for a minor by the birth date on record',
    source: 'SEED3 Q14',
    operations: holderOperations,
    kinds: ['representative'],
    needs: 'record',
    uses: ['record.minor'],
    // TD0.2 of a record that does not exist: there is nothing to keep from anyone, and the answer says so.
    refuse: ({ request: { operation }, facts }) =>
      facts?.minor === true || (facts === undefined && operation === 'TD0.2') ? undefined : minorsOnly,
  },
  {
    id: 'RC1',
    says: 'a request for rectification says what is to be rectified',
    source: 'SEED3 Q9; design',
    operations: ['rectify'],
    kinds: 'all',
    needs: 'request',
    uses: ['reason'],
    refuse: ({ request: { reason } }) => ((reason ?? '').trim() === '' ? whatIsWrong : undefined),
  },
  {
    id: 'RC1',
    says: 'rectification is asked for a document in force that the patient did not deposit',
    source: 'SEED3 Q9; design',
    operations: ['rectify'],
    kinds: 'all',
    needs: 'record',
    uses: ['target.depositedBy', 'target.availabilityStatus'],
    refuse: nothingToRectify,
  },
]
