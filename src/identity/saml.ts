/** What every SAML 2.0 assertion is checked for, whoever issued it: subject, time window, conditions, confirmation. */
import { attribute, children, type XmlElement } from '../xml/tree.ts'
import { expired, invalid } from './refusal.ts'
import { samlNamespace } from './saml-attributes.ts'
import type { Signer } from './trust.ts'

export interface AssertionSettings {
  readonly clockSkewSeconds: number
  /** How long an assertion without NotOnOrAfter lives from its IssueInstant. */
  readonly maxAgeSeconds: number
  /** Accepted in an AudienceRestriction, which the DMP leaves out. */
  readonly audience: string
}

/** PS_IdNat of the user, or another identifier for the kinds that have none. */
export function nameIdOf(assertion: XmlElement): string {
  const subject = only(assertion, 'Subject')
  const nameId = subject === undefined ? undefined : only(subject, 'NameID')
  const text = nameId?.text.trim() ?? ''
  if (nameId === undefined || text === '' || nameId.children.length > 0)
    throw invalid('Subject/NameID is missing: it carries the PS_IdNat of the user.')
  if (text.length > 128 || /\p{Cc}/u.test(text)) throw invalid('Subject/NameID is no identifier.')
  return text
}

export interface Window {
  /** Milliseconds since 1970; none of them includes the skew. */
  readonly issued: number
  readonly from: number
  readonly until: number
  readonly certificateFrom: number
  readonly certificateUntil: number
}

/** SAML core 2.5.1: Conditions where there are some; else the assertion lives maxAge from IssueInstant. */
export function windowOf(assertion: XmlElement, signer: Signer, settings: AssertionSettings): Window {
  const issued = required(assertion, 'IssueInstant')
  const conditions = only(assertion, 'Conditions')
  const statement = only(assertion, 'AuthnStatement')
  if (statement === undefined) throw invalid('AuthnStatement is missing.')
  if (conditions !== undefined) checkConditions(conditions, settings.audience)
  const confirmations = children(only(assertion, 'Subject') ?? assertion, samlNamespace, 'SubjectConfirmation')
  const confirmed = confirmations.map(confirmationOf)
  const starts = [optional(conditions, 'NotBefore'), ...confirmed.map((data) => optional(data, 'NotBefore'))]
  const ends = [optional(statement, 'SessionNotOnOrAfter'), ...confirmed.map((data) => optional(data, 'NotOnOrAfter'))]
  const from = Math.max(issued, required(statement, 'AuthnInstant'), ...starts.map((start) => start ?? 0), signer.from)
  const until = Math.min(
    optional(conditions, 'NotOnOrAfter') ?? issued + settings.maxAgeSeconds * 1000,
    ...ends.map((end) => end ?? Number.POSITIVE_INFINITY),
    signer.until,
  )
  return { issued, from, until, certificateFrom: signer.from, certificateUntil: signer.until }
}

/** @param skew milliseconds
 * @throws GatewayError identity-invalid or identity-expired */
export function checkWindow(
  { from, until, certificateFrom, certificateUntil }: Window,
  now: number,
  skew: number,
): void {
  if (now + skew < certificateFrom || now - skew >= certificateUntil)
    throw invalid('The certificate that signed the VIHF is not valid at this time.')
  if (now + skew < from)
    throw invalid(
      'The VIHF is not valid yet (IssueInstant, AuthnInstant or NotBefore in the future): check the clock that issued it.',
    )
  if (now - skew >= until) throw expired('The VIHF has expired: issue a new one.')
}

/** SAML core 2.5.1: a condition that is not understood makes an assertion unusable. */
function checkConditions(conditions: XmlElement, audience: string): void {
  for (const condition of conditions.children) {
    if (condition.ns === samlNamespace && condition.local === 'AudienceRestriction') {
      const audiences = children(condition, samlNamespace, 'Audience').map(({ text }) => text.trim())
      if (!audiences.includes(audience))
        throw invalid(`Conditions/AudienceRestriction: ${audience} is expected, or none at all.`)
    } else if (condition.ns !== samlNamespace || condition.local !== 'ProxyRestriction')
      throw invalid(`Conditions/${condition.local.slice(0, 64)} is not understood here.`)
  }
}

/** The holder of a key, or a sender who vouches, cannot be verified here: only a bearer. */
function confirmationOf(confirmation: XmlElement): XmlElement | undefined {
  if (attribute(confirmation, 'Method') !== 'urn:oasis:names:tc:SAML:2.0:cm:bearer')
    throw invalid('SubjectConfirmation/@Method: only urn:oasis:names:tc:SAML:2.0:cm:bearer is verified here.')
  return only(confirmation, 'SubjectConfirmationData')
}

/** The one child of this name; undefined when there is none. */
export function only(parent: XmlElement, local: string): XmlElement | undefined {
  const [found, ...more] = children(parent, samlNamespace, local)
  if (more.length > 0) throw invalid(`${local} is given twice.`)
  return found
}

/** SAML core 1.3.3: an instant in UTC. */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/

function optional(element: XmlElement | undefined, name: string): number | undefined {
  const value = element === undefined ? undefined : attribute(element, name)
  if (value === undefined) return undefined
  const time = instant.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw invalid(`${name}: an instant in UTC is expected (2026-03-02T07:41:10Z).`)
  return time
}

function required(element: XmlElement, name: string): number {
  const time = optional(element, name)
  if (time === undefined) throw invalid(`${name} is missing.`)
  return time
}
