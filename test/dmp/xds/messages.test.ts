import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { writeFindDocuments, writeGetAssociations, writeGetDocuments } from '../../../src/dmp/xds/stored-query.ts'
import type { Dtm } from '../../../src/metadata/identifiers.ts'
import { newEntryUuid, patientKey } from '../../../src/metadata/identifiers.ts'
import { readStoredQuery } from '../../../src/xds/stored-query/queries.ts'
import { parseXml } from '../../../src/xml/reader.ts'
import { loadSchema } from '../../../src/xml/schema.ts'
import { child } from '../../../src/xml/tree.ts'

const patient = patientKey('1.2.250.1.213.1.4.10', "26005'9999999999")
const rim = 'urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'
const readBack = (message: Buffer) => {
  const query = child(parseXml(message), rim, 'AdhocQuery')
  assert.ok(query)
  return readStoredQuery(query).query
}

describe('a stored query to the DMP', () => {
  const criteria = {
    typeCodes: [
      { code: '11502-2', system: '2.16.840.1.113883.6.1' },
      { code: "l'autre", system: '1.2.3' },
    ],
    eventCodes: [[{ code: 'A', system: '1.2' }], [{ code: 'B', system: '1.2' }]],
    creationTime: [{ from: '20250101' as Dtm, to: '2026' as Dtm }],
  }

  it('asks what an independent reader reads', () => {
    const query = readBack(writeFindDocuments(patient, ['Approved', 'Archived'], criteria))
    assert.ok(query.kind === 'FindDocuments')
    assert.equal(query.patient, patient)
    assert.deepEqual(query.statuses, ['Approved', 'Archived'])
    assert.deepEqual(query.criteria.typeCodes, criteria.typeCodes)
    assert.deepEqual(query.criteria.eventCodes, criteria.eventCodes)
    assert.deepEqual(query.criteria.creationTime, criteria.creationTime)
  })

  it('leaves out what a registry cannot be asked, and so finds more, never less', () => {
    const query = readBack(writeFindDocuments(patient, ['Approved'], { typeCodes: [{ code: '11502-2' }] }))
    assert.ok(query.kind === 'FindDocuments')
    assert.equal(query.criteria.typeCodes, undefined)
  })

  it('is valid by the schema of ebXML', function () {
    const folder = path.resolve('..', 'shared', 'schemas', 'schema')
    if (!existsSync(folder)) return this.skip()
    const files: Record<string, Uint8Array> = {}
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.xsd')) files[name] = readFileSync(path.join(folder, name))
    const schema = loadSchema(files, 'ebRS30/query.xsd')
    try {
      const ids = [newEntryUuid()]
      for (const message of [
        writeFindDocuments(patient, ['Approved'], criteria),
        writeGetDocuments('uniqueId', ['1.2.3'], 'ObjectRef'),
        writeGetAssociations(ids),
      ])
        assert.deepEqual(schema.validate(message.toString()), [])
    } finally {
      schema.dispose()
    }
  })
})
