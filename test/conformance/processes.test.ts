/** The commands as an operator runs them: start, stop, a second start, a bad configuration, tokens (INTERFACE, Commands). */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import path from 'node:path'
import { ConfigError, loadConfig } from '../../src/server/config.ts'
import { type Child, isRunning, removeFolder, serve, start, temporaryFolder } from '../support/child.ts'
import { aDocument, createClients, declared, people, submissionOf } from '../support/gateway.ts'
import { composeMtom } from '../support/mtom.ts'
import { contentId, provideBody } from '../support/xds-client.ts'

const informed = { consent: declared.informed }

describe('processes', function () {
  this.timeout(60_000)
  const children: Child[] = []
  const folders: string[] = []

  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill()
      await child.ended
    }
    for (const folder of folders.splice(0)) await removeFolder(folder)
  })

  function kept<T extends Child>(child: T): T {
    children.push(child)
    return child
  }

  async function folder(): Promise<string> {
    const made = await temporaryFolder()
    folders.push(made)
    return made
  }

  it('serve prints listening on its URL, answers, and ends with 0 on SIGTERM', async () => {
    const server = kept(await serve({ data: await folder() }))
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal((await fetch(`${server.url}/health/ready`)).status, 200)
    server.process.kill('SIGTERM')
    const { code, signal } = await server.ended
    assert.deepEqual([code, signal], [0, null])
  })

  it('SIGTERM lets a slow upload finish and answers it, then ends with 0; what it stored is there at the next start', async () => {
    const data = await folder()
    const server = kept(await serve({ data }))
    const clients = await createClients(server.url, data)
    const patient = await clients.patient()
    const document = aDocument(patient)
    const who = { ...people.structure, ins: patient.ins }
    const envelope = clients.xds.envelope(who, {
      transaction: 'ITI-41',
      body: provideBody(submissionOf([document]), [document.entry]),
      ...informed,
    })
    const { contentType, body } = composeMtom(envelope, [
      { contentId: contentId(document.entry), bytes: document.bytes },
    ])
    const request = httpRequest(clients.xds.endpoint('ITI-41'), {
      method: 'POST',
      headers: { 'Content-Type': contentType, 'Content-Length': body.length },
    })
    const answered = once(request, 'response') as Promise<[IncomingMessage]>
    request.write(body.subarray(0, body.length / 2))
    // The gateway has the first half once it counts the request
    await until(async () => /requests_in_flight [1-9]/.test(await metrics(server.url)))
    server.process.kill('SIGTERM')
    await until(async () => !(await accepts(server.url)))
    request.end(body.subarray(body.length / 2))
    const [response] = await answered
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk as Buffer)
    assert.match(Buffer.concat(chunks).toString(), /ResponseStatusType:Success/)
    assert.equal((await server.ended).code, 0)

    const next = kept(await serve({ data }))
    const again = await createClients(next.url, data)
    const found = await again.xds.find(patient.identity, patient)
    assert.deepEqual(
      found.entries.map(({ uniqueId }) => uniqueId),
      [document.entry.uniqueId],
    )
  })

  it('a second gateway on the same data folder stops with a line that says so', async () => {
    const data = await folder()
    kept(await serve({ data }))
    const second = kept(start(['node', 'src/cli/serve.ts', '--port', '0', '--data', data]))
    const { code, stderr } = await second.ended
    assert.equal(code, 1)
    assert.match(stderr, /cannot start: .*(in use|another)/i)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
  })

  it('a gateway that was killed leaves nothing that keeps the next from starting', async () => {
    const data = await folder()
    const first = kept(await serve({ data }))
    first.kill()
    await first.ended
    const second = kept(await serve({ data }))
    assert.equal((await fetch(`${second.url}/health/ready`)).status, 200)
  })

  it('a bad configuration stops the start with a line that names the key, and no stack', async () => {
    const data = await folder()
    const file = path.join(data, 'config.yaml')
    await writeFile(file, 'serveur:\n  port: 0\n')
    const { code, stderr } = await kept(start(['node', 'src/cli/serve.ts', '--config', file, '--data', data])).ended
    assert.equal(code, 1)
    assert.match(stderr.split('\n')[0] ?? '', /serveur/)
    assert.doesNotMatch(stderr, /^\s+at /m, 'a stack is not for operators')
  })

  for (const [what, content, line] of [
    ['a key that does not exist', 'serveur:\n  port: 0\n', /serveur/],
    ['a value that is none', 'server:\n  port: quatre-vingts\n', /^server\.port: /],
    ['an address that is not loopback in development', 'server:\n  host: 0.0.0.0\n', /^server\.host: /],
    ['the national repository in production', 'mode: production\n', /^dmp\.repositoryUniqueId: /],
    ['anonymous access without profile ihe', 'identity:\n  anonymous: loopback\n', /^identity\.anonymous: /],
    ['no YAML', '{ server: [', /config\.yaml: /],
  ] as const)
    it(`a configuration with ${what} is refused in a line that names it`, async () => {
      const file = path.join(await folder(), 'config.yaml')
      await writeFile(file, content)
      assert.throws(
        () => loadConfig({ file }),
        (error) => error instanceof ConfigError && line.test(error.message.split('\n')[0] ?? ''),
      )
    })

  it('an unknown DMP_GATEWAY_ setting and an unknown option stop the start too', async () => {
    const data = await folder()
    const environment = { DMP_GATEWAY_SERVEUR: 'x', DMP_GATEWAY_DATA: data }
    const setting = await kept(start(['node', 'src/cli/serve.ts'], { environment })).ended
    assert.deepEqual([setting.code, /DMP_GATEWAY_SERVEUR/.test(setting.stderr)], [1, true])
    const option = await kept(start(['node', 'src/cli/serve.ts', '--prot', '0'])).ended
    assert.deepEqual([option.code, /--prot/.test(option.stderr)], [1, true])
  })

  it('token prints identities that the running server takes, as JWT and as VIHF, and its issuer survives a restart', async () => {
    const data = await folder()
    let server = kept(await serve({ data }))
    const clients = await createClients(server.url, data)
    const patient = await clients.patient()
    const token = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await kept(
        start(['npm', 'run', '--silent', 'token', '--', ...args], { environment: { DMP_GATEWAY_DATA: data } }),
      ).ended
      assert.equal(code, 0, stderr)
      assert.equal(stdout.trim().split('\n').length, 1, 'one line')
      return stdout.trim()
    }
    const jwt = await token('--profession', '10', '--specialty', 'SM26')
    const vihf = await token('--kind', 'structure', '--vihf', '--ins', patient.ins, '--ins-system', patient.authority)
    assert.match(vihf, /^<saml2:Assertion [^?]*<\/saml2:Assertion>$/)

    const document = aDocument(patient)
    const feed = await feedWith(vihf, clients, document)
    assert.ok(feed.ok, feed.text)
    const search = (url: string) =>
      fetch(`${url}/fhir/DocumentReference?patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}`, {
        headers: { Authorization: `Bearer ${jwt}`, 'DMP-Consent': 'basis=explicit, means=oral' },
      })
    assert.equal(((await (await search(server.url)).json()) as { total: number }).total, 1)

    server.process.kill('SIGTERM')
    await server.ended
    server = kept(await serve({ data }))
    assert.equal((await search(server.url)).status, 200, 'the issuer is the same after a restart')
  })

  it('token refuses a wrong option with a line, and everything in production', async () => {
    const environment = { DMP_GATEWAY_DATA: await folder() }
    const wrong: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
      [['--kind', 'nobody'], {}],
      [['--profesion', '10'], {}],
      [['--kind', 'patient'], {}],
      [[], { DMP_GATEWAY_MODE: 'production' }],
    ]
    const ended = wrong.map(
      ([args, settings]) =>
        kept(start(['node', 'src/cli/token.ts', ...args], { environment: { ...environment, ...settings } })).ended,
    )
    for (const { code, stdout, stderr } of await Promise.all(ended)) {
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    }
  })

  it('SIGTERM to npm start ends everything within 8 seconds, an open connection or not', async () => {
    const data = await folder()
    const npm = kept(await serve({ data, command: ['npm', 'start', '--silent'] }))
    const idle = await fetch(`${npm.url}/health/live`)
    await idle.text()
    const hanging = httpRequest(`${npm.url}/xds/repository`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/soap+xml', 'Content-Length': 1000 },
    })
    hanging.on('error', () => {})
    hanging.write('<')
    await until(async () => /requests_in_flight [1-9]/.test(await metrics(npm.url)))
    const started = performance.now()
    npm.process.kill('SIGTERM')
    await npm.ended
    await until(async () => !(await accepts(npm.url)))
    const seconds = (performance.now() - started) / 1000
    hanging.destroy()
    assert.ok(seconds < 8, `${seconds} s`)
    const pid = npm.process.pid
    assert.ok(pid !== undefined && !isRunning(-pid), 'something of its process group is left')
  })
})

async function feedWith(
  vihf: string,
  clients: Awaited<ReturnType<typeof createClients>>,
  document: ReturnType<typeof aDocument>,
) {
  const envelope = clients.xds
    .envelope(people.structure, {
      transaction: 'ITI-41',
      body: provideBody(submissionOf([document]), [document.entry]),
      ...informed,
    })
    .replace(/<saml2:Assertion.*<\/saml2:Assertion>/s, () => vihf)
  const { contentType, body } = composeMtom(envelope, [{ contentId: contentId(document.entry), bytes: document.bytes }])
  return (await clients.xds.raw('ITI-41', contentType, body)).outcome
}

async function metrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text()
}

/** Whether the server takes new connections. */
async function accepts(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/live`, { headers: { Connection: 'close' } })
    await response.text()
    return true
  } catch {
    return false
  }
}

/** Asks again until it is so; the suite's timeout ends it. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve))
}
