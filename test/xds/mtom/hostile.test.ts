import assert from 'node:assert/strict'
import {
  boundary,
  envelope,
  include,
  mtomType,
  multipart,
  part,
  post,
  root,
  startServer,
  type TestServer,
} from './support.ts'

/** Kind of message, Content-Type, body, error code, and what the detail says. */
type Hostile = readonly [string, string | undefined, Uint8Array | string, string, RegExp]

const simple = 'application/soap+xml'
const good = root(envelope(include('cid:1@test')))
const document = part('1@test', 'un document')
const many = (count: number) => Array.from({ length: count }, (_, index) => part(`${index}@test`, 'x'))
const hostile: readonly Hostile[] = [
  ['no Content-Type', undefined, envelope(), 'media-type', /application\/soap\+xml/],
  ['SOAP 1.1', 'text/xml; charset=utf-8', envelope(), 'media-type', /SOAP 1\.1/],
  ['JSON', 'application/json', '{}', 'media-type', /SOAP 1\.2/],
  ['a form', `multipart/form-data; boundary=${boundary}`, multipart(good), 'media-type', /multipart\/related/],
  [
    'SOAP with attachments',
    `multipart/related; boundary=${boundary}; type="text/xml"`,
    multipart(good),
    'media-type',
    /xop\+xml/,
  ],
  [
    'MTOM of SOAP 1.1',
    mtomType.replace('start-info="application/soap+xml"', 'start-info="text/xml"'),
    multipart(good),
    'media-type',
    /start-info/,
  ],
  ['another charset', 'application/soap+xml; charset=iso-8859-1', envelope(), 'media-type', /utf-8/],
  [
    'a root of another type',
    mtomType,
    multipart({ header: ['Content-Type: text/xml', 'Content-ID: <root@test>'], body: envelope() }),
    'media-type',
    /xop\+xml/,
  ],
  [
    'a root of SOAP 1.1',
    mtomType,
    multipart({
      header: ['Content-Type: application/xop+xml; type="text/xml"', 'Content-ID: <root@test>'],
      body: envelope(),
    }),
    'media-type',
    /SOAP 1\.2/,
  ],
  ['no boundary', 'multipart/related; type="application/xop+xml"', multipart(good), 'malformed', /boundary/],
  ['the wrong boundary', mtomType.replace(boundary, 'other'), multipart(good, document), 'malformed', /boundary/],
  ['a message cut inside a document', mtomType, multipart(good, document).subarray(0, -40), 'malformed', /cut short/],
  [
    'a message cut before its closing delimiter',
    mtomType,
    multipart(good, document).subarray(0, -6),
    'malformed',
    /cut short/,
  ],
  [
    'lines that end with LF',
    mtomType,
    multipart(good, document).toString('latin1').replaceAll('\r\n', '\n'),
    'malformed',
    /CRLF/,
  ],
  [
    'a start that no part has',
    mtomType.replace('root@test', 'absent@test'),
    multipart(good, document),
    'malformed',
    /start parameter/,
  ],
  ['no part at all', mtomType, `--${boundary}--\r\n`, 'malformed', /start parameter/],
  [
    'a cid that no part has',
    mtomType,
    multipart(root(envelope(include('cid:absent@test'))), document),
    'malformed',
    /cid:ID/,
  ],
  [
    'a cid with a broken escape',
    mtomType,
    multipart(root(envelope(include('cid:%ZZ'))), document),
    'malformed',
    /cid:ID/,
  ],
  [
    'a reference that is no cid',
    mtomType,
    multipart(root(envelope(include('http://127.0.0.1/x'))), document),
    'malformed',
    /cid:ID/,
  ],
  [
    'a reference to the root',
    mtomType,
    multipart(root(envelope(include('cid:root@test'))), document),
    'malformed',
    /cid:ID/,
  ],
  [
    'an Include without href',
    mtomType,
    multipart(root(envelope(include('').replace('href', 'id'))), document),
    'malformed',
    /cid:ID/,
  ],
  [
    'two Documents on one part',
    mtomType,
    multipart(root(envelope(include('cid:1@test'), include('cid:1@test'))), document),
    'malformed',
    /same part/,
  ],
  [
    'two Includes in one Document',
    mtomType,
    multipart(root(envelope(include('cid:1@test') + include('cid:1@test'))), document),
    'malformed',
    /Include/,
  ],
  [
    'text beside an Include',
    mtomType,
    multipart(root(envelope(`${include('cid:1@test')}QUJD`)), document),
    'malformed',
    /Include/,
  ],
  ['another element in a Document', mtomType, multipart(root(envelope('<x/>')), document), 'malformed', /Include/],
  ['a repeated Content-ID', mtomType, multipart(good, document, document), 'malformed', /same Content-ID/],
  [
    'the Content-ID of the root again',
    mtomType,
    multipart(good, document, part('root@test', 'x')),
    'malformed',
    /same Content-ID/,
  ],
  [
    'a part without Content-ID',
    mtomType,
    multipart(good, { header: ['Content-Type: text/plain'], body: 'x' }),
    'malformed',
    /no Content-ID/,
  ],
  [
    'quoted-printable',
    mtomType,
    multipart(good, part('1@test', 'x', 'Content-Transfer-Encoding: quoted-printable')),
    'malformed',
    /send binary/,
  ],
  [
    'a broken base64 part',
    mtomType,
    multipart(good, part('1@test', 'QU!D', 'Content-Transfer-Encoding: base64')),
    'malformed',
    /base64/,
  ],
  [
    'a base64 part cut short',
    mtomType,
    multipart(good, part('1@test', 'QUJDR', 'Content-Transfer-Encoding: base64')),
    'malformed',
    /incomplete/,
  ],
  ['broken inline base64', simple, envelope('QUJ*'), 'malformed', /base64/],
  ['inline base64 with a comment', simple, envelope('QU<!-- -->JD'), 'malformed', /base64/],
  ['inline base64 after a comment', simple, envelope('<!-- -->QUJD'), 'malformed', /base64/],
  ['inline base64 in CDATA', simple, envelope('<![CDATA[QUJD]]>'), 'malformed', /base64/],
  ['a forged placeholder', simple, envelope('QUJD', '<![CDATA[dmp-spool:0]]>'), 'malformed', /base64/],
  ['an XML that is not well formed', simple, envelope('QUJD').replace('</s:Body>', ''), 'malformed', /well formed/],
  ['a DOCTYPE', simple, envelope().replace('?>', '?><!DOCTYPE a [<!ENTITY b "c">]>'), 'malformed', /DOCTYPE/],
  [
    'a DOCTYPE in MTOM',
    mtomType,
    multipart(root(envelope().replace('?>', '?><!DOCTYPE a>')), document),
    'malformed',
    /DOCTYPE/,
  ],
  [
    'a processing instruction',
    simple,
    envelope().replace('<s:Header/>', '<?a b?>'),
    'malformed',
    /processing instruction/,
  ],
  ['UTF-16', simple, Buffer.from(`\ufeff${envelope()}`, 'utf16le'), 'malformed', /UTF-8/],
  ['bytes that are not UTF-8', simple, Buffer.from(envelope('é'), 'latin1'), 'malformed', /base64/],
  ['an empty body', simple, '', 'malformed', /root element/],
  ['a nesting bomb', simple, '<a>'.repeat(60_000), 'over-limit', /nested/],
  [
    '10,000 attributes',
    simple,
    `<a ${Array.from({ length: 10_000 }, (_, index) => `a${index}=""`).join(' ')}/>`,
    'over-limit',
    /attributes/,
  ],
  [
    'a header line of 1 MB',
    mtomType,
    multipart(good, part('1@test', 'x', `X-Long: ${'y'.repeat(1_000_000)}`)),
    'over-limit',
    /header/,
  ],
  [
    '1 MB of header lines',
    mtomType,
    multipart(good, part('1@test', 'x', ...Array.from({ length: 100_000 }, (_, index) => `X-${index}: y`))),
    'over-limit',
    /header/,
  ],
  ['1,000 parts', mtomType, multipart(good, ...many(1000)), 'over-limit', /20 parts/],
  [
    '1,000 inline documents',
    simple,
    envelope(...Array.from({ length: 1000 }, () => 'QQ==')),
    'over-limit',
    /20 inline/,
  ],
  ['an envelope above its limit', simple, `<a>${'<b/>'.repeat(60_000)}</a>`, 'over-limit', /200000 bytes/],
  [
    'a document above its limit',
    mtomType,
    multipart(good, part('1@test', Buffer.alloc(4_000_001))),
    'over-limit',
    /4000000 bytes/,
  ],
  [
    'an inline document above its limit',
    simple,
    envelope(Buffer.alloc(4_000_001).toString('base64')),
    'over-limit',
    /4000000 bytes/,
  ],
  [
    'a message above its limit',
    mtomType,
    multipart(
      good,
      document,
      part('2@test', Buffer.alloc(3_999_999)),
      part('3@test', Buffer.alloc(3_999_999)),
      part('4@test', Buffer.alloc(99_999)),
    ),
    'over-limit',
    /8000000 bytes/,
  ],
]

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

  describe('refuses, and says what to send,', () => {
    for (const [title, type, body, code, detail] of hostile)
      it(title, async () => {
        for (const headers of [
          { 'Transfer-Encoding': 'chunked' },
          { 'Content-Length': Buffer.byteLength(body as string) },
        ]) {
          const read = await post(server.port, type, [Buffer.from(body as string)], headers)
          assert.equal(read.error, code, read.detail)
          assert.match(read.detail ?? '', detail)
          await server.handled()
          assert.deepEqual(server.spoolFiles(), [], 'nothing is left in the spool')
        }
      })
  })
})
