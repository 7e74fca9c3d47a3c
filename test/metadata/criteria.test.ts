import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  compileCriteria,
  compileFolderCriteria,
  compileSubmissionSetCriteria,
  type DocumentCriteria,
  type FolderCriteria,
  matches,
  type SubmissionSetCriteria,
} from '../../src/metadata/criteria.ts'
import { toDtm } from '../../src/metadata/dtm.ts'
import { formatCx, formatXcn } from '../../src/metadata/hl7.ts'
import { newEntryUuid } from '../../src/metadata/identifiers.ts'
import * as arbitrary from '../arbitraries/metadata.ts'
import {
  aDocumentEntry,
  aFolder,
  anAuthor,
  aProfessional,
  aSubmissionSet,
  type Changes,
  codes,
} from '../mothers/metadata.ts'

type Case = readonly [
  rule: string,
  changes: Changes<ReturnType<typeof aDocumentEntry>>,
  asked: DocumentCriteria,
  expected: boolean,
]

const time = (from?: string, to?: string) => [{ ...(from && { from: toDtm(from) }), ...(to && { to: toDtm(to) }) }]
const created = (value: string) => ({ creationTime: toDtm(value) })
const service = (start?: string, stop?: string) => ({
  serviceStartTime: start === undefined ? undefined : toDtm(start),
  serviceStopTime: stop === undefined ? undefined : toDtm(stop),
})
const accession = {
  id: 'ACC-1',
  assigningAuthority: { universalId: '1.2.250.1.999.2', universalIdType: 'ISO' },
  typeCode: 'urn:ihe:iti:xds:2013:accession',
}
const order = { ...accession, id: 'ORD-1', typeCode: 'urn:ihe:iti:xds:2013:order' }
const by = (...people: Parameters<typeof aProfessional>[0][]) => ({
  authors: people.map((changes) => anAuthor({ person: aProfessional(changes) })),
})

const cases: readonly Case[] = [
  ['no criterion accepts every document', {}, {}, true],
  ['a code with its system matches', {}, { typeCodes: [{ code: '11502-2', system: '2.16.840.1.113883.6.1' }] }, true],
  ['a code without system matches in any system', {}, { typeCodes: [{ code: '11502-2' }] }, true],
  ['a system without code matches any of its codes', {}, { typeCodes: [{ system: '2.16.840.1.113883.6.1' }] }, true],
  ['a code of another system does not match', {}, { typeCodes: [{ code: '11502-2', system: '1.2.3' }] }, false],
  ['one of several codes is enough', {}, { classCodes: [{ code: '11' }, { code: '10' }] }, true],
  ['an empty list of codes matches nothing', {}, { classCodes: [] }, false],
  ['an absent attribute never matches', { formatCode: undefined }, { formatCodes: [{}] }, false],
  ['formatCode is compared', {}, { formatCodes: [{ code: 'urn:ihe:lab:xd-lab:2008' }] }, true],
  ['practiceSettingCode is compared', {}, { practiceSettingCodes: [{ code: 'AMBULATOIRE' }] }, false],
  ['healthcareFacilityTypeCode is compared', {}, { healthcareFacilityTypeCodes: [{ code: 'SA01' }] }, true],
  [
    'groups of confidentiality codes must all be met, by any code',
    { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] },
    { confidentialityCodes: [[{ code: 'N' }, { code: 'R' }], [{ code: 'MASQUE_PS' }]] },
    true,
  ],
  [
    'one unmet group of confidentiality codes is enough to refuse',
    { confidentialityCodes: [codes.normal] },
    { confidentialityCodes: [[{ code: 'N' }], [{ code: 'MASQUE_PS' }]] },
    false,
  ],
  [
    'event codes are compared',
    { eventCodes: [{ code: 'DEQP003', system: '1.2.250.1.213.2.5' }] },
    { eventCodes: [[{ code: 'DEQP003' }]] },
    true,
  ],
  ['a document without event codes meets no group', {}, { eventCodes: [[{ code: 'DEQP003' }]] }, false],
  ['the first moment of a range is inside', created('20260501000000'), { creationTime: time('20260501') }, true],
  ['the moment before a range is outside', created('20260430235959'), { creationTime: time('20260501') }, false],
  ['the end of a range is outside', created('20260601000000'), { creationTime: time('202605', '202606') }, false],
  ['the moment before the end is inside', created('20260531235959'), { creationTime: time('202605', '202606') }, true],
  [
    'a month counts from its first second',
    created('202605'),
    { creationTime: time('20260501000000', '20260501000001') },
    true,
  ],
  [
    'a month does not reach into a range that begins later',
    created('202605'),
    { creationTime: time('20260502') },
    false,
  ],
  ['one of several ranges is enough', created('2026'), { creationTime: [...time('2027'), ...time('2026')] }, true],
  ['an open range accepts every document that has the time', created('2026'), { creationTime: time() }, true],
  ['a document without the time is never in a range', { creationTime: undefined }, { creationTime: time() }, false],
  ['serviceStartTime is compared', service('20260512'), { serviceStartTime: time('2026', '2027') }, true],
  ['serviceStopTime is compared', service('20260512', '20270101'), { serviceStopTime: time('2026', '2027') }, false],
  [
    'a service that begins before a period and ends in it overlaps',
    service('2025', '2026'),
    { servicePeriod: time('2026', '2027') },
    true,
  ],
  ['a service around a period overlaps', service('2020', '2030'), { servicePeriod: time('2026', '2027') }, true],
  [
    'a service whose stop day begins the period overlaps',
    service('2025', '20260101'),
    { servicePeriod: time('2026010112') },
    true,
  ],
  [
    'a service that ends before a period does not overlap',
    service('2024', '20251231235959'),
    { servicePeriod: time('2026') },
    false,
  ],
  [
    'a service that begins at the end of a period does not overlap',
    service('2027'),
    { servicePeriod: time('2026', '2027') },
    false,
  ],
  [
    'a service without stop lasts as long as its start says',
    service('202605'),
    { servicePeriod: time('20260531', '2027') },
    true,
  ],
  [
    'a service of which only the stop is known is there',
    service(undefined, '2026'),
    { servicePeriod: time('2026') },
    true,
  ],
  ['a document without service time overlaps nothing', service(), { servicePeriod: time() }, false],
  ['a name is found by a pattern', by({}), { authorPersons: ['%EXEMPLE%'] }, true],
  ['a pattern must cover the whole value', by({}), { authorPersons: ['EXEMPLE'] }, false],
  [
    '_ stands for exactly one character',
    by({ id: undefined, assigningAuthority: undefined }),
    { authorPersons: ['^EX_MPLE^An__^%'] },
    true,
  ],
  ['_ does not stand for none', by({}), { authorPersons: ['%EXEMPLE_^Anne%'] }, false],
  [
    'a name is found without regard to case and accents',
    by({ given: 'Éléonore' }),
    { authorPersons: ['%exemple^eleonore%'] },
    true,
  ],
  ['an accent in the pattern is no obstacle', by({ given: 'ELEONORE' }), { authorPersons: ['%^Éléonore^%'] }, true],
  [
    '_ does not stand for an empty component left out',
    by({
      family: 'A',
      given: undefined,
      id: undefined,
      assigningAuthority: undefined,
      nameType: undefined,
      idType: undefined,
    }),
    { authorPersons: ['^A_%'] },
    false,
  ],
  ['any author may match', by({ family: 'A' }, { family: 'B' }), { authorPersons: ['%^B^%'] }, true],
  ['one of several patterns is enough', by({ family: 'A' }), { authorPersons: ['%^B^%', '%^A^%'] }, true],
  ['signs of regular expressions are plain characters', by({ family: 'A.C' }), { authorPersons: ['%^ABC^%'] }, false],
  [
    'a document without person is written by nobody',
    { authors: [anAuthor({ person: undefined })] },
    { authorPersons: ['%'] },
    false,
  ],
  [
    'empty components at the end may be counted or not',
    { authors: [anAuthor({ person: { family: 'Smitty', given: 'Gerald' } })] },
    { authorPersons: ['^Smitty^Gerald^^^'] },
    true,
  ],
  [
    'empty components before a last % may be counted too',
    { authors: [anAuthor({ person: { family: 'Smitty', given: 'Gerald' } })] },
    { authorPersons: ['%Smitty^Gerald^^^%'] },
    true,
  ],
  [
    'a reference is found by the whole CXi',
    { referenceIds: [order, accession] },
    { referenceIds: [[formatCx(accession)]] },
    true,
  ],
  [
    'a reference without type is found in any type',
    { referenceIds: [accession] },
    { referenceIds: [['ACC-1^^^&1.2.250.1.999.2&ISO']] },
    true,
  ],
  [
    'a reference of another type is not found',
    { referenceIds: [accession] },
    { referenceIds: [[formatCx({ ...accession, typeCode: order.typeCode })]] },
    false,
  ],
  [
    'a reference of another authority is not found',
    { referenceIds: [accession] },
    { referenceIds: [['ACC-1^^^&1.2.3&ISO']] },
    false,
  ],
  [
    'a reference of another community is not found',
    { referenceIds: [accession] },
    { referenceIds: [[`${formatCx(accession)}^&1.2.3&ISO`]] },
    false,
  ],
  [
    'all groups of references must be met',
    { referenceIds: [accession] },
    { referenceIds: [['ACC-1'], ['ORD-1']] },
    false,
  ],
  [
    'groups of references may be met by different ones',
    { referenceIds: [order, accession] },
    { referenceIds: [['ACC-1'], ['ORD-1', 'X']] },
    true,
  ],
  ['stability is compared', {}, { stability: ['on-demand'] }, false],
  ['all criteria must be met', {}, { typeCodes: [{ code: '11502-2' }], classCodes: [{ code: '11' }] }, false],
]

describe('search criteria', () => {
  for (const [rule, changes, asked, expected] of cases) {
    it(rule, () => assert.equal(matches(aDocumentEntry(changes), asked), expected))
  }

  it('find a document by the entryUUID of its version or by its logicalId', () => {
    const entry = aDocumentEntry({ logicalId: newEntryUuid(), version: 2 })
    assert.ok(matches(entry, { entryUuids: [newEntryUuid(), entry.entryUuid] }))
    assert.ok(matches(entry, { entryUuids: [entry.logicalId] }))
    assert.ok(!matches(entry, { entryUuids: [newEntryUuid()] }))
  })

  it('find a document by its uniqueId', () => {
    const entry = aDocumentEntry()
    assert.ok(matches(entry, { uniqueIds: ['1.2.3', entry.uniqueId] }))
    assert.ok(!matches(entry, { uniqueIds: ['1.2.3'] }))
  })

  it('find every document by what it carries', () => {
    fc.assert(
      fc.property(arbitrary.documentEntryFor('ihe', { stored: true }), (entry) => {
        const people = entry.authors.flatMap(({ person }) => (person ? [formatXcn(person)] : []))
        assert.ok(
          matches(entry, {
            uniqueIds: [entry.uniqueId],
            entryUuids: [entry.entryUuid],
            stability: [entry.stability],
            ...(entry.typeCode && { typeCodes: [entry.typeCode] }),
            ...(entry.creationTime && { creationTime: [{ from: entry.creationTime }] }),
            eventCodes: entry.eventCodes.map((code) => [code]),
            confidentialityCodes: entry.confidentialityCodes.map((code) => [code]),
            referenceIds: entry.referenceIds.map((id) => [formatCx(id)]),
            ...(people.length > 0 && { authorPersons: people }),
          }),
        )
      }),
    )
  })

  it('compare a pattern like SQL, whatever the text', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_'), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(text, letters, (family, pattern) => {
        const entry = aDocumentEntry({ authors: [anAuthor({ person: { family } })] })
        const expression = new RegExp(`^\\^${pattern.replaceAll('%', '.*').replaceAll('_', '.')}$`)
        assert.equal(matches(entry, { authorPersons: [`^${pattern}`] }), expression.test(`^${family}`))
      }),
    )
  })

  it('are not slowed down by a pattern made to be slow', () => {
    const entry = aDocumentEntry({ authors: [anAuthor({ person: { family: 'a'.repeat(250) } })] })
    const test = compileCriteria({ authorPersons: [`${'%a'.repeat(100)}%b`] })
    const start = performance.now()
    assert.equal(test(entry), false)
    assert.ok(performance.now() - start < 200)
  })
})

const set = aSubmissionSet({ authors: [anAuthor(), anAuthor({ person: aProfessional({ family: 'MARTIN' }) })] })

const setCases: readonly (readonly [rule: string, asked: SubmissionSetCriteria, expected: boolean])[] = [
  ['no criterion accepts every submission set', {}, true],
  ['one of several sources is enough', { sourceIds: ['1.2.3', '1.2.250.1.999.1.1'] }, true],
  ['another source does not match', { sourceIds: ['1.2.250.1.999.1'] }, false],
  ['the submission time is inside the range', { submissionTime: time('20260512', '20260513') }, true],
  ['the end of the range is outside', { submissionTime: time('2026', '20260512081600') }, false],
  ['any author may match', { authorPersons: ['%MARTIN%'] }, true],
  ['an author who is none of them does not match', { authorPersons: ['%DURAND%'] }, false],
  ['contentTypeCode is compared with its system', { contentTypeCodes: [codes.fullStay] }, true],
  ['another contentTypeCode does not match', { contentTypeCodes: [{ code: '04' }] }, false],
  ['an entryUUID is compared', { entryUuids: [set.entryUuid] }, true],
  ['a uniqueId is compared', { uniqueIds: ['1.2.3'] }, false],
]

const folder = aFolder({
  lastUpdateTime: toDtm('20260512081600'),
  codes: [
    { code: 'suivi', system: '1.2.250.1.999.3' },
    { code: 'diabete', system: '1.2.250.1.999.3' },
  ],
})

const folderCases: readonly (readonly [rule: string, asked: FolderCriteria, expected: boolean])[] = [
  ['no criterion accepts every folder', {}, true],
  ['the last update is inside the range', { lastUpdateTime: time('20260512') }, true],
  ['a folder updated before the range does not match', { lastUpdateTime: time('20260513') }, false],
  ['every group of codes must be met', { codes: [[{ code: 'suivi' }], [{ code: 'diabete' }, { code: 'x' }]] }, true],
  ['one unmet group of codes is enough to refuse', { codes: [[{ code: 'suivi' }], [{ code: 'x' }]] }, false],
  ['a code of another system does not match', { codes: [[{ code: 'suivi', system: '1.2.3' }]] }, false],
  ['an entryUUID of another folder does not match', { entryUuids: [newEntryUuid()] }, false],
  ['a uniqueId is compared', { uniqueIds: [folder.uniqueId] }, true],
]

describe('search criteria over submission sets and folders', () => {
  for (const [rule, asked, expected] of setCases)
    it(rule, () => assert.equal(compileSubmissionSetCriteria(asked)(set), expected))
  for (const [rule, asked, expected] of folderCases)
    it(rule, () => assert.equal(compileFolderCriteria(asked)(folder), expected))

  it('never match a folder without a time by its time', () => {
    assert.equal(compileFolderCriteria({ lastUpdateTime: [{}] })(aFolder()), false)
  })
})
