/** VIHF identities: SAML 2.0 assertions of the DMP (DMP-FACTS 2), whose Issuer is the subject of their certificate. */

import type { Caller } from '../access/caller.ts'
import { attribute, type XmlElement } from '../xml/tree.ts'
import { type Draft, toCaller } from './assemble.ts'
import { parseDistinguishedName, sameName } from './distinguished-name.ts'
import { invalid } from './refusal.ts'
import { nameIdOf, only } from './saml.ts'
import type { Signer } from './trust.ts'
import { readVihf, vihfNames } from './vihf-attributes.ts'
import type { SignedAssertion } from './vihf-signature.ts'

export interface VihfSettings {
  readonly mode: 'development' | 'production'
  readonly versions: readonly string[]
}

/** Reads the caller of a verified VIHF. Throws GatewayError identity-invalid. */
export function callerOfVihf({ assertion, id, signer }: SignedAssertion, settings: VihfSettings): Caller {
  checkIssuer(assertion, signer)
  const draft: Draft = readVihf(assertion, {
    nameId: nameIdOf(assertion),
    tokenId: id,
    versions: settings.versions,
    local: signer.local,
  })
  return toCaller(draft, vihfNames, settings.mode)
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
