import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { aDocumentEntry, aSubmission, aSubmissionSet, documentBytes } from '../mothers/metadata.ts'
import { openGateway } from '../support/gateway.ts'
import { openRegistry, type Registry } from '../xds/registry/registry.ts'
import { provideAndRegister, submitObjects } from '../xds/support.ts'
import { type Answer, attack, mtom, raw, simple, stillServes } from './hostile.ts'

const sender = 'fault soap:Sender'

describe('hostile MIME over SOAP', () => {
  let registry: Registry
  let patientId: DocumentEntry['patientId']
  before(async () => {
    registry = await openRegistry()
    patientId = await registry.patient()
  })
  afterEach(() => stillServes(registry))
  after(() => registry.close())

  interface Part {
    readonly headers: readonly string[]
    readonly body: Buffer | string
  }
  /** A multipart message of parts as they are told, lines ended as asked. */
  const multipart = (parts: readonly Part[], { boundary = 'b', end = '\r\n', close = true } = {}): Buffer =>
    Buffer.concat([
      ...parts.flatMap(({ headers, body }) => [
        Buffer.from([`--${boundary}`, ...headers, '', ''].join(end)),
        Buffer.from(body),
        Buffer.from(end),
      ]),
      Buffer.from(close ? `--${boundary}--${end}` : ''),
    ])
  const xop = 'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"'
  const root = (body: string): Part => ({ headers: [xop, 'Content-ID: <root>'], body })
  const document = (body: Buffer | string = documentBytes, id = 'doc0@test', ...more: readonly string[]): Part => ({
    headers: ['Content-Type: text/xml', `Content-ID: <${id}>`, ...more],
    body,
  })
  /** ITI-41 of one document that is the part doc0@test. */
  const provide = (): string => {
    const entry = aDocumentEntry({ patientId })
    const submission = aSubmission({ submissionSet: aSubmissionSet({ patientId }), entries: [entry] })
    return registry.envelope('ITI-41', provideAndRegister(submitObjects(submission), [{ id: entry.entryUuid }]))
  }
  const post = (body: Buffer, contentType = mtom(), headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
    attack(registry.endpoint('ITI-41'), contentType, body, { headers })

  it('takes what the standards allow, however it is written', async () => {
    const two = () => [root(provide()), document()]
    const turned = () => [document(), root(provide())]
    const quoted = 'type="application/xop+xml"; boundary="b"'
    const accepted: Readonly<Record<string, Promise<Answer>>> = {
      'the root first': post(multipart(two())),
      'the root last, named by start': post(multipart(turned())),
      'no start, the root first': post(multipart(two()), mtom('b', '')),
      'parameters without quotes': post(
        multipart(two()),
        'multipart/related; type=application/xop+xml; boundary=b; start=<root>'.replace('<root>', '"<root>"'),
      ),
      'upper case': post(multipart(two()), `Multipart/Related; ${quoted}; START="<root>"`),
      'a start without brackets': post(multipart(two()), mtom('b', '; start="root"')),
      'a preamble and an epilogue': post(
        Buffer.concat([Buffer.from('preamble\r\n'), multipart(two()), Buffer.from('epilogue')]),
      ),
      'base64 as transfer encoding': post(
        multipart([
          root(provide()),
          document(documentBytes.toString('base64'), 'doc0@test', 'Content-Transfer-Encoding: base64'),
        ]),
      ),
      'header names in any case': post(
        multipart([
          {
            headers: [
              xop
                .toUpperCase()
                .replace('CHARSET=UTF-8; ', '')
                .replace('"APPLICATION/SOAP+XML"', '"application/soap+xml"'),
              'CONTENT-ID: <root>',
            ],
            body: provide(),
          },
          document(),
        ]),
      ),
      'a folded header': post(
        multipart([
          {
            headers: ['Content-Type: application/xop+xml;', ' type="application/soap+xml"', 'Content-ID: <root>'],
            body: provide(),
          },
          document(),
        ]),
      ),
    }
    for (const [what, answer] of Object.entries(accepted)) assert.equal((await answer).kind, 'success', what)
  })

  it('refuses parts that cannot be told apart or found', async () => {
    const refused: Readonly<Record<string, Promise<Answer>>> = {
      'two parts with one Content-ID': post(multipart([root(provide()), document(), document()])),
      'a part without Content-ID': post(
        multipart([root(provide()), { headers: ['Content-Type: text/xml'], body: 'x' }]),
      ),
      'a start that no part has': post(multipart([root(provide()), document()]), mtom('b', '; start="<other>"')),
      'no part at all': post(multipart([])),
      'another boundary': post(multipart([root(provide()), document()]), mtom('c')),
      'no boundary': post(multipart([root(provide())]), 'multipart/related; type="application/xop+xml"'),
      'an empty boundary': post(multipart([root(provide())]), mtom('')),
      'a boundary of 100 characters': post(
        multipart([root(provide())], { boundary: 'x'.repeat(100) }),
        mtom('x'.repeat(100)),
      ),
      'no closing delimiter': post(multipart([root(provide()), document()], { close: false })),
      'lines that end with LF': post(multipart([root(provide()), document()], { end: '\n' })),
      'lines that end with CR': post(multipart([root(provide()), document()], { end: '\r' })),
      'a root that is no SOAP 1.2': post(
        multipart([{ headers: ['Content-Type: text/xml', 'Content-ID: <root>'], body: provide() }, document()]),
      ),
      'an encoding that is not read': post(
        multipart([root(provide()), document('x', 'doc0@test', 'Content-Transfer-Encoding: quoted-printable')]),
      ),
      'base64 that is none': post(
        multipart([root(provide()), document('%%%', 'doc0@test', 'Content-Transfer-Encoding: base64')]),
      ),
      'a compressed body': post(gzipSync(multipart([root(provide()), document()])), mtom(), {
        'Content-Encoding': 'gzip',
      }),
    }
    for (const [what, answer] of Object.entries(refused)) assert.equal((await answer).kind, sender, what)
  })

  it('answers an xop:Include that resolves to nothing as a Failure', async () => {
    const envelope = provide()
    for (const href of ['cid:other', 'cid:', 'http://127.0.0.1/', 'file:///etc/passwd', 'cid:%ZZ', 'cid:root'])
      assert.match(
        (await post(multipart([root(envelope.replace('cid:doc0@test', href)), document()]))).kind,
        /^failure XDS/,
        href,
      )
  })

  it('limits headers, parts and bytes', async () => {
    const limited: Readonly<Record<string, Buffer>> = {
      'a header line of 1 MB': multipart([
        root(provide()),
        document('x', 'doc0@test', `X-Long: ${'x'.repeat(1024 * 1024)}`),
      ]),
      'a Content-ID of 1 MB': multipart([root(provide()), document('x', 'x'.repeat(1024 * 1024))]),
      '10,000 headers': multipart([
        root(provide()),
        document('x', 'doc0@test', ...Array.from({ length: 10_000 }, (_, n) => `X-${n}: y`)),
      ]),
      '1,000 parts': multipart([root(provide()), ...Array.from({ length: 1000 }, (_, n) => document('x', `p${n}`))]),
    }
    for (const [what, body] of Object.entries(limited)) assert.equal((await post(body)).kind, sender, what)
  })

  it('is not a place for parts that nobody asked for', async () => {
    const stray = Array.from({ length: 100 }, (_, n) => document(Buffer.alloc(1024, n), `stray${n}`))
    assert.equal((await post(multipart([root(provide()), document(), ...stray]))).kind, 'success')
  })

  it('survives lengths that lie and connections that end early', async () => {
    const url = registry.endpoint('ITI-41')
    const body = multipart([root(provide()), document()])
    const head = (length: string) =>
      `POST /xds/repository HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: ${mtom()}\r\n${length}\r\n\r\n`
    const shorter = await raw(url, (say) => {
      say(head(`Content-Length: ${body.length - 500}`))
      say(body)
    })
    assert.match(shorter, /^HTTP\/1\.1 400 /)
    await raw(url, (say, hangUp) => {
      say(head(`Content-Length: ${body.length + 500}`))
      say(body)
      hangUp()
    })
    await raw(url, (say, hangUp) => {
      say(head('Transfer-Encoding: chunked'))
      say('10\r\nshort')
      hangUp()
    })
    assert.match(
      await raw(url, (say) => {
        say(head('Transfer-Encoding: chunked'))
        say('zz\r\n\r\n')
      }),
      /^HTTP\/1\.1 400 /,
    )
    assert.match(
      await raw(url, (say) => say(head('Content-Length: 5\r\nTransfer-Encoding: chunked'))),
      /^HTTP\/1\.1 400 /,
    )
    assert.match(
      await raw(url, (say) =>
        say(`POST /xds/repository HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`),
      ),
      /^HTTP\/1\.1 431 /,
    )
  })

  it('serves others while slow clients hold their connections', async () => {
    const url = registry.endpoint('ITI-41')
    const body = multipart([root(provide()), document()])
    let goOn = true
    const slow = Array.from({ length: 100 }, () =>
      raw(url, async (say, hangUp) => {
        say(
          `POST /xds/repository HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${mtom()}\r\nContent-Length: ${body.length}\r\n\r\n`,
        )
        for (let at = 0; goOn && at < 1000; at += 1) {
          say(body.subarray(at, at + 1))
          await wait(1)
        }
        hangUp()
      }),
    )
    for (let n = 0; n < 5; n += 1) await stillServes(registry)
    goOn = false
    await Promise.all(slow)
  })

  it('leaves nothing in the spool, whoever sends it', async () => {
    await using gateway = await openGateway()
    const url = `${gateway.url}/xds/repository`
    const large = Buffer.alloc(2 * 1024 * 1024, 1)
    for (const body of [
      multipart([root(provide()), document(large)]),
      multipart([root(provide()), document(large), document(large)]),
      multipart([root(provide()), document(large)], { close: false }),
    ])
      assert.equal((await attack(url, mtom(), body)).kind, sender)
    await raw(url, (say, hangUp) => {
      say(
        `POST /xds/repository HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${mtom()}\r\nContent-Length: 9999999\r\n\r\n`,
      )
      say(multipart([root(provide()), document(large)], { close: false }))
      hangUp()
    })
    const spool = path.join(gateway.data, 'spool')
    for (let tries = 0; tries < 100 && readdirSync(spool).length > 0; tries += 1) await wait(10)
    assert.deepEqual(readdirSync(spool), [])
  })

  it('speaks SOAP 1.2 by POST and nothing else', async () => {
    const url = registry.endpoint('ITI-41')
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
      assert.equal((await attack(url, simple, provide(), { method })).status, 405, method)
    for (const type of [
      'text/xml',
      'application/json',
      'application/x-www-form-urlencoded',
      'application/soap+xml; charset=UTF-16',
      'a',
      '',
    ])
      assert.equal((await attack(url, type, provide())).status, 415, type)
  })
})
