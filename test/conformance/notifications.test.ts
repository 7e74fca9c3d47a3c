/** Nobody is told twice: the gateway is killed while a mail server has a message and has not answered yet. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { serve } from '../support/child.ts'
import { aDocument, createClients, declared, people } from '../support/gateway.ts'
import { startMailServer } from '../support/mail-server.ts'

describe('notifications', function () {
  this.timeout(60_000)

  it('survive kill -9 without being sent twice, and those that follow are sent', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-notifications-'))
    const server = await startMailServer()
    server.answers.push('hang')
    const config = path.join(folder, 'config.yaml')
    const email = { host: '127.0.0.1', port: server.port, tls: 'none', from: 'dmp@ch-exemple.fr' }
    await writeFile(config, stringify({ log: { level: 'error' }, notifications: { email } }))
    const data = path.join(folder, 'data')
    const start = () => serve({ data, environment: { DMP_GATEWAY_CONFIG: config } })
    const first = await start()
    try {
      const clients = await createClients(first.url, data)
      const patient = await clients.patient({ telecom: [{ system: 'email', value: 'zoe.patiente@exemple.fr' }] })
      const feed = async (run: typeof clients) =>
        assert.ok((await run.fhirDoor.feed(people.structure, aDocument(patient), { consent: declared.informed })).ok)
      await feed(clients)
      while (server.mails.length === 0) await wait(20)
      first.process.kill('SIGKILL')
      await first.ended
      const second = await start()
      try {
        const again = await createClients(second.url, data)
        await feed(again)
        while (server.mails.length < 2) await wait(20)
        const metrics = async () => (await fetch(`${second.url}/metrics`)).text()
        while (!/delivery="email sent"} 1/.test(await metrics())) await wait(20)
        assert.match(await metrics(), /delivery="email uncertain"} 1/)
        assert.equal(server.mails.length, 2)
        assert.match(second.output(), /may have been sent before a crash/)
        assert.doesNotMatch(second.output(), /patiente|26005/)
      } finally {
        second.kill()
        await second.ended
      }
    } finally {
      first.kill()
      await server.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
