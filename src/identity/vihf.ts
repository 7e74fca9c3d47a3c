/** VIHF identities: SAML 2.0 assertions of the DMP (DMP-FACTS 2), signature, issuer and time window verified. */
import type { AssertionSource } from '../operations/ports.ts'
import { attribute, children, type XmlElement } from '../xml/tree.ts'
import { toCaller } from './assemble.ts'
import { parseDistinguishedName, sameName } from './distinguished-name.ts'
import { expired, invalid } from './refusal.ts'
import type { Signer, SignerFinder } from './trust.ts'
import type { Verified } from './verified-cache.ts'
import { readVihf, samlNamespace, vihfNames } from './vihf-attributes.ts'
import { createSignatureVerifier } from './vihf-signature.ts'

export interface VihfSettings {
  readonly findSigner: SignerFinder
  readonly mode: 'development' | 'production'
  readonly clockSkewSeconds: number
  /** How long an assertion without NotOnOrAfter lives from its IssueInstant. */
  readonly maxAgeSeconds: number
  readonly versions: readonly string[]
  /** Accepted in an AudienceRestriction, which the DMP leaves out. */
  readonly audience: string
}

export type VihfVerifier = (source: AssertionSource, now: Date) => Verified

/** A verifier of assertions. It throws GatewayError identity-invalid or identity-expired. */
export function createVihfVerifier(settings: VihfSettings): VihfVerifier {
  const verifySignature = createSignatureVerifier(settings.findSigner)
  return (source, now) => {
    const { assertion, id, signer } = verifySignature(source)
    if (attribute(assertion, 'Version') !== '2.0') throw invalid('Assertion/@Version: 2.0 is expected.')
    checkIssuer(assertion, signer)
    const window = windowOf(assertion, signer, settings)
    checkWindow(window, now.getTime(), settings.clockSkewSeconds * 1000)
    const draft = readVihf(assertion, {
      nameId: nameIdOf(assertion),
      tokenId: id,
      versions: settings.versions,
      local: signer.local,
    })
    return { caller: toCaller(draft, vihfNames, settings.mode), from: window.from, until: window.until }
  }
}

const x509SubjectName = 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName'

/** The text last found to be the subject of a signer: software writes it the same way every time. */
const issuerTexts = new WeakMap<Signer, string>()

/** DMP-FACTS 2.1: Issuer is the subject of the certificate that signs. */
function checkIssuer(assertion: XmlElement, signer: Signer): void {
  const issuer = only(assertion, 'Issuer')
  if (issuer === undefined) throw invalid('Issuer is missing.')
  if (attribute(issuer, 'Format') !== x509SubjectName) throw invalid(`Issuer/@Format: ${x509SubjectName} is expected.`)
  if (issuer.children.length === 0 && issuerTexts.get(signer) === issuer.text) return
  const name = issuer.children.length > 0 ? undefined : parseDistinguishedName(issuer.text)
  if (name === undefined) throw invalid('Issuer: the subject of the signing certificate is expected (CN=…,O=…,C=FR).')
  if (!sameName(name, signer.subject))
    throw invalid('Issuer is not the subject of the certificate that signed the VIHF.')
  issuerTexts.set(signer, issuer.text)
}

/** PS_IdNat of the user, or another identifier for the kinds that have none. */
function nameIdOf(assertion: XmlElement): string {
  const subject = only(assertion, 'Subject')
  const nameId = subject === undefined ? undefined : only(subject, 'NameID')
  const text = nameId?.text.trim() ?? ''
  if (nameId === undefined || text === '' || nameId.children.length > 0)
    throw invalid('Subject/NameID is missing: it carries the PS_IdNat of the user.')
  if (text.length > 128 || /\p{Cc}/u.test(text)) throw invalid('Subject/NameID is no identifier.')
  return text
}

interface Window {
  /** Milliseconds since 1970; none of them includes the skew. */
  readonly from: number
  readonly until: number
  readonly certificateFrom: number
  readonly certificateUntil: number
}

/** SAML core 2.5.1: Conditions where there are some; else the assertion lives maxAge from IssueInstant. */
function windowOf(assertion: XmlElement, signer: Signer, settings: VihfSettings): Window {
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
  return { from, until, certificateFrom: signer.from, certificateUntil: signer.until }
}

function checkWindow({ from, until, certificateFrom, certificateUntil }: Window, now: number, skew: number): void {
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

function only(parent: XmlElement, local: string): XmlElement | undefined {
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
