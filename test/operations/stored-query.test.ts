import assert from 'node:assert/strict'
import { newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { Association } from '../../src/metadata/model.ts'
import type { StoredQuery } from '../../src/operations/operations.ts'
import { patient } from '../mothers/access.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aReplacement,
  aSubmission,
  aSubmissionSet,
} from '../mothers/metadata.ts'
import { type House, ids, named, openHouse, theTester } from './house.ts'

/**
 * A registry with a report in a folder, an addendum to it in another submission, and a letter apart:
 *   first (SubmissionSet) ─ report ─ folder, filed;  second ─ addendum ─APND→ report;  third ─ letter
 */
const report = aDocumentEntry()
const addendum = aDocumentEntry({
  formatCode: { code: 'urn:ihe:iti:xds-sd:text:2008', system: '1.3.6.1.4.1.19376.1.2.3' },
})
const letter = aDocumentEntry()
const folder = aFolder()
const first = aSubmissionSet()
const second = aSubmissionSet()
const third = aSubmissionSet()
const filing = aMembership(folder.entryUuid, report.entryUuid)
const held = {
  report: aMembership(first.entryUuid, report.entryUuid, 'Original'),
  folder: aMembership(first.entryUuid, folder.entryUuid),
  filing: aMembership(first.entryUuid, filing.entryUuid),
  addendum: aMembership(second.entryUuid, addendum.entryUuid, 'Original'),
  letter: aMembership(third.entryUuid, letter.entryUuid, 'Original'),
}
const appends = anAssociation({ type: 'APND', source: addendum.entryUuid, target: report.entryUuid })
const names = {
  report,
  addendum,
  letter,
  folder,
  first,
  second,
  third,
  filing,
  appends,
  'first-report': held.report,
  'first-folder': held.folder,
  'first-filing': held.filing,
  'second-addendum': held.addendum,
  'third-letter': held.letter,
}
const Approved = ['Approved'] as const
const everyStatus = { documentStatuses: Approved, submissionSetStatuses: Approved, folderStatuses: Approved }

type Case = readonly [rule: string, query: StoredQuery, expected: readonly (keyof typeof names)[]]

const cases: readonly Case[] = [
  [
    'FindDocuments gives documents, and what relates them',
    { kind: 'FindDocuments', patient, statuses: Approved, criteria: {} },
    ['report', 'addendum', 'letter', 'appends'],
  ],
  [
    'FindSubmissionSets gives submission sets alone',
    { kind: 'FindSubmissionSets', patient, statuses: Approved, criteria: { uniqueIds: [second.uniqueId] } },
    ['second'],
  ],
  ['FindFolders gives folders alone', { kind: 'FindFolders', patient, statuses: Approved, criteria: {} }, ['folder']],
  [
    'GetAll gives everything of the patient, with all that links it',
    { kind: 'GetAll', patient, ...everyStatus, criteria: {} },
    Object.keys(names) as (keyof typeof names)[],
  ],
  [
    'GetDocuments gives documents by identifier, and what relates them',
    { kind: 'GetDocuments', by: 'uniqueId', ids: [report.uniqueId, letter.uniqueId] },
    ['report', 'letter', 'appends'],
  ],
  [
    'GetFolders gives folders by identifier',
    { kind: 'GetFolders', by: 'uniqueId', ids: [folder.uniqueId] },
    ['folder'],
  ],
  [
    'GetAssociations gives what touches an object, of whatever kind',
    { kind: 'GetAssociations', ids: [report.entryUuid] },
    ['filing', 'appends', 'first-report'],
  ],
  [
    'GetAssociations gives the memberships of a submission set without documents in the answer',
    { kind: 'GetAssociations', ids: [first.entryUuid] },
    ['first-report', 'first-folder', 'first-filing'],
  ],
  [
    'GetDocumentsAndAssociations gives both',
    { kind: 'GetDocumentsAndAssociations', by: 'entryUuid', ids: [addendum.entryUuid] },
    ['addendum', 'appends', 'second-addendum'],
  ],
  [
    'GetSubmissionSets gives the submission sets of objects, and the memberships that say so',
    { kind: 'GetSubmissionSetsOf', ids: [folder.entryUuid, letter.entryUuid] },
    ['first', 'third', 'first-folder', 'third-letter'],
  ],
  [
    'GetSubmissionSetAndContents gives documents, folders and filings of a submission',
    { kind: 'GetSubmissionSetAndContents', by: 'uniqueId', id: first.uniqueId, criteria: {} },
    ['report', 'folder', 'first', 'filing', 'first-report', 'first-folder', 'first-filing'],
  ],
  [
    'GetSubmissionSetAndContents leaves out documents of another format, and their memberships',
    {
      kind: 'GetSubmissionSetAndContents',
      by: 'entryUuid',
      id: second.entryUuid,
      criteria: { formatCodes: [{ code: 'urn:ihe:lab:xd-lab:2008' }] },
    },
    ['second'],
  ],
  [
    'GetFolderAndContents gives the documents of a folder',
    { kind: 'GetFolderAndContents', by: 'entryUuid', id: folder.entryUuid, criteria: {} },
    ['report', 'folder', 'filing'],
  ],
  [
    'GetFoldersForDocument gives folders alone',
    { kind: 'GetFoldersForDocument', by: 'uniqueId', ids: [report.uniqueId] },
    ['folder'],
  ],
  [
    'GetRelatedDocuments gives documents at both ends of the relation',
    { kind: 'GetRelatedDocuments', by: 'entryUuid', id: report.entryUuid, associationTypes: ['APND'], criteria: {} },
    ['report', 'addendum', 'appends'],
  ],
  [
    'GetRelatedDocuments gives nothing where no relation is of the types asked for',
    { kind: 'GetRelatedDocuments', by: 'entryUuid', id: report.entryUuid, associationTypes: ['RPLC'], criteria: {} },
    [],
  ],
  [
    'an unknown submission set gives nothing',
    { kind: 'GetSubmissionSetAndContents', by: 'entryUuid', id: newEntryUuid(), criteria: {} },
    [],
  ],
]

describe('stored queries', () => {
  let house: House
  before(async () => {
    house = await openHouse({ profile: 'ihe' })
    const tester = house.as(theTester)
    const associations = [held.report, held.folder, filing, held.filing]
    await tester.feed({ submissionSet: first, entries: [report], folders: [folder], associations })
    await tester.feed(
      aSubmission({ submissionSet: second, entries: [addendum], associations: [held.addendum, appends] }),
    )
    await tester.feed(aSubmission({ submissionSet: third, entries: [letter], associations: [held.letter] }))
  })
  after(() => house.close())

  for (const [rule, query, expected] of cases)
    it(rule, async () => {
      assert.deepEqual(named(await house.as(theTester).find(query), names), [...expected].sort(byName))
    })

  it('read the entries found, in their order', async () => {
    const { documents, entries } = await house
      .as(theTester)
      .find({ kind: 'FindDocuments', patient, statuses: Approved, criteria: {} })
    const read = []
    for await (const { entryUuid } of entries(documents)) read.push(entryUuid)
    assert.deepEqual(
      read,
      documents.map(({ entryUuid }) => entryUuid),
    )
    assert.equal(read.length, 3)
  })
})

const order = Object.keys(names)
function byName(a: string, b: string): number {
  return order.indexOf(a) - order.indexOf(b)
}

describe('the metadata level of a stored query', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse({ profile: 'ihe' })
  })
  afterEach(() => house.close())

  /** A document in a folder, updated once; and an addendum whose relation was then deprecated. */
  async function updated() {
    const tester = house.as(theTester)
    const entry = aDocumentEntry()
    const own = aFolder()
    const set = aSubmissionSet()
    const member = aMembership(own.entryUuid, entry.entryUuid)
    const links: Association[] = [
      aMembership(set.entryUuid, entry.entryUuid, 'Original'),
      aMembership(set.entryUuid, own.entryUuid),
      member,
      aMembership(set.entryUuid, member.entryUuid),
    ]
    await tester.feed({ submissionSet: set, entries: [entry], folders: [own], associations: links })
    const bringing = aSubmissionSet()
    const next = { ...entry, entryUuid: newEntryUuid(), title: 'Titre corrigé' }
    await tester.update({
      submissionSet: bringing,
      versions: [{ object: next, previousVersion: 1, propagate: true }],
      associations: [aMembership(bringing.entryUuid, next.entryUuid, 'Original')],
    })
    return { entry, next, own, set, bringing, tester }
  }

  it('1 gives the current version only, whichever identifier it is asked by', async () => {
    const { entry, next, tester } = await updated()
    const level1 = { metadataLevel: 1 } as const
    for (const by of [
      { by: 'uniqueId', ids: [entry.uniqueId] },
      { by: 'logicalId', ids: [entry.entryUuid] },
      { by: 'entryUuid', ids: [entry.entryUuid, next.entryUuid] },
    ] as const)
      assert.deepEqual(ids((await tester.find({ kind: 'GetDocuments', ...by }, level1)).documents), [next.entryUuid])
  })

  it('2 gives every version, the earlier ones Deprecated', async () => {
    const { entry, next, tester } = await updated()
    for (const by of [
      { by: 'uniqueId', ids: [entry.uniqueId] },
      { by: 'logicalId', ids: [entry.entryUuid] },
    ] as const) {
      const { documents } = await tester.find({ kind: 'GetDocuments', ...by }, { metadataLevel: 2 })
      const found = documents.map(({ entryUuid, version, availabilityStatus }) => [
        entryUuid,
        version,
        availabilityStatus,
      ])
      assert.deepEqual(
        found.sort(([, a], [, b]) => Number(a) - Number(b)),
        [
          [entry.entryUuid, 1, 'Deprecated'],
          [next.entryUuid, 2, 'Approved'],
        ],
      )
    }
  })

  it('1 shows the folder with the current version, 2 with both', async () => {
    const { entry, next, own, tester } = await updated()
    const query = { kind: 'GetFolderAndContents', by: 'entryUuid', id: own.entryUuid, criteria: {} } as const
    const level1 = await tester.find(query, { metadataLevel: 1 })
    assert.deepEqual([ids(level1.documents), level1.associations.length], [[next.entryUuid], 1])
    const level2 = await tester.find(query, { metadataLevel: 2 })
    assert.deepEqual([ids(level2.documents), level2.associations.length], [ids([entry, next]), 2])
  })

  it('1 holds a version by the submission set that brought it, and by no other', async () => {
    const { next, set, bringing, tester } = await updated()
    const query = { kind: 'GetSubmissionSetsOf', ids: [next.entryUuid] } as const
    const { submissionSets, associations } = await tester.find(query, { metadataLevel: 1 })
    assert.deepEqual([ids(submissionSets), associations.length], [[bringing.entryUuid], 1])
    const before = { kind: 'GetSubmissionSetAndContents', by: 'entryUuid', id: set.entryUuid, criteria: {} } as const
    const { documents, folders } = await tester.find(before, { metadataLevel: 1 })
    assert.deepEqual([documents.length, folders.length], [0, 1])
  })

  it('1 leaves out a Deprecated folder, 2 gives it', async () => {
    const { own, tester } = await updated()
    await tester.update({ statuses: [{ target: own.entryUuid, from: 'Approved', to: 'Deprecated' }] })
    const query = { kind: 'GetFolders', by: 'entryUuid', ids: [own.entryUuid] } as const
    assert.deepEqual((await tester.find(query, { metadataLevel: 1 })).folders, [])
    const [folder] = (await tester.find(query, { metadataLevel: 2 })).folders
    assert.equal(folder?.availabilityStatus, 'Deprecated')
  })

  it('1 leaves out a Deprecated relation and what only it relates, 2 gives them', async () => {
    const tester = house.as(theTester)
    const [one, other] = [aDocumentEntry(), aDocumentEntry()]
    await tester.feed(aSubmission({ entries: [one, other] }))
    const submissionSet = aSubmissionSet()
    const relation = anAssociation({ type: 'APND', source: other.entryUuid, target: one.entryUuid })
    await tester.update({
      submissionSet,
      associations: [relation],
      statuses: [{ target: relation.entryUuid, from: 'Approved', to: 'Deprecated' }],
    })
    const query: StoredQuery = {
      kind: 'GetRelatedDocuments',
      by: 'entryUuid',
      id: one.entryUuid,
      associationTypes: ['APND'],
      criteria: {},
    }
    const level1 = await tester.find(query, { metadataLevel: 1 })
    assert.deepEqual([level1.documents, level1.associations], [[], []])
    const level2 = await tester.find(query, { metadataLevel: 2 })
    assert.deepEqual([level2.documents.length, ids(level2.associations)], [2, [relation.entryUuid]])
  })

  it('tells a replaced document from an earlier version: both are Deprecated, one is current', async () => {
    const tester = house.as(theTester)
    const replaced = aDocumentEntry()
    await tester.feed(aSubmission({ entries: [replaced] }))
    await tester.feed(aReplacement(replaced.entryUuid))
    const { documents } = await tester.find(
      { kind: 'FindDocuments', patient, statuses: ['Deprecated'], criteria: {} },
      { metadataLevel: 1 },
    )
    assert.deepEqual(ids(documents), [replaced.entryUuid])
  })
})
