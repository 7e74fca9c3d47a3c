import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { newEntryUuid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import { readObjects } from '../../../src/xds/ebrim/reader.ts'
import { ns } from '../../../src/xds/namespaces.ts'
import { child } from '../../../src/xml/tree.ts'
import { codes } from '../../mothers/metadata.ts'
import {
  aDocument,
  declared,
  people,
  submissionOf,
  type TestDocument,
  type TestPatient,
} from '../../support/gateway.ts'
import { at, type Json } from '../../support/json.ts'
import { openPdsmGateway, type PdsmGateway } from '../../support/pdsm.ts'
import type { Between } from '../../support/pdsm-proxy.ts'
import { provideBundle } from '../../support/resources.ts'
import { queryBody } from '../../support/xds-client.ts'
import { storedAtFarEnd, unchangedRules } from '../remote-chain.ts'

const statuses = ['Approved', 'Deprecated']
  .map((each) => `'urn:oasis:names:tc:ebxml-regrep:StatusType:${each}'`)
  .join(',')
const masking = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'
const isArchived = 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived'

describe('the gateway before a DMP that speaks PDSm', () => {
  let gateway: PdsmGateway
  let between: Between
  before(async () => {
    gateway = await openPdsmGateway({}, {}, true)
    assert.ok(gateway.between)
    between = gateway.between
  })
  after(() => gateway.close())

  const label = { system: masking, code: 'MASQUE_PS' }
  const feed = async (document: TestDocument, who: object = people.structure) => {
    const fed = await gateway.xdsDoor.feed(who, document, { consent: declared.informed })
    assert.ok(fed.ok, JSON.stringify(fed))
    return fed
  }
  const patch = (who: object, patient: TestPatient, id: string, operations: unknown) =>
    gateway.fhir.call({ ...who, ins: patient.ins }, 'PATCH', `/DocumentReference/${id.slice('urn:uuid:'.length)}`, {
      consent: declared.careTeam,
      headers: { 'Content-Type': 'application/json-patch+json' },
      body: JSON.stringify(operations),
    })

  unchangedRules(() => gateway)

  it('feeds several documents in one transaction, and finds their lot', async () => {
    const patient = await gateway.patient()
    const documents = [aDocument(patient), aDocument(patient), aDocument(patient)]
    const { status, json } = await gateway.fhir.provide(people.author, provideBundle(documents), {
      consent: declared.informed,
    })
    assert.equal(status, 200, JSON.stringify(json))
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    const query = `/List?patient.identifier=${token}&code=submissionset&status=current`
    const lists = await gateway.fhir.call(people.author, 'GET', query, { consent: declared.careTeam })
    assert.equal(at(lists.json, 'total'), 1, JSON.stringify(lists.json))
    assert.equal(list(at(lists.json, 'entry', 0, 'resource', 'entry')).length, 3)
    const { entries } = await gateway.xdsDoor.find(people.author, patient, { consent: declared.careTeam })
    assert.deepEqual(
      entries.map(({ uniqueId }) => uniqueId).sort(),
      documents.map(({ entry }) => entry.uniqueId).sort(),
    )
  })

  it('gives a large document on as it comes, both ways', async () => {
    const patient = await gateway.patient()
    const bytes = Buffer.concat([Buffer.from('%PDF-1.4\n'), randomBytes(6 * 1024 * 1024)])
    const document = aDocument(patient, { mimeType: 'application/pdf', formatCode: codes.pdfFormat }, bytes)
    await feed(document)
    const [entry] = (await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })).entries
    assert.ok(entry)
    for (const door of gateway.doors) {
      const who = { ...people.author, ins: patient.ins }
      const read = await door.retrieve(who, entry, { consent: declared.careTeam })
      assert.ok(read.bytes?.equals(bytes), door.name)
    }
  })

  it('answers by ITI-18 what lots hold and how documents are related, which FHIR has no query for', async () => {
    const patient = await gateway.patient()
    const first = aDocument(patient)
    const { stored } = await gateway.xdsDoor.feed(people.structure, first, { consent: declared.informed })
    assert.ok(stored)
    const second = aDocument(patient)
    const replaced = await gateway.xdsDoor.feed(people.structure, second, {
      consent: declared.informed,
      replaces: stored,
    })
    assert.ok(replaced.ok, JSON.stringify(replaced))
    const who = { ...people.author, ins: patient.ins, insSystem: patient.authority }
    const ask = async (id: string, parameters: Readonly<Record<string, string>>) => {
      const body = queryBody(`urn:uuid:${id}`, parameters)
      const reply = await gateway.xds.call(who, { transaction: 'ITI-18', body, consent: declared.careTeam })
      assert.ok(reply.outcome.ok, reply.outcome.text)
      const objects = reply.body && child(reply.body, ns.rim, 'RegistryObjectList')
      assert.ok(objects)
      return readObjects(objects, 'stored')
    }
    const uniqueIds = ({ entries }: { readonly entries: readonly { readonly uniqueId: string }[] }) =>
      entries.map(({ uniqueId }) => uniqueId).sort()
    const types = ({ associations }: { readonly associations: readonly { readonly type: string }[] }) =>
      associations.map(({ type }) => type).sort()
    const both = [first.entry.uniqueId, second.entry.uniqueId].sort()

    const related = await ask('d90e5407-b356-4d91-a89f-873917b4b0e6', {
      $XDSDocumentEntryUniqueId: `'${first.entry.uniqueId}'`,
      $AssociationTypes: "('urn:ihe:iti:2007:AssociationType:RPLC')",
    })
    assert.deepEqual([uniqueIds(related), types(related)], [both, ['RPLC']])

    const around = await ask('bab9529a-4a10-40b3-a01f-f68a615d247a', {
      $XDSDocumentEntryUniqueId: `('${second.entry.uniqueId}')`,
    })
    assert.deepEqual([uniqueIds(around), types(around)], [[second.entry.uniqueId], ['HasMember', 'RPLC']])

    const all = await ask('10b545ea-725c-446d-9b95-8aeb444eddf3', {
      $patientId: `'${patient.ins}^^^&${patient.authority}&ISO^NH'`,
      ...Object.fromEntries(
        ['DocumentEntry', 'SubmissionSet', 'Folder'].map((kind) => [`$XDS${kind}Status`, `(${statuses})`]),
      ),
    })
    assert.deepEqual(uniqueIds(all), both)
    assert.deepEqual(types(all), ['HasMember', 'HasMember', 'RPLC'])
    const [set] = all.submissionSets
    assert.ok(set && all.submissionSets.length === 2)

    const contents = await ask('e8e3cb2c-e39c-46b9-99e4-c12f57260b83', {
      $XDSSubmissionSetEntryUUID: `'${set.entryUuid}'`,
    })
    assert.deepEqual(
      [contents.submissionSets.map(({ uniqueId }) => uniqueId), contents.entries.length, types(contents)],
      [[set.uniqueId], 1, ['HasMember']],
    )
  })

  it('replaces by either door: the old version is superseded, the new one says what it replaces', async () => {
    for (const door of gateway.doors) {
      const patient = await gateway.patient()
      const first = await door.feed(people.structure, aDocument(patient), { consent: declared.informed })
      assert.ok(first.ok && first.stored, JSON.stringify(first))
      const second = await door.feed(people.structure, aDocument(patient), {
        consent: declared.informed,
        replaces: first.stored,
      })
      assert.ok(second.ok, `${door.name} ${JSON.stringify(second)}`)
      const old = await gateway.fhir.find(people.author, patient, {
        query: 'status=superseded',
        consent: declared.careTeam,
      })
      assert.deepEqual(
        old.entries.map(({ uniqueId }) => uniqueId),
        [first.stored.uniqueId],
      )
      const now = await gateway.fhir.find(people.author, patient, { consent: declared.careTeam })
      assert.match(now.raw, /"relatesTo":\[\{"code":"replaces"/)
    }
  })

  it('leads by the id it gave at feeding to the document, after the DMP gave it another', async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    const { stored } = await gateway.fhirDoor.feed(people.structure, document, { consent: declared.informed })
    assert.ok(stored)
    const { entry } = await storedAtFarEnd(gateway, document)
    assert.notEqual(entry.entryUuid, stored.entryUuid)
    const { bytes } = await gateway.fhirDoor.retrieve(people.author, stored, { consent: declared.careTeam })
    assert.deepEqual(bytes, document.bytes)
  })

  it('masks, archives and deletes by PATCH on the version that was seen', async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    await feed(document, people.author)
    const [stored] = (await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })).entries
    assert.ok(stored)
    const masked = await patch(people.author, patient, stored.logicalId, [
      { op: 'add', path: '/securityLabel/0', value: { coding: [label] } },
    ])
    assert.equal(masked.status, 200, JSON.stringify(masked.json))
    const sent = between.asked.findLast(({ method }) => method === 'PATCH')
    assert.equal(sent?.headers['if-match'], 'W/"1"')
    const { entry } = await storedAtFarEnd(gateway, document)
    assert.deepEqual([entry.version, entry.confidentialityCodes.map(({ code }) => code)], [2, ['N', 'MASQUE_PS']])
    const archive = { url: isArchived, valueBoolean: true }
    const archived = await patch(people.author, patient, stored.logicalId, [
      { op: 'add', path: '/extension', value: [archive] },
    ])
    assert.equal(archived.status, 200, JSON.stringify(archived.json))
    assert.equal((await storedAtFarEnd(gateway, document)).entry.availabilityStatus, 'Archived')
    const found = await gateway.fhir.find(people.author, patient, {
      query: 'status=current&isArchived=true',
      consent: declared.careTeam,
    })
    assert.deepEqual(
      found.entries.map(({ availabilityStatus }) => availabilityStatus),
      ['Archived'],
    )
    const deleted = await patch(people.author, patient, stored.logicalId, [
      { op: 'replace', path: '/status', value: 'entered-in-error' },
    ])
    assert.equal(deleted.status, 200, JSON.stringify(deleted.json))
    assert.equal((await storedAtFarEnd(gateway, document)).entry.availabilityStatus, 'Deleted')
  })

  it('refuses a change that was made on a version that is not the current one any more', async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    await feed(document, people.author)
    const [stored] = (await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })).entries
    assert.ok(stored)
    between.pace = async ({ method }) => {
      if (method !== 'PATCH') return
      between.pace = async () => {}
      await patch(people.author, patient, stored.logicalId, [
        { op: 'add', path: '/securityLabel/0', value: { coding: [label] } },
      ])
    }
    const late = await patch(people.author, patient, stored.logicalId, [
      { op: 'replace', path: '/status', value: 'entered-in-error' },
    ])
    assert.equal(late.status, 409, JSON.stringify(late.json))
    assert.equal(late.outcome.code, 'XDSMetadataVersionError')
    assert.equal((await storedAtFarEnd(gateway, document)).entry.availabilityStatus, 'Approved')
  })

  it('passes on what the DMP refuses, under its own code, and keeps the failure on record', async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    await feed(document)
    const { outcome } = await gateway.xds.provide(people.structure, submissionOf([document]), [document], {
      consent: declared.informed,
    })
    assert.match(outcome.text, /XDSDuplicateUniqueIdInRegistry/)
    const [last] = await gateway.records(patient)
    assert.deepEqual(
      [last?.operation, last?.outcome, last?.reasonCode],
      ['TD2.1', 'failed', 'XDSDuplicateUniqueIdInRegistry'],
    )
  })

  it('has nothing under ids that nobody gave', async () => {
    const patient = await gateway.patient()
    const who = { ...people.author, ins: patient.ins }
    const stored = { entryUuid: newEntryUuid(), logicalId: newEntryUuid(), uniqueId: '2.25.4711' as UniqueId }
    for (const door of gateway.doors) {
      const { outcome, bytes } = await door.retrieve(who, stored, { consent: declared.careTeam })
      assert.equal(bytes, undefined)
      assert.match(`${outcome.code}`, /not-found|XDSDocumentUniqueIdError/)
    }
  })

  it('counts what each request has cost, and says when the certificate ends', async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text()
    assert.match(text, /dmp_gateway_upstream_calls_per_request_count\{transaction="ITI-41"\} [1-9]/)
    assert.match(text, /dmp_gateway_upstream_call_seconds_count\{transaction="TD2.1",outcome="ok"\} [1-9]/)
    assert.match(text, /dmp_gateway_fhir_certificate_expiry_seconds\{certificate="authentication"\} 1[0-9]{9}/)
  })
})

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}
