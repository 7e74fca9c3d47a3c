/** ITI-65 UpdateDocumentRefs: the PATCH entry of a replacement, however it and relatesTo name the document. */
import assert from 'node:assert/strict'
import type { Bundle, DocumentReference } from '@medplum/fhirtypes'
import {
  aDocument,
  declared,
  openGateway,
  people,
  type Stored,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'
import { provideBundle } from '../support/resources.ts'

const { author, structure } = people

describe('UpdateDocumentRefs', () => {
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
  })
  beforeEach(async () => {
    patient = await gateway.patient()
  })
  after(() => gateway.close())

  async function feed(): Promise<Stored> {
    const { stored } = await gateway.fhirDoor.feed(structure, aDocument(patient), { consent: declared.informed })
    assert.ok(stored)
    return stored
  }

  const idOf = ({ logicalId }: Stored) => logicalId.slice('urn:uuid:'.length)
  const identifierOf = ({ uniqueId }: Stored) => ({ system: 'urn:ietf:rfc:3986', value: `urn:oid:${uniqueId}` })

  /** A replacement whose relatesTo has this target, with an entry that patches what `url` names. */
  function replacement(target: object, url: string, status = 'superseded'): Bundle {
    const bundle = provideBundle([aDocument(patient)])
    const document = bundle.entry?.[1]?.resource as DocumentReference
    document.relatesTo = [{ code: 'replaces', target }]
    const part = [
      { name: 'type', valueCode: 'replace' },
      { name: 'path', valueString: 'DocumentReference.status' },
      { name: 'value', valueCode: status },
    ]
    bundle.entry?.push({
      fullUrl: 'urn:uuid:0b7a2a50-6c2e-4c5e-9d57-3d7a4f0a9a11',
      resource: { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] },
      request: { method: 'PATCH', url },
    })
    return bundle
  }

  async function send(bundle: Bundle) {
    return gateway.fhir.provide(structure, bundle, { consent: declared.informed })
  }

  async function statusOf(document: Stored): Promise<string | undefined> {
    const found = await gateway.fhir.find(author, patient, { consent: declared.careTeam, query: 'status=superseded' })
    return found.entries.some(({ uniqueId }) => uniqueId === document.uniqueId) ? 'superseded' : 'current'
  }

  for (const [name, target, url] of [
    [
      'reference and reference',
      (it: Stored) => ({ reference: `DocumentReference/${idOf(it)}` }),
      (it: Stored) => `DocumentReference/${idOf(it)}`,
    ],
    [
      'identifier and identifier',
      (it: Stored) => ({ identifier: identifierOf(it) }),
      (it: Stored) => `DocumentReference?identifier=urn:ietf:rfc:3986|urn:oid:${it.uniqueId}`,
    ],
    [
      'reference and identifier',
      (it: Stored) => ({ reference: `DocumentReference/${idOf(it)}` }),
      (it: Stored) => `DocumentReference?identifier=urn%3Aietf%3Arfc%3A3986%7Curn%3Aoid%3A${it.uniqueId}`,
    ],
    [
      'identifier and absolute URL',
      (it: Stored) => ({ identifier: identifierOf(it) }),
      (it: Stored) => `BASE/DocumentReference/${idOf(it)}`,
    ],
    [
      'identifier that is an entryUUID',
      (it: Stored) => ({ identifier: { system: 'urn:ietf:rfc:3986', value: it.entryUuid } }),
      (it: Stored) => `DocumentReference/${idOf(it)}`,
    ],
  ] as const)
    it(`meets the replaced document: ${name}`, async () => {
      const document = await feed()
      const reply = await send(replacement(target(document), url(document).replace('BASE', gateway.fhir.base)))
      assert.equal(reply.status, 200, reply.outcome.text)
      assert.equal(await statusOf(document), 'superseded')
      const { entry } = reply.json as unknown as Bundle
      assert.equal(entry?.at(-1)?.response?.status, '200 OK')
    })

  it('is refused for another document, another status and a name that is none, and stores nothing', async () => {
    const [document, other] = [await feed(), await feed()]
    const target = { reference: `DocumentReference/${idOf(document)}` }
    for (const bundle of [
      replacement(target, `DocumentReference/${idOf(other)}`),
      replacement(target, 'DocumentReference/0190d3a0-0000-7000-8000-000000000000'),
      replacement(target, `DocumentReference/${idOf(document)}`, 'entered-in-error'),
      replacement(target, 'DocumentReference?status=current'),
      replacement(target, 'DocumentReference'),
    ]) {
      const reply = await send(bundle)
      assert.equal(reply.status, 422, reply.outcome.text)
      assert.equal(reply.outcome.rule, 'UpdateDocumentRefs')
    }
    assert.equal(await statusOf(document), 'current')
    const { total } = await gateway.fhir.find(author, patient, { consent: declared.careTeam })
    assert.equal(total, 2)
  })

  it('answers with relations by the ids that stay', async () => {
    const document = await feed()
    const reply = await send(replacement({ identifier: identifierOf(document) }, `DocumentReference/${idOf(document)}`))
    assert.equal(reply.status, 200)
    const { entries } = await gateway.fhir.find(author, patient, { consent: declared.careTeam })
    const read = await gateway.fhir.call(author, 'GET', `/DocumentReference/${entries[0]?.logicalId.slice(9)}`, {
      consent: declared.careTeam,
    })
    const { relatesTo } = read.json as unknown as DocumentReference
    assert.deepEqual(relatesTo, [{ code: 'replaces', target: { reference: `DocumentReference/${idOf(document)}` } }])
  })
})
