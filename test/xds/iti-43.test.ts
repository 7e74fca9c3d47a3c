import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import type { DocumentRequest, Operations } from '../../src/operations/operations.ts'
import { retrieveDocumentSet as iti43 } from '../../src/xds/iti-43.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { attribute, child, children, type XmlElement } from '../../src/xml/tree.ts'
import { aDocumentEntry, documentBytes } from '../mothers/metadata.ts'
import {
  anEnvelope,
  contentOf,
  outcomeOf,
  postMtom,
  postSimple,
  type Reply,
  type RunningDoor,
  refusing,
  repositoryUniqueId,
  startDoor,
} from './support.ts'

const ask = (...ids: readonly (string | undefined)[]): string => {
  const requests = ids.map((id) =>
    id === undefined
      ? '<x:DocumentRequest/>'
      : `<x:DocumentRequest><x:RepositoryUniqueId>${repositoryUniqueId}</x:RepositoryUniqueId><x:DocumentUniqueId>${id}</x:DocumentUniqueId></x:DocumentRequest>`,
  )
  const body = `<x:RetrieveDocumentSetRequest xmlns:x="${ns.xdsb}">${requests.join('')}</x:RetrieveDocumentSetRequest>`
  return anEnvelope({ action: iti43.requestAction, body })
}

const responses = ({ body }: Reply): readonly XmlElement[] => children(body, ns.xdsb, 'DocumentResponse')
const textOf = (response: XmlElement | undefined, local: string) => response && child(response, ns.xdsb, local)?.text

/** Knows the documents 1.2.1 (XML), 1.2.2 (large, PDF) and no other. */
const large = Buffer.alloc(700_001, 'é')
const retrieve: Operations['retrieve'] = async (requests) => {
  const known = { '1.2.1': ['text/xml', documentBytes], '1.2.2': ['application/pdf', large] } as const
  const documents = requests.flatMap((request) => {
    const id = 'documentUniqueId' in request ? request.documentUniqueId : ''
    if (id !== '1.2.1' && id !== '1.2.2') return []
    const [mimeType, bytes] = known[id]
    return [{ request, entry: aDocumentEntry({ mimeType }), content: contentOf(bytes) }]
  })
  const absent = (request: DocumentRequest) => !documents.some((document) => document.request === request)
  const issues = requests.filter(absent).map((request) => ({
    code: 'XDSDocumentUniqueIdError' as const,
    location: 'documentUniqueId' in request ? request.documentUniqueId : '',
    detail: 'No document is known under this uniqueId.',
  }))
  return { documents, issues }
}

describe('ITI-43 Retrieve Document Set', () => {
  let door: RunningDoor
  beforeEach(async () => {
    door = await startDoor({ operations: { retrieve } })
  })
  afterEach(() => door.close())

  it('gives the bytes as MTOM parts to a request in MTOM, in the order asked', async () => {
    const reply = await postMtom(door.repository, ask('1.2.2', '1.2.1'))
    assert.equal(outcomeOf(reply).status, 'Success')
    const read = responses(reply).map((response) => {
      const document = child(response, ns.xdsb, 'Document')
      const href = document && attribute(document.children[0] as XmlElement, 'href')
      const part = reply.parts.get(decodeURIComponent(href?.slice('cid:'.length) ?? ''))
      return { id: textOf(response, 'DocumentUniqueId'), type: part?.contentType, bytes: part?.bytes }
    })
    assert.deepEqual(read, [
      { id: '1.2.2', type: 'application/pdf', bytes: large },
      { id: '1.2.1', type: 'text/xml', bytes: documentBytes },
    ])
  })

  it('gives base64 inside the envelope to a simple request', async () => {
    const reply = await postSimple(door.repository, ask('1.2.2', '1.2.1'))
    assert.match(reply.contentType, /^application\/soap\+xml/)
    const bytes = responses(reply).map((response) => Buffer.from(textOf(response, 'Document') ?? '', 'base64'))
    assert.deepEqual(bytes, [large, documentBytes])
    assert.equal(outcomeOf(reply).status, 'Success')
  })

  it('says of each document where it is from, which it is and its type', async () => {
    const [response] = responses(await postMtom(door.repository, ask('1.2.1')))
    assert.deepEqual(
      response?.children.map(({ local, text }) => [local, text]),
      [
        ['RepositoryUniqueId', repositoryUniqueId],
        ['DocumentUniqueId', '1.2.1'],
        ['mimeType', 'text/xml'],
        ['Document', ''],
      ],
    )
  })

  it('answers PartialSuccess when some are there, with one error for each that is not', async () => {
    for (const send of [postMtom, postSimple]) {
      const reply = await send(door.repository, ask('1.2.1', '9.9'))
      const { status, errors } = outcomeOf(reply)
      assert.equal(status, 'PartialSuccess')
      assert.equal(responses(reply).length, 1)
      assert.deepEqual(
        errors.map(({ errorCode, location, severity }) => [errorCode, location, severity]),
        [['XDSDocumentUniqueIdError', '9.9', 'Error']],
      )
    }
  })

  it('answers Failure when none is there', async () => {
    const reply = await postMtom(door.repository, ask('9.9'))
    assert.equal(outcomeOf(reply).status, 'Failure')
    assert.equal(reply.body.local, 'RetrieveDocumentSetResponse')
    assert.equal(responses(reply).length, 0)
  })

  it('gives a document twice when it is asked for twice', async () => {
    const reply = await postMtom(door.repository, ask('1.2.1', '1.2.1'))
    assert.equal(responses(reply).length, 2)
    assert.equal(reply.parts.size, 2)
  })

  it('refuses a request for nothing, and one that does not say where or which', async () => {
    const empty = outcomeOf(await postMtom(door.repository, ask()))
    assert.deepEqual(
      empty.errors.map(({ errorCode }) => errorCode),
      ['XDSRepositoryError'],
    )
    const vague = outcomeOf(await postMtom(door.repository, ask('1.2.1', undefined)))
    assert.deepEqual(
      vague.errors.map(({ errorCode, location }) => [errorCode, location]),
      [
        ['XDSRepositoryError', 'DocumentRequest[1]/RepositoryUniqueId'],
        ['XDSRepositoryError', 'DocumentRequest[1]/DocumentUniqueId'],
      ],
    )
  })

  it('answers a refusal as a Failure of its own kind', async () => {
    await door.close()
    door = await startDoor({
      operations: { retrieve: refusing({ code: 'nominative-identity-required', rule: 'FR1' }) },
    })
    const reply = await postMtom(door.repository, ask('1.2.1'))
    assert.equal(reply.body.local, 'RetrieveDocumentSetResponse')
    assert.match(outcomeOf(reply).errors[0]?.codeContext ?? '', /^nominative-identity-required FR1: /)
  })

  it('breaks off when a document cannot be read to its end', async () => {
    await door.close()
    const stream = () =>
      Readable.from(
        (async function* () {
          for (let chunk = 0; chunk < 5; chunk++) yield Buffer.alloc(300_000)
          throw new Error('disk')
        })(),
      )
    const content = { ...contentOf(large), stream }
    door = await startDoor({
      operations: {
        retrieve: async ([request]) => ({
          documents: request ? [{ request, entry: aDocumentEntry(), content }] : [],
          issues: [],
        }),
      },
    })
    await assert.rejects(postMtom(door.repository, ask('1.2.1')))
    await assert.rejects(postSimple(door.repository, ask('1.2.1')))
  })
})
