import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { aCda, type HeaderElement } from '../cda/mothers.ts'
import { submissionOf, type TestDocument } from '../support/documents.ts'
import type { FhirReply } from '../support/fhir-client.ts'
import {
  aDocument,
  aPatient,
  declared,
  openGateway,
  people,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'
import { at } from '../support/json.ts'

const target = '/DocumentReference/$generate-metadata'

/** The document of the mother for this patient, under an id of its own. */
let made = 0
const documentOf = ({ ins }: TestPatient, changes: Partial<Record<HeaderElement, string>> = {}): Buffer => {
  const patient = aCda({ relatedDocument: '', id: `<id root="1.2.250.1.213.1.4.10.99.71.${++made}"/>`, ...changes })
  return Buffer.from(patient.toString('utf8').replace('260059999999999', ins))
}

const parameters = (bytes: Buffer, contentType = 'text/xml') => ({
  resourceType: 'Parameters',
  parameter: [{ name: 'document', resource: { resourceType: 'Binary', contentType, data: bytes.toString('base64') } }],
})

const referenceIn = ({ json }: FhirReply) => String(at(json, 'parameter', 0, 'valueReference', 'reference'))

describe('ITI-106', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())

  const publish = (body: object | Buffer | string, headers: Readonly<Record<string, string>> = {}) =>
    gateway.fhir.call(people.structure, 'POST', target, { body, headers, consent: declared.informed })
  const read = async (reference: string, patient: TestPatient) =>
    gateway.fhir.call({ ...people.author, ins: patient.ins }, 'GET', reference, { consent: declared.careTeam })

  it('publishes a CDA with the metadata of its header, and answers with a reference to it', async () => {
    const patient = await gateway.patient()
    const bytes = documentOf(patient)
    const reply = await publish(parameters(bytes))
    assert.equal(reply.status, 200, reply.bytes.toString('utf8'))
    assert.deepEqual(Object.keys((at(reply.json, 'parameter', 0) as object) ?? {}), ['name', 'valueReference'])
    assert.equal(at(reply.json, 'parameter', 0, 'name'), 'DocumentReference')
    const { json } = await read(referenceIn(reply), patient)
    assert.equal(at(json, 'resourceType'), 'DocumentReference')
    assert.equal(at(json, 'type', 'coding', 0, 'code'), '11490-0')
    assert.equal(at(json, 'category', 0, 'coding', 0, 'code'), '10')
    assert.equal(at(json, 'content', 0, 'format', 'code'), 'urn:asip:ci-sis:ldl-ses:2017')
    assert.equal(at(json, 'content', 0, 'attachment', 'title'), 'Lettre de liaison')
    assert.equal(at(json, 'subject', 'identifier', 'value'), patient.ins)
    const document = await gateway.fhir.call(
      people.author,
      'GET',
      String(at(json, 'content', 0, 'attachment', 'url')),
      { consent: declared.careTeam },
    )
    assert.deepEqual(document.bytes, bytes)
  })

  it('takes the document as a Binary, in XML, and as it is', async () => {
    const patient = await gateway.patient()
    const [binary, xml, native] = [documentOf(patient), documentOf(patient), documentOf(patient)]
    const resource = { resourceType: 'Binary', contentType: 'text/xml', data: binary.toString('base64') }
    const inXml = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="document"/><resource><Binary><contentType value="text/xml"/><data value="${xml.toString('base64')}"/></Binary></resource></parameter></Parameters>`
    for (const reply of [
      await publish(resource),
      await publish(inXml, { 'Content-Type': 'application/fhir+xml' }),
      await publish(native, { 'Content-Type': 'text/xml' }),
    ])
      assert.equal(reply.status, 200, reply.bytes.toString('utf8'))
    const found = await gateway.fhir.find(people.author, patient, { consent: declared.careTeam })
    assert.equal(found.total, 3)
  })

  it('leaves the trace of a feed', async () => {
    const patient = await gateway.patient()
    await publish(parameters(documentOf(patient)))
    const [record] = await gateway.records(patient)
    assert.equal(record?.operation, 'TD2.1')
    assert.equal(record?.transaction, 'ITI-106')
    assert.equal(record?.documents.length, 1)
  })

  it('replaces what the document says it replaces', async () => {
    const patient = await gateway.patient()
    const first = await publish(parameters(documentOf(patient, { id: '<id root="1.2.250.1.213.1.4.10.99.72.1"/>' })))
    const relatedDocument =
      '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.250.1.213.1.4.10.99.72.1"/></parentDocument></relatedDocument>'
    const second = await publish(parameters(documentOf(patient, { relatedDocument })))
    assert.equal(second.status, 200, second.bytes.toString('utf8'))
    assert.equal(at((await read(referenceIn(first), patient)).json, 'status'), 'superseded')
    assert.equal(at((await read(referenceIn(second), patient)).json, 'relatesTo', 0, 'code'), 'replaces')
  })

  it('publishes as new what replaces a document that never came here, and tells', async () => {
    const patient = await gateway.patient()
    const relatedDocument =
      '<relatedDocument typeCode="RPLC"><parentDocument><id root="1.2.250.1.213.1.4.10.99.73"/></parentDocument></relatedDocument>'
    const reply = await publish(parameters(documentOf(patient, { relatedDocument })), {
      Prefer: 'return=OperationOutcome',
    })
    assert.equal(reply.status, 200)
    assert.match(reply.headers.get('dmp-warnings') ?? '', /PartialReplaceContentNotProcessed/)
    assert.match(reply.bytes.toString('utf8'), /the parent document is not known here/)
  })

  it('is held to the rules of every feed', async () => {
    const patient = await gateway.patient()
    const refused = await publish(
      parameters(
        documentOf(patient, {
          code: '<code code="99999-9" codeSystem="2.16.840.1.113883.6.1"/>',
          confidentialityCode: '<confidentialityCode code="R" codeSystem="2.16.840.1.113883.5.25"/>',
        }),
      ),
    )
    assert.equal(refused.status, 422)
    const text = refused.bytes.toString('utf8')
    for (const expected of [
      /type-not-accepted/,
      /confidentiality-not-shareable/,
      /Parameters\.parameter\[0\]\.resource/,
    ])
      assert.match(text, expected)
    const uninformed = await gateway.fhir.call(people.structure, 'POST', target, {
      body: parameters(documentOf(await gateway.patient())),
    })
    assert.equal(uninformed.status, 403)
    const absent = await publish(parameters(documentOf(aPatient())))
    assert.equal(absent.outcome.code, 'dmp-unknown')
  })

  const unusable: readonly (readonly [string, object | Buffer, Readonly<Record<string, string>>, number, RegExp])[] = [
    [
      'text',
      parameters(Buffer.from('Hello World'), 'text/plain'),
      {},
      422,
      /no CDA R2 document: send a ClinicalDocument/,
    ],
    ['a header that breaks off', parameters(aCda().subarray(0, 700)), {}, 422, /header of the document cannot be read/],
    [
      'XML of another kind',
      Buffer.from('<Bundle xmlns="http://hl7.org/fhir"/>'),
      { 'Content-Type': 'text/xml' },
      422,
      /no CDA R2/,
    ],
    ['a FHIR document', { resourceType: 'Bundle', type: 'document' }, {}, 422, /FHIRDocumentNotSupported/],
    [
      'a FHIR document as the parameter',
      {
        resourceType: 'Parameters',
        parameter: [{ name: 'document', resource: { resourceType: 'Bundle', type: 'document' } }],
      },
      {},
      422,
      /FHIRDocumentNotSupported/,
    ],
    [
      'another parameter',
      { resourceType: 'Parameters', parameter: [{ name: 'url', valueUri: 'Binary/1' }] },
      {},
      422,
      /Send one parameter: document/,
    ],
    [
      'two parameters',
      { ...parameters(aCda()), parameter: [...parameters(aCda()).parameter, { name: 'persist', valueBoolean: true }] },
      {},
      422,
      /Send one parameter/,
    ],
    ['another resource', { resourceType: 'Patient' }, {}, 422, /as a Binary/],
    ['no bytes', { resourceType: 'Binary', contentType: 'text/xml' }, {}, 422, /base64/],
    ['a document without the patient', parameters(aCda({ recordTarget: '' })), {}, 422, /names no patient/],
    ['a body of no type known here', Buffer.from('x'), { 'Content-Type': 'application/pdf' }, 415, /Content-Type/],
  ]
  for (const [what, body, headers, status, says] of unusable)
    it(`refuses ${what} and says what to send`, async () => {
      const reply = await publish(body, headers)
      assert.equal(reply.status, status, reply.bytes.toString('utf8'))
      assert.match(reply.bytes.toString('utf8'), says)
    })

  it('leaves nothing in the spool', async () => {
    await publish(parameters(Buffer.concat([documentOf(await gateway.patient()), Buffer.alloc(1024 * 1024, ' ')])))
    await publish(Buffer.alloc(1024 * 1024, 'x'), { 'Content-Type': 'text/xml' })
    assert.deepEqual(readdirSync(path.join(gateway.data, 'spool')), [])
  })

  describe('of documents written by others', () => {
    const folders = [path.resolve('ihe-samples/documents'), path.resolve('../shared/samples/cda')]
    const documents = folders.flatMap((folder) => {
      try {
        return readdirSync(folder).map((file) => path.join(folder, file))
      } catch {
        return []
      }
    })
    if (!documents.some((file) => file.startsWith(folders[1] ?? ''))) it.skip('needs ../shared/samples/cda')

    for (const file of documents)
      it(`publishes ${path.basename(file)}`, async () => {
        // The samples share patients and ids with each other: each gets a patient and a record of its own
        const patient = await gateway.patient()
        const text = readFileSync(file, 'utf8')
        const [, ins = ''] =
          /(?:root="1\.2\.250\.1\.213\.1\.4\.(?:8|10)"\s+extension|extension)="(\d{15})"/.exec(text) ?? []
        const bytes = Buffer.from(
          text.replaceAll(ins, patient.ins).replaceAll('1.2.250.1.213.1.4.8"', '1.2.250.1.213.1.4.10"'),
        )
        const reply = await publish(bytes, { 'Content-Type': 'text/xml', Prefer: 'return=representation' })
        assert.equal(reply.status, 200, reply.bytes.toString('utf8'))
        const stored = await read(referenceIn(reply), patient)
        assert.equal(stored.status, 200)
        assert.match(String(at(stored.json, 'type', 'coding', 0, 'code')), /./)
      })
  })
})

describe('metadata.checkCda', () => {
  for (const [mode, status, warned] of [
    ['off', 201, false],
    ['warn', 201, true],
    ['refuse', 422, false],
  ] as const)
    it(`${mode}: a document whose header says otherwise is ${status === 201 ? 'taken' : 'refused'}${warned ? ', and the difference told' : ''}, through either door`, async () => {
      await using gateway = await openGateway({ 'metadata.checkCda': mode })
      const patient = await gateway.patient()
      const bytes = documentOf(patient)
      const fhir = await gateway.fhirDoor.feed(people.structure, aDocument(patient, {}, bytes), {
        consent: declared.informed,
      })
      const xds = await gateway.xds.provide(
        people.structure,
        ...provided(aDocument(patient, {}, documentOf(patient))),
        { consent: declared.informed },
      )
      assert.equal(fhir.ok, status === 201)
      assert.equal(xds.outcome.ok, status === 201)
      const told = xds.http.bytes.toString('utf8')
      const differences = ['uniqueId', 'author', 'typeCode', 'formatCode', 'creationTime', 'title']
      for (const attribute of differences)
        assert.equal(
          new RegExp(`InvalidDocumentContent[^>]*/${attribute}"`).test(told),
          mode !== 'off',
          `${attribute}\n${told}`,
        )
    })
})

function provided(document: TestDocument) {
  return [submissionOf([document]), [document]] as const
}
