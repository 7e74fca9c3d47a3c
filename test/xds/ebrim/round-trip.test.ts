import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Code, DocumentEntry, Folder, RegistryObject, SubmissionSet } from '../../../src/metadata/model.ts'
import { displayOf } from '../../../src/nomenclature/index.ts'
import { readObjects, readSubmission } from '../../../src/xds/ebrim/reader.ts'
import { writeAssociation, writeDocumentEntry, writeFolder, writeSubmissionSet } from '../../../src/xds/ebrim/writer.ts'
import { ns } from '../../../src/xds/namespaces.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { XmlWriter } from '../../../src/xml/writer.ts'
import * as arbitrary from '../../arbitraries/metadata.ts'
import { aDocumentEntry, aFolder, anAssociation, anAuthor, aSubmissionSet, codes } from '../../mothers/metadata.ts'

function write(...objects: RegistryObject[]): string {
  const xml = new XmlWriter().start('rim:RegistryObjectList', { 'xmlns:rim': ns.rim })
  for (const object of objects) {
    if (object.kind === 'DocumentEntry') writeDocumentEntry(xml, object)
    else if (object.kind === 'SubmissionSet') writeSubmissionSet(xml, object)
    else if (object.kind === 'Folder') writeFolder(xml, object)
    else writeAssociation(xml, object)
  }
  return xml.end().take().toString('utf8')
}

function readBack(...objects: RegistryObject[]): readonly RegistryObject[] {
  const read = readObjects(parseXml(write(...objects)), 'stored')
  assert.deepEqual(read.issues, [])
  return [...read.submissionSets, ...read.entries, ...read.folders, ...read.associations]
}

/** The display name is required in ebRIM: a code without one comes back with that of the nomenclature or itself. */
function named<T extends RegistryObject>(object: T): T {
  const name = (code: Code): Code => ({ display: displayOf(code.system, code.code) ?? code.code, ...code })
  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (typeof value !== 'object' || value === null) return value
    return 'code' in value && 'system' in value ? name(value as Code) : value
  }
  return { ...object, ...Object.fromEntries(Object.entries(object).map(([key, value]) => [key, visit(value)])) }
}

/** No slot value over the 256 characters of the schema, which the parts of an intendedRecipient may exceed together. */
const fits = (xml: string): boolean => !/<rim:Value>[^<]{257}/.test(xml)

describe('ebRIM and the metadata model', () => {
  it('gives back every DocumentEntry it has written, whatever its attributes', () => {
    fc.assert(
      fc.property(arbitrary.documentEntryFor('ihe', { stored: true }), (entry: DocumentEntry) => {
        assert.deepEqual(readBack(entry), [named(entry)])
      }),
      { numRuns: 200 },
    )
  })

  it('gives back every SubmissionSet, Folder and Association it has written', () => {
    fc.assert(
      fc.property(
        arbitrary.submissionSet,
        arbitrary.folder,
        arbitrary.relationship,
        (set: SubmissionSet, folder: Folder, relationship) => {
          const { source, target } = relationship
          fc.pre(new Set([set.entryUuid, folder.entryUuid, relationship.entryUuid, source, target]).size === 5)
          fc.pre(fits(write(set)))
          assert.deepEqual(readBack(set, folder, relationship), [named(set), named(folder), named(relationship)])
        },
      ),
      { numRuns: 100 },
    )
  })

  it('reads as a new submission what it has written of one, with no rule broken', () => {
    fc.assert(
      fc.property(arbitrary.submission, ({ submissionSet, entries, folders, associations }) => {
        const list = write(submissionSet, ...entries, ...folders, ...associations)
        fc.pre(fits(list))
        const request = `<l:SubmitObjectsRequest xmlns:l="${ns.lcm}">${list}</l:SubmitObjectsRequest>`
        const { submission, issues } = readSubmission(parseXml(request))
        assert.deepEqual(issues, [])
        assert.deepEqual(submission, {
          submissionSet: named(submissionSet),
          entries: entries.map(named),
          folders: folders.map(named),
          associations: associations.map(named),
        })
      }),
      { numRuns: 50 },
    )
  })

  it('keeps the French parts: NH of the INS, IDNST of the structure, the three parts of a specialty', () => {
    const xml = write(aDocumentEntry())
    assert.match(xml, /value="260059999999999\^\^\^&amp;1\.2\.250\.1\.213\.1\.4\.10&amp;ISO\^NH"/)
    assert.match(xml, /CH EXEMPLE\^\^\^\^\^&amp;1\.2\.250\.1\.71\.4\.2\.2&amp;ISO\^IDNST\^\^\^1010099999/)
    assert.match(xml, /G15_10\/SM26\^Médecin - Qualifié en Médecine Générale \(SM\)\^1\.2\.250\.1\.213\.1\.1\.4\.5/)
  })

  it('names a code that came without a display as the nomenclature does', () => {
    const { display, ...bare } = codes.bloodTest
    assert.match(write(aDocumentEntry({ typeCode: bare })), new RegExp(`value="${display}"`))
  })

  it('keeps the French statuses Archived and Deleted', () => {
    for (const availabilityStatus of ['Archived', 'Deleted'] as const) {
      const entry = aDocumentEntry({ availabilityStatus, version: 3 })
      assert.match(write(entry), new RegExp(`status="urn:asip:ci-sis:2010:StatusType:${availabilityStatus}"`))
      assert.deepEqual(readBack(entry), [entry])
    }
  })

  it('cuts a URI longer than a slot value into numbered pieces and joins them again', () => {
    const entry = aDocumentEntry({ uri: `https://exemple.invalid/${'x'.repeat(700)}` })
    assert.match(write(entry), /<rim:Value>1\|https:[^<]*<\/rim:Value><rim:Value>2\|x/)
    assert.deepEqual(readBack(entry), [entry])
  })

  it('keeps several authors with their own institutions apart', () => {
    const authors = [anAuthor(), anAuthor({ institutions: [], roles: [] }), anAuthor({ person: undefined })]
    const entry = aDocumentEntry({ authors })
    assert.deepEqual(readBack(entry), [entry])
  })

  it('keeps home community, limited metadata, on-demand type and availability', () => {
    const entry = aDocumentEntry({
      homeCommunityId: 'urn:oid:1.2.250.1.999.4',
      limitedMetadata: true,
      stability: 'on-demand',
      documentAvailability: 'Offline',
    })
    assert.deepEqual(readBack(entry), [entry])
    const set = aSubmissionSet({ limitedMetadata: true })
    const folder = aFolder({ limitedMetadata: true })
    assert.deepEqual(readBack(set, folder), [set, folder])
  })

  it('writes the same bytes for the same object, and no id twice in a message', () => {
    const objects = [aDocumentEntry(), aDocumentEntry(), aSubmissionSet(), aFolder()] as const
    const association = anAssociation({ documentation: codes.report })
    const xml = write(...objects, association)
    assert.equal(write(...objects, association), xml)
    const ids = [...xml.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
    assert.equal(new Set(ids).size, ids.length)
    for (const id of ids) assert.match(id ?? '', /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  })
})
