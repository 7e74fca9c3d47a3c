import assert from 'node:assert/strict'
import type { Issue } from '../../../src/errors.ts'
import { type Dtm, newEntryUuid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import type { Folder, Recipient, SubmissionSet } from '../../../src/metadata/model.ts'
import { type Profile, validateSubmission } from '../../../src/metadata/rules.ts'
import {
  aFolder,
  anAuthor,
  aProfessional,
  aStructure,
  aSubmission,
  aSubmissionSet,
  type Changes,
} from '../../mothers/metadata.ts'
import { both, noCode, type Row, refuseEach, slot } from './refusals.ts'

const french: readonly Profile[] = ['ci-sis']
const ihe: readonly Profile[] = ['ihe']

describe('rules of a SubmissionSet', () => {
  const setIssues = (changes: Changes<SubmissionSet>, profile: Profile): [readonly Issue[], string] => {
    const submissionSet = aSubmissionSet(changes)
    return [validateSubmission(aSubmission({ submissionSet }), { profile }), submissionSet.entryUuid]
  }
  const recipient = (value: Recipient) => ({ intendedRecipients: [value] })
  const to = 'intendedRecipient[0]'
  const nobody = { institutions: [], roles: [], specialties: [], telecoms: [] }
  const lengthy = { organization: { name: 'x'.repeat(200) }, person: { family: 'x'.repeat(60) } }

  const rows: readonly Row<SubmissionSet>[] = [
    ['without contentTypeCode', { contentTypeCode: undefined }, 'M8', 'contentTypeCode'],
    ['with an empty contentTypeCode', { contentTypeCode: noCode }, 'C7', 'contentTypeCode'],
    ['without patientId', { patientId: undefined }, 'M10', 'patientId'],
    ['without sourceId', { sourceId: '' }, 'M9', 'sourceId'],
    ['with a sourceId that is no OID', { sourceId: 'urn:oid:1.2.3' }, 'M9', 'sourceId'],
    ['with a submissionTime that is none', { submissionTime: '20260230' as Dtm }, 'M5', 'submissionTime'],
    ['with a uniqueId with extension', { uniqueId: '1.2.3^A' as UniqueId }, 'M13', 'uniqueId'],
    ['that is Archived', { availabilityStatus: 'Archived' }, 'M11', 'availabilityStatus'],
    ['with an author who is nobody', { authors: [nobody] }, 'M7', 'author[0]', ihe],
    ['without author', { authors: [] }, 'CS5', 'author', french],
    ['with two authors', { authors: [anAuthor(), anAuthor()] }, 'CS5', 'author', french],
    ['with limited metadata', { limitedMetadata: true }, 'CS6', 'limitedMetadata', french],
    ['to nobody', recipient({}), 'M6', to],
    ['to an organization without name', recipient({ organization: { name: '', id: '1.2.3' } }), 'M6', to],
    ['to a person without name', recipient({ person: { given: 'X' } }), 'M6', to],
    ['to an address that is none', recipient({ telecom: { type: 'Internet', email: 'x' } }), 'M6', to],
    ['to somebody with too long a name', recipient(lengthy), 'M3', to],
  ]
  refuseEach(rows, setIssues)

  it('accept one with recipients of every kind', () => {
    const intendedRecipients = [
      { organization: { name: 'CH EXEMPLE' } },
      { person: { family: 'EXEMPLE' } },
      { organization: aStructure(), person: aProfessional(), telecom: { type: 'Internet', email: 'a@b.example' } },
    ]
    for (const profile of both) assert.deepEqual(setIssues({ intendedRecipients }, profile)[0], [])
  })

  it('accept one with a UUID as uniqueId, as MHD sources send it', () => {
    const uniqueId = newEntryUuid() as string as UniqueId
    for (const profile of both) assert.deepEqual(setIssues({ uniqueId }, profile)[0], [])
  })

  it('accept limited metadata without patient and content type in ihe only', () => {
    const changes = { limitedMetadata: true, patientId: undefined, contentTypeCode: undefined }
    assert.deepEqual(setIssues(changes, 'ihe')[0], [])
    const rules = setIssues(changes, 'ci-sis')[0].map(({ rule }) => rule)
    assert.deepEqual(rules, ['CS6', 'CS2'])
  })
})

describe('rules of a Folder', () => {
  const folderIssues = (changes: Changes<Folder>, profile: Profile = 'ihe'): [readonly Issue[], string] => {
    const folder = aFolder(changes)
    return [validateSubmission(aSubmission({ folders: [folder] }), { profile }), folder.entryUuid]
  }

  const rows: readonly Row<Folder>[] = [
    ['without code', { codes: [] }, 'M45', 'codeList'],
    ['with an empty code', { codes: [noCode] }, 'C7', 'codeList[0]'],
    ['without patient', { patientId: undefined }, 'M46', 'patientId'],
    ['without title', { title: undefined }, 'M48', 'title'],
    ['with a lastUpdateTime that is none', { lastUpdateTime: 'now' as Dtm }, 'M44', 'lastUpdateTime'],
    ['with a uniqueId that is none', { uniqueId: 'x' as UniqueId }, 'M13', 'uniqueId'],
    ['that is Deprecated', { availabilityStatus: 'Deprecated' }, 'M47', 'availabilityStatus'],
    ['with an extra slot of IHE', slot('urn:ihe:iti:xds:2099:new', 'x'), 'T14', 'urn:ihe:iti:xds:2099:new'],
    ['with limited metadata', { limitedMetadata: true }, 'CS6', 'limitedMetadata', french],
  ]
  refuseEach(rows, folderIssues)

  it('accept one as the mother makes it', () => {
    for (const profile of both) assert.deepEqual(folderIssues({}, profile)[0], [])
  })

  it('accept limited metadata without patient, code and title (ihe)', () => {
    const changes = { limitedMetadata: true, patientId: undefined, codes: [], title: undefined }
    assert.deepEqual(folderIssues(changes)[0], [])
  })
})
