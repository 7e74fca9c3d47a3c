import assert from 'node:assert/strict'
import { checkSetAuthorization } from '../../../src/dmp/xds/authorization.ts'
import { readEmergencyChoices, readPatientStatus } from '../../../src/dmp/xds/patient-status.ts'
import { readRegistryResponse } from '../../../src/dmp/xds/registry-response.ts'
import { bodyOf } from '../../../src/dmp/xds/soap.ts'
import { readFound, readObjectRefs } from '../../../src/dmp/xds/stored-query.ts'
import { GatewayError } from '../../../src/errors.ts'
import { patientKey } from '../../../src/metadata/identifiers.ts'
import { codeContextOf } from '../../../src/xds/ebrim/response.ts'
import { writeDocumentEntry } from '../../../src/xds/ebrim/writer.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { XmlWriter } from '../../../src/xml/writer.ts'
import { aDocumentEntry } from '../../mothers/metadata.ts'

const patient = patientKey('1.2.250.1.213.1.4.10', '260059999999999')
const refuses = (act: () => unknown, code: string, more: object = {}) =>
  assert.throws(act, (error) => {
    assert.ok(error instanceof GatewayError, String(error))
    assert.equal(error.code, code)
    for (const [name, value] of Object.entries(more))
      assert.equal((error.issues[0] as unknown as Record<string, unknown>)[name], value)
    return true
  })

describe('what the DMP answers about a patient', () => {
  const answer = (changes: {
    ack?: string
    response?: string
    status?: string
    authorisation?: string
    ins?: string
    more?: string
  }) => {
    const { ack = '<acknowledgement typeCode="AA"/>', response = 'OK', status = 'active', more = '' } = changes
    const { authorisation = 'VALIDE', ins = '260059999999999' } = changes
    return parseXml(
      `<p:PRPA_IN201308UV02 xmlns:p="urn:hl7-org:v3" xmlns="urn:hl7-org:v3"><attentionLine><keyWordText code="AUTORISATION"/><value code="${authorisation}"/></attentionLine><attentionLine><keyWordText code="STATUT_MT"/><value value="true"/></attentionLine><attentionLine><keyWordText code="AUTRE"/></attentionLine>${ack}<controlActProcess><subject><registrationEvent><subject1><patient><id root="1.2.250.1.213.1.4.2" extension="1"/><id root="1.2.250.1.213.1.4.10" extension="${ins}"/><statusCode code="${status}"/><patientPerson><birthTime value="20100229"/></patientPerson>${more}</patient></subject1></registrationEvent></subject><queryAck><queryResponseCode code="${response}"/></queryAck></controlActProcess></p:PRPA_IN201308UV02>`,
    )
  }
  const opposed = (name: string, value: string) =>
    `<subjectOf><administrativeObservation><code code="${name}"/><value value="${value}"/></administrativeObservation></subjectOf>`

  it('says whether the DMP is open, whether this person may consult, and who treats', () => {
    assert.deepEqual(readPatientStatus(answer({}), patient), {
      status: 'active',
      authorisation: 'VALIDE',
      treatingPhysician: true,
      birthDate: '2010-02-29',
    })
    assert.equal(readPatientStatus(answer({ status: 'terminated' }), patient)?.status, 'closed')
    assert.equal(readPatientStatus(answer({ response: 'NF' }), patient), undefined)
  })

  it('is not used when what bears on access is missing or about somebody else', () => {
    refuses(() => readPatientStatus(answer({ authorisation: 'PEUT_ETRE' }), patient), 'dmp-answer-invalid')
    refuses(() => readPatientStatus(answer({ status: 'suspended' }), patient), 'dmp-answer-invalid')
    refuses(() => readPatientStatus(answer({ ins: '260059999999998' }), patient), 'dmp-answer-invalid')
    refuses(() => readPatientStatus(answer({ response: 'QE' }), patient), 'dmp-answer-invalid')
    refuses(() => readPatientStatus(parseXml('<other/>'), patient), 'dmp-answer-invalid')
  })

  it('passes on the code and the words of a refusal', () => {
    const ack =
      '<acknowledgement typeCode="AE"><acknowledgementDetail><code code="DMPClosed"/><text>DMP fermé</text></acknowledgementDetail></acknowledgement>'
    refuses(() => readPatientStatus(answer({ ack }), patient), 'dmp-refused', {
      foreign: 'DMPClosed',
      detail: 'DMP fermé',
    })
  })

  it('says which emergency modes the patient allows; what cannot be read forbids', () => {
    const choices = (more: string) => readEmergencyChoices(answer({ more }), patient)
    assert.deepEqual(choices(''), { breakGlassPermitted: true, regulationPermitted: true })
    assert.equal(choices(opposed('OPPOSITION_BRIS_DE_GLACE', 'true'))?.breakGlassPermitted, false)
    assert.equal(choices(opposed('OPPOSITION_ACCES_URGENCE', '?'))?.regulationPermitted, false)
    assert.equal(choices(opposed('OPPOSITION_BRIS_DE_GLACE', 'false'))?.breakGlassPermitted, true)
  })
})

describe('what the DMP answers to setAuthorization', () => {
  const answer = (status: string) =>
    parseXml(
      `<setAuthorizationResponse xmlns="urn:si-dmp-habilitations"><output><status>${status}</status><context>texte</context></output></setAuthorizationResponse>`,
    )
  it('is a success when it says DMPOk, in any case', () => {
    checkSetAuthorization(answer('DMPOk'))
    checkSetAuthorization(answer('DMPOK'))
  })
  it('is an error otherwise, with its status and its words', () => {
    refuses(() => checkSetAuthorization(answer('DMPRights')), 'dmp-refused', { foreign: 'DMPRights', detail: 'texte' })
    refuses(() => checkSetAuthorization(parseXml('<x/>')), 'dmp-answer-invalid')
  })
})

describe('a registry response of the DMP', () => {
  const rs = 'urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0'
  const response = (status: string, errors: string) =>
    parseXml(
      `<rs:RegistryResponse xmlns:rs="${rs}" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:${status}"><rs:RegistryErrorList>${errors}</rs:RegistryErrorList></rs:RegistryResponse>`,
    )
  const error = (code: string, severity = 'Error') =>
    `<rs:RegistryError errorCode="${code}" codeContext="libellé du DMP" location="Document01" severity="urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:${severity}"/>`

  it('gives an IHE code its own row, with the words and the place', () => {
    refuses(
      () => readRegistryResponse(response('Failure', error('XDSPatientIdDoesNotMatch'))),
      'XDSPatientIdDoesNotMatch',
      {
        detail: 'libellé du DMP',
        location: 'Document01',
      },
    )
  })
  it('lets a code that nobody published through unchanged, never as one of our own', () => {
    for (const code of ['DMPSomethingNew', 'consent-missing', '__proto__'])
      refuses(() => readRegistryResponse(response('Failure', error(code))), 'dmp-refused', { foreign: code })
    const issue = { code: 'dmp-refused', foreign: 'DMPSomethingNew', detail: 'libellé du DMP' } as const
    assert.equal(codeContextOf(issue), 'libellé du DMP')
  })
  it('is a success with warnings', () => {
    const [warning] = readRegistryResponse(response('Success', error('XDSExtraMetadataNotSaved', 'Warning')))
    assert.equal(warning?.severity, 'warning')
  })
  it('is never a success for want of errors', () => {
    refuses(() => readRegistryResponse(response('Failure', '')), 'dmp-answer-invalid')
    refuses(() => readRegistryResponse(parseXml('<x/>')), 'dmp-answer-invalid')
  })
})

describe('what a stored query of the DMP answers', () => {
  const rim = 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'
  const answer = (objects: string) =>
    parseXml(
      `<query:AdhocQueryResponse xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="${rim}" status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"><rim:RegistryObjectList>${objects}</rim:RegistryObjectList></query:AdhocQueryResponse>`,
    )
  const written = (entry = aDocumentEntry()): string => {
    const xml = new XmlWriter()
    writeDocumentEntry(xml, entry)
    return xml.take().toString()
  }

  it('is read as it was written, with UTF8 as the DMP spells it', () => {
    const entry = aDocumentEntry()
    const { entries } = readFound(answer(written(entry).replaceAll('charset="UTF-8"', 'charset="UTF8"')))
    assert.deepEqual(entries, [entry])
  })
  it('has the first version under its own id where it says nothing of versions', () => {
    const entry = aDocumentEntry()
    const bare = written(entry)
      .replace(/ lid="[^"]*"/, '')
      .replace(/<rim:VersionInfo[^>]*>/, '')
    assert.deepEqual(readFound(answer(bare)).entries, [entry])
  })
  it('is not used when a label cannot be read: what it hides would be shown', () => {
    const masked = written().replace('codingScheme', 'autre')
    refuses(() => readFound(answer(masked)), 'dmp-answer-invalid')
    refuses(() => readFound(answer(written().replace(/ status="[^"]*"/, ''))), 'dmp-answer-invalid')
  })
  it('keeps the order of references', () => {
    assert.deepEqual(readObjectRefs(answer('<rim:ObjectRef id="a"/><rim:ObjectRef id="b"/>')), ['a', 'b'])
    refuses(() => readObjectRefs(parseXml('<x/>')), 'dmp-answer-invalid')
  })
})

describe('a fault of the DMP', () => {
  const soap = 'http://www.w3.org/2003/05/soap-envelope'
  it('keeps its subcode and its reason', () => {
    const fault = parseXml(
      `<s:Envelope xmlns:s="${soap}"><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>soap:DMPInvalidCertificate</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="fr">certificat</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>`,
    )
    refuses(() => bodyOf(fault), 'dmp-refused', { foreign: 'DMPInvalidCertificate', detail: 'certificat' })
  })
  it('is told from what is no envelope', () => {
    refuses(() => bodyOf(parseXml('<html/>')), 'dmp-answer-invalid')
  })
})
