/** TLS and mutual TLS of a real gateway: who a client certificate is, and what contradicts it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { decodeJwt, SignJWT } from 'jose'
import { mintJwt, mintVihf } from '../../src/identity/mint.ts'
import type { AccessRecord } from '../../src/operations/ports.ts'
import { aPatient, declared, type IdentityOptions, openGateway, people, type TestGateway } from '../support/gateway.ts'
import {
  aCertificate,
  anAuthority,
  aRevocationList,
  aServerCertificate,
  type Certified,
  clientUsage,
  listPem,
  serverUsage,
} from '../support/pki.ts'
import { accessesOf } from '../support/trace.ts'

interface Reply {
  readonly status: number
  readonly text: string
}

interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly client?: Certified
}

const subject = 'CN=logiciel.ch-exemple.fr,O=CH EXEMPLE,C=FR'

describe('mutual TLS', () => {
  let folder: string
  let root: Certified
  let clients: Certified
  let client: Certified
  let site: Certified
  let revoked: Certified
  let gateway: TestGateway
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-tls-'))
    root = await anAuthority('RACINE SERVEURS')
    clients = await anAuthority('RACINE CLIENTS')
    const forClients = { name: subject, extendedUsages: [clientUsage] }
    client = await aCertificate(clients, forClients)
    site = await aCertificate(clients, { ...forClients, name: 'CN=site,O=CH EXEMPLE,C=FR' })
    revoked = await aCertificate(clients, { ...forClients, name: 'CN=ancien,O=CH EXEMPLE,C=FR' })
    const server = await aServerCertificate(root)
    await put('server.key', server.keyPem)
    await put('server.pem', server.pem)
    await put('clients.pem', clients.pem)
    await put('clients.crl', listPem(await aRevocationList(clients, { revoked: [revoked] })))
    gateway = await openGateway({
      'server.tls': {
        key: file('server.key'),
        certificate: file('server.pem'),
        clientAuthorities: [file('clients.pem')],
        revocationLists: [file('clients.crl')],
      },
      'identity.mtls': [
        {
          subject: 'C=FR,O=CH EXEMPLE,CN=logiciel.ch-exemple.fr',
          structure: '1010099999',
          structureName: 'CH EXEMPLE',
          sites: ['1010088888'],
          sector: 'SA01',
        },
        { fingerprint: site.certificate.fingerprint256, structure: '1010077777' },
      ],
    })
  })
  after(async () => {
    await gateway.close()
    await rm(folder, { recursive: true, force: true })
  })

  const file = (name: string): string => path.join(folder, name)
  const put = (name: string, text: string): Promise<void> => writeFile(file(name), text)

  const ask = ({
    method = 'GET',
    path: target = '/fhir/metadata',
    headers = {},
    body,
    client: own,
  }: Ask): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const agent = new Agent({ ca: root.pem, maxCachedSessions: 0, ...(own && { cert: own.pem, key: own.keyPem }) })
      const sent = request(`${gateway.url}${target}`, { method, headers, agent }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          agent.destroy()
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
        })
        response.on('error', reject)
      })
      sent.on('error', reject)
      sent.end(body)
    })

  const opening = (client_: Certified | undefined, headers: Record<string, string> = {}) => {
    const patient = aPatient()
    const system = `urn:oid:${patient.authority}`
    return {
      patient,
      reply: ask({
        method: 'PUT',
        path: `/fhir/Patient?identifier=${encodeURIComponent(`${system}|${patient.ins}`)}`,
        headers: { 'Content-Type': 'application/fhir+json', ...headers },
        body: JSON.stringify({ resourceType: 'Patient', identifier: [{ system, value: patient.ins }] }),
        ...(client_ && { client: client_ }),
      }),
    }
  }
  const bearer = async (who: IdentityOptions) => ({ Authorization: `Bearer ${await mintJwt(gateway.issuer, who)}` })
  const recordOf = async (key: AccessRecord['patient']): Promise<AccessRecord | undefined> =>
    key === undefined ? undefined : (await accessesOf(gateway.embedded.trace, { patient: key }))[0]

  it('makes a structure of a certificate, and says so on record', async () => {
    const { patient, reply } = opening(client)
    assert.equal((await reply).status, 201, (await reply).text)
    const record = await recordOf(patient.key)
    assert.deepEqual(record?.caller, {
      kind: 'structure',
      authentication: 'indirect',
      structure: { id: '1010099999', name: 'CH EXEMPLE' },
      specialities: [],
      sector: 'SA01',
      regulation: false,
      secretConnection: false,
      proof: 'mtls',
    })
    const other = opening(site)
    assert.equal((await other.reply).status, 201)
    assert.equal((await recordOf(other.patient.key))?.caller.structure?.id, '1010077777')
  })

  it('opens nothing that a structure may not do', async () => {
    const { patient, reply } = opening(client)
    await reply
    const found = await ask({
      path: `/fhir/DocumentReference?patient.identifier=${encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)}&status=current`,
      client,
      headers: { 'DMP-Consent': 'basis=care-team, informed=?1, episode="E"' },
    })
    assert.equal(found.status, 403)
    assert.match(found.text, /nominative-identity-required/)
  })

  it('serves the SOAP door too, where no assertion comes', async () => {
    const { patient, reply } = opening(client)
    await reply
    const xml = gateway.xds
      .envelope(
        { ins: patient.ins, insSystem: patient.authority },
        {
          transaction: 'ITI-18',
          body: `<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"><query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/><AdhocQuery xmlns="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0" id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"><Slot name="$XDSDocumentEntryPatientId"><ValueList><Value>'${patient.ins}^^^&amp;${patient.authority}&amp;ISO^NH'</Value></ValueList></Slot><Slot name="$XDSDocumentEntryStatus"><ValueList><Value>('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')</Value></ValueList></Slot></AdhocQuery></query:AdhocQueryRequest>`,
          consent: declared.careTeam,
        },
      )
      .replace(/<saml2:Assertion.*<\/saml2:Assertion>/s, '')
    const soap = (client_?: Certified) =>
      ask({
        method: 'POST',
        path: '/xds/registry',
        headers: { 'Content-Type': 'application/soap+xml; charset=UTF-8' },
        body: xml,
        ...(client_ && { client: client_ }),
      })
    assert.match((await soap(client)).text, /nominative-identity-required/)
    assert.match((await soap()).text, /identity-missing/)
  })

  it('asks for a token where there is no certificate, or one that nobody configured', async () => {
    const stray = await aCertificate(clients, { name: 'CN=inconnu,O=CH EXEMPLE,C=FR', extendedUsages: [clientUsage] })
    for (const client_ of [undefined, stray]) {
      const without = opening(client_)
      assert.equal((await without.reply).status, 401)
      const withToken = opening(client_, await bearer(people.structure))
      assert.equal((await withToken.reply).status, 201)
    }
  })

  it('refuses a certificate that is not trusted, revoked, expired, or not for clients, with a token or without', async () => {
    const extendedUsages = [clientUsage]
    const bad: readonly Certified[] = [
      await aCertificate(await anAuthority('AUTRE RACINE'), { name: subject, extendedUsages }),
      await aCertificate(await anAuthority('RACINE CLIENTS'), { name: subject, extendedUsages }),
      revoked,
      await aCertificate(clients, { name: subject, extendedUsages, notAfter: new Date(Date.now() - 60_000) }),
      await aCertificate(clients, { name: subject, extendedUsages: [serverUsage] }),
    ]
    for (const client_ of bad)
      for (const headers of [{}, await bearer(people.structure)]) {
        const { patient, reply } = opening(client_, headers)
        assert.equal((await reply).status, 401)
        assert.match((await reply).text, /client certificate of the connection is not accepted/)
        assert.equal(await recordOf(patient.key), undefined)
      }
  })

  it('and a token name the same structure, or one of its sites', async () => {
    assert.equal((await opening(client, await bearer(people.structure)).reply).status, 201)
    assert.equal(
      (await opening(client, await bearer({ ...people.structure, structure: '1010088888' })).reply).status,
      201,
    )
    const { patient, reply } = opening(client, await bearer({ ...people.structure, structure: '1020099999' }))
    assert.equal((await reply).status, 401)
    assert.match((await reply).text, /two structures/)
    assert.equal(await recordOf(patient.key), undefined)
    const vihf = mintVihf(gateway.issuer, { ...people.structure, structure: '1020099999' })
    const asVihf = opening(client, { Authorization: `Bearer ${Buffer.from(vihf).toString('base64url')}` })
    assert.equal((await asVihf.reply).status, 401)
    assert.match((await asVihf.reply).text, /two structures/)
  })

  it('binds a token to its certificate', async () => {
    const thumbprint = createHash('sha256').update(client.certificate.raw).digest('base64url')
    const payload = { ...decodeJwt(await mintJwt(gateway.issuer, people.structure)), cnf: { 'x5t#S256': thumbprint } }
    const token = await new SignJWT(payload).setProtectedHeader({ alg: 'ES256' }).sign(gateway.issuer.jwtKey)
    const headers = { Authorization: `Bearer ${token}` }
    assert.equal((await opening(client, headers).reply).status, 201)
    for (const client_ of [undefined, site]) {
      const { reply } = opening(client_, headers)
      assert.equal((await reply).status, 401)
      assert.match((await reply).text, /bound to a client certificate|two structures/)
    }
  })

  it('keeps the identity of one connection out of the next', async () => {
    for (const client_ of [client, undefined, site, undefined, client]) {
      const { patient, reply } = opening(client_)
      assert.equal((await reply).status, client_ === undefined ? 401 : 201)
      const expected = client_ === site ? '1010077777' : client_ === client ? '1010099999' : undefined
      assert.equal((await recordOf(patient.key))?.caller.structure?.id, expected)
    }
  })

  it('takes nothing below TLS 1.2', async () => {
    const { port } = new URL(gateway.url)
    const attempt = new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect(
        {
          port: Number(port),
          host: '127.0.0.1',
          ca: root.pem,
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1.1',
          ciphers: 'DEFAULT@SECLEVEL=0',
        },
        () => resolve(socket),
      )
      socket.on('error', reject)
    })
    await assert.rejects(attempt, /protocol|version|alert/i)
  })
})
