import assert from 'node:assert/strict'
import type { Bundle, List, OperationOutcome } from '@medplum/fhirtypes'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import type { Dtm } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry, SubmissionSet } from '../../src/metadata/model.ts'
import { anAuthor, aProfessional, aSubmission, aSubmissionSet, type Changes, codes } from '../mothers/metadata.ts'
import {
  aDocument,
  declared,
  newOid,
  openGateway,
  people,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'

const { author, colleague, structure } = people
const careTeam = { consent: declared.careTeam }
const consultation = { code: '07', system: '1.2.250.1.213.2.2', display: 'Consultation externe' }
const activity = aSubmissionSet().contentTypeCode ?? consultation

describe('ITI-66', () => {
  let gateway: TestGateway
  let patient: TestPatient
  const names = new Map<string, string>()

  /** Feeds a lot as XDS does, so that its SubmissionSet says what the test wants. */
  async function lot(
    name: string,
    changes: Changes<SubmissionSet>,
    documents: readonly Changes<DocumentEntry>[],
    of: TestPatient = patient,
  ): Promise<readonly DocumentEntry[]> {
    const fed = documents.map((each) => aDocument(of, each))
    const [first] = fed
    assert.ok(first)
    const set = aSubmissionSet({ patientId: first.entry.patientId, uniqueId: newOid(), ...changes })
    const submission = aSubmission({ entries: fed.map(({ entry }) => entry), submissionSet: set })
    const { outcome } = await gateway.xds.provide(structure, submission, fed, { consent: declared.informed })
    assert.ok(outcome.ok, outcome.text)
    names.set(`urn:oid:${set.uniqueId}`, name)
    return fed.map(({ entry }) => entry)
  }

  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
    const durand = anAuthor({ person: aProfessional({ id: '899700000005', family: 'Durand', given: 'Paul' }) })
    await lot('a', { submissionTime: '20240115100000' as Dtm, title: 'Suivi de grossesse' }, [{}, {}])
    await lot(
      'b',
      {
        submissionTime: '20240302110000' as Dtm,
        authors: [durand],
        sourceId: '1.2.250.1.999.77',
        contentTypeCode: consultation,
      },
      [{}],
    )
    await lot('c', { submissionTime: '20240701' as Dtm, title: 'Éducation thérapeutique' }, [
      { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] },
      {},
    ])
  })
  after(() => gateway.close())

  const token = ({ ins, authority }: TestPatient) => encodeURIComponent(`urn:oid:${authority}|${ins}`)

  async function search(query: string, who: IdentityOptions = author, of: TestPatient = patient): Promise<Bundle> {
    const target = `/List?patient.identifier=${token(of)}${query === '' ? '' : `&${query}`}`
    const reply = await gateway.fhir.call(who, 'GET', target, who.kind === 'patient' ? {} : careTeam)
    assert.equal(reply.status, 200, reply.outcome.text)
    assert.deepEqual(checkStructure(reply.json), [])
    return reply.json as unknown as Bundle
  }

  async function found(query: string, who?: IdentityOptions): Promise<string> {
    const { entry = [], total } = await search(query === '' ? '' : `code=submissionset&status=current&${query}`, who)
    assert.equal(total, entry.length)
    return entry.map(({ resource }) => nameOf(resource as List)).join('')
  }

  function nameOf({ identifier = [] }: List): string {
    return identifier.map(({ value = '' }) => names.get(value)).find(Boolean) ?? '?'
  }

  it('gives the lots of a patient, last submitted first', async () => {
    assert.equal(await found(''), 'cba')
    const { entry = [], link = [] } = await search('code=submissionset&status=current')
    for (const { fullUrl, resource, search: how } of entry) {
      assert.equal(fullUrl, `${gateway.fhir.base}/List/${resource?.id}`)
      assert.deepEqual(how, { mode: 'match' })
    }
    assert.match(String(link[0]?.url), /\/fhir\/List\?patient\.identifier=/)
  })

  it('finds by every parameter of MHD and PDSm', async () => {
    for (const [query, expected] of [
      ['date=ge2024-03-02', 'cb'],
      ['date=ge2024-03-02&date=lt2024-07-01', 'b'],
      ['date=2024-07', 'c'],
      ['designationType=urn:oid:1.2.250.1.213.2.2%7C07', 'b'],
      [`designationType=${activity.code},07`, 'cba'],
      ['sourceId=urn:oid:1.2.250.1.999.77', 'b'],
      ['sourceId=urn:ietf:rfc:3986%7Curn:oid:1.2.250.1.999.77', 'b'],
      ['source.family=dur', 'b'],
      ['source.given=Paul&source.family=Durand', 'b'],
      ['source.given=Paul&source.family=Exemple', ''],
      ['source.identifier=899700000005', 'b'],
      ['title=suivi', 'a'],
      ['title:exact=suivi', ''],
      ['title=education', 'c'],
      ['isArchived=true', ''],
      ['isArchived=false', 'cba'],
      ['_lastUpdated=ge2024-01-01', 'cba'],
      ['_lastUpdated=lt2024-01-01', ''],
      ['_sort=date', 'abc'],
      ['_sort=-_lastUpdated', 'cba'],
    ] as const)
      assert.equal(await found(query), expected, query)
    const [[uniqueId] = ['']] = [...names].filter(([, name]) => name === 'a')
    assert.equal(await found(`identifier=urn:ietf:rfc:3986%7C${uniqueId}`), 'a')
    const { entry = [] } = await search(`identifier=${uniqueId}`)
    assert.equal(await found(`_id=${entry[0]?.resource?.id}`), 'a')
    assert.equal(await found(`identifier=urn:uuid:${entry[0]?.resource?.id}`), 'a')
  })

  it('understands code and status', async () => {
    const total = async (query: string) => (await search(query)).total
    assert.equal(await total('code=https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes%7Csubmissionset'), 3)
    assert.equal(await total('code=urn:x%7Csubmissionset'), 0)
    assert.equal(await total('code=folder'), 0)
    assert.equal(await total('code=folder,submissionset'), 3)
    assert.equal(await total('status=retired'), 0)
    assert.equal(await total('status=superseded,current'), 3)
    const wrong = await gateway.fhir.call(
      author,
      'GET',
      `/List?patient.identifier=${token(patient)}&status=x`,
      careTeam,
    )
    assert.equal(wrong.status, 400)
  })

  it('gives one page after the other, each list once', async () => {
    const seen: string[] = []
    let next: string | undefined = `/List?patient.identifier=${token(patient)}&code=submissionset&_count=1`
    while (next !== undefined) {
      const reply = await gateway.fhir.call(author, 'GET', next, careTeam)
      const { entry = [], total, link = [] } = reply.json as unknown as Bundle
      assert.equal(total, 3)
      seen.push(...entry.map(({ resource }) => nameOf(resource as List)))
      next = link.find(({ relation }) => relation === 'next')?.url
    }
    assert.deepEqual(seen, ['c', 'b', 'a'])
    assert.equal((await search('_summary=count')).entry, undefined)
  })

  it('answers a search by POST, and in XML', async () => {
    const form = `patient.identifier=${token(patient)}&code=submissionset&date=2024-07`
    const reply = await gateway.fhir.call(author, 'POST', '/List/_search', {
      ...careTeam,
      body: form,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/fhir+xml' },
    })
    assert.match(reply.bytes.toString(), /<total value="1"\/>.*<List>/s)
  })

  it('refuses what it does not know, and a search without a patient', async () => {
    const status = async (query: string) => (await gateway.fhir.call(author, 'GET', `/List?${query}`, careTeam)).status
    assert.equal(await status(`patient.identifier=${token(patient)}&title:missing=true`), 400)
    assert.equal(await status(`patient.identifier=${token(patient)}&encounter=1`), 400)
    assert.equal(await status('code=submissionset'), 400)
  })

  it('names as members only documents that the caller may see (DF8)', async () => {
    const members = async (who: IdentityOptions) => {
      const { entry = [] } = await search('title=education', who)
      return (entry[0]?.resource as List | undefined)?.entry?.length
    }
    assert.equal(await members(author), 2)
    assert.equal(await members(patient.identity), 2)
    assert.equal(await members(colleague), 1)
  })

  it('has no lot for a caller who may see none of its documents', async () => {
    const other = await gateway.patient()
    await lot('x', {}, [{ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }], other)
    assert.equal((await search('', author, other)).total, 1)
    const none = await search('', colleague, other)
    assert.equal(none.total, 0)
    assert.equal(none.entry, undefined)
    const { entry = [] } = await search('', author, other)
    const [hidden, absent] = await Promise.all(
      [entry[0]?.resource?.id, '0190d3a0-0000-7000-8000-000000000000'].map((id) =>
        gateway.fhir.call(colleague, 'GET', `/List/${id}`, careTeam),
      ),
    )
    assert.equal(hidden?.status, 404)
    assert.deepEqual(hidden?.bytes, absent?.bytes)
  })

  it('reads a lot, with ETag, and its history', async () => {
    const { entry = [] } = await search('title=suivi')
    const id = entry[0]?.resource?.id
    const read = await gateway.fhir.call(author, 'GET', `/List/${id}`, careTeam)
    assert.equal(read.status, 200)
    assert.equal(read.headers.get('etag'), 'W/"1"')
    assert.ok(read.headers.get('last-modified'))
    assert.deepEqual(read.json, JSON.parse(JSON.stringify(entry[0]?.resource)))
    const again = await gateway.fhir.call(author, 'GET', `/List/${id}`, {
      ...careTeam,
      headers: { 'If-None-Match': 'W/"1"' },
    })
    assert.equal(again.status, 304)
    assert.equal((await gateway.fhir.call(author, 'GET', `/List/${id}/_history/1`, careTeam)).status, 200)
    assert.equal((await gateway.fhir.call(author, 'GET', `/List/${id}/_history/2`, careTeam)).status, 404)
    const history = await gateway.fhir.call(author, 'GET', `/List/${id}/_history`, careTeam)
    assert.deepEqual(checkStructure(history.json), [])
    assert.equal((history.json as unknown as Bundle).entry?.[0]?.resource?.id, id)
  })

  it('gives a structure the lots of its own documents by identifier only (TD3.1b)', async () => {
    const [[uniqueId] = ['']] = [...names].filter(([, name]) => name === 'c')
    const own = await gateway.fhir.call(
      structure,
      'GET',
      `/List?patient.identifier=${token(patient)}&identifier=${uniqueId}`,
    )
    assert.equal((own.json as unknown as Bundle).total, 1)
    const all = await gateway.fhir.call(structure, 'GET', `/List?patient.identifier=${token(patient)}`)
    assert.equal(all.status, 403)
    assert.equal((all.json as unknown as OperationOutcome).resourceType, 'OperationOutcome')
  })
})
