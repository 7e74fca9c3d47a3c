/** The record of what a command, or a simulated DMP, does by itself. */
import { randomUUID } from 'node:crypto'
import { type Caller, localSystem } from '../access/caller.ts'
import type { PatientKey } from '../metadata/identifiers.ts'
import type { AccessRecord } from '../operations/ports.ts'

/** @param told what it is about; by the owner of the data folder, as an opening on the command line, unless it says otherwise */
export function actRecord(
  patient: PatientKey,
  told: { readonly transaction: string; readonly caller?: Caller } & Partial<AccessRecord>,
): AccessRecord {
  return {
    id: randomUUID(),
    at: new Date().toISOString(),
    operation: 'open',
    door: 'cli',
    requestId: randomUUID(),
    caller: localSystem,
    purpose: 'normal',
    declaration: {},
    patient,
    documents: [],
    outcome: 'permitted',
    effects: { notifications: [] },
    ...told,
  }
}
