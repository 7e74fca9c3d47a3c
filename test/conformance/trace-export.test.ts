/** The trace reaches its repository whatever dies on the way: the gateway by kill -9, the receiver for a while. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { serve } from '../support/child.ts'
import { aDocument } from '../support/documents.ts'
import { createClients, declared, people } from '../support/gateway.ts'
import { aCertificate, anAuthority, clientUsage } from '../support/pki.ts'
import { sequenceOf, startSyslogReceiver } from '../support/syslog-receiver.ts'

describe('the export of the trace', function () {
  this.timeout(60_000)

  it('survives kill -9 and an unreachable receiver: every record of the trace arrives, in order', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-export-'))
    const root = await anAuthority('RACINE')
    const clients = await anAuthority('RACINE CLIENTS')
    const node = await aCertificate(clients, { name: 'CN=passerelle,C=FR', extendedUsages: [clientUsage] })
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(path.join(folder, name), text)
      return path.join(folder, name)
    }
    const first = await startSyslogReceiver({ root, clients })
    const { port } = first
    const config = await file(
      'config.yaml',
      stringify({
        log: { level: 'warn' },
        trace: {
          syslog: {
            host: 'localhost',
            port,
            ca: await file('root.pem', root.pem),
            certificate: await file('node.pem', node.pem),
            key: await file('node.key', node.keyPem),
          },
        },
      }),
    )
    const data = path.join(folder, 'data')
    const start = () => serve({ data, environment: { DMP_GATEWAY_CONFIG: config } })
    const server = await start()
    try {
      const run = await createClients(server.url, data)
      const patient = await run.patient()
      while (first.messages.length === 0) await wait(20)
      await first.close()
      for (let count = 0; count < 5; count++)
        assert.ok((await run.fhirDoor.feed(people.structure, aDocument(patient), { consent: declared.informed })).ok)
      server.process.kill('SIGKILL')
      await server.ended
      const second = await startSyslogReceiver({ root, clients, port })
      const again = await start()
      try {
        const there = await createClients(again.url, data)
        assert.ok((await there.xdsDoor.find(people.author, patient, { consent: declared.careTeam })).outcome.ok)
        // Opening, five feeds, one search
        const wanted = [1, 2, 3, 4, 5, 6, 7]
        const arrived = (): number[] => [...new Set([...first.messages, ...second.messages].map(sequenceOf))]
        while (arrived().length < wanted.length) await wait(20)
        assert.deepEqual(arrived(), wanted)
        assert.match(again.output(), /listening/)
      } finally {
        again.kill()
        await again.ended
        await second.close()
      }
    } finally {
      server.kill()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
