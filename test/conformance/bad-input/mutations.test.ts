/**
 * Messages spoilt at random: whatever is wrong with them is the sender's fault and answered as such, never by an error of
 * the house, and the gateway answers the next request.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  aDocument,
  declared,
  openGateway,
  people,
  submissionOf,
  type TestGateway,
  type TestPatient,
} from '../../support/gateway.ts'
import type { Json } from '../../support/json.ts'
import { composeMtom } from '../../support/mtom.ts'
import { provideBundle, simplifiedPublish } from '../../support/resources.ts'
import { contentId, provideBody, queryBody, retrieveBody, storedQueries } from '../../support/xds-client.ts'

/** A place in a message, as a share of its length, and what is done there. */
const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat({ max: 40 }),
  put: fc.oneof(
    fc.constantFrom('', '<', '"', '&', '\0', ']]>', '{', '}', '\\', 'é', '\u{1f600}', '--', '\r\n', '&#0;', "'", '%'),
    fc.string({ maxLength: 12 }),
  ),
})

function spoilt(message: Buffer, changes: readonly { at: number; length: number; put: string }[]): Buffer {
  let bytes = message
  for (const { at, length, put } of changes) {
    const start = Math.floor(at * bytes.length)
    bytes = Buffer.concat([bytes.subarray(0, start), Buffer.from(put), bytes.subarray(start + length)])
  }
  return bytes
}

/** Another value for one node of a JSON tree. */
const replacement = fc.constantFrom<Json>(
  null,
  true,
  0,
  -1,
  1e308,
  '',
  ' ',
  'x',
  [],
  [null],
  {},
  { x: 1 },
  [[]],
  ['', ''],
)

function nodesOf(value: Json, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return [path]
  const keys: readonly (string | number)[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value)
  const children = keys.flatMap((key) => nodesOf((value as Record<string | number, Json>)[key] ?? null, [...path, key]))
  return [path, ...children]
}

function replaced(value: Json, [key, ...rest]: readonly (string | number)[], by: Json): Json {
  if (key === undefined || typeof value !== 'object' || value === null) return by
  if (Array.isArray(value)) return value.map((each, index) => (index === key ? replaced(each, rest, by) : each))
  const object = value as Readonly<Record<string, Json>>
  return { ...object, [key]: replaced(object[key] ?? null, rest, by) }
}

describe('bad input: messages spoilt at random', function () {
  this.timeout(60_000)
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
  })
  after(() => gateway.close())

  const consent = declared.informed

  async function fhir(target: string, body: Buffer): Promise<void> {
    const { status, outcome } = await gateway.fhir.call(people.structure, 'POST', target, { body, consent })
    assert.ok(status < 500, `${status} ${outcome.text}`)
    assert.notEqual(outcome.code, 'internal')
    assert.ok(status < 400 || outcome.text !== '', 'a refusal says nothing')
  }

  async function xds(transaction: 'ITI-41' | 'ITI-18' | 'ITI-43', contentType: string, body: Buffer): Promise<void> {
    const { outcome } = await gateway.xds.raw(transaction, contentType, body)
    assert.ok(outcome.status < 500, `${outcome.status} ${outcome.text}`)
    assert.notEqual(outcome.code, 'internal', outcome.text)
    assert.ok(outcome.ok || outcome.text !== '', 'a refusal says nothing')
  }

  it('in their bytes (FHIR): 2xx or 4xx, with an OperationOutcome', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), fc.boolean(), async (changes, bundle) => {
        const document = aDocument(patient)
        const resource = bundle ? provideBundle([document]) : simplifiedPublish(document)
        await fhir(bundle ? '' : '/DocumentReference', spoilt(Buffer.from(JSON.stringify(resource)), changes))
      }),
      { numRuns: 150 },
    )
  })

  it('in their values (FHIR): 2xx or 4xx, with an OperationOutcome', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        replacement,
        fc.boolean(),
        async (where, by, bundle) => {
          const document = aDocument(patient)
          const resource = bundle ? provideBundle([document]) : simplifiedPublish(document)
          const tree = JSON.parse(JSON.stringify(resource)) as Json
          const nodes = nodesOf(tree)
          const path = nodes[Math.floor(where * nodes.length)] ?? []
          await fhir(bundle ? '' : '/DocumentReference', Buffer.from(JSON.stringify(replaced(tree, path, by))))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('in their query (FHIR): 2xx or 4xx, with an OperationOutcome', async () => {
    const whose = `patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}`
    const names = [
      'status',
      'type',
      'date',
      'period',
      'identifier',
      '_count',
      '_sort',
      '_cursor',
      'related',
      '_id',
      'event',
    ]
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.string({ maxLength: 20 }), async (name, value) => {
        const target = `/DocumentReference?${whose}&${name}=${encodeURIComponent(value)}`
        const { status } = await gateway.fhir.call(patient.identity, 'GET', target)
        assert.ok(status < 500, `${status} ${target}`)
      }),
      { numRuns: 150 },
    )
  })

  it('in their bytes (SOAP): an answer or a fault of the sender', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const document = aDocument(patient)
        const body = provideBody(submissionOf([document]), [document.entry])
        const who = { ...people.structure, ins: patient.ins }
        const envelope = gateway.xds.envelope(who, { transaction: 'ITI-41', body, consent })
        const message = composeMtom(envelope, [{ contentId: contentId(document.entry), bytes: document.bytes }])
        await xds('ITI-41', message.contentType, spoilt(message.body, changes))
      }),
      { numRuns: 150 },
    )
  })

  it('in their envelope (SOAP queries and retrievals): an answer or a fault of the sender', async () => {
    const bodies = {
      'ITI-18': queryBody(storedQueries.FindDocuments, {
        $XDSDocumentEntryPatientId: `'${patient?.ins ?? ''}^^^&1.2.250.1.213.1.4.10&ISO^NH'`,
        $XDSDocumentEntryStatus: "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')",
      }),
      'ITI-43': retrieveBody(['1.2.3']),
    } as const
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('ITI-18' as const, 'ITI-43' as const),
        async (changes, transaction) => {
          // The identity stays whole, so that what comes behind it is reached
          const marked = gateway.xds.envelope(patient.identity, { transaction, body: 'BODY' })
          const body = spoilt(Buffer.from(bodies[transaction]), changes)
          const [before = '', after = ''] = marked.split('BODY')
          await xds(transaction, 'application/soap+xml', Buffer.concat([Buffer.from(before), body, Buffer.from(after)]))
        },
      ),
      { numRuns: 150 },
    )
  })

  afterEach('the gateway answers the next request', async () => {
    const document = aDocument(patient)
    for (const door of gateway.doors) {
      const outcome = await door.feed(people.structure, aDocument(patient), { consent })
      assert.ok(outcome.ok, outcome.text)
    }
    assert.ok((await gateway.fhir.publish(people.structure, simplifiedPublish(document), { consent })).outcome.ok)
  })
})
