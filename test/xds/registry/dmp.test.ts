import assert from 'node:assert/strict'
import { mintVihf } from '../../../src/identity/mint.ts'
import type { Code, DocumentEntry } from '../../../src/metadata/model.ts'
import { ns } from '../../../src/xds/namespaces.ts'
import { aSubmission, aSubmissionSet, codes } from '../../mothers/metadata.ts'
import { aDocument, declared, openGateway, people, type TestGateway, type TestPatient } from '../../support/gateway.ts'
import { anEnvelope, postSimple, submitObjects } from '../support.ts'
import { nextVersion, type Outcome, outcome, statusChange, updateRequest, versionOf } from './registry.ts'

const masked: Code = {
  code: 'MASQUE_PS',
  system: '1.2.250.1.213.1.1.4.13',
  display: 'Masqué aux professionnels de santé',
}

describe('the XDS door of the DMP (profile ci-sis)', () => {
  let gateway: TestGateway
  let patient: TestPatient
  let entry: DocumentEntry

  before(async () => {
    gateway = await openGateway()
  })
  after(() => gateway.close())
  beforeEach(async () => {
    patient = await gateway.patient()
    const document = aDocument(patient)
    const { status } = await gateway.xdsDoor.feed(people.author, document, { consent: declared.informed })
    assert.equal(status, 200)
    ;[entry] = (await gateway.xds.find(people.author, patient, { consent: declared.careTeam })).entries as [
      DocumentEntry,
    ]
  })

  /** As the author of the document, in the care team. */
  const call = async (endpoint: string, action: string, body: string): Promise<Outcome> => {
    const assertion = mintVihf(gateway.issuer, { ...people.author, ins: patient.ins, insSystem: patient.authority })
    const { basis, episode } = declared.careTeam
    const security = `<wsse:Security xmlns:wsse="${ns.wsse}" soap:mustUnderstand="true">${assertion}</wsse:Security>`
    const headers = `<Consent xmlns="${ns.access}" basis="${basis}" informed="true" episode="${episode}"/>`
    const envelope = anEnvelope({ action, security, headers, body })
    return outcome(await postSimple(`${gateway.url}/xds/${endpoint}`, envelope))
  }
  const update = (request: string) => call('registry', 'urn:ihe:iti:2010:UpdateDocumentSet', request)
  const submissionOf = (entries: readonly DocumentEntry[]) =>
    aSubmission({ submissionSet: aSubmissionSet({ patientId: entry.patientId }), entries, associations: [] })
  const versionRequest = (changes: Partial<DocumentEntry>) => {
    const next = nextVersion(entry, changes)
    const submission = submissionOf([next])
    return updateRequest(submission, versionOf(submission.submissionSet.entryUuid, next))
  }

  it('masks by a new version of the metadata (TD3.3a)', async () => {
    assert.deepEqual((await update(versionRequest({ confidentialityCodes: [codes.normal, masked] }))).errors, [])
    const { entries } = await gateway.xds.find(people.author, patient, { consent: declared.careTeam })
    assert.deepEqual(
      entries.map(({ version, confidentialityCodes }) => [version, confidentialityCodes.map(({ code }) => code)]),
      [[2, ['N', 'MASQUE_PS']]],
    )
  })

  it('archives by a change of status (TD3.3d)', async () => {
    const submission = submissionOf([])
    const { entryUuid } = submission.submissionSet
    const request = updateRequest(submission, statusChange(entryUuid, entry.entryUuid, 'Approved', 'Archived'))
    assert.deepEqual((await update(request)).errors, [])
  })

  it('takes no other change of metadata (UP8)', async () => {
    const { status, codes: refused } = await update(versionRequest({ title: 'Autre titre' }))
    assert.deepEqual([status, refused], ['Failure', ['UnmodifiableMetadataError']])
  })

  for (const [name, endpoint, action, body] of [
    [
      'ITI-42',
      'registry',
      'urn:ihe:iti:2007:RegisterDocumentSet-b',
      () => submitObjects(aSubmission({ entries: [aDocument(patient).entry] })),
    ],
    [
      'ITI-62',
      'registry',
      'urn:ihe:iti:2010:DeleteDocumentSet',
      () =>
        `<l:RemoveObjectsRequest xmlns:l="${ns.lcm}" xmlns:rim="${ns.rim}"><rim:ObjectRefList><rim:ObjectRef id="${entry.entryUuid}"/></rim:ObjectRefList></l:RemoveObjectsRequest>`,
    ],
    [
      'ITI-86',
      'repository',
      'urn:ihe:iti:2017:RemoveDocuments',
      () =>
        `<r:RemoveDocumentsRequest xmlns:r="${ns.rmd}" xmlns:x="${ns.xdsb}"><x:DocumentRequest><x:RepositoryUniqueId>${entry.repositoryUniqueId}</x:RepositoryUniqueId><x:DocumentUniqueId>${entry.uniqueId}</x:DocumentUniqueId></x:DocumentRequest></r:RemoveDocumentsRequest>`,
    ],
    [
      'ITI-92',
      'registry',
      'urn:ihe:iti:2018:RestrictedUpdateDocumentSet',
      () => versionRequest({ confidentialityCodes: [codes.normal, masked] }),
    ],
  ] as const)
    it(`knows no ${name} (UP7)`, async () => {
      const { status, codes: refused } = await call(endpoint, action, body())
      assert.equal(status, 'Failure')
      assert.ok(refused.includes('LocalPolicyRestrictionError'), refused.join())
      const { entries } = await gateway.xds.find(people.author, patient, { consent: declared.careTeam })
      assert.deepEqual(
        entries.map(({ entryUuid }) => entryUuid),
        [entry.entryUuid],
      )
    })
})
