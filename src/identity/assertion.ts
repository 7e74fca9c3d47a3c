/** SAML assertions: signature and time window verified, then read as a VIHF or as their own issuer writes them. */
import type { Caller } from '../access/caller.ts'
import type { AssertionSource } from '../operations/ports.ts'
import { attribute } from '../xml/tree.ts'
import { invalid } from './refusal.ts'
import { type AssertionSettings, checkWindow, windowOf } from './saml.ts'
import type { SignerFinder } from './trust.ts'
import { callerOfVihf, type VihfSettings } from './vihf.ts'
import { createSignatureVerifier } from './vihf-signature.ts'
import { callerOfXua, type XuaIssuer } from './xua.ts'

export interface AssertionTrust extends VihfSettings, AssertionSettings {
  readonly findSigner: SignerFinder
  /** Other issuers by the text of their Issuer. */
  readonly issuers: ReadonlyMap<string, XuaIssuer>
}

export interface VerifiedAssertion {
  readonly caller: Caller
  /** Milliseconds since 1970; none of them includes the skew. */
  readonly issued: number
  readonly from: number
  readonly until: number
  /** Until when the signer is known not to be revoked. */
  readonly fresh: number
  /** Identifies the assertion among all of its issuer. */
  readonly id: string
}

/** Throws GatewayError identity-invalid or identity-expired. */
export type AssertionVerifier = (source: AssertionSource, now: Date) => VerifiedAssertion

export function createAssertionVerifier(trust: AssertionTrust): AssertionVerifier {
  const verifySignature = createSignatureVerifier((issuer) => trust.issuers.get(issuer)?.findSigner ?? trust.findSigner)
  return (source, now) => {
    const signed = verifySignature(source)
    const { assertion, signer, issuer } = signed
    if (attribute(assertion, 'Version') !== '2.0') throw invalid('Assertion/@Version: 2.0 is expected.')
    const other = trust.issuers.get(issuer)
    const window = windowOf(assertion, signer, other === undefined ? trust : { ...trust, audience: other.audience })
    checkWindow(window, now.getTime(), trust.clockSkewSeconds * 1000)
    const fresh = signer.checkRevoked(now.getTime())
    const caller = other === undefined ? callerOfVihf(signed, trust) : callerOfXua(signed, other, trust.mode)
    const { issued, from, until } = window
    return { caller, issued, from, until, fresh, id: `${issuer} ${signed.id}` }
  }
}
