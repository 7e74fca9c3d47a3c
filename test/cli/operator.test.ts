/** What an operator does about what did not get through: notices and audit as processes, beside a running gateway. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { type Ended, removeFolder, start, temporaryFolder } from '../support/child.ts'
import { aDocument, declared, openGateway, people, type TestGateway } from '../support/gateway.ts'

const run = (command: string, ...args: string[]): Promise<Ended> =>
  start(['node', `src/cli/${command}.ts`, ...args], { environment: {} }).ended

interface Receiver {
  readonly url: string
  /** Header of each call that says what it is. */
  readonly calls: string[]
  /** For the next calls, then 200. */
  readonly answers: (number | 'drop')[]
  close(): Promise<void>
}

async function receiver(header: string): Promise<Receiver> {
  const [calls, answers]: [string[], Receiver['answers']] = [[], []]
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      calls.push(String(request.headers[header]))
      const answer = answers.shift() ?? 200
      if (answer === 'drop') request.socket.destroy()
      else response.writeHead(answer).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls,
    answers,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the operator of a gateway', function () {
  this.timeout(60_000)

  let hook: Receiver
  let repository: Receiver
  let gateway: TestGateway
  let secret: string
  before(async () => {
    hook = await receiver('dmp-notification-id')
    repository = await receiver('x-request-id')
    secret = await temporaryFolder()
    await writeFile(`${secret}/secret`, 'un secret de plus de trente-deux caractères')
    gateway = await openGateway({
      'notifications.webhook': { url: hook.url, secretFile: `${secret}/secret` },
      'trace.fhir': { url: repository.url },
    })
  })
  after(async () => {
    await gateway.close()
    await hook.close()
    await repository.close()
    await removeFolder(secret)
  })

  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    while (!(await holds())) await wait(20)
  }
  const feed = async (): Promise<void> => {
    const patient = await gateway.patient()
    assert.ok((await gateway.fhirDoor.feed(people.author, aDocument(patient), { consent: declared.informed })).ok)
  }
  const notices = (...args: string[]) => run('notices', ...args, '--data', gateway.data)
  const audit = (...args: string[]) => run('audit', ...args, '--data', gateway.data)
  const count = async (state: string): Promise<number> =>
    (await gateway.embedded.deliveries.counts('webhook'))[state] ?? 0

  it('sees which notifications did not get through, and sends them again under their number', async () => {
    hook.answers.push(422, 'drop')
    await feed()
    await until(async () => (await count('failed')) === 1)
    await feed()
    await until(async () => (await count('uncertain')) === 1)
    const list = await notices('list')
    assert.match(list.stdout, /^2 +webhook +feed +patient +uncertain +1 .*\n1 +webhook +feed +patient +failed +1 /m)
    assert.equal((await notices('list', '--state', 'sent')).stdout.split('\n').length, 2)
    assert.equal((await notices('resend', '--channel', 'webhook', '--state', 'failed')).stdout, 'to be sent again: 1\n')
    await until(async () => (await count('sent')) === 1)
    const again = await notices('resend', '--channel', 'webhook', '--state', 'uncertain', '--number', '2')
    assert.equal(again.stdout, 'to be sent again: 1\n')
    await until(async () => (await count('sent')) === 2)
    assert.deepEqual(hook.calls, ['1', '2', '1', '2'])
    // What was sent is sent
    assert.equal((await notices('resend', '--channel', 'webhook', '--state', 'failed')).stdout, 'to be sent again: 0\n')
  })

  it('sees what a repository refused, and sends it, or a stretch of the trace, again', async () => {
    await until(async () => (await gateway.embedded.traceFeed.position('fhir')) === 4)
    repository.answers.push(422)
    await gateway.patient()
    await until(async () => (await gateway.embedded.traceFeed.position('fhir')) === 5)
    const { stdout } = await audit('exports')
    assert.match(stdout, /^fhir: has 5 of 5 records, 0 to be sent again\n {2}refused 5 at \S+: HTTP 422\n$/)
    const before = repository.calls.length
    assert.equal((await audit('resend', '--destination', 'fhir', '--refused')).stdout, 'to be sent again: 1\n')
    await until(async () => (await gateway.embedded.traceFeed.againCount('fhir')) === 0)
    assert.equal(repository.calls[before], repository.calls[before - 1])
    assert.equal((await audit('exports')).stdout, 'fhir: has 5 of 5 records, 0 to be sent again\n')
    const stretch = await audit('resend', '--destination', 'fhir', '--from', '2', '--to', '3')
    assert.equal(stretch.stdout, 'to be sent again: 2\n')
    await until(async () => (await gateway.embedded.traceFeed.againCount('fhir')) === 0)
    assert.deepEqual(repository.calls.slice(-2), repository.calls.slice(1, 3))
    assert.equal((await audit('verify')).code, 0)
  })

  it('sees where refused identities came from', async () => {
    for (let more = 0; more < 3; more++) assert.equal((await fetch(`${gateway.url}/fhir/List`)).status, 401)
    await until(async () => /identity-missing/.test((await audit('alerts')).stdout))
    const { stdout } = await audit('alerts', '--since', '2026-01-01')
    assert.match(stdout, /^from +to +door +reason +source +count\n\S+ +\S+ +fhir +identity-missing +127\.0\.0\.1 +1\n$/)
    assert.equal((await audit('alerts', '--since', '2999-01-01')).stdout.split('\n').length, 2)
  })

  it('is told in a line what is wrong, or how the command is used', async () => {
    const empty = await temporaryFolder()
    try {
      for (const [command, ...args] of [
        ['notices', 'resend', '--state', 'failed'],
        ['notices', 'resend', '--channel', 'webhook', '--state', 'sent'],
        ['notices', 'list', '--channel', 'pigeon'],
        ['audit', 'resend', '--destination', 'fhir', '--refused', '--from', '1'],
        ['audit', 'alerts', '--since', 'hier'],
        ['audit', 'toString'],
      ] as const) {
        const { code, stdout, stderr } = await run(command, ...args, '--data', gateway.data)
        assert.deepEqual([code, stdout], [1, ''], `${command} ${args.join(' ')}`)
        assert.match(stderr, new RegExp(`^${command}: (?:[^\\n]+\\n$|usage: npm run --silent ${command} )`))
      }
      for (const [command, name] of [
        ['notices', 'list'],
        ['audit', 'exports'],
      ] as const)
        assert.match((await run(command, name, '--data', empty)).stderr, /holds no store/)
    } finally {
      await removeFolder(empty)
    }
  })
})
