/** The trace on its way out: real receivers on this machine, a real store, and every way in which they can be away. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type EmbeddedDmp, openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import type { Oid } from '../../src/metadata/identifiers.ts'
import {
  type Destination,
  fhirDestination,
  startExport,
  syslogDestination,
  type TraceExport,
} from '../../src/trace/index.ts'
import { anAccessRecord } from '../dmp/mothers.ts'
import { aCertificate, anAuthority, aServerCertificate, type Certified, clientUsage } from '../support/pki.ts'
import { parseSyslog, type SyslogReceiver, sequenceOf, startSyslogReceiver } from '../support/syslog-receiver.ts'

const source = { id: '1.2.250.1.999.1' }

/** Waits for what happens elsewhere; fails after five seconds. */
async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return
    await wait(10)
  }
  assert.fail(`never: ${what}`)
}

describe('the export of the trace', () => {
  let folder: string
  let root: Certified
  let clients: Certified
  let node: Certified
  const open: { close(): Promise<void> }[] = []
  before(async () => {
    root = await anAuthority('RACINE')
    clients = await anAuthority('RACINE CLIENTS')
    node = await aCertificate(clients, { name: 'CN=passerelle,O=CH EXEMPLE,C=FR', extendedUsages: [clientUsage] })
  })
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-export-'))
  })
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close()
    await rm(folder, { recursive: true, force: true })
  })

  const kept = <T extends { close(): Promise<void> }>(each: T): T => {
    open.push(each)
    return each
  }
  const closed = async (each: { close(): Promise<void> }): Promise<void> => {
    open.splice(open.indexOf(each), 1)
    await each.close()
  }
  const store = async (): Promise<EmbeddedDmp> =>
    kept(await openEmbeddedDmp({ directory: folder, repositoryUniqueId: '1.2.250.1.999.1' as Oid }))
  const record = async ({ trace }: EmbeddedDmp, count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => trace.record(anAccessRecord())))
  }
  interface Lines {
    readonly lines: { level: string; fields: object; message: string }[]
    log: Parameters<typeof startExport>[0]['log']
  }
  const logged = (): Lines => {
    const lines: Lines['lines'] = []
    const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message })
    return { lines, log: { info: at('info'), warn: at('warn'), error: at('error') } }
  }
  const exporting = (dmp: EmbeddedDmp, destinations: readonly Destination[], log = logged().log): TraceExport =>
    kept(startExport({ feed: dmp.traceFeed, destinations, log, interval: 5, longestWait: 40 }))
  const syslog = (port: number, more: object = {}): Destination =>
    syslogDestination({ host: '127.0.0.1', port, ca: Buffer.from(root.pem), source, ...more })
  const sequences = ({ messages }: SyslogReceiver): number[] => messages.map(sequenceOf)
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

  it('sends every record in order over TLS, with the header that ITI-20 asks for', async () => {
    const dmp = await store()
    const receiver = kept(await startSyslogReceiver({ root }))
    await record(dmp, 3)
    const running = exporting(dmp, [syslog(receiver.port)])
    await until('three messages', () => receiver.messages.length === 3)
    await record(dmp, 450)
    await until('all messages', () => receiver.messages.length === 453)
    assert.deepEqual(sequences(receiver), upTo(453))
    await until('the position', async () => (await running.pending()).syslog === 0)
    const { pri, version, timestamp, app, messageId, data, text } = parseSyslog(receiver.messages[0] ?? '')
    assert.deepEqual([pri, version, app, messageId, data], ['85', '1', 'dmp-gateway', 'IHE+RFC-3881', '-'])
    assert.match(timestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.match(text, /^<\?xml version="1.0" encoding="UTF-8"\?><AuditMessage>/)
  })

  it('proves who it is to a receiver that asks, and sends nothing to one it does not know', async () => {
    const dmp = await store()
    await record(dmp, 1)
    const strict = kept(await startSyslogReceiver({ root, clients }))
    exporting(dmp, [syslog(strict.port, { certificate: Buffer.from(node.pem), key: Buffer.from(node.keyPem) })])
    await until('a message', () => strict.messages.length === 1)
    assert.deepEqual(strict.clients, ['passerelle'])

    const stranger = kept(await startSyslogReceiver({ root: await anAuthority('AUTRE') }))
    const { lines, log } = logged()
    const elsewhere = { ...syslog(stranger.port), name: 'elsewhere' }
    exporting(dmp, [elsewhere], log)
    await until('a warning', () => lines.length > 0)
    assert.deepEqual(stranger.messages, [])
    assert.match(JSON.stringify(lines[0]), /elsewhere.*UNABLE_TO|SELF_SIGNED/)
  })

  it('goes on when the receiver comes back, after however many records', async () => {
    const dmp = await store()
    const first = await startSyslogReceiver({ root })
    const { port } = first
    await first.close()
    const { lines, log } = logged()
    const running = exporting(dmp, [syslog(port)], log)
    await record(dmp, 20)
    await until('failures', () => lines.length >= 2)
    assert.equal((await running.pending()).syslog, 20)
    const receiver = kept(await startSyslogReceiver({ root, port }))
    await until('all messages', () => receiver.messages.length === 20)
    await until('word of it', () => lines.some(({ message }) => message === 'trace export works again'))
    assert.deepEqual(sequences(receiver), upTo(20))
    assert.doesNotMatch(JSON.stringify(lines), /26005|8997|EXEMPLE/)
  })

  it('sends again what a receiver broke off, and leaves nothing out', async () => {
    const dmp = await store()
    const receiver = kept(await startSyslogReceiver({ root }))
    receiver.breakAfter = 4
    await record(dmp, 10)
    const running = exporting(dmp, [syslog(receiver.port)])
    await until('two attempts', () => receiver.messages.length >= 8)
    assert.equal((await running.pending()).syslog, 10)
    receiver.breakAfter = undefined
    await until('all of it', async () => (await running.pending()).syslog === 0)
    assert.deepEqual(
      [...new Set(sequences(receiver))].sort((a, b) => a - b),
      upTo(10),
    )
    assert.deepEqual(sequences(receiver).slice(-10), upTo(10))
  })

  it('holds nothing to be sent that the receiver has not confirmed by its close', async () => {
    const dmp = await store()
    const receiver = kept(await startSyslogReceiver({ root }))
    receiver.deaf = true
    await record(dmp, 2)
    const running = exporting(dmp, [syslog(receiver.port, { timeout: 100 })])
    await until('two attempts', () => receiver.messages.length >= 4)
    assert.equal((await running.pending()).syslog, 2)
    receiver.deaf = false
    await until('all of it', async () => (await running.pending()).syslog === 0)
  })

  it('begins after a restart where each destination stands', async () => {
    const first = await store()
    const receiver = kept(await startSyslogReceiver({ root }))
    await record(first, 5)
    const running = exporting(first, [syslog(receiver.port)])
    await until('five', async () => (await running.pending()).syslog === 0)
    await closed(running)
    await record(first, 2)
    await closed(first)
    const second = await store()
    const late = kept(await startSyslogReceiver({ root }))
    exporting(second, [syslog(receiver.port), { ...syslog(late.port), name: 'late' }])
    await until('seven', () => receiver.messages.length === 7 && late.messages.length === 7)
    assert.deepEqual(sequences(receiver), upTo(7))
    assert.deepEqual(sequences(late), upTo(7))
  })

  it('is not held up by one destination that is away', async () => {
    const dmp = await store()
    const away = await startSyslogReceiver({ root })
    await away.close()
    const receiver = kept(await startSyslogReceiver({ root }))
    await record(dmp, 3)
    exporting(dmp, [{ ...syslog(away.port), name: 'away' }, syslog(receiver.port)])
    await until('three', () => receiver.messages.length === 3)
  })

  describe('as AuditEvents', () => {
    interface Repository {
      readonly url: string
      readonly posted: { readonly id: string; readonly path: string; readonly headers: IncomingMessage['headers'] }[]
      /** Status of the answer to the next requests, first for the next; 201 when empty. */
      readonly answers: number[]
      close(): Promise<void>
    }

    const startRepository = async (secure?: Certified): Promise<Repository> => {
      const posted: Repository['posted'] = []
      const answers: number[] = []
      const listener = (request: IncomingMessage, response: { writeHead(status: number): { end(): void } }): void => {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          const status = answers.shift() ?? 201
          const body = JSON.parse(Buffer.concat(chunks).toString()) as { id: string }
          if (status === 201) posted.push({ id: body.id, path: request.url ?? '', headers: request.headers })
          response.writeHead(status).end()
        })
      }
      const own = secure && (await aServerCertificate(root))
      const server = own
        ? createHttpsServer({ key: own.keyPem, cert: own.pem, ca: clients.pem, requestCert: true }, listener)
        : createHttpServer(listener)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      return kept({
        url: `${own ? 'https' : 'http'}://127.0.0.1:${port}/fhir/`,
        posted,
        answers,
        async close() {
          server.closeAllConnections()
          server.close()
          await once(server, 'close')
        },
      })
    }
    const toJson = (each: { id: string }): string => JSON.stringify({ resourceType: 'AuditEvent', id: each.id })
    const ids = async (dmp: EmbeddedDmp): Promise<string[]> =>
      (await dmp.traceFeed.after(0, 1000)).map(({ record: { id } }) => id)

    it('posts each, in order, with the token', async () => {
      const dmp = await store()
      const repository = await startRepository()
      await record(dmp, 120)
      const running = exporting(dmp, [fhirDestination({ url: repository.url, token: 'secret', toJson })])
      await until('all', async () => (await running.pending()).fhir === 0)
      assert.deepEqual(
        repository.posted.map(({ id }) => id),
        await ids(dmp),
      )
      const [first] = repository.posted
      assert.equal(first?.path, '/fhir/AuditEvent')
      assert.equal(first?.headers.authorization, 'Bearer secret')
      assert.match(first?.headers['content-type'] ?? '', /^application\/fhir\+json/)
    })

    it('proves who it is by mutual TLS', async () => {
      const dmp = await store()
      const repository = await startRepository(root)
      await record(dmp, 1)
      const certificate = Buffer.from(node.pem)
      const key = Buffer.from(node.keyPem)
      exporting(dmp, [fhirDestination({ url: repository.url, ca: Buffer.from(root.pem), certificate, key, toJson })])
      await until('one', () => repository.posted.length === 1)
    })

    it('tries again what a repository cannot take now, without repeating what it has', async () => {
      const dmp = await store()
      const repository = await startRepository()
      await record(dmp, 10)
      repository.answers.push(201, 201, 503, 401, 500, 429)
      const running = exporting(dmp, [fhirDestination({ url: repository.url, toJson })])
      await until('all', async () => (await running.pending()).fhir === 0)
      assert.deepEqual(
        repository.posted.map(({ id }) => id),
        await ids(dmp),
      )
    })

    it('leaves aside for good what a repository refuses for good, and says so', async () => {
      const dmp = await store()
      const repository = await startRepository()
      await record(dmp, 4)
      repository.answers.push(201, 422, 409)
      const { lines, log } = logged()
      const running = exporting(dmp, [fhirDestination({ url: repository.url, toJson })], log)
      await until('all', async () => (await running.pending()).fhir === 0)
      const all = await ids(dmp)
      assert.deepEqual(
        repository.posted.map(({ id }) => id),
        [all[0], all[3]],
      )
      assert.deepEqual(
        lines.filter(({ level }) => level === 'error').map(({ fields }) => fields),
        [{ destination: 'fhir', sequence: 2, reason: 'HTTP 422' }],
      )
    })
  })
})
