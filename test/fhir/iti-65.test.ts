import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import type { Bundle, OperationOutcome } from '@medplum/fhirtypes'
import { GatewayError } from '../../src/errors.ts'
import { resourceToXml } from '../../src/fhir/structure/xml-writer.ts'
import { patientKey } from '../../src/metadata/identifiers.ts'
import { Door, type Reply } from './door.ts'
import { aBinary, aBundle, aFolderList, aPatch, type BundleOptions, ins, newFullUrl, newOid, post } from './mothers.ts'

const patient = patientKey('1.2.250.1.213.1.4.10', ins)

describe('ITI-65', () => {
  let door: Door
  before(async () => {
    door = await Door.open()
    door.operations.patients.set(patient, { given: [] })
  })
  after(() => door.close())

  async function provide(options: BundleOptions = {}, where = door): Promise<Reply> {
    return where.send('POST', '', aBundle(options))
  }

  /** Rule ids of the refusal of a Bundle with one change, with where each is. */
  async function refusal(options: BundleOptions, where = door): Promise<string[]> {
    const stored = where.operations.entries.length
    const reply = await provide(options, where)
    assert.ok(reply.status >= 400 && reply.status < 500, `${reply.status}`)
    assert.equal(where.operations.entries.length, stored)
    const outcome = reply.body as OperationOutcome
    assert.equal(outcome.resourceType, 'OperationOutcome')
    return (outcome.issue ?? []).map(
      ({ diagnostics = '', expression = [] }) => `${diagnostics.split(':')[0]} ${expression[0]}`,
    )
  }

  const first = (bundle: Bundle, type: string) => {
    const found = bundle.entry?.find(({ resource }) => resource?.resourceType === type)
    assert.ok(found)
    return found
  }

  it('answers one entry for each of the request, in its order, with places that lead to what was stored', async () => {
    const bundle = aBundle({ documents: [{ bytes: Buffer.from('un') }, { bytes: Buffer.from('deux') }] })
    bundle.entry?.reverse()
    const reply = await door.send('POST', '', bundle)
    assert.equal(reply.status, 200)
    assert.equal(reply.headers.get('content-type'), 'application/fhir+json; charset=utf-8')
    const answer = reply.body as Bundle
    assert.equal(answer.type, 'transaction-response')
    const types = answer.entry?.map(({ response }) => response?.location?.split('/')[0])
    assert.deepEqual(types, ['Binary', 'Binary', 'DocumentReference', 'DocumentReference', 'List'])
    for (const entry of answer.entry ?? []) {
      assert.equal(entry.response?.status, '201 Created')
      assert.equal(entry.response?.etag, 'W/"1"')
      assert.equal(entry.response?.lastModified, '2026-11-21T10:00:00.000Z')
    }
    // Entry 0 is the Binary of the second document
    const bytes = await door.get(`/${answer.entry?.[0]?.response?.location}`)
    assert.equal(bytes.text, 'deux')
    const reference = await door.get(`/${answer.entry?.[2]?.response?.location}`)
    assert.equal(reference.status, 200)
  })

  it('hands the middle one submission: SubmissionSet, documents, memberships, bytes', async () => {
    await provide({ documents: [{ uniqueId: 'urn:oid:1.2.250.1.999.5.1' }] })
    const entry = door.operations.entries.at(-1)
    assert.equal(entry?.uniqueId, '1.2.250.1.999.5.1')
    assert.equal(entry?.limitedMetadata, false)
    assert.equal(entry?.size, 7)
    const member = door.operations.associations.findLast(({ target }) => target === entry?.entryUuid)
    assert.equal(member?.type, 'HasMember')
    assert.equal(member?.submissionSetStatus, 'Original')
  })

  it('reads the same message in XML, and answers in XML', async () => {
    const xml = `<?xml version="1.0"?>${resourceToXml(aBundle({ documents: [{ bytes: Buffer.from('en XML') }] }))}`
    const reply = await door.send('POST', '', xml, {
      'content-type': 'application/fhir+xml',
      accept: 'application/fhir+xml',
    })
    assert.equal(reply.status, 200)
    assert.match(
      reply.text,
      /^<\?xml version="1.0" encoding="UTF-8"\?><Bundle xmlns="http:\/\/hl7.org\/fhir"><type value="transaction-response"\/>/,
    )
    const id = /Binary\/([0-9a-f-]+)/.exec(reply.text)?.[1]
    assert.equal((await door.get(`/Binary/${id}`)).text, 'en XML')
  })

  it('leaves nothing in the spool, whether it stores or refuses', async () => {
    const large = Buffer.alloc(300_000, 7)
    assert.equal((await provide({ documents: [{ bytes: large }] })).status, 200)
    await refusal({ documents: [{ bytes: large }], level: 'Minimal' })
    const broken = JSON.stringify(aBundle({ documents: [{ bytes: large }] })).slice(0, -40)
    assert.equal((await door.send('POST', '', broken)).status, 400)
    assert.deepEqual(readdirSync(door.directory), [])
  })

  it('reports every violation of the message at once, each with its rule and its place', async () => {
    const found = await refusal({
      set: (list) => {
        Reflect.deleteProperty(list, 'date')
        Reflect.deleteProperty(list, 'extension')
      },
      documents: [
        { change: (resource) => Reflect.deleteProperty(resource, 'masterIdentifier') },
        { change: (resource) => Reflect.deleteProperty(resource.context ?? {}, 'facilityType') },
      ],
    })
    for (const rule of [
      'SSLIST_3 Bundle.entry[0].resource.date',
      'SSLIST410_2 Bundle.entry[0].resource.extension',
      'CMPMETA4_2 Bundle.entry[0].resource.extension',
      'DR_10 Bundle.entry[1].resource.masterIdentifier',
      'CMPDR_4 Bundle.entry[2].resource.context.facilityType',
    ])
      assert.ok(found.includes(rule), `${rule} in ${found.join(', ')}`)
  })

  const rules: Record<string, BundleOptions> = {
    'RM4_1_2 Bundle.type': { change: (bundle) => Object.assign(bundle, { type: 'batch' }) },
    'RM410_4 Bundle.meta.profile': { change: (bundle) => Reflect.deleteProperty(bundle, 'meta') },
    'RM4_2 Bundle.entry': { change: (bundle) => bundle.entry?.shift() },
    'RM4_3 Bundle.entry': {
      documents: [],
      set: (list) => Reflect.deleteProperty(list, 'entry'),
    },
    'BR_1 Bundle.entry[0].fullUrl': {
      change: (bundle) => Object.assign(bundle.entry?.[0] ?? {}, { fullUrl: 'List/1' }),
    },
    'BR_2 Bundle.entry[2].fullUrl': {
      change: (bundle) => Object.assign(bundle.entry?.[2] ?? {}, { fullUrl: bundle.entry?.[0]?.fullUrl }),
    },
    'BR_4 Bundle.entry[1].request': { change: (bundle) => Reflect.deleteProperty(bundle.entry?.[1] ?? {}, 'request') },
    'BR_4 Bundle.entry[1].request.url': {
      change: (bundle) => Object.assign(bundle.entry?.[1]?.request ?? {}, { url: 'List' }),
    },
    'RM4_5 Bundle.entry[0].resource.entry[0].item': {
      set: (list) => Object.assign(list, { entry: [{ item: { reference: newFullUrl() } }] }),
    },
    'T3 Bundle.entry[1].resource': {
      set: (list) => Object.assign(list, { entry: [{ item: { reference: newFullUrl() } }] }),
    },
    'DR_2 Bundle.entry[1].resource.content[0].attachment.url': {
      documents: [{ change: ({ content }) => Reflect.deleteProperty(content[0]?.attachment ?? {}, 'url') }],
    },
    'DR_4 Bundle.entry[1].resource.content[0].attachment.data': {
      documents: [{ change: ({ content }) => Object.assign(content[0]?.attachment ?? {}, { data: 'QQ==' }) }],
    },
    'DR_5 Bundle.entry[1].resource.content[0].attachment.url': { change: (bundle) => bundle.entry?.pop() },
    'DR_6 Bundle.entry[1].resource.content[0].attachment.contentType': {
      documents: [
        { change: ({ content }) => Object.assign(content[0]?.attachment ?? {}, { contentType: 'text/html' }) },
      ],
    },
    'M56 Bundle.entry[3].resource': { extra: [post(aBinary())] },
    'CMPDR_1 Bundle.entry[1].resource.content[0].format': {
      documents: [{ change: ({ content }) => Reflect.deleteProperty(content[0] ?? {}, 'format') }],
    },
    'CMPDR_2 Bundle.entry[1].resource.content[0].attachment.language': {
      documents: [{ change: ({ content }) => Reflect.deleteProperty(content[0]?.attachment ?? {}, 'language') }],
    },
    'CMPDR_5 Bundle.entry[1].resource.context.practiceSetting': {
      documents: [{ change: ({ context }) => Reflect.deleteProperty(context ?? {}, 'practiceSetting') }],
    },
    'CMPDR_6 Bundle.entry[1].resource.context.sourcePatientInfo': {
      documents: [{ change: ({ context }) => Reflect.deleteProperty(context ?? {}, 'sourcePatientInfo') }],
    },
    'CMPMETA_4 Bundle.entry[1].resource.securityLabel': {
      documents: [{ change: (resource) => Reflect.deleteProperty(resource, 'securityLabel') }],
    },
    'CMPMETA4_1 Bundle.entry[0].resource.subject': { set: (list) => Reflect.deleteProperty(list, 'subject') },
    'CS6 Bundle.meta.profile': { level: 'Minimal' },
    'UpdateDocumentRefs Bundle.entry[3].resource': { extra: [aPatch(`DocumentReference/${newFullUrl().slice(9)}`)] },
  }
  for (const [rule, options] of Object.entries(rules))
    it(`refuses what breaks ${rule}`, async () => {
      const found = await refusal(options)
      assert.ok(found.includes(rule), found.join(', '))
    })

  it('has no folders in the DMP', async () => {
    const folder = post(aFolderList([]))
    const found = await refusal({
      extra: [folder],
      set: (list) => void list.entry?.push({ item: { reference: folder.fullUrl ?? '' } }),
    })
    assert.ok(found.includes('UP7 Bundle.entry[3].resource'), found.join())
  })

  it('finds the replaced document by its id, by its entryUUID or by its identifier', async () => {
    const targets = [
      (id: string) => ({ reference: `DocumentReference/${id}` }),
      (id: string) => ({ reference: `${door.url}/DocumentReference/${id}/_history/1` }),
      (id: string) => ({ reference: `urn:uuid:${id}` }),
      (_: string, uniqueId: string) => ({ identifier: { system: 'urn:ietf:rfc:3986', value: uniqueId } }),
    ]
    for (const target of targets) {
      const uniqueId = newOid()
      await provide({ documents: [{ uniqueId }] })
      const old = door.operations.entries.at(-1)
      assert.ok(old)
      const relatesTo = [{ code: 'replaces' as const, target: target(old.entryUuid.slice(9), uniqueId) }]
      const reply = await provide({ documents: [{ change: (resource) => Object.assign(resource, { relatesTo }) }] })
      assert.equal(reply.status, 200, reply.text)
      const now = door.operations.entries.find(({ entryUuid }) => entryUuid === old.entryUuid)
      assert.equal(now?.availabilityStatus, 'Deprecated')
      const shown = await door.get(`/DocumentReference/${door.operations.entries.at(-1)?.entryUuid.slice(9)}`)
      assert.match(
        shown.text,
        new RegExp(`"code":"replaces","target":{"reference":"DocumentReference/${old.logicalId.slice(9)}"`),
      )
    }
  })

  it('takes the entry that sets the replaced document to superseded, and only that', async () => {
    await provide()
    const id = door.operations.entries.at(-1)?.entryUuid.slice(9)
    const reference = `DocumentReference/${id}`
    const change = (resource: object) =>
      Object.assign(resource, { relatesTo: [{ code: 'replaces', target: { reference } }] })
    const found = await refusal({ documents: [{ change }], extra: [aPatch(reference, 'entered-in-error')] })
    assert.deepEqual(found, ['UpdateDocumentRefs Bundle.entry[3].resource'])
    const reply = await provide({ documents: [{ change }], extra: [aPatch(reference)] })
    const last = (reply.body as Bundle).entry?.at(-1)?.response
    assert.equal(last?.status, '200 OK')
    assert.equal(last?.location, reference)
  })

  it('refuses a relation to a document that is not there', async () => {
    const relatesTo = [{ code: 'replaces', target: { identifier: { system: 'urn:ietf:rfc:3986', value: newOid() } } }]
    const found = await refusal({ documents: [{ change: (resource) => Object.assign(resource, { relatesTo }) }] })
    assert.deepEqual(found, ['No document is known under this reference Bundle.entry[1].resource.relatesTo[0].target'])
  })

  it('says that FHIR documents are not taken', async () => {
    const reply = await provide({
      change: (bundle) =>
        Object.assign(first(bundle, 'Binary'), {
          resource: {
            resourceType: 'Bundle',
            type: 'document',
            entry: [{ resource: { resourceType: 'Composition' } }],
          },
          request: { method: 'POST', url: 'Bundle' },
        }),
    })
    assert.equal(reply.status, 422)
    assert.match(reply.text, /FHIRDocumentNotSupported/)
  })

  it('tells what the middle refuses in terms of the message, not of ids the source never saw', async () => {
    const reply = await provide({
      documents: [{ change: ({ content }) => Object.assign(content[0]?.attachment ?? {}, { size: 3 }) }],
    })
    const [issue] = (reply.body as OperationOutcome).issue ?? []
    assert.deepEqual(issue?.expression, ['Bundle.entry[1].resource.content[0].attachment.hash'])
    assert.match(issue?.diagnostics ?? '', /^hash/)
  })

  it('passes refusals of the guard on with their reason code', async () => {
    door.operations.refusal = new GatewayError({ code: 'feed-opposed', rule: 'FE1' })
    const reply = await provide()
    door.operations.refusal = undefined
    assert.equal(reply.status, 403)
    const [issue] = (reply.body as OperationOutcome).issue ?? []
    assert.equal(issue?.diagnostics, 'FE1')
    assert.equal(issue?.details?.coding?.[0]?.code, 'feed-opposed')
    assert.equal(issue?.details?.coding?.[0]?.system, 'https://dmp-gateway.example.org/fhir/CodeSystem/decision')
    assert.match(issue?.details?.text ?? '', /opposé/)
  })

  describe('in profile ihe', () => {
    let ihe: Door
    before(async () => {
      ihe = await Door.open({ profile: 'ihe' })
      ihe.operations.patients.set(patient, { given: [] })
    })
    after(() => ihe.close())

    it('takes minimal metadata as limited metadata', async () => {
      const reply = await provide(
        {
          level: 'Minimal',
          documents: [
            {
              change: (resource) => {
                for (const key of ['type', 'category', 'date', 'securityLabel', 'context', 'author', 'contained'])
                  Reflect.deleteProperty(resource, key)
                Reflect.deleteProperty(resource.content[0] ?? {}, 'format')
              },
            },
          ],
        },
        ihe,
      )
      assert.equal(reply.status, 200, reply.text)
      assert.equal(ihe.operations.entries.at(-1)?.limitedMetadata, true)
    })

    it('makes folders of Folder Lists, held by the SubmissionSet', async () => {
      const bundle = aBundle()
      const document = first(bundle, 'DocumentReference').fullUrl ?? ''
      const folder = post(aFolderList([document]))
      bundle.entry?.push(folder)
      const set = bundle.entry?.[0]?.resource
      assert.ok(set?.resourceType === 'List')
      set.entry?.push({ item: { reference: folder.fullUrl ?? '' } })
      const reply = await ihe.send('POST', '', bundle)
      assert.equal(reply.status, 200, reply.text)
      const entry = ihe.operations.entries.at(-1)
      const inFolder = ihe.operations.associations.filter(({ target }) => target === entry?.entryUuid)
      assert.equal(inFolder.length, 2)
      const [, membership] = inFolder
      assert.ok(ihe.operations.associations.some(({ target }) => target === membership?.entryUuid))
    })

    it('knows the patient by reference: in the Bundle, relative, absolute or conditional', async () => {
      const id = `1.2.250.1.213.1.4.10-${ins}`
      const inside = post({
        resourceType: 'Patient',
        identifier: [{ system: 'urn:oid:1.2.250.1.213.1.4.10', value: ins }],
      })
      const references = [
        `Patient/${id}`,
        `${ihe.url}/Patient/${id}`,
        `Patient?identifier=urn:oid:1.2.250.1.213.1.4.10|${ins}`,
        inside.fullUrl ?? '',
      ]
      for (const reference of references) {
        const subject = { reference }
        const reply = await provide(
          {
            set: (list) => Object.assign(list, { subject }),
            documents: [{ change: (resource) => Object.assign(resource, { subject }) }],
            extra: reference === inside.fullUrl ? [inside] : [],
          },
          ihe,
        )
        assert.equal(reply.status, 200, reply.text)
        if (reference === inside.fullUrl)
          assert.equal((reply.body as Bundle).entry?.at(-1)?.response?.location, `Patient/${id}`)
      }
      const found = await refusal(
        { set: (list) => Object.assign(list, { subject: { reference: 'http://elsewhere.test/Patient/1' } }) },
        ihe,
      )
      assert.deepEqual(found, ['SUBJ4_3 Bundle.entry[0].resource.subject'])
    })
  })
})
