import assert from 'node:assert/strict'
import { ConfigError, loadConfig } from '../../src/server/config.ts'

const refused = (overrides: Record<string, unknown>, line: RegExp): void => {
  assert.throws(
    () => loadConfig({ overrides }),
    (error: unknown) => error instanceof ConfigError && line.test(error.message),
  )
}
const tls = { key: 'key.pem', certificate: 'certificate.pem' }
const role = { system: '1.2.3', code: 'MED', kind: 'professional', profession: { system: '1.2.4', code: '10' } }

describe('the configuration of identities and of what leaves', () => {
  it('has defaults that believe nobody and send nothing', () => {
    const { identity, trace, notifications, server } = loadConfig()
    assert.deepEqual([identity.jwt, identity.xua, identity.mtls, identity.vihf.certificates], [[], [], [], []])
    assert.equal(identity.vihf.refuseReplay, false)
    assert.deepEqual([trace, notifications, server.tls], [{ alertSeconds: 300 }, {}, undefined])
  })

  const bad: readonly (readonly [what: string, overrides: Record<string, unknown>, line: RegExp])[] = [
    ['an issuer of tokens without keys', { 'identity.jwt': [{ issuer: 'a' }] }, /^identity\.jwt\.0: needs either/m],
    [
      'an issuer of tokens with unknown claims',
      { 'identity.jwt': [{ issuer: 'a', jwks: 'f', claims: 'saml' }] },
      /identity\.jwt\.0\.claims/,
    ],
    [
      'an issuer of assertions without roles',
      { 'identity.xua': [{ issuer: 'a', certificates: ['f'], roles: [] }] },
      /identity\.xua\.0\.roles/,
    ],
    [
      'a role of a kind that nobody may be given',
      { 'identity.xua': [{ issuer: 'a', certificates: ['f'], roles: [{ ...role, kind: 'system' }] }] },
      /identity\.xua\.0\.roles\.0\.kind/,
    ],
    [
      'a client certificate by subject and by fingerprint',
      {
        'identity.mtls': [{ subject: 'CN=a', fingerprint: 'ab'.repeat(32), structure: '1' }],
        'server.tls': { ...tls, clientAuthorities: ['f'] },
      },
      /identity\.mtls\.0: needs either/,
    ],
    [
      'client certificates that nobody asks for',
      { 'identity.mtls': [{ subject: 'CN=a', structure: '1' }] },
      /clientAuthorities/,
    ],
    [
      'required client certificates without authorities',
      { 'server.tls': { ...tls, clientCertificates: 'require' } },
      /server\.tls: clientCertificates: require/,
    ],
    [
      'a certificate without its key',
      { 'trace.syslog': { host: 'a', certificate: 'f' } },
      /trace\.syslog: certificate and key go together/,
    ],
    ['a repository that is no URL', { 'trace.fhir': { url: 'ftp://a' } }, /trace\.fhir\.url/],
    ['a sender that is no address', { 'notifications.email': { host: 'a', from: 'a' } }, /notifications\.email\.from/],
  ]
  for (const [what, overrides, line] of bad) it(`refuses ${what}, naming the key`, () => refused(overrides, line))

  it('takes what the documentation shows', () => {
    const { identity } = loadConfig({
      overrides: {
        'identity.xua': [{ issuer: 'https://sts.example.org', certificates: ['sts.pem'], roles: [role] }],
      },
      environment: { DMP_GATEWAY_IDENTITY_VIHF_REFUSE_REPLAY: 'true', DMP_GATEWAY_SERVER_RELOAD_SECONDS: '5' },
    })
    assert.equal(identity.xua[0]?.authentication, 'indirect')
    assert.equal(identity.vihf.refuseReplay, true)
  })
})
