import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Dicer } from '@fastify/busboy'
import { createSpool, encodeBase64, type Spool } from '../../../src/spool/index.ts'
import { readMessage } from '../../../src/xds/mtom/reader.ts'
import { cidUri, newContentId, writeMtom, writeSimple } from '../../../src/xds/mtom/writer.ts'
import { XmlWriter } from '../../../src/xml/writer.ts'
import { envelope, include, sha1, soapNs, xdsB } from './support.ts'

type Answer = (response: http.ServerResponse) => Promise<void>

describe('SOAP answer writer', () => {
  let directory: string
  let spool: Spool
  let server: http.Server
  let answer: Answer
  let outcome: Promise<unknown>
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'dmp-writer-'))
    spool = createSpool({ directory, maxBytes: 1024 ** 3 })
    server = http.createServer((request, response) => {
      request.resume()
      outcome = answer(response).then(
        () => undefined,
        (error: unknown) => error,
      )
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(directory, { recursive: true, force: true })
  })

  async function get(with_: Answer): Promise<http.IncomingMessage> {
    answer = with_
    const request = http.get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    return response
  }

  async function body(response: http.IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  }

  const documents = [Buffer.from('un\r\n--MIMEBoundary document'), Buffer.alloc(3_000_000, 'é漢'), Buffer.alloc(0)]
  const parts = documents.map((bytes) => ({
    contentId: newContentId(),
    contentType: 'application/pdf',
    stream: () => Readable.from(bytes.length > 0 ? [bytes] : []),
  }))
  const mtom: Answer = (response) =>
    writeMtom(response, {
      action: 'urn:ihe:iti:2007:RetrieveDocumentSetResponse',
      envelope: Buffer.from(envelope(...parts.map(({ contentId }) => include(cidUri(contentId))))),
      parts,
    })

  it('writes what our own reader reads', async () => {
    const response = await get(mtom)
    assert.equal(response.statusCode, 200)
    const message = await readMessage(response, { spool })
    assert.equal(message.mediaTypeAction, 'urn:ihe:iti:2007:RetrieveDocumentSetResponse')
    const elements = message.envelope.children[1]?.children[0]?.children ?? []
    assert.deepEqual(
      elements.map((element) => message.document(element)?.sha1),
      documents.map(sha1),
    )
    await message.dispose()
  })

  it('writes what an independent reader splits into the same parts', async () => {
    const response = await get(mtom)
    const boundary = /boundary="([^"]+)"/.exec(response.headers['content-type'] ?? '')?.[1] ?? ''
    const read: { header: Record<string, string[]>; body: Buffer }[] = []
    const dicer = new Dicer({ boundary })
    dicer.on('part', (part) => {
      const chunks: Buffer[] = []
      part.on('header', (header) => {
        part.on('data', (chunk: Buffer) => chunks.push(chunk))
        part.on('end', () =>
          read.push({ header: header as unknown as Record<string, string[]>, body: Buffer.concat(chunks) }),
        )
      })
    })
    response.pipe(dicer)
    await once(dicer, 'finish')
    assert.match(response.headers['content-type'] ?? '', new RegExp(`start="${read[0]?.header['content-id']?.[0]}"`))
    assert.match(
      read[0]?.header['content-type']?.[0] ?? '',
      /^application\/xop\+xml; charset=UTF-8; type="application\/soap\+xml"/,
    )
    assert.deepEqual(
      read.slice(1).map((each) => [each.header['content-id']?.[0], each.header['content-type']?.[0], sha1(each.body)]),
      parts.map(({ contentId }, index) => [
        `<${contentId}>`,
        'application/pdf',
        sha1(documents[index] ?? Buffer.alloc(0)),
      ]),
    )
  })

  it('gives a small answer its Content-Length, and lets a caller set the status', async () => {
    const response = await get((out) => writeMtom(out, { status: 500, envelope: Buffer.from(envelope()), parts: [] }))
    const bytes = await body(response)
    assert.equal(response.statusCode, 500)
    assert.equal(Number(response.headers['content-length']), bytes.length)
  })

  it('writes a plain answer with its documents as base64 while they stream', async () => {
    async function* simple(): AsyncGenerator<Buffer> {
      const writer = new XmlWriter()
        .start('s:Envelope', { 'xmlns:s': soapNs, xmlns: xdsB })
        .start('s:Body')
        .start('Response')
      for (const bytes of documents) {
        writer.start('Document')
        yield writer.take()
        yield* encodeBase64(Readable.from([bytes]))
        writer.end()
      }
      yield writer.end().end().end().take()
    }
    const response = await get((out) => writeSimple(out, { action: 'urn:a', envelope: simple() }))
    assert.equal(response.headers['content-type'], 'application/soap+xml; charset=UTF-8; action="urn:a"')
    const message = await readMessage(response, { spool })
    const elements = message.envelope.children[0]?.children[0]?.children ?? []
    assert.deepEqual(
      elements.map((element) => message.document(element)?.sha1),
      [...documents.slice(0, 2).map(sha1), undefined],
    )
    await message.dispose()
  })

  it('breaks the connection off when a document fails midway', async () => {
    const failing = {
      contentId: newContentId(),
      contentType: 'text/plain',
      stream: () =>
        Readable.from(
          (async function* () {
            for (let sent = 0; sent < 5; sent++) yield Buffer.alloc(500_000)
            throw new Error('disk gone')
          })(),
        ),
    }
    const response = await get((out) => writeMtom(out, { envelope: Buffer.from(envelope()), parts: [failing] }))
    await assert.rejects(body(response), /aborted|ECONNRESET/)
    assert.match(String(await outcome), /disk gone/)
  })

  it('leaves the answer to its caller when nothing was written yet', async () => {
    const failing = {
      contentId: newContentId(),
      contentType: 'text/plain',
      stream: () => Readable.from([]).destroy(new Error('gone')),
    }
    const response = await get(async (out) => {
      await assert.rejects(writeMtom(out, { envelope: Buffer.from(envelope()), parts: [failing] }), /gone/)
      assert(!out.headersSent)
      out.statusCode = 503
      out.end()
    })
    assert.equal(response.statusCode, 503)
    assert.equal(await outcome, undefined)
    response.resume()
  })

  it('closes the document and says so when the reader goes away', async () => {
    const endless = new Readable({
      read() {
        this.push(Buffer.alloc(64 * 1024))
      },
    })
    const part = { contentId: newContentId(), contentType: 'text/plain', stream: () => endless }
    const response = await get((out) => writeMtom(out, { envelope: Buffer.from(envelope()), parts: [part] }))
    await once(response, 'readable')
    const closed = new Promise((resolve) => endless.on('error', () => {}).on('close', resolve))
    response.destroy()
    await closed
    assert((await outcome) instanceof Error)
  })

  it('never turns a mimeType of a submission into a second header', async () => {
    const part = { contentId: newContentId(), contentType: 'text/plain\r\nX-Evil: 1', stream: () => Readable.from([]) }
    const bytes = await body(await get((out) => writeMtom(out, { envelope: Buffer.from(envelope()), parts: [part] })))
    assert(!bytes.includes('X-Evil'))
    assert(bytes.includes('Content-Type: application/octet-stream\r\n'))
    assert.equal(cidUri('a b@c'), 'cid:a%20b%40c')
    await get(async (out) => {
      await assert.rejects(
        writeMtom(out, { envelope: Buffer.alloc(0), parts: [{ ...part, contentId: 'a>\r\n' }] }),
        RangeError,
      )
      await assert.rejects(writeSimple(out, { action: 'a\r\nb', envelope: Buffer.alloc(0) }), RangeError)
      out.end()
    })
    assert.equal(await outcome, undefined)
  })

  it('leaves no file behind', () => {
    assert.deepEqual(readdirSync(directory), [])
  })
})
