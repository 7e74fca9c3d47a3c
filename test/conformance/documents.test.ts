/**
 * Every document goes in through one door and comes out through the other, byte for byte, with the metadata its sender
 * gave; what both doors then say of it is the same DocumentEntry.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { documentOfCda } from '../support/cda.ts'
import { fhirDoor } from '../support/door.ts'
import {
  type Door,
  declared,
  newOid,
  openGateway,
  people,
  type TestDocument,
  type TestGateway,
} from '../support/gateway.ts'
import { at } from '../support/json.ts'

const root = path.resolve(import.meta.dirname, '../..')
const folders = [path.join(root, 'ihe-samples/documents'), path.resolve(root, '../shared/samples/cda')]

interface Feed {
  readonly name: string
  readonly door: (gateway: TestGateway) => Door
  /** The door it comes back through. */
  readonly other: (gateway: TestGateway) => Door
}

const feeds: readonly Feed[] = [
  { name: 'ITI-41 and ITI-68', door: ({ xdsDoor }) => xdsDoor, other: ({ fhirDoor }) => fhirDoor },
  { name: 'ITI-65 and ITI-43', door: ({ fhir }) => fhirDoor(fhir, 'ITI-65'), other: ({ xdsDoor }) => xdsDoor },
  { name: 'ITI-105 and ITI-43', door: ({ fhirDoor }) => fhirDoor, other: ({ xdsDoor }) => xdsDoor },
]

/** Of the entry that was sent, what the gateway says itself, and what a door must not add or drop. */
function comparable(entry: DocumentEntry): Omit<DocumentEntry, 'entryUuid' | 'logicalId'> {
  const { entryUuid: _, logicalId: __, ...rest } = entry
  return { ...rest, repositoryUniqueId: '1.2.250.1.213.4.1.1.1.2' as DocumentEntry['repositoryUniqueId'] & string }
}

for (const folder of folders) {
  describe(`documents of ${path.relative(root, folder)}`, () => {
    let gateway: TestGateway
    before(async () => {
      gateway = await openGateway()
    })
    after(() => gateway.close())

    if (!existsSync(folder)) {
      it('are not here: skipped', function () {
        console.log(`    ${folder} is missing: its documents are not tested`)
        this.skip()
      })
      return
    }

    for (const file of readdirSync(folder).sort()) {
      for (const { name, door, other } of feeds) {
        it(`${file} comes back byte for byte through ${name}`, async () => {
          const { patient, document: read } = documentOfCda(readFileSync(path.join(folder, file)))
          const document: TestDocument = { ...read, entry: { ...read.entry, uniqueId: newOid() } }
          await gateway.fhir.open(people.structure, patient)

          const fed = await door(gateway).feed(people.structure, document, { consent: declared.informed })
          assert.ok(fed.stored, fed.text)

          const retrieved = await other(gateway).retrieve(patient.identity, fed.stored)
          assert.ok(retrieved.bytes?.equals(document.bytes), `other bytes came back: ${retrieved.outcome.text}`)
          assert.match(retrieved.mimeType ?? '', /^text\/xml/)

          const [byXds, byFhir] = await Promise.all([entryBy(gateway.xdsDoor), entryBy(gateway.fhirDoor)])
          assert.deepEqual(byFhir, byXds)
          assert.deepEqual(comparable(byXds), comparable(document.entry))
          await sayTheHash(document)

          async function entryBy({ find }: Door): Promise<DocumentEntry> {
            const { entries, outcome } = await find(patient.identity, patient)
            const entry = entries.find(({ uniqueId }) => uniqueId === document.entry.uniqueId)
            assert.ok(entry, `not found: ${outcome.text}`)
            return entry
          }

          /** Hex in XDS, base64 of the 20 bytes in FHIR, the size in both; as text, before any mapping of ours. */
          async function sayTheHash({ bytes, entry: { uniqueId } }: TestDocument): Promise<void> {
            const digest = createHash('sha1').update(bytes).digest()
            const xds = await gateway.xds.find(patient.identity, patient)
            const [object = ''] = xds.raw
              .split('</rim:ExtrinsicObject>')
              .filter((each) => each.includes(`"${uniqueId}"`))
            assert.match(object, new RegExp(`name="hash"><rim:ValueList><rim:Value>${digest.toString('hex')}<`))
            assert.match(object, new RegExp(`name="size"><rim:ValueList><rim:Value>${bytes.length}<`))
            const id = fed.stored?.logicalId.slice('urn:uuid:'.length)
            const { json } = await gateway.fhir.call(patient.identity, 'GET', `/DocumentReference/${id}`)
            assert.equal(at(json, 'content', 0, 'attachment', 'hash'), digest.toString('base64'))
            assert.equal(at(json, 'content', 0, 'attachment', 'size'), bytes.length)
          }
        })
      }
    }
  })
}
