import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { openGateway, type TestGateway } from '../support/gateway.ts'

const root = path.resolve(import.meta.dirname, '../..')
const run = promisify(execFile)
const address = 'http://127.0.0.1:8080'

/** What a reader is told to paste: the blocks of shell of a document. */
function blocksOf(file: string): string {
  const text = readFileSync(path.join(root, file), 'utf8')
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block).join('\n')
}

describe('what the documents say to try by hand', () => {
  let gateway: TestGateway

  before(async function () {
    if (['bash', 'curl', 'perl'].some((name) => spawnSync(name, ['--version']).error !== undefined)) this.skip()
  })
  beforeEach(async () => {
    gateway = await openGateway()
  })
  afterEach(() => gateway.close())

  /** Pasted as it stands, but for the gateway, which runs already. @returns what it prints */
  async function pasted(file: string): Promise<string> {
    const script = blocksOf(file).replace('npm start &\n', '').replaceAll(address, gateway.url)
    assert.ok(script.includes(gateway.url), file)
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: root,
      env: { ...process.env, DMP_GATEWAY_DATA: gateway.data, PATH: `${root}/node_modules/.bin:${process.env.PATH}` },
    })
    return stdout
  }

  it('README.md: opens a record, feeds it, finds the document through both doors and reads the history', async () => {
    const printed = await pasted('README.md')
    assert.match(printed, /"status":"ready"/)
    assert.equal(printed.match(/201 Created/g)?.length, 3)
    assert.match(printed, /"type":"searchset","total":1/)
    assert.match(printed, /ResponseStatusType:Success/)
    assert.match(printed, /"DUPONT Anne \(CH EXEMPLE\)";"a consulté la liste des documents"/)
    assert.doesNotMatch(printed, /OperationOutcome|Fault/)
  })

  it('ihe-samples/README.md: feeds two documents by MTOM', async () => {
    const printed = await pasted('ihe-samples/README.md')
    assert.match(printed, /status="urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"/)
    assert.doesNotMatch(printed, /RegistryError|Fault/)
  })
})
