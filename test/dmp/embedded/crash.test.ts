import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { type EntryUuid, isEntryUuid } from '../../../src/metadata/identifiers.ts'
import { repositoryUniqueId, sha1 } from '../../mothers/metadata.ts'
import { accessesOf } from '../../support/trace.ts'
import { documentsOf, thePatient } from '../mothers.ts'

const rounds = 5
const acknowledgements = 150

describe('a process killed while it feeds', () => {
  let directory: string
  let child: ChildProcess | undefined
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'dmp-crash-'))
  })
  afterEach(async () => {
    child?.kill('SIGKILL')
    await rm(directory, { recursive: true })
  })

  /** Lines of the child until it is killed, at a random moment between two acknowledgements or inside a commit. */
  const burst = async (): Promise<EntryUuid[]> => {
    child = spawn(process.execPath, [path.join(import.meta.dirname, 'crash-child.ts'), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const killAfter = 10 + Math.floor(Math.random() * acknowledgements)
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.length >= killAfter * 46) child?.kill('SIGKILL')
    })
    const [code, signal] = await once(child, 'close')
    assert.deepEqual([code, signal], [null, 'SIGKILL'])
    // The last line may be cut.
    return output.split('\n').filter(isEntryUuid)
  }

  it('has lost nothing that was acknowledged, and left nothing half done', async () => {
    const acknowledged: EntryUuid[] = []
    for (let round = 0; round < rounds; round++) {
      acknowledged.push(...(await burst()))
      const store = await openEmbeddedDmp({ directory, repositoryUniqueId })
      try {
        await assertWhole(store, directory, acknowledged)
      } finally {
        await store.close()
      }
    }
    assert.ok(acknowledged.length >= rounds * 10)
  }).timeout(60_000)
})

async function assertWhole({ dmp, trace, verify }: EmbeddedDmp, directory: string, acknowledged: readonly EntryUuid[]) {
  const documents = await documentsOf(dmp, {}, ['Approved', 'Deprecated'])
  const ids = documents.map(({ entryUuid }) => entryUuid)
  const stored = new Set(ids)
  assert.deepEqual(
    acknowledged.filter((id) => !stored.has(id)),
    [],
    'every acknowledged entry is there',
  )

  const files = new Set<string>()
  for await (const entry of dmp.read(ids)) {
    const content = await dmp.content(entry.entryUuid)
    assert.ok(content, 'every entry has its bytes')
    const bytes = Buffer.concat(await content.stream().toArray())
    assert.deepEqual([sha1(bytes), bytes.length], [entry.hash, entry.size])
    if (content.bytes === undefined) files.add(entry.entryUuid)
  }
  const onDisk = readdirSync(path.join(directory, 'content'), { recursive: true, withFileTypes: true })
  assert.equal(onDisk.filter((found) => found.isFile()).length, files.size, 'every file has its entry')

  const { associations } = await dmp.find({ kind: 'GetAssociations', ids })
  const members = new Map(
    associations.filter(({ type }) => type === 'HasMember').map((each) => [each.target, each.source]),
  )
  assert.deepEqual(new Set(members.keys()), stored, 'every entry has its submission set')
  assert.equal(new Set(members.values()).size, stored.size, 'every submission set its entry')
  const replaced = new Set(associations.filter(({ type }) => type === 'RPLC').map(({ target }) => target))
  const deprecated = documents.filter(({ availabilityStatus }) => availabilityStatus === 'Deprecated')
  assert.deepEqual(new Set(deprecated.map(({ entryUuid }) => entryUuid)), replaced, 'what is replaced is Deprecated')

  const history = await accessesOf(trace, { patient: thePatient })
  const recorded = history.filter(({ operation }) => operation === 'TD2.1').flatMap((record) => record.documents)
  assert.deepEqual(recorded.map(({ logicalId }) => logicalId).sort(), [...ids].sort(), 'one record a submission')
  const verdict = await verify()
  assert.deepEqual([verdict.whole, verdict.whole && verdict.records], [true, history.length])
}
