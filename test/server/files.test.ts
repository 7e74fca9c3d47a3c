import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startGateway } from '../../src/main.ts'
import { loadConfig } from '../../src/server/config.ts'

describe('a file that the configuration names', () => {
  let folder: string

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-files-'))
    await writeFile(path.join(folder, 'text.pem'), 'not what was meant')
  })

  after(() => rm(folder, { recursive: true, force: true }))

  const started = async (settings: object) =>
    startGateway(
      loadConfig({
        overrides: {
          data: await mkdtemp(path.join(folder, 'data-')),
          'server.port': 0,
          'log.level': 'silent',
          ...settings,
        },
      }),
    )
  const absent = '/nowhere/of-this-name'
  const issuer = 'https://as.exemple.fr'

  const missing: Readonly<Record<string, object>> = {
    'server.tls.key': { 'server.tls.key': absent, 'server.tls.certificate': absent },
    'identity.vihf.certificates': { 'identity.vihf.certificates': [absent] },
    'identity.vihf.revocationLists': { 'identity.vihf.revocationLists': [absent] },
    'identity.jwt.0.jwks': { 'identity.jwt': [{ issuer, jwks: absent }] },
    'trace.fhir.tokenFile': { 'trace.fhir.url': 'https://arr.exemple.fr/fhir', 'trace.fhir.tokenFile': absent },
    'notifications.webhook.secretFile': {
      'notifications.webhook.url': 'https://portail.exemple.fr/avis',
      'notifications.webhook.secretFile': absent,
    },
  }
  for (const [setting, settings] of Object.entries(missing))
    it(`stops the start when it is not there, with the setting: ${setting}`, async () => {
      await assert.rejects(started(settings), {
        message: `${setting}: ${absent} cannot be read: there is no such file`,
      })
    })

  it('stops the start with the setting when it is a folder', async () => {
    await assert.rejects(
      started({ 'identity.vihf.certificates': [folder] }),
      /^Error: identity\.vihf\.certificates: .* it is a folder$/,
    )
  })

  const unusable: readonly (readonly [setting: string, settings: (file: string) => object])[] = [
    ['server.tls: key, certificate', (file) => ({ 'server.tls.key': file, 'server.tls.certificate': file })],
    ['identity.vihf.certificates', (file) => ({ 'identity.vihf.certificates': [file] })],
    ['identity.vihf.revocationLists', (file) => ({ 'identity.vihf.revocationLists': [file] })],
    [`identity.jwt ${issuer}`, (file) => ({ 'identity.jwt': [{ issuer, jwks: file }] })],
    [`identity.jwt ${issuer}`, (file) => ({ 'identity.jwt': [{ issuer, key: file }] })],
  ]
  for (const [setting, settings] of unusable)
    it(`stops the start when it holds something else, with the setting: ${setting}`, async () => {
      await assert.rejects(started(settings(path.join(folder, 'text.pem'))), (error) => {
        assert.ok(error instanceof Error)
        assert.ok(error.message.startsWith(setting), error.message)
        return true
      })
    })
})
