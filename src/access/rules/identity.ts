/** Who is calling, about whom, and whether the functional-rights matrix opens the operation to them: ID1–ID3, FR1, FR2. */

import { splitPatientKey } from '../../metadata/identifiers.ts'
import { matrixOperations, rightOf } from '../role.ts'
import {
  carers,
  consultation,
  patientActs,
  type Question,
  type Refusal,
  type Rule,
  refusal,
  td3,
  updates,
} from '../rule.ts'
import type { Operation } from '../types.ts'

const isConsultation: ReadonlySet<Operation> = new Set(consultation)
/** What a structure certificate does by replacement instead (UP6): FR1 leaves the refusal to the rule that says so. */
const byReplacement: ReadonlySet<Operation> = new Set(updates.filter((operation) => operation !== 'TD3.3c'))

const nominative = refusal(
  'FR1',
  'nominative-identity-required',
  'A structure certificate alone does not consult: present a named professional (direct CPS or e-CPS, or air).',
)

const unauthenticated = refusal(
  'ID1',
  'identity-missing',
  'Present a verified identity: a bearer token or a VIHF assertion.',
)
const otherPatient = refusal(
  'ID3',
  'patient-mismatch',
  'Send the patient that the token names, or an identity that is bound to this patient or to none.',
)
const unboundPatient = refusal(
  'ID3',
  'patient-mismatch',
  'A patient or representative identity names its patient: present a token that is bound to one.',
)
const testPatient = refusal(
  'ID4',
  'test-patient',
  'Send the qualified INS of the patient: 1.2.250.1.213.1.4.8 (NIR) or 1.2.250.1.213.1.4.9 (NIA).',
)
const unknownRecord = refusal(
  'ID2',
  'dmp-unknown',
  'Check the INS and its authority. A record of the embedded DMP is opened by PUT Patient?identifier=urn:oid:AUTHORITY|INS (ITI-104).',
)
const closedRecord = refusal(
  'ID2',
  'dmp-closed',
  'Nothing is fed or read before the patient opens the record again; its copy and its history stay open to the patient.',
)
const noCell = refusal(
  'FR1',
  'not-permitted-for-role',
  'The functional-rights matrix does not open this operation to this profession, authentication and access mode: present an identity that it opens it to (docs/access-rules.md).',
)
const neverConsults = refusal('FR2', 'not-permitted-for-role', 'This sector of activity has no access to the DMP.')

/** Authorities of the INS of test (.10) and of demonstration (.11): DMP-FACTS 3. */
const testAuthorities: ReadonlySet<string> = new Set(['1.2.250.1.213.1.4.10', '1.2.250.1.213.1.4.11'])

/** What needs an open record: after closure nothing is read or fed, but it is opened again, copied and destroyed. */
const ofOpenRecords = [
  ...matrixOperations.filter((operation) => operation !== 'TD0.2' && operation !== 'TD0.4'),
  'open',
  'choose',
  'close',
  'rectify',
  'brain-death',
  'registry',
] as const
const afterClosure = ['reopen', 'copy'] as const
const needsNoRecord: ReadonlySet<Operation> = new Set(['open', 'registry'])
const isAfterClosure: ReadonlySet<Operation> = new Set(afterClosure)

/** Insurers (SA23), health insurance funds (SA24), pharmaceutical industry (SA32, SA46, SA55): TRE_R02. */
const outsideCare: ReadonlySet<string> = new Set(['SA23', 'SA24', 'SA32', 'SA46', 'SA55'])

function functionalRights(question: Question): Refusal | undefined {
  const { request, facts, column, right } = question
  const { caller, operation, purpose } = request
  if (right !== undefined) return undefined
  if (column === 'es_cert' && byReplacement.has(operation)) return undefined
  // Whether the caller is the treating physician is not known yet: refuse only what that could not change.
  if (
    facts === undefined &&
    (column === 'medecin' || column === 'ps_non_medecin') &&
    rightOf(operation, 'mt', purpose, caller) !== undefined
  )
    return undefined
  const named = caller.kind === 'staff' || (column !== 'es_cert' && caller.person !== undefined)
  return isConsultation.has(operation) && !named ? nominative : noCell
}

export const identityRules: readonly Rule[] = [
  {
    id: 'ID1',
    says: 'the caller is authenticated',
    source: 'SEED0',
    operations: 'all',
    kinds: 'all',
    needs: 'request',
    uses: ['proof'],
    // The tester of conformance mode was permitted before any rule was read: here it is out of place.
    refuse: ({ request: { caller } }) =>
      caller.kind === 'tester' || caller.proof === 'anonymous' ? unauthenticated : undefined,
  },
  {
    // Before ID2, so that a token bound to one patient learns nothing about the record of another.
    id: 'ID3',
    says: 'the patient of the request is the patient of the token, where the token names one',
    source: 'DMP-FACTS 6.7',
    operations: 'all',
    kinds: 'all',
    needs: 'request',
    uses: ['token.patient'],
    refuse: ({ request: { caller, patient, target } }) => {
      if (caller.patient === undefined)
        return caller.kind === 'patient' || caller.kind === 'representative' ? unboundPatient : undefined
      if (patient !== undefined && patient !== caller.patient) return otherPatient
      return target !== undefined && target.patient !== caller.patient ? otherPatient : undefined
    },
  },
  {
    id: 'ID4',
    says: 'in production, the patient is not one of the authorities of test or demonstration',
    source: 'DMP-FACTS 3; design',
    operations: 'all',
    kinds: 'all',
    needs: 'request',
    uses: ['patient', 'token.patient', 'policy.testPatients'],
    refuse: ({ request: { caller, patient, target }, policy }) => {
      if (policy.testPatients) return undefined
      const named = [patient, caller.patient, target?.patient].filter((key) => key !== undefined)
      return named.some((key) => testAuthorities.has(splitPatientKey(key).authority)) ? testPatient : undefined
    },
  },
  {
    id: 'ID2',
    says: 'the DMP exists and is active; a closed one is only opened again, copied or destroyed, and its history read',
    source: 'SEED3 Q16',
    operations: [...ofOpenRecords, ...afterClosure],
    kinds: 'all',
    needs: 'record',
    uses: ['record.status'],
    refuse: ({ request: { operation }, facts }) => {
      if (facts === undefined) return needsNoRecord.has(operation) ? undefined : unknownRecord
      return facts.status === 'closed' && !isAfterClosure.has(operation) ? closedRecord : undefined
    },
  },
  {
    id: 'FR1',
    says: 'the functional-rights matrix opens the operation to this role, authentication and mode',
    source: 'PDT-INF-526, PDT-INF-606, SEED0, SEED2, SEED3 Q11',
    operations: matrixOperations,
    kinds: carers,
    needs: 'request',
    uses: ['kind', 'authentication', 'profession', 'specialities', 'purpose', 'record.treatingPhysician'],
    refuse: functionalRights,
  },
  {
    id: 'FR2',
    says: 'insurers, banks, pharmaceutical laboratories and the health insurance itself never consult',
    source: 'SEED3 Q5, Q7',
    operations: [...td3, ...patientActs, 'TD0.4', 'TD1.6'],
    kinds: carers,
    needs: 'request',
    uses: ['sector'],
    refuse: ({ request: { caller } }) =>
      caller.sector !== undefined && outsideCare.has(caller.sector) ? neverConsults : undefined,
  },
]
