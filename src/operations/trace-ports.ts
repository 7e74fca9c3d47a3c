/** The ports of the trace: written, read back, sent to other systems, told to people (ports.ts gives them on). */
import type { PatientKey } from '../metadata/identifiers.ts'
import type { AccessRecord } from './ports.ts'

/** What the trace holds: accesses, and credentials that were refused. */
export type TraceRecord = AccessRecord | AlertRecord

/** A credential was refused before anybody was known: what is said of it was verified, so nothing it claimed is. */
export interface AuthenticationFailure {
  /** `tls`: the connection itself, where every caller needs a client certificate. */
  readonly door: 'fhir' | 'xds' | 'tls'
  readonly reason: AlertReason
  /** IP address of the connection. */
  readonly client: string
}

export type AlertReason = 'identity-missing' | 'identity-invalid' | 'identity-expired' | 'node-certificate'

/** Takes note of refused credentials; never waits, never throws. */
export interface Alerts {
  authenticationFailed(failure: AuthenticationFailure): void
}

/** Refused credentials from one source for one reason, counted over a while. */
export interface AlertRecord extends Omit<AuthenticationFailure, 'client'> {
  readonly kind: 'authentication-failure'
  /** UUID. */
  readonly id: string
  /** ISO 8601 instants: of writing, of the first and of the last that is counted. */
  readonly at: string
  readonly from: string
  readonly to: string
  readonly count: number
  /** Absent: several, too many to be told apart. */
  readonly client?: string
}

/** The memory of the house. A record is durable when `record` resolves; if it rejects, nothing may be read or fed. */
export interface Trace {
  record(record: TraceRecord): Promise<void>
  /** Accesses to one record, in the order of the trace; accesses.ts reads them to the end. */
  history(query: HistoryQuery): Promise<readonly TracedAccess[]>
  check(): Promise<void>
}

export interface HistoryQuery {
  readonly patient: PatientKey
  /** Only actions of this person (own actions of a professional). */
  readonly person?: string
  /** ISO 8601 instants: from inclusive, to exclusive. */
  readonly from?: string
  readonly to?: string
  /** Default: newest first. */
  readonly oldestFirst?: boolean
  /** Goes on behind this place in the trace, in the order asked for. */
  readonly beyond?: number
  /** Rows given at most. */
  readonly limit: number
}

/** A record and its place in the trace, from 1 without gaps. */
export interface TracedRecord {
  readonly sequence: number
  readonly record: TraceRecord
}

export interface TracedAccess extends TracedRecord {
  readonly record: AccessRecord
}

/** States of a delivery that are final, and `waiting` for another attempt or for its time. */
export type DeliveryState = 'waiting' | 'sent' | 'failed' | 'no-recipient' | 'uncertain'

/** What people are to be told, on its way to them by channels (e-mail, webhook). Instants are ISO 8601. */
export interface Deliveries {
  /** Takes up what was written since the last time; the first time it only remembers where to begin. Gives how many. */
  enrol(channel: string): Promise<number>
  /** What may be attempted now, longest waiting first. */
  waiting(channel: string, now: string, limit: number): Promise<readonly WaitingDelivery[]>
  /** Durable when it resolves: true for the one who may send. */
  claim(channel: string, no: number): Promise<boolean>
  /** `nextAt`: of `waiting`, not before. */
  settle(channel: string, no: number, state: DeliveryState, nextAt?: string): Promise<void>
  /** Found claimed at the start: they may have been sent, and become `uncertain`. Gives how many. */
  interrupted(channel: string): Promise<number>
  counts(channel: string): Promise<Readonly<Record<string, number>>>
}

export interface WaitingDelivery {
  /** Of the notification. */
  readonly no: number
  readonly attempts: number
  readonly patient: PatientKey
}

/** The trace on its way to other systems: each destination has a position in it. */
export interface TraceFeed {
  /** Sequence of the last record that a destination has; 0 before the first. */
  position(destination: string): Promise<number>
  /** Records after a sequence, oldest first. */
  after(sequence: number, limit: number): Promise<readonly TracedRecord[]>
  /** Sequence of the last record there is; 0 when there is none. */
  head(): Promise<number>
  /** Durable when it resolves. `refused`: what the destination will never take, kept with the reason. */
  advance(
    destination: string,
    sequence: number,
    refused?: readonly { readonly sequence: number; readonly reason: string }[],
  ): Promise<void>
  /** What an operator wants a destination to have once more, oldest first; and how many there are. */
  again(destination: string, limit: number): Promise<readonly TracedRecord[]>
  againCount(destination: string): Promise<number>
  /** Durable when it resolves; the position stays. */
  sentAgain(
    destination: string,
    sequences: readonly number[],
    refused?: readonly { readonly sequence: number; readonly reason: string }[],
  ): Promise<void>
}
