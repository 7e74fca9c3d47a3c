/** Rules as a table: one line a case, `permit(rule, …)` or `deny(rule, code, …)`, and the requests most cases start from. */
import assert from 'node:assert/strict'
import { decide, rules } from '../../../src/access/decide.ts'
import type { AccessRequest, Policy, RecordFacts } from '../../../src/access/types.ts'
import type { ErrorCode } from '../../../src/errors.ts'
import {
  aPolicy,
  aRecord,
  aRequest,
  aStoredDocument,
  careTeam,
  informed,
  nurseId,
  structureId,
} from '../../mothers/access.ts'
import { aDocumentEntry, anAuthor, aPatientPerson, codes } from '../../mothers/metadata.ts'

interface Given {
  /** An adult's active record unless given; undefined: no DMP. */
  readonly facts?: RecordFacts | undefined
  readonly policy?: Partial<Policy>
}
interface Case {
  readonly rule: string
  readonly code?: ErrorCode
  readonly that: string
  readonly request: AccessRequest
  readonly facts: RecordFacts | undefined
  readonly policy: Policy
}

function given(given: Given): Pick<Case, 'facts' | 'policy'> {
  return { facts: 'facts' in given ? given.facts : aRecord(), policy: aPolicy(given.policy) }
}

/** Permitted, by this rule or cell of the functional-rights matrix. */
export function permit(rule: string, that: string, request: AccessRequest, about: Given = {}): Case {
  return { rule, that, request, ...given(about) }
}

/** Refused by this rule with this code. */
export function deny(rule: string, code: ErrorCode, that: string, request: AccessRequest, about: Given = {}): Case {
  return { rule, code, that, request, ...given(about) }
}

/** A test a case; and for each rule of the group that the list has, a case that it refuses and one that it lets pass. */
export function describeRules(title: string, table: Readonly<Record<string, readonly Case[]>>): void {
  describe(`access rules: ${title}`, () => {
    for (const [id, cases] of Object.entries(table)) {
      for (const { rule, code, that, request, facts, policy } of cases)
        it(`${id} ${code === undefined ? 'permits' : 'refuses'} ${that}`, () => {
          const decision = decide(request, facts, policy)
          const found = decision.verdict === 'deny' ? [decision.rule, decision.issues[0].code] : [decision.rule]
          assert.deepEqual(found, code === undefined ? [rule] : [rule, code])
          if (decision.verdict !== 'deny') return
          for (const issue of decision.issues) {
            assert.ok(issue.rule)
            assert.ok(issue.detail, 'a refusal says what to do instead')
          }
        })
      if (rules.some((rule) => rule.id === id))
        it(`${id} has a case that it refuses and one that it lets pass`, () => {
          assert.ok(cases.some(({ rule, code }) => rule === id && code !== undefined))
          assert.ok(cases.some(({ code }) => code === undefined))
        })
    }
  })
}

export const consult = (changes: Partial<AccessRequest> = {}): AccessRequest =>
  aRequest('TD3.2', { declaration: careTeam, ...changes })

export const feed = (changes: Partial<AccessRequest> = {}): AccessRequest =>
  aRequest('TD2.1', { declaration: informed, entries: [aDocumentEntry()], ...changes })

export const breakGlass = { purpose: 'bris_de_glace', reason: 'patient inconscient', declaration: {} } as const
export const centre15 = { purpose: 'centre_15', declaration: {} } as const

/** The nurse's own, what her structure fed, what the patient deposited. */
export const mine = aStoredDocument({ authorPersons: [nurseId] })
export const structures = aStoredDocument({ depositedBy: 'structure', feedingStructure: structureId })
export const patients = aStoredDocument({
  depositedBy: 'patient',
  typeCode: 'DOCPAT03',
  authorPersons: ['260059999999999'],
})

/** The caller is the treating physician, as the DMP says; the patient is a minor. */
export const mt = aRecord({ treatingPhysician: true })
export const minor = aRecord({ minor: true })

/** The signature of a submission. */
export const signature = aDocumentEntry({
  typeCode: { code: 'E1762', system: 'ASTM' },
  classCode: { code: 'urn:oid:1.3.6.1.4.1.19376.1.2.1.1.1', system: 'URN' },
  formatCode: { code: 'http://www.w3.org/2000/09/xmldsig#', system: 'URN' },
  confidentialityCodes: [codes.normal, codes.maskedToProfessionals, codes.hiddenFromPatient],
})

/** What a patient deposits. */
export const patientEntry = aDocumentEntry({
  typeCode: { code: 'DOCPAT03', system: '1.2.250.1.213.1.1.4.12' },
  authors: [anAuthor({ person: aPatientPerson(), institutions: [], specialties: [] })],
})
