import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Validator } from '@seriousme/openapi-schema-validator'
import { capabilities } from '../../src/fhir/capability.ts'
import { routes } from '../../src/fhir/routes.ts'
import { type IdentityOptions, mintJwt, mintVihf } from '../../src/identity/mint.ts'
import { openGateway, people, type TestGateway } from '../support/gateway.ts'
import { at, type Json, parseJson } from '../support/json.ts'
import { type Choices, descriptionFile, type Operation, operations, requestOf, signature } from './openapi.ts'

const described = (of: (operation: Operation) => boolean) =>
  operations.filter(of).map(({ method, path: where }) => signature(method, where))
const sorted = (signatures: Iterable<string>) => [...new Set(signatures)].sort()
const isFhir = ({ path: where }: Operation) => where === '/fhir' || where.startsWith('/fhir/')

describe('openapi.yaml', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(fileURLToPath(descriptionFile))
    assert.ok(valid, JSON.stringify(errors))
    assert.equal(validator.version, '3.1')
  })

  it('describes every route of the FHIR door and no other', () => {
    const table = routes.map(({ method, path: where }) =>
      signature(method, `/fhir${where === '/' ? '' : where}`.replace(/:(\w+)/g, '{$1}')),
    )
    assert.deepEqual(sorted(described(isFhir)), sorted(table))
  })

  it('leaves open what the FHIR door leaves open', () => {
    const open = routes
      .filter((route) => route.open)
      .map(({ method, path: where }) => signature(method, `/fhir${where}`))
    assert.deepEqual(sorted(described((operation) => isFhir(operation) && operation.open)), sorted(open))
  })

  it('says of the FHIR door what its CapabilityStatement says', () => {
    const { rest: [rest] = [] } = capabilities(routes, 'https://gateway.example/fhir', 'ci-sis')
    const stated = [signature('get', '/fhir/metadata')]
    for (const { code } of rest?.interaction ?? []) stated.push(...interaction(code, ''))
    for (const { name } of rest?.operation ?? []) stated.push(...operation('', name))
    for (const { type, interaction: all = [], operation: named = [], searchParam } of rest?.resource ?? []) {
      for (const { code } of all) stated.push(...interaction(code, `/${type}`))
      for (const { name } of named) stated.push(...operation(`/${type}`, name))
      assert.equal(
        all.some(({ code }) => code === 'search-type'),
        searchParam !== undefined,
      )
    }
    // A search by POST goes with the search (FHIR R4 http.html#search), on the resources that hold documents; where the
    // outcome of an asynchronous request is, its answer says
    const others = described(isFhir).filter((each) => !/\/_search$|\/_async\//.test(each))
    assert.deepEqual(sorted(others), sorted(stated))
  })

  it('describes every path that the server answers beside the doors, and no other', () => {
    const folder = path.resolve(import.meta.dirname, '../../src/server')
    const source = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'utf8'))
    const literals = source.flatMap((text) => [...text.matchAll(/'(\/(?:xds|health|metrics|docs|openapi)[^']*)'/g)])
    const served = literals.map(([, where = '']) => where).filter((where) => !/^\/docs\/|\/$/.test(where))
    assert.deepEqual(sorted(operations.filter((each) => !isFhir(each)).map(({ path: where }) => where)), sorted(served))
  })
})

/**
 * An operation that changes nothing may be asked by GET as well (FHIR R4 operations.html), and one of an instance stands
 * behind its id: as described.
 */
function operation(type: string, name: string | undefined): readonly string[] {
  const where = `/fhir${type}/$${name}`
  const found = operations.filter((each) => each.path === where || each.path === `/fhir${type}/{id}/$${name}`)
  return found.length > 0 ? found.map(({ method, path: at }) => signature(method, at)) : [signature('post', where)]
}

/** Where an interaction of a CapabilityStatement stands (FHIR R4 http.html). */
function interaction(code: string | undefined, type: string): readonly string[] {
  const base = `/fhir${type}`
  switch (code) {
    case 'transaction':
    case 'create':
      return [signature('post', base)]
    case 'search-type':
      return [signature('get', base)]
    case 'read':
      return [signature('get', `${base}/{id}`)]
    case 'vread':
      return [signature('get', `${base}/{id}/_history/{version}`)]
    case 'history-instance':
      return [signature('get', `${base}/{id}/_history`)]
    case 'update':
      return [signature('put', base)]
    case 'patch':
      return [signature('patch', base), signature('patch', `${base}/{id}`)]
    default:
      throw new RangeError(`openapi.test.ts does not know where ${code} stands`)
  }
}

interface Step {
  readonly run: string
  readonly as?: IdentityOptions
  readonly choices?: (known: Known) => Choices
  readonly status: number
  /** What the answer must hold. */
  readonly says?: RegExp
  readonly keep?: (answer: Json | undefined, headers: Headers) => Partial<Known>
}

interface Known {
  readonly patient: string
  readonly document: string
  readonly list: string
  readonly consent: string
  readonly job: string
}

const patient = { ins: '260059999999942', insSystem: '1.2.250.1.213.1.4.10' }
const holder = { kind: 'patient', ...patient } as const
const bound = { ...people.author, ...patient }
const careTeam = { headers: { 'DMP-Consent': 'careTeam' } }
const fed = { headers: { 'DMP-Consent': 'feeding' } }
const id = (of: keyof Known) => (known: Known) => ({ path: { id: known[of] }, ...careTeam })
const version = (of: keyof Known) => (known: Known) => ({ path: { id: known[of], version: '1' }, ...careTeam })
const asCareTeam = () => careTeam
const reader = { as: people.author, choices: asCareTeam, status: 200 } as const

/** Every operation once, in an order in which the examples make sense. */
const story: readonly Step[] = [
  { run: 'capabilities', status: 200, says: /CapabilityStatement/ },
  { run: 'feedPatient', as: people.structure, status: 201, keep: (it) => ({ patient: String(at(it, 'id')) }) },
  { run: 'validate', as: people.structure, status: 200, says: /^(?!.*"error")/ },
  { run: 'validateDocumentReference', as: people.structure, status: 200, says: /^(?!.*"error")/ },
  {
    run: 'publishDocument',
    as: people.structure,
    choices: () => fed,
    status: 201,
    keep: (it) => ({ document: String(at(it, 'id')) }),
  },
  {
    run: 'publishDocument',
    as: people.structure,
    choices: () => ({ headers: { ...fed.headers, Prefer: 'later' } }),
    status: 202,
    keep: (_, headers) => ({ job: String(headers.get('content-location')).slice(-36) }),
  },
  { run: 'provideDocumentBundle', as: people.structure, choices: () => fed, status: 200, says: /201 Created/ },
  {
    run: 'generateMetadata',
    as: people.structure,
    choices: () => fed,
    status: 200,
    says: /DocumentReference\/[\da-f-]{36}/,
  },
  { run: 'findDocumentReferences', ...reader, says: /"total":3/ },
  { run: 'findDocumentReferencesByPost', ...reader, says: /"total":3/ },
  { run: 'findChanges', ...reader, says: /"relation":"monitor"/ },
  { run: 'readDocumentReference', ...reader, choices: id('document') },
  { run: 'retrieveDocument', ...reader, choices: id('document'), says: /ClinicalDocument/ },
  { run: 'patchDocumentByIdentifier', ...reader, choices: () => ({ ...careTeam, example: 'mask' }), says: /MASQUE_PS/ },
  {
    run: 'patchDocument',
    ...reader,
    choices: (known) => ({ ...id('document')(known), example: 'unmask' }),
    says: /^(?!.*MASQUE_PS)/,
  },
  { run: 'readDocumentHistory', ...reader, choices: id('document'), says: /"versionId":"3"/ },
  { run: 'readDocumentReferenceVersion', ...reader, choices: version('document') },
  {
    run: 'findDocumentLists',
    ...reader,
    says: /"total":\d/,
    keep: (it) => ({ list: String(at(it, 'entry', 0, 'resource', 'id')) }),
  },
  { run: 'findDocumentListsByPost', ...reader, says: /"total":\d/ },
  { run: 'readDocumentList', ...reader, choices: id('list') },
  { run: 'readListHistory', ...reader, choices: id('list') },
  { run: 'readListVersion', ...reader, choices: version('list') },
  { run: 'registry', as: bound, status: 200, says: /ResponseStatusType:Success/ },
  { run: 'repository', as: bound, status: 200, says: /ResponseStatusType:Success/ },
  { run: 'registryDescription', status: 200, says: /definitions/ },
  { run: 'repositoryDescription', status: 200, says: /definitions/ },
  { run: 'findPatient', as: people.author, status: 200, says: /"total":1/ },
  { run: 'findAuthorised', as: people.author, status: 200, says: /"total":1.*dmp-dernier-acces/ },
  { run: 'readPatient', as: people.author, choices: id('patient'), status: 200 },
  {
    run: 'createConsent',
    as: holder,
    status: 201,
    keep: (it) => ({ consent: String(at(it, 'id')) }),
  },
  { run: 'findConsents', as: holder, status: 200, says: /"BTG"/ },
  { run: 'findConsentsByPost', as: holder, status: 200, says: /"BTG"/ },
  { run: 'readConsent', as: holder, choices: id('consent'), status: 200 },
  { run: 'maskAll', as: holder, status: 200 },
  { run: 'unmaskAll', as: holder, status: 200 },
  { run: 'maskByDefault', as: holder, status: 200 },
  { run: 'designateAdministrator', as: holder, status: 200 },
  { run: 'requestRectification', as: holder, choices: id('document'), status: 200, says: /rectification/ },
  { run: 'copyRecord', as: holder, status: 200 },
  { run: 'copyRecordByPost', as: holder, status: 200 },
  { run: 'findAuditEvents', as: holder, status: 200, says: /AuditEvent/ },
  { run: 'explainAccess', as: people.system, status: 200, says: /step/ },
  { run: 'closeRecord', as: holder, status: 200 },
  { run: 'reopenRecord', as: holder, status: 200 },
  { run: 'brainDeath', as: people.author, status: 200 },
  {
    run: 'readJob',
    as: people.structure,
    choices: id('job'),
    status: 200,
    says: /batch-response.*XDSDuplicateUniqueId/,
  },
  { run: 'live', status: 200 },
  { run: 'ready', status: 200 },
  { run: 'metrics', status: 200, says: /dmp_gateway_requests_total/ },
  { run: 'description', status: 200, says: /^openapi: 3\.1/ },
  { run: 'docs', status: 200, says: /<html/ },
]

describe('the examples of openapi.yaml', () => {
  let gateway: TestGateway
  let known: Known = { patient: '', document: '', list: '', consent: '', job: '' }

  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())

  it('are told whole: every operation has its place in the story', () => {
    assert.deepEqual(sorted(story.map(({ run }) => run)), sorted(operations.map(({ operationId }) => operationId)))
  })

  for (const { run, as, choices, status, says, keep } of story)
    it(`${run} answers ${status}, as described`, async () => {
      const operation = operations.find(({ operationId }) => operationId === run)
      assert.ok(operation)
      const { target, headers, body } = requestOf(operation, choices?.(known))
      const identity = as && isFhir(operation) ? { Authorization: `Bearer ${await mintJwt(gateway.issuer, as)}` } : {}
      const response = await fetch(gateway.url + target, {
        method: operation.method.toUpperCase(),
        headers: { ...headers, ...identity },
        ...(body !== undefined && { body: as ? body.replace('<!-- VIHF -->', mintVihf(gateway.issuer, as)) : body }),
      })
      const text = await response.text()
      assert.equal(response.status, status, text)
      const documented = operation.responses[String(status)]
      assert.ok(documented, `${run} does not describe ${status}`)
      const type = (response.headers.get('content-type') ?? '').split(';')[0] ?? ''
      const types = Object.keys(documented.content ?? { '*/*': {} })
      assert.ok(types.includes(type) || types.includes('*/*'), `${run} does not describe ${type}`)
      if (says) assert.match(text, says)
      known = { ...known, ...keep?.(parseJson(Buffer.from(text)), response.headers) }
    })

  it('are asked for with an identity, but for what is open', async () => {
    for (const operation of operations.filter((each) => isFhir(each) && !each.open)) {
      const where = operation.path.replace(/\{\w+\}/g, '1')
      const response = await fetch(gateway.url + where, { method: operation.method.toUpperCase() })
      await response.arrayBuffer()
      assert.equal(response.status, 401, `${operation.method} ${where}`)
      assert.ok(operation.responses['401'], `${operation.operationId} does not describe 401`)
    }
  })
})
