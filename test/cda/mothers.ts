/** CDA documents for tests: an invented discharge letter; a test changes one element. */

const header = {
  templateId: '<templateId root="1.2.250.1.213.1.1.1.1"/><templateId root="1.2.250.1.213.1.1.1.29"/>',
  id: '<id root="1.2.250.1.213.1.4.10.99.7001"/>',
  code: '<code code="11490-0" codeSystem="2.16.840.1.113883.6.1" displayName="Lettre de liaison"/>',
  title: '<title>Lettre de\n liaison</title>',
  effectiveTime: '<effectiveTime value="20261012083000+0200"/>',
  confidentialityCode: '<confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>',
  languageCode: '<languageCode code="fr-FR"/>',
  recordTarget: `<recordTarget><patientRole>
    <id root="1.2.3.4.567.8" extension="IPP-42"/>
    <id root="1.2.250.1.213.1.4.10" extension="260059999999999"/>
    <patient><name>
      <family qualifier="CL">MARTIN</family><family qualifier="BR">LAURENT</family><given>Camille Zoé</given><given qualifier="BR">Camille</given>
    </name><administrativeGenderCode code="F"/><birthTime value="19600514"/></patient>
  </patientRole></recordTarget>`,
  author: `<author><functionCode code="PCP" codeSystem="2.16.840.1.113883.5.88" displayName="Médecin traitant"/>
    <time value="20261012083000+0200"/><assignedAuthor>
    <id root="1.2.250.1.71.4.2.1" extension="899700000010"/>
    <code code="G15_10/SM03" codeSystem="1.2.250.1.213.1.1.4.5" displayName="Médecin - Biologie médicale (SM)"/>
    <assignedPerson><name><prefix>DR</prefix><family>LEROY</family><given>Claire</given></name></assignedPerson>
    <representedOrganization><id root="1.2.250.1.71.4.2.2" extension="1010099999"/><name>CH EXEMPLE</name></representedOrganization>
  </assignedAuthor></author>`,
  legalAuthenticator: `<legalAuthenticator><time value="20261012090000+0200"/><assignedEntity>
    <id root="1.2.250.1.71.4.2.1" extension="899700000011"/>
    <assignedPerson><name><family>ROUX</family><given>Paul</given></name></assignedPerson>
  </assignedEntity></legalAuthenticator>`,
  inFulfillmentOf: '<inFulfillmentOf><order><id root="1.2.3.4.567.9" extension="P-7"/></order></inFulfillmentOf>',
  documentationOf: `<documentationOf><serviceEvent>
    <code code="YYYY600" codeSystem="1.2.250.1.213.2.5" displayName="Supplément"/>
    <effectiveTime><low value="202610100715+0200"/><high value="20261012"/></effectiveTime>
    <performer typeCode="PRF"><assignedEntity><representedOrganization>
      <standardIndustryClassCode code="ETABLISSEMENT" codeSystem="1.2.250.1.213.1.1.4.9"/>
    </representedOrganization></assignedEntity></performer>
  </serviceEvent></documentationOf>`,
  relatedDocument:
    '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.250.1.213.1.4.10.99.7000"/></parentDocument></relatedDocument>',
  componentOf: `<componentOf><encompassingEncounter><location><healthCareFacility>
    <code code="SA01" codeSystem="1.2.250.1.71.4.2.4"/>
  </healthCareFacility></location></encompassingEncounter></componentOf>`,
} as const

export type HeaderElement = keyof typeof header

export const structuredBody = '<component><structuredBody/></component>'

/** @param changes elements of the header in place of those of the mother; '' leaves one out */
export function aCda(changes: Partial<Record<HeaderElement, string>> = {}, body = structuredBody): Buffer {
  const elements = Object.entries({ ...header, ...changes }).map(([, xml]) => xml)
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<?xml-stylesheet type="text/xsl" href="x.xsl"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3">${elements.join('')}${body}</ClinicalDocument>`,
  )
}

/** As the spool holds it. */
export function inMemory(bytes: Buffer) {
  return {
    size: bytes.length,
    bytes,
    stream: (): never => {
      throw new Error('a document in memory is not streamed')
    },
  }
}
