import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import fc from 'fast-check'
import { ns } from '../../../src/xds/namespaces.ts'
import { inPieces } from '../../arbitraries/xml.ts'
import {
  boundary,
  envelope,
  include,
  mtomType,
  multipart,
  part,
  post,
  type ReadBack,
  root,
  rootHeader,
  sha1,
  startServer,
  type TestServer,
} from './support.ts'

const pdf = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) & 0xff))
const text = Buffer.from('un document\r\n')

describe('SOAP message reader', () => {
  let server: TestServer
  before(async () => {
    server = await startServer({
      maxDocumentBytes: 4_000_000,
      maxEnvelopeBytes: 200_000,
      maxParts: 20,
      maxMessageBytes: 8_000_000,
    })
  })
  after(() => server.close())
  afterEach(async () => {
    await server.handled()
    assert.deepEqual(server.spoolFiles(), [], 'nothing is left in the spool')
  })
  const send = async (contentType: string | undefined, body: Uint8Array | string, headers = {}): Promise<ReadBack> =>
    await post(server.port, contentType, [Buffer.from(body as string)], headers)

  describe('MTOM', () => {
    it('reads the envelope and every document, in memory or in a file', async () => {
      const read = await send(
        mtomType,
        multipart(
          root(envelope(include('cid:1@test'), include('cid:2@test'))),
          part('1@test', text),
          part('2@test', pdf),
        ),
      )
      assert.equal(read.status, 200, read.detail)
      assert.equal(read.packaging, 'mtom')
      assert.equal(read.root, 'Envelope')
      assert.equal(read.action, 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b')
      assert.deepEqual(read.documents, [
        { size: text.length, sha1: sha1(text) },
        { size: pdf.length, sha1: sha1(pdf) },
      ])
    })

    it('reads a message of some megabytes in any pieces', async () => {
      const document = Buffer.concat(Array.from({ length: 9 }, () => pdf))
      const body = multipart(root(envelope(include('cid:1@test'))), part('1@test', document))
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 30 }),
          async (sizes) => {
            // A few odd pieces at each end, where the delimiters stand, and large ones between
            const pieces = inPieces(body, [...sizes, 1_000_000])
            const read = await post(server.port, mtomType, pieces)
            assert.deepEqual(read.documents, [{ size: document.length, sha1: sha1(document) }], read.detail)
          },
        ),
        { numRuns: 8 },
      )
    })

    it('reads the root wherever start says it is', async () => {
      const read = await send(
        mtomType,
        multipart(part('1@test', pdf), part('2@test', text), root(envelope(include('cid:2@test')))),
      )
      assert.deepEqual(read.documents, [{ size: text.length, sha1: sha1(text) }], read.detail)
    })

    it('takes the first part for the root when there is no start', async () => {
      const type = `Multipart/Related; type=application/xop+xml; boundary=${boundary}`
      const anonymous = { header: rootHeader.slice(0, 1), body: envelope(include('cid:1@test')) }
      const read = await send(type, multipart(anonymous, part('1@test', text)))
      assert.deepEqual(read.documents, [{ size: text.length, sha1: sha1(text) }], read.detail)
      assert.equal(read.action, undefined)
    })

    it('reads parameters quoted or not, and a start without its brackets', async () => {
      const type = `multipart/related;boundary=${boundary};type=application/xop+xml;start=root@test;start-info="application/soap+xml; action=\\"urn:a\\""`
      const read = await send(type, multipart(part('1@test', text), root(envelope(include('cid:1@test')))))
      assert.equal(read.status, 200, read.detail)
      assert.equal(read.action, 'urn:a')
    })

    it('takes the action of the root part when the message has none', async () => {
      const type = `multipart/related; boundary=${boundary}; type="application/xop+xml"`
      const header = ['Content-Type: application/xop+xml; type="application/soap+xml; action=\\"urn:b\\""']
      assert.equal((await send(type, multipart({ header, body: envelope() }))).action, 'urn:b')
    })

    it('decodes a cid and compares it without brackets', async () => {
      for (const [contentId, href] of [
        ['http://test/1 2', 'cid:http%3A%2F%2Ftest%2F1%202'],
        ['a%41@test', 'cid:a%41@test'],
        ['é@test'.normalize(), 'CID:Ã©@test'],
      ] as const) {
        const read = await send(mtomType, multipart(root(envelope(include(href))), part(contentId, text)))
        assert.deepEqual(read.documents, [{ size: text.length, sha1: sha1(text) }], `${href}: ${read.detail}`)
      }
    })

    it('decodes base64 parts, documents and root', async () => {
      const encoded = pdf.toString('base64').replace(/(.{76})/g, '$1\r\n')
      const base64Root = {
        header: ['Content-Type: application/xop+xml', 'Content-ID: <root@test>', 'Content-Transfer-Encoding: BASE64'],
        body: Buffer.from(envelope(include('cid:1@test'))).toString('base64'),
      }
      const read = await send(
        mtomType,
        multipart(part('1@test', encoded, 'Content-Transfer-Encoding: base64'), base64Root),
      )
      assert.deepEqual(read.documents, [{ size: pdf.length, sha1: sha1(pdf) }], read.detail)
    })

    it('reads inline base64 in an MTOM message, an empty Document and an empty part', async () => {
      const read = await send(
        mtomType,
        multipart(root(envelope('QUJD', '', include('cid:1@test'))), part('1@test', '')),
      )
      assert.deepEqual(
        read.documents?.map((each) => each?.size),
        [3, undefined, 0],
        read.detail,
      )
    })

    it('keeps the exact source of a SAML assertion', async () => {
      const assertion = `<saml:Assertion xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion'  ID="a">é</saml:Assertion>`
      const security = `<w:Security xmlns:w="${ns.wsse}">${assertion}</w:Security>`
      for (const where of [assertion, security]) {
        const header = `<s:Header>${where}</s:Header>`
        const read = await send(mtomType, multipart(root(envelope().replace('<s:Header/>', header))))
        assert.equal(read.assertion, assertion)
      }
    })

    it('is read whole: only the assertion that is verified is left to its verifier', async () => {
      const broken = `<saml:Assertion xmlns:saml='urn:oasis:names:tc:SAML:2.0:assertion'>a < b</saml:Assertion>`
      const security = `<w:Security xmlns:w="${ns.wsse}">${broken}</w:Security>`
      for (const where of [broken, `<x xmlns="urn:x">${security}</x>`]) {
        const header = `<s:Header>${where}</s:Header>`
        const read = await send(mtomType, multipart(root(envelope().replace('<s:Header/>', header))))
        assert.equal(read.error, 'malformed')
      }
    })

    it('ignores a part that nobody refers to', async () => {
      const read = await send(mtomType, multipart(root(envelope()), part('1@test', pdf)))
      assert.deepEqual(read.documents, [], read.detail)
    })
  })

  describe('plain SOAP', () => {
    it('reads the envelope and its inline documents', async () => {
      const read = await send(
        'application/soap+xml; charset=UTF-8; action="urn:a"',
        envelope(pdf.toString('base64'), '\n QUJD\n'),
      )
      assert.equal(read.packaging, 'simple', read.detail)
      assert.equal(read.action, 'urn:a')
      assert.deepEqual(read.documents, [
        { size: pdf.length, sha1: sha1(pdf) },
        { size: 3, sha1: sha1(Buffer.from('ABC')) },
      ])
    })

    it('reads a charset in any case, or none', async () => {
      for (const type of ['application/soap+xml', 'Application/SOAP+xml;charset="utf-8"'])
        assert.equal((await send(type, envelope())).status, 200)
    })
  })

  const simple = 'application/soap+xml'
  const good = root(envelope(include('cid:1@test')))
  const document = part('1@test', text)

  it('refuses a Content-Encoding', async () => {
    assert.equal((await send(simple, envelope(), { 'Content-Encoding': 'gzip' })).error, 'media-type')
  })

  it('answers a refused message while it is still being sent, and goes on with the connection', async () => {
    const socket = net.connect(server.port, '127.0.0.1')
    const answers: string[] = []
    socket.setEncoding('utf8').on('data', (chunk: string) => answers.push(chunk))
    const body = Buffer.concat([Buffer.from('<!DOCTYPE a>'), Buffer.alloc(3_000_000, 'x')])
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${simple}\r\nContent-Length: ${body.length}\r\n\r\n`)
    socket.write(body.subarray(0, 1000))
    await once(socket, 'data')
    assert.match(answers.join(''), /^HTTP\/1\.1 400 [\s\S]*DOCTYPE/)
    socket.write(body.subarray(1000))
    answers.length = 0
    const next = envelope('QUJD')
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${simple}\r\nContent-Length: ${next.length}\r\nConnection: close\r\n\r\n${next}`,
    )
    await once(socket, 'end')
    assert.match(answers.join(''), /^HTTP\/1\.1 200 [\s\S]*"size":3/)
    socket.destroy()
  })

  it('removes what it spooled when the sender goes away', async () => {
    const whole = multipart(good, part('1@test', pdf))
    const socket = net.connect(server.port, '127.0.0.1')
    socket.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${mtomType}\r\nContent-Length: ${whole.length}\r\n\r\n`)
    socket.write(whole.subarray(0, -1000))
    socket.end()
    await server.handled({ next: true })
    socket.destroy()
    assert.deepEqual(server.spoolFiles(), [])
  })

  it('reads no message that its Content-Length cuts short', async () => {
    const whole = multipart(good, document)
    const socket = net.connect(server.port, '127.0.0.1')
    let answer = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk
    })
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${mtomType}\r\nContent-Length: ${whole.length - 50}\r\n\r\n`,
    )
    socket.write(whole)
    await once(socket, 'close')
    assert.match(answer, /^HTTP\/1\.1 400 /)
    await server.handled()
  })
})
