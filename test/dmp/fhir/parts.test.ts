import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { DocumentReference } from '@medplum/fhirtypes'
import { readConsentHeader } from '../../../src/access/declaration.ts'
import { createBase } from '../../../src/dmp/fhir/base.ts'
import { FhirPeer } from '../../../src/dmp/fhir/client.ts'
import { consentHeader } from '../../../src/dmp/fhir/declaration.ts'
import { identified, logicalIdOf, revisionOf } from '../../../src/dmp/fhir/identity.ts'
import { readOutcome, refusalOf } from '../../../src/dmp/fhir/outcome.ts'
import type { Parts } from '../../../src/dmp/fhir/parts.ts'
import { documentParameters, documentStatus, identifierParameter } from '../../../src/dmp/fhir/search-parameters.ts'
import { streamedJson } from '../../../src/dmp/fhir/streamed.ts'
import type { Incoming, Outgoing } from '../../../src/dmp/fhir/transport.ts'
import { toDtm } from '../../../src/metadata/dtm.ts'
import type { DocumentContent, RequestContext } from '../../../src/operations/ports.ts'

describe('the base of a DMP that speaks PDSm', () => {
  const base = createBase('https://dmp.example/fhir/', ['https://interne.example:8443/pdsm'])

  it('is what every link is held to', () => {
    assert.equal(base.resolve('Binary/1'), 'https://dmp.example/fhir/Binary/1')
    assert.equal(base.resolve('https://dmp.example/fhir/Binary/1'), 'https://dmp.example/fhir/Binary/1')
    assert.equal(base.resolve('/fhir/Binary/1'), 'https://dmp.example/fhir/Binary/1')
    assert.equal(base.resolve('https://dmp.example/fhir?_cursor=x'), 'https://dmp.example/fhir?_cursor=x')
  })

  it('may have other names in links, which are asked under its own', () => {
    assert.equal(base.resolve('https://interne.example:8443/pdsm/Binary/1'), 'https://dmp.example/fhir/Binary/1')
  })

  for (const url of [
    'https://ailleurs.example/fhir/Binary/1',
    'https://dmp.example.ailleurs.example/fhir/Binary/1',
    'https://dmp.example/fhirx/Binary/1',
    'https://dmp.example/autre/Binary/1',
    'http://dmp.example/fhir/Binary/1',
    'https://dmp.example@ailleurs.example/fhir/Binary/1',
    '//ailleurs.example/fhir/Binary/1',
    '/autre/Binary/1',
    'file:///etc/passwd',
    'https://dmp.example/fhir/../admin',
    'https://dmp.example/fhir/%2e%2e/admin',
    'https://dmp.example/fhir/..%2fadmin',
    'Binary/..\\..\\admin',
    'Binary/.\t./.\n./admin',
  ])
    it(`does not hold ${url}`, () => {
      assert.throws(() => base.resolve(url), { code: 'dmp-answer-invalid' })
    })

  it('tells ids from references of its own only', () => {
    assert.equal(base.idIn('DocumentReference/a-1', 'DocumentReference'), 'a-1')
    assert.equal(base.idIn('https://dmp.example/fhir/DocumentReference/a-1/_history/2', 'DocumentReference'), 'a-1')
    assert.equal(base.idIn('https://ailleurs.example/fhir/DocumentReference/a-1', 'DocumentReference'), undefined)
    assert.equal(base.idIn('Patient/a-1', 'DocumentReference'), undefined)
  })
})

describe('the versions of a document at a DMP that speaks PDSm', () => {
  const base = createBase('https://dmp.example/fhir', [])
  const version = (versionId: string) => ({
    resource: { resourceType: 'DocumentReference', id: 'a', meta: { versionId } },
  })
  const pages: Record<string, object> = {
    'https://dmp.example/fhir/DocumentReference/a/_history': {
      entry: [version('3'), version('2')],
      link: [{ relation: 'next', url: 'https://dmp.example/fhir?_cursor=x' }],
    },
    'https://dmp.example/fhir?_cursor=x': { entry: [version('1')] },
  }
  const read = async (given: Record<string, object>) => {
    const context: RequestContext = {
      caller: {
        kind: 'professional',
        authentication: 'direct',
        person: { id: '899700999999' },
        structure: { id: '1750000000' },
        specialities: [],
        regulation: false,
        secretConnection: false,
        proof: 'jwt',
      },
      purpose: 'normal',
      declaration: {},
      door: 'fhir',
      transaction: 'ITI-67',
      requestId: 'r-1',
    }
    const limits = { answer: 10_000, document: 10_000, results: 10 }
    const token = { issuer: 'i', audience: 'a', lifetime: 60, bound: false }
    const parts = {
      options: { limits, token, structure: { id: '1750000000', name: 'Structure', sites: [] } },
      base,
      credentials: {
        tokenKey: { key: generateKeyPairSync('ed25519').privateKey, algorithm: 'EdDSA', thumbprint: 't' },
      },
      transport: {
        exchange: async ({ url }: Outgoing): Promise<Incoming> => ({
          status: 200,
          headers: { 'content-type': 'application/fhir+json' },
          async *read() {
            yield Buffer.from(JSON.stringify({ resourceType: 'Bundle', type: 'history', ...given[url] }))
          },
          giveUp() {},
        }),
      },
      observer: { call() {}, request() {} },
      clock: { now: () => new Date() },
    } as unknown as Parts
    const asking = { transaction: 'TD3.1', use: 'person', patient: undefined } as const
    const versions = await new FhirPeer(parts, context).history(asking, 'DocumentReference', 'a')
    return versions.map(({ meta }) => (meta as { versionId: string }).versionId)
  }

  it('are those of every page', async () => {
    assert.deepEqual(await read(pages), ['3', '2', '1'])
  })

  it('are refused where the pages have no end', async () => {
    const link = [{ relation: 'next', url: 'https://dmp.example/fhir?_cursor=x' }]
    await assert.rejects(read({ ...pages, 'https://dmp.example/fhir?_cursor=x': { link } }), {
      code: 'dmp-answer-invalid',
    })
  })
})

describe('the ids of a DMP that speaks PDSm', () => {
  const url = 'https://dmp.example/fhir'

  it('are kept where they are UUIDs', () => {
    const id = '0192f1c0-0000-7000-8000-000000000001'
    assert.equal(logicalIdOf(url, 'DocumentReference', id), `urn:uuid:${id}`)
  })

  it('become UUIDs that are the same each time, and another for each version, where they are none', () => {
    const read = (versionId: string) => {
      const stored: DocumentReference = {
        resourceType: 'DocumentReference',
        id: '42',
        status: 'current',
        content: [],
        meta: { versionId },
      }
      const { id, identifier } = identified(stored, url)
      return [id, identifier?.[0]?.value]
    }
    assert.deepEqual(read('1'), read('1'))
    assert.equal(`urn:uuid:${read('1')[0]}`, read('1')[1], 'the first version has the id of the document')
    assert.equal(read('2')[0], read('1')[0])
    assert.notEqual(read('2')[1], read('1')[1])
    assert.notEqual(read('abc')[0], identified({ resourceType: 'DocumentReference', id: '43' }, url).id)
  })

  it('tell changes of status from versions of the metadata', () => {
    assert.deepEqual([revisionOf('2.3'), revisionOf('2'), revisionOf('x.3')], [3, undefined, undefined])
  })
})

describe('a Bundle that is made as it is sent', () => {
  const content = (size: number, bytes: () => Iterable<Buffer>): DocumentContent => ({
    size,
    sha1: '',
    stream: () => Readable.from(bytes(), { objectMode: false }),
  })

  it('is the JSON with the base64 of each document in its place, as long as it says', async () => {
    const documents = [0, 1, 2, 3, 100_000].map((size) => randomBytes(size))
    const body = streamedJson((hold) =>
      documents.map((bytes, index) => ({ index, data: hold(content(bytes.length, () => [bytes])), 'é"\\': '…' })),
    )
    const chunks: Buffer[] = []
    for await (const chunk of body.stream()) chunks.push(chunk)
    const text = Buffer.concat(chunks)
    assert.equal(text.length, body.length)
    assert.deepEqual(
      (JSON.parse(text.toString()) as { data: string }[]).map(({ data }) => Buffer.from(data, 'base64')),
      documents,
    )
  })

  it('never holds a document whole', async () => {
    const piece = 64 * 1024
    const pieces = 800
    const body = streamedJson((hold) => ({
      data: hold(
        content(piece * pieces, function* () {
          for (let index = 0; index < pieces; index++) yield Buffer.alloc(piece, index)
        }),
      ),
    }))
    let largest = 0
    let total = 0
    for await (const chunk of body.stream()) {
      largest = Math.max(largest, chunk.length)
      total += chunk.length
    }
    assert.equal(total, body.length)
    assert.ok(largest < 4 * piece, `${largest} bytes at once`)
  })
})

describe('an error of a DMP that speaks PDSm', () => {
  const outcome = (...issues: object[]) => ({ resourceType: 'OperationOutcome', issue: issues })
  const issue = (system: string, code: string, more: object = {}) => ({
    severity: 'error',
    code: 'processing',
    details: { coding: [{ system, code }] },
    ...more,
  })
  const decisions = 'https://dmp-gateway.example.org/fhir/CodeSystem/decision'
  const xds = 'urn:ihe:iti:xds:error'

  it('keeps the code that both sides know, its words, and the object that it is about', () => {
    const sent = new Map([[1, 'urn:uuid:0192f1c0-0000-7000-8000-000000000001']])
    const body = outcome(
      issue(decisions, 'consent-missing', { diagnostics: 'CO3: …' }),
      issue(xds, 'XDSDuplicateUniqueIdInRegistry', { expression: ['Bundle.entry[1].resource.masterIdentifier'] }),
    )
    assert.deepEqual(refusalOf(422, body, false, sent).issues, [
      { code: 'consent-missing', detail: 'CO3: …' },
      { code: 'XDSDuplicateUniqueIdInRegistry', location: sent.get(1) },
    ])
  })

  it('gives a code that is not known on unchanged, as one of the DMP', () => {
    const [first] = refusalOf(422, outcome(issue('urn:dmp', 'DMPXYZ')), false).issues
    assert.deepEqual(first, { code: 'dmp-refused', foreign: 'DMPXYZ' })
    const [second] = refusalOf(400, outcome(issue(xds, 'XDSNobodyKnows')), false).issues
    assert.deepEqual(second, { code: 'dmp-refused', foreign: 'XDSNobodyKnows' })
  })

  for (const code of ['identity-invalid', 'malformed', 'unknown-parameter', 'internal', 'dmp-answer-invalid'])
    it(`is never taken for one of this gateway's own: ${code}`, () => {
      assert.deepEqual(refusalOf(400, outcome(issue(decisions, code)), true).issues, [
        { code: 'dmp-refused', foreign: code },
      ])
    })

  it('says by its status what became of the request', () => {
    const code = (status: number, safe: boolean) => refusalOf(status, undefined, safe).code
    assert.deepEqual([code(401, true), code(403, true), code(409, false)], Array(3).fill('dmp-refused'))
    assert.deepEqual([code(429, false), code(503, false)], Array(2).fill('dmp-unavailable'))
    assert.deepEqual([code(500, true), code(500, false)], ['dmp-answer-invalid', 'dmp-outcome-unknown'])
  })

  it('is nothing where the answer is none', () => {
    for (const body of [undefined, 'x', { resourceType: 'OperationOutcome' }, outcome(), outcome({ severity: 1 })])
      assert.deepEqual(readOutcome(body), [])
  })
})

describe('what is asked of a DMP that speaks PDSm', () => {
  const declared = (names?: readonly string[]) => ({
    can: () => true,
    searches: (_: string, name: string) => names === undefined || names.includes(name),
  })

  it('is the criteria as far as the DMP declares that it searches by them', () => {
    const criteria = {
      typeCodes: [{ code: '11502-2', system: '2.16.840.1.113883.6.1' }, { code: 'a,b|c$' }],
      confidentialityCodes: [[{ code: 'N' }], [{ code: 'MASQUE_PS' }]],
      creationTime: [{ from: toDtm('20260101'), to: toDtm('2027') }],
    }
    assert.deepEqual(documentParameters(criteria, declared()), {
      type: ['http://loinc.org|11502-2,a\\,b\\|c\\$'],
      'security-label': ['N', 'MASQUE_PS'],
      creation: ['ge2026-01-01T00:00:00Z', 'lt2027-01-01T00:00:00Z'],
    })
    assert.deepEqual(Object.keys(documentParameters(criteria, declared(['type']))), ['type'])
  })

  it('never leaves out what was asked for', () => {
    assert.deepEqual(documentParameters({ typeCodes: [{ code: 'x' }, {}] }, declared()), {})
    assert.deepEqual(documentParameters({ creationTime: [{}, { from: toDtm('2026') }] }, declared()), {})
  })

  it('knows archived documents by isArchived where the DMP does', () => {
    assert.deepEqual(documentStatus(['Approved', 'Archived'], declared()), {
      status: 'current',
      isArchived: 'true,false',
    })
    assert.deepEqual(documentStatus(['Archived'], declared()), { status: 'current', isArchived: 'true' })
    assert.deepEqual(documentStatus(['Archived', 'Deleted'], declared([])), { status: 'current,entered-in-error' })
    assert.deepEqual(documentStatus(['Deprecated'], declared()), { status: 'superseded' })
  })

  it('names documents by the URI of what they are known by', () => {
    assert.deepEqual(identifierParameter(['1.2.3', '1.2.3^4', 'urn:uuid:x']), {
      identifier: 'urn:ietf:rfc:3986|urn:oid:1.2.3,urn:ietf:rfc:3986|urn:oid:1.2.3^4,urn:ietf:rfc:3986|urn:uuid:x',
    })
  })
})

describe('a declaration on its way to a DMP that speaks PDSm', () => {
  it('is read there as it was read here', () => {
    for (const declaration of [
      { basis: 'care-team', informed: true, episode: '2026-E-118' },
      { basis: 'explicit', means: 'oral', by: '899700000001' },
      { opposition: true, reason: 'motif légitime : « secret »' },
      { informed: false },
    ] as const)
      assert.deepEqual(readConsentHeader(consentHeader(declaration)), declaration)
  })

  it('is no header where nothing was declared', () => {
    assert.equal(consentHeader({}), undefined)
  })
})
