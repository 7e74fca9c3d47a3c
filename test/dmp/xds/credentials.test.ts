import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSign, createVerify } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TLSSocket } from 'node:tls'
import type { KeyFiles } from '../../../src/dmp/remote/key-pair.ts'
import { readPkcs12 } from '../../../src/dmp/remote/pkcs12.ts'
import { type Credentials, openCredentials } from '../../../src/dmp/xds/credentials.ts'
import { ConfigError, loadConfig } from '../../../src/server/config.ts'
import { nationalOptions } from '../../../src/server/config-national.ts'

const passphrase = 'clé d’été: #1'

/** How openssl protects a file: as of today, as ten years ago, and as twenty. */
const protections = {
  'PBES2 with AES-256': [],
  '3DES with SHA-1': ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'],
  'RC2 and 3DES, as older exports': ['-legacy'],
} as const

describe('the certificates of a structure', () => {
  let folder: string
  const at = (name: string) => path.join(folder, name)
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
  /** A key with its certificate, issued by the authority of this test, as PEM files. */
  const issue = (name: string, kind: readonly string[] = ['rsa:2048']) => {
    openssl(
      'req',
      '-newkey',
      ...kind,
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/C=FR/O=CH/CN=${name}`,
    )
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-days',
      '30',
      '-out',
      `${name}.pem`,
    )
  }
  const pack = (name: string, file: string, options: readonly string[] = [], secret = passphrase) => {
    const inputs = ['-inkey', `${name}.key`, '-in', `${name}.pem`, '-certfile', 'ca.pem']
    openssl('pkcs12', '-export', ...inputs, '-out', file, '-passout', `pass:${secret}`, ...options)
    return at(file)
  }
  before(function () {
    try {
      execFileSync('openssl', ['version'], { stdio: 'pipe' })
    } catch {
      this.skip()
    }
    folder = mkdtempSync(path.join(tmpdir(), 'pkcs12-'))
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '30',
      '-subj',
      '/C=FR/O=AUTORITE/CN=AC EXEMPLE',
    )
    issue('org-auth')
    issue('org-sign')
  })
  after(() => folder && rmSync(folder, { recursive: true }))

  const pem = (name: string): KeyFiles => ({ key: at(`${name}.key`), certificate: at(`${name}.pem`) })
  const withCredentials = async (
    files: Partial<Record<'authentication' | 'signature', KeyFiles>>,
    act: (opened: Credentials) => unknown,
  ) => {
    const opened = await openCredentials({
      authentication: pem('org-auth'),
      signature: pem('org-sign'),
      authorities: [at('ca.pem')],
      ...files,
    })
    try {
      await act(opened)
    } finally {
      opened.close()
    }
  }

  for (const [name, options] of Object.entries(protections))
    it(`are the same from PEM and from PKCS#12 (${name}), byte for byte`, async function () {
      let file: string
      try {
        file = pack('org-sign', 'sign.p12', options)
      } catch {
        // An openssl without its legacy provider cannot write such a file
        return this.skip()
      }
      await withCredentials({}, (fromPem) =>
        withCredentials({ signature: { pkcs12: file, passphrase } }, ({ signing, expiry }) => {
          assert.deepEqual(signing.certificate.raw, fromPem.signing.certificate.raw)
          assert.equal(signing.subjectName, 'CN=org-sign,O=CH,C=FR')
          assert.deepEqual(expiry, fromPem.expiry)
          const signature = createSign('RSA-SHA256').update('x').sign(signing.key)
          assert.ok(createVerify('RSA-SHA256').update('x').verify(fromPem.signing.certificate.publicKey, signature))
        }),
      )
      const { chain } = await readPkcs12(readFileSync(file), passphrase)
      assert.deepEqual(
        chain.map(({ subject }) => subject.split('\n').at(-1)),
        ['CN=AC EXEMPLE'],
      )
    })

  it('open mutual TLS from PKCS#12, with the chain', async () => {
    const file = pack('org-auth', 'auth.p12')
    issue('server')
    const server = createServer(
      {
        key: readFileSync(at('server.key')),
        cert: readFileSync(at('server.pem')),
        ca: readFileSync(at('ca.pem')),
        requestCert: true,
      },
      (asked, response) => response.end((asked.socket as TLSSocket).getPeerCertificate().subject.CN),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      await withCredentials({ authentication: { pkcs12: file, passphrase } }, async ({ agent }) => {
        const { port } = server.address() as AddressInfo
        const name = await new Promise((resolve, reject) => {
          const checkServerIdentity = () => undefined
          request({ host: '127.0.0.1', port, agent, checkServerIdentity }, (response) =>
            response.setEncoding('utf8').once('data', resolve),
          )
            .once('error', reject)
            .end()
        })
        assert.equal(name, 'org-auth')
      })
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('are read again with their passphrase, and stay what they were when the new file cannot be used', async () => {
    const secret = at('secret')
    writeFileSync(secret, `${passphrase}\n`)
    const file = pack('org-sign', 'turn.p12')
    await withCredentials({ signature: { pkcs12: file, passphraseFile: secret } }, async (opened) => {
      const before = opened.signing.certificate.raw
      issue('org-next')
      copyFileSync(pack('org-next', 'next.p12', [], 'autre'), file)
      await assert.rejects(opened.reload(), /turn\.p12: cannot be opened: is the passphrase the right one\?/)
      assert.deepEqual(opened.signing.certificate.raw, before)
      writeFileSync(secret, 'autre')
      await opened.reload()
      assert.equal(opened.signing.subjectName, 'CN=org-next,O=CH,C=FR')
    })
  })

  it('stop the start with the name of the file and nothing of its content', async () => {
    const refused = async (signature: KeyFiles, message: RegExp) =>
      assert.rejects(
        withCredentials({ signature }, () => {}),
        (error) => {
          assert.ok(error instanceof Error)
          assert.match(error.message, message)
          assert.ok(!error.message.includes(passphrase))
          return true
        },
      )
    await refused({ pkcs12: pack('org-sign', 'some.p12'), passphrase: 'wrong' }, /some\.p12: cannot be opened/)
    await refused({ pkcs12: at('org-sign.pem'), passphrase }, /org-sign\.pem: is no PKCS#12/)
    openssl('pkcs12', '-export', '-nokeys', '-in', 'ca.pem', '-out', 'nokey.p12', '-passout', `pass:${passphrase}`)
    await refused({ pkcs12: at('nokey.p12'), passphrase }, /nokey\.p12: holds 0 private keys, not one/)
    issue('elliptic', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'])
    await refused(
      { pkcs12: pack('elliptic', 'elliptic.p12'), passphrase },
      /elliptic\.p12: the DMP knows RSA signatures only/,
    )
    await refused({ pkcs12: at('absent.p12') }, /absent\.p12/)
  })

  it('may have an elliptic key for TLS, and an empty passphrase', async () => {
    const file = pack('org-sign', 'empty.p12', [], '')
    await withCredentials({ signature: { pkcs12: file } }, ({ signing }) =>
      assert.equal(signing.key.asymmetricKeyType, 'rsa'),
    )
    issue('curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'])
    const { key, certificate } = await readPkcs12(readFileSync(pack('curve', 'curve.p12')), passphrase)
    assert.equal(key.asymmetricKeyType, 'ec')
    const signature = createSign('SHA256').update('x').sign(key)
    assert.ok(createVerify('SHA256').update('x').verify(certificate.publicKey, signature))
  })
})

describe('the configuration of the certificates', () => {
  const national = {
    baseUrl: 'https://dmp.example.org/services',
    authentication: { key: '/a.key', certificate: '/a.pem' },
    signature: { pkcs12: '/sign.p12', passphraseFile: '/secret' },
    authorities: ['/ca.pem'],
    structure: { id: '1010099999', name: 'CH EXEMPLE', sector: 'SA01' },
    responsible: { id: '899700000001', name: 'DUPONT Anne' },
    software: { oid: '1.2.250.1.999.77', homologation: 'TEST' },
  }
  const load = (changes: object = {}, environment = {}) => {
    const { dmp } = loadConfig({
      environment,
      overrides: { 'dmp.kind': 'national', 'dmp.national': { ...national, ...changes } },
    })
    assert.ok(dmp.national)
    return nationalOptions(dmp.national, dmp.repositoryUniqueId, 1).credentials
  }

  it('is PEM or PKCS#12, each for itself', () => {
    const { authentication, signature } = load()
    assert.deepEqual([authentication, signature], [national.authentication, national.signature])
  })

  it('is refused when it is both, half, or has two passphrases', () => {
    for (const signature of [
      { key: '/a.key' },
      { key: '/a.key', certificate: '/a.pem', pkcs12: '/a.p12' },
      { key: '/a.key', certificate: '/a.pem', passphrase: 'x' },
      { pkcs12: '/a.p12', passphrase: 'x', passphraseFile: '/x' },
      {},
    ])
      assert.throws(
        () => load({ signature }),
        (error) =>
          error instanceof ConfigError && /dmp\.national\.signature: is key and certificate/.test(error.message),
      )
  })

  it('takes a passphrase from the environment as it is, whatever YAML would make of it', () => {
    for (const secret of ['0123', '1234', 'true', 'a: b', 'x #y', '[1', '', 'null']) {
      const environment = { DMP_GATEWAY_DMP_NATIONAL_SIGNATURE_PASSPHRASE: secret }
      const { signature: _, ...others } = national
      const { dmp } = loadConfig({
        file: undefined,
        environment: {
          ...environment,
          DMP_GATEWAY_DMP_KIND: 'national',
          DMP_GATEWAY_DMP_NATIONAL_SIGNATURE_PKCS12: '/sign.p12',
        },
        overrides: Object.fromEntries(Object.entries(others).map(([key, value]) => [`dmp.national.${key}`, value])),
      })
      assert.ok(dmp.national)
      assert.deepEqual(nationalOptions(dmp.national, dmp.repositoryUniqueId, 1).credentials.signature, {
        pkcs12: '/sign.p12',
        passphrase: secret,
      })
    }
  })
})
