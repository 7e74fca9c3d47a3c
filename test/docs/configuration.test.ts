/** What the documentation shows to be pasted is pasted: each configuration must start the gateway. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { exportJWK } from 'jose'
import { parse, stringify } from 'yaml'
import { startGateway } from '../../src/main.ts'
import { loadConfig } from '../../src/server/config.ts'
import {
  aCertificate,
  anAuthority,
  aRevocationList,
  aServerCertificate,
  type Certified,
  listPem,
} from '../support/pki.ts'

const pages = ['docs/identity-and-trace.md', 'docs/configuration.md']

describe('a configuration in the documentation', () => {
  let folder: string
  let root: Certified
  let own: Certified
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-docs-'))
    root = await anAuthority('RACINE')
    own = await aServerCertificate(root)
  })
  after(() => rm(folder, { recursive: true, force: true }))

  /** A file of the kind that its name says. */
  const contentOf = async (name: string): Promise<string> => {
    if (/-ca\.pem$/.test(name)) return root.pem
    if (/^sts\.pem$/.test(name)) return (await aCertificate(root)).pem
    if (/\.pem$/.test(name)) return own.pem
    if (/\.key$/.test(name)) return own.keyPem
    if (/\.crl$/.test(name)) return listPem(await aRevocationList(root))
    if (/\.jwks\.json$/.test(name)) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      return JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' }] })
    }
    if (/\.yaml$/.test(name)) return '"899700000001": anne.exemple@medecin.mssante.fr\n'
    if (/\.(token|password|secret)$/.test(name)) return 'quelque-chose-de-plus-de-trente-deux-caracteres\n'
    throw new Error(`the documentation names a file that this test does not know: ${name}`)
  }
  const isFile = (value: unknown): value is string =>
    typeof value === 'string' && /^[\w.-]+\.(pem|key|crl|json|yaml|token|password|secret)$/.test(value)
  /** The same configuration with files that are there. */
  const withFiles = async (value: unknown): Promise<unknown> => {
    if (isFile(value)) {
      const file = path.join(folder, value)
      await writeFile(file, await contentOf(value))
      return file
    }
    if (Array.isArray(value)) return Promise.all(value.map(withFiles))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(async ([key, each]) => [key, await withFiles(each)] as const)
    return Object.fromEntries(await Promise.all(entries))
  }

  for (const page of pages)
    it(`starts the gateway: ${page}`, async function () {
      this.timeout(60_000)
      const text = await readFile(page, 'utf8')
      const blocks = [...text.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block)
      assert.ok(blocks.length >= (page === pages[0] ? 9 : 1))
      for (const block of blocks) {
        const file = path.join(folder, 'config.yaml')
        await writeFile(file, stringify(await withFiles(parse(block))))
        const data = await mkdtemp(path.join(folder, 'data-'))
        const overrides = { data, 'server.port': 0, 'log.level': 'silent' }
        const gateway = await startGateway(loadConfig({ file, overrides })).catch((error: Error) => {
          throw new Error(`${error.message}, in\n${block}`, { cause: error })
        })
        await gateway.close()
      }
    })
})
