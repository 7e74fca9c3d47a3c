/**
 * What kind of event an access is to an auditor, by the codes that DICOM (PS3.15 A.5, PS3.16 CID 400) and IHE (ITI TF-2,
 * security considerations of each transaction; BALP) share: one table for AuditEvents and for ATNA messages.
 */
import type { Operation } from '../access/types.ts'
import type { AccessRecord } from './ports.ts'
import { operationWords } from './wording.ts'

export interface AuditKind {
  /** Event identifier of DCM. */
  readonly event: { readonly code: string; readonly display: string }
  /** Create, read, update, delete, execute. */
  readonly action: 'C' | 'R' | 'U' | 'D' | 'E'
  /** The data leave here: the gateway is the source, the caller the destination. */
  readonly outgoing: boolean
  /** It was asked by a query, which is part of the record. */
  readonly query: boolean
}

const events = {
  activity: { code: '110100', display: 'Application Activity' },
  auditLog: { code: '110101', display: 'Audit Log Used' },
  export: { code: '110106', display: 'Export' },
  import: { code: '110107', display: 'Import' },
  patientRecord: { code: '110110', display: 'Patient Record' },
  query: { code: '110112', display: 'Query' },
} as const

type EventName = keyof typeof events

const eventOfOperation: Readonly<Record<Operation, EventName>> = {
  'TD0.2': 'query',
  'TD0.3.add': 'patientRecord',
  'TD0.3.remove': 'patientRecord',
  'TD0.4': 'query',
  'TD1.3a': 'query',
  'TD1.6': 'query',
  'TD2.1': 'import',
  'TD2.1b': 'import',
  'TD3.1a': 'query',
  'TD3.1b': 'query',
  'TD3.2': 'export',
  'TD3.3a.mask': 'import',
  'TD3.3a.unmask': 'import',
  'TD3.3b': 'import',
  'TD3.3c': 'import',
  'TD3.3d': 'import',
  open: 'patientRecord',
  history: 'auditLog',
  choose: 'patientRecord',
  close: 'patientRecord',
  reopen: 'patientRecord',
  'brain-death': 'patientRecord',
  copy: 'export',
  rectify: 'patientRecord',
  explain: 'query',
  destroy: 'patientRecord',
  registry: 'import',
}

/** ITI TF-2 3.62.5 and RMD 3.86.5: removing is an event of the patient's record. */
const removals: ReadonlySet<string> = new Set(['ITI-62', 'ITI-86'])

export function auditKindOf({ operation, transaction, door }: AccessRecord): AuditKind {
  const removed = removals.has(transaction)
  const name = door === 'cli' ? 'activity' : removed ? 'patientRecord' : eventOfOperation[operation]
  const { action } = operationWords[operation]
  return {
    event: events[name],
    action: removed ? 'D' : name === 'query' ? 'E' : action,
    outgoing: name === 'export',
    query: name === 'query' || name === 'auditLog',
  }
}
