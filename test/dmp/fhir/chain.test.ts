import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { formatCx, formatXcn, formatXon } from '../../../src/metadata/hl7.ts'
import { newEntryUuid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import { readObjects } from '../../../src/xds/ebrim/reader.ts'
import { ns } from '../../../src/xds/namespaces.ts'
import { child } from '../../../src/xml/tree.ts'
import { codes } from '../../mothers/metadata.ts'
import {
  aDocument,
  aPatient,
  declared,
  people,
  submissionOf,
  type TestDocument,
  type TestPatient,
} from '../../support/gateway.ts'
import { at, type Json } from '../../support/json.ts'
import { openPdsmGateway, type PdsmGateway } from '../../support/pdsm.ts'
import type { Asked, Between } from '../../support/pdsm-proxy.ts'
import { provideBundle } from '../../support/resources.ts'
import { queryBody } from '../../support/xds-client.ts'

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

  /** What the DMP was asked while `act` ran: `POST /fhir/List/_search`, without queries. */
  const asked = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = between.asked.length
    await act()
    return between.asked.slice(before).map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
  }
  const searched = 'POST /fhir/DocumentReference/_search'
  const status = 'GET /fhir/Patient'
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

  const storedAtFarEnd = async (document: Pick<TestDocument, 'entry'>) => {
    const { dmp } = gateway.farEnd.embedded
    const { documents } = await dmp.find({ kind: 'GetDocuments', by: 'uniqueId', ids: [document.entry.uniqueId] })
    for await (const entry of dmp.read(documents.map(({ entryUuid }) => entryUuid))) return { entry, dmp }
    return assert.fail('the document is not at the far end')
  }

  for (const door of ['xdsDoor', 'fhirDoor'] as const)
    it(`feeds, finds and gives back a document unchanged, by ${door}`, async () => {
      const patient = await gateway.patient()
      const document = aDocument(patient)
      const fed = await gateway[door].feed(people.structure, document, { consent: declared.informed })
      assert.ok(fed.ok, JSON.stringify(fed))
      const found = await gateway[door].find(people.author, patient, { consent: declared.careTeam })
      const [entry] = found.entries
      assert.ok(entry, JSON.stringify(found.outcome))
      assert.equal(entry.uniqueId, document.entry.uniqueId)
      assert.deepEqual(entry.legalAuthenticator, document.entry.legalAuthenticator)
      const read = await gateway[door].retrieve({ ...people.author, ins: patient.ins }, entry, {
        consent: declared.careTeam,
      })
      assert.deepEqual(read.bytes, document.bytes)
    })

  it('carries the French forms to the DMP as they came', async () => {
    const document = aDocument(await gateway.patient())
    assert.ok((await gateway.xdsDoor.feed(people.structure, document, { consent: declared.informed })).ok)
    const { entry } = await storedAtFarEnd(document)
    const [author, sent] = [entry.authors[0], document.entry.authors[0]]
    assert.ok(author?.person && sent?.person && author.institutions[0] && sent.institutions[0])
    assert.equal(formatXcn(author.person), formatXcn(sent.person))
    assert.equal(formatXon(author.institutions[0]), formatXon(sent.institutions[0]))
    assert.deepEqual(author.specialties, sent.specialties)
    assert.equal(formatCx(entry.patientId), formatCx(document.entry.patientId))
    assert.match(formatCx(entry.patientId), /\^NH$/)
  })

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
    const { entry } = await storedAtFarEnd(document)
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
    const { entry } = await storedAtFarEnd(document)
    assert.deepEqual([entry.version, entry.confidentialityCodes.map(({ code }) => code)], [2, ['N', 'MASQUE_PS']])
    const archive = { url: isArchived, valueBoolean: true }
    const archived = await patch(people.author, patient, stored.logicalId, [
      { op: 'add', path: '/extension', value: [archive] },
    ])
    assert.equal(archived.status, 200, JSON.stringify(archived.json))
    assert.equal((await storedAtFarEnd(document)).entry.availabilityStatus, 'Archived')
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
    assert.equal((await storedAtFarEnd(document)).entry.availabilityStatus, 'Deleted')
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
    assert.equal((await storedAtFarEnd(document)).entry.availabilityStatus, 'Approved')
  })

  it('presents to each call the professional who makes it, however many at once', async () => {
    const patients = await Promise.all(Array.from({ length: 4 }, () => gateway.patient()))
    const before = between.asked.length
    await Promise.all(
      patients.flatMap((patient) =>
        [people.author, people.colleague].map((who) =>
          gateway.fhirDoor.find(who, patient, { consent: declared.careTeam }),
        ),
      ),
    )
    const seen = between.asked.slice(before)
    for (const { ins } of patients)
      for (const { id } of [people.author, people.colleague]) {
        const own = seen.filter((each) => personOf(each) === id && patientOf(each) === ins)
        assert.deepEqual(own.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`).sort(), [
          status,
          'POST /fhir/Consent',
          searched,
        ])
      }
    assert.equal(seen.length, 24)
    const tokens = seen.map(({ headers }) => headers.authorization)
    assert.equal(new Set(tokens).size, tokens.length, 'no token is used twice')
  })

  it('says in the token who asks, how, why and about whom, for a moment and with our certificate only', async () => {
    const patient = await gateway.patient()
    const who = { ...people.author, purpose: 'bris_de_glace', reason: 'patient inconscient, détresse' } as const
    await asked(() => gateway.xds.find(who, patient))
    const last = between.asked.findLast(({ path }) => path.includes('DocumentReference'))
    assert.ok(last)
    const { iss, aud, sub, exp = 0, iat = 0, cnf, extensions } = last.claims
    assert.deepEqual([iss, aud, sub], ['urn:dmp-gateway:front', 'urn:dmp-gateway:pdsm', people.author.id])
    assert.equal(exp - iat, 60)
    assert.match(String((cnf as { 'x5t#S256'?: string })['x5t#S256']), /^[\w-]{43}$/)
    const { ihe_iua: iua, ihe_bppc: bppc, dmp } = extensions as { [name: string]: { [name: string]: Json } }
    assert.equal(at(iua?.purpose_of_use, 0, 'code'), 'bris_de_glace')
    assert.deepEqual(dmp, {
      kind: 'professional',
      authentication: 'air',
      sector: 'SA01',
      reason: 'patient inconscient, détresse',
    })
    assert.match(String(bppc?.patient_id), new RegExp(`^${patient.ins}\\^`))
  })

  it('sends along what was declared, accents included', async () => {
    const patient = await gateway.patient()
    const consent = { ...declared.careTeam, episode: 'séjour-12' }
    await asked(() => gateway.xds.find(people.author, patient, { consent }))
    const last = between.asked.findLast(({ path }) => path.includes('DocumentReference'))
    assert.equal(last?.headers['dmp-consent'], 'basis=care-team, informed, episode=%"s%c3%a9jour-12"')
  })

  it('costs a consultation no more calls than it needs', async () => {
    const patient = await gateway.patient()
    await feed(aDocument(patient))
    const find = () => gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })
    assert.deepEqual(await asked(find), [status, 'POST /fhir/Consent', searched])
    assert.deepEqual(await asked(find), [status, searched], 'TD0.3 has changed what TD0.2 says')
    assert.deepEqual(await asked(find), [searched], 'TD0.2 serves again for a while')
    const [entry] = (await find()).entries
    assert.ok(entry)
    const read = () => gateway.fhirDoor.retrieve(people.author, entry, { consent: declared.careTeam })
    assert.deepEqual(
      (await asked(read)).map((each) => each.replace(/Binary.*/, 'Binary')),
      [searched, 'GET /fhir/Binary'],
    )
    assert.deepEqual(await asked(() => feed(aDocument(patient), people.author)), ['POST /fhir'])
  })

  it('authorises nobody without a declared consent, and asks nothing of documents then', async () => {
    const patient = await gateway.patient()
    const seen = await asked(async () => {
      const { outcome } = await gateway.xds.find(people.author, patient)
      assert.equal(outcome.code, 'consent-missing')
    })
    assert.deepEqual(seen, [status])
  })

  it('asks in an emergency whether the patient allows it, and authorises nobody', async () => {
    const patient = await gateway.patient()
    await feed(aDocument(patient))
    const who = { ...people.author, purpose: 'bris_de_glace', reason: 'inconscient' } as const
    const seen = await asked(async () => {
      const { outcome } = await gateway.fhirDoor.find(who, patient)
      assert.ok(outcome.ok, outcome.text)
    })
    assert.deepEqual(seen, [status, 'GET /fhir/Consent', searched])
    const { administration } = gateway.farEnd.embedded
    await administration.setChoice(patient.key, 'breakGlassPermitted', false, gateway.change(patient))
    const again = await asked(async () => {
      const { outcome } = await gateway.fhirDoor.find(who, patient)
      assert.equal(outcome.code, 'emergency-refused-by-patient')
    })
    assert.ok(!again.includes(searched))
  })

  it('lets the guard of each side refuse: who is blocked there is refused here', async () => {
    const patient = await gateway.patient()
    const { administration } = gateway.farEnd.embedded
    await administration.block(patient.key, people.colleague.id, gateway.change(patient))
    for (const door of gateway.doors) {
      const { outcome } = await door.find(people.colleague, patient, { consent: declared.careTeam })
      assert.equal(outcome.code, 'professional-blocked', door.name)
    }
  })

  it('tells a patient without a DMP from one with', async () => {
    const { outcome } = await gateway.xds.find(people.author, aPatient(), { consent: declared.careTeam })
    assert.match(outcome.text, /dmp-unknown|XDSUnknownPatientId/)
  })

  it('lets nobody of another structure use the certificate', async () => {
    const patient = await gateway.patient()
    const seen = await asked(async () => {
      const { outcome } = await gateway.xds.find(people.stranger, patient, { consent: declared.careTeam })
      assert.equal(outcome.code, 'not-permitted-for-role')
    })
    assert.deepEqual(seen, [])
  })

  it('presents no patient: what is known here is what a patient reads here', async () => {
    const patient = await gateway.patient()
    await feed(aDocument(patient), people.author)
    const seen = await asked(async () => {
      const own = await gateway.fhirDoor.find(patient.identity, patient)
      assert.equal(own.total, 0)
      const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
      const history = await gateway.fhir.call(patient.identity, 'GET', `/AuditEvent?patient.identifier=${token}`)
      assert.equal(history.status, 200)
    })
    assert.deepEqual(seen, [])
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

describe('the gateway before a DMP that speaks PDSm and takes one document at a time (ITI-105)', () => {
  let gateway: PdsmGateway
  before(async () => {
    gateway = await openPdsmGateway({ publish: 'ITI-105' })
  })
  after(() => gateway.close())

  it('feeds by Simplified Publish, and gives the bytes back', async () => {
    for (const door of gateway.doors) {
      const patient = await gateway.patient()
      const document = aDocument(patient)
      const fed = await door.feed(people.structure, document, { consent: declared.informed })
      assert.ok(fed.ok, `${door.name} ${JSON.stringify(fed)}`)
      const [entry] = (await door.find(people.author, patient, { consent: declared.careTeam })).entries
      assert.ok(entry)
      const who = { ...people.author, ins: patient.ins }
      const read = await door.retrieve(who, entry, { consent: declared.careTeam })
      assert.deepEqual(read.bytes, document.bytes)
    }
  })

  it('refuses several documents at once before anything is sent', async () => {
    const patient = await gateway.patient()
    const documents = [aDocument(patient), aDocument(patient)]
    const { outcome } = await gateway.xds.provide(people.structure, submissionOf(documents), documents, {
      consent: declared.informed,
    })
    assert.equal(outcome.code, 'not-a-dmp-operation')
    assert.match(outcome.text, /one document at a time/)
  })
})

describe('the readiness of a gateway before a DMP that speaks PDSm', () => {
  it('fails while the DMP is away, and requests say that nothing was sent', async () => {
    const gateway = await openPdsmGateway({ connectSeconds: 1 })
    try {
      const patient = await gateway.patient()
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
      await gateway.farEnd.close()
      const { outcome } = await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })
      assert.deepEqual([outcome.status, outcome.code], [503, 'dmp-unavailable'])
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 503)
    } finally {
      await gateway.close()
    }
  })

  it('fails while the DMP does not declare what is needed', async () => {
    const gateway = await openPdsmGateway({}, {}, true)
    try {
      const { between } = gateway
      assert.ok(between)
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
      between.answer = (_, answered) => ({
        ...answered,
        body: Buffer.from(answered.body.toString().replaceAll('"transaction"', '"batch"')),
      })
      assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 503)
    } finally {
      await gateway.close()
    }
  })
})

interface Extensions {
  readonly ihe_iua?: { readonly person_id?: string }
  readonly ihe_bppc?: { readonly patient_id?: string }
}

function personOf({ claims }: Asked): string | undefined {
  return (claims.extensions as Extensions | undefined)?.ihe_iua?.person_id
}

function patientOf({ claims }: Asked): string | undefined {
  return (claims.extensions as Extensions | undefined)?.ihe_bppc?.patient_id?.split('^')[0]
}

function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}
