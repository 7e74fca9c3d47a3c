import assert from 'node:assert/strict'
import type { Cx } from '../../../src/metadata/hl7.ts'
import { type Dtm, newEntryUuid, type Oid, type UniqueId } from '../../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../../src/metadata/model.ts'
import type { Profile } from '../../../src/metadata/rules.ts'
import { aProfessional, type Changes, codes } from '../../mothers/metadata.ts'
import { authority, both, entryIssues, noCode, noScheme, type Row, refuseEach, slot, tooLong } from './refusals.ts'

const required = ['sourcePatientId', 'creationTime', 'languageCode'] as const
const requiredCodes = [
  'classCode',
  'typeCode',
  'formatCode',
  'healthcareFacilityTypeCode',
  'practiceSettingCode',
] as const
const info = (...lines: string[]) => ({ sourcePatientInfo: lines })
const cxi: Cx = { id: 'ACC', assigningAuthority: authority, typeCode: 'urn:ihe:iti:xds:2013:accession' }
const reference = (changes: Partial<Cx>) => ({ referenceIds: [{ ...cxi, ...changes }] })
const french: readonly Profile[] = ['ci-sis']

const rows: readonly Row<DocumentEntry>[] = [
  ...required.map((name): Row<DocumentEntry> => [`without ${name}`, { [name]: undefined }, 'D4', name]),
  ...requiredCodes.map((name): Row<DocumentEntry> => [`without ${name}`, { [name]: undefined }, 'D9', name]),
  ...requiredCodes.map((name): Row<DocumentEntry> => [`with an empty ${name}`, { [name]: noCode }, 'C7', name]),
  ['without confidentialityCode', { confidentialityCodes: [] }, 'D9', 'confidentialityCode'],
  ['with a code without codingScheme', { typeCode: noScheme }, 'C7', 'typeCode'],
  ['with an empty confidentiality', { confidentialityCodes: [codes.normal, noCode] }, 'C7', 'confidentialityCode[1]'],
  ['with an empty event code', { eventCodes: [noScheme] }, 'C7', 'eventCodeList[0]'],
  ['with too long a codingScheme', { eventCodes: [{ code: 'x', system: tooLong }] }, 'M3', 'eventCodeList[0]'],
  ['that is on demand', { stability: 'on-demand' }, 'D1', 'objectType'],
  ['without mimeType', { mimeType: '' }, 'D2', 'mimeType'],
  ['with a mimeType that is none', { mimeType: 'pdf' }, 'D2', 'mimeType'],
  ['created on a day that does not exist', { creationTime: '20230231' as Dtm }, 'D7', 'creationTime'],
  ['created at a local time', { creationTime: '20260512081530+0200' as Dtm }, 'D7', 'creationTime'],
  ['with a serviceStartTime that is none', { serviceStartTime: '2026-05-12' as Dtm }, 'D7', 'serviceStartTime'],
  ['with a serviceStopTime that is none', { serviceStopTime: '2' as Dtm }, 'D7', 'serviceStopTime'],
  ['that stops before it starts', { serviceStopTime: '202605120659' as Dtm }, 'M25', 'serviceStopTime'],
  ['with a language that is none', { languageCode: 'fr_FR' }, 'D7', 'languageCode'],
  ['with a hash of other length', { hash: 'ab12' }, 'D7', 'hash'],
  ['with a hash in base64', { hash: 'A/hMRrv6Y15BjSM8kMLidrz+mHc=' }, 'D7', 'hash'],
  ['with a negative size', { size: -1 }, 'D7', 'size'],
  ['with a size that is no number', { size: Number.NaN }, 'D7', 'size'],
  ['with a size in fractions', { size: 1.5 }, 'D7', 'size'],
  ['with a repository that is no OID', { repositoryUniqueId: 'here' as Oid }, 'D7', 'repositoryUniqueId'],
  ['with a URI with spaces', { uri: 'a b.xml' }, 'M33', 'URI'],
  ['with an empty URI', { uri: '' }, 'M33', 'URI'],
  ['with another availability', { documentAvailability: 'Soon' as 'Online' }, 'D8', 'documentAvailability'],
  ['that is already Deprecated', { availabilityStatus: 'Deprecated' }, 'M39', 'availabilityStatus'],
  ['that is already Archived', { availabilityStatus: 'Archived' }, 'M39', 'availabilityStatus'],
  ['with a title of 256 characters', { title: 'é'.repeat(256) }, 'M40', 'title'],
  ['with a title of 129 characters', { title: 'é'.repeat(129) }, 'M40', 'title', ['ihe']],
  ['with a uniqueId that is none', { uniqueId: 'document-1' as UniqueId }, 'D11', 'uniqueId'],
  ['without uniqueId', { uniqueId: '' as UniqueId }, 'D11', 'uniqueId'],
  ['with too long a uniqueId', { uniqueId: `1.${'2'.repeat(63)}` as UniqueId }, 'D11', 'uniqueId'],
  ['with too long an extension', { uniqueId: `1.2.3^${'x'.repeat(17)}` as UniqueId }, 'D11', 'uniqueId'],
  ['with an empty extension', { uniqueId: '1.2.3^' as UniqueId }, 'D11', 'uniqueId'],
  ['with a uniqueId in capitals', { uniqueId: 'URN:UUID:not' as UniqueId }, 'D11', 'uniqueId'],
  [
    'with a lid in capitals',
    { logicalId: newEntryUuid().toUpperCase() as DocumentEntry['logicalId'] },
    'C1',
    'logicalId',
  ],
  ['with version 0', { version: 0 }, 'C2', 'version'],
  ['with a home community that is none', { homeCommunityId: '1.2.3' }, 'C3', 'homeCommunityId'],
  ['with an extra slot outside urn:', slot('x-note', 'v'), 'C5', 'x-note'],
  ['with an extra slot of IHE', slot('urn:ihe:iti:xds:2099:new', 'x'), 'T14', 'urn:ihe:iti:xds:2099:new'],
  ['with one extra slot twice', { extra: [...slot('urn:a', 'v').extra, ...slot('urn:a', 'w').extra] }, 'C5', 'urn:a'],
  ['with an extra slot without value', slot('urn:a'), 'C5', 'urn:a'],
  ['with an empty value in an extra slot', slot('urn:a', 'v', ''), 'C5', 'urn:a'],
  ['with a value of 257 characters', slot('urn:a', tooLong), 'M3', 'urn:a'],
  ['with a line that is no PID field', info('OBX-3|x'), 'M31', 'sourcePatientInfo[0]'],
  ['with a line without bar', info('PID-8|F', 'PID-5'), 'M31', 'sourcePatientInfo[1]'],
  ['with PID-2', info('PID-2|x'), 'M31', 'sourcePatientInfo[0]'],
  ['with PID-19', info('PID-19|x'), 'M31', 'sourcePatientInfo[0]'],
  ['with PID-40', info('PID-40|x'), 'M31', 'sourcePatientInfo[0]'],
  ['with PID-3 without authority', info('PID-3|1^^^&1.2.3&ISO~2'), 'D7', 'sourcePatientInfo[0]'],
  ['with PID-7 that is no date', info('PID-7|29/02/2000'), 'D7', 'sourcePatientInfo[0]'],
  ['with PID-8 outside the table', info('PID-8|X'), 'D7', 'sourcePatientInfo[0]'],
  ['with a source identifier without authority', { sourcePatientId: { id: '1' } }, 'D7', 'sourcePatientId'],
  [
    'with a reference without type',
    { referenceIds: [{ id: 'A', assigningAuthority: authority }] },
    'M32',
    'referenceIdList[0]',
  ],
  ['with a reference without identifier', { referenceIds: [cxi, { ...cxi, id: '' }] }, 'M32', 'referenceIdList[1]'],
  ['with a reference of a community that is none', reference({ rest: { 6: 'a&b&c&d' } }), 'M32', 'referenceIdList[0]'],
  ['with a reference with further components', reference({ rest: { 2: 'x' } }), 'M32', 'referenceIdList[0]'],
  [
    'with a reference of half an authority',
    reference({ assigningAuthority: { universalId: '1.2' } }),
    'M32',
    'referenceIdList[0]',
    ['ihe'],
  ],
  [
    'with a reference of an authority that is none',
    { referenceIds: [{ id: 'A', typeCode: 'urn:a', rest: { 4: 'a&b&c&d' } }] },
    'M32',
    'referenceIdList[0]',
    ['ihe'],
  ],
  [
    'with a reference without authority',
    { referenceIds: [{ id: 'A', typeCode: 'urn:a' }] },
    'CS7',
    'referenceIdList[0]',
    french,
  ],
  ['without legalAuthenticator', { legalAuthenticator: undefined }, 'CS2', 'legalAuthenticator', french],
  ['without serviceStartTime', { serviceStartTime: undefined }, 'CS2', 'serviceStartTime', french],
  ['without title', { title: undefined }, 'CS2', 'title', french],
  ['without author', { authors: [] }, 'CS2', 'author', french],
  ['with limited metadata', { limitedMetadata: true }, 'CS6', 'limitedMetadata', french],
  [
    'with five confidentiality codes',
    { confidentialityCodes: ['N', 'A', 'B', 'C', 'D'].map((code) => ({ code, system: '1.2.3' })) },
    'CS5',
    'confidentialityCode',
    french,
  ],
  ['with a nameless signatory', { legalAuthenticator: { given: 'Anne' } }, 'D7', 'legalAuthenticator', ['ihe']],
  [
    'with a signatory without type',
    { legalAuthenticator: aProfessional({ idType: undefined }) },
    'CS3',
    'legalAuthenticator',
    french,
  ],
]

type Accepted = readonly [case_: string, changes: Changes<DocumentEntry>, profiles?: readonly Profile[]]

const accepted: readonly Accepted[] = [
  ['as the mother makes it', {}],
  ['without what the repository computes', { hash: undefined, size: undefined, repositoryUniqueId: undefined }],
  ['with a hash in capitals', { hash: 'A'.repeat(40) }],
  ['of no bytes', { size: 0 }],
  ['with a language of three parts', { languageCode: 'zh-Hant-TW' }],
  ['with a mimeType with parameters', { mimeType: 'text/plain; charset=utf-8' }],
  ['with a title of 128 characters', { title: '🩺'.repeat(128) }],
  ['with a title of 255 characters', { title: 'é'.repeat(255) }, french],
  ['with a value of 256 characters', slot('urn:a', '🩺'.repeat(256))],
  ['with a uniqueId with extension', { uniqueId: '1.2.3^ABC-1' as UniqueId }],
  ['with a uniqueId made from a UUID', { uniqueId: '2.25.329800735698586629295641978511506172918' as UniqueId }],
  ['with a UUID as uniqueId', { uniqueId: newEntryUuid() as string as UniqueId }],
  ['that stops in the year it starts', { serviceStopTime: '2026' as Dtm }],
  ['with a time in hours', { creationTime: '2026051208' as Dtm }],
  ['with a URI', { uri: 'IHE_XDM/SUBSET01/DOC%201.XML' }],
  ['with its availability', { documentAvailability: 'Offline' }],
  ['with its home community', { homeCommunityId: 'urn:oid:1.2.3' }],
  [
    'with all visibility codes',
    {
      confidentialityCodes: [
        codes.normal,
        codes.maskedToProfessionals,
        codes.hiddenFromPatient,
        codes.hiddenFromRepresentatives,
      ],
    },
  ],
  ['with PID-3 in the French form', info('PID-3|1^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS~2^^^ETAB')],
  [
    'with a source authority outside ISO',
    { sourcePatientId: { id: '8', assigningAuthority: { ...authority, universalId: '3.4.5' } } },
  ],
  ['with a reference in a namespace', reference({ assigningAuthority: { namespaceId: 'PACS' } }), ['ihe']],
  ['with a reference of another community', reference({ rest: { 6: '&1.2.3&ISO' } })],
]

describe('rules of a DocumentEntry', () => {
  for (const [case_, changes, profiles = both] of accepted) {
    for (const profile of profiles) {
      it(`accept one ${case_} (${profile})`, () => assert.deepEqual(entryIssues(changes, profile)[0], []))
    }
  }

  refuseEach(rows, entryIssues)

  it('accept limited metadata with hardly anything (ihe)', () => {
    const absent = [...required, ...requiredCodes, 'legalAuthenticator', 'title', 'serviceStartTime', 'serviceStopTime']
    const changes = { ...Object.fromEntries(absent.map((name) => [name, undefined])), limitedMetadata: true }
    assert.deepEqual(entryIssues({ ...changes, confidentialityCodes: [], authors: [] }, 'ihe')[0], [])
  })

  it('refuse an entryUUID that is none', () => {
    const [issues] = entryIssues({ entryUuid: 'Document01' as DocumentEntry['entryUuid'] }, 'ihe')
    assert.ok(issues.some(({ rule, location }) => rule === 'C1' && location === 'Document01/entryUUID'))
  })
})
