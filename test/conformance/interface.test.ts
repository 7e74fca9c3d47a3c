/** What outside tools rely on, line by line (INTERFACE: search and read, feeding, patients, HTTP surface). */
import assert from 'node:assert/strict'
import type { Bundle, DocumentReference } from '@medplum/fhirtypes'
import { valueSet } from '../../src/nomenclature/index.ts'
import { anAuthor, aProfessional, codes } from '../mothers/metadata.ts'
import {
  aDocument,
  aPatient,
  aText,
  declared,
  fhirDoor,
  newOid,
  openGateway,
  people,
  type TestGateway,
} from '../support/gateway.ts'
import { at, type Json } from '../support/json.ts'
import { provideBundle, simplifiedPublish } from '../support/resources.ts'

const { author, colleague, structure } = people
const informed = { consent: declared.informed }
const careTeam = { consent: declared.careTeam }

describe('the interface', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())

  async function published(change: (resource: DocumentReference) => void = () => {}) {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    const resource = simplifiedPublish(document)
    change(resource)
    const reply = await gateway.fhir.publish(structure, resource, informed)
    return { patient, document, reply }
  }

  describe('patients', () => {
    it('are opened by a structure or the administrator, 201 then 200, and nothing else is needed before feeding', async () => {
      for (const who of [structure, people.system]) {
        const patient = aPatient()
        assert.equal((await gateway.fhir.open(who, patient)).status, 201)
        assert.equal((await gateway.fhir.open(who, patient)).status, 200)
        assert.ok((await gateway.xdsDoor.feed(structure, aDocument(patient), informed)).ok)
      }
    })

    it('are not opened by a professional in own name, nor by themselves', async () => {
      for (const who of [colleague, aPatient().identity])
        assert.equal((await gateway.fhir.open(who, aPatient())).outcome.ok, false)
    })

    it('of both test authorities are taken', async () => {
      for (const authority of ['1.2.250.1.213.1.4.10', '1.2.250.1.213.1.4.8']) {
        const patient = aPatient(undefined, authority)
        assert.equal((await gateway.fhir.open(structure, patient)).status, 201)
        assert.ok((await gateway.fhirDoor.feed(structure, aDocument(patient), informed)).ok)
        assert.equal((await gateway.xds.find(patient.identity, patient)).total, 1)
      }
    })
  })

  describe('feeding', () => {
    it('by ITI-105 answers 201 and a Location that resolves', async () => {
      const { reply, patient } = await published()
      assert.equal(reply.status, 201)
      const read = await gateway.fhir.call(patient.identity, 'GET', reply.headers.get('location') ?? '')
      assert.equal(read.status, 200)
      assert.equal(at(read.json, 'resourceType'), 'DocumentReference')
    })

    it('by ITI-65 answers 200 and, in request order, a location for each entry that resolves', async () => {
      const patient = await gateway.patient()
      const bundle: Bundle = provideBundle([aDocument(patient), aDocument(patient)])
      const reply = await gateway.fhir.provide(structure, bundle, informed)
      assert.equal(reply.status, 200)
      const answered = at(reply.json, 'entry')
      assert.ok(Array.isArray(answered))
      assert.equal(answered.length, bundle.entry?.length)
      const types = ['List', 'DocumentReference', 'Binary', 'DocumentReference', 'Binary']
      for (const [index, type] of types.entries()) {
        const location: string = String(at(answered[index], 'response', 'location'))
        assert.match(location, new RegExp(`^${type}/`))
        if (type === 'List') continue
        const read = await gateway.fhir.call(patient.identity, 'GET', `/${location}`)
        assert.equal(read.status, 200, `${location} does not resolve: ${read.outcome.text}`)
      }
    })

    it('takes no category and derives it from the type; takes no custodian and names the structure', async () => {
      const { reply, patient } = await published((resource) => {
        delete resource.category
        delete resource.custodian
      })
      assert.equal(reply.status, 201, reply.outcome.text)
      const [entry] = (await gateway.xds.find(patient.identity, patient)).entries
      assert.deepEqual(entry?.classCode, codes.report)
    })

    it('takes code systems as their URI or as urn:oid:', async () => {
      const { reply, patient } = await published((resource) => {
        resource.type = {
          coding: [{ system: 'http://loinc.org', code: '11502-2', display: "CR d'examens biologiques" }],
        }
      })
      assert.equal(reply.status, 201, reply.outcome.text)
      const [entry] = (await gateway.xds.find(patient.identity, patient)).entries
      assert.deepEqual(entry?.typeCode, codes.bloodTest)
    })

    it('keeps several authors apart, those with one id and different names too', async () => {
      const authors = [
        anAuthor(),
        anAuthor({ person: aProfessional({ family: 'EXEMPLE-AUTRE' }) }),
        anAuthor({ person: aProfessional({ id: '899700000044', family: 'AUTRE' }) }),
      ]
      for (const door of [gateway.xdsDoor, gateway.fhirDoor, fhirDoor(gateway.fhir, 'ITI-65')]) {
        const patient = await gateway.patient()
        const outcome = await door.feed(structure, aDocument(patient, { authors }), informed)
        assert.ok(outcome.ok, outcome.text)
        for (const { find } of gateway.doors)
          assert.deepEqual((await find(patient.identity, patient)).entries[0]?.authors, authors)
      }
    })

    it('takes the same bytes under another uniqueId', async () => {
      const patient = await gateway.patient()
      const bytes = aText()
      for (const door of [...gateway.doors, ...gateway.doors])
        assert.ok((await door.feed(structure, aDocument(patient, {}, bytes), informed)).ok)
      assert.equal((await gateway.fhir.find(patient.identity, patient)).total, 4)
    })

    it('takes no classCode and derives it from the type, at either door', async () => {
      for (const door of gateway.doors) {
        const patient = await gateway.patient()
        const outcome = await door.feed(structure, aDocument(patient, { classCode: undefined }), informed)
        assert.ok(outcome.ok, outcome.text)
        const [entry] = (await gateway.xds.find(patient.identity, patient)).entries
        assert.deepEqual(entry?.classCode, codes.report)
      }
    })

    it('of every type of the DMP is open to a structure', async () => {
      const patient = await gateway.patient()
      for (const { code, system, display } of valueSet('typeCode').codes) {
        const typeCode = { code, system, ...(display && { display }) }
        const outcome = await gateway.xdsDoor.feed(
          structure,
          aDocument(patient, { typeCode, classCode: undefined }),
          informed,
        )
        assert.ok(outcome.ok, `${code}: ${outcome.text}`)
      }
    })

    it('replaces a document: the old one is superseded, at both doors', async () => {
      for (const door of gateway.doors) {
        const patient = await gateway.patient()
        const first = await door.feed(structure, aDocument(patient), informed)
        assert.ok(first.stored)
        const second = aDocument(patient)
        const replaced = await door.feed(structure, second, { ...informed, replaces: first.stored })
        assert.ok(replaced.stored, replaced.text)
        for (const { find } of gateway.doors)
          assert.deepEqual(
            (await find(patient.identity, patient)).entries.map(({ uniqueId }) => uniqueId),
            [second.entry.uniqueId],
          )
        const old = await gateway.fhir.find(patient.identity, patient, { query: 'status=superseded' })
        assert.deepEqual(
          old.entries.map(({ uniqueId }) => uniqueId),
          [first.stored.uniqueId],
        )
        const deprecated = await gateway.xds.find(patient.identity, patient, { statuses: ['Deprecated'] })
        assert.deepEqual(
          deprecated.entries.map(({ uniqueId }) => uniqueId),
          [first.stored.uniqueId],
        )
      }
    })
  })

  describe('search and read', () => {
    it('names a resource by its logicalID, its version, its uniqueId, and carries both UUIDs', async () => {
      const { document, patient } = await published()
      const { json } = await search(patient.identity, patient)
      const resource = at(json, 'entry', 0, 'resource')
      const [entry] = (await gateway.xds.find(patient.identity, patient)).entries
      assert.equal(at(resource, 'id'), entry?.logicalId.slice('urn:uuid:'.length))
      assert.equal(at(resource, 'meta', 'versionId'), '1')
      assert.equal(at(resource, 'masterIdentifier', 'system'), 'urn:ietf:rfc:3986')
      assert.equal(at(resource, 'masterIdentifier', 'value'), `urn:oid:${document.entry.uniqueId}`)
      const identifiers = at(resource, 'identifier')
      assert.ok(Array.isArray(identifiers))
      const byUse = new Map(identifiers.map((each: Json) => [at(each, 'use'), at(each, 'value')]))
      assert.equal(byUse.get('official'), entry?.entryUuid)
      assert.equal(byUse.get('secondary'), entry?.logicalId)
    })

    it('gives absolute URLs from the Host of the request, and Binary as they are given', async () => {
      const { patient, document } = await published()
      const { json } = await search(patient.identity, patient)
      assert.ok(String(at(json, 'entry', 0, 'fullUrl')).startsWith(`${gateway.fhir.base}/DocumentReference/`))
      const url = String(at(json, 'entry', 0, 'resource', 'content', 0, 'attachment', 'url'))
      assert.ok(url.startsWith(`${gateway.fhir.base}/Binary/`))
      const read = await gateway.fhir.call(patient.identity, 'GET', url, { headers: { Accept: '*/*' } })
      assert.ok(read.bytes.equals(document.bytes), 'Accept: */* gives the bytes themselves')
      assert.equal(read.headers.get('content-type'), 'text/xml')
    })

    it('pages by _count, up to 200 and more, with next links and an exact total on each page', async () => {
      const patient = await gateway.patient()
      const fed = await Promise.all(
        Array.from({ length: 230 }, () => gateway.xdsDoor.feed(structure, aDocument(patient), informed)),
      )
      assert.ok(fed.every(({ ok }) => ok))
      for (const count of [7, 100, 200, 230]) {
        const found = await gateway.fhir.find(patient.identity, patient, { query: `_count=${count}` })
        assert.deepEqual([found.total, new Set(found.entries.map(({ uniqueId }) => uniqueId)).size], [230, 230])
      }
      assert.equal((await gateway.xds.find(patient.identity, patient)).total, 230)
      const counted = await gateway.fhir.find(patient.identity, patient, { query: '_summary=count' })
      assert.deepEqual([counted.total, counted.entries.length], [230, 0])
    })

    it('has no time limit of its own: an old document is found', async () => {
      const patient = await gateway.patient()
      const old = aDocument(patient, {
        creationTime: '19800101000000' as never,
        serviceStartTime: '19800101000000' as never,
        serviceStopTime: undefined,
      })
      assert.ok((await gateway.fhirDoor.feed(structure, old, informed)).ok)
      for (const { find } of gateway.doors) assert.equal((await find(patient.identity, patient)).total, 1)
    })

    it('by POST _search is the same as by GET', async () => {
      const { patient, document } = await published()
      const body = `patient.identifier=${encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)}&status=current`
      const { json, outcome } = await gateway.fhir.call(patient.identity, 'POST', '/DocumentReference/_search', {
        body,
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      })
      assert.ok(outcome.ok, outcome.text)
      assert.equal(at(json, 'entry', 0, 'resource', 'masterIdentifier', 'value'), `urn:oid:${document.entry.uniqueId}`)
    })

    it('finds by identifier, type, date and author what it should and nothing else', async () => {
      const patient = await gateway.patient()
      const test = aDocument(patient)
      const letter = aDocument(patient, {
        typeCode: codes.prescriptionType,
        classCode: codes.prescription,
        creationTime: '20200101000000' as never,
        authors: [anAuthor({ person: aProfessional({ id: '899700000055', family: 'LETTRE' }) })],
      })
      for (const document of [test, letter]) assert.ok((await gateway.xdsDoor.feed(structure, document, informed)).ok)
      for (const [query, expected] of [
        [`identifier=urn:ietf:rfc:3986%7Curn:oid:${test.entry.uniqueId}`, test],
        ['type=http://loinc.org%7C57833-6', letter],
        ['date=lt2021-01-01', letter],
        ['creation=ge2021-01-01', test],
        ['author.family=lettre', letter],
        ['author.identifier=urn:oid:1.2.250.1.71.4.2.1%7C899700000055', letter],
        ['category=urn:oid:1.2.250.1.213.1.1.4.1%7C10', test],
      ] as const) {
        const found = await gateway.fhir.find(patient.identity, patient, { query })
        assert.deepEqual(
          found.entries.map(({ uniqueId }) => uniqueId),
          [expected.entry.uniqueId],
          query,
        )
      }
    })

    async function search(who: Parameters<TestGateway['fhir']['call']>[0], patient: ReturnType<typeof aPatient>) {
      const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
      return gateway.fhir.call(who, 'GET', `/DocumentReference?patient.identifier=${token}`, careTeam)
    }
  })

  describe('the HTTP surface', () => {
    it('tells whether it lives and is ready, and what it counts, to anyone', async () => {
      for (const [path, pattern] of [
        ['/health/live', /live/],
        ['/health/ready', /"ready"/],
        ['/metrics', /dmp_gateway_requests_total/],
        ['/fhir/metadata', /CapabilityStatement/],
      ] as const) {
        const response = await fetch(gateway.url + path)
        assert.equal(response.status, 200, path)
        assert.match(await response.text(), pattern)
      }
    })

    it('puts no patient, person or token into what it counts', async () => {
      const { patient } = await published()
      await gateway.fhir.find(author, patient, careTeam)
      const text = await (await fetch(`${gateway.url}/metrics`)).text()
      for (const secret of [patient.ins, author.id, 'EXEMPLE']) assert.ok(!text.includes(secret), secret)
    })

    it('has one answer for paths it does not know', async () => {
      assert.equal((await fetch(`${gateway.url}/nowhere`)).status, 404)
    })
  })
})

describe('server.baseUrl', () => {
  it('is where every URL of an answer leads, whatever the Host', async () => {
    await using gateway = await openGateway({ 'server.baseUrl': 'https://dmp.exemple.fr' })
    const patient = await gateway.patient()
    const uniqueId = newOid()
    const reply = await gateway.fhir.publish(structure, simplifiedPublish(aDocument(patient, { uniqueId })), informed)
    assert.match(reply.headers.get('location') ?? '', /^https:\/\/dmp\.exemple\.fr\/fhir\/DocumentReference\//)
    const { raw } = await gateway.fhir.find(patient.identity, patient)
    const urls = [...raw.matchAll(/"(?:url|fullUrl)":"(https?:\/\/[^"]*\/(?:Binary|DocumentReference)[^"]*)"/g)].map(
      ([, url]) => url,
    )
    assert.ok(urls.length > 1)
    for (const url of urls) assert.match(url ?? '', /^https:\/\/dmp\.exemple\.fr\/fhir\//)
  })
})
