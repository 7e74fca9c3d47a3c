/**
 * Feeds without end: 8 callers, every third submission with a document above what the database takes. Prints the
 * entryUUIDs of each submission once it was acknowledged, on a line. Ends by being killed.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { openEmbeddedDmp } from '../../../src/dmp/embedded/index.ts'
import { aDocumentEntry, aReplacement, aSubmission, repositoryUniqueId } from '../../mothers/metadata.ts'
import { aContent, anAccessRecord, thePatient } from '../mothers.ts'

const [, , directory = ''] = process.argv
const store = await openEmbeddedDmp({ directory, repositoryUniqueId })
await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
const spool = path.join(directory, 'spool')
mkdirSync(spool, { recursive: true })

const caller = async (number: number): Promise<never> => {
  let last: ReturnType<typeof aDocumentEntry> | undefined
  for (let turn = number; ; turn++) {
    const bytes = Buffer.alloc(turn % 3 === 0 ? 300_000 : 3_000, `${number} ${turn} `)
    const sha1 = createHash('sha1').update(bytes).digest('hex')
    const entry = aDocumentEntry({ hash: sha1, size: bytes.length })
    // Every other one replaces the one before.
    const submission = last && turn % 2 === 0 ? aReplacement(last.entryUuid, entry) : aSubmission({ entries: [entry] })
    const spooled = path.join(spool, entry.entryUuid)
    if (turn % 3 === 0) writeFileSync(spooled, bytes)
    const content =
      turn % 3 === 0
        ? { sha1, size: bytes.length, path: spooled, stream: () => Readable.from([bytes]) }
        : aContent(bytes)
    const record = anAccessRecord({ operation: 'TD2.1', documents: [entry] })
    await store.dmp.feed(submission, new Map([[entry.entryUuid, content]]), record)
    // Straight to the pipe: what was acknowledged must not be lost in a buffer of this process.
    writeSync(1, `${entry.entryUuid}\n`)
    last = entry
  }
}
await Promise.all(Array.from({ length: 8 }, (_, number) => caller(number)))
