import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import type { DocumentReference, OperationOutcome } from '@medplum/fhirtypes'
import { patientKey } from '../../src/metadata/identifiers.ts'
import { Door } from './door.ts'
import { aSimplifiedPublish, ins } from './mothers.ts'

describe('ITI-105', () => {
  let door: Door
  before(async () => {
    door = await Door.open()
    door.operations.patients.set(patientKey('1.2.250.1.213.1.4.10', ins), { given: [] })
  })
  after(() => door.close())

  it('stores the document, and answers 201 with its place and the resource as it is served', async () => {
    const reply = await door.send('POST', '/DocumentReference', aSimplifiedPublish({ bytes: Buffer.from('publié') }))
    assert.equal(reply.status, 201, reply.text)
    const created = reply.body as DocumentReference
    assert.equal(reply.headers.get('location'), `${door.url}/DocumentReference/${created.id}/_history/1`)
    assert.equal(reply.headers.get('etag'), 'W/"1"')
    const attachment = created.content[0]?.attachment
    assert.equal(attachment?.data, undefined)
    assert.equal((await door.get(attachment?.url ?? '')).text, 'publié')
    const location = (await door.get(reply.headers.get('location') ?? '')).body as DocumentReference
    assert.equal(location.id, created.id)
  })

  it('makes the SubmissionSet that is left unsaid', async () => {
    await door.send('POST', '/DocumentReference', aSimplifiedPublish())
    const entry = door.operations.entries.at(-1)
    const member = door.operations.associations.at(-1)
    assert.equal(member?.target, entry?.entryUuid)
    assert.equal(member?.submissionSetStatus, 'Original')
  })

  it('replaces', async () => {
    await door.send('POST', '/DocumentReference', aSimplifiedPublish())
    const old = door.operations.entries.at(-1)
    const relatesTo = [{ code: 'replaces', target: { reference: `DocumentReference/${old?.logicalId.slice(9)}` } }]
    const reply = await door.send('POST', '/DocumentReference', { ...aSimplifiedPublish(), relatesTo })
    assert.equal(reply.status, 201, reply.text)
    assert.deepEqual((reply.body as DocumentReference).relatesTo, relatesTo)
    const now = door.operations.entries.find(({ entryUuid }) => entryUuid === old?.entryUuid)
    assert.equal(now?.availabilityStatus, 'Deprecated')
  })

  const bad: Record<string, (resource: DocumentReference) => unknown> = {
    'a url beside the data': ({ content }) => Object.assign(content[0]?.attachment ?? {}, { url: 'Binary/x' }),
    'no data': ({ content }) => Reflect.deleteProperty(content[0]?.attachment ?? {}, 'data'),
    'data that is not base64': ({ content }) => Object.assign(content[0]?.attachment ?? {}, { data: '***' }),
    'data that is no string': ({ content }) => Object.assign(content[0]?.attachment ?? {}, { data: 5 }),
    'a hash of something else': ({ content }) =>
      Object.assign(content[0]?.attachment ?? {}, { hash: Buffer.alloc(20).toString('base64') }),
    'a wrong size': ({ content }) => Object.assign(content[0]?.attachment ?? {}, { size: 1 }),
    'two contents': (resource) => resource.content.push(...structuredClone(resource.content)),
    'no subject': (resource) => Reflect.deleteProperty(resource, 'subject'),
    'an unknown patient': (resource) => Object.assign(resource, { subject: { reference: 'Patient/nobody' } }),
    'a status that is not current': (resource) => Object.assign(resource, { status: 'superseded' }),
    'another type of resource': (resource) => Object.assign(resource, { resourceType: 'Patient' }),
  }
  for (const [what, change] of Object.entries(bad))
    it(`refuses ${what}, and stores nothing`, async () => {
      const before = door.operations.entries.length
      const resource = aSimplifiedPublish()
      change(resource)
      const reply = await door.send('POST', '/DocumentReference', resource)
      assert.ok(reply.status >= 400 && reply.status < 500, `${reply.status}`)
      assert.equal((reply.body as OperationOutcome).resourceType, 'OperationOutcome')
      assert.equal(door.operations.entries.length, before)
      assert.deepEqual(readdirSync(door.directory), [])
    })
})
