import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import type { DocumentContent } from '../../src/operations/ports.ts'
import { statusUrns } from '../../src/xds/ebrim/codes.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { aContent } from '../dmp/mothers.ts'
import { aDocumentEntry, aSubmission, aSubmissionSet, ins, insAuthority, sha1 } from '../mothers/metadata.ts'
import { type House, openHouse, theTester } from '../operations/house.ts'
import { anEnvelope, type RunningDoor, startDoor } from './support.ts'

const manyEntries = 5000
const documentSize = 1024 * 1024
const documentCount = 20

describe('answers that are written as they are read, on a real embedded DMP', () => {
  let house: House
  let door: RunningDoor
  /** What the door has taken from the DMP so far. */
  let entriesRead = 0
  let documentsOpened = 0

  before(async function () {
    this.timeout(60_000)
    house = await openHouse({ profile: 'ihe' })
    const { operations } = house
    door = await startDoor({
      profile: 'ihe',
      identity: { anonymous: () => theTester },
      operations: {
        async find(...args) {
          const findings = await operations.find(...args)
          return { ...findings, entries: (documents) => counted(findings.entries(documents)) }
        },
        async retrieve(...args) {
          const retrieval = await operations.retrieve(...args)
          const documents = retrieval.documents.map((each) => ({ ...each, content: opening(each.content) }))
          return { ...retrieval, documents }
        },
      },
    })
  })
  after(async () => {
    await door.close()
    await house.close()
  })

  async function* counted(entries: AsyncIterable<DocumentEntry>): AsyncGenerator<DocumentEntry> {
    for await (const entry of entries) {
      entriesRead += 1
      yield entry
    }
  }
  function opening(content: DocumentContent): DocumentContent {
    return {
      ...content,
      stream: (range) => {
        documentsOpened += 1
        return content.stream(range)
      },
    }
  }

  /** Sends a request and gives the answer unread: nothing flows until the test reads. */
  async function ask(url: string, headers: Readonly<Record<string, string>>, body: Buffer): Promise<IncomingMessage> {
    const request = httpRequest(url, { method: 'POST', headers: { ...headers, 'Content-Length': body.length } })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return response
  }
  async function readAll(response: IncomingMessage, onChunk: (chunk: Buffer) => void): Promise<void> {
    for await (const chunk of response) onChunk(chunk as Buffer)
  }
  /** Until the server has filled the socket and waits for its reader. */
  async function stalled(progress: () => number): Promise<number> {
    for (let [last, still] = [progress(), 0]; ; ) {
      await turn()
      if (progress() === last) still += 1
      else [last, still] = [progress(), 0]
      if (still > 500) return last
    }
  }

  it(`a search of ${manyEntries} entries is read from the DMP no faster than its reader takes it`, async function () {
    this.timeout(60_000)
    const source = house.as(theTester)
    for (let fed = 0; fed < manyEntries; fed += 250) {
      const entries = Array.from({ length: 250 }, () => aDocumentEntry())
      await source.feed(aSubmission({ submissionSet: aSubmissionSet(), entries }), { register: true })
    }
    const slot = (name: string, value: string) =>
      `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${value}</rim:Value></rim:ValueList></rim:Slot>`
    const body = `<q:AdhocQueryRequest xmlns:q="${ns.query}" xmlns:rim="${ns.rim}"><q:ResponseOption returnType="LeafClass"/><rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d">${slot('$XDSDocumentEntryPatientId', `'${ins}^^^&amp;${insAuthority}&amp;ISO'`)}${slot('$XDSDocumentEntryStatus', `('${statusUrns.Approved}')`)}</rim:AdhocQuery></q:AdhocQueryRequest>`
    const envelope = anEnvelope({ action: 'urn:ihe:iti:2007:RegistryStoredQuery', security: '', body })
    entriesRead = 0
    const answer = await ask(door.registry, { 'Content-Type': 'application/soap+xml' }, Buffer.from(envelope))
    const held = await stalled(() => entriesRead)
    assert.ok(held < manyEntries / 2, `${held} entries were read for a reader that took none`)
    const end = '</rim:ExtrinsicObject>'
    let found = 0
    let rest = ''
    await readAll(answer, (chunk) => {
      const text = rest + chunk.toString('latin1')
      found += text.split(end).length - 1
      rest = text.slice(1 - end.length)
    })
    assert.deepEqual([found, entriesRead], [manyEntries, manyEntries])
    assert.match(rest, /Envelope>$/)
  })

  it(`a retrieval of ${documentCount} documents opens each when its turn comes`, async () => {
    const bytes = Array.from({ length: documentCount }, () => randomBytes(documentSize))
    const entries = bytes.map((each) => aDocumentEntry({ hash: sha1(each), size: each.length }))
    const contents = new Map(entries.map(({ entryUuid }, index) => [entryUuid, aContent(bytes[index] as Buffer)]))
    const { context } = house.as(theTester)
    await house.operations.feed(aSubmission({ submissionSet: aSubmissionSet(), entries }), contents, context)
    const wanted = entries.map(
      ({ uniqueId, repositoryUniqueId }) =>
        `<x:DocumentRequest><x:RepositoryUniqueId>${repositoryUniqueId}</x:RepositoryUniqueId><x:DocumentUniqueId>${uniqueId}</x:DocumentUniqueId></x:DocumentRequest>`,
    )
    const body = `<x:RetrieveDocumentSetRequest xmlns:x="${ns.xdsb}">${wanted.join('')}</x:RetrieveDocumentSetRequest>`
    const envelope = anEnvelope({ action: 'urn:ihe:iti:2007:RetrieveDocumentSet', security: '', body })
    const part = `--b\r\nContent-Type: application/xop+xml; type="application/soap+xml"\r\nContent-ID: <root>\r\n\r\n${envelope}\r\n--b--\r\n`
    const type = 'multipart/related; type="application/xop+xml"; boundary=b; start="<root>"'
    documentsOpened = 0
    const answer = await ask(door.repository, { 'Content-Type': type }, Buffer.from(part))
    const held = await stalled(() => documentsOpened)
    assert.ok(held < documentCount / 2, `${held} documents were opened for a reader that took none`)
    let received = 0
    await readAll(answer, (chunk) => {
      received += chunk.length
    })
    assert.ok(received > documentCount * documentSize)
    assert.equal(documentsOpened, documentCount)
  })
})
