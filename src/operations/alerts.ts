/** Refused credentials on their way from the doors to whoever counts them. */
import { type ErrorCode, GatewayError } from '../errors.ts'
import type { AlertReason, AlertRecord, Alerts, TraceRecord } from './ports.ts'

const reasons: ReadonlySet<ErrorCode | AlertReason> = new Set<AlertReason>([
  'identity-missing',
  'identity-invalid',
  'identity-expired',
])

/**
 * Tells of an error that is about who is calling; any other is left aside.
 * @param client IP address of the connection
 */
export function tellRefused(
  alerts: Alerts | undefined,
  door: 'fhir' | 'xds',
  client: string | undefined,
  error: unknown,
): void {
  if (!(error instanceof GatewayError) || !reasons.has(error.code)) return
  alerts?.authenticationFailed({ door, reason: error.code as AlertReason, client: client ?? 'unknown' })
}

export function isAlert(record: TraceRecord): record is AlertRecord {
  return 'kind' in record && record.kind === 'authentication-failure'
}

/** What auditors call it: PS3.16 CID 400 and 401, ITI TF-2 3.20.4.1.1.1. */
export interface AlertKind {
  readonly event: { readonly code: string; readonly display: string }
  readonly type: { readonly code: string; readonly display: string }
  /** Minor or serious failure. */
  readonly outcome: '4' | '8'
  /** French. */
  readonly text: string
}

const userAuthentication = {
  event: { code: '110114', display: 'User Authentication' },
  type: { code: '110122', display: 'Login' },
} as const

/** A credential that is missing or old may be a mistake of a day; one that does not verify may be an attack. */
export const alertKinds: Readonly<Record<AlertReason, AlertKind>> = {
  'identity-missing': { ...userAuthentication, outcome: '4', text: 'Requêtes sans identité' },
  'identity-expired': { ...userAuthentication, outcome: '4', text: 'Identités expirées' },
  'identity-invalid': { ...userAuthentication, outcome: '8', text: 'Identités non valables' },
  'node-certificate': {
    event: { code: '110113', display: 'Security Alert' },
    type: { code: '110126', display: 'Node Authentication' },
    outcome: '8',
    text: 'Connexions sans certificat client valable',
  },
}
