import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Bundle, BundleEntry, DocumentReference, Patient } from '@medplum/fhirtypes'
import { aDocument, declared, people, submissionOf, type TestPatient } from '../../support/gateway.ts'
import { openPdsmGateway, type PdsmGateway } from '../../support/pdsm.ts'
import { type Answered, type Asked, type Between, withJson } from '../../support/pdsm-proxy.ts'

const isSearch = ({ path }: Asked) => path.startsWith('/fhir/DocumentReference')
const isRead = ({ path }: Asked) => path.startsWith('/fhir/Binary')
const isStatus = ({ path }: Asked) => path.startsWith('/fhir/Patient')
const isFeed = ({ method, path }: Asked) => method === 'POST' && path === '/fhir'

const asBundle = ({ body }: Answered) => JSON.parse(body.toString()) as Bundle<DocumentReference>
const firstOf = (bundle: Bundle<DocumentReference>) => {
  const [entry] = bundle.entry ?? []
  assert.ok(entry?.resource)
  return { ...entry, resource: entry.resource }
}

describe('a DMP that speaks PDSm and lies', () => {
  let gateway: PdsmGateway
  let between: Between
  let patient: TestPatient
  let other: TestPatient
  let elsewhere: Server
  let visits = 0

  before(async () => {
    gateway = await openPdsmGateway({ answerBytes: 300_000, statusSeconds: 0, idleSeconds: 2 }, {}, true)
    assert.ok(gateway.between)
    between = gateway.between
    patient = await gateway.patient()
    other = await gateway.patient()
    for (const each of [patient, other]) {
      const fed = await gateway.fhirDoor.feed(people.structure, aDocument(each), { consent: declared.informed })
      assert.ok(fed.ok, JSON.stringify(fed))
    }
    const { serverKey: key, serverCertificate: cert } = gateway.farEnd.keys
    elsewhere = createServer({ key, cert }, (_, response) => {
      visits++
      response.end('{}')
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    between.answer = (_, answered) => answered
    assert.equal(visits, 0, 'no other host is ever asked')
  })
  after(async () => {
    elsewhere.close()
    await gateway.close()
  })

  const another = () => `https://localhost:${(elsewhere.address() as AddressInfo).port}/fhir`
  /** Another answer where the request is of this kind. */
  const lie = (about: (asked: Asked) => boolean, answer: (answered: Answered) => Answered): void => {
    between.answer = (asked, answered) => (about(asked) ? answer(answered) : answered)
  }
  const withEntry = (answered: Answered, change: (resource: DocumentReference) => object): Answered => {
    const bundle = asBundle(answered)
    const entry = firstOf(bundle)
    return withJson(answered, { ...bundle, entry: [{ ...entry, resource: change(entry.resource) }] })
  }
  const withNext = (answered: Answered, url: string): Answered => {
    const bundle = asBundle(answered)
    return withJson(answered, { ...bundle, link: [...(bundle.link ?? []), { relation: 'next', url }] })
  }
  const withAttachment = (answered: Answered, change: object): Answered =>
    withEntry(answered, (resource) => {
      const [content] = resource.content ?? []
      return { ...resource, content: [{ ...content, attachment: { ...content?.attachment, ...change } }] }
    })
  const ofOther = async (): Promise<DocumentReference> => {
    const { dmp } = gateway.farEnd.embedded
    const { documents } = await dmp.find({
      kind: 'FindDocuments',
      patient: other.key,
      statuses: ['Approved'],
      criteria: {},
    })
    const id = documents[0]?.logicalId.slice('urn:uuid:'.length)
    const { json } = await gateway.fhir.call(people.author, 'GET', `/DocumentReference/${id}`, {
      consent: declared.careTeam,
    })
    return json as unknown as DocumentReference
  }

  /** What both doors must say, whatever was asked: 502 or a Failure, of which nothing can be learnt. */
  const isRefused = async (code = 'dmp-answer-invalid') => {
    const secret = new RegExp(`${other.ins}|geheim|${another()}`)
    for (const door of gateway.doors) {
      const { outcome, entries, raw } = await door.find(people.author, patient, { consent: declared.careTeam })
      assert.equal(outcome.ok, false, `${door.name}: ${raw.slice(0, 300)}`)
      assert.match(outcome.text + raw, new RegExp(code), door.name)
      assert.deepEqual(entries, [])
      assert.doesNotMatch(raw, secret)
    }
  }

  const searches: Readonly<Record<string, (answered: Answered) => Answered>> = {
    'a next page on another host': (answered) => withNext(answered, `${another()}/DocumentReference?page=2`),
    'a next page beside its own base': (answered) =>
      withNext(answered, `${between.baseUrl.replace(/\/fhir$/, '')}/admin?page=2`),
    'a next page that climbs out of its base': (answered) => withNext(answered, `${between.baseUrl}/../admin?page=2`),
    'a document twice': (answered) => {
      const bundle = asBundle(answered)
      return withJson(answered, { ...bundle, entry: [...(bundle.entry ?? []), ...(bundle.entry ?? [])] })
    },
    'one document under two ids': (answered) => {
      const bundle = asBundle(answered)
      const entry = firstOf(bundle)
      const twin: BundleEntry = { ...entry, resource: { ...entry.resource, id: 'another-id' } }
      return withJson(answered, { ...bundle, entry: [entry, twin] })
    },
    HTML: (answered) => ({ ...answered, headers: { 'content-type': 'text/html' }, body: Buffer.from('<p>geheim') }),
    'JSON that is none': (answered) => ({ ...answered, body: Buffer.from('{"geheim": 1') }),
    'half an answer': (answered) => ({ ...answered, cutAfter: 100 }),
    'more than it may': (answered) => {
      const bundle = asBundle(answered)
      return withJson(answered, { ...bundle, entry: [{ ...firstOf(bundle), fullUrl: 'x'.repeat(400_000) }] })
    },
    'a compressed answer': (answered) => ({
      ...answered,
      headers: { ...answered.headers, 'content-encoding': 'gzip' },
      body: gzipSync(answered.body),
    }),
    'a redirect': (answered) => ({
      ...answered,
      status: 307,
      headers: { location: `${another()}/x` },
      body: Buffer.alloc(0),
    }),
    'another resource': (answered) => withJson(answered, { resourceType: 'Parameters' }),
    'a Bundle of another type': (answered) => withJson(answered, { ...asBundle(answered), type: 'collection' }),
    'other resources': (answered) =>
      withJson(answered, {
        ...asBundle(answered),
        entry: [{ resource: { resourceType: 'Patient', id: 'geheim' }, search: { mode: 'match' } }],
      }),
    'elements of another type': (answered) =>
      withEntry(answered, (resource) => ({ ...resource, masterIdentifier: ['geheim'] })),
    'an element that changes the meaning': (answered) =>
      withEntry(answered, (resource) => ({ ...resource, modifierExtension: [{ url: 'urn:x', valueBoolean: true }] })),
    'a document without labels': (answered) => withEntry(answered, ({ securityLabel: _, ...resource }) => resource),
    'a document of nobody': (answered) => withEntry(answered, ({ subject: _, ...resource }) => resource),
    'a failure of its own': (answered) => ({ ...answered, status: 500, body: Buffer.from('geheim') }),
  }
  for (const [what, answer] of Object.entries(searches))
    it(`is refused with ${what}, and nothing of it is shown`, async () => {
      lie(isSearch, answer)
      await isRefused()
    })

  it('is refused with pages without an end', async () => {
    const next = (page: number) => [{ relation: 'next', url: `${between.baseUrl}/DocumentReference?page=${page}` }]
    let page = 0
    lie(isSearch, (answered) => ({
      ...withJson(answered, { resourceType: 'Bundle', type: 'searchset', link: next(++page % 7) }),
      status: 200,
    }))
    await isRefused()
  })

  it('is refused with pages that are too much together', async () => {
    let page = 0
    lie(isSearch, (answered) => {
      const link = [{ relation: 'next', url: `${between.baseUrl}/DocumentReference?page=${++page}` }]
      const text = { status: 'empty', div: `<div>${'x'.repeat(200_000)}</div>` }
      return { ...withJson(answered, { resourceType: 'Bundle', type: 'searchset', link, text }), status: 200 }
    })
    await isRefused()
    assert.equal(page, 4, 'two pages for each door')
  })

  it('is refused with a document of another patient', async () => {
    const document = await ofOther()
    lie(isSearch, (answered) => withEntry(answered, () => document))
    await isRefused()
  })

  it('is refused with the status of another patient', async () => {
    lie(isStatus, (answered) => {
      const bundle = JSON.parse(answered.body.toString()) as Bundle<Patient>
      const [entry] = bundle.entry ?? []
      const identifier = [{ system: `urn:oid:${other.authority}`, value: other.ins }]
      return withJson(answered, { ...bundle, entry: [{ ...entry, resource: { ...entry?.resource, identifier } }] })
    })
    await isRefused()
  })

  describe('about a document', () => {
    const retrieve = async () => {
      const { entries } = await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })
      const [entry] = entries
      if (entry === undefined) return undefined
      const who = { ...people.author, ins: patient.ins, insSystem: patient.authority }
      return gateway.fhirDoor.retrieve(who, entry, { consent: declared.careTeam })
    }
    const bytes: Readonly<Record<string, (answered: Answered) => Answered>> = {
      'other bytes': (answered) => ({ ...answered, body: Buffer.from(answered.body.toString().replace('a', 'b')) }),
      'fewer bytes': (answered) => ({ ...answered, body: answered.body.subarray(0, 100) }),
      'half of the bytes': (answered) => ({ ...answered, cutAfter: 100 }),
      'another type': (answered) => ({ ...answered, headers: { ...answered.headers, 'content-type': 'text/html' } }),
      'no type': (answered) => ({ ...answered, headers: {} }),
      'a part of it': (answered) => ({ ...answered, status: 206 }),
    }
    for (const [what, answer] of Object.entries(bytes))
      it(`is refused with ${what}`, async () => {
        lie(isRead, answer)
        const read = await retrieve()
        assert.equal(read?.outcome.status, 502)
        assert.equal(read.outcome.code, 'dmp-answer-invalid')
        assert.equal(read.bytes, undefined)
      })

    it('is not followed to another host', async () => {
      lie(isSearch, (answered) =>
        asBundle(answered).type === 'searchset' ? withAttachment(answered, { url: `${another()}/Binary/1` }) : answered,
      )
      const read = await retrieve()
      assert.equal(read?.outcome.code, 'dmp-answer-invalid')
    })
  })

  it('that does not take our token is told from a caller who has none', async () => {
    lie(isSearch, (answered) => ({ ...answered, status: 401, body: Buffer.alloc(0), headers: {} }))
    await isRefused('dmp-refused|http-401')
    const { outcome } = await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })
    assert.equal(outcome.status, 422)
  })

  it('that is busy is asked again later', async () => {
    lie(isSearch, (answered) => ({ ...answered, status: 503, body: Buffer.alloc(0), headers: {} }))
    await isRefused('dmp-unavailable')
  })

  describe('when it is fed', () => {
    const feed = async () => {
      const document = aDocument(patient)
      const before = between.asked.filter(isFeed).length
      const { outcome } = await gateway.xds.provide(people.author, submissionOf([document]), [document], {
        consent: declared.informed,
      })
      assert.equal(between.asked.filter(isFeed).length, before + 1, 'it is sent once')
      const [last] = await gateway.records(patient)
      return { outcome, last }
    }
    const answers: Readonly<Record<string, (answered: Answered) => Answered>> = {
      'no answer': (answered) => ({ ...answered, silent: true }),
      'half an answer': (answered) => ({ ...answered, cutAfter: 20 }),
      'what is no answer': (answered) => ({
        ...answered,
        body: Buffer.from('geheim'),
        headers: { 'content-type': 'text/plain' },
      }),
      'fewer entries': (answered) => withJson(answered, { ...asBundle(answered), entry: [] }),
      'an entry that was not done': (answered) => {
        const bundle = asBundle(answered)
        const entry = (bundle.entry ?? []).map((each) => ({ ...each, response: { ...each.response, status: '400' } }))
        return withJson(answered, { ...bundle, entry })
      },
      'a failure of its own': (answered) => ({ ...answered, status: 500 }),
    }
    for (const [what, answer] of Object.entries(answers))
      it(`leaves the outcome unknown with ${what}, and on record`, async () => {
        lie(isFeed, answer)
        const { outcome, last } = await feed()
        assert.match(outcome.text, /dmp-outcome-unknown/)
        assert.deepEqual([last?.outcome, last?.reasonCode], ['failed', 'dmp-outcome-unknown'])
      })
  })
})
