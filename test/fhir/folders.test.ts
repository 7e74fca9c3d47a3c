/** Folders exist in profile `ihe` only: ITI-65 makes them and adds to them, ITI-66 finds them. */
import assert from 'node:assert/strict'
import type { Bundle, BundleEntry, DocumentReference, List, ListEntry, OperationOutcome } from '@medplum/fhirtypes'
import { openGateway, type TestGateway } from '../support/gateway.ts'
import { aBinary, aBundle, aDocumentReference, aFolderList, aSubmissionSetList, newFullUrl, post } from './mothers.ts'

/** Whatever came back: a test reads what it asked for. */
type Answer = Pick<OperationOutcome, 'issue'> &
  Pick<List, 'title'> & { readonly total?: number; readonly entry?: (BundleEntry & ListEntry)[] }

describe('Folders', () => {
  let gateway: TestGateway
  let patient: { readonly authority: string; readonly ins: string }
  before(async () => {
    gateway = await openGateway({ 'metadata.profile': 'ihe', 'identity.anonymous': 'loopback' })
  })
  after(() => gateway.close())
  let born = 0
  beforeEach(async () => {
    patient = { authority: '1.2.250.1.213.1.4.10', ins: `26005900009${String(++born).padStart(4, '0')}` }
    const system = `urn:oid:${patient.authority}`
    const body = { resourceType: 'Patient', identifier: [{ system, value: patient.ins }] }
    assert.equal((await call('PUT', `/Patient?identifier=${system}%7C${patient.ins}`, body)).status, 201)
  })

  async function call(method: string, target: string, body?: object) {
    const response = await fetch(gateway.fhir.base + target, {
      method,
      headers: body ? { 'Content-Type': 'application/fhir+json' } : {},
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, text, json: JSON.parse(text) as Answer }
  }

  const readList = async (id: string): Promise<List> => JSON.parse((await call('GET', `/List/${id}`)).text) as List

  const own = (resource: DocumentReference | List) => {
    const identifier = { system: `urn:oid:${patient.authority}`, value: patient.ins }
    resource.subject = { identifier }
    return resource
  }
  const put = (resource: List, id: string, more: object = {}): BundleEntry => ({
    fullUrl: `${gateway.fhir.base}/List/${id}`,
    resource,
    request: { method: 'PUT', url: `List/${id}`, ...more },
  })

  /** A lot of one document, put into these folders by what `folder` makes of its fullUrl. */
  function lot(folder: (document: string) => BundleEntry): Bundle {
    const [url, document, binary] = [newFullUrl(), newFullUrl(), newFullUrl()]
    const bundle = aBundle()
    const entry = folder(document)
    const reference = own(aDocumentReference({ url: binary }))
    bundle.entry = [
      post(
        own(aSubmissionSetList([document, ...(entry.request?.method === 'POST' ? [String(entry.fullUrl)] : [])])),
        url,
      ),
      post(reference, document),
      post(aBinary(), binary),
      entry,
    ]
    return bundle
  }

  /** A registered folder of one document. */
  async function aFolder(): Promise<{ id: string; member: string; list: List }> {
    const made = await call(
      'POST',
      '',
      lot((document) => post(own(aFolderList([document])))),
    )
    assert.equal(made.status, 200, made.text)
    const [, member = '', , location = ''] = made.json.entry?.map(({ response }) => response?.location ?? '') ?? []
    const id = location.replace(/^List\//, '').replace(/\/_history.*/, '')
    return { id, member: member.replace(/\/_history.*/, ''), list: await readList(id) }
  }

  const membersOf = ({ entry = [] }: List) => entry.map(({ item }) => item?.reference)

  it('are found with their members, and are members of the lot that filled them', async () => {
    const { id, member, list } = await aFolder()
    assert.deepEqual(membersOf(list), [member])
    const found = await call(
      'GET',
      `/List?code=folder&patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}`,
    )
    assert.equal(found.json.total, 1)
    const sets = await call(
      'GET',
      `/List?code=submissionset&patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}`,
    )
    assert.deepEqual(membersOf(sets.json.entry?.[0]?.resource as List), [member, `List/${id}`])
  })

  it('take in a document by PUT, in the lot that brings it', async () => {
    const { id, member, list } = await aFolder()
    const more = (document: string): List => ({
      ...list,
      entry: [{ item: { reference: member } }, { item: { reference: document } }],
    })
    const done = await call(
      'POST',
      '',
      lot((document) => put(more(document), id, { ifMatch: 'W/"1"' })),
    )
    assert.equal(done.status, 200, done.text)
    const answer = done.json.entry?.[3]?.response
    assert.deepEqual([answer?.status, answer?.location], ['200 OK', `List/${id}/_history/1`])
    const after = await readList(id)
    assert.equal(membersOf(after).length, 2)
    assert.equal(membersOf(after)[0], member)
    const sets = await call(
      'GET',
      `/List?code=submissionset&patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}`,
    )
    for (const { resource } of sets.json.entry ?? []) assert.ok(membersOf(resource as List).includes(`List/${id}`))
  })

  it('take in a registered document by reference too', async () => {
    const [first, second] = [await aFolder(), await aFolder()]
    const list = (document: string): List => ({
      ...first.list,
      entry: [first.member, second.member, document].map((reference) => ({ item: { reference } })),
    })
    assert.equal(
      (
        await call(
          'POST',
          '',
          lot((document) => put(list(document), first.id)),
        )
      ).status,
      200,
    )
    assert.equal(membersOf(await readList(first.id)).length, 3)
  })

  it('say what else was asked of them and is not done', async () => {
    const { id, member, list } = await aFolder()
    const renamed = (document: string): List => ({
      ...list,
      title: 'Autre titre',
      entry: [{ item: { reference: member } }, { item: { reference: document } }],
    })
    const done = await call(
      'POST',
      '',
      lot((document) => put(renamed(document), id)),
    )
    assert.equal(done.status, 200, done.text)
    assert.match(
      JSON.stringify(done.json.entry?.[3]?.response?.outcome),
      /title of a registered Folder does not change/,
    )
    assert.equal((await readList(id)).title, 'Grossesse')
  })

  it('lose no member, and are refused when they are not there, or not in the version named', async () => {
    const { id, member, list } = await aFolder()
    const only = (document: string): List => ({ ...list, entry: [{ item: { reference: document } }] })
    const both = (document: string): List => ({
      ...list,
      entry: [{ item: { reference: member } }, { item: { reference: document } }],
    })
    const code = async (bundle: Bundle) => {
      const { status, json } = await call('POST', '', bundle)
      return `${status} ${json.issue?.[0]?.details?.coding?.[0]?.code}`
    }
    assert.equal(await code(lot((document) => put(only(document), id))), '422 XDSMetadataUpdateOperationError')
    assert.equal(await code(lot((document) => put(both(document), id, { ifMatch: 'W/"2"' }))), '412 version-conflict')
    const nowhere = '0190d3a0-0000-7000-8000-000000000000'
    assert.equal(await code(lot((document) => put(both(document), nowhere))), '422 UnresolvedReferenceException')
    const stranger = {
      ...list,
      entry: [{ item: { reference: member } }, { item: { reference: `DocumentReference/${nowhere}` } }],
    }
    assert.equal(await code(lot(() => put(stranger, id))), '422 UnresolvedReferenceException')
    assert.deepEqual(membersOf(await readList(id)), [member])
  })

  it('are not what a PUT of a SubmissionSet makes', async () => {
    const { id } = await aFolder()
    const set = own(aSubmissionSetList([])) as List
    const { status } = await call(
      'POST',
      '',
      lot(() => put(set, id)),
    )
    assert.equal(status, 422)
  })
})
