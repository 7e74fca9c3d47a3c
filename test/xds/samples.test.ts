/** Messages that others have published, wrong ones among them: what the door makes of each. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { GatewayError } from '../../src/errors.ts'
import { readObjects, readSubmission } from '../../src/xds/ebrim/reader.ts'
import { ns } from '../../src/xds/namespaces.ts'
import { readEnvelope } from '../../src/xds/soap/envelope.ts'
import { readStoredQuery } from '../../src/xds/stored-query/queries.ts'
import { parseXml } from '../../src/xml/reader.ts'
import { child, type XmlElement } from '../../src/xml/tree.ts'

const folder = path.resolve('..', 'shared', 'samples', 'xds')

/** The element of that name, at any depth. */
function within(element: XmlElement, local: string): XmlElement | undefined {
  if (element.local === local) return element
  for (const each of element.children) {
    const found = within(each, local)
    if (found) return found
  }
  return undefined
}

const sample = (name: string): XmlElement =>
  parseXml(readFileSync(path.join(folder, name)), { capture: [{ ns: ns.saml2, local: 'Assertion' }] })

/** The rules that a SubmitObjectsRequest breaks, each once. */
const rulesBroken = (name: string): readonly string[] => [
  ...new Set(readSubmission(within(sample(name), 'SubmitObjectsRequest')).issues.map(({ rule }) => rule ?? '')),
]

function queryOf(name: string): unknown {
  const query = within(sample(name), 'AdhocQuery')
  assert.ok(query)
  try {
    return readStoredQuery(query)
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    return error.issues.map(({ code, location }) => `${code} ${location}`)
  }
}

describe('published messages', () => {
  before(function () {
    if (!existsSync(folder)) {
      console.warn('      ../shared/samples/xds is not here: skipped')
      this.skip()
    }
  })

  it('an ITI-41 request with symbolic ids reads without an issue, its document matched by id', () => {
    const { issues, submission, ids } = readSubmission(
      within(sample('ProvideAndRegisterDocumentSet.xml'), 'SubmitObjectsRequest'),
    )
    assert.deepEqual(issues, [])
    const [entry] = submission?.entries ?? []
    assert.equal(entry?.entryUuid, ids.get('Document01'))
    assert.equal(entry?.size, 815)
    assert.deepEqual(
      entry?.authors[0]?.institutions.map(({ name }) => name),
      ['Cleveland Clinic', 'Parma Community'],
    )
    assert.equal(submission?.submissionSet.comments, 'Annual physical')
  })

  it('ITI-18 and ITI-43 requests of the Swiss record read, assertion and all', () => {
    const query = readEnvelope(sample('ITI-18_request_raw.xml'))
    assert.equal(query.action, 'urn:ihe:iti:2007:RegistryStoredQuery')
    assert.match(query.assertion?.xml ?? '', /^<saml2:Assertion .*<\/saml2:Assertion>$/s)
    assert.deepEqual(readStoredQuery(child(query.body, ns.rim, 'AdhocQuery') as XmlElement), {
      query: {
        kind: 'FindDocuments',
        patient: '1.3.6.1.4.1.21367.2017.2.5.45|7e1c6e78-58f1-4a43-ae88-0d5a5c4ab43e',
        statuses: ['Approved'],
        criteria: { stability: ['stable'] },
      },
      metadataLevel: 1,
    })
    const retrieve = readEnvelope(sample('ITI-43_request_raw.xml'))
    assert.equal(retrieve.body.local, 'RetrieveDocumentSetRequest')
  })

  it('the answer of a Swiss registry reads as objects of the model', () => {
    const list = within(sample('ITI-18_response_raw.xml'), 'RegistryObjectList')
    assert.ok(list)
    assert.ok(list.children.length > 0)
    const { entries, issues } = readObjects(list, 'stored')
    assert.equal(
      entries.length + list.children.filter(({ local }) => local === 'ObjectRef').length,
      list.children.length,
    )
    assert.deepEqual(issues, [])
  })

  it('an SQL injection in the patient id is a coding error, and nothing is asked', () => {
    assert.deepEqual(queryOf('iti18request.xml'), ['XDSRegistryError $XDSDocumentEntryPatientId'])
  })

  it('a query over several patients (ITI-51) is not known to a registry', () => {
    assert.deepEqual(queryOf('iti51request.xml'), ['XDSUnknownStoredQuery AdhocQuery/id'])
  })

  for (const [name, rules] of [
    // Scheme UUIDs with a space inside, and authorSpeciality for authorSpecialty
    ['SubmitObjectsRequest_ebrs30.xml', ['C5', 'C9', 'C6']],
    ['SubmitObjectsRequest_ebrs30_2.xml', ['C5', 'C9', 'C6']],
    ['SubmitObjectsRequest_ebrs3_extra_metadata.xml', ['C5', 'C9', 'C6']],
    // Metadata updates: a lid of a version before, and slots that say what the update does
    ['SubmitObjectsRequest_ebrs30_update.xml', ['T12', 'C5']],
    ['SubmitObjectsRequest_ebrs30_update_sameLid.xml', ['T12', 'C4', 'C5']],
    ['SubmitObjectsRequest_ebrs30_update_nonstandard_association.xml', ['A2']],
    ['submission-set.xml', []],
  ] as const)
    it(`${name} breaks ${rules.join(', ') || 'no rule'}`, () => {
      assert.deepEqual([...rulesBroken(name)].sort(), [...rules].sort())
    })
})
