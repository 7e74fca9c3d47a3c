/** Those who appear in the tests, all invented, as options of a test identity (src/identity/mint.ts). */
import type { IdentityOptions } from '../../src/identity/mint.ts'
import { type PatientKey, patientKey } from '../../src/metadata/identifiers.ts'
import { insAuthority } from '../mothers/metadata.ts'
import type { Declaration } from './door.ts'

export const people = {
  /** Software certificate of CH EXEMPLE. */
  structure: { kind: 'structure' },
  /** General practitioner of CH EXEMPLE; author of the documents of the mothers (899700000001). */
  author: { name: 'EXEMPLE Anne', id: '899700000001', specialities: ['SM26'] },
  /** Another general practitioner, of the same structure. */
  colleague: { name: 'BENALI Karim', id: '899700000002', specialities: ['SM26'] },
  /** A general practitioner of another structure. */
  stranger: {
    name: 'KERVELLA Yann',
    id: '899700000004',
    specialities: ['SM26'],
    structure: '1020099999',
    structureName: 'MSP EXEMPLE',
  },
  /** Nurse: the matrix closes some types to this profession. */
  nurse: { name: 'MOREAU Julie', id: '899700000003', profession: '60' },
  /** Medical secretary. */
  staff: { kind: 'staff' },
  /** Administrator of the embedded DMP. */
  system: { kind: 'system' },
} as const satisfies Record<string, IdentityOptions>

/** The declarations most tests need (INTERFACE, Consent headers). */
export const declared = {
  careTeam: { basis: 'care-team', informed: true, episode: '2026-E-118' },
  explicit: { basis: 'explicit', means: 'oral' },
  informed: { informed: true },
} as const satisfies Record<string, Declaration>

/** A patient of the test authority. */
export interface TestPatient {
  readonly ins: string
  readonly authority: string
  readonly key: PatientKey
  /** Options of the identity of this patient. */
  readonly identity: IdentityOptions
}

let born = 0

/** A patient nobody else in this process has: its record is this test's alone. */
export function aPatient(
  ins = `26005${String(9_000_000_000 + ++born).padStart(10, '0')}`,
  authority = insAuthority,
): TestPatient {
  return { ins, authority, key: patientKey(authority, ins), identity: { kind: 'patient', ins, insSystem: authority } }
}
