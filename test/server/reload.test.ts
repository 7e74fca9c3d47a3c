/** Credentials for the systems that the gateway calls: read again while it runs, and only taken when they can serve. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ConfigError } from '../../src/server/config.ts'
import { aDocument, declared, openGateway, people, type TestGateway } from '../support/gateway.ts'
import { headerOf, startMailServer } from '../support/mail-server.ts'
import { aCertificate, anAuthority, type Certified, clientUsage } from '../support/pki.ts'
import { startSyslogReceiver } from '../support/syslog-receiver.ts'

/** Ends with the test that waits: mocha counts the time. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(10)
}

describe('credentials for other systems', () => {
  let folder: string
  let root: Certified
  let clients: Certified
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-reload-'))
    root = await anAuthority('RACINE')
    clients = await anAuthority('RACINE CLIENTS')
    await put('root.pem', root.pem)
  })
  after(() => rm(folder, { recursive: true, force: true }))
  const file = (name: string): string => path.join(folder, name)
  const put = (name: string, text: string): Promise<void> => writeFile(file(name), text)
  const putNode = async (authority: Certified): Promise<Certified> => {
    const node = await aCertificate(authority, { name: 'CN=passerelle,C=FR', extendedUsages: [clientUsage] })
    await put('node.pem', node.pem)
    await put('node.key', node.keyPem)
    return node
  }
  const feed = async (gateway: TestGateway): Promise<void> => {
    const patient = await gateway.patient({ telecom: [{ system: 'email', value: 'patient@exemple.fr' }] })
    const { ok } = await gateway.fhirDoor.feed(people.author, aDocument(patient), { consent: declared.informed })
    assert.ok(ok)
  }
  /** A repository of audit records, or whatever is told by HTTP. */
  const receiver = async () => {
    const calls: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        calls.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
        response.writeHead(201).end()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const close = async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    }
    return { calls, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }

  it('of a syslog receiver: the certificate shown is the one that was read last', async () => {
    await putNode(await anAuthority('AUTRE'))
    const syslog = await startSyslogReceiver({ root, clients })
    const settings = { ca: file('root.pem'), certificate: file('node.pem'), key: file('node.key') }
    const gateway = await openGateway({ 'trace.syslog': { host: 'localhost', port: syslog.port, ...settings } })
    try {
      await gateway.patient()
      await putNode(clients)
      await gateway.reload()
      await until(() => syslog.messages.length === 1)
      assert.deepEqual(syslog.clients, ['passerelle'])
      // What does not belong together is not taken
      await put('node.key', root.keyPem)
      await gateway.reload()
      await gateway.patient()
      await until(() => syslog.messages.length === 2)
    } finally {
      await gateway.close()
      await syslog.close()
    }
  })

  it('of an audit repository: the token sent is the one that was read last', async () => {
    const repository = await receiver()
    await put('token', 'premier\n')
    const gateway = await openGateway({ 'trace.fhir': { url: `${repository.url}/fhir`, tokenFile: file('token') } })
    const tokens = () => repository.calls.map(({ headers }) => headers.authorization)
    try {
      await gateway.patient()
      await until(() => repository.calls.length === 1)
      await put('token', 'second\n')
      await gateway.reload()
      await gateway.patient()
      await until(() => repository.calls.length === 2)
      await put('token', '')
      await gateway.reload()
      await gateway.patient()
      await until(() => repository.calls.length === 3)
      assert.deepEqual(tokens(), ['Bearer premier', 'Bearer second', 'Bearer second'])
    } finally {
      await gateway.close()
      await repository.close()
    }
  })

  it('of a webhook and a mail server: secret and password are those that were read last', async () => {
    const hook = await receiver()
    const mail = await startMailServer({ root, user: 'dmp', password: 'le second' })
    const [first, second] = ['premier secret de trente-deux caractères', 'second secret, de trente-deux caractères']
    await put('secret', first)
    await put('password', 'le premier')
    const gateway = await openGateway({
      'notifications.webhook': { url: hook.url, secretFile: file('secret') },
      'notifications.email': {
        host: 'localhost',
        port: mail.port,
        ca: file('root.pem'),
        user: 'dmp',
        passwordFile: file('password'),
        from: 'dmp@exemple.fr',
      },
    })
    const signedWith = (index: number, secret: string): boolean => {
      const { headers, body } = hook.calls[index] ?? { headers: {}, body: '' }
      const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['dmp-signature'])) ?? []
      return createHmac('sha256', secret).update(`${time}.${body}`).digest('hex') === signature
    }
    try {
      await feed(gateway)
      await until(() => hook.calls.length === 1)
      assert.deepEqual(mail.mails, [])
      await put('secret', second)
      await put('password', 'le second')
      await gateway.reload()
      await feed(gateway)
      await until(() => hook.calls.length === 2 && mail.mails.length === 1)
      assert.ok(signedWith(0, first) && signedWith(1, second))
      assert.equal(headerOf(mail.mails[0] ?? { from: '', to: [], raw: '' }, 'To'), 'patient@exemple.fr')
    } finally {
      await gateway.close()
      await hook.close()
      await mail.close()
    }
  })

  it('of one destination that cannot be used hold back no other', async () => {
    const repository = await receiver()
    const node = await putNode(clients)
    await put('token', 'premier')
    const gateway = await openGateway({
      'trace.syslog': { host: '127.0.0.1', port: 9, certificate: file('node.pem'), key: file('node.key') },
      'trace.fhir': { url: repository.url, tokenFile: file('token') },
    })
    try {
      await put('node.key', root.keyPem)
      await put('token', 'second')
      await gateway.reload()
      await gateway.patient()
      await until(() => repository.calls.length === 1)
      assert.equal(repository.calls[0]?.headers.authorization, 'Bearer second')
    } finally {
      await gateway.close()
      await repository.close()
      await put('node.key', node.keyPem)
    }
  })

  it('are taken soon after their files change', async () => {
    const repository = await receiver()
    await put('token', 'premier')
    const gateway = await openGateway({
      'trace.fhir': { url: repository.url, tokenFile: file('token') },
      'server.reloadSeconds': 0.05,
    })
    try {
      await put('token', 'le-suivant')
      await until(async () => {
        await gateway.patient()
        return repository.calls.at(-1)?.headers.authorization === 'Bearer le-suivant'
      })
    } finally {
      await gateway.close()
      await repository.close()
    }
  })

  it('stop the start when they cannot serve, with the name of their setting', async () => {
    await put('empty', '')
    const node = await putNode(clients)
    await put('node.key', root.keyPem)
    assert.ok(node)
    const peer = { certificate: file('node.pem'), key: file('node.key') }
    const mail = { host: 'localhost', from: 'dmp@exemple.fr' }
    for (const [settings, name] of [
      [{ 'trace.syslog': { host: 'localhost', ...peer } }, /^trace\.syslog: /],
      [{ 'trace.syslog': { host: 'localhost', ca: file('empty') } }, /^trace\.syslog\.ca: /],
      [{ 'trace.fhir': { url: 'http://127.0.0.1:1', tokenFile: file('empty') } }, /^trace\.fhir\.tokenFile: /],
      [{ 'notifications.email': { ...mail, ca: file('empty') } }, /^notifications\.email\.ca: /],
      [
        { 'notifications.email': { ...mail, user: 'dmp', passwordFile: file('empty') } },
        /^notifications\.email\.passwordFile: /,
      ],
      [
        { 'notifications.webhook': { url: 'http://127.0.0.1:1', secretFile: file('empty') } },
        /^notifications\.webhook\.secretFile: /,
      ],
    ] as const)
      await assert.rejects(openGateway(settings), (error) => error instanceof ConfigError && name.test(error.message))
  })
})
