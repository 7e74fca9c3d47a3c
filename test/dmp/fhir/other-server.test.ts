import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { makeKeys } from '../../../src/cli/simulator/keys.ts'
import { pdsmSettingsFor } from '../../../src/cli/simulator/pdsm.ts'
import { formatXcn, formatXon } from '../../../src/metadata/hl7.ts'
import {
  aDocument,
  aPatient,
  declared,
  openGateway,
  people,
  type TestGateway,
  type TestPatient,
} from '../../support/gateway.ts'
import { type PlainServer, startPlainServer } from '../../support/plain-server.ts'

describe('the gateway before a FHIR server that is not this product', () => {
  let directory: string
  let server: PlainServer
  let gateway: TestGateway
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'plain-server-'))
    const keys = await makeKeys(directory)
    server = await startPlainServer(keys)
    gateway = await openGateway(pdsmSettingsFor({ baseUrl: server.baseUrl, keys }))
  })
  after(async () => {
    await gateway.close()
    await server.close()
    await rm(directory, { recursive: true })
  })

  const admitted = (): TestPatient => {
    const patient = aPatient()
    server.admit(patient)
    return patient
  }
  const bound = ({ ins, authority }: TestPatient) => ({ ...people.author, ins, insSystem: authority })

  it('is ready', async () => {
    assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
  })

  for (const door of ['xdsDoor', 'fhirDoor'] as const)
    it(`feeds, finds and gives back documents over pages, by ${door}`, async () => {
      const patient = admitted()
      const documents = [aDocument(patient), aDocument(patient), aDocument(patient)]
      for (const document of documents) {
        const fed = await gateway[door].feed(people.structure, document, { consent: declared.informed })
        assert.ok(fed.ok, JSON.stringify(fed))
      }
      const { entries, outcome } = await gateway[door].find(people.author, patient, { consent: declared.careTeam })
      assert.equal(entries.length, 3, outcome.text)
      for (const entry of entries) {
        const sent = documents.find((each) => each.entry.uniqueId === entry.uniqueId)
        const [author, wrote] = [entry.authors[0], sent?.entry.authors[0]]
        assert.ok(sent && author?.person && wrote?.person && author.institutions[0] && wrote.institutions[0])
        assert.equal(formatXcn(author.person), formatXcn(wrote.person))
        assert.equal(formatXon(author.institutions[0]), formatXon(wrote.institutions[0]))
        const read = await gateway[door].retrieve(bound(patient), entry, { consent: declared.careTeam })
        assert.deepEqual(read.bytes, sent.bytes)
      }
    })

  it('finds the lot, whose ids are numbers there', async () => {
    const patient = admitted()
    assert.ok((await gateway.xdsDoor.feed(people.structure, aDocument(patient), { consent: declared.informed })).ok)
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    const { json } = await gateway.fhir.call(
      people.author,
      'GET',
      `/List?patient.identifier=${token}&code=submissionset&status=current`,
      { consent: declared.careTeam },
    )
    assert.match(JSON.stringify(json), /"entry":\[\{"item":\{"reference":"DocumentReference\/[0-9a-f-]{36}"/)
  })

  it('replaces, and masks by PATCH with ids that are numbers there', async () => {
    const patient = admitted()
    const first = await gateway.fhirDoor.feed(people.author, aDocument(patient), { consent: declared.informed })
    assert.ok(first.ok && first.stored, JSON.stringify(first))
    const second = await gateway.fhirDoor.feed(people.author, aDocument(patient), {
      consent: declared.informed,
      replaces: first.stored,
    })
    assert.ok(second.ok && second.stored, JSON.stringify(second))
    const documents = [...server.stored.values()].filter((each) => each.resourceType === 'DocumentReference')
    const [old, now] = documents.filter(({ masterIdentifier }) =>
      [first, second].some((each) => masterIdentifier?.value === `urn:oid:${each.stored?.uniqueId}`),
    )
    assert.equal(old?.status, 'superseded')
    assert.deepEqual(now?.relatesTo, [{ code: 'replaces', target: { reference: `DocumentReference/${old?.id}` } }])
    const [entry] = (await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })).entries
    assert.equal(entry?.uniqueId, second.stored.uniqueId)
    const masked = await gateway.fhir.call(
      bound(patient),
      'PATCH',
      `/DocumentReference/${entry.logicalId.slice('urn:uuid:'.length)}`,
      {
        consent: declared.careTeam,
        headers: { 'Content-Type': 'application/json-patch+json' },
        body: JSON.stringify([
          { op: 'add', path: '/securityLabel/0', value: { coding: [{ system: masking, code: 'MASQUE_PS' }] } },
        ]),
      },
    )
    assert.equal(masked.status, 200, JSON.stringify(masked.json))
    assert.equal(now?.securityLabel?.length, 2)
    // What the server does not know of is kept from others here all the same
    const others = await gateway.fhirDoor.find(people.colleague, patient, { consent: declared.careTeam })
    assert.deepEqual(others.entries, [])
  })

  it('keeps authorisations here where the server has no Consents', async () => {
    const patient = admitted()
    const find = () => gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })
    assert.ok((await find()).outcome.ok)
    const status = await gateway.fhir.call(
      people.author,
      'GET',
      `/Patient?identifier=${encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)}`,
    )
    assert.match(JSON.stringify(status.json), /dmp-statut-autorisation","valueCode":"VALIDE"/)
  })

  it('finds nothing of whom the server does not know', async () => {
    const { outcome } = await gateway.fhirDoor.find(people.author, aPatient(), { consent: declared.careTeam })
    assert.equal(outcome.code, 'dmp-unknown')
  })
})

const masking = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'
