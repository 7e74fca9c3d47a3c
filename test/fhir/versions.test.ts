import assert from 'node:assert/strict'
import type { Bundle, DocumentReference } from '@medplum/fhirtypes'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import { aDocument, declared, openGateway, people, type Stored, type TestGateway } from '../support/gateway.ts'

const { author, colleague, structure } = people
const careTeam = { consent: declared.careTeam }
const a07 = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'

describe('Versions of a DocumentReference', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())

  const get = (target: string, who: IdentityOptions = author, headers: Record<string, string> = {}) =>
    gateway.fhir.call(who, 'GET', target, { ...careTeam, headers })

  async function patch(document: Stored, ...body: object[]): Promise<DocumentReference> {
    const reply = await gateway.fhir.call(author, 'PATCH', read(document), {
      ...careTeam,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json-patch+json' },
    })
    assert.equal(reply.status, 200, reply.outcome.text)
    return reply.json as unknown as DocumentReference
  }
  const read = ({ logicalId }: Stored) => `/DocumentReference/${logicalId.slice('urn:uuid:'.length)}`
  const masking = { op: 'add', path: '/securityLabel/0', value: { coding: [{ system: a07, code: 'MASQUE_PS' }] } }

  /** Fed, then masked. */
  async function masked(): Promise<Stored & { readonly current: DocumentReference }> {
    const patient = await gateway.patient()
    const { stored } = await gateway.fhirDoor.feed(structure, aDocument(patient), { consent: declared.informed })
    assert.ok(stored)
    return { ...stored, current: await patch(stored, masking) }
  }

  it('keeps its id over every change, and answers to the entryUUID of any version', async () => {
    const document = await masked()
    const official = document.current.identifier?.find(({ use }) => use === 'official')?.value ?? ''
    assert.notEqual(official, document.entryUuid)
    for (const id of [document.entryUuid, official]) {
      const reply = await get(`/DocumentReference/${id.slice('urn:uuid:'.length)}`)
      assert.equal(reply.status, 200)
      assert.deepEqual(reply.json, JSON.parse(JSON.stringify(document.current)))
    }
  })

  it('gives its history, newest first, each version with its time', async () => {
    const document = await masked()
    const reply = await get(`${read(document)}/_history`)
    assert.equal(reply.status, 200)
    assert.deepEqual(checkStructure(reply.json), [])
    const { type, total, entry = [] } = reply.json as unknown as Bundle
    assert.deepEqual([type, total], ['history', 2])
    assert.deepEqual(
      entry.map(({ resource, request, response }) => [
        resource?.meta?.versionId,
        request?.method,
        response?.etag,
        (resource as DocumentReference).securityLabel?.length,
      ]),
      [
        ['2', 'PATCH', 'W/"2"', 2],
        ['1', 'POST', 'W/"1"', 1],
      ],
    )
    for (const { resource, response } of entry) assert.equal(resource?.meta?.lastUpdated, response?.lastModified)
    assert.deepEqual(entry[0]?.resource, JSON.parse(JSON.stringify(document.current)))
  })

  it('gives each version under the ETag it had', async () => {
    const document = await masked()
    const [first, second] = [await get(`${read(document)}/_history/1`), await get(`${read(document)}/_history/2`)]
    assert.equal(first.headers.get('etag'), 'W/"1"')
    assert.equal((first.json as unknown as DocumentReference).securityLabel?.length, 1)
    assert.equal(second.headers.get('etag'), 'W/"2"')
    assert.equal((await get(`${read(document)}/_history/3`)).status, 404)
    const known = await get(`${read(document)}/_history/1`, author, { 'If-None-Match': 'W/"1"' })
    assert.equal(known.status, 304)
  })

  it('makes a version of a change of status, for as long as it stands', async () => {
    const document = await masked()
    const url = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'
    await patch(document, { op: 'add', path: '/extension', value: [{ url, valueBoolean: true }] })
    assert.equal((await get(`${read(document)}/_history/2.1`)).status, 200)
    assert.equal((await get(`${read(document)}/_history/2`)).status, 404)
    const { entry = [] } = (await get(`${read(document)}/_history`)).json as unknown as Bundle
    assert.deepEqual(
      entry.map(({ resource }) => resource?.meta?.versionId),
      ['2.1', '1'],
    )
  })

  it('gives a replaced document another ETag than before', async () => {
    const patient = await gateway.patient()
    const { stored } = await gateway.fhirDoor.feed(author, aDocument(patient), { consent: declared.informed })
    assert.ok(stored)
    const before = await get(read(stored))
    const options = { consent: declared.informed, replaces: stored }
    assert.ok((await gateway.fhirDoor.feed(author, aDocument(patient), options)).ok)
    const after = await get(read(stored), author, { 'If-None-Match': String(before.headers.get('etag')) })
    assert.equal(after.status, 200)
    assert.equal((after.json as unknown as DocumentReference).status, 'superseded')
  })

  it('has no history for whoever may not see the document now', async () => {
    const document = await masked()
    for (const path of ['', '/_history', '/_history/1', '/_history/2']) {
      const hidden = await get(read(document) + path, colleague)
      const absent = await get(`/DocumentReference/0190d3a0-0000-7000-8000-000000000000${path}`, colleague)
      assert.equal(hidden.status, 404)
      assert.equal(absent.status, 404)
    }
  })
})
