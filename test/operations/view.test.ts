import assert from 'node:assert/strict'
import { type EntryUuid, newEntryUuid } from '../../src/metadata/identifiers.ts'
import type { DocumentEntry } from '../../src/metadata/model.ts'
import type { Findings, StoredQuery } from '../../src/operations/operations.ts'
import { patient } from '../mothers/access.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aSubmission,
  aSubmissionSet,
  codes,
} from '../mothers/metadata.ts'
import { aColleague, type House, ids, named, openHouse, theAuthor, theTester } from './house.ts'

const Approved = ['Approved'] as const
const masked = { confidentialityCodes: [codes.normal, codes.maskedToProfessionals] }

/**
 * What a colleague may see is `report`; `secret` is masked to professionals but its author. Folders and relations exist in
 * profile `ihe` only, where a professional is held to the same filter:
 *   first ─ report, secret, folder (both filed);  second ─ hidden (with secret alone, filed) ;  third ─ note ─APND→ secret
 */
const report = aDocumentEntry()
const secret = aDocumentEntry(masked)
const alone = aDocumentEntry(masked)
const note = aDocumentEntry()
const folder = aFolder()
const hidden = aFolder()
const [first, second, third] = [aSubmissionSet(), aSubmissionSet(), aSubmissionSet()]
const filing = aMembership(folder.entryUuid, report.entryUuid)
const secretFiling = aMembership(folder.entryUuid, secret.entryUuid)
const aloneFiling = aMembership(hidden.entryUuid, alone.entryUuid)
const appends = anAssociation({ type: 'APND', source: note.entryUuid, target: secret.entryUuid })
const names = {
  report,
  secret,
  alone,
  note,
  folder,
  hidden,
  first,
  second,
  third,
  filing,
  secretFiling,
  aloneFiling,
  appends,
}
type Name = keyof typeof names
const all = { documentStatuses: Approved, submissionSetStatuses: Approved, folderStatuses: Approved }

/** What the colleague may not see, by any way. */
const unseen = [secret, alone, hidden, second, secretFiling, aloneFiling, appends]

/** Associations of an answer that say something of these objects. */
function linkedTo({ associations }: Findings, objects: readonly { readonly entryUuid: EntryUuid }[]): unknown[] {
  const forbidden = new Set(ids(objects))
  return associations.filter(({ source, target }) => forbidden.has(source) || forbidden.has(target))
}

type Case = readonly [rule: string, query: StoredQuery, seen: readonly Name[]]

const cases: readonly Case[] = [
  [
    'a search gives no hidden document, and no relation to one',
    { kind: 'FindDocuments', patient, statuses: Approved, criteria: {} },
    ['report', 'note'],
  ],
  ['a hidden document is absent by identifier', { kind: 'GetDocuments', by: 'entryUuid', ids: [secret.entryUuid] }, []],
  [
    'a submission set whose documents are all hidden is absent',
    { kind: 'FindSubmissionSets', patient, statuses: Approved, criteria: {} },
    ['first', 'third'],
  ],
  [
    'a folder whose documents are all hidden is absent',
    { kind: 'FindFolders', patient, statuses: Approved, criteria: {} },
    ['folder'],
  ],
  [
    'everything of a patient is what is not hidden, and what links it',
    { kind: 'GetAll', patient, ...all, criteria: {} },
    ['report', 'note', 'folder', 'first', 'third', 'filing'],
  ],
  [
    'a relation to a hidden document is absent from either end',
    { kind: 'GetAssociations', ids: [note.entryUuid, secret.entryUuid] },
    [],
  ],
  [
    'memberships of a hidden submission set are absent',
    { kind: 'GetAssociations', ids: [second.entryUuid, hidden.entryUuid] },
    [],
  ],
  ['a hidden document has no submission set', { kind: 'GetSubmissionSetsOf', ids: [secret.entryUuid] }, []],
  ['a hidden folder has no submission set', { kind: 'GetSubmissionSetsOf', ids: [hidden.entryUuid] }, []],
  [
    'a submission set shows the documents that are not hidden',
    { kind: 'GetSubmissionSetAndContents', by: 'entryUuid', id: first.entryUuid, criteria: {} },
    ['report', 'folder', 'first', 'filing'],
  ],
  [
    'a hidden submission set shows nothing',
    { kind: 'GetSubmissionSetAndContents', by: 'uniqueId', id: second.uniqueId, criteria: {} },
    [],
  ],
  [
    'a folder shows the documents that are not hidden',
    { kind: 'GetFolderAndContents', by: 'entryUuid', id: folder.entryUuid, criteria: {} },
    ['report', 'folder', 'filing'],
  ],
  [
    'a hidden folder shows nothing',
    { kind: 'GetFolderAndContents', by: 'entryUuid', id: hidden.entryUuid, criteria: {} },
    [],
  ],
  [
    'a hidden document is in no folder, even in one that is shown',
    { kind: 'GetFoldersForDocument', by: 'entryUuid', ids: [secret.entryUuid] },
    [],
  ],
  [
    'a document that is shown is not said to relate to a hidden one',
    { kind: 'GetRelatedDocuments', by: 'entryUuid', id: note.entryUuid, associationTypes: ['APND'], criteria: {} },
    [],
  ],
]

describe('what a caller sees of what was found', () => {
  let house: House
  before(async () => {
    house = await openHouse({ profile: 'ihe' })
    const tester = house.as(theTester)
    await tester.feed({
      submissionSet: first,
      entries: [report, secret],
      folders: [folder],
      associations: [
        aMembership(first.entryUuid, report.entryUuid, 'Original'),
        aMembership(first.entryUuid, secret.entryUuid, 'Original'),
        aMembership(first.entryUuid, folder.entryUuid),
        ...[filing, secretFiling].flatMap((each) => [each, aMembership(first.entryUuid, each.entryUuid)]),
      ],
    })
    await tester.feed({
      submissionSet: second,
      entries: [alone],
      folders: [hidden],
      associations: [
        aMembership(second.entryUuid, alone.entryUuid, 'Original'),
        aMembership(second.entryUuid, hidden.entryUuid),
        aloneFiling,
        aMembership(second.entryUuid, aloneFiling.entryUuid),
      ],
    })
    await tester.feed(aSubmission({ submissionSet: third, entries: [note] }, () => [appends]))
  })
  after(() => house.close())

  for (const [rule, query, seen] of cases) {
    it(`${rule}`, async () => {
      const { kind } = query
      const answer = await house.as(aColleague).find(query)
      const found = named(answer, names)
      assert.deepEqual(linkedTo(answer, unseen), [])
      const order = Object.keys(names)
      assert.deepEqual(
        found,
        [...seen].sort((a, b) => order.indexOf(a) - order.indexOf(b)),
        kind,
      )
    })

    it(`${rule}: the same at metadata level 2`, async () => {
      const answer = await house.as(aColleague).find(query, { metadataLevel: 2 })
      assert.deepEqual(linkedTo(answer, unseen), [])
      const found = named(answer, names)
      assert.deepEqual(
        found.filter((name) => !seen.includes(name as Name)),
        [],
      )
    })
  }

  it('nothing is hidden from the tester of profile `ihe`', async () => {
    const found = await house.as(theTester).find({ kind: 'GetAll', patient, ...all, criteria: {} })
    assert.deepEqual(named(found, names), Object.keys(names))
  })

  it('a masked document is shown to its author', async () => {
    const { documents } = await house
      .as(theAuthor)
      .find({ kind: 'FindDocuments', patient, statuses: Approved, criteria: {} })
    assert.deepEqual(ids(documents), ids([report, secret, alone, note]))
  })

  it('names in the trace only what was shown', async () => {
    await house.as(aColleague).find({ kind: 'FindDocuments', patient, statuses: Approved, criteria: {} })
    const [record] = await house.trace()
    assert.deepEqual(record?.documents.map(({ logicalId }) => logicalId).sort(), ids([report, note]))
  })
})

describe('an earlier version of a document', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse({ profile: 'ihe' })
  })
  afterEach(() => house.close())

  const updated = async (before: DocumentEntry, changes: Partial<DocumentEntry>) => {
    const tester = house.as(theTester)
    const submissionSet = aSubmissionSet()
    await tester.feed(aSubmission({ submissionSet, entries: [before] }))
    const object = { ...before, ...changes, entryUuid: newEntryUuid() }
    const bringing = aSubmissionSet()
    await tester.update({
      submissionSet: bringing,
      versions: [{ object, previousVersion: 1, propagate: true }],
      associations: [aMembership(bringing.entryUuid, object.entryUuid, 'Original')],
    })
    return { object, submissionSet }
  }

  it('is hidden from whom the current one is masked, although it was not', async () => {
    const entry = aDocumentEntry()
    const { submissionSet } = await updated(entry, masked)
    const colleague = house.as(aColleague)
    for (const query of [
      { kind: 'GetDocuments', by: 'entryUuid', ids: [entry.entryUuid] },
      { kind: 'GetDocuments', by: 'logicalId', ids: [entry.entryUuid] },
      { kind: 'FindDocuments', patient, statuses: ['Approved', 'Deprecated'], criteria: {} },
    ] as const)
      assert.deepEqual((await colleague.find(query, { metadataLevel: 2 })).documents, [])
    // So is the submission that first brought it.
    const sets = { kind: 'GetSubmissionSets', by: 'entryUuid', ids: [submissionSet.entryUuid] } as const
    assert.deepEqual((await colleague.find(sets)).submissionSets, [])
    await assert.rejects(house.operations.versions(entry.entryUuid, colleague.context), { code: 'not-found' })
  })

  it('is shown to whom the current one is, although it was masked', async () => {
    const entry = aDocumentEntry(masked)
    const { object } = await updated(entry, { confidentialityCodes: [codes.normal] })
    const colleague = house.as(aColleague)
    const query = { kind: 'GetDocuments', by: 'logicalId', ids: [entry.entryUuid] } as const
    assert.deepEqual(ids((await colleague.find(query, { metadataLevel: 2 })).documents), ids([entry, object]))
    const { versions } = await house.operations.versions(object.entryUuid, colleague.context)
    assert.deepEqual(
      versions.map(({ entry: { entryUuid, version } }) => [entryUuid, version]),
      [
        [object.entryUuid, 2],
        [entry.entryUuid, 1],
      ],
    )
  })
})
