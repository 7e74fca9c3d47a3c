import assert from 'node:assert/strict'
import type { Bundle, DocumentReference, List, Resource } from '@medplum/fhirtypes'
import type { Issue } from '../../../src/errors.ts'
import { ext } from '../../../src/fhir/mapping/terms.ts'
import { type OwnProfile, profileIssues, withMore } from '../../../src/fhir/profiles/index.ts'
import { aBundle, aDocumentReference, aSubmissionSetList } from '../mothers.ts'

const told = (issues: readonly Issue[]) => issues.map(({ rule, location }) => `${rule} ${location}`)

/** What is said of a published document once `change` has been at it. */
function ofDocument(change: (resource: DocumentReference) => void, profile?: OwnProfile) {
  const resource = aDocumentReference({ change })
  return profileIssues(resource, profile)
}

describe('what FHIR R4 requires beyond its shape', () => {
  const broken: readonly (readonly [string, (resource: DocumentReference) => void, string])[] = [
    [
      'a code that its binding does not have',
      (resource) => Object.assign(resource, { relatesTo: [{ code: 'supersedes', target: { display: 'x' } }] }),
      'FHIR DocumentReference.relatesTo[0].code',
    ],
    [
      'a code inside a contained resource',
      ({ contained }) => Object.assign(contained?.[0] ?? {}, { gender: 'F' }),
      'FHIR DocumentReference.contained[0].gender',
    ],
    [
      'a reference to another kind of resource, contained',
      (resource) => Object.assign(resource, { custodian: { reference: '#source' } }),
      'FHIR DocumentReference.custodian',
    ],
    [
      'a reference to another kind of resource, by its address',
      (resource) => Object.assign(resource, { authenticator: { reference: 'https://x.example/fhir/Patient/1' } }),
      'FHIR DocumentReference.authenticator',
    ],
    [
      'a reference to another kind of resource, by its type',
      (resource) => Object.assign(resource, { subject: { type: 'Location', identifier: { value: '1' } } }),
      'FHIR DocumentReference.subject',
    ],
    [
      'a known extension with a value of another type',
      (resource) => Object.assign(resource, { extension: [{ url: ext.isArchived, valueString: 'true' }] }),
      'pdsm-ext-is-archived#Extension.value[x] DocumentReference.extension[0].valueString',
    ],
    [
      'a known extension without a value',
      ({ content }) =>
        Object.assign(content?.[0]?.attachment ?? {}, { extension: [{ url: ext.repositoryUniqueId, id: 'x' }] }),
      'repository-unique-id#Extension.value[x] DocumentReference.content[0].attachment.extension[0].value',
    ],
    [
      'a known extension with a code that is not its',
      ({ content }) =>
        Object.assign(content?.[0]?.attachment ?? {}, {
          extension: [{ url: ext.documentAvailability, valueCode: 'Soon' }],
        }),
      'document-availability#Extension.value[x] DocumentReference.content[0].attachment.extension[0].valueCode',
    ],
    [
      'a part that a closed extension does not have',
      (resource) =>
        Object.assign(resource, {
          extension: [
            {
              url: ext.slot,
              extension: [
                { url: 'name', valueString: 'urn:x' },
                { url: 'note', valueString: 'y' },
              ],
            },
          ],
        }),
      'slot#Extension.extension DocumentReference.extension[0].extension[1]',
    ],
    [
      'an extension of a primitive value',
      (resource) =>
        Object.assign(resource, { date: '2026', _date: { extension: [{ url: ext.precision, valueCode: 'decade' }] } }),
      'precision#Extension.value[x] DocumentReference.date.extension[0].valueCode',
    ],
  ]
  for (const [what, change, expected] of broken)
    it(`refuses ${what}`, () => {
      assert.deepEqual(told(ofDocument(change)), [expected])
    })

  it('leaves alone what it cannot know: open references, extensions of others', () => {
    const issues = ofDocument((resource) =>
      Object.assign(resource, {
        extension: [{ url: 'https://other.example/x', valueString: 'x' }],
        authenticator: { reference: 'urn:uuid:6a4f1b1e-2b52-4b1c-9d0e-6f3f0f5d4299' },
        custodian: { display: 'CH EXEMPLE' },
      }),
    )
    assert.deepEqual(issues, [])
  })

  it('follows references through the message', () => {
    const resource = aDocumentReference({
      change: (each) => Object.assign(each, { author: [{ reference: 'urn:uuid:1' }, { reference: 'urn:uuid:2' }] }),
    })
    const others: Readonly<Record<string, Resource>> = {
      'urn:uuid:1': { resourceType: 'Practitioner' },
      'urn:uuid:2': { resourceType: 'Binary', contentType: 'text/xml' },
    }
    const issues = profileIssues(resource, undefined, (reference) => others[reference])
    assert.deepEqual(told(issues), ['FHIR DocumentReference.author[1]'])
    assert.match(issues[0]?.detail ?? '', /^Refer to Practitioner or .*, not to Binary\.$/)
  })

  it('has an end to what it tells', () => {
    const identifier = Array.from({ length: 500 }, () => ({ use: 'x' }))
    assert.equal(ofDocument((resource) => Object.assign(resource, { identifier })).length, 100)
  })
})

describe('the profiles', () => {
  it('say what to send, in the words of the profile', () => {
    const [issue] = ofDocument(
      ({ content }) => Reflect.deleteProperty(content?.[0] ?? {}, 'format'),
      'dmp-document-reference',
    )
    assert.deepEqual(issue, {
      code: 'profile-violation',
      rule: 'dmp-document-reference#DocumentReference.content.format',
      location: 'DocumentReference.content[0].format',
      detail: 'Send the format of the document: a code of JDV_J60.',
    })
  })

  it('name every violation at once', () => {
    const issues = ofDocument((resource) => {
      for (const element of ['masterIdentifier', 'type', 'securityLabel', 'author'])
        Reflect.deleteProperty(resource, element)
      Object.assign(resource, { status: 'superseded' })
    }, 'dmp-simplified-publish')
    assert.deepEqual(
      issues.map(({ location }) => location),
      [
        'DocumentReference.masterIdentifier',
        'DocumentReference.type',
        'DocumentReference.author',
        'DocumentReference.securityLabel',
        'DocumentReference.content[0].attachment.data',
        'DocumentReference.status',
      ],
    )
  })

  const ofBundle = (change: (bundle: Bundle) => void) => {
    const bundle = aBundle({ change })
    return told(profileIssues(bundle, 'dmp-provide-bundle'))
  }

  it('hold a Bundle to its entries, and each resource to its own profile', () => {
    assert.deepEqual(
      ofBundle(() => undefined),
      [],
    )
    assert.deepEqual(
      ofBundle(({ entry = [] }) => {
        Object.assign(entry[0]?.resource ?? {}, { mode: 'snapshot' })
        Reflect.deleteProperty((entry[1]?.resource as DocumentReference | undefined)?.context ?? {}, 'facilityType')
      }),
      [
        'dmp-provided-submission-set#List.mode Bundle.entry[0].resource.mode',
        'dmp-document-reference#DocumentReference.context.facilityType Bundle.entry[1].resource.context.facilityType',
      ].map((each) => each.replace('dmp-document-reference#', 'dmp-provided-document-reference#')),
    )
  })

  it('count the entries of each kind, and take no other', () => {
    assert.deepEqual(
      ofBundle(({ entry = [] }) => void entry.push(...entry.slice(0, 1))),
      ['dmp-provide-bundle#Bundle.entry:submissionSet Bundle.entry'],
    )
    assert.deepEqual(
      ofBundle(
        ({ entry = [] }) =>
          void entry.push({
            resource: { resourceType: 'OperationOutcome', issue: [] },
            request: { method: 'POST', url: 'x' },
          }),
      ),
      ['dmp-provide-bundle#Bundle.entry Bundle.entry[3]'],
    )
  })

  it('count extensions by their url', () => {
    const list = aSubmissionSetList(['urn:uuid:1'], ({ extension = [] }: List) => {
      extension.push(...extension.slice(1, 2))
    })
    const issues = profileIssues(list, 'dmp-submission-set')
    assert.deepEqual(told(issues), ['dmp-submission-set#List.extension:sourceId List.extension'])
  })
})

describe('issues of two layers', () => {
  const issue = (location: string): Issue => ({ code: 'profile-violation', location })

  it('are told once for one place, by the first that spoke of it', () => {
    const first = [
      issue('DocumentReference.content'),
      issue('DocumentReference.masterIdentifier.value'),
      issue('Bundle.entry'),
    ]
    const more = [
      'DocumentReference.content[0].format',
      'DocumentReference.masterIdentifier',
      'DocumentReference.type',
      'Bundle.entry[1].resource.type',
      'DocumentReference.contained[0]',
    ].map(issue)
    assert.deepEqual(
      withMore(first, more)
        .slice(3)
        .map(({ location }) => location),
      ['DocumentReference.type', 'Bundle.entry[1].resource.type', 'DocumentReference.contained[0]'],
    )
  })

  it('are not silenced by a warning, nor by a word on the resource as a whole', () => {
    const first: Issue[] = [
      { ...issue('DocumentReference.type'), severity: 'warning' },
      issue('Bundle.entry[1].resource'),
    ]
    const more = [issue('DocumentReference.type'), issue('Bundle.entry[1].resource.type')]
    assert.equal(withMore(first, more).length, 4)
  })
})
