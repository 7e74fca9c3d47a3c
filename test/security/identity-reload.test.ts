/** Certificates, keys and revocation lists that change while a real gateway runs. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connect } from 'node:tls'
import { startGateway } from '../../src/main.ts'
import { loadConfig } from '../../src/server/config.ts'
import { replace, signForm, unsigned } from '../identity/vihf-support.ts'
import { serve } from '../support/child.ts'
import { declared, openGateway, people } from '../support/gateway.ts'
import { aCertificate, anAuthority, aRevocationList, aServerCertificate, type Certified } from '../support/pki.ts'

const subject = 'CN=logiciel.ch-exemple.fr,O=CH EXEMPLE,C=FR'

describe('credentials that change while the gateway runs', () => {
  let folder: string
  let root: Certified
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-tls-'))
    root = await anAuthority('RACINE SERVEURS')
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const file = (name: string): string => path.join(folder, name)
  const put = async ({ keyPem, pem }: Certified): Promise<void> => {
    await writeFile(file('server.key'), keyPem)
    await writeFile(file('server.pem'), pem)
  }
  const served = (url: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port, hostname } = new URL(url)
      const socket = connect({ port: Number(port), host: hostname, ca: root.pem, servername: 'localhost' }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
        socket.destroy()
      })
      socket.on('error', reject)
    })
  const tls = (more: object = {}) => ({
    'server.tls': { key: file('server.key'), certificate: file('server.pem') },
    ...more,
  })

  it('are used from a reload on, and the old ones stay while the new cannot be used', async () => {
    const [first, second] = [await aServerCertificate(root), await aServerCertificate(root)]
    await put(first)
    const data = await mkdtemp(path.join(folder, 'data-'))
    const gateway = await startGateway(
      loadConfig({ overrides: { ...tls(), data, 'server.port': 0, 'server.reloadSeconds': 0, 'log.level': 'silent' } }),
    )
    try {
      assert.equal(await served(gateway.url), first.certificate.fingerprint256)
      await put(second)
      assert.equal(await served(gateway.url), first.certificate.fingerprint256)
      await gateway.reload()
      assert.equal(await served(gateway.url), second.certificate.fingerprint256)
      // A key that is not that of the certificate
      await writeFile(file('server.key'), first.keyPem)
      await gateway.reload()
      assert.equal(await served(gateway.url), second.certificate.fingerprint256)
      await rm(file('server.pem'))
      await gateway.reload()
      assert.equal(await served(gateway.url), second.certificate.fingerprint256)
    } finally {
      await gateway.close()
    }
  })

  it('are used soon after their files change', async () => {
    const [first, second] = [await aServerCertificate(root), await aServerCertificate(root)]
    await put(first)
    await using gateway = await openGateway(tls({ 'server.reloadSeconds': 0.05 }))
    assert.equal(await served(gateway.url), first.certificate.fingerprint256)
    await put(second)
    for (let tries = 0; tries < 200; tries++) {
      if ((await served(gateway.url)) === second.certificate.fingerprint256) return
      await wait(20)
    }
    assert.fail('the new certificate is not served')
  })

  it('are used on SIGHUP, which ends nothing', async () => {
    const [first, second] = [await aServerCertificate(root), await aServerCertificate(root)]
    await put(first)
    const config = file('config.json')
    await writeFile(
      config,
      JSON.stringify({
        log: { level: 'silent' },
        server: { reloadSeconds: 0, tls: { key: file('server.key'), certificate: file('server.pem') } },
      }),
    )
    const data = await mkdtemp(path.join(folder, 'data-'))
    const server = await serve({ data, environment: { DMP_GATEWAY_CONFIG: config } })
    try {
      assert.equal(await served(server.url), first.certificate.fingerprint256)
      await put(second)
      server.process.kill('SIGHUP')
      for (let tries = 0; (await served(server.url)) !== second.certificate.fingerprint256; tries++) {
        assert.ok(tries < 200, 'the new certificate is not served')
        await wait(20)
      }
    } finally {
      server.kill()
      await server.ended
    }
  }).timeout(30_000)

  it('take back a signer whose certificate is revoked, at once', async () => {
    const authority = await anAuthority('RACINE SIGNATURE')
    const signer = await aCertificate(authority)
    await writeFile(file('authority.pem'), authority.pem)
    await writeFile(file('list.crl'), await aRevocationList(authority))
    await using gateway = await openGateway({
      'server.reloadSeconds': 0.05,
      'identity.vihf': { certificates: [file('authority.pem')], revocationLists: [file('list.crl')] },
    })
    const patient = await gateway.patient()
    const identity = { ...people.author, ins: patient.ins, insSystem: patient.authority }
    const xml = signForm(
      unsigned(gateway.issuer, replace(gateway.issuer.vihfSubject, 'CN=SIGNATURE,O=CH EXEMPLE,C=FR'), identity),
      gateway.issuer,
      {
        key: signer.key,
        certificate: signer.certificate,
        method: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256',
      },
    )
    const token = Buffer.from(xml).toString('base64url')
    const search = `/DocumentReference?patient.identifier=${encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)}&status=current`
    const ask = () => gateway.fhir.call({}, 'GET', search, { token, consent: declared.careTeam })
    assert.equal((await ask()).status, 200)
    await writeFile(file('list.crl'), await aRevocationList(authority, { revoked: [signer] }))
    for (let tries = 0; tries < 200; tries++) {
      const { status, outcome } = await ask()
      if (status === 401) {
        assert.match(outcome.text, /revoked/)
        return
      }
      await wait(20)
    }
    assert.fail('the revoked signer is still believed')
  })

  it('stop the start when they cannot be used', async () => {
    await assert.rejects(openGateway({ 'identity.mtls': [{ subject, structure: '1010099999' }] }), /clientAuthorities/)
    await assert.rejects(
      openGateway({ 'server.tls': { key: file('absent'), certificate: file('absent') } }),
      (error: unknown) => error instanceof Error && /absent/.test(error.message),
    )
  })
})
