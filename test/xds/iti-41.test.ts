import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { GatewayError } from '../../src/errors.ts'
import type { EntryUuid } from '../../src/metadata/identifiers.ts'
import type { Submission } from '../../src/metadata/model.ts'
import type { Operations } from '../../src/operations/operations.ts'
import { provideAndRegister as iti41 } from '../../src/xds/iti-41.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aSubmission,
  aSubmissionSet,
  documentBytes,
} from '../mothers/metadata.ts'
import {
  anEnvelope,
  outcomeOf,
  postMtom,
  postSimple,
  provideAndRegister,
  type Reply,
  type RunningDoor,
  startDoor,
  submitObjects,
} from './support.ts'

type Fed = { readonly submission: Submission; readonly contents: ReadonlyMap<EntryUuid, string> }

describe('ITI-41 Provide and Register Document Set-b', () => {
  let door: RunningDoor
  let fed: Fed[]
  const open = async (feed?: Operations['feed']): Promise<void> => {
    fed = []
    const record: Operations['feed'] = async (submission, contents) => {
      const read = new Map<EntryUuid, string>()
      for (const [id, content] of contents) {
        const chunks: Buffer[] = []
        for await (const chunk of content.stream()) chunks.push(chunk as Buffer)
        read.set(id, Buffer.concat(chunks).toString('utf8'))
      }
      fed.push({ submission, contents: read })
      return { ...submission, at: '2026-05-12T08:16:00.000Z', warnings: [] }
    }
    door = await startDoor({ operations: { feed: feed ?? record } })
  }
  afterEach(() => door.close())

  const envelopeOf = (body: string) => anEnvelope({ action: iti41.requestAction, body })
  const simple = (submission: string, documents: readonly { id: string; bytes?: Buffer }[]): Promise<Reply> =>
    postSimple(door.repository, envelopeOf(provideAndRegister(submission, documents)))

  it('feeds the submission with its documents, inline and by MTOM alike', async () => {
    await open()
    const submission = aSubmission()
    const id = submission.entries[0]?.entryUuid as EntryUuid
    const inline = await simple(submitObjects(submission), [{ id, bytes: documentBytes }])
    assert.deepEqual(outcomeOf(inline), { status: 'Success', errors: [] })
    const mtom = await postMtom(door.repository, envelopeOf(provideAndRegister(submitObjects(submission), [{ id }])), [
      documentBytes,
    ])
    assert.deepEqual(outcomeOf(mtom), { status: 'Success', errors: [] })
    assert.match(mtom.contentType, /^multipart\/related/)
    const expected = { submission, contents: new Map([[id, documentBytes.toString('utf8')]]) }
    assert.deepEqual(fed, [expected, expected])
  })

  it('resolves symbolic ids to new entryUUIDs, of objects, of ends of associations and of documents', async () => {
    await open()
    const entry = aDocumentEntry()
    const submission = aSubmission({ entries: [entry] })
    const symbolic = submitObjects(submission)
      .replaceAll(entry.entryUuid, 'Document01')
      .replaceAll(submission.submissionSet.entryUuid, 'Set01')
      .replaceAll(submission.associations[0]?.entryUuid ?? '', 'as01')
    assert.equal(outcomeOf(await simple(symbolic, [{ id: 'Document01', bytes: documentBytes }])).status, 'Success')
    const [{ submission: read, contents }] = fed as [Fed]
    const [{ entryUuid, logicalId }] = read.entries as [Submission['entries'][0]]
    assert.match(entryUuid, /^urn:uuid:[0-9a-f-]{36}$/)
    assert.notEqual(entryUuid, entry.entryUuid)
    assert.equal(logicalId, entryUuid)
    assert.deepEqual([...contents.keys()], [entryUuid])
    const { source, target } = read.associations[0] ?? {}
    assert.deepEqual([source, target], [read.submissionSet.entryUuid, entryUuid])
  })

  it('carries folders and relationships to documents fed before', async () => {
    await open()
    const entry = aDocumentEntry()
    const folder = aFolder()
    const set = aSubmissionSet()
    const filing = aMembership(folder.entryUuid, entry.entryUuid)
    const associations = [
      aMembership(set.entryUuid, entry.entryUuid, 'Original'),
      aMembership(set.entryUuid, folder.entryUuid),
      filing,
      aMembership(set.entryUuid, filing.entryUuid),
      anAssociation({ source: entry.entryUuid }),
    ]
    const submission = { submissionSet: set, entries: [entry], folders: [folder], associations }
    const reply = await simple(submitObjects(submission), [{ id: entry.entryUuid, bytes: documentBytes }])
    assert.equal(outcomeOf(reply).status, 'Success')
    assert.deepEqual(fed[0]?.submission, submission)
  })

  it('answers warnings in a Success, with severity Warning', async () => {
    await open(async (submission) => ({
      ...submission,
      at: '',
      warnings: [
        { code: 'XDSExtraMetadataNotSaved', severity: 'warning', rule: 'DF7', detail: 'Stored with MASQUE_PS.' },
      ],
    }))
    const submission = aSubmission()
    const id = submission.entries[0]?.entryUuid ?? ''
    const reply = await simple(submitObjects(submission), [{ id, bytes: documentBytes }])
    assert.deepEqual(outcomeOf(reply), {
      status: 'Success',
      errors: [
        {
          errorCode: 'XDSExtraMetadataNotSaved',
          codeContext: 'DF7: Stored with MASQUE_PS.',
          severity: 'Warning',
          location: undefined,
        },
      ],
    })
    assert.match(reply.text, /highestSeverity="[^"]*:Warning"/)
  })

  it('says of errors where they are in the ids of the sender, and names itself in the codes', async () => {
    await open(async ({ entries }) => {
      const location = `${entries[0]?.entryUuid}/uniqueId`
      throw new GatewayError([
        { code: 'XDSRegistryDuplicateUniqueIdInMessage', rule: 'T12', location, detail: 'Twice.' },
        { code: 'store-unavailable' },
        { code: 'busy' },
        { code: 'XDSRegistryMetadataError', rule: 'D4', detail: 'Missing.' },
      ])
    })
    const submission = aSubmission()
    const entry = submission.entries[0]?.entryUuid ?? ''
    const list = submitObjects(submission).replaceAll(entry, 'Document01')
    const { status, errors } = outcomeOf(await simple(list, [{ id: 'Document01', bytes: documentBytes }]))
    assert.equal(status, 'Failure')
    assert.equal(errors[0]?.location, 'Document01/uniqueId')
    assert.deepEqual(
      errors.map(({ errorCode }) => errorCode),
      [
        'XDSRepositoryDuplicateUniqueIdInMessage',
        'XDSRegistryNotAvailable',
        'XDSRepositoryBusy',
        'XDSRegistryMetadataError',
      ],
    )
  })

  it('refuses a Document without DocumentEntry, and two with one id', async () => {
    await open()
    const submission = aSubmission()
    const id = submission.entries[0]?.entryUuid ?? ''
    const extra = await simple(submitObjects(submission), [
      { id, bytes: documentBytes },
      { id: 'Document02', bytes: documentBytes },
    ])
    assert.deepEqual(
      outcomeOf(extra).errors.map(({ errorCode, location }) => [errorCode, location]),
      [['XDSMissingDocumentMetadata', 'Document02']],
    )
    const twice = await simple(submitObjects(submission), [
      { id, bytes: documentBytes },
      { id, bytes: documentBytes },
    ])
    assert.deepEqual(
      outcomeOf(twice).errors.map(({ errorCode }) => errorCode),
      ['XDSRepositoryMetadataError'],
    )
    assert.deepEqual(fed, [])
  })

  it('leaves a missing document to the feed, which records the attempt', async () => {
    await open()
    assert.equal(outcomeOf(await simple(submitObjects(aSubmission()), [])).status, 'Success')
    assert.equal(fed[0]?.contents.size, 0)
  })

  it('names what is missing beside everything else that is wrong', async () => {
    await open()
    const submission = aSubmission({ entries: [aDocumentEntry({ typeCode: undefined, languageCode: 'français !' })] })
    const list = submitObjects(submission).replace('name="creationTime"', 'name="creationHour"')
    const { status, errors } = outcomeOf(await simple(list, []))
    assert.equal(status, 'Failure')
    const said = errors.map(({ errorCode, location }) => `${errorCode} ${location?.replace(/^.*\//, '')}`).sort()
    assert.deepEqual(
      said.map((line) => line.replace(/urn:uuid:.*/, 'id')),
      [
        'XDSMissingDocument id',
        'XDSRegistryMetadataError creationHour',
        'XDSRegistryMetadataError creationTime',
        'XDSRegistryMetadataError languageCode',
        'XDSRegistryMetadataError typeCode',
      ],
    )
    assert.deepEqual(fed, [])
  })

  it('answers a part that an xop:Include does not find as a Failure', async () => {
    await open()
    const submission = aSubmission()
    const id = submission.entries[0]?.entryUuid ?? ''
    const reply = await postMtom(door.repository, envelopeOf(provideAndRegister(submitObjects(submission), [{ id }])))
    assert.equal(reply.status, 200)
    const { status, errors } = outcomeOf(reply)
    assert.equal(status, 'Failure')
    assert.equal(errors[0]?.errorCode, 'XDSRepositoryError')
    assert.match(errors[0]?.codeContext ?? '', /^malformed: /)
  })

  it('answers a request without SubmitObjectsRequest as a Failure', async () => {
    await open()
    const { errors } = outcomeOf(await simple('', []))
    assert.deepEqual(
      errors.map(({ errorCode, codeContext }) => [errorCode, codeContext?.slice(0, 4)]),
      [['XDSRegistryMetadataError', 'R8: ']],
    )
  })

  it('keeps nothing in the spool, whatever the answer', async () => {
    await open()
    const submission = aSubmission()
    const id = submission.entries[0]?.entryUuid ?? ''
    const bytes = Buffer.alloc(200_000, 'x')
    const body = provideAndRegister(submitObjects(submission), [{ id }])
    await postMtom(door.repository, envelopeOf(body), [bytes])
    assert.equal(fed[0]?.contents.get(id as EntryUuid)?.length, 200_000)
    await postMtom(door.repository, envelopeOf(body.replaceAll('creationTime', 'x')), [bytes])
    assert.deepEqual(await readdir(door.spoolDirectory), [])
  })
})
