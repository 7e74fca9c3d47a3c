import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Caller } from '../../src/access/caller.ts'
import { createIdentity, openLocalIssuer } from '../../src/identity/index.ts'
import type { Identity } from '../../src/operations/ports.ts'
import { refused } from './support.ts'
import { inMessage } from './vihf-support.ts'

const script = path.resolve(import.meta.dirname, '../../src/cli/token.ts')

describe('the token command', () => {
  let folder: string
  let identity: Identity
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dmp-gateway-token-'))
    identity = await createIdentity({ mode: 'development', issuer: await openLocalIssuer(folder) })
  })
  after(() => rm(folder, { recursive: true, force: true }))

  interface Outcome {
    readonly code: number
    readonly stdout: string
    readonly stderr: string
  }
  const token = (args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> =>
    new Promise((resolve) => {
      const { PATH = '' } = process.env
      const env = { PATH, DMP_GATEWAY_DATA: folder, ...environment }
      execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr }),
      )
    })
  const jwt = async (...args: string[]): Promise<Caller> => {
    const { code, stdout, stderr } = await token(args)
    assert.equal(code, 0, stderr)
    assert.equal(stderr, '')
    assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    return identity.fromBearer(stdout.trim())
  }

  it('prints one JWT of a physician when nothing is asked', async () => {
    const caller = await jwt()
    assert.equal(caller.kind, 'professional')
    assert.equal(caller.authentication, 'direct')
    assert.equal(caller.profession?.code, '10')
    assert.equal(caller.person?.id, '899700000001')
    assert.equal(caller.structure?.id, '1010099999')
    assert.equal(caller.purposeOfUse, undefined)
    assert.equal(caller.patient, undefined)
  })

  it('says what every option says', async () => {
    const caller = await jwt(
      ...['--kind', 'professional', '--profession', '60', '--specialty', 'SM26', '--specialty', 'FON-29'],
      ...[
        '--id',
        '899700000002',
        '--name',
        'MARTIN Élodie',
        '--structure',
        '1010000042',
        '--structure-name',
        'CH AUTRE',
      ],
      ...[
        '--sector',
        'SA05',
        '--authentication',
        'air',
        '--purpose',
        'bris_de_glace',
        '--reason',
        'patient inconscient',
      ],
      ...['--ins', '260059999999999', '--ins-system', '1.2.250.1.213.1.4.10', '--regulation', '--expires', '60'],
    )
    assert.deepEqual(
      { ...caller, tokenId: undefined },
      {
        kind: 'professional',
        authentication: 'air',
        person: { id: '899700000002', name: 'MARTIN Élodie' },
        structure: { id: '1010000042', name: 'CH AUTRE' },
        profession: { code: '60', system: '1.2.250.1.71.1.2.7', display: 'Infirmier' },
        specialities: [
          { code: 'SM26', system: '1.2.250.1.71.4.2.5' },
          { code: 'FON-29', system: '1.2.250.1.213.1.6.1.17' },
        ],
        sector: 'SA05',
        purposeOfUse: 'bris_de_glace',
        reason: 'patient inconscient',
        regulation: true,
        patient: '1.2.250.1.213.1.4.10|260059999999999',
        secretConnection: false,
        proof: 'jwt',
        tokenId: undefined,
      },
    )
  })

  it('prints with --vihf one assertion to be pasted as it is', async () => {
    const { stdout, code } = await token(['--vihf', '--ins', '260059999999999', '--name', 'L’Été & <fils>'])
    assert.equal(code, 0)
    assert.match(stdout, /^<saml2:Assertion [^\n]*<\/saml2:Assertion>\n$/)
    const security = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
    const message = `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns="urn:x" xmlns:xsi="urn:y"><e:Header><o:Security xmlns:o="${security}">${stdout.trim()}</o:Security></e:Header></e:Envelope>`
    const caller = await identity.fromAssertion(inMessage(message))
    assert.equal(caller.person?.name, 'L’Été & <fils>')
    assert.equal(caller.purposeOfUse, 'normal')
    assert.equal(caller.specialities[0]?.code, 'SM26')
  })

  it('issues an expired one when asked, and a break-glass without a reason', async () => {
    const { stdout } = await token(['--expires=-3600'])
    await refused(identity.fromBearer(stdout.trim()), /expired/, 'identity-expired')
    assert.equal((await jwt('--purpose', 'bris_de_glace')).reason, undefined)
  })

  const wrong = [
    ['--unknown'],
    ['positional'],
    ['--kind', 'king'],
    ['--expires', 'soon'],
    ['--kind', 'patient'],
    ['--id', 'Anne'],
  ]
  for (const args of wrong)
    it(`refuses ${args.join(' ')} with one line`, async () => {
      const { code, stdout, stderr } = await token(args)
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
      assert.match(stderr, /^token: [^\n]+\n$/)
    })

  it('refuses in production, by environment or configuration file, and makes no issuer', async () => {
    const fresh = path.join(folder, 'fresh')
    const config = path.join(folder, 'production.yaml')
    await writeFile(config, `mode: production\ndata: ${fresh}\ndmp: { repositoryUniqueId: 1.2.3.4 }\n`)
    const attempts = [
      { DMP_GATEWAY_MODE: 'production', DMP_GATEWAY_DATA: fresh },
      { DMP_GATEWAY_CONFIG: config, DMP_GATEWAY_DATA: fresh },
    ]
    for (const environment of attempts) {
      const { code, stdout, stderr } = await token([], environment)
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
      assert.match(stderr, /production/)
    }
    assert.equal((await readdir(folder)).includes('fresh'), false)
  })
})
