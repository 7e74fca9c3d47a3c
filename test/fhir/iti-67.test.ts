import assert from 'node:assert/strict'
import type { Bundle, DocumentReference, OperationOutcome } from '@medplum/fhirtypes'
import { GatewayError } from '../../src/errors.ts'
import { patientKey } from '../../src/metadata/identifiers.ts'
import { Door, type Reply } from './door.ts'
import { aBundle, authority, ins, newOid, patientToken } from './mothers.ts'

const patient = patientKey('1.2.250.1.213.1.4.10', ins)
const system = 'urn:oid:1.2.250.1.213.1.1.4.1'

describe('ITI-67', () => {
  let door: Door
  const uniqueIds = { a: newOid(), b: newOid(), c: newOid() }

  /** Three documents: a of January 2023 by Dupont, b of June 2023 by Lefèvre, c of 2024 by Durand, archived later. */
  before(async () => {
    door = await Door.open()
    door.operations.patients.set(patient, { given: [] })
    const add = async (
      uniqueId: string,
      date: string,
      family: string,
      given: string,
      category: string,
    ): Promise<void> => {
      const reply = await door.send(
        'POST',
        '',
        aBundle({
          documents: [
            {
              uniqueId,
              change: (resource: DocumentReference) => {
                Object.assign(resource, { date, category: [{ coding: [{ system, code: category }] }] })
                Object.assign(resource.content[0]?.attachment ?? {}, { creation: date })
                Object.assign(resource.context ?? {}, { period: { start: date } })
                Object.assign(resource.contained?.[1] ?? {}, { name: [{ family, given: [given] }] })
              },
            },
          ],
        }),
      )
      assert.equal(reply.status, 200, reply.text)
    }
    await add(uniqueIds.a, '2023-01-10T12:00:00Z', 'Dupont', 'Anne', '10')
    await add(uniqueIds.b, '2023-06-15T10:30:00Z', 'Lefèvre', 'Émilie', '11')
    await add(uniqueIds.c, '2024-02-29T23:30:00Z', 'Durand', 'Paul', '10')
  })
  after(() => door.close())

  const base = `patient.identifier=${encodeURIComponent(patientToken)}&status=current`

  function search(more = '', headers: Record<string, string> = {}): Promise<Reply> {
    return door.get(`/DocumentReference?${base}${more === '' ? '' : `&${more}`}`, headers)
  }

  /** Names of the documents found, in order. */
  async function found(more: string): Promise<string> {
    const reply = await search(more)
    assert.equal(reply.status, 200, reply.text)
    const { entry = [], total } = reply.body as Bundle
    assert.equal(total, entry.length)
    return entry.map(({ resource }) => nameOf(resource as DocumentReference)).join('')
  }

  function nameOf({ masterIdentifier }: DocumentReference): string {
    return Object.entries(uniqueIds).find(([, id]) => id === masterIdentifier?.value)?.[0] ?? '?'
  }

  it('gives a searchset, newest first, with absolute places', async () => {
    const reply = await search()
    const bundle = reply.body as Bundle
    assert.equal(bundle.type, 'searchset')
    assert.equal(bundle.total, 3)
    assert.deepEqual(
      bundle.entry?.map(({ resource }) => nameOf(resource as DocumentReference)),
      ['c', 'b', 'a'],
    )
    for (const { fullUrl, resource, search: how } of bundle.entry ?? []) {
      assert.equal(fullUrl, `${door.url}/DocumentReference/${resource?.id}`)
      assert.equal(how?.mode, 'match')
      const [content] = (resource as DocumentReference).content
      assert.equal(content?.attachment?.url, `${door.url}/Binary/${resource?.id}`)
    }
    assert.equal(
      bundle.link?.find(({ relation }) => relation === 'self')?.url,
      `${door.url}/DocumentReference?patient.identifier=${encodeURIComponent(patientToken)}&status=current`,
    )
    assert.equal(reply.headers.get('cache-control'), 'no-store')
  })

  it('answers every kind of parameter as FHIR says', async () => {
    const expected: Record<string, string> = {
      'category=10': 'ca',
      [`category=${system}|11`]: 'b',
      [`category=${system}|10,${system}|11`]: 'cba',
      'category=10&category=11': '',
      'category=urn:oid:9.9|10': '',
      [`category=${system}|`]: 'cba',
      'type=http://loinc.org|11488-4': 'cba',
      'security-label=N': 'cba',
      'security-label=N&security-label=R': '',
      'date=2023': 'ba',
      'creation=ge2023-06-15T10:30:00Z': 'cb',
      'date=ge2023-02&date=lt2024': 'b',
      'date=2023-01-10,2024-02': 'ca',
      'period=2023-06-15': 'b',
      'period=ge2023-02': 'cb',
      'period-start=lt2023-02': 'a',
      'author.family=lefevre': 'b',
      'author.family=Du': 'ca',
      'author.given=Paul&author.family=Dupont': '',
      'author.given=Paul&author.family=Durand': 'c',
      'author.identifier=urn:oid:1.2.250.1.71.4.2.1|899700000001': 'cba',
      'author.identifier=1': '',
      [`identifier=urn:ietf:rfc:3986|${uniqueIds.b}`]: 'b',
      [`identifier=${uniqueIds.a},${uniqueIds.c}`]: 'ca',
      [`identifier=${newOid()}`]: '',
      'status=superseded': '',
      'isArchived=false': 'cba',
      'isArchived=true': '',
      '_lastUpdated=ge2026-11-21': 'cba',
      '_lastUpdated=lt2026-11-21': '',
      'related.identifier=urn:oid:1.2.3|X': '',
      '_sort=date': 'abc',
      '_sort=-date': 'cba',
    }
    const wrong: string[] = []
    for (const [query, names] of Object.entries(expected)) {
      const got = await found(query.replaceAll('|', '%7C'))
      if (got !== names) wrong.push(`${query}: ${got} instead of ${names}`)
    }
    assert.deepEqual(wrong, [])
  })

  it('asks the registry what it can be asked', async () => {
    await search(`category=10&event=X&event=Y%7CZ&identifier=${uniqueIds.a}`)
    const asked = queries(door).at(-1)
    assert.ok(asked?.kind === 'FindDocuments')
    assert.deepEqual(asked.statuses, ['Approved'])
    assert.deepEqual(asked.criteria, {
      classCodes: [{ code: '10' }],
      eventCodes: [[{ code: 'X' }], [{ code: 'Z', system: 'Y' }]],
      uniqueIds: [uniqueIds.a.slice('urn:oid:'.length)],
    })
  })

  it('finds an entryUUID by identifier too', async () => {
    const { entry = [] } = (await search()).body as Bundle
    const newest = entry[0]?.resource
    assert.ok(newest?.resourceType === 'DocumentReference')
    const own = newest.identifier?.find(({ use }) => use === 'official')
    assert.equal(await found(`identifier=${own?.value}`), 'c')
    assert.equal(await found(`_id=${entry[1]?.resource?.id}`), 'b')
    assert.equal(await found(`_id=${entry[1]?.resource?.id}&identifier=${own?.value}`), '')
  })

  it('asks for current documents where no status is named, archived ones only by isArchived', async () => {
    const statuses = async (query: string) => {
      await door.get(`/DocumentReference?patient.identifier=${encodeURIComponent(patientToken)}&${query}`)
      const asked = queries(door).at(-1)
      return asked?.kind === 'FindDocuments' ? asked.statuses.join() : ''
    }
    assert.equal(await statuses(''), 'Approved')
    assert.equal(await statuses('status=current&isArchived=true'), 'Archived')
    assert.equal(await statuses('status=current&isArchived=true,false'), 'Approved,Archived')
    assert.equal(await statuses('status=current,superseded,entered-in-error'), 'Approved,Deprecated,Deleted')
  })

  it('takes the parameters from the URL and the form of a POST together', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    const reply = await door.send('POST', `/DocumentReference/_search?${base}`, 'category=11', form)
    assert.equal((reply.body as Bundle).total, 1)
    const accents = await door.send('POST', '/DocumentReference/_search', `${base}&author.family=Lef%C3%A8vre`, form)
    assert.equal((accents.body as Bundle).total, 1)
    assert.equal((await door.send('POST', '/DocumentReference/_search', base)).status, 415)
    assert.equal(
      (await door.send('POST', '/DocumentReference/_search', `${base}&x=${'y'.repeat(300_000)}`, form)).status,
      413,
    )
  })

  it('pages by position: every page has the exact total, nothing is lost when a document comes in between', async () => {
    const seen: string[] = []
    let next: string | undefined = `${door.url}/DocumentReference?${base}&_count=1`
    while (next !== undefined) {
      const bundle = (await door.get(next)).body as Bundle
      assert.equal(bundle.total, 3)
      assert.equal(bundle.entry?.length, 1)
      seen.push(...(bundle.entry ?? []).map(({ resource }) => nameOf(resource as DocumentReference)))
      next = bundle.link?.find(({ relation }) => relation === 'next')?.url
      assert.ok(seen.length <= 3)
    }
    assert.deepEqual(seen, ['c', 'b', 'a'])
  })

  it('gives the total alone for _count=0 and _summary=count', async () => {
    for (const query of ['_count=0', '_summary=count']) {
      const bundle = (await search(query)).body as Bundle
      assert.equal(bundle.total, 3)
      assert.equal(bundle.entry, undefined)
    }
  })

  it('counts and shows what the caller may see, nothing else', async () => {
    const hidden = door.operations.entries[1]?.entryUuid
    assert.ok(hidden)
    door.operations.hidden.add(hidden)
    assert.equal(await found(''), 'ca')
    assert.equal(await found(`identifier=${uniqueIds.b}`), '')
    const absent = await door.get(`/DocumentReference/${crypto.randomUUID()}`)
    const masked = await door.get(`/DocumentReference/${hidden.slice(9)}`)
    door.operations.hidden.delete(hidden)
    assert.equal(masked.status, 404)
    assert.deepEqual(masked.bytes, absent.bytes)
  })

  const refused: Record<string, string> = {
    'status=bogus': 'status',
    'date=2023-02-30': 'date',
    'date=ap2023': 'date',
    'type=': 'type',
    'type:not=x': 'type',
    'isArchived=maybe': 'isArchived',
    '_count=-1': '_count',
    '_cursor=zzzz': '_cursor',
    '_summary=everything': '_summary',
    'patient.identifier=urn:oid:1.2.250.1.213.1.4.10%7C1': 'patient',
    'related=DocumentReference/1': 'related',
    'no-such-parameter=x': 'no-such-parameter',
    '_has:Provenance=x': '_has:Provenance',
    'type=%FF': 'percent-encoded',
  }
  for (const [query, word] of Object.entries(refused))
    it(`refuses ${query}, and says why`, async () => {
      const reply = await search(query)
      assert.equal(reply.status, 400)
      const [issue] = (reply.body as OperationOutcome).issue ?? []
      assert.ok(issue?.diagnostics?.includes(word), issue?.diagnostics)
    })

  it('ignores what it does not know when asked to be lenient, and leaves it out of the self link', async () => {
    const reply = await search('no-such-parameter=x', { prefer: 'handling=lenient' })
    const bundle = reply.body as Bundle
    assert.equal(bundle.total, 3)
    assert.equal(bundle.link?.[0]?.url?.includes('no-such'), false)
  })

  it('needs a patient, with the authority of the INS', async () => {
    for (const query of [
      'status=current',
      `patient.identifier=${ins}`,
      `patient.identifier=urn:x|${ins}`,
      'patient=Patient%2F',
    ])
      assert.equal((await door.get(`/DocumentReference?${query}`)).status, 400, query)
    const unknown = await door.get(`/DocumentReference?status=current&patient.identifier=${authority}|100000000000000`)
    assert.equal(unknown.status, 404)
    assert.equal((unknown.body as OperationOutcome).issue?.[0]?.details?.coding?.[0]?.code, 'dmp-unknown')
  })

  it('passes refusals of the guard on', async () => {
    door.operations.refusal = new GatewayError({ code: 'consent-missing', rule: 'CO3' })
    const reply = await search()
    door.operations.refusal = undefined
    assert.equal(reply.status, 403)
  })

  it('answers in XML where that is asked for', async () => {
    for (const reply of [await search('', { accept: 'application/fhir+xml' }), await search('_format=xml')]) {
      assert.equal(reply.headers.get('content-type'), 'application/fhir+xml; charset=utf-8')
      assert.equal(reply.text.match(/<fullUrl /g)?.length, 3)
      assert.ok(reply.text.endsWith('</entry></Bundle>'))
    }
  })

  it('reads one document with its version, and says when nothing changed', async () => {
    const id = door.operations.entries[0]?.entryUuid.slice(9)
    const reply = await door.get(`/DocumentReference/${id}`)
    assert.equal(reply.headers.get('etag'), 'W/"1"')
    assert.equal((reply.body as DocumentReference).meta?.lastUpdated, '2026-11-21T10:00:00.000Z')
    assert.equal((await door.get(`/DocumentReference/${id}`, { 'if-none-match': 'W/"1"' })).status, 304)
    assert.equal((await door.get(`/DocumentReference/${id}/_history/1`)).status, 200)
    assert.equal((await door.get(`/DocumentReference/${id}/_history/2`)).status, 404)
    assert.equal((await door.get('/DocumentReference/not-a-uuid')).status, 404)
  })
})

/** What the operations were asked to find. */
function queries(door: Door): Door['operations']['queries'] {
  return door.operations.queries
}
