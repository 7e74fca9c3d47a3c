/** Access tokens of Pro Santé Connect as it issues them: no audience, no profession; its userinfo endpoint says the rest. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SignJWT } from 'jose'
import type { TrustedJwtIssuer } from '../../src/identity/index.ts'
import type { Identity } from '../../src/operations/ports.ts'
import { aCertificate, anAuthority, aServerCertificate, clientUsage } from '../support/pki.ts'
import { anIdentity, now, refused, testClock } from './support.ts'

const issuer = 'https://auth.esante.example/realms/esante'
const sub = 'f:550dc1c8-0000-4b1e-ac8c-000000000000:899700000001'
const described = {
  sub,
  SubjectNameID: '899700000001',
  SubjectRole: ['10^1.2.250.1.213.1.1.5.5'],
  SubjectOrganization: 'CABINET EXEMPLE',
  SubjectOrganizationID: '1010099999',
  Secteur_Activite: 'SA07^1.2.250.1.71.4.2.4',
  family_name: 'EXEMPLE',
  given_name: 'ANNE',
  SubjectRefPro: { exercices: [{ codeProfession: '10', codeTypeSavoirFaire: 'S', codeSavoirFaire: 'SM26' }] },
}

describe('an access token of Pro Santé Connect', () => {
  let key: KeyObject
  let otherKey: KeyObject
  let pem: string
  let server: Server
  let url: string
  /** Authorization of each question. */
  let asked: (string | undefined)[]
  let answer: RequestListener
  before(async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
    key = pair.privateKey
    pem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
    otherKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    server = createServer((request, response) => {
      asked.push(request.headers.authorization)
      answer(request, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/userinfo`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    asked = []
    answer = says(JSON.stringify(described))
  })

  const says =
    (body: string, type = 'application/json', status = 200): RequestListener =>
    (_request, response) =>
      response.writeHead(status, { 'Content-Type': type }).end(body)
  const trusting = (userinfo: Partial<NonNullable<TrustedJwtIssuer['userinfo']>> = {}, clock = testClock()) =>
    anIdentity({
      clock,
      trustedJwtIssuers: [
        { issuer, key: pem, clients: ['lps-exemple'], claims: 'psc', userinfo: { url, timeout: 500, ...userinfo } },
      ],
    })
  const sign = (claims: object, signingKey = key) =>
    new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256' }).setIssuer(issuer).sign(signingKey)
  const seconds = Math.floor(now.getTime() / 1000)
  let serial = 0
  const token = (changes: object = {}) =>
    sign({
      sub,
      jti: `psc-${++serial}`,
      typ: 'Bearer',
      azp: 'lps-exemple',
      preferred_username: '899700000001',
      scope: 'openid scope_all',
      iat: seconds,
      exp: seconds + 120,
      ...changes,
    })

  it('becomes the professional whom the provider describes', async () => {
    const sent = await token()
    const caller = await (await trusting()).fromBearer(sent)
    assert.deepEqual(asked, [`Bearer ${sent}`])
    assert.deepEqual(caller.person, { id: '899700000001', name: 'EXEMPLE ANNE' })
    assert.deepEqual([caller.kind, caller.authentication, caller.tokenId], ['professional', 'direct', `psc-${serial}`])
    assert.deepEqual(caller.structure, { id: '1010099999', name: 'CABINET EXEMPLE' })
    assert.deepEqual([caller.profession?.code, caller.specialities.map(({ code }) => code)], ['10', ['SM26']])
  })

  it('is asked about once, by however many requests, until it expires', async () => {
    const clock = testClock()
    const identity = await trusting({}, clock)
    const sent = await token()
    await Promise.all(Array.from({ length: 10 }, () => identity.fromBearer(sent)))
    clock.offset = 100
    await identity.fromBearer(sent)
    assert.equal(asked.length, 1)
    clock.offset = 300
    await refused(identity.fromBearer(sent), /expired/, 'identity-expired')
    assert.equal(asked.length, 1)
  })

  it('is asked about only when its signature, its issuer, its client and its time hold', async () => {
    const identity = await trusting()
    await refused(
      identity.fromBearer(await sign({ sub, azp: 'lps-exemple', exp: seconds + 60 }, otherKey)),
      /signature/,
    )
    await refused(identity.fromBearer(await token({ azp: 'another' })), /azp/)
    await refused(identity.fromBearer(await token({ azp: undefined })), /azp/)
    await refused(identity.fromBearer(await token({ typ: 'ID' })), /access token/)
    await refused(identity.fromBearer(await token({ typ: undefined, aud: 'lps-exemple' })), /aud/)
    await refused(identity.fromBearer(await token({ aud: ['https://another.example.org'] })), /aud/)
    await refused(identity.fromBearer(await token({ exp: seconds - 300 })), /expired/, 'identity-expired')
    assert.deepEqual(asked, [])
  })

  it('says nothing by itself: what it claims beside its subject is not believed', async () => {
    const identity = await trusting()
    const caller = await identity.fromBearer(await token({ SubjectNameID: '899700000666', SubjectRole: ['60^1.2.3'] }))
    assert.equal(caller.person?.id, '899700000001')
  })

  it('is refused when the provider does not know it, or speaks of somebody else', async () => {
    const identity = await trusting()
    answer = says('{"error":"invalid_token"}', 'application/json', 401)
    await refused(identity.fromBearer(await token()), /sign in again/)
    answer = says(JSON.stringify({ ...described, sub: 'f:somebody' }))
    await refused(identity.fromBearer(await token()), /another person/)
  })

  it('opens nothing while the provider cannot be asked or understood, and may come again', async () => {
    const identity = await trusting()
    const sent = await token()
    const bad: readonly (readonly [string, RequestListener])[] = [
      ['500', says('', 'text/plain', 500)],
      ['a redirect', (_request, response) => response.writeHead(302, { Location: url }).end()],
      ['no JSON', says('<html>', 'text/html')],
      ['no sub', says('{}')],
      ['too much', says(`{"sub":"${'x'.repeat(300_000)}"}`)],
      ['silence', () => {}],
      ['an end', (request) => request.socket.destroy()],
    ]
    for (const [what, listener] of bad) {
      answer = listener
      await assert.rejects(identity.fromBearer(sent), { code: 'identity-provider-unavailable' }, what)
    }
    answer = says(JSON.stringify(described))
    assert.equal((await identity.fromBearer(sent)).person?.id, '899700000001')
  })

  it('is described by a signed JWT too, which must be of the provider and for the client', async () => {
    const identity = await trusting({ signed: true })
    const attempt = async (jwt: string, type = 'application/jwt; charset=utf-8'): Promise<string | undefined> => {
      answer = says(jwt, type)
      return (await identity.fromBearer(await token())).person?.id
    }
    const unusable = { code: 'identity-provider-unavailable' }
    assert.equal(await attempt(await sign({ ...described, aud: 'lps-exemple' })), '899700000001')
    await assert.rejects(attempt(await sign({ ...described, aud: 'lps-exemple' }, otherKey)), unusable)
    await assert.rejects(attempt(await sign({ ...described, aud: 'another' })), unusable)
    await assert.rejects(attempt(await sign(described)), unusable)
    // Where a signature is asked for, JSON will not do
    await assert.rejects(attempt(JSON.stringify(described), 'application/json'), unusable)
  })

  it('is asked about over TLS that both sides prove', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-psc-'))
    const [root, clients] = [await anAuthority('RACINE'), await anAuthority('RACINE CLIENTS')]
    const [own, node] = [
      await aServerCertificate(root),
      await aCertificate(clients, { name: 'CN=lps', extendedUsages: [clientUsage] }),
    ]
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(path.join(folder, name), text)
      return path.join(folder, name)
    }
    const tls = createHttpsServer(
      { key: own.keyPem, cert: own.pem, ca: clients.pem, requestCert: true, rejectUnauthorized: true },
      says(JSON.stringify(described)),
    )
    tls.listen(0, '127.0.0.1')
    await once(tls, 'listening')
    const at = `https://localhost:${(tls.address() as AddressInfo).port}/`
    const ca = await file('root.pem', root.pem)
    const proof = { certificate: await file('node.pem', node.pem), key: await file('node.key', node.keyPem) }
    const asks = async (userinfo: object): Promise<Identity> => trusting({ url: at, ...userinfo })
    try {
      assert.ok(await (await asks({ ca, ...proof })).fromBearer(await token()))
      for (const userinfo of [{ ca }, proof])
        await assert.rejects((await asks(userinfo)).fromBearer(await token()), {
          code: 'identity-provider-unavailable',
        })
      await assert.rejects(asks({ ca, ...proof, key: await file('other.key', root.keyPem) }), RangeError)
    } finally {
      tls.closeAllConnections()
      tls.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('needs an audience where no clients are named', async () => {
    const identity = await anIdentity({ trustedJwtIssuers: [{ issuer, key: pem, claims: 'psc' }] })
    await refused(identity.fromBearer(await token()), /aud/)
  })
})
