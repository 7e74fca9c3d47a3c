/** A FHIR client that knows nothing of this gateway does the main job: capability, feed, find, read, page, patch, history. */
import assert from 'node:assert/strict'
import type {
  Bundle,
  CapabilityStatement,
  DocumentReference,
  List,
  OperationOutcome,
  Resource,
} from '@medplum/fhirtypes'
import { Client } from 'fhir-kit-client'
import { type IdentityOptions, mintJwt } from '../../src/identity/mint.ts'
import { consentHeader } from '../support/fhir-client.ts'
import { aDocument, declared, openGateway, people, type TestGateway, type TestPatient } from '../support/gateway.ts'
import { provideBundle, simplifiedPublish } from '../support/resources.ts'

type Foreign = Awaited<ReturnType<Client['read']>>

/** The client has FHIR types of its own. */
function ours<T extends Resource>(resource: unknown): T {
  return resource as T
}
function foreign(resource: Resource): Foreign {
  return resource as unknown as Foreign
}

describe('fhir-kit-client', () => {
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
  })
  beforeEach(async () => {
    patient = await gateway.patient()
  })
  after(() => gateway.close())

  async function as(who: IdentityOptions, consent: Parameters<typeof consentHeader>[0]): Promise<Client> {
    const token = await mintJwt(gateway.issuer, who)
    const customHeaders = { Authorization: `Bearer ${token}`, 'DMP-Consent': consentHeader(consent) }
    return new Client({ baseUrl: gateway.fhir.base, customHeaders })
  }
  const source = () => as(people.structure, declared.informed)
  const consumer = () => as(people.author, declared.careTeam)
  const token = () => `urn:oid:${patient.authority}|${patient.ins}`

  it('reads what the gateway can do', async () => {
    const statement = ours<CapabilityStatement>(await (await consumer()).capabilityStatement())
    assert.equal(statement.fhirVersion, '4.0.1')
    const types = statement.rest?.[0]?.resource?.map(({ type }) => type)
    for (const type of ['DocumentReference', 'List', 'Binary', 'Patient', 'AuditEvent'] as const)
      assert.ok(types?.includes(type), type)
  })

  it('provides a lot, finds it and its document, and follows the references', async () => {
    const document = aDocument(patient)
    const client = await source()
    const body = provideBundle([document])
    const done = ours<Bundle>(await client.transaction({ body: foreign(body) }))
    assert.equal(done.type, 'transaction-response')
    const reader = await consumer()
    const searchParams = { 'patient.identifier': token(), status: 'current' }
    const found = ours<Bundle>(await reader.search({ resourceType: 'DocumentReference', searchParams }))
    assert.equal(found.total, 1)
    const resource = found.entry?.[0]?.resource as DocumentReference
    assert.equal(resource.masterIdentifier?.value, `urn:oid:${document.entry.uniqueId}`)
    const lots = ours<Bundle>(
      await reader.search({
        resourceType: 'List',
        searchParams: { ...searchParams, code: 'submissionset' },
      }),
    )
    const lot = lots.entry?.[0]?.resource as List
    const [item] = lot.entry ?? []
    const read = ours<DocumentReference>(
      await reader.resolve({ reference: item?.item?.reference ?? '', context: foreign(lot) }),
    )
    assert.equal(read.id, resource.id)
    const binary = await reader.request(resource.content[0]?.attachment?.url ?? '', {
      options: { headers: { Accept: 'application/fhir+json' } },
    })
    assert.equal(Buffer.from(String(binary.data), 'base64').toString(), document.bytes.toString())
  })

  it('publishes, reads back, versions and patches', async () => {
    const client = await source()
    const body = simplifiedPublish(aDocument(patient))
    const created = ours<DocumentReference>(
      await client.create({ resourceType: 'DocumentReference', body: foreign(body) }),
    )
    const id = String(created.id)
    const reader = await consumer()
    assert.deepEqual(await reader.read({ resourceType: 'DocumentReference', id }), created)
    assert.deepEqual(await reader.vread({ resourceType: 'DocumentReference', id, version: '1' }), created)
    const url = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'
    const jsonPatch = [{ op: 'add' as const, path: '/extension', value: [{ url, valueBoolean: true }] }]
    const patched = ours<DocumentReference>(await reader.patch({ resourceType: 'DocumentReference', id, jsonPatch }))
    assert.equal(patched.extension?.[0]?.valueBoolean, true)
    const history = ours<Bundle>(await reader.history({ resourceType: 'DocumentReference', id }))
    assert.equal(history.entry?.[0]?.resource?.meta?.versionId, patched.meta?.versionId)
  })

  it('pages by the next link', async () => {
    const client = await source()
    for (let count = 0; count < 3; count++)
      await client.create({ resourceType: 'DocumentReference', body: foreign(simplifiedPublish(aDocument(patient))) })
    const reader = await consumer()
    const seen = new Set<string>()
    let page: Bundle | undefined = ours<Bundle>(
      await reader.search({
        resourceType: 'DocumentReference',
        searchParams: { 'patient.identifier': token(), status: 'current', _count: 2 },
      }),
    )
    while (page !== undefined) {
      for (const { resource } of page.entry ?? []) seen.add(String(resource?.id))
      const links: { relation: string; url: string }[] = (page.link ?? []).map(({ relation = '', url = '' }) => ({
        relation,
        url,
      }))
      page = ours<Bundle>(await reader.nextPage({ bundle: { ...foreign(page), link: links } }))
    }
    assert.equal(seen.size, 3)
  })

  it('is told what is wrong', async () => {
    const reader = await as(people.author, { informed: true })
    await assert.rejects(
      reader.search({
        resourceType: 'DocumentReference',
        searchParams: { 'patient.identifier': token(), status: 'current' },
      }),
      (error) => {
        const { response } = error as { response: { status: number; data: OperationOutcome } }
        assert.equal(response.status, 403)
        assert.equal(response.data.issue?.[0]?.details?.coding?.[0]?.code, 'consent-missing')
        return true
      },
    )
  })
})
