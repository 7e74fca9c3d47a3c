import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openJournal } from '../../../src/dmp/remote/journal.ts'
import { openReferences } from '../../../src/dmp/remote/references.ts'
import { readTemplates } from '../../../src/dmp/xds/template.ts'
import { GatewayError } from '../../../src/errors.ts'
import { newEntryUuid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import type { AccessRecord, Trace, TraceRecord } from '../../../src/operations/ports.ts'
import { anAccessRecord, otherPatient, thePatient } from '../mothers.ts'

describe('beside the national DMP', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'national-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  const traceOf = (records: TraceRecord[], failing = () => false): Trace => ({
    async record(record) {
      if (failing()) throw new GatewayError('trace-unavailable')
      records.push(record)
    },
    history: async () => [],
    check: async () => {},
  })

  describe('the journal of intents', () => {
    it('has the intent on disk while the act is under way, and nothing after', async () => {
      const records: AccessRecord[] = []
      const journal = openJournal(folder, traceOf(records))
      const record = anAccessRecord()
      const result = await journal.around(record, async () => {
        assert.equal(readdirSync(folder).length, 1)
        assert.deepEqual(records, [])
        return 7
      })
      assert.equal(result, 7)
      assert.deepEqual(records, [record])
      assert.deepEqual(readdirSync(folder), [])
    })

    it('records a failure without effects, and its reason', async () => {
      const records: AccessRecord[] = []
      const journal = openJournal(folder, traceOf(records))
      const effects = { notifications: [], information: { scope: 'feeding', structure: '1' } } as const
      const act = () => Promise.reject(new GatewayError('dmp-unavailable'))
      await assert.rejects(journal.around(anAccessRecord({ effects }), act), { code: 'dmp-unavailable' })
      assert.deepEqual(
        records.map(({ outcome, reasonCode, effects: written }) => [outcome, reasonCode, written]),
        [['failed', 'dmp-unavailable', { notifications: [] }]],
      )
    })

    it('tells at the next start what a crash has left, and drops what never began', async () => {
      const records: AccessRecord[] = []
      let down = true
      const trace = traceOf(records, () => down)
      await assert.rejects(openJournal(folder, trace).around(anAccessRecord(), async () => 1))
      assert.equal(readdirSync(folder).length, 1)
      writeFileSync(path.join(folder, '1-x.intent.part'), '{"id"')
      down = false
      assert.equal(await openJournal(folder, trace).settle(), 1)
      assert.deepEqual(
        records.map(({ outcome, reasonCode }) => [outcome, reasonCode]),
        [['failed', 'dmp-outcome-unknown']],
      )
      assert.deepEqual(readdirSync(folder), [])
    })

    it('does nothing when the intent cannot be written', async () => {
      const journal = openJournal(folder, traceOf([]))
      rmSync(folder, { recursive: true })
      let done = false
      const act = async () => {
        done = true
      }
      await assert.rejects(journal.around(anAccessRecord(), act), { code: 'trace-unavailable' })
      assert.equal(done, false)
      openJournal(folder, traceOf([]))
    })
  })

  describe('what is known of ids', () => {
    const reference = (uniqueId: string) => {
      const entryUuid = newEntryUuid()
      return { entryUuid, logicalId: entryUuid, uniqueId: uniqueId as UniqueId }
    }
    it('survives a restart, and follows what the DMP says last', () => {
      const file = path.join(folder, 'references.sqlite')
      const one = reference('1.2.3')
      const before = openReferences(file)
      before.remember([one], thePatient, true)
      before.remember([{ ...one, uniqueId: '1.2.4' as UniqueId }], otherPatient)
      before.close()
      const after = openReferences(file)
      assert.deepEqual(after.find(one.entryUuid), { patient: otherPatient, uniqueId: '1.2.4', fed: true })
      assert.deepEqual(after.find('1.2.3'), { patient: thePatient, uniqueId: '1.2.3', fed: true })
      assert.equal(after.find(newEntryUuid()), undefined)
      after.close()
    })
  })

  describe('message templates', () => {
    it('escape what they are given', () => {
      const body = readTemplates()('set-authorization', { action: '"><x a="' }).toString()
      assert.match(body, /<action>&quot;&gt;&lt;x a=&quot;<\/action>/)
    })
    it('are those of the site where it has its own', () => {
      writeFileSync(path.join(folder, 'set-authorization.xml'), '<own>{{action}}</own>')
      const templates = readTemplates(folder)
      assert.equal(templates('set-authorization', { action: 'AJOUT' }).toString(), '<own>AJOUT</own>')
      assert.match(templates('list-authorizations', { mode: 'TOUTE' }).toString(), /<mode>TOUTE<\/mode>/)
    })
    for (const name of ['patient-status', 'set-authorization', 'list-authorizations', 'patient-list'])
      it(`take ${name} of the site, and stop the start when nothing is known to put into it`, () => {
        const site = mkdtempSync(path.join(folder, 'messages-'))
        writeFileSync(path.join(site, `${name}.xml`), '<own/>')
        readTemplates(site)
        writeFileSync(path.join(site, `${name}.xml`), '<own>{{ nobody }}</own>')
        assert.throws(() => readTemplates(site), new RegExp(`${name}\\.xml: \\{\\{ nobody \\}\\} is not among`))
      })
    it('ask of each message what it offers', () => {
      const site = mkdtempSync(path.join(folder, 'messages-'))
      writeFileSync(path.join(site, 'patient-list.xml'), '<own at="{{startDate}}">{{dateType}}</own>')
      const given = { startDate: '20260101000000', dateType: 'LASTDOC' }
      assert.equal(readTemplates(site)('patient-list', given).toString(), '<own at="20260101000000">LASTDOC</own>')
    })
    it('stop the start when they are not well formed', () => {
      writeFileSync(path.join(folder, 'set-authorization.xml'), '<own>')
      assert.throws(() => readTemplates(folder), /set-authorization\.xml: not well formed/)
    })
  })
})
