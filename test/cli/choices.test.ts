/** The choices of a patient on the command line: decided, on record, in force at both doors once the gateway runs again. */
import assert from 'node:assert/strict'
import { actOf } from '../../src/cli/choices-acts.ts'
import { startGateway } from '../../src/main.ts'
import { loadConfig } from '../../src/server/config.ts'
import { feed } from '../conformance/access/suite.ts'
import { removeFolder, start, temporaryFolder } from '../support/child.ts'
import { createClients, declared, people, type TestPatient } from '../support/gateway.ts'

const { author, colleague, nurse, stranger } = people
const why = 'demande écrite du patient du 12 juin 2026, pièce d’identité vérifiée'
const careTeam = { consent: declared.careTeam }

describe('choices', function () {
  this.timeout(120_000)
  let data = ''
  let patient: TestPatient
  before(async () => {
    data = await temporaryFolder()
    await running(async ({ patient: open, fhirDoor }) => {
      patient = await open()
      await feed(fhirDoor, patient, {}, author)
    })
  })
  after(() => removeFolder(data))

  /** The gateway on this folder, for as long as `use` takes. */
  async function running<T>(use: (clients: Awaited<ReturnType<typeof createClients>>) => Promise<T>): Promise<T> {
    const gateway = await startGateway(loadConfig({ overrides: { data, 'server.port': 0, 'log.level': 'silent' } }))
    try {
      return await use(await createClients(gateway.url, data))
    } finally {
      await gateway.close()
    }
  }
  const run = (act: readonly string[], reason: readonly string[] = ['--reason', why]) =>
    start(['node', 'src/cli/choices.ts', ...act, '--ins', patient.ins, '--data', data, ...reason]).ended
  const settled = async (...act: readonly string[]) => {
    const { code, stdout, stderr } = await run(act)
    assert.deepEqual([code, stdout], [0, 'recorded\n'], stderr)
  }
  const list = async () => {
    const { code, stdout, stderr } = await run(['list'], [])
    assert.equal(code, 0, stderr)
    return stdout
  }

  it('are in force for the next request at both doors, listed, and in the history with who asked', async () => {
    assert.match(await list(), /^consultation +not opposed\nfeeding +not opposed\nbreak-glass +permitted\n/)
    await settled('oppose', 'consultation')
    await settled('block', stranger.id)
    const told = await list()
    assert.match(told, new RegExp(`^consultation +opposed\n.*^blocked +${stranger.id} since `, 'ms'))
    assert.ok(!told.includes(patient.ins))
    await running(async ({ doors, fhir }) => {
      for (const door of doors) {
        assert.equal((await door.find(colleague, patient, careTeam)).outcome.code, 'consultation-opposed', door.name)
        const glass = { ...stranger, purpose: 'bris_de_glace', reason: 'patient inconscient' } as const
        assert.equal((await door.find(glass, patient)).outcome.code, 'professional-blocked', door.name)
      }
      const history = JSON.stringify((await fhir.history(patient.identity, patient)).json)
      assert.match(history, /Choix du patient : l’enregistrement de l’opposition à la consultation[^"]*motif : demande/)
    })
  })

  it('mask what the patient sees, designate the administrator physician, close', async () => {
    await settled('allow', 'consultation')
    await settled('mask-all')
    await settled('administrator', colleague.id)
    await running(async ({ doors }) => {
      for (const door of doors) {
        assert.equal((await door.find(nurse, patient, careTeam)).entries.length, 0, door.name)
        assert.equal((await door.find(colleague, patient, careTeam)).entries.length, 1, door.name)
      }
    })
    await settled('close')
    await running(async ({ doors }) => {
      for (const door of doors)
        assert.equal((await door.find(nurse, patient, careTeam)).outcome.code, 'dmp-closed', door.name)
    })
  })

  it('are refused by the rules that hold for everyone, on one line', async () => {
    const closed = await run(['mask-all'])
    assert.equal(closed.code, 1)
    assert.match(closed.stderr, /^choices: The DMP of this patient is closed\. \(dmp-closed\) Nothing is fed [^\n]*\n$/)
    assert.match((await run(['reopen'], [])).stderr, /^choices: --reason: [^\n]*\n$/)
    const nowhere = ['node', 'src/cli/choices.ts', 'list', '--ins', patient.ins, '--data', `${data}/nothing`]
    assert.match((await start(nowhere).ended).stderr, /^choices: .*holds no store/)
  })

  it('wait until the gateway has stopped', async () => {
    await running(async () => {
      const { code, stderr } = await run(['mask-all'])
      assert.equal(code, 1)
      assert.match(stderr, /^choices: .*(in use|another process)/)
    })
  })
})

describe('the words of choices', () => {
  const person = (text: string | undefined) => (text === '899700000002' ? text : undefined)

  it('are one act, or none', () => {
    assert.deepEqual(actOf(['oppose', 'feeding'], person), {
      kind: 'choose',
      change: { kind: 'choice', choice: 'feedOpposed', value: true },
    })
    assert.deepEqual(actOf(['treating', 'none'], person), {
      kind: 'choose',
      change: { kind: 'designate', role: 'treating', person: undefined },
    })
    assert.deepEqual(actOf(['unblock', '899700000002'], person), {
      kind: 'choose',
      change: { kind: 'unblock', person: '899700000002' },
    })
    for (const words of [[], ['oppose'], ['oppose', 'everything'], ['close', 'now'], ['block', 'a', 'b'], ['toString']])
      assert.equal(actOf(words, person), undefined, words.join(' '))
  })

  it('name a person by PS_IdNat', () => {
    for (const words of [['block', 'Dr Marchal'], ['block', 'none'], ['administrator', '1'], ['unblock']])
      assert.throws(() => actOf(words, person), /a PS_IdNat is expected/)
  })
})
