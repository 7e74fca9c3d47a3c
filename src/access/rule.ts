/** The form of a rule: named, sourced, and either a refusal or nothing. */
import type { ErrorCode, Issue } from '../errors.ts'
import type { Right, RightsColumn } from '../nomenclature/index.ts'
import type { CallerKind } from './caller.ts'
import type { AccessRequest, Operation, Policy, RecordFacts } from './types.ts'

/** What a rule judges: the request, what the DMP knows, how the house decided, and the caller's cell of the matrix. */
export interface Question {
  readonly request: AccessRequest
  readonly facts: RecordFacts | undefined
  readonly policy: Policy
  readonly column: RightsColumn | undefined
  readonly right: Right | undefined
}

export type Refusal = readonly [Issue, ...Issue[]]

export interface Rule {
  /** Id in docs/access-rules.md. */
  readonly id: string
  /** The requirement in one sentence, for `explain`. */
  readonly says: string
  /** Text the requirement comes from. */
  readonly source: string
  readonly operations: readonly Operation[] | 'all'
  readonly kinds: readonly CallerKind[] | 'all'
  /** `request`: decidable without the record and the object, so that the answer tells nothing about them. */
  readonly needs: 'request' | 'record'
  /** Names of the facts it rests on. */
  readonly uses: readonly string[]
  readonly refuse: (question: Question) => Refusal | undefined
}

/** A refusal with one issue that carries its rule. */
export function refusal(rule: string, code: ErrorCode, detail?: string, location?: string): Refusal {
  return [
    {
      code,
      rule,
      ...(location === undefined ? {} : { location }),
      ...(detail === undefined ? {} : { detail }),
    },
  ]
}

/** Callers that the functional-rights matrix is about. */
export const carers = ['professional', 'staff', 'structure'] as const
export const holders = ['patient', 'representative'] as const
export const consultation = ['TD3.1a', 'TD3.2'] as const
export const feeding = ['TD2.1', 'TD2.1b'] as const
export const updates = ['TD3.3a.mask', 'TD3.3a.unmask', 'TD3.3b', 'TD3.3c', 'TD3.3d'] as const
/** What the patient settles or asks for, and the treating physician at the patient's request. */
export const patientActs = ['choose', 'close', 'reopen', 'copy', 'rectify'] as const
/** TD3.x: find, retrieve, update. */
export const td3 = ['TD3.1a', 'TD3.1b', 'TD3.2', ...updates] as const
