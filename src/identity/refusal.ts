/** How identity/ says no: one error, with a sentence that names the claim or attribute and never repeats its value. */
import { GatewayError } from '../errors.ts'

export function invalid(detail: string, cause?: unknown): GatewayError {
  return new GatewayError('identity-invalid', { detail, cause })
}

export function expired(detail: string): GatewayError {
  return new GatewayError('identity-expired', { detail })
}

export function missing(detail: string): GatewayError {
  return new GatewayError('identity-missing', { detail })
}
