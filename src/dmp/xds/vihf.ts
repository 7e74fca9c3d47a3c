/** The VIHF that a call carries (DMP-FACTS §2): one assertion a call, signed with ORG_SIGN, never used twice. */
import { randomUUID } from 'node:crypto'
import { cxOf, formatCx } from '../../metadata/hl7.ts'
import type { Code } from '../../metadata/model.ts'
import { displayOf } from '../../nomenclature/index.ts'
import { signAssertion } from '../../xml/sign.ts'
import { XmlWriter } from '../../xml/writer.ts'
import type { SigningCredential } from './credentials.ts'
import type { NationalOptions } from './options.ts'
import type { Presented } from './profile.ts'

const contextClasses = 'urn:oasis:names:tc:SAML:2.0:ac:classes:'
const accessModes = '1.2.250.1.213.1.1.4.248'

const purposeNames = {
  normal: 'Accès normal',
  bris_de_glace: 'Accès en bris de glace',
  centre_15: 'Accès par un centre de régulation médicale',
} as const

/** The signed Assertion; it goes into the message as these very characters. */
export function writeVihf(
  options: Pick<NationalOptions, 'vihf' | 'software'>,
  signing: SigningCredential,
  who: Presented,
  now: Date,
): string {
  const id = `_${randomUUID()}`
  const xml = new XmlWriter()
    .start('saml2:Assertion', {
      'xmlns:saml2': 'urn:oasis:names:tc:SAML:2.0:assertion',
      'xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
      'xmlns:xs': 'http://www.w3.org/2001/XMLSchema',
      ID: id,
      IssueInstant: now.toISOString(),
      Version: '2.0',
    })
    .element(
      'saml2:Issuer',
      { Format: 'urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName' },
      signing.subjectName,
    )
  const head = xml.take().toString()
  const contextClass = contextClasses + who.contextClass
  xml
    .start('saml2:Subject')
    .element('saml2:NameID', undefined, who.nameId)
    .end()
    .start('saml2:AuthnStatement', { AuthnInstant: now.toISOString() })
    .start('saml2:AuthnContext')
    .element('saml2:AuthnContextClassRef', undefined, contextClass)
  if (who.mode === 'INDIRECTE_RENFORCEE')
    xml.element('saml2:AuthnContextDecl', undefined, options.vihf.contextDeclaration ?? contextClass)
  xml.end().end().start('saml2:AttributeStatement')
  writeAttributes(xml, options, who)
  const tail = xml.end().end().take().toString()
  return signAssertion({ id, head, tail }, signing.key, signing.certificate, options.vihf.hash)
}

function writeAttributes(
  xml: XmlWriter,
  { vihf, software }: Pick<NationalOptions, 'vihf' | 'software'>,
  who: Presented,
): void {
  const text = (Name: string, value: string | undefined): void => {
    if (value === undefined) return
    xml.start('saml2:Attribute', { Name })
    xml.element('saml2:AttributeValue', { 'xsi:type': 'xs:string' }, value).end()
  }
  const coded = (Name: string, element: string, codes: readonly Code[], codeSystemName?: string): void => {
    xml.start('saml2:Attribute', { Name })
    for (const { code, system, display } of codes)
      xml
        .start('saml2:AttributeValue')
        .element(element, {
          xmlns: 'urn:hl7-org:v3',
          'xsi:type': 'CE',
          code,
          codeSystem: system,
          codeSystemName,
          displayName: display ?? displayOf(system, code) ?? code,
        })
        .end()
    xml.end()
  }
  text('Identifiant_Structure', who.structure)
  text('Secteur_Activite', `${who.sector}^1.2.250.1.71.4.2.4`)
  text('urn:oasis:names:tc:xspa:1.0:subject:subject-id', who.personName)
  coded('urn:oasis:names:tc:xacml:2.0:subject:role', 'Role', who.roles)
  text('VIHF_Version', vihf.version)
  text(vihf.authenticationAttribute, who.mode)
  text(
    'urn:oasis:names:tc:xacml:2.0:resource:resource-id',
    who.patient === undefined ? undefined : formatCx(cxOf(who.patient, 'NH')),
  )
  text('Ressource_URN', 'urn:dmp')
  coded(
    'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse',
    'PurposeOfUse',
    [{ code: who.purpose, system: accessModes, display: purposeNames[who.purpose] }],
    'mode acces VIHF 2.0',
  )
  if (who.secretConnection)
    coded('urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code', 'ConfidentialityCode', [
      { code: 'INVISIBLE_REPRESENTANTS_LEGAUX', system: '1.2.250.1.213.1.1.4.13' },
    ])
  text('Mode_Acces_Raison', who.reason)
  text('LPS_ID', software.id)
  text('LPS_Nom', software.name)
  text('LPS_Version', software.version)
  text('LPS_ID_HOMOLOGATION_DMP', software.homologation)
}
