/** Refused credentials in the trace: all of them counted, none of what they claim, and never more rows than a disk bears. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import { toAlertEvent } from '../../src/fhir/alert-event.ts'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import { mintJwt } from '../../src/identity/mint.ts'
import { alertKinds, isAlert } from '../../src/operations/alerts.ts'
import type { AlertReason, AlertRecord, AuthenticationFailure, TraceRecord } from '../../src/operations/ports.ts'
import { startAlerts, writeAuditMessage } from '../../src/trace/index.ts'
import { loadSchema } from '../../src/xml/schema.ts'
import { openGateway, people, type TestGateway } from '../support/gateway.ts'
import { aCertificate, anAuthority, aServerCertificate } from '../support/pki.ts'

const failure = (changes: Partial<AuthenticationFailure> = {}): AuthenticationFailure => ({
  door: 'fhir',
  reason: 'identity-invalid',
  client: '192.0.2.1',
  ...changes,
})

describe('refused credentials', () => {
  let clock: number
  let written: AlertRecord[]
  let failing: boolean
  let seen: number
  let open: ReturnType<typeof startAlerts> | undefined
  const start = (sources = 100) => {
    open = startAlerts({
      record: async (record: TraceRecord) => {
        if (failing) throw new Error('no trace')
        assert.ok(isAlert(record))
        written.push(record)
      },
      log: { warn: () => {} },
      observe: () => seen++,
      now: () => new Date(clock),
      interval: 3_600_000,
      sources,
    })
    return open
  }
  beforeEach(() => {
    clock = Date.parse('2026-11-21T22:40:00.000Z')
    written = []
    failing = false
    seen = 0
  })
  afterEach(() => open?.close())
  const counts = () => written.map(({ client, reason, count }) => [client, reason, count])

  it('are written at once the first time, then counted until the interval ends', async () => {
    const alerts = start()
    alerts.authenticationFailed(failure())
    assert.deepEqual(counts(), [['192.0.2.1', 'identity-invalid', 1]])
    for (let more = 0; more < 10_000; more++) {
      clock += 1
      alerts.authenticationFailed(failure())
    }
    assert.equal(written.length, 1)
    await alerts.flush()
    const [, second] = written
    assert.deepEqual(
      [second?.count, second?.from, second?.to],
      [10_000, '2026-11-21T22:40:00.001Z', '2026-11-21T22:40:10.000Z'],
    )
    assert.equal(seen, 10_001)
  })

  it('are told apart by source, door and reason', () => {
    const alerts = start()
    for (const changes of [{}, { client: '192.0.2.2' }, { door: 'xds' }, { reason: 'identity-expired' }] as const)
      alerts.authenticationFailed(failure(changes))
    assert.equal(written.length, 4)
  })

  it('of more sources than can be told apart are counted together', async () => {
    const alerts = start(3)
    for (let source = 0; source < 5000; source++) alerts.authenticationFailed(failure({ client: `192.0.2.${source}` }))
    await alerts.flush()
    assert.equal(written.length, 4)
    assert.deepEqual([written[3]?.client, written[3]?.count], [undefined, 4997])
  })

  it('are news again after an interval of silence', async () => {
    const alerts = start()
    alerts.authenticationFailed(failure())
    await alerts.flush()
    alerts.authenticationFailed(failure())
    assert.deepEqual(
      counts().map(([, , count]) => count),
      [1, 1],
    )
  })

  it('are kept until the trace can be written, and none is lost', async () => {
    const alerts = start()
    failing = true
    for (let more = 0; more < 5; more++) alerts.authenticationFailed(failure())
    await alerts.flush()
    assert.deepEqual(written, [])
    failing = false
    await alerts.flush()
    assert.deepEqual(
      counts().map(([, , count]) => count),
      [5],
    )
  })

  it('are none the fewer when two writings of one source fail together', async () => {
    const alerts = start()
    failing = true
    alerts.authenticationFailed(failure())
    const silent = alerts.flush()
    alerts.authenticationFailed(failure())
    await silent
    failing = false
    await alerts.flush()
    assert.equal(
      written.reduce((sum, { count }) => sum + count, 0),
      2,
    )
  })

  it('are written when the gateway stops', async () => {
    const alerts = start()
    for (let more = 0; more < 3; more++) alerts.authenticationFailed(failure())
    await alerts.close()
    assert.deepEqual(
      counts().map(([, , count]) => count),
      [1, 2],
    )
  })

  describe('for auditors', () => {
    const reasons = Object.keys(alertKinds) as AlertReason[]
    const record = (reason: AlertReason, client?: string): AlertRecord => ({
      kind: 'authentication-failure',
      id: '7b0d2f41-5c7e-4e1a-9a55-0f3f6f2c1d20',
      at: '2026-11-21T22:45:00.000Z',
      from: '2026-11-21T22:40:00.000Z',
      to: '2026-11-21T22:44:59.000Z',
      count: 12,
      door: 'fhir',
      reason,
      ...(client !== undefined && { client }),
    })

    it('are DICOM audit messages that the schema of DICOM knows', function () {
      const file = path.resolve('..', 'shared', 'samples', 'atna', 'dicom2017c.xsd')
      if (!existsSync(file)) return this.skip()
      const schema = loadSchema({ 'dicom.xsd': readFileSync(file) }, 'dicom.xsd')
      try {
        for (const reason of reasons)
          for (const client of ['192.0.2.1', '2001:db8::1', undefined]) {
            const xml = writeAuditMessage({ sequence: 3, record: record(reason, client) }, { id: '1.2.250.1.999.1' })
            assert.deepEqual(schema.validate(xml), [])
          }
      } finally {
        schema.dispose()
      }
    })

    it('are a User Authentication that failed, or a Security Alert of the node', () => {
      const of = (reason: AlertReason) => writeAuditMessage({ sequence: 3, record: record(reason) }, { id: '1.2.3' })
      assert.match(of('identity-invalid'), /EventOutcomeIndicator="8".*csd-code="110114".*csd-code="110122"/s)
      assert.match(of('node-certificate'), /csd-code="110113".*csd-code="110126"/s)
      assert.match(of('identity-missing'), /EventOutcomeIndicator="4"/)
    })

    it('are AuditEvents of FHIR', () => {
      for (const reason of reasons)
        for (const client of ['192.0.2.1', undefined])
          assert.deepEqual(checkStructure(toAlertEvent(record(reason, client), { repositoryUniqueId: '1.2.3' })), [])
    })
  })
})

/** Alerts in the trace, once so many failures are counted there: nobody waits for their writing. */
async function alertsIn(gateway: TestGateway, failures: number): Promise<readonly AlertRecord[]> {
  for (;;) {
    const records = await gateway.embedded.traceFeed.after(0, 1000)
    const alerts = records.flatMap(({ record }) => (isAlert(record) ? [record] : []))
    if (alerts.reduce((sum, { count }) => sum + count, 0) >= failures) return alerts
    await wait(10)
  }
}

describe('who is refused at a door', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())
  const alerts = () => alertsIn(gateway, 0)

  it('is in the trace with the reason and the source alone, and in the metrics', async () => {
    const patient = await gateway.patient()
    const search = `${gateway.url}/fhir/DocumentReference?patient.identifier=urn:oid:${patient.authority}|${patient.ins}`
    const token = await mintJwt(gateway.issuer, { ...people.author, expiresSeconds: -3600 })
    const forged = `${token.slice(0, -4)}AAAA`
    for (const headers of [{}, { Authorization: `Bearer ${token}` }, { Authorization: `Bearer ${forged}` }])
      assert.equal((await fetch(search, { headers: headers as Record<string, string> })).status, 401)
    const soap = await gateway.xdsDoor.find({ ...people.author, expiresSeconds: -3600 }, patient)
    assert.equal(soap.outcome.ok, false)
    const rows = await alertsIn(gateway, 4)
    assert.deepEqual(rows.map(({ door, reason }) => `${door} ${reason}`).sort(), [
      'fhir identity-expired',
      'fhir identity-invalid',
      'fhir identity-missing',
      'xds identity-expired',
    ])
    assert.ok(rows.every(({ client }) => client === '127.0.0.1'))
    const text = JSON.stringify(rows)
    for (const claimed of [people.author.name, people.author.id, patient.ins, token.slice(0, 20)])
      assert.ok(!text.includes(claimed))
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    assert.match(metrics, /dmp_gateway_authentication_failures_total\{door="xds",reason="identity-expired"\} 1/)
  })

  it('breaks no chain, and is in no history of a patient', async () => {
    const patient = await gateway.patient()
    assert.equal((await fetch(`${gateway.url}/fhir/AuditEvent?patient.identifier=x|y`)).status, 401)
    assert.equal((await gateway.embedded.verify()).whole, true)
    const { json } = await gateway.fhir.history(patient.identity, patient)
    assert.ok(!JSON.stringify(json).includes('110114'))
  })

  it('is no more than a few rows, however often it comes', async () => {
    const before = (await alerts()).length
    await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        fetch(`${gateway.url}/fhir/List`, { headers: { Authorization: `Bearer x.${index}.y` } }),
      ),
    )
    assert.ok((await alerts()).length - before <= 1)
  })
})

describe('a connection without the client certificate that all need', () => {
  it('is a security alert, with where it came from', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-alerts-'))
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(path.join(folder, name), text)
      return path.join(folder, name)
    }
    const root = await anAuthority('RACINE')
    const [server, stranger] = [await aServerCertificate(root), await aCertificate(await anAuthority('AUTRE'))]
    const tls = {
      key: await file('server.key', server.keyPem),
      certificate: await file('server.pem', server.pem),
      clientAuthorities: [await file('root.pem', root.pem)],
      clientCertificates: 'require',
    }
    const gateway = await openGateway({ 'server.tls': tls, 'trace.alertSeconds': 1 })
    try {
      for (const own of [{}, { cert: stranger.pem, key: stranger.keyPem }]) {
        const socket = connect({ port: Number(new URL(gateway.url).port), ca: root.pem, host: '127.0.0.1', ...own })
        socket.on('error', () => {})
        await new Promise((resolve) => socket.once('close', resolve))
      }
      // The verdict of the server comes a moment after the client has seen the end
      for (const { door, reason, client } of await alertsIn(gateway, 2))
        assert.deepEqual([door, reason, client], ['tls', 'node-certificate', '127.0.0.1'])
    } finally {
      await gateway.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
