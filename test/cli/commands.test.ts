/** The administrator's commands as processes: explain, audit verify, retention. */
import assert from 'node:assert/strict'
import { openEmbeddedDmp } from '../../src/dmp/embedded/index.ts'
import { anAccessRecord, contentsOf, thePatient } from '../dmp/mothers.ts'
import { aDocumentEntry, aSubmission, codes, ins, repositoryUniqueId } from '../mothers/metadata.ts'
import { type Ended, removeFolder, start, temporaryFolder } from '../support/child.ts'
import { aDocument, declared, openGateway, people, type TestGateway } from '../support/gateway.ts'

const run = (
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> => start(['node', `src/cli/${command}.ts`, ...args], { environment }).ended

describe('explain', function () {
  this.timeout(60_000)

  it('prints the path through the rules for a request that nobody made', async () => {
    const { code, stdout } = await run('explain', ['--profession', '60', '--type', '11502-2', '--basis', 'explicit'])
    assert.equal(code, 0)
    assert.match(stdout, /^TD3\.2 by professional/)
    assert.match(stdout, /^permit by FRM TD3\.2\.normal ps_non_medecin\.normal/m)
    assert.match(stdout, /^DF1 {2}11502-2: open/m)
  })

  it('takes what a record would say, and what the house has settled', async () => {
    const brainDeath = ['--profession', '10', '--basis', 'explicit', '--brain-death']
    assert.match((await run('explain', brainDeath)).stdout, /^deny by BD1: brain-death$/m)
    const settled = await run('explain', brainDeath, { DMP_GATEWAY_ACCESS_BRAIN_DEATH: 'allow' })
    assert.match(settled.stdout, /^permit by FRM/m)
    assert.match((await run('explain', ['--kind', 'patient', '--closed'])).stdout, /^deny by ID2: dmp-closed$/m)
  })

  it('names a wrong option on one line', async () => {
    const { code, stderr } = await run('explain', ['--operation', 'TD9'])
    assert.equal(code, 1)
    assert.match(stderr, /^explain: --operation: one of TD0\.2.*\n$/)
  })
})

describe('explain --document', function () {
  this.timeout(60_000)

  it('says which rule hides a stored document from a caller or shows it, and leaves its trace', async () => {
    const folder = await temporaryFolder()
    try {
      const store = await openEmbeddedDmp({ directory: folder, repositoryUniqueId })
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
      const entry = aDocumentEntry({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] })
      const submission = aSubmission({ entries: [entry] })
      await store.dmp.feed(submission, contentsOf(submission), anAccessRecord({ operation: 'TD2.1' }))
      await store.close()
      const about = (name: string, ...more: readonly string[]) =>
        run('explain', ['--document', name, '--data', folder, '--basis', 'explicit', ...more])
      const hidden = await about(entry.uniqueId, '--profession', '60', '--id', '899700000077')
      assert.equal(hidden.code, 0, hidden.stderr)
      assert.match(
        hidden.stdout,
        /^permit by FRM.*\n.*^DF1 {2}passed:.*\nDF5 {2}passed:.*\nDF2 {2}HIDES:.*\nthe document is hidden\n$/ms,
      )
      const shown = await about(entry.entryUuid, '--kind', 'patient')
      assert.match(shown.stdout, /^PA1 {2}SHOWS:.*\nthe document is shown\n$/m, shown.stderr)
      assert.match((await about('1.2.3.404')).stdout, /^no document is known/m)
      assert.match((await about(entry.uniqueId, '--blocked')).stderr, /^explain: --blocked: leave it out/)
      const again = await openEmbeddedDmp({ directory: folder, repositoryUniqueId })
      const trace = await again.trace.history({ patient: thePatient, limit: 10 })
      await again.close()
      assert.deepEqual(
        trace.slice(0, 2).map(({ record: { operation, door, rule } }) => [operation, door, rule]),
        [
          ['explain', 'cli', 'SY1'],
          ['explain', 'cli', 'SY1'],
        ],
      )
    } finally {
      await removeFolder(folder)
    }
  })
})

describe('audit verify and retention', function () {
  this.timeout(60_000)

  let gateway: TestGateway
  before(async () => {
    gateway = await openGateway()
    const patient = await gateway.patient()
    await gateway.fhirDoor.feed(people.structure, aDocument(patient), { consent: declared.informed })
    await gateway.fhir.history(patient.identity, patient)
  })
  after(() => gateway.close())
  const data = () => ['--data', gateway.data]

  it('proves the trace whole while the gateway runs, and knows a head it gave before', async () => {
    const first = await run('audit', ['verify', ...data()])
    assert.equal(first.code, 0, first.stderr)
    const [, head = ''] = /^whole: \d+ records\nhead: (\d+:[0-9a-f]{64})\n$/.exec(first.stdout) ?? []
    assert.notEqual(head, '')
    await gateway.patient()
    assert.equal((await run('audit', ['verify', ...data(), '--head', head])).code, 0)
    const other = head.replace(/:./, (match) => (match === ':0' ? ':1' : ':0'))
    const { code, stdout } = await run('audit', ['verify', ...data(), '--head', other])
    assert.equal(code, 1)
    assert.match(stdout, /^NOT WHOLE at record \d+: /)
  })

  it('will not destroy while the gateway runs, nor without being told which', async () => {
    const busy = await run('retention', ['--dry-run', ...data()])
    assert.equal(busy.code, 1)
    assert.match(busy.stderr, /^retention: .*(in use|another process)/)
    for (const args of [[], ['--dry-run', '--destroy']]) {
      const { code, stderr } = await run('retention', [...args, ...data()])
      assert.equal(code, 1)
      assert.match(stderr, /usage/)
    }
  })

  it('says what would be destroyed before it destroys, and names no patient', async () => {
    const folder = await temporaryFolder()
    try {
      const clock = { now: () => new Date('2010-05-04T00:00:00.000Z') }
      const store = await openEmbeddedDmp({ directory: folder, repositoryUniqueId, clock })
      await store.dmp.open(thePatient, { given: [] }, anAccessRecord({ operation: 'open' }))
      await store.choices.apply(thePatient, [{ kind: 'close' }], anAccessRecord({ operation: 'close' }))
      await store.close()
      const first = await run('retention', ['--dry-run', '--data', folder])
      assert.equal(first.stdout, 'closed more than 10 years ago: 1\n  closed 2010-05-04, 0 documents\n', first.stderr)
      const second = await run('retention', ['--destroy', '--data', folder])
      assert.match(second.stdout, /^destroyed: 1$/m)
      assert.ok(!(first.stdout + second.stdout).includes(ins))
      assert.match((await run('retention', ['--dry-run', '--data', folder])).stdout, /: 0$/m)
      assert.equal((await run('audit', ['verify', '--data', folder])).code, 0)
    } finally {
      await removeFolder(folder)
    }
  })

  it('says what is wrong on one line', async () => {
    const { code, stderr } = await run('audit', ['verify', '--data', '/nonexistent'])
    assert.equal(code, 1)
    assert.match(stderr, /^audit: .*holds no store.*\n$/)
    assert.match((await run('audit', ['prove'])).stderr, /^audit: usage/)
  })
})
