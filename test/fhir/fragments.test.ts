import assert from 'node:assert/strict'
import type { DocumentFacts } from '../../src/access/types.ts'
import { Fragments, matchesOf } from '../../src/fhir/fragments.ts'
import { patientKey } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { aDocumentEntry, ins, insAuthority } from '../mothers/metadata.ts'

const baseUrl = 'https://dmp.exemple.fr/fhir'

function factsOf({ entryUuid, logicalId, version, uniqueId, availabilityStatus }: DocumentEntry): DocumentFacts {
  return {
    entryUuid,
    logicalId,
    version,
    uniqueId,
    availabilityStatus,
    patient: patientKey(insAuthority, ins),
    confidentiality: ['N'],
    authorPersons: [],
    depositedBy: 'structure',
    depositedAt: '2026-05-12T08:16:00.123Z',
    updatedAt: '2026-05-12T08:16:00.123Z',
  }
}

const stored = Array.from({ length: 4 }, () => aDocumentEntry())
const page = stored.map(factsOf)

/** The titles of a page, and which entries were read for it. */
async function read(
  fragments: Fragments,
  { documents = page, linked = '', url = baseUrl, missing = '' } = {},
): Promise<{ readonly ids: readonly string[]; readonly read: readonly string[] }> {
  const asked: string[] = []
  const matches = matchesOf(documents, {
    fragments,
    baseUrl: url,
    hasLinks: ({ entryUuid }) => entryUuid === linked,
    async *entries(wanted) {
      for (const { entryUuid } of wanted) {
        asked.push(entryUuid)
        const entry = stored.find((each) => each.entryUuid === entryUuid && entryUuid !== missing)
        if (entry) yield entry
      }
    },
    write: ({ entryUuid }) => ({ fullUrl: `${url}/${entryUuid}`, resource: { resourceType: 'Basic', code: {} } }),
  })
  const ids: string[] = []
  for await (const match of matches) {
    const { fullUrl } = Buffer.isBuffer(match) ? JSON.parse(match.toString()) : match
    ids.push(String(fullUrl))
  }
  return { ids, read: asked }
}

const urls = (base = baseUrl) => stored.map(({ entryUuid }) => `${base}/${entryUuid}`)
const uuids = stored.map(({ entryUuid }) => entryUuid as string)

describe('entries of a searchset as they were last written', () => {
  it('are read once, and given in the order of the page', async () => {
    const fragments = new Fragments()
    assert.deepEqual(await read(fragments), { ids: urls(), read: uuids })
    assert.deepEqual(await read(fragments), { ids: urls(), read: [] })
    assert.deepEqual((await read(fragments, { documents: page.toReversed() })).ids, urls().reverse())
  })

  it('are written anew where anything of the document has changed', async () => {
    const [first, ...others] = page
    assert.ok(first)
    for (const change of [
      { availabilityStatus: 'Deprecated' },
      { updatedAt: '2026-05-13T00:00:00.000Z' },
      { version: 2 },
      { revision: 1 },
    ] as const) {
      const fragments = new Fragments()
      await read(fragments)
      const { read: again } = await read(fragments, { documents: [{ ...first, ...change }, ...others] })
      assert.deepEqual(again, [first.entryUuid])
    }
  })

  it('belong to the base URL they were written for', async () => {
    const fragments = new Fragments()
    await read(fragments)
    const url = 'http://127.0.0.1:8080/fhir'
    assert.deepEqual((await read(fragments, { url })).ids, urls(url))
  })

  it('are never kept of a document with links, nor given for one', async () => {
    const fragments = new Fragments()
    const linked = uuids[1] ?? ''
    assert.deepEqual((await read(fragments, { linked })).read, uuids)
    assert.deepEqual((await read(fragments, { linked })).read, [linked])
    assert.deepEqual((await read(fragments)).read, [linked])
    assert.deepEqual((await read(fragments, { linked })).read, [linked])
  })

  it('leave out a document that is gone, and no other', async () => {
    const { ids } = await read(new Fragments(), { missing: uuids[1] ?? '' })
    assert.deepEqual(ids, urls().toSpliced(1, 1))
  })

  it('are dropped when they are too many, the oldest first', async () => {
    const size = Buffer.byteLength(
      `{"fullUrl":"${urls()[0]}","resource":{"resourceType":"Basic","code":{}},"search":{"mode":"match"}}`,
    )
    const fragments = new Fragments(size * 2)
    await read(fragments)
    assert.deepEqual((await read(fragments, { documents: page.slice(2) })).read, [])
    assert.deepEqual((await read(fragments, { documents: page.slice(0, 1) })).read, uuids.slice(0, 1))
  })
})
