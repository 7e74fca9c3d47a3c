/** People are told: a real SMTP server, a real receiver of webhooks, a real store and the whole middle before them. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { strictPolicy } from '../../src/access/types.ts'
import { outgoingNotices } from '../../src/operations/notices.ts'
import { type Channel, emailChannel, type Notifier, startNotifier, webhookChannel } from '../../src/trace/index.ts'
import { codes } from '../mothers/metadata.ts'
import { aDocument, declared, openGateway, people, type TestGateway, type TestPatient } from '../support/gateway.ts'
import { bodyOf, headerOf, type MailServer, type MailServerForm, startMailServer } from '../support/mail-server.ts'
import { anAuthority, type Certified } from '../support/pki.ts'

const from = 'dmp@ch-exemple.fr'
const email = 'zoe.patiente@exemple.fr'

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return
    await wait(10)
  }
  assert.fail(`never: ${what}`)
}

describe('notifications', () => {
  let root: Certified
  let gateway: TestGateway
  let patient: TestPatient
  const open: { close(): Promise<void> }[] = []
  before(async () => {
    root = await anAuthority('RACINE')
  })
  beforeEach(async () => {
    gateway = await openGateway()
    patient = await gateway.patient({
      telecom: [
        { system: 'phone', value: '0102030405' },
        { system: 'email', value: email },
      ],
    })
  })
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close()
    await gateway.close()
  })
  const kept = <T extends { close(): Promise<void> }>(each: T): T => {
    open.push(each)
    return each
  }
  const mailServer = async (form: MailServerForm = {}): Promise<MailServer> => kept(await startMailServer(form))
  const channel = (server: MailServer, more: object = {}): Channel =>
    emailChannel({ host: '127.0.0.1', port: server.port, secure: false, plain: true, from, timeout: 2000, ...more })

  interface Running extends Notifier {
    /** Milliseconds that are added to the clock of the deliveries and of the rules. */
    offset: number
    readonly lines: string[]
  }
  const notifying = async (...channels: readonly Channel[]): Promise<Running> => {
    const { embedded } = gateway
    const running = { offset: 0, lines: [] as string[] }
    const clock = { now: () => new Date(Date.now() + running.offset) }
    const parts = { dmp: embedded.dmp, trace: embedded.trace, choices: embedded.choices, clock, policy: strictPolicy }
    const line = (fields: object, message: string) => void running.lines.push(`${message} ${JSON.stringify(fields)}`)
    const notifier = await startNotifier({
      deliveries: embedded.deliveries,
      channels,
      outgoing: (each) => outgoingNotices(parts, each),
      log: { info: line, warn: line, error: line },
      now: () => clock.now().getTime(),
      interval: 5,
    })
    return kept(Object.assign(running, notifier))
  }
  const feed = async (changes = {}) => {
    const fed = await gateway.fhirDoor.feed(people.author, aDocument(patient, changes), { consent: declared.informed })
    assert.ok(fed.stored, fed.text)
    return fed.stored
  }
  const settled = (notifier: Notifier, state: string, count = 1) =>
    until(`${count} ${state}`, async () => ((await notifier.counts())[`email ${state}`] ?? 0) === count)

  it('tell the patient by e-mail, in French, once', async () => {
    const server = await mailServer()
    const notifier = await notifying(channel(server))
    await feed()
    await settled(notifier, 'sent')
    const [mail] = server.mails
    assert.ok(mail)
    assert.deepEqual([mail.from, mail.to], [from, [email]])
    assert.equal(headerOf(mail, 'Auto-Submitted'), 'auto-generated')
    assert.match(headerOf(mail, 'Message-ID') ?? '', /^<dmp-[0-9a-f]{32}@ch-exemple\.fr>$/)
    assert.match(
      bodyOf(mail),
      /^Bonjour,\n\nLe \d\d\/\d\d\/\d{4} \d\d:\d\d:\d\d : EXEMPLE Anne a ajouté un document à votre dossier médical\./,
    )
    assert.doesNotMatch(mail.raw, new RegExp(patient.ins))
    await wait(50)
    assert.equal(server.mails.length, 1)
    const [notice] = await gateway.embedded.choices.notices(patient.key)
    assert.equal(notice?.state, 'delivered')
  })

  it('go over TLS with a name and a password, and to no server that offers less or is not known', async () => {
    const server = await mailServer({ root, user: 'dmp', password: 'secret' })
    const ca = Buffer.from(root.pem)
    const other = Buffer.from((await anAuthority('AUTRE')).pem)
    const plain = await mailServer()
    const starttls = { plain: false, user: 'dmp', password: 'secret', ca }
    for (const bad of [
      channel(server, { ...starttls, ca: other }),
      channel(server, { ...starttls, password: 'wrong' }),
      channel(plain, starttls),
    ])
      assert.equal(await bad.send(aNotice(), new AbortController().signal), 'later')
    assert.equal(await channel(server, starttls).send(aNotice(), new AbortController().signal), 'sent')
    const implicit = await mailServer({ root, secure: true })
    assert.equal(
      await channel(implicit, { plain: false, secure: true, ca }).send(aNotice(), new AbortController().signal),
      'sent',
    )
    assert.deepEqual([server.mails.length, plain.mails.length, implicit.mails.length], [1, 0, 1])
  })

  const aNotice = () => ({
    no: 1,
    patient: patient.key,
    kind: 'feed' as const,
    recipient: 'patient' as const,
    text: 'Essai.',
    documents: [],
    at: new Date().toISOString(),
    email,
    physicians: [],
    authors: [],
  })

  it('are tried again when the server is away or says later, longer and longer', async () => {
    const server = await mailServer()
    server.answers.push([451, 'later'], [421, 'later'])
    const notifier = await notifying(channel(server))
    await feed()
    const waiting = async (attempts: number) => {
      const far = new Date(Date.now() + 86_400_000 * 365).toISOString()
      const [row] = await gateway.embedded.deliveries.waiting('email', far, 1)
      return row?.attempts === attempts
    }
    await until('one attempt', () => waiting(1))
    await wait(30)
    assert.equal(server.mails.length, 0)
    notifier.offset = 61_000
    await until('two attempts', () => waiting(2))
    notifier.offset = 122_000
    await wait(30)
    assert.ok(await waiting(2))
    notifier.offset = 190_000
    await settled(notifier, 'sent')
    assert.equal(server.mails.length, 1)
  })

  it('are given up when the server refuses for good, and said to be', async () => {
    const server = await mailServer()
    server.rejected.set(email, 550)
    const notifier = await notifying(channel(server))
    await feed()
    await settled(notifier, 'failed')
    await until('word of it', () => /did not certainly reach/.test(notifier.lines.join('\n')))
    assert.doesNotMatch(notifier.lines.join('\n'), /patiente|EXEMPLE|26005/)
  })

  it('are not sent again when nobody knows whether they left', async () => {
    const server = await mailServer()
    server.answers.push('drop')
    const notifier = await notifying(channel(server))
    await feed()
    await settled(notifier, 'uncertain')
    notifier.offset = 86_400_000
    await wait(50)
    assert.equal(server.mails.length, 1)
  })

  it('that were claimed before a crash are not sent again', async () => {
    const server = await mailServer()
    const { deliveries } = gateway.embedded
    await deliveries.enrol('email')
    await feed()
    await feed()
    await deliveries.enrol('email')
    const [first] = await deliveries.waiting('email', new Date().toISOString(), 10)
    assert.ok(first && (await deliveries.claim('email', first.no)))
    assert.equal(await deliveries.claim('email', first.no), false)
    const notifier = await notifying(channel(server))
    await settled(notifier, 'sent')
    await settled(notifier, 'uncertain')
    assert.equal(server.mails.length, 1)
  })

  it('tell of what happens from when there is a channel, not of the past', async () => {
    await feed()
    const server = await mailServer()
    const notifier = await notifying(channel(server))
    await feed()
    await settled(notifier, 'sent')
    assert.equal(server.mails.length, 1)
  })

  it('of a document hidden from the patient wait until it may be seen', async () => {
    const server = await mailServer()
    const notifier = await notifying(channel(server))
    await feed({
      confidentialityCodes: [codes.normal, codes.hiddenFromPatient],
    })
    await feed()
    await settled(notifier, 'sent')
    await wait(50)
    assert.equal(server.mails.length, 1)
    const day = 86_400_000
    notifier.offset = 15 * day
    await until('word of the hidden document', () => server.mails.length === 2)
    assert.match(bodyOf(server.mails[1] as never), /doit d’abord vous expliquer/)
    notifier.offset = 40 * day
    await until('word of the feed', () => server.mails.length === 3)
    assert.match(bodyOf(server.mails[2] as never), /a ajouté un document/)
  })

  it('of an emergency reach the treating physician at the configured address', async () => {
    const server = await mailServer()
    const professionals = new Map([[people.colleague.id, 'karim.benali@exemple.mssante.fr']])
    const notifier = await notifying(channel(server, { professionals, identifyPatient: true }))
    await gateway.embedded.administration.designate(
      patient.key,
      'treating',
      people.colleague.id,
      gateway.change(patient),
    )
    const stored = await feed()
    const purpose = 'bris_de_glace; reason="patient inconscient"'
    const read = await gateway.fhirDoor.retrieve(people.stranger, stored, { purpose })
    assert.ok(read.outcome.ok, read.outcome.text)
    await until('three messages', () => server.mails.length === 3)
    await settled(notifier, 'sent', 3)
    const emergency = server.mails.filter((mail) => /Bris de glace/.test(bodyOf(mail)))
    assert.deepEqual(emergency.flatMap(({ to }) => to).sort(), ['karim.benali@exemple.mssante.fr', email])
    const physician = emergency.find(({ to }) => to.includes('karim.benali@exemple.mssante.fr'))
    assert.match(bodyOf(physician as never), new RegExp(`Patient : INS ${patient.ins}`))
    assert.match(bodyOf(physician as never), /patient inconscient/)
  })

  it('that reach nobody are settled as such', async () => {
    const server = await mailServer()
    patient = await gateway.patient()
    const notifier = await notifying(channel(server))
    await feed()
    await settled(notifier, 'no-recipient')
    assert.deepEqual(server.mails, [])
  })

  describe('by webhook', () => {
    interface Hook {
      readonly url: string
      readonly calls: { readonly headers: IncomingHttpHeaders; readonly body: string }[]
      readonly answers: (number | 'drop')[]
      close(): Promise<void>
    }
    const secret = 'un secret d’au moins trente-deux caractères'
    const startHook = async (): Promise<Hook> => {
      const calls: Hook['calls'] = []
      const answers: Hook['answers'] = []
      const server = createServer((request, response) => {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          calls.push({ headers: request.headers, body: Buffer.concat(chunks).toString() })
          const answer = answers.shift() ?? 204
          if (answer === 'drop') request.socket.destroy()
          else response.writeHead(answer).end()
        })
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      return kept({
        url: `http://127.0.0.1:${port}/avis`,
        calls,
        answers,
        async close() {
          server.closeAllConnections()
          server.close()
          await once(server, 'close')
        },
      })
    }

    it('come signed, so that the receiver can tell who sent them and when', async () => {
      const hook = await startHook()
      await notifying(webhookChannel({ url: hook.url, secret }))
      const stored = await feed()
      await until('a call', () => hook.calls.length === 1)
      const [call] = hook.calls
      assert.ok(call)
      const [, time = '', signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(call.headers['dmp-signature'])) ?? []
      assert.equal(createHmac('sha256', secret).update(`${time}.${call.body}`).digest('hex'), signature)
      assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60)
      const body = JSON.parse(call.body) as Record<string, unknown>
      assert.deepEqual(body, {
        id: Number(call.headers['dmp-notification-id']),
        kind: 'feed',
        recipient: 'patient',
        patient: { system: `urn:oid:${patient.authority}`, value: patient.ins },
        text: 'EXEMPLE Anne a ajouté un document à votre dossier médical.',
        documents: [stored.logicalId],
        at: body.at,
      })
    })

    it('are tried again on 5xx, given up on 4xx, and left alone when the answer is lost', async () => {
      const hook = await startHook()
      const send = webhookChannel({ url: hook.url, secret })
      hook.answers.push(503, 429, 422, 404, 'drop', 200)
      const outcomes: string[] = []
      for (let count = 0; count < 6; count++) outcomes.push(await send.send(aNotice(), new AbortController().signal))
      assert.deepEqual(outcomes, ['later', 'later', 'refused', 'refused', 'uncertain', 'sent'])
      await hook.close()
      open.splice(open.indexOf(hook), 1)
      assert.equal(await send.send(aNotice(), new AbortController().signal), 'later')
    })

    it('go their own way beside e-mail', async () => {
      const hook = await startHook()
      const server = await mailServer()
      const notifier = await notifying(channel(server), webhookChannel({ url: hook.url, secret }))
      await feed()
      await until('both', () => hook.calls.length === 1 && server.mails.length === 1)
      await until('both settled', async () => {
        const counts = await notifier.counts()
        return counts['email sent'] === 1 && counts['webhook sent'] === 1
      })
    })
  })

  it('need no more than the configuration of the gateway', async () => {
    const server = await mailServer()
    await using configured = await openGateway({
      'notifications.email': { host: '127.0.0.1', port: server.port, tls: 'none', from },
    })
    const somebody = await configured.patient({ telecom: [{ system: 'email', value: email }] })
    const fed = await configured.xdsDoor.feed(people.structure, aDocument(somebody), { consent: declared.informed })
    assert.ok(fed.ok, fed.text)
    await until('a message', () => server.mails.length === 1)
    assert.deepEqual(server.mails[0]?.to, [email])
  })
})
