/** A copy of everything the patient may see, as one ZIP. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Bundle, Resource } from '@medplum/fhirtypes'
import { codes } from '../../mothers/metadata.ts'
import { choose, operate, provisions } from '../../support/consent.ts'
import { aDocument, aPatient, declared, type IdentityOptions, people, type TestPatient } from '../../support/gateway.ts'
import { unzip } from '../../support/zip.ts'
import { feed, found, withGateway } from './suite.ts'

const { author, colleague, structure, system } = people

withGateway('a copy of the record', (suite) => {
  const copyOf = async (patient: TestPatient, who: IdentityOptions = patient.identity) => {
    const reply = await operate(suite.gateway.fhir, who, 'copy', patient)
    assert.equal(reply.status, 200, reply.outcome.text)
    assert.equal(reply.headers.get('content-type'), 'application/zip')
    assert.match(reply.headers.get('content-disposition') ?? '', /^attachment; filename="dmp-copie-/)
    const files = await unzip(reply.bytes)
    const text = (name: string) => files.get(name)?.toString() ?? ''
    const bundle = (name: string): readonly Resource[] =>
      (JSON.parse(text(name)) as Bundle).entry?.flatMap(({ resource }) => resource ?? []) ?? []
    return { files, text, bundle }
  }

  it('has every document byte for byte, its metadata, the choices and the history', async () => {
    const { gateway } = suite
    const patient = await gateway.patient({ name: [{ family: 'PATIENTE', given: ['Zoé'] }] })
    const first = await feed(gateway.fhirDoor, patient, { title: 'Bilan / du 12 mai' })
    const second = await feed(gateway.xdsDoor, patient, { title: 'Bilan / du 12 mai' })
    await found(gateway.fhirDoor, colleague, patient)
    const { files, text, bundle } = await copyOf(patient)
    const documents = [...files.keys()].filter((name) => name.startsWith('documents/'))
    assert.deepEqual(documents, ['documents/1 Bilan du 12 mai.xml', 'documents/2 Bilan du 12 mai.xml'])
    const metadata = bundle('metadonnees.json')
    const described = metadata.filter((resource) => resource.resourceType === 'DocumentReference')
    assert.equal(described.length, 2)
    for (const { bytes, stored } of [first, second]) {
      const resource = described.find(({ id }) => stored.logicalId === `urn:uuid:${id}`)
      const url = resource?.content[0]?.attachment.url ?? ''
      assert.ok(files.get(url)?.equals(bytes), url)
    }
    assert.equal(metadata.filter(({ resourceType }) => resourceType === 'Patient').length, 1)
    assert.ok(metadata.some((resource) => resource.resourceType === 'Consent'))
    assert.ok(bundle('historique.json').length >= 4)
    assert.match(text('historique.txt'), /Ajout de document – autorisé – contexte : Normal/)
    assert.match(text('historique.txt'), /BENALI Karim.*Recherche de documents/)
    assert.ok(!text('historique.txt').includes(patient.ins))
    assert.match(text('notifications.txt'), /^\d\d\/\d\d\/\d{4} .* a ajouté un document à votre dossier médical/m)
    assert.match(text('LISEZMOI.txt'), /2 documents/)
    const [record] = await gateway.records(patient)
    assert.deepEqual([record?.operation, record?.documents.length, record?.rule], ['copy', 2, 'PA1'])
  })

  it('has masked documents, and not what is hidden from the patient: neither document, nor metadata, nor history', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const masked = await feed(gateway.fhirDoor, patient, {
      confidentialityCodes: [codes.normal, codes.maskedToProfessionals],
    })
    const hidden = await feed(gateway.fhirDoor, patient, {
      confidentialityCodes: [codes.normal, codes.hiddenFromPatient],
    })
    const { files } = await copyOf(patient)
    const all = Buffer.concat([...files.values()]).toString()
    assert.ok(all.includes(masked.stored.uniqueId))
    assert.ok(!all.includes(hidden.stored.uniqueId))
    assert.ok(![...files.values()].some((content) => content.equals(hidden.bytes)))
  })

  it('is given after closure, and not of a record that does not exist', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await feed(gateway.fhirDoor, patient)
    await operate(gateway.fhir, patient.identity, 'close', patient)
    assert.equal([...(await copyOf(patient)).files.keys()].filter((name) => name.startsWith('documents/')).length, 1)
    const nobody = aPatient()
    const reply = await operate(gateway.fhir, nobody.identity, 'copy', nobody)
    assert.deepEqual([reply.status, reply.outcome.code], [404, 'dmp-unknown'])
  })

  it('is given to the treating physician at the patient’s request, as far as a physician reads', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await feed(gateway.fhirDoor, patient)
    await operate(gateway.fhir, patient.identity, 'designate-administrator', patient, [
      { name: 'person', valueString: author.id },
    ])
    assert.equal([...(await copyOf(patient, author)).files.keys()].length, 6)
    const [record] = await gateway.records(patient)
    assert.deepEqual([record?.operation, record?.rule], ['copy', 'MT1'])
    await choose(gateway.fhir, patient.identity, patient, provisions.consultation('deny'))
    assert.equal((await operate(gateway.fhir, author, 'copy', patient)).outcome.code, 'consultation-opposed')
  })

  it('is for nobody else', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    for (const who of [colleague, structure, system])
      assert.equal((await operate(gateway.fhir, who, 'copy', patient)).status, 403)
  })

  it('carries a document that is not held in memory', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const bytes = randomBytes(3 * 1024 * 1024)
    const document = aDocument(patient, { mimeType: 'application/pdf' }, bytes)
    const outcome = await gateway.fhirDoor.feed(structure, document, { consent: declared.informed })
    assert.ok(outcome.ok, outcome.text)
    const { files } = await copyOf(patient)
    const [pdf] = [...files.keys()].filter((each) => each.endsWith('.pdf'))
    assert.ok(files.get(pdf ?? '')?.equals(bytes))
  })

  it('is cut where a document cannot be read, and never ends as if it were whole', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const document = aDocument(patient, { mimeType: 'application/pdf' }, randomBytes(1024 * 1024))
    await gateway.fhirDoor.feed(structure, document, { consent: declared.informed })
    const folder = path.join(gateway.data, 'content')
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true }))
      if (file.isFile()) await rm(path.join(file.parentPath, file.name))
    await assert.rejects(operate(gateway.fhir, patient.identity, 'copy', patient))
    const next = await gateway.patient()
    assert.equal((await copyOf(next)).files.size, 5)
  })

  it('is asked for with GET too, whatever form is accepted', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const target = `/Patient/$copy?identifier=urn:oid:${patient.authority}%7C${patient.ins}`
    const reply = await gateway.fhir.call(patient.identity, 'GET', target, { headers: { Accept: 'application/zip' } })
    assert.equal(reply.status, 200)
    assert.ok((await unzip(reply.bytes)).has('metadonnees.json'))
  })
})
