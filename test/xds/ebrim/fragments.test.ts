import assert from 'node:assert/strict'
import { Fragments } from '../../../src/xds/ebrim/fragments.ts'
import { writeDocumentEntry } from '../../../src/xds/ebrim/writer.ts'
import { XmlWriter } from '../../../src/xml/writer.ts'
import { aDocumentEntry } from '../../mothers/metadata.ts'

describe('fragments of an answer', () => {
  it('are what the writer writes, and are kept', () => {
    const fragments = new Fragments()
    const entry = aDocumentEntry()
    const xml = new XmlWriter()
    writeDocumentEntry(xml, entry)
    assert.equal(fragments.get(entry), undefined)
    assert.deepEqual(fragments.write(entry), xml.take())
    assert.deepEqual(fragments.get(entry), fragments.write(entry))
  })

  it('are another for another status or version of an entry', () => {
    const fragments = new Fragments()
    const entry = aDocumentEntry()
    fragments.write(entry)
    assert.equal(fragments.get({ ...entry, availabilityStatus: 'Deprecated' }), undefined)
    assert.equal(fragments.get({ ...entry, version: 2 }), undefined)
    assert.match(fragments.write({ ...entry, availabilityStatus: 'Deprecated' }).toString(), /StatusType:Deprecated/)
    assert.match(fragments.get(entry)?.toString() ?? '', /StatusType:Approved/)
  })

  it('keep to their size, the longest unused leaving first', () => {
    const entries = [aDocumentEntry(), aDocumentEntry(), aDocumentEntry()] as const
    const fragments = new Fragments(2.5 * new Fragments().write(entries[0]).length)
    fragments.write(entries[0])
    fragments.write(entries[1])
    fragments.get(entries[0])
    fragments.write(entries[2])
    assert.deepEqual(
      entries.map((entry) => fragments.get(entry) !== undefined),
      [true, false, true],
    )
    fragments.write(entries[0])
    assert.deepEqual(
      entries.map((entry) => fragments.get(entry) !== undefined),
      [true, false, true],
    )
  })
})
