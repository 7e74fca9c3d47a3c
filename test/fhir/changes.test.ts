import assert from 'node:assert/strict'
import type { Bundle, DocumentReference, OperationOutcome } from '@medplum/fhirtypes'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import type { IdentityOptions } from '../../src/identity/mint.ts'
import type { Dtm } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import { type Changes, codes } from '../mothers/metadata.ts'
import {
  aDocument,
  declared,
  openGateway,
  people,
  type Stored,
  type TestGateway,
  type TestPatient,
} from '../support/gateway.ts'

const { author, colleague, structure } = people
const careTeam = { consent: declared.careTeam }
const a07 = 'https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument'

describe('DocumentReference/$changes', () => {
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
  })
  beforeEach(async () => {
    patient = await gateway.patient()
  })
  after(() => gateway.close())

  async function feed(changes: Changes<DocumentEntry> = {}, replaces?: Stored): Promise<Stored> {
    const options = { consent: declared.informed, ...(replaces && { replaces }) }
    const outcome = await gateway.fhirDoor.feed(structure, aDocument(patient, changes), options)
    assert.ok(outcome.stored, outcome.text)
    return outcome.stored
  }

  const url = (query = '') =>
    `/DocumentReference/$changes?patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}${query}`

  async function ask(target: string, who: IdentityOptions = author): Promise<Bundle> {
    const reply = await gateway.fhir.call(who, 'GET', target, who.kind === 'patient' ? {} : careTeam)
    assert.equal(reply.status, 200, reply.outcome.text)
    assert.deepEqual(checkStructure(reply.json), [])
    return reply.json as unknown as Bundle
  }

  /** `kind uniqueId` of each match, `(uniqueId)` of what comes along. */
  function told({ entry = [], total }: Bundle): string[] {
    const documents = entry.filter(({ search }) => search?.mode !== 'outcome')
    assert.equal(documents.filter(({ search }) => search?.mode === 'match').length, total)
    return documents.map(({ resource, search }) => {
      const { meta, masterIdentifier } = resource as DocumentReference
      const id = masterIdentifier?.value?.slice('urn:oid:'.length)
      return search?.mode === 'match' ? `${meta?.tag?.[0]?.code} ${id}` : `(${id})`
    })
  }

  /** A moment after everything that has happened, to ask from. */
  async function now(): Promise<string> {
    const at = new Date(Date.now() + 1)
    while (Date.now() <= at.getTime()) await new Promise((resolve) => setImmediate(resolve))
    return `&since=${encodeURIComponent(at.toISOString())}`
  }

  async function patch({ logicalId }: Stored, ...operations: object[]): Promise<void> {
    const reply = await gateway.fhir.call(author, 'PATCH', `/DocumentReference/${logicalId.slice(9)}`, {
      ...careTeam,
      body: JSON.stringify(operations),
      headers: { 'Content-Type': 'application/json-patch+json' },
    })
    assert.equal(reply.status, 200, reply.outcome.text)
  }
  const masking = { op: 'add', path: '/securityLabel/0', value: { coding: [{ system: a07, code: 'MASQUE_PS' }] } }

  it('gives first the documents in force of two years of care, and says so', async () => {
    const old = new Date().getUTCFullYear() - 3
    const recent = await feed()
    await feed({ serviceStartTime: `${old}0612` as Dtm, serviceStopTime: undefined })
    await feed({}, await feed())
    const bundle = await ask(url())
    assert.equal(bundle.total, 2)
    assert.ok(told(bundle).includes(`new ${recent.uniqueId}`))
    const outcome = bundle.entry?.[0]?.resource as OperationOutcome | undefined
    const text = outcome?.issue?.[0]?.details?.text
    assert.match(String(text), new RegExp(`actes depuis le ${new Date().getUTCFullYear() - 2}-`))
    assert.equal((await ask(url(`&period-start=ge${old}`))).total, 3)
  })

  it('tells what was added since, and nothing else', async () => {
    await feed()
    const since = await now()
    assert.deepEqual(told(await ask(url(since))), [])
    const added = await feed()
    assert.deepEqual(told(await ask(url(since))), [`new ${added.uniqueId}`])
  })

  it('tells a replacement once, with the chain of what it replaces', async () => {
    const first = await feed()
    const since = await now()
    const second = await feed({}, first)
    const third = await feed({}, second)
    assert.deepEqual(told(await ask(url(since))), [
      `replacement ${third.uniqueId}`,
      `(${second.uniqueId})`,
      `(${first.uniqueId})`,
    ])
  })

  it('tells a change of visibility and of status', async () => {
    const [masked, deleted] = [await feed(), await feed()]
    const since = await now()
    await patch(masked, masking)
    await patch(deleted, { op: 'replace', path: '/status', value: 'entered-in-error' })
    assert.deepEqual(told(await ask(url(since))), [`visibility ${masked.uniqueId}`, `status ${deleted.uniqueId}`])
  })

  it('tells nothing of a document that is hidden from the caller, be it the newest', async () => {
    const open = await feed()
    const since = await now()
    await feed({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] })
    await patch(open, masking)
    const bundle = await ask(url(since), colleague)
    assert.deepEqual(told(bundle), [])
    assert.equal((await ask(url(since), author)).total, 2)
  })

  it('tells a replaced document by itself where its replacement is hidden', async () => {
    const open = await feed()
    const since = await now()
    await feed({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }, open)
    assert.deepEqual(told(await ask(url(since), colleague)), [`status ${open.uniqueId}`])
  })

  it('goes on from its link monitor, and gives pages', async () => {
    const fed = [await feed(), await feed(), await feed()]
    const seen: string[] = []
    let next: string | undefined = url('&_count=2')
    let monitor: string | undefined
    while (next !== undefined) {
      const bundle: Bundle = await ask(next)
      seen.push(...told({ ...bundle, total: (bundle.entry?.length ?? 1) - 1 }))
      next = bundle.link?.find(({ relation }) => relation === 'next')?.url
      monitor = bundle.link?.find(({ relation }) => relation === 'monitor')?.url
    }
    assert.deepEqual(
      seen,
      fed.map(({ uniqueId }) => `new ${uniqueId}`),
    )
    assert.match(String(monitor), /\$changes\?.*since=/)
    // What is as fresh as this answer is told again
    assert.equal((await ask(String(monitor))).total, 3)
  })

  it('passes the same guard as a search', async () => {
    const status = async (who: IdentityOptions, query = '', sent = {}) =>
      (await gateway.fhir.call(who, 'GET', url(query), sent)).status
    assert.equal(await status(structure), 403)
    assert.equal(await status(author), 403)
    assert.equal(await status(patient.identity), 200)
    assert.equal(await status(author, '&since=yesterday', careTeam), 400)
    assert.equal(await status(author, '&since=2026-06-12', careTeam), 400)
    assert.equal(await status(author, '&author=x', careTeam), 400)
    const nobody = '/DocumentReference/$changes?patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C260050000000404'
    assert.equal((await gateway.fhir.call(author, 'GET', nobody, careTeam)).outcome.code, 'dmp-unknown')
    const operations = (await gateway.records(patient)).map(
      ({ operation, transaction }) => `${operation} ${transaction}`,
    )
    assert.ok(operations.includes('TD3.1a changes'))
  })
})
