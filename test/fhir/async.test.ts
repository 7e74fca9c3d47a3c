import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Bundle, DocumentReference, OperationOutcome } from '@medplum/fhirtypes'
import { GatewayError } from '../../src/errors.ts'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import { type Dtm, patientKey } from '../../src/metadata/identifiers.ts'
import {
  aDocument,
  aText,
  declared,
  openGateway,
  people,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'
import { provideBundle, simplifiedPublish } from '../support/resources.ts'
import { Door } from './door.ts'
import { aSimplifiedPublish, ins, patientToken } from './mothers.ts'

const { author, structure } = people

describe('Prefer: respond-async', () => {
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
  })
  after(() => gateway.close())

  const send = (target: string, body: object, who: IdentityOptions = structure) =>
    gateway.fhir.call(who, 'POST', target, {
      consent: declared.informed,
      body,
      headers: { Prefer: 'respond-async' },
    })

  /** What became of it, once it is known. */
  async function outcome(url: string | null, who: IdentityOptions = structure): Promise<Bundle> {
    assert.ok(url)
    for (;;) {
      const reply = await gateway.fhir.call(who, 'GET', url)
      if (reply.status === 202) {
        assert.equal(reply.headers.get('x-progress'), 'queued')
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      assert.equal(reply.status, 200, reply.outcome.text)
      assert.deepEqual(checkStructure(reply.json), [])
      return reply.json as unknown as Bundle
    }
  }

  it('accepts a publication, and tells where its outcome is: the answer as it would have been given at once', async () => {
    const document = aDocument(patient)
    const accepted = await send('/DocumentReference', simplifiedPublish(document))
    assert.equal(accepted.status, 202)
    assert.equal(accepted.headers.get('preference-applied'), 'respond-async')
    assert.equal(
      (accepted.json as unknown as OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code,
      'DocumentQueued',
    )
    const { type, entry = [] } = await outcome(accepted.headers.get('content-location'))
    assert.equal(type, 'batch-response')
    const [{ resource, response } = {}] = entry
    assert.equal(response?.status, '201')
    const created = resource as DocumentReference
    assert.match(String(response?.location), new RegExp(`/DocumentReference/${created.id}/_history/1$`))
    const read = await gateway.fhir.call(author, 'GET', `/DocumentReference/${created.id}`, {
      consent: declared.careTeam,
    })
    assert.deepEqual(read.json, JSON.parse(JSON.stringify(created)))
  })

  it('accepts a lot, with a document that is a file, and keeps nothing of it but the outcome', async () => {
    const large = Buffer.concat(Array.from({ length: 8000 }, () => aText()))
    const document = aDocument(patient, {}, large)
    const accepted = await send('', provideBundle([document, aDocument(patient)]))
    assert.equal(accepted.status, 202)
    const { entry = [] } = await outcome(accepted.headers.get('content-location'))
    const answer = entry[0]?.resource as Bundle
    assert.equal(answer.type, 'transaction-response')
    assert.deepEqual(
      answer.entry?.map(({ response }) => response?.status),
      new Array(5).fill('201 Created'),
    )
    const found = await gateway.fhir.find(author, patient, { consent: declared.careTeam })
    const stored = found.entries.find(({ uniqueId }) => uniqueId === document.entry.uniqueId)
    assert.ok(stored)
    const { bytes } = await gateway.fhir.retrieve(author, stored, { consent: declared.careTeam })
    assert.ok(bytes?.equals(large))
    const jobs = path.join(gateway.data, 'jobs')
    for (const name of readdirSync(jobs)) {
      assert.deepEqual(readdirSync(path.join(jobs, name)), ['result.json'])
      assert.equal(statSync(path.join(jobs, name)).mode & 0o777, 0o700)
    }
  })

  it('tells a refusal of the DMP with its outcome', async () => {
    const document = aDocument(patient)
    assert.equal((await send('/DocumentReference', simplifiedPublish(document), author)).status, 202)
    const nobody = {
      ...document,
      entry: { ...document.entry, patientId: { ...document.entry.patientId, id: '260050000000404' } },
    }
    const accepted = await send('/DocumentReference', simplifiedPublish(nobody))
    const { entry = [] } = await outcome(accepted.headers.get('content-location'))
    assert.equal(entry[0]?.response?.status, '404')
    assert.equal(entry[0]?.resource, undefined)
    const refused = entry[0]?.response?.outcome as OperationOutcome
    assert.equal(refused.issue?.[0]?.details?.coding?.[0]?.code, 'dmp-unknown')
  })

  it('refuses at once what is wrong in itself', async () => {
    const wrong = aDocument(patient, { serviceStopTime: '20200101' as Dtm, formatCode: undefined })
    assert.equal((await send('/DocumentReference', simplifiedPublish(wrong))).status, 422)
    const inverted = aDocument(patient, { serviceStopTime: '20200101' as Dtm })
    assert.equal((await send('', provideBundle([inverted]))).status, 422)
    assert.equal((await send('/DocumentReference', { resourceType: 'Patient' })).status, 400)
  })

  it('tells nobody else, and nothing of what it does not know', async () => {
    const accepted = await send('/DocumentReference', simplifiedPublish(aDocument(patient)))
    const url = String(accepted.headers.get('content-location'))
    await outcome(url)
    const [other, absent, wrong] = [
      await gateway.fhir.call(author, 'GET', url),
      await gateway.fhir.call(structure, 'GET', url.replace(/.{4}$/, 'ffff')),
      await gateway.fhir.call(structure, 'GET', `${url.slice(0, -36)}..%2f..%2fjobs`),
    ]
    for (const { status } of [other, absent, wrong]) assert.equal(status, 404)
    assert.deepEqual(other?.bytes, absent?.bytes)
  })
})

describe('A submission accepted for later', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'jobs-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const patient = patientKey('1.2.250.1.213.1.4.10', ins)

  async function outcome(door: Door, url: string): Promise<Bundle> {
    for (;;) {
      const reply = await door.get(url.replace(/.*\/fhir/, ''))
      if (reply.status === 200) return reply.body as Bundle
      assert.equal(reply.status, 202, reply.text)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  it('goes on with the next start where a stop interrupted it', async () => {
    const first = await Door.open({ jobsDirectory: directory })
    first.operations.refusal = new GatewayError('shutting-down')
    const body = aSimplifiedPublish({ bytes: Buffer.from('gardé') })
    const accepted = await first.send('POST', '/DocumentReference', body, { prefer: 'respond-async' })
    assert.equal(accepted.status, 202, accepted.text)
    const url = String(accepted.headers.get('content-location'))
    assert.equal((await first.get(url)).status, 202)
    await first.close()
    const second = await Door.open({ jobsDirectory: directory })
    try {
      second.operations.patients.set(patient, { given: [] })
      const { entry = [] } = await outcome(second, url)
      assert.equal(entry[0]?.response?.status, '201')
      assert.equal([...second.operations.contents.values()][0]?.toString(), 'gardé')
      const search = `/DocumentReference?patient.identifier=${encodeURIComponent(patientToken)}&status=current`
      assert.equal(((await second.get(search)).body as Bundle).total, 1)
    } finally {
      await second.close()
    }
  })

  it('is known after a restart, finished as it is', async () => {
    const first = await Door.open({ jobsDirectory: directory })
    first.operations.patients.set(patient, { given: [] })
    const accepted = await first.send('POST', '/DocumentReference', aSimplifiedPublish(), { prefer: 'respond-async' })
    const url = String(accepted.headers.get('content-location'))
    const before = await outcome(first, url)
    await first.close()
    const second = await Door.open({ jobsDirectory: directory })
    try {
      assert.deepEqual(await outcome(second, url), before)
    } finally {
      await second.close()
    }
  })

  it('is stored at once where no folder is configured for it', async () => {
    const door = await Door.open()
    try {
      door.operations.patients.set(patient, { given: [] })
      const reply = await door.send('POST', '/DocumentReference', aSimplifiedPublish(), { prefer: 'respond-async' })
      assert.equal(reply.status, 201)
    } finally {
      await door.close()
    }
  })
})
