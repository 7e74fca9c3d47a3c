/** What the claims of a JWT become: one reader for each kind of issuer, and the forms of text they share. */
import { z } from 'zod'
import type { ClaimNames, Draft } from './assemble.ts'

/** How an issuer writes who is calling. */
export interface ClaimSet {
  /** What its claims are called, so that a refusal names what to correct. */
  readonly names: ClaimNames
  /** @throws ZodError or GatewayError identity-invalid */
  read(payload: unknown): Draft
}

/** Text of a person: no control characters, no more than a screen line holds. */
export const textClaim = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^\P{Cc}*$/u, 'control characters are not allowed')
    .transform((value) => value.trim())
/** Empty text says nothing. */
export const nameClaim = textClaim(256).transform((value) => (value === '' ? undefined : value))
export const identifierClaim = textClaim(128).refine((value) => value !== '', 'an identifier is expected')
