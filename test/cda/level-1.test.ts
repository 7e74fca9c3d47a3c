import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { checkCda } from '../../src/cda/index.ts'
import { levelOneIssues, levelOneKind, writeLevelOne } from '../../src/cda/level-1.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { canonicalizeDocument } from '../../src/xml/c14n-inclusive.ts'
import { loadSchema } from '../../src/xml/schema.ts'
import { aDevice, aDocumentEntry, anAuthor, codes } from '../mothers/metadata.ts'

const custodian = { id: '1010099999', name: 'CH <EXEMPLE>' }
const pdf = Buffer.from('%PDF-1.4 @ exemple')
const anEntry = (changes: Parameters<typeof aDocumentEntry>[0] = {}): DocumentEntry =>
  aDocumentEntry({
    mimeType: 'application/pdf',
    formatCode: codes.pdfFormat,
    uniqueId: '1.2.250.1.999.77.4.1' as DocumentEntry['uniqueId'],
    sourcePatientInfo: [
      'PID-5|PATIENTE^Zoé^Anne^^^^L~EPOUSE^Zoé^^^^^D',
      'PID-7|20000229',
      'PID-8|F',
      'PID-11|^^^^^FRA^BDL^^59350',
    ],
    ...changes,
  })
const wrapped = (entry: DocumentEntry, replaces?: string): Buffer => {
  const { head, tail } = writeLevelOne(entry, { custodian, ...(replaces && { replaces }) })
  return Buffer.concat([head, Buffer.from(pdf.toString('base64')), tail])
}

describe('a CDA of level 1 around a document', () => {
  it('is canonical as it is written', () => {
    const cda = wrapped(anEntry())
    assert.deepEqual(canonicalizeDocument(cda), cda)
  })

  it('says in its header what the metadata say', async () => {
    const entry = anEntry({ title: 'À @ lire & relire', eventCodes: [codes.labFormat] })
    const cda = wrapped(entry)
    const differences = await checkCda(
      { ...entry, mimeType: 'text/xml' },
      { size: cda.length, stream: () => cda, bytes: cda } as never,
      'error',
    )
    assert.deepEqual(
      differences.map(({ detail }) => detail),
      [],
    )
  })

  it('names the patient with the birth name, the name in use and the place of birth', () => {
    const text = wrapped(anEntry()).toString()
    assert.match(text, /<family qualifier="BR">PATIENTE<\/family><family qualifier="CL">EPOUSE<\/family>/)
    assert.match(text, /<given>Zoé Anne<\/given><given qualifier="BR">Zoé<\/given>/)
    assert.match(text, /<county>59350<\/county>/)
  })

  it('points to the document it replaces, in the same set', () => {
    const text = wrapped(anEntry(), '1.2.250.1.999.77.4.0').toString()
    assert.match(text, /<relatedDocument typeCode="RPLC"><parentDocument><id root="1\.2\.250\.1\.999\.77\.4\.0">/)
    assert.match(text, /<setId root="1\.2\.250\.1\.999\.77\.4\.0"><\/setId><versionNumber value="2">/)
  })

  it('holds what a level 1 may hold, and nothing else', () => {
    for (const type of ['application/pdf', 'text/plain; charset=utf-8', 'application/rtf', 'image/jpeg', 'image/tiff'])
      assert.ok(levelOneKind(type), type)
    for (const type of ['image/png', 'application/zip', '__proto__', '']) assert.equal(levelOneKind(type), undefined)
  })

  it('is refused with every attribute its header cannot do without', () => {
    const bare = anEntry({
      uniqueId: 'urn:uuid:0191a5b0-0000-7000-8000-000000000000' as DocumentEntry['uniqueId'],
      sourcePatientInfo: ['PID-7|20000229'],
      practiceSettingCode: undefined,
      authors: [],
    })
    assert.deepEqual(
      levelOneIssues(bare).map(({ location }) => location?.split('/').at(-1)),
      ['uniqueId', 'practiceSettingCode', 'author', 'sourcePatientInfo'],
    )
    assert.deepEqual(levelOneIssues(anEntry()), [])
  })

  it('validates against the CDA schema of France', function () {
    const folder = path.resolve('..', 'shared', 'schemas', 'cda')
    if (!existsSync(folder)) return this.skip()
    const files: Record<string, Uint8Array> = {}
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      if (name.endsWith('.xsd')) files[name] = readFileSync(path.join(folder, name))
    const schema = loadSchema(files, 'CDA_extended.xsd')
    try {
      const entries = [
        anEntry(),
        anEntry({ authors: [anAuthor({ person: aDevice() }), anAuthor()], serviceStopTime: undefined }),
        anEntry({ sourcePatientInfo: ['PID-5|PATIENTE^Zoé', 'PID-7|20000229', 'PID-8|U'] }),
      ]
      for (const entry of entries) assert.deepEqual(schema.validate(wrapped(entry, '1.2.3').toString()), [])
    } finally {
      schema.dispose()
    }
  })
})
