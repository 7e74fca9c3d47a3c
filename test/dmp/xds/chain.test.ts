import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { UniqueId } from '../../../src/metadata/identifiers.ts'
import type { Submission } from '../../../src/metadata/model.ts'
import { canonicalizeDocument } from '../../../src/xml/c14n-inclusive.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { attribute, type XmlElement } from '../../../src/xml/tree.ts'
import { codes } from '../../mothers/metadata.ts'
import { documentOfCda } from '../../support/cda.ts'
import {
  aDocument,
  aPatient,
  declared,
  newOid,
  people,
  submissionOf,
  type TestDocument,
} from '../../support/gateway.ts'
import { gathering } from '../../support/gathering.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'
import { storedAtFarEnd, unchangedRules } from '../remote-chain.ts'

const aPdf = Buffer.concat([Buffer.from('%PDF-1.4\n'), Buffer.alloc(400_000, 0x41), Buffer.from('\n%%EOF\n')])

describe('the gateway before the national DMP', () => {
  let gateway: NationalGateway
  const gathered = gathering()
  before(async () => {
    gateway = await openNationalGateway({}, { pace: gathered.pace })
  })
  after(() => gateway.close())

  const feed = async (document: TestDocument, who: object = people.structure) => {
    const submission: Submission = submissionOf([document])
    const { outcome } = await gateway.xds.provide(who, submission, [document], { consent: declared.informed })
    return outcome
  }
  unchangedRules(() => gateway)

  it('finds by the id it gave at feeding, after the DMP gave the document another', async () => {
    const patient = await gateway.patient()
    const { stored, ...fed } = await gateway.fhirDoor.feed(people.structure, aDocument(patient), {
      consent: declared.informed,
    })
    assert.ok(fed.ok && stored)
    const { bytes } = await gateway.fhirDoor.retrieve(people.author, stored, { consent: declared.careTeam })
    assert.ok(bytes)
    const { entry } = await storedAtFarEnd(gateway, aDocument(patient, { uniqueId: stored.uniqueId }))
    assert.notEqual(entry.entryUuid, stored.entryUuid)
  })

  it('presents to each call the professional who makes it, however many at once', async () => {
    const patients = await Promise.all(Array.from({ length: 4 }, () => gateway.patient()))
    const seen = await gateway.asked(() =>
      Promise.all(
        patients.flatMap((patient) =>
          [people.author, people.colleague].map((who) =>
            gateway.xds.find(who, patient, { consent: declared.careTeam }),
          ),
        ),
      ),
    )
    for (const patient of patients)
      for (const { id } of [people.author, people.colleague]) {
        const own = seen.filter((line) => line === `INDIRECTE_RENFORCEE ${id} ${patient.key}`)
        assert.equal(own.length, 3, `${id} asked TD0.2, TD0.3 and TD3.1 about ${patient.key}`)
      }
    assert.deepEqual(seen.filter((line) => !line.includes(' ')).sort(), [
      ...Array(8).fill('habilitations'),
      ...Array(8).fill('patients'),
      ...Array(8).fill('registry'),
    ])
  })

  it('keeps two professionals apart whose calls all wait for each other at the DMP', async () => {
    const patients = await Promise.all([gateway.patient(), gateway.patient()])
    const documents = patients.map((patient) => aDocument(patient))
    for (const document of documents) assert.ok((await feed(document)).ok)
    const everyone = [people.author, people.colleague].flatMap((who) =>
      patients.map((patient, index) => ({ who: { ...who, ins: patient.ins }, patient, document: documents[index] })),
    )
    const before = gateway.farEnd.calls.length
    await gathered.hold(everyone.length, () =>
      Promise.all(
        everyone.map(async ({ who, patient, document }) => {
          const consent = declared.careTeam
          const [entry] = (await gateway.xdsDoor.find(who, patient, { consent })).entries
          assert.equal(entry?.uniqueId, document?.entry.uniqueId)
          assert.ok(entry)
          assert.deepEqual((await gateway.xdsDoor.retrieve(who, entry, { consent })).bytes, document?.bytes)
        }),
      ),
    )
    const calls = gateway.farEnd.calls.slice(before)
    for (const { who, patient } of everyone)
      assert.deepEqual(
        calls.filter(({ person, patient: about }) => person === who.id && about === patient.key).map(({ td }) => td),
        ['TD0.2', 'TD0.3', 'TD3.1a', 'TD0.2', 'TD3.1b', 'TD3.2'],
      )
    assert.equal(calls.length, 6 * everyone.length, 'nobody else was presented')
  })

  it('feeds under the certificate of the structure, without asking what feeding does not need', async () => {
    const patient = await gateway.patient()
    const seen = await gateway.asked(() => feed(aDocument(patient), people.author))
    assert.deepEqual(
      seen.filter((line) => !line.includes(' ')),
      ['patients', 'repository'],
    )
    assert.ok(seen.includes(`INDIRECTE ${people.author.id} ${patient.key}`))
    const again = await gateway.asked(() => feed(aDocument(patient), people.author))
    assert.deepEqual(
      again.filter((line) => !line.includes(' ')),
      ['repository'],
      'TD0.2 serves again for a while',
    )
  })

  it('authorises at the DMP only after a declared consent, and only once', async () => {
    const patient = await gateway.patient()
    const refused = await gateway.asked(() => gateway.xds.find(people.author, patient))
    assert.ok(!refused.includes('habilitations') && !refused.includes('registry'))
    const first = await gateway.asked(() => gateway.xds.find(people.author, patient, { consent: declared.careTeam }))
    assert.deepEqual(
      first.filter((line) => !line.includes(' ')),
      ['habilitations', 'registry'],
    )
    const second = await gateway.asked(() => gateway.xds.find(people.author, patient, { consent: declared.careTeam }))
    assert.deepEqual(
      second.filter((line) => !line.includes(' ')),
      ['patients', 'registry'],
    )
  })

  it('costs the calls that each request cannot do without, once TD0.2 is known', async () => {
    const patient = await gateway.patient()
    const who = { ...people.author, ins: patient.ins }
    const consent = declared.careTeam
    const document = aDocument(patient)
    const cost = async (act: () => Promise<unknown>) => {
      const before = gateway.farEnd.calls.length
      await act()
      return gateway.farEnd.calls.slice(before).map(({ td }) => td)
    }
    assert.deepEqual(await cost(() => feed(document)), ['TD0.2', 'TD2.1'])
    const find = () => gateway.xdsDoor.find(who, patient, { consent })
    assert.deepEqual(await cost(find), ['TD0.2', 'TD0.3', 'TD3.1a'])
    assert.deepEqual(await cost(find), ['TD0.2', 'TD3.1a'], 'TD0.3 has changed what TD0.2 says')
    assert.deepEqual(await cost(find), ['TD3.1a'])
    const [entry] = (await gateway.fhirDoor.find(who, patient, { consent })).entries
    assert.ok(entry)
    for (const door of ['xdsDoor', 'fhirDoor'] as const) {
      const read = () => gateway[door].retrieve(who, entry, { consent })
      assert.deepEqual(await cost(read), ['TD3.1b', 'TD3.2'], `${door}: as the document stands now, then its bytes`)
    }
    const target = `/DocumentReference/${entry.logicalId.slice('urn:uuid:'.length)}`
    const deletion = {
      consent,
      headers: { 'Content-Type': 'application/json-patch+json' },
      body: JSON.stringify([{ op: 'replace', path: '/status', value: 'entered-in-error' }]),
    }
    const change = await cost(() => gateway.fhir.call(who, 'PATCH', target, deletion))
    assert.deepEqual(
      change,
      ['TD3.1b', 'TD3.1a', 'TD3.3c'],
      'what the resource is, what the guard must know, the change',
    )
  })

  it('never authorises in an emergency, and asks whether the patient allows it', async () => {
    const patient = await gateway.patient()
    const who = { ...people.author, purpose: 'bris_de_glace', reason: 'inconscient' } as const
    const seen = await gateway.asked(() => gateway.xds.find(who, patient))
    assert.deepEqual(
      seen.filter((line) => !line.includes(' ')),
      ['patients', 'patients', 'registry'],
    )
  })

  it('tells a patient without a DMP from one with', async () => {
    const { outcome } = await gateway.xds.find(people.author, aPatient(), { consent: declared.careTeam })
    assert.deepEqual(outcome.ok, false)
    assert.match(JSON.stringify(outcome), /dmp-unknown|XDSUnknownPatientId/)
  })

  it('lets nobody of another structure use the certificates', async () => {
    const patient = await gateway.patient()
    const seen = await gateway.asked(async () => {
      const { outcome } = await gateway.xds.find(people.stranger, patient, { consent: declared.careTeam })
      assert.match(JSON.stringify(outcome), /not-permitted-for-role/)
    })
    assert.deepEqual(seen, [])
  })

  it('wraps a PDF in a CDA whose bytes come back, and says so', async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient, { mimeType: 'application/pdf', formatCode: codes.pdfFormat }, aPdf)
    const outcome = await feed(document)
    assert.ok(outcome.ok, JSON.stringify(outcome))
    const { entry, dmp } = await storedAtFarEnd(gateway, document)
    assert.deepEqual([entry.mimeType, entry.formatCode?.code], ['text/xml', 'urn:ihe:iti:xds-sd:pdf:2008'])
    const content = await dmp.content(entry.entryUuid)
    assert.ok(content)
    const cda = await bytesOf(content.stream())
    const text = find(parseXml(cda), 'text')
    assert.deepEqual(Buffer.from(text?.text ?? '', 'base64'), aPdf)
    assert.deepEqual(canonicalizeDocument(cda), cda, 'it is sent as it was signed')
  })

  it('refuses what no CDA can hold before anything is sent, naming each attribute', async () => {
    const patient = await gateway.patient()
    const document = aDocument(
      patient,
      { mimeType: 'application/pdf', formatCode: codes.pdfFormat, sourcePatientInfo: [] },
      aPdf,
    )
    const seen = await gateway.asked(async () => {
      const outcome = await feed(document)
      assert.match(JSON.stringify(outcome), /CDA1: .*PID-5/)
    })
    assert.ok(!seen.includes('repository'))
  })

  it('signs the lot: the signature stands at the DMP, and xmlsec1 verifies it', async function () {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    assert.ok((await feed(document)).ok)
    const { dmp } = gateway.farEnd.embedded
    const criteria = { typeCodes: [{ code: 'E1762' }] }
    const found = await dmp.find({ kind: 'FindDocuments', patient: patient.key, statuses: ['Approved'], criteria })
    const [facts] = found.documents
    assert.deepEqual(facts?.confidentiality, ['N', 'MASQUE_PS', 'INVISIBLE_PATIENT'])
    const { associations } = await dmp.find({ kind: 'GetAssociations', ids: [facts.entryUuid] })
    assert.deepEqual(associations.map(({ type }) => type).sort(), ['HasMember', 'signs'])
    const content = await dmp.content(facts.entryUuid)
    assert.ok(content)
    const signature = await bytesOf(content.stream())
    const reference = find(parseXml(signature), 'Manifest')?.children.find(
      (each) => attribute(each, 'URI') === `urn:oid:${document.entry.uniqueId}`,
    )
    const digest = createHash('sha1').update(canonicalizeDocument(document.bytes)).digest('base64')
    assert.equal(find(reference, 'DigestValue')?.text, digest)
    if (!hasXmlsec()) return this.skip()
    const folder = mkdtempSync(path.join(tmpdir(), 'xmlsec-'))
    try {
      const verify = (bytes: Buffer) => {
        const file = path.join(folder, 'signature.xml')
        writeFileSync(file, bytes)
        const trusted = gateway.farEnd.keys.signature.certificate
        const ids = ['--id-attr:Id', 'http://www.w3.org/2000/09/xmldsig#:Manifest']
        const properties = ['--id-attr:Id', 'http://uri.etsi.org/01903/v1.1.1#:SignedProperties']
        const key = ['--ignore-manifests', '--pubkey-cert-pem', trusted]
        execFileSync('xmlsec1', ['--verify', ...ids, ...properties, ...key, file], { stdio: 'pipe' })
      }
      verify(signature)
      const forged = Buffer.from(signature.toString().replace(digest, 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='))
      assert.throws(() => verify(forged))
      const certificate = new X509Certificate(readFileSync(gateway.farEnd.keys.signature.certificate))
      assert.ok(signature.includes(certificate.raw.toString('base64')))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('masks by a new version, archives and deletes by status, under the name of the professional', async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    assert.ok((await feed(document, people.author)).ok)
    const [stored] = (await gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })).entries
    assert.ok(stored)
    const target = `/DocumentReference/${stored.logicalId.slice('urn:uuid:'.length)}`
    const patch = (operations: unknown) =>
      gateway.fhir.call({ ...people.author, ins: patient.ins }, 'PATCH', target, {
        consent: declared.careTeam,
        headers: { 'Content-Type': 'application/json-patch+json' },
        body: JSON.stringify(operations),
      })
    const label = { system: masking, code: 'MASQUE_PS' }
    const masked = await patch([{ op: 'add', path: '/securityLabel/0', value: { coding: [label] } }])
    assert.equal(masked.status, 200, JSON.stringify(masked.json))
    const { entry } = await storedAtFarEnd(gateway, document)
    assert.deepEqual([entry.version, entry.confidentialityCodes.map(({ code }) => code)], [2, ['N', 'MASQUE_PS']])
    const deleted = await patch([{ op: 'replace', path: '/status', value: 'entered-in-error' }])
    assert.equal(deleted.status, 200, JSON.stringify(deleted.json))
    assert.equal((await storedAtFarEnd(gateway, document)).entry.availabilityStatus, 'Deleted')
  })

  it('passes on what the DMP refuses, and keeps the failure on record', async () => {
    const patient = await gateway.patient()
    const document = aDocument(patient)
    assert.ok((await feed(document)).ok)
    const again = await feed(document)
    assert.match(JSON.stringify(again), /XDSDuplicateUniqueIdInRegistry/)
    const [last] = await gateway.records(patient)
    assert.deepEqual(
      [last?.operation, last?.outcome, last?.reasonCode],
      ['TD2.1', 'failed', 'XDSDuplicateUniqueIdInRegistry'],
    )
  })

  const samples = path.resolve('..', 'shared', 'samples', 'cda')
  const names = existsSync(samples) ? readdirSync(samples) : []
  if (names.length === 0)
    it(`feeds the published samples of CDA: there are none in ${samples}`, function () {
      this.skip()
    })
  const opened = new Set<string>()
  for (const name of names)
    it(`feeds ${name} of the published samples, says what its header says otherwise, and gives it back unchanged`, async () => {
      const bytes = readFileSync(path.join(samples, name))
      const { patient } = documentOfCda(bytes)
      if (!opened.has(patient.key)) await gateway.farEnd.open(patient.key, { given: [] })
      opened.add(patient.key)
      // An auto-presentable document is a stylesheet around its CDA: it has no id of its own
      const root = parseXml(bytes, { processingInstructions: 'ignore', limits: { maxText: bytes.length } })
      const id = root.local === 'ClinicalDocument' && root.children.find(({ local }) => local === 'id')
      const uniqueId = id ? (attribute(id, 'root') as UniqueId) : newOid()
      const document = aDocument(patient, { uniqueId, title: 'Autre titre que celui du document' }, bytes)
      const outcome = await feed(document)
      assert.ok(outcome.ok, JSON.stringify(outcome))
      if (id) assert.match(JSON.stringify(outcome), /title/)
      const { entry, dmp } = await storedAtFarEnd(gateway, document)
      const content = await dmp.content(entry.entryUuid)
      assert.deepEqual(content && (await bytesOf(content.stream())), document.bytes)
      const read = await gateway.xdsDoor.retrieve(
        { ...people.author, ins: patient.ins, insSystem: patient.authority },
        entry,
        {
          consent: declared.careTeam,
        },
      )
      assert.deepEqual(read.bytes, document.bytes)
    })

  it('counts what each request has cost at the DMP', async () => {
    const text = await (await fetch(`${gateway.url}/metrics`)).text()
    assert.match(text, /dmp_gateway_upstream_calls_per_request_count\{transaction="ITI-41"\} [1-9]/)
    assert.match(text, /dmp_gateway_upstream_call_seconds_count\{transaction="TD2.1",outcome="ok"\} [1-9]/)
    assert.match(text, /dmp_gateway_national_certificate_expiry_seconds\{certificate="signature"\} 1[0-9]{9}/)
  })
})

const masking = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'

function hasXmlsec(): boolean {
  try {
    execFileSync('xmlsec1', ['--version'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
}

async function bytesOf(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function find(element: XmlElement | undefined, local: string): XmlElement | undefined {
  if (element === undefined || element.local === local) return element
  for (const child of element.children) {
    const found = find(child, local)
    if (found) return found
  }
  return undefined
}
