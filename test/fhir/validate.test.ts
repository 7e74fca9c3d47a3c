import assert from 'node:assert/strict'
import type { Bundle, DocumentReference, List, OperationOutcome } from '@medplum/fhirtypes'
import type { FhirReply } from '../support/fhir-client.ts'
import { aDocument, declared, openGateway, people, type TestGateway, type TestPatient } from '../support/gateway.ts'
import { at } from '../support/json.ts'
import { provideBundle, simplifiedPublish } from '../support/resources.ts'

interface Told {
  readonly severity: string | undefined
  readonly codes: readonly (string | undefined)[]
  readonly expression: readonly string[]
  readonly diagnostics: string | undefined
}

function told({ json }: FhirReply): readonly Told[] {
  const { issue = [] } = json as unknown as OperationOutcome
  return issue.map(({ severity, details, expression = [], diagnostics }) => ({
    severity,
    codes: details?.coding?.map(({ code }) => code) ?? [],
    expression,
    diagnostics,
  }))
}

const errorsIn = (reply: FhirReply) => told(reply).filter(({ severity }) => severity === 'error')
const placesIn = (reply: FhirReply) => errorsIn(reply).flatMap(({ expression }) => expression)

const first = <T>(bundle: Bundle, type: string): T => {
  const entry = bundle.entry?.find(({ resource }) => resource?.resourceType === type)
  if (entry === undefined) throw new Error(`no ${type}`)
  return entry.resource as T
}
const document = (bundle: Bundle) => first<DocumentReference>(bundle, 'DocumentReference')
const coding = (system: string, code: string) => ({ coding: [{ system: `urn:oid:${system}`, code }] })

describe('$validate', () => {
  let gateway: TestGateway
  let patient: TestPatient
  before(async () => {
    gateway = await openGateway()
    patient = await gateway.patient()
  })
  after(() => gateway.close())

  const validate = (body: object | string, target = '/$validate', headers: Readonly<Record<string, string>> = {}) =>
    gateway.fhir.call(people.structure, 'POST', target, { body, headers })
  const aBundle = (change: (bundle: Bundle) => void = () => undefined) => {
    const bundle = provideBundle([aDocument(patient)])
    change(bundle)
    return bundle
  }
  const aPublication = (change: (resource: DocumentReference) => void = () => undefined) => {
    const resource = simplifiedPublish(aDocument(patient))
    change(resource)
    return resource
  }

  it('finds nothing wrong with what publishing takes', async () => {
    for (const [target, body] of [
      ['/$validate', aBundle()],
      ['/$validate', aPublication()],
      ['/DocumentReference/$validate', aPublication()],
      ['/$validate', { resourceType: 'Parameters', parameter: [{ name: 'resource', resource: aPublication() }] }],
    ] as const) {
      const reply = await validate(body, target)
      assert.equal(reply.status, 200)
      assert.deepEqual(errorsIn(reply), [], reply.bytes.toString('utf8'))
    }
  })

  const bundles: Readonly<Record<string, (bundle: Bundle) => void>> = {
    'no type': (bundle) => Reflect.deleteProperty(document(bundle), 'type'),
    'a type the DMP does not take': (bundle) =>
      Object.assign(document(bundle), { type: coding('2.16.840.1.113883.6.1', '96163-1'), category: undefined }),
    'the class of another type': (bundle) =>
      Object.assign(document(bundle), { category: [coding('1.2.250.1.213.1.1.4.1', '11')] }),
    'no N': (bundle) =>
      Object.assign(document(bundle), { securityLabel: [coding('1.2.250.1.213.1.1.4.13', 'MASQUE_PS')] }),
    'no author': (bundle) => Reflect.deleteProperty(document(bundle), 'author'),
    'an author without a name or an identifier of a professional': (bundle) =>
      Object.assign(document(bundle), { author: [{ display: 'Dr Exemple' }] }),
    'a format the DMP does not take': (bundle) =>
      Object.assign(document(bundle).content?.[0] ?? {}, { format: { system: 'urn:oid:1.2.3', code: 'x' } }),
    'a patient whose identifier is no INS': (bundle) => {
      for (const resource of [document(bundle), first<List>(bundle, 'List')])
        Object.assign(resource, { subject: { identifier: { system: 'urn:oid:1.2.3.4', value: 'IPP-7' } } })
    },
    'another hash': (bundle) =>
      Object.assign(document(bundle).content?.[0]?.attachment ?? {}, { hash: Buffer.alloc(20).toString('base64') }),
    'times in the wrong order': (bundle) =>
      Object.assign(document(bundle).context ?? {}, { period: { start: '2026-05-12', end: '2026-05-11' } }),
    'an extension with a value of another type': (bundle) =>
      Object.assign(document(bundle), {
        extension: [
          {
            url: 'https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-ext-is-archived',
            valueString: 'x',
          },
        ],
      }),
    'a code of FHIR that does not exist': (bundle) =>
      Object.assign(document(bundle).masterIdentifier ?? {}, { use: 'principal' }),
    'a reference to the wrong kind of resource': (bundle) =>
      Object.assign(document(bundle), { custodian: { reference: 'Patient/1' } }),
    'a SubmissionSet without its code': (bundle) => Reflect.deleteProperty(first<List>(bundle, 'List'), 'code'),
    'a SubmissionSet without a type of content': (bundle) =>
      Object.assign(first<List>(bundle, 'List'), { extension: first<List>(bundle, 'List').extension?.slice(1) }),
    'a type of content the DMP does not take': (bundle) =>
      Object.assign(first<List>(bundle, 'List').extension?.[0] ?? {}, {
        valueCodeableConcept: coding('1.2.250.1.213.2.2', 'x'),
      }),
    'no Binary': (bundle) => void bundle.entry?.pop(),
    'an element FHIR does not know': (bundle) => Object.assign(document(bundle), { titre: 'Bilan' }),
    'everything at once': (bundle) => {
      Object.assign(document(bundle), { status: 'superseded', type: coding('1.2.3', 'x'), category: undefined })
      for (const element of ['masterIdentifier', 'securityLabel', 'author', 'authenticator'])
        Reflect.deleteProperty(document(bundle), element)
      Reflect.deleteProperty(document(bundle).context ?? {}, 'practiceSetting')
      Object.assign(first<List>(bundle, 'List'), { mode: 'snapshot', date: undefined })
    },
  }
  for (const [what, change] of Object.entries(bundles))
    it(`says of ${what} what ITI-65 says`, async () => {
      const bundle = aBundle(change)
      const published = await gateway.fhir.provide(people.structure, bundle, { consent: declared.informed })
      const reply = await validate(bundle)
      assert.equal(reply.status, 200)
      assert.ok(published.status >= 400 && published.status < 500, `${published.status}`)
      const anonymous = (each: readonly Told[]) =>
        JSON.stringify(each).replace(/urn:uuid:[0-9a-f-]{36}|2\.25\.\d+/g, 'ID')
      assert.equal(anonymous(errorsIn(reply)), anonymous(told(published)))
      assert.ok(errorsIn(reply).length > 0)
      for (const { diagnostics, expression } of errorsIn(reply)) {
        assert.equal(expression.length, 1, `${diagnostics} stands nowhere`)
        assert.ok(diagnostics, 'an issue says what to send')
      }
    })

  it('says of a DocumentReference what ITI-105 says', async () => {
    const changes: readonly ((resource: DocumentReference) => void)[] = [
      (resource) => Reflect.deleteProperty(resource, 'masterIdentifier'),
      (resource) => Object.assign(resource.content?.[0]?.attachment ?? {}, { url: 'https://x.example/1' }),
      (resource) => Reflect.deleteProperty(resource.content?.[0]?.attachment ?? {}, 'data'),
      (resource) => Object.assign(resource, { type: coding('1.2.3', 'x') }),
    ]
    for (const change of changes) {
      const published = await gateway.fhir.publish(people.structure, aPublication(change), {
        consent: declared.informed,
      })
      const reply = await validate(aPublication(change), '/DocumentReference/$validate')
      assert.deepEqual(errorsIn(reply), told(published))
      assert.ok(errorsIn(reply).length > 0)
    }
  })

  it('names every violation of both layers at once, each at its element, each once', async () => {
    const change = bundles['everything at once'] ?? assert.fail()
    const places = placesIn(await validate(aBundle(change)))
    assert.equal(new Set(places).size, places.length, places.join('\n'))
    for (const place of [
      'Bundle.entry[0].resource.mode',
      'Bundle.entry[0].resource.date',
      'Bundle.entry[1].resource.status',
      'Bundle.entry[1].resource.masterIdentifier',
      'Bundle.entry[1].resource.securityLabel',
      'Bundle.entry[1].resource.author',
      'Bundle.entry[1].resource.context.practiceSetting',
    ])
      assert.ok(places.includes(place), `${place} is not among\n${places.join('\n')}`)
  })

  it('tells metadata and codes together, where publishing reads the message', async () => {
    const reply = await validate(
      aBundle((bundle) => {
        Object.assign(document(bundle), { type: coding('1.2.3', 'x') })
        Object.assign(document(bundle).context ?? {}, { period: { start: '2026-05-12', end: '2026-05-11' } })
        Reflect.deleteProperty(document(bundle), 'author')
      }),
    )
    assert.deepEqual(placesIn(reply).sort(), [
      'Bundle.entry[1].resource.author',
      'Bundle.entry[1].resource.context.period.end',
      'Bundle.entry[1].resource.type',
    ])
  })

  it('tells warnings as warnings', async () => {
    const reply = await validate(
      aPublication((resource) => {
        Reflect.deleteProperty(resource, 'authenticator')
        Object.assign(resource, { language: 'fr', docStatus: 'final' })
      }),
    )
    assert.deepEqual(errorsIn(reply), [])
    const codes = told(reply).flatMap((each) => each.codes)
    assert.ok(codes.includes('metadata-completed') && codes.includes('XDSExtraMetadataNotSaved'), codes.join())
  })

  it('stores nothing, touches no record and leaves no trace', async () => {
    const own = await gateway.patient()
    const before = (await gateway.records(own)).length
    const resource = simplifiedPublish(aDocument(own))
    assert.equal((await validate(resource)).status, 200)
    assert.equal((await gateway.records(own)).length, before)
    const found = await gateway.fhir.find(people.author, own, { consent: declared.careTeam })
    assert.equal(found.total, 0)
    const published = await gateway.fhir.publish(people.structure, resource, { consent: declared.informed })
    assert.equal(published.status, 201)
  })

  it('needs no consent and no record of the patient, but an identity', async () => {
    const stranger = simplifiedPublish(aDocument({ ...patient, ins: '160059999999911' }))
    assert.deepEqual(errorsIn(await validate(stranger)), [])
    const reply = await gateway.fhir.call(people.structure, 'POST', '/$validate', {
      body: stranger,
      headers: { Authorization: undefined },
    })
    assert.equal(reply.status, 401)
  })

  it('refuses to judge what is not fed, or what is no resource', async () => {
    for (const [body, target, status] of [
      [{ resourceType: 'Patient' }, '/$validate', 422],
      [aBundle(), '/DocumentReference/$validate', 422],
      [{ resourceType: 'Parameters', parameter: [{ name: 'mode', valueCode: 'create' }] }, '/$validate', 422],
      ['{', '/$validate', 400],
    ] as const) {
      const reply = await validate(body, target)
      assert.equal(reply.status, status, reply.bytes.toString('utf8'))
      assert.equal(at(reply.json, 'resourceType'), 'OperationOutcome')
    }
  })
})
