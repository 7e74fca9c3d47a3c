/**
 * Logs hold no name, no INS, no token, no document (STYLE): a real gateway at its most talkative meets everything that a day
 * brings, and what it writes is searched for all of it.
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stringify } from 'yaml'
import { mintJwt, mintVihf } from '../../src/identity/mint.ts'
import { serve } from '../support/child.ts'
import { aText } from '../support/documents.ts'
import { aDocument, createClients, declared, openGateway, people } from '../support/gateway.ts'
import { startMailServer } from '../support/mail-server.ts'
import { breachIn, linesLogged } from '../support/suite-log.ts'

describe('the log of a gateway at level debug', function () {
  this.timeout(90_000)

  it('says nothing of persons, tokens and documents, whatever happens', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-logs-'))
    const mail = await startMailServer()
    mail.rejected.set('zoe.secrete@exemple.fr', 550)
    const config = path.join(folder, 'config.yaml')
    await writeFile(
      config,
      stringify({
        log: { level: 'debug' },
        // Nobody is there: the export says so again and again
        trace: { syslog: { host: '127.0.0.1', port: 9 }, fhir: { url: 'http://127.0.0.1:9/fhir' } },
        notifications: { email: { host: '127.0.0.1', port: mail.port, tls: 'none', from: 'dmp@ch-exemple.fr' } },
      }),
    )
    const data = path.join(folder, 'data')
    const gateway = await serve({ data, environment: { DMP_GATEWAY_CONFIG: config } })
    const sent: string[] = []
    try {
      const clients = await createClients(gateway.url, data)
      const { fhir, xds, issuer } = clients
      const patient = await clients.patient({
        name: [{ use: 'official', family: 'SECRETE', given: ['Zoé-Cachée'] }],
        telecom: [{ system: 'email', value: 'zoe.secrete@exemple.fr' }],
        birthDate: '1962-03-04',
      })
      const marker = `contenu-secret-${randomUUID()}`
      const informed = { consent: declared.informed }
      const careTeam = { consent: declared.careTeam }
      for (const door of clients.doors) {
        const document = aDocument(patient, { title: 'Titre-secret du bilan' }, Buffer.from(`${marker} ${aText()}`))
        const fed = await door.feed(people.author, document, informed)
        assert.ok(fed.stored, fed.text)
        await door.feed(people.author, document, informed)
        await door.find(people.author, patient, careTeam)
        await door.find(people.stranger, patient)
        await door.find(people.stranger, patient, { purpose: 'bris_de_glace; reason="motif-secret"' })
        await door.retrieve(people.author, fed.stored, careTeam)
        await door.retrieve(people.author, { ...fed.stored, uniqueId: '1.2.250.1.999.404' as never }, careTeam)
        const wrong = aDocument(patient, { languageCode: 'langue-secrete', title: 'Titre-secret' })
        await door.feed(people.author, wrong, informed)
      }
      await fhir.history(patient.identity, patient)
      await fhir.history(people.author, patient)

      // What is wrong in every way that a request can be
      const jwt = await mintJwt(issuer, { ...people.author, ins: patient.ins })
      const vihf = mintVihf(issuer, { ...people.author, ins: patient.ins })
      sent.push(jwt, ...jwt.split('.'), vihf.slice(0, 400))
      const search = `/DocumentReference?patient.identifier=${encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)}&status=current`
      const bad: readonly Parameters<typeof fhir.call>[3][] = [
        { token: `${jwt}x` },
        { token: Buffer.from(vihf.replace('899700000001', '899700000009')).toString('base64url') },
        { token: jwt, headers: { 'DMP-Consent': 'basis=secret-consent;;' } },
        { token: jwt, headers: { Accept: 'secret/type' } },
        { token: jwt, headers: { Host: 'secret-host^' } },
      ]
      for (const request of bad) await fhir.call({}, 'GET', search, request)
      for (const body of [
        '{"resourceType":"DocumentReference","secretField":"valeur-secrete"',
        '<Bundle secret="valeur-secrete"/>',
        { resourceType: 'Bundle', type: 'secret-type' },
        marker,
      ])
        for (const target of ['/DocumentReference', '', '/Consent', '/Patient?identifier=secret-identifier|1'])
          await fhir.call(people.author, 'POST', target, { body, ...informed })
      await fhir.call(people.author, 'GET', `/DocumentReference?secret-parameter=${marker}`)
      await fhir.call(people.author, 'GET', `/Binary/${randomUUID()}?x=${marker}`, careTeam)
      await fhir.call(people.author, 'GET', `/${marker}/%E0%A4%A`)
      const soap = 'application/soap+xml; charset=UTF-8'
      const whole = xds.envelope(
        { ...people.author, ins: patient.ins },
        { transaction: 'ITI-18', body: `<secret xmlns="urn:secret">${marker}</secret>` },
      )
      for (const text of [
        whole,
        whole.replace('899700000001', '899700000009'),
        whole.slice(0, -40),
        `<!DOCTYPE x [<!ENTITY e "${marker}">]>${whole}`,
        marker,
      ])
        await xds.raw('ITI-18', soap, Buffer.from(text))
      await xds.raw('ITI-41', `multipart/related; boundary="${marker}"`, Buffer.from(`--${marker}\r\n\r\n${whole}`))
      await fetch(`${gateway.url}/health/ready`)

      await gateway.printed(/trace export fails/)
      gateway.process.kill('SIGTERM')
      const { stderr, stdout } = await gateway.ended
      const log = stderr + stdout
      const lines = stderr.trim().split('\n')
      assert.ok(lines.length > 40, `${lines.length} lines`)
      for (const line of lines) assert.doesNotThrow(() => JSON.parse(line), `not JSON: ${line}`)
      const secrets = [
        patient.ins,
        patient.key,
        '8997000000',
        'EXEMPLE Anne',
        'BENALI',
        'KERVELLA',
        'SECRETE',
        'Zoé',
        'secrete@',
        '1962',
        'CH EXEMPLE',
        '1010099999',
        'Titre-secret',
        'motif-secret',
        'valeur-secrete',
        'langue-secrete',
        'secret-',
        marker,
        'eyJ',
        'saml2',
        'Bearer',
        ...sent,
      ]
      for (const secret of secrets)
        assert.ok(
          !log.includes(secret),
          `the log holds ${secret.slice(0, 40)}: ${lines.find((line) => line.includes(secret))?.slice(0, 300)}`,
        )
    } finally {
      gateway.kill()
      await mail.close()
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('the log of the whole suite', () => {
  it('is searched for persons, tokens and documents (test/support/hooks.ts)', async () => {
    const before = linesLogged()
    const gateway = await openGateway()
    const patient = await gateway.patient()
    await gateway.close()
    assert.ok(linesLogged() > before)
    const token = await mintJwt(gateway.issuer, people.author)
    const assertion = mintVihf(gateway.issuer, people.author)
    for (const secret of [patient.ins, people.author.id, people.colleague.name, token, assertion, `${aText()}`])
      assert.match(breachIn(`{"msg":"${secret}"}`) ?? '', /█/)
    assert.equal(breachIn('{"level":30,"ms":3.2,"transaction":"ITI-41","outcome":"Success"}'), undefined)
  })
})
