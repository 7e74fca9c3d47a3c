import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { XmlElement } from '../../../src/xml/tree.ts'
import { declared, people } from '../../support/gateway.ts'
import { type NationalGateway, openNationalGateway } from '../../support/national.ts'
import { type Front, openFront } from './front.ts'

const ours = path.resolve('src', 'dmp', 'xds', 'messages')
/** Marks a message as that of the site: nothing of ours says it. */
const mark = 'contrat-du-site'

describe('a site with messages of its own (dmp.national.messages)', () => {
  let gateway: NationalGateway
  let front: Front
  const folder = mkdtempSync(path.join(tmpdir(), 'messages-'))
  const sent: XmlElement[] = []
  before(async () => {
    for (const name of readdirSync(ours)) {
      const text = readFileSync(path.join(ours, name), 'utf8')
      writeFileSync(path.join(folder, name), text.replace(/^<([\w]+)/, `<$1 version="${mark}"`))
    }
    gateway = await openNationalGateway(async (farEnd) => {
      front = await openFront(farEnd, ({ body }) => {
        sent.push(body)
        return undefined
      })
      return { baseUrl: front.baseUrl, messages: folder }
    })
  })
  after(async () => {
    await gateway.close()
    await front.close()
    rmSync(folder, { recursive: true })
  })

  it('has each of them sent in the place of ours, filled in', async () => {
    const patient = await gateway.patient()
    const who = { ...people.author, ins: patient.ins }
    const query = `patient.identifier=urn:oid:${patient.authority}|${patient.ins}`
    await gateway.fhir.call(who, 'GET', `/DocumentReference?${query}`, { consent: declared.careTeam })
    await gateway.fhir.call(who, 'GET', `/Consent?${query}`)
    await gateway.fhir.call(people.author, 'GET', '/Patient/$authorised?since=2026-01-01T00:00:00Z')
    const own = sent.filter(({ attributes }) => attributes.some(({ value }) => value === mark))
    const names = new Set(own.map(({ local }) => local))
    const all = ['PRPA_IN201307UV02', 'listAuthorizationByPatient', 'patientList', 'setAuthorization']
    assert.deepEqual([...names].sort(), all)
    assert.deepEqual(
      sent.filter((each) => all.includes(each.local) && !own.includes(each)),
      [],
      'none of ours',
    )
    assert.ok(!own.some((each) => JSON.stringify(each).includes('{{')))
  })
})
