import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parse as parseYaml } from 'yaml'
import { makeKeys, type SimulatorKeys } from '../../../src/cli/simulator/keys.ts'
import { openCredentials } from '../../../src/dmp/fhir/credentials.ts'
import { ConfigError, loadConfig } from '../../../src/server/config.ts'
import { fhirDmpOptions } from '../../../src/server/config-fhir.ts'
import { repositoryUniqueId } from '../../mothers/metadata.ts'

const settings = {
  baseUrl: 'https://dmp.example/fhir',
  authentication: { key: 'auth.key', certificate: 'auth.pem' },
  authorities: ['authority.pem'],
  structure: { id: '1010099999', name: 'CH EXEMPLE' },
  token: { key: 'token.key', issuer: 'urn:front', audience: 'urn:dmp' },
}
const load = (fhir: object, more: Readonly<Record<string, unknown>> = {}) =>
  loadConfig({ overrides: { 'dmp.kind': 'fhir', 'dmp.fhir': fhir, ...more } })

describe('the configuration of a DMP that speaks PDSm', () => {
  it('has defaults that are safe', () => {
    const { fhir } = load(settings).dmp
    assert.deepEqual(
      [fhir?.token.bound, fhir?.token.seconds, fhir?.publish, fhir?.supersede, fhir?.knownAs],
      [true, 60, 'ITI-65', true, []],
    )
  })

  it('takes the certificate as PKCS#12 too', () => {
    const authentication = { pkcs12: 'auth.p12', passphraseFile: 'secret' }
    const { fhir } = load({ ...settings, authentication }).dmp
    assert.ok(fhir)
    const { credentials } = fhirDmpOptions(fhir, repositoryUniqueId, 1)
    assert.deepEqual(credentials.authentication, authentication)
  })

  const faults: Readonly<Record<string, readonly [fhir: object | undefined, more: object, says: RegExp]>> = {
    'a base without TLS': [{ ...settings, baseUrl: 'http://dmp.example/fhir' }, {}, /^dmp\.fhir\.baseUrl: /],
    'a base with a query': [{ ...settings, baseUrl: 'https://dmp.example/fhir?x=1' }, {}, /^dmp\.fhir\.baseUrl: /],
    'no client certificate': [{ ...settings, authentication: undefined }, {}, /^dmp\.fhir\.authentication: /],
    'a certificate in two forms': [
      { ...settings, authentication: { ...settings.authentication, pkcs12: 'auth.p12' } },
      {},
      /^dmp\.fhir\.authentication: is key and certificate, as PEM, or pkcs12/,
    ],
    'no authority': [{ ...settings, authorities: [] }, {}, /^dmp\.fhir\.authorities: /],
    'tokens that live for long': [
      { ...settings, token: { ...settings.token, seconds: 86400 } },
      {},
      /^dmp\.fhir\.token\.seconds: /,
    ],
    'a key that is not there': [{ ...settings, forward: true }, {}, /^dmp\.fhir: /],
    'no settings': [undefined, {}, /^dmp\.fhir: is there with dmp\.kind: fhir/],
    'another kind': [settings, { 'dmp.kind': 'embedded' }, /^dmp\.fhir: is there with dmp\.kind: fhir/],
    'the profile of IHE': [
      settings,
      { 'metadata.profile': 'ihe' },
      /^dmp\.kind: fhir goes with metadata\.profile: ci-sis/,
    ],
    'notifications of its own': [
      settings,
      { 'notifications.webhook': { url: 'https://avis.example/', secretFile: 'x' } },
      /^notifications: go with dmp\.kind: embedded/,
    ],
  }
  for (const [what, [fhir, more, says]] of Object.entries(faults))
    it(`refuses ${what}, naming the key`, () => {
      const overrides = { 'dmp.kind': 'fhir', ...(fhir && { 'dmp.fhir': fhir }), ...more }
      assert.throws(
        () => loadConfig({ overrides }),
        (error) => error instanceof ConfigError && error.message.split('\n').some((line) => says.test(line)),
      )
    })

  it('takes what the documentation shows, and names every key that there is', () => {
    const text = readFileSync('docs/pdsm-dmp.md', 'utf8')
    const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(text) ?? []
    const { dmp } = parseYaml(yaml.replaceAll('HOST', 'dmp.example')) as { dmp: { fhir: object } }
    const { fhir } = load(dmp.fhir).dmp
    const keys = Object.entries(fhir ?? {}).flatMap(([name, value]) =>
      name === 'token' ? Object.keys(value as object).map((each) => `token.${each}`) : [name],
    )
    for (const key of keys)
      assert.ok(text.includes(`\`${key}\``) || yaml.includes(`${key.replace('token.', '')}:`), `${key} is not told`)
  })

  it('is set by the environment too', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'pdsm-')), 'config.yaml')
    writeFileSync(file, JSON.stringify({ dmp: { kind: 'fhir', fhir: settings } }))
    const { fhir } = loadConfig({ file, environment: { DMP_GATEWAY_DMP_FHIR_TOKEN_BOUND: 'false' } }).dmp
    assert.equal(fhir?.token.bound, false)
    rmSync(path.dirname(file), { recursive: true })
  })
})

describe('what the gateway proves itself with to a DMP that speaks PDSm', () => {
  let directory: string
  let keys: SimulatorKeys
  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'pdsm-keys-'))
    keys = await makeKeys(directory)
  })
  after(() => rmSync(directory, { recursive: true }))

  const keyFile = (key: KeyObject): string => {
    const file = path.join(directory, 'token.key')
    writeFileSync(file, key.export({ type: 'pkcs8', format: 'pem' }))
    return file
  }
  const open = (tokenKey: string, authentication = keys.authentication) =>
    openCredentials({ authentication, authorities: [keys.authority], tokenKey })

  for (const [algorithm, key] of [
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey],
    ['ES384', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['EdDSA', generateKeyPairSync('ed25519').privateKey],
    ['PS256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ] as const)
    it(`signs tokens by ${algorithm} with a key of its kind`, async () => {
      const credentials = await open(keyFile(key))
      assert.equal(credentials.tokenKey.algorithm, algorithm)
      credentials.close()
    })

  it('refuses keys that are too weak, or no keys, naming the file', async () => {
    const weak = keyFile(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
    await assert.rejects(open(weak), /token\.key: tokens are signed with/)
    await assert.rejects(open(keys.authority), /server\.pem: cannot be used as PEM/)
  })

  it('refuses a certificate of another key, naming the file', async () => {
    const authentication = { ...keys.authentication, certificate: keys.signature.certificate }
    await assert.rejects(open(keys.signature.key, authentication), /signature\.pem: not the certificate of/)
  })

  it('is read again on demand; what cannot be used changes nothing', async () => {
    const own = path.join(directory, 'own')
    cpSync(keys.authentication.key, `${own}.key`)
    cpSync(keys.authentication.certificate, `${own}.pem`)
    const credentials = await open(keys.signature.key, { key: `${own}.key`, certificate: `${own}.pem` })
    const { certificateThumbprint: before, agent } = credentials
    cpSync(keys.signature.certificate, `${own}.pem`)
    await assert.rejects(credentials.reload(), /own\.pem/)
    assert.equal(credentials.certificateThumbprint, before)
    assert.equal(credentials.agent, agent)
    cpSync(keys.signature.key, `${own}.key`)
    await credentials.reload()
    assert.notEqual(credentials.certificateThumbprint, before)
    assert.notEqual(credentials.agent, agent)
    credentials.close()
  })
})
