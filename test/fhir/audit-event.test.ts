import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { AuditEvent, AuditEventAgent, Bundle } from '@medplum/fhirtypes'
import { toAuditEvent } from '../../src/fhir/audit-event.ts'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import type { AccessRecord } from '../../src/operations/ports.ts'
import { aDocument } from '../support/documents.ts'
import { fhirDoor } from '../support/door.ts'
import { type Door, declared, openGateway, people, type TestGateway, type TestPatient } from '../support/gateway.ts'

const dcm = 'http://dicom.nema.org/resources/ontology/DCM'
const interaction = 'http://hl7.org/fhir/restful-interaction'
const mhd = 'https://profiles.ihe.net/ITI/MHD/StructureDefinition'
const patientQuery = 'https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery'

/** What a profile of BALP 1.1 or MHD 4.2 asks, said again in the terms of its definition. */
interface Expected {
  readonly profile?: string
  readonly type: string
  readonly subtypes: readonly string[]
  readonly action: string
  readonly client: 'source' | 'destination'
  /** object-role of an entity that is there beside the patient. */
  readonly object?: string
}

const expected: Readonly<Record<string, Expected>> = {
  'ITI-65': { type: '110107', subtypes: ['ITI-65'], action: 'C', client: 'source', object: '20' },
  'ITI-105': {
    profile: `${mhd}/IHE.MHD.SimplifiedPublish.Audit.Recipient`,
    type: 'rest',
    subtypes: ['ITI-105', 'create'],
    action: 'C',
    client: 'source',
    object: '4',
  },
  'ITI-67': {
    profile: `${mhd}/IHE.MHD.FindDocumentReferences.Audit.Responder`,
    type: 'rest',
    subtypes: ['ITI-67', 'search'],
    action: 'E',
    client: 'source',
    object: '24',
  },
  'ITI-66': {
    profile: `${mhd}/IHE.MHD.FindDocumentLists.Audit.Responder`,
    type: 'rest',
    subtypes: ['ITI-66', 'search'],
    action: 'E',
    client: 'source',
    object: '24',
  },
  'ITI-68': {
    profile: `${mhd}/IHE.MHD.RetrieveDocument.Audit.Responder`,
    type: 'rest',
    subtypes: ['ITI-68', 'read'],
    action: 'R',
    client: 'destination',
    object: '3',
  },
  'ITI-81': {
    profile: patientQuery,
    type: 'rest',
    subtypes: ['ITI-81', 'search'],
    action: 'E',
    client: 'source',
    object: '24',
  },
  'ITI-104': { type: 'rest', subtypes: ['ITI-104', 'update'], action: 'C', client: 'source' },
  'ITI-41': { type: '110107', subtypes: ['ITI-41'], action: 'C', client: 'source', object: '20' },
  'ITI-18': { type: '110112', subtypes: ['ITI-18'], action: 'E', client: 'source', object: '24' },
  'ITI-43': { type: '110106', subtypes: ['ITI-43'], action: 'R', client: 'destination', object: '3' },
}

function typed(event: AuditEvent, code: string): AuditEventAgent[] {
  return event.agent.filter(({ type }) => type?.coding?.some((coding) => coding.code === code))
}

function conforms(event: AuditEvent, transaction: string): void {
  const rules = expected[transaction]
  assert.ok(rules, transaction)
  assert.deepEqual(checkStructure(event), [])
  assert.equal(event.type.code, rules.type)
  assert.equal(
    event.type.system,
    rules.type === 'rest' ? 'http://terminology.hl7.org/CodeSystem/audit-event-type' : dcm,
  )
  const subtypes = (event.subtype ?? []).map(({ code }) => code)
  for (const code of rules.subtypes) assert.ok(subtypes.includes(code), `${transaction} ${code}`)
  assert.equal(
    event.subtype?.some(({ system }) => system === interaction),
    rules.type === 'rest',
  )
  assert.equal(event.action, rules.action)
  assert.equal(event.outcome, '0')
  assert.deepEqual(event.meta?.profile, rules.profile === undefined ? undefined : [rules.profile])
  assert.equal(event.modifierExtension, undefined)

  const ends = { source: typed(event, '110153'), destination: typed(event, '110152') }
  const [client] = ends[rules.client]
  const [server] = ends[rules.client === 'source' ? 'destination' : 'source']
  assert.equal(ends.source.length, 1)
  assert.equal(ends.destination.length, 1)
  for (const agent of [client, server]) {
    assert.ok(agent?.who)
    assert.equal(agent?.requestor, false)
    assert.ok(agent?.network?.address)
    assert.equal(agent?.media, undefined)
  }
  assert.equal(client?.network?.type, '2')
  assert.equal(server?.network?.type, '5')
  // val-audit-source: the audit source is this agent too
  assert.deepEqual(server?.who, event.source.observer)
  assert.ok(event.agent.filter(({ requestor }) => requestor).length === 1)

  const roles = (event.entity ?? []).map(({ role }) => role?.code)
  assert.equal(roles.filter((code) => code === '1').length, 1)
  if (rules.object !== undefined) assert.ok(roles.includes(rules.object), `${transaction}: no entity ${rules.object}`)
  for (const entity of event.entity ?? []) {
    if (entity.role?.code === '1') assert.equal(entity.what?.type, 'Patient')
    if (entity.role?.code === '24') {
      assert.ok(entity.query)
      assert.equal(entity.what, undefined)
      assert.equal(entity.detail, undefined)
    }
    if (entity.type?.code === 'XrequestId') assert.ok(entity.what?.identifier?.value)
  }
}

describe('an access as an AuditEvent', () => {
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
    const iti65 = fhirDoor(gateway.fhir, 'ITI-65')
    const doors: readonly Door[] = [gateway.fhirDoor, gateway.xdsDoor, iti65]
    for (const door of doors) {
      const fed = await door.feed(people.author, aDocument(patient), { consent: declared.informed })
      assert.ok(fed.stored, fed.text)
      assert.ok((await door.find(people.author, patient, { consent: declared.careTeam })).outcome.ok)
      assert.ok((await door.retrieve(people.author, fed.stored, { consent: declared.careTeam })).outcome.ok)
    }
    const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
    const lists = await gateway.fhir.call(
      people.author,
      'GET',
      `/List?patient.identifier=${token}&status=current&code=submissionset`,
      { consent: declared.careTeam },
    )
    assert.equal(lists.status, 200, lists.outcome.text)
    await gateway.fhir.history(patient.identity, patient)
  })
  after(() => gateway.close())

  const history = async (): Promise<AuditEvent[]> => {
    const { json } = await gateway.fhir.history(patient.identity, patient)
    return ((json as unknown as Bundle).entry ?? []).map(({ resource }) => resource as AuditEvent)
  }
  const transactionOf = (event: AuditEvent): string =>
    event.subtype?.find(({ system }) => system === 'urn:ihe:event-type-code')?.code ?? ''

  it('conforms to the profile of its transaction, through either door', async () => {
    const events = await history()
    for (const event of events) conforms(event, transactionOf(event))
    assert.deepEqual([...new Set(events.map(transactionOf))].sort(), Object.keys(expected).sort())
  })

  it('names the user by the kind of token, its part, its profession and purpose, and the structure beside it', async () => {
    const found = (await history()).find((event) => transactionOf(event) === 'ITI-67')
    const [user] = typed(found as AuditEvent, 'UserOauthAgent')
    assert.equal(user?.requestor, true)
    assert.ok(user?.type?.coding?.some(({ code }) => code === 'IRCP'))
    assert.match(user?.policy?.[0] ?? '', /^urn:ietf:params:oauth:jti:/)
    assert.equal(user?.role?.[0]?.coding?.[0]?.code, '10')
    assert.equal(user?.purposeOfUse?.[0]?.coding?.[0]?.code, 'normal')
    assert.equal(user?.network, undefined)
    const soap = (await history()).find((event) => transactionOf(event) === 'ITI-41')
    const [author] = typed(soap as AuditEvent, 'UserSamlAgent')
    assert.ok(author?.type?.coding?.some(({ code }) => code === 'AUT'))
    const [place] = typed(soap as AuditEvent, 'PROV')
    assert.equal(place?.requestor, false)
    assert.equal(place?.who?.display, 'CH EXEMPLE')
  })

  it('keeps from the reader what was searched for, which auditors get', async () => {
    const told = (await history()).filter((event) => ['ITI-67', 'ITI-18'].includes(transactionOf(event)))
    for (const event of told) {
      const query = event.entity?.find(({ role }) => role?.code === '24')
      const text = Buffer.from(query?.query ?? '', 'base64').toString()
      assert.doesNotMatch(text, /status|AdhocQuery/)
      assert.equal(query?.description, 'Critères de la recherche non communiqués')
    }
    const raw = (await gateway.records(patient)).filter(({ operation }) => operation === 'TD3.1a')
    const queries = raw.map((record) => {
      const event = toAuditEvent(record, { repositoryUniqueId: '1.2.3' })
      return Buffer.from(event.entity?.find(({ role }) => role?.code === '24')?.query ?? '', 'base64').toString()
    })
    assert.ok(queries.some((query) => /^DocumentReference\?patient\.identifier=.*status=current/.test(query)))
    assert.ok(queries.some((query) => /<AdhocQuery .*\$XDSDocumentEntryStatus/.test(query)))
  })

  it('claims no profile where it was refused, or where nothing is known of the connection', async () => {
    const [record] = await gateway.records(patient)
    assert.ok(record)
    const { origin: _origin, ...local } = record
    for (const each of [{ ...record, outcome: 'refused' }, local] as AccessRecord[]) {
      const event = toAuditEvent(each, { repositoryUniqueId: '1.2.3' })
      assert.equal(event.meta, undefined)
      assert.deepEqual(checkStructure(event), [])
    }
  })

  it('has the form of the published examples of MHD', async function () {
    const folder = path.resolve('..', 'shared', 'samples', 'fhir')
    if (!existsSync(folder)) return this.skip()
    const events = await history()
    const files = readdirSync(folder).filter((file) => file.startsWith('AuditEvent-'))
    assert.ok(files.length > 0)
    for (const file of files) {
      const sample = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as AuditEvent
      const own = events.find((event) => transactionOf(event) === transactionOf(sample))
      assert.ok(own, file)
      assert.equal(own.type.code, sample.type.code)
      if (sample.action !== undefined) assert.equal(own.action, sample.action)
      const codes = (event: AuditEvent) => new Set((event.subtype ?? []).map(({ code }) => code))
      for (const each of codes(sample)) assert.ok(codes(own).has(each), `${file}: ${each}`)
      const ends = (event: AuditEvent) =>
        new Set(event.agent.flatMap(({ type }) => (type?.coding ?? []).map(({ code }) => code)))
      for (const each of ends(sample)) assert.ok(ends(own).has(each), `${file}: ${each}`)
      const roles = (event: AuditEvent) => new Set((event.entity ?? []).map(({ role }) => role?.code))
      for (const each of roles(sample)) assert.ok(roles(own).has(each), `${file}: ${each}`)
    }
  })
})
