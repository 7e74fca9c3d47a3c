import assert from 'node:assert/strict'
import type { DocumentReference, Parameters } from '@medplum/fhirtypes'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { type Changes, codes } from '../mothers/metadata.ts'
import {
  aDocument,
  declared,
  openGateway,
  people,
  type Stored,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'

const { author, colleague, structure, staff, nurse } = people
const careTeam = { consent: declared.careTeam }
const a07 = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'
const isArchived = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'
const normal = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'N' }] }
const masked = { coding: [{ system: a07, code: 'MASQUE_PS' }] }
const hidden = { coding: [{ system: a07, code: 'INVISIBLE_PATIENT' }] }
const mask = [{ op: 'replace', path: '/securityLabel/0', value: masked }]
const unmask = [{ op: 'replace', path: '/securityLabel/0', value: normal }]
const status = (value: string) => [{ op: 'replace', path: '/status', value }]

describe('PATCH DocumentReference', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())

  async function feed(
    patient: TestPatient,
    changes: Changes<DocumentEntry> = {},
    who: IdentityOptions = structure,
  ): Promise<Stored> {
    const { stored } = await gateway.fhirDoor.feed(who, aDocument(patient, changes), { consent: declared.informed })
    assert.ok(stored)
    return stored
  }

  async function aStored(changes?: Changes<DocumentEntry>): Promise<Stored & { readonly patient: TestPatient }> {
    const patient = await gateway.patient()
    return { ...(await feed(patient, changes)), patient }
  }

  const byIdentifier = ({ uniqueId }: Stored) =>
    `/DocumentReference?identifier=${encodeURIComponent(`urn:ietf:rfc:3986|urn:oid:${uniqueId}`)}`
  const byId = ({ logicalId }: Stored) => `/DocumentReference/${logicalId.slice('urn:uuid:'.length)}`

  async function patch(
    who: IdentityOptions,
    target: string,
    body: unknown,
    headers: Record<string, string> = {},
    sent: object = who === author || who === colleague || who === nurse ? careTeam : {},
  ) {
    return gateway.fhir.call(who, 'PATCH', target, {
      ...sent,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'Content-Type': 'application/json-patch+json', ...headers },
    })
  }

  async function patched(...args: Parameters_): Promise<DocumentReference> {
    const reply = await patch(...args)
    assert.equal(reply.status, 200, reply.outcome.text)
    return reply.json as unknown as DocumentReference
  }
  type Parameters_ = globalThis.Parameters<typeof patch>

  const labelsOf = ({ securityLabel = [] }: DocumentReference) => securityLabel.map(({ coding }) => coding?.[0]?.code)

  it('masks and unmasks as the samples of the guide do: N stays, and comes last', async () => {
    const document = await aStored()
    const done = await patched(author, byIdentifier(document), mask)
    assert.deepEqual(labelsOf(done), ['MASQUE_PS', 'N'])
    assert.equal(done.meta?.versionId, '2')
    assert.equal(done.id, document.logicalId.slice('urn:uuid:'.length))
    assert.deepEqual(labelsOf(await patched(author, byId(document), unmask)), ['N'])
  })

  it('keeps N first for XDS, and the document in its lot', async () => {
    const document = await aStored()
    await patched(author, byIdentifier(document), mask)
    const { entries } = await gateway.xds.find(author, document.patient, careTeam)
    assert.deepEqual(
      entries[0]?.confidentialityCodes.map(({ code }) => code),
      ['N', 'MASQUE_PS'],
    )
    const lots = await gateway.fhir.call(
      author,
      'GET',
      `/List?code=submissionset&status=current&patient.identifier=urn:oid:${document.patient.authority}%7C${document.patient.ins}`,
      careTeam,
    )
    assert.match(lots.bytes.toString(), new RegExp(`DocumentReference/${document.logicalId.slice(9)}`))
  })

  it('gives the document back to whoever masked it, and then no more', async () => {
    const document = await aStored()
    const done = await patched(colleague, byIdentifier(document), mask)
    assert.deepEqual(labelsOf(done), ['MASQUE_PS', 'N'])
    assert.equal((await gateway.fhir.call(colleague, 'GET', byId(document), careTeam)).status, 404)
    assert.equal((await patch(colleague, byIdentifier(document), unmask)).status, 404)
    assert.equal((await gateway.fhir.call(author, 'GET', byId(document), careTeam)).status, 200)
  })

  it('lets the patient unmask, without a declaration', async () => {
    const document = await aStored({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] })
    const done = await patched(document.patient.identity, byIdentifier(document), unmask)
    assert.deepEqual(labelsOf(done), ['N'])
  })

  it('points a structure that asks to mask to replacement (UP6), and lets it delete its own (TD3.3c)', async () => {
    const document = await aStored()
    const reply = await patch(structure, byIdentifier(document), mask)
    assert.equal(reply.status, 403)
    assert.equal(reply.outcome.code, 'use-replacement')
    const done = await patched(structure, byIdentifier(document), status('entered-in-error'))
    assert.equal(done.status, 'entered-in-error')
  })

  it('refuses to hide from the patient after feeding, and makes visible (UP3, TD3.3b)', async () => {
    const document = await aStored({ confidentialityCodes: [codes.normal, codes.hiddenFromPatient] })
    const shown = await patched(author, byIdentifier(document), unmask)
    assert.deepEqual(labelsOf(shown), ['N'])
    const reply = await patch(author, byIdentifier(document), [{ op: 'add', path: '/securityLabel/-', value: hidden }])
    assert.equal(reply.outcome.code, 'set-at-feeding')
  })

  it('takes labels literally: duplicates go, nothing else is added but N', async () => {
    const document = await aStored()
    const twice = [{ op: 'replace', path: '/securityLabel', value: [masked, normal, masked] }]
    assert.deepEqual(labelsOf(await patched(author, byIdentifier(document), twice)), ['MASQUE_PS', 'N'])
    const gone = [{ op: 'remove', path: '/securityLabel' }]
    assert.deepEqual(labelsOf(await patched(author, byIdentifier(document), gone)), ['N'])
  })

  it('reads the other names of TRE_A07 that circulate', async () => {
    const document = await aStored()
    const system =
      'https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument'
    const label = { coding: [{ system, code: 'MASQUE_PS' }] }
    const done = await patched(author, byIdentifier(document), [{ op: 'add', path: '/securityLabel/0', value: label }])
    assert.equal(done.securityLabel?.[0]?.coding?.[0]?.system, a07)
    assert.equal(done.securityLabel?.[0]?.coding?.[0]?.display, 'Masqué aux professionnels de santé')
  })

  it('archives and takes out of the archive, each a version to FHIR (TD3.3d)', async () => {
    const document = await aStored()
    const before = await gateway.fhir.call(author, 'GET', byId(document), careTeam)
    const flag = (value: boolean) => ({ url: isArchived, valueBoolean: value })
    const done = await patched(author, byId(document), [{ op: 'add', path: '/extension', value: [flag(true)] }])
    assert.deepEqual(done.extension?.[0], flag(true))
    assert.equal(done.status, 'current')
    const after = await gateway.fhir.call(author, 'GET', byId(document), careTeam)
    assert.notEqual(after.headers.get('etag'), before.headers.get('etag'))
    assert.equal(after.headers.get('etag'), `W/"${done.meta?.versionId}"`)
    assert.deepEqual(after.json, JSON.parse(JSON.stringify(done)))
    const back = await patched(author, byId(document), [
      { op: 'replace', path: '/extension/0/valueBoolean', value: false },
    ])
    assert.equal(back.extension, undefined)
    assert.equal(back.meta?.versionId, '1.2')
  })

  it('refuses a bare superseded, naming what to send instead', async () => {
    const document = await aStored()
    const reply = await patch(author, byIdentifier(document), status('superseded'))
    assert.equal(reply.status, 422)
    assert.match(reply.outcome.text, /relatesTo replaces.*entered-in-error/)
  })

  it('deletes for good: a deleted document does not come back', async () => {
    const document = await aStored()
    assert.equal((await patched(author, byIdentifier(document), status('entered-in-error'))).status, 'entered-in-error')
    const again = await patch(author, byIdentifier(document), status('current'))
    assert.equal(again.status, 422)
    assert.equal(again.outcome.code, 'attribute-not-modifiable')
    const { total } = await gateway.fhir.find(author, document.patient, careTeam)
    assert.equal(total, 0)
  })

  it('changes label and status together, in one version of each', async () => {
    const document = await aStored()
    const done = await patched(author, byIdentifier(document), [
      ...mask,
      { op: 'add', path: '/extension', value: [{ url: isArchived, valueBoolean: true }] },
    ])
    assert.equal(done.meta?.versionId, '2.1')
    assert.deepEqual(labelsOf(done), ['MASQUE_PS', 'N'])
    assert.equal(done.extension?.[0]?.valueBoolean, true)
    const read = await gateway.fhir.call(author, 'GET', byId(document), careTeam)
    assert.deepEqual(read.json, JSON.parse(JSON.stringify(done)))
  })

  it('answers 405 and Allow for any other element, and changes nothing (PDSm st_maj)', async () => {
    const document = await aStored()
    for (const operation of [
      { op: 'replace', path: '/description', value: 'x' },
      { op: 'remove', path: '/author' },
      { op: 'replace', path: '', value: {} },
      { op: 'move', from: '/subject', path: '/securityLabel/0' },
      { op: 'add', path: '/extension', value: [{ url: 'https://example.org/x', valueString: 'x' }] },
      { op: 'replace', path: '/meta/versionId', value: '9' },
    ]) {
      const reply = await patch(author, byIdentifier(document), [...mask, operation])
      assert.equal(reply.status, 405, JSON.stringify(operation))
      assert.equal(reply.headers.get('allow'), 'GET, HEAD, PATCH')
    }
    const read = await gateway.fhir.call(author, 'GET', byId(document), careTeam)
    assert.equal(read.headers.get('etag'), 'W/"1"')
  })

  it('applies FHIRPath Patch in JSON and in XML', async () => {
    const document = await aStored()
    const parameters = (code: string, system: string): Parameters => ({
      resourceType: 'Parameters',
      parameter: [
        {
          name: 'operation',
          part: [
            { name: 'type', valueCode: 'replace' },
            { name: 'path', valueString: 'DocumentReference.securityLabel[0]' },
            { name: 'value', valueCodeableConcept: { coding: [{ system, code }] } },
          ],
        },
      ],
    })
    const json = { 'Content-Type': 'application/fhir+json' }
    const done = await patched(author, byIdentifier(document), parameters('MASQUE_PS', a07), json)
    assert.deepEqual(labelsOf(done), ['MASQUE_PS', 'N'])
    const xml = `<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>
      <part><name value="type"/><valueCode value="delete"/></part>
      <part><name value="path"/><valueString value="DocumentReference.securityLabel.where(coding.code='MASQUE_PS')"/></part>
      </parameter></Parameters>`
    const back = await patched(author, byIdentifier(document), xml, { 'Content-Type': 'application/fhir+xml' })
    assert.deepEqual(labelsOf(back), ['N'])
    const other = await patch(author, byIdentifier(document), { resourceType: 'Patient' }, json)
    assert.equal(other.status, 422)
  })

  it('refuses bodies that are no patch, before it looks for a document', async () => {
    const nowhere = '/DocumentReference?identifier=urn:ietf:rfc:3986%7Curn:oid:1.2.3.4'
    const send = async (body: string, type: string) =>
      (await patch(author, nowhere, body, { 'Content-Type': type })).status
    assert.equal(await send('[{"op":', 'application/json-patch+json'), 400)
    assert.equal(await send('{}', 'application/json-patch+json'), 422)
    const plain = await patch(author, nowhere, 'x', { 'Content-Type': 'text/plain' })
    assert.deepEqual(
      [plain.status, /json-patch\+json or application\/fhir\+json/.test(plain.bytes.toString())],
      [415, true],
    )
    assert.equal(await send('<diff/>', 'application/xml-patch+xml'), 415)
    assert.equal(await send(`[${'0,'.repeat(200_000)}0]`, 'application/json-patch+json'), 413)
    const reply = await patch(author, nowhere, mask)
    assert.equal(reply.status, 404)
    assert.match(reply.headers.get('accept-patch') ?? '', /application\/json-patch\+json/)
  })

  it('wants a condition that names one document', async () => {
    const document = await aStored()
    const other = await feed(document.patient)
    const both = `/DocumentReference?identifier=urn:oid:${document.uniqueId},urn:oid:${other.uniqueId}`
    const reply = await patch(author, both, mask)
    assert.equal(reply.status, 412)
    assert.equal(reply.outcome.code, 'multiple-matches')
    assert.equal((await patch(author, '/DocumentReference', mask)).status, 400)
    assert.equal((await patch(author, `${byIdentifier(document)}&type=x`, mask)).status, 400)
    assert.equal((await patch(author, `${byIdentifier(document)}&identifier=x`, mask)).status, 400)
    const elsewhere = aDocument(await gateway.patient()).entry.patientId.id
    const token = (ins: string) => `&patient.identifier=urn:oid:${document.patient.authority}%7C${ins}`
    assert.equal((await patch(author, byIdentifier(document) + token(elsewhere), mask)).status, 404)
    assert.equal((await patch(author, byIdentifier(document) + token(document.patient.ins), mask)).status, 200)
  })

  it('finds a document by its entryUUID too, whichever version', async () => {
    const document = await aStored()
    const done = await patched(author, byIdentifier(document), mask)
    for (const { value } of done.identifier ?? []) {
      const target = `/DocumentReference?identifier=urn:ietf:rfc:3986%7C${value}`
      assert.equal((await patch(author, target, mask)).status, 200, value)
    }
  })

  it('honours If-Match', async () => {
    const document = await aStored()
    const stale = await patch(author, byId(document), mask, { 'If-Match': 'W/"7"' })
    assert.equal(stale.status, 412)
    assert.equal(stale.outcome.code, 'version-conflict')
    const done = await patch(author, byId(document), mask, { 'If-Match': 'W/"1"' })
    assert.equal(done.headers.get('etag'), 'W/"2"')
    assert.equal((await patch(author, byId(document), unmask, { 'If-Match': 'W/"1"' })).status, 412)
    assert.equal((await patch(author, byId(document), unmask, { 'If-Match': '*' })).status, 200)
  })

  it('does nothing when nothing changes', async () => {
    const document = await aStored()
    const reply = await patch(author, byId(document), unmask)
    assert.equal(reply.status, 200)
    assert.equal(reply.headers.get('etag'), 'W/"1"')
    assert.deepEqual(
      (await gateway.records(document.patient)).filter(({ operation }) => operation.startsWith('TD3.3')),
      [],
    )
  })

  it('answers a document that is hidden from the caller as one that is not there, by any name', async () => {
    const document = await aStored({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] })
    for (const [target, none] of [
      [byId(document), '/DocumentReference/0190d3a0-0000-7000-8000-000000000000'],
      [byIdentifier(document), '/DocumentReference?identifier=urn:ietf:rfc:3986%7Curn:oid:2.25.7'],
    ] as const) {
      const [one, other] = [await patch(colleague, target, unmask), await patch(colleague, none, unmask)]
      assert.equal(one.status, 404)
      assert.deepEqual(one.bytes, other.bytes)
    }
  })

  it('needs the declaration that a search needs, and leaves every attempt in the history', async () => {
    const document = await aStored()
    const reply = await patch(author, byIdentifier(document), mask, {}, {})
    assert.equal(reply.outcome.code, 'consent-missing')
    assert.equal((await patch(staff, byIdentifier(document), mask)).outcome.ok, false)
    await patched(author, byIdentifier(document), mask)
    const operations = (await gateway.records(document.patient)).map(
      ({ operation, outcome }) => `${operation} ${outcome}`,
    )
    assert.ok(operations.includes('TD3.3a.mask permitted'), operations.join())
  })

  it('answers as Prefer asks', async () => {
    const document = await aStored()
    const minimal = await patch(author, byId(document), mask, { Prefer: 'return=minimal' })
    assert.equal(minimal.status, 200)
    assert.equal(minimal.bytes.length, 0)
    assert.equal(minimal.headers.get('preference-applied'), 'return=minimal')
    const outcome = await patch(author, byId(document), unmask, { Prefer: 'return=OperationOutcome' })
    assert.match(outcome.bytes.toString(), /"resourceType":"OperationOutcome","issue":\[\{"severity":"information"/)
  })
})
