import assert from 'node:assert/strict'
import type { ErrorCode, Issue } from '../../../src/errors.ts'
import { type EntryUuid, newEntryUuid } from '../../../src/metadata/identifiers.ts'
import type { Association, Submission } from '../../../src/metadata/model.ts'
import { type Profile, validateSubmission } from '../../../src/metadata/rules.ts'
import {
  aDocumentEntry,
  aFolder,
  aMembership,
  anAssociation,
  aReplacement,
  aSubmission,
  aSubmissionSet,
} from '../../mothers/metadata.ts'

const stored = (): EntryUuid => newEntryUuid()
const set = aSubmissionSet()
const entry = aDocumentEntry()
const other = aDocumentEntry()
const folder = aFolder()
const own = aMembership(set.entryUuid, entry.entryUuid, 'Original')
const filing = aMembership(folder.entryUuid, entry.entryUuid)

/** The submission of `set` with `entry` and these associations besides the membership of the entry. */
function withAssociations(...more: Association[]): Submission {
  return { submissionSet: set, entries: [entry], folders: [], associations: [own, ...more] }
}

function withFolder(...more: Association[]): Submission {
  const membership = aMembership(set.entryUuid, folder.entryUuid)
  return { submissionSet: set, entries: [entry], folders: [folder], associations: [own, membership, ...more] }
}

function check(submission: Submission, profile: Profile = 'ihe', update = false): readonly Issue[] {
  return validateSubmission(submission, { profile, update })
}

const replace = anAssociation({ type: 'RPLC', source: entry.entryUuid, target: stored() })
const snapshot = anAssociation({ type: 'IsSnapshotOf', source: entry.entryUuid, target: stored() })
const signature = anAssociation({ type: 'signs', source: entry.entryUuid, target: set.entryUuid })
const reason = { code: 'corr', system: '1.2.250.1.999.4', display: 'Correction' }

const accepted: readonly (readonly [string, Submission, (Profile | undefined)?])[] = [
  ['one document', withAssociations()],
  ['a replacement', aReplacement(stored())],
  ['a replacement with its reason', withAssociations({ ...replace, documentation: reason })],
  [
    'an addendum, a transformation and both with replacement',
    withAssociations(
      ...(['APND', 'XFRM', 'XFRM_RPLC'] as const).map((type) =>
        anAssociation({ type, source: entry.entryUuid, target: stored() }),
      ),
    ),
  ],
  ['a snapshot of an on-demand entry', withAssociations(snapshot)],
  ['a document stored before, by reference', withAssociations(aMembership(set.entryUuid, stored(), 'Reference'))],
  [
    'a signature on a document that comes with it',
    aSubmission({ submissionSet: set, entries: [entry, other] }, () => [
      anAssociation({ type: 'signs', source: entry.entryUuid, target: other.entryUuid }),
    ]),
  ],
  ['a signature on the whole lot, as the DMP asks', withAssociations(signature), 'ci-sis'],
  ['a folder with a document in it', withFolder(filing, aMembership(set.entryUuid, filing.entryUuid))],
  [
    'a stored document in a new folder',
    (() => {
      const old = aMembership(folder.entryUuid, stored())
      return withFolder(old, aMembership(set.entryUuid, old.entryUuid))
    })(),
  ],
  [
    'a new document in a stored folder',
    (() => {
      const into = aMembership(stored(), entry.entryUuid)
      return withAssociations(into, aMembership(set.entryUuid, into.entryUuid))
    })(),
  ],
]

interface Refusal {
  readonly case: string
  readonly submission: Submission
  readonly object: string
  readonly rule: string
  readonly at?: string
  readonly code?: ErrorCode
}

const unlinked = (): Submission => ({ ...withAssociations(), associations: [] })
const strange = anAssociation({ type: 'RPLC', source: stored(), target: stored() })
const self = anAssociation({ type: 'RPLC', source: entry.entryUuid, target: entry.entryUuid })
const toSet = anAssociation({ type: 'APND', source: entry.entryUuid, target: set.entryUuid })
const fromSet = anAssociation({ type: 'APND', source: set.entryUuid, target: stored() })
const noStatus = aMembership(set.entryUuid, entry.entryUuid)
const wrongStatus = { ...own, submissionSetStatus: 'New' as 'Original' }
const byReference = aMembership(set.entryUuid, entry.entryUuid, 'Reference')
const originalElsewhere = aMembership(set.entryUuid, stored(), 'Original')
const unsaid = aMembership(set.entryUuid, stored())
const symbolic = anAssociation({ type: 'RPLC', source: entry.entryUuid, target: 'Document01' as EntryUuid })
const inside = anAssociation({ type: 'RPLC', source: entry.entryUuid, target: other.entryUuid })
const ofNobody = anAssociation({ type: 'IsSnapshotOf', source: stored(), target: stored() })
const ofThisOne = anAssociation({ type: 'IsSnapshotOf', source: entry.entryUuid, target: other.entryUuid })
const two: Pick<Submission, 'entries'> = { entries: [entry, other] }
const otherOwn = aMembership(set.entryUuid, other.entryUuid, 'Original')
const update = anAssociation({ type: 'UpdateAvailabilityStatus', source: set.entryUuid, target: stored() })
const documented = { ...own, documentation: reason }
const badReason = { ...replace, documentation: { code: 'x', system: '' } }
const unknown = anAssociation({ type: 'Likes' as 'RPLC', source: set.entryUuid, target: stored() })
const signsFolder = anAssociation({ type: 'signs', source: entry.entryUuid, target: folder.entryUuid })
const intoFolder = aMembership(folder.entryUuid, own.entryUuid)
const replacesMember = aMembership(set.entryUuid, replace.entryUuid)
const twice = [aMembership(set.entryUuid, filing.entryUuid), aMembership(set.entryUuid, filing.entryUuid)]

const refused: readonly Refusal[] = [
  {
    case: 'a document that the SubmissionSet does not link',
    submission: unlinked(),
    object: entry.entryUuid,
    rule: 'T3',
  },
  {
    case: 'a folder that the SubmissionSet does not link',
    submission: { ...withAssociations(), folders: [folder] },
    object: folder.entryUuid,
    rule: 'T3',
  },
  {
    case: 'a membership without SubmissionSetStatus',
    submission: { ...withAssociations(), associations: [noStatus] },
    object: noStatus.entryUuid,
    rule: 'M17',
    at: 'SubmissionSetStatus',
  },
  {
    case: 'another SubmissionSetStatus',
    submission: { ...withAssociations(), associations: [wrongStatus] },
    object: own.entryUuid,
    rule: 'A4',
    at: 'SubmissionSetStatus',
  },
  {
    case: 'a new document by reference',
    submission: { ...withAssociations(), associations: [byReference] },
    object: byReference.entryUuid,
    rule: 'T6',
    at: 'SubmissionSetStatus',
  },
  {
    case: 'an original that is not there',
    submission: withAssociations(originalElsewhere),
    object: originalElsewhere.entryUuid,
    rule: 'T6',
    at: 'SubmissionSetStatus',
  },
  {
    case: 'a member elsewhere that is not called a reference',
    submission: withAssociations(unsaid),
    object: unsaid.entryUuid,
    rule: 'M17',
    at: 'SubmissionSetStatus',
  },
  {
    case: 'a replacement by a document that is not there',
    submission: withAssociations(strange),
    object: strange.entryUuid,
    rule: 'T8',
    at: 'sourceObject',
    code: 'UnresolvedReferenceException',
  },
  {
    case: 'a replacement of a document that comes with it',
    submission: { ...withAssociations(otherOwn, inside), ...two },
    object: inside.entryUuid,
    rule: 'T8',
    at: 'targetObject',
  },
  {
    case: 'a replacement of something without identifier',
    submission: withAssociations(symbolic),
    object: symbolic.entryUuid,
    rule: 'A1',
    at: 'targetObject',
  },
  {
    case: 'a SubmissionSet as a target',
    submission: withAssociations(toSet),
    object: toSet.entryUuid,
    rule: 'A5',
    at: 'targetObject',
  },
  {
    case: 'a signature on the whole lot outside the DMP',
    submission: withAssociations(signature),
    object: signature.entryUuid,
    rule: 'A5',
    at: 'targetObject',
  },
  {
    case: 'a signature on a folder',
    submission: withFolder(signsFolder),
    object: signsFolder.entryUuid,
    rule: 'T8',
    at: 'targetObject',
  },
  {
    case: 'a relationship that starts at the SubmissionSet',
    submission: withAssociations(fromSet),
    object: fromSet.entryUuid,
    rule: 'T4',
    at: 'sourceObject',
  },
  {
    case: 'a reason for a membership',
    submission: { ...withAssociations(), associations: [documented] },
    object: own.entryUuid,
    rule: 'A3',
    at: 'associationDocumentation',
  },
  {
    case: 'a reason without codingScheme',
    submission: withAssociations(badReason),
    object: replace.entryUuid,
    rule: 'A3',
    at: 'associationDocumentation',
  },
  {
    case: 'a snapshot that is not there',
    submission: withAssociations(ofNobody),
    object: ofNobody.entryUuid,
    rule: 'T13c',
    at: 'sourceObject',
    code: 'UnresolvedReferenceException',
  },
  {
    case: 'a snapshot of a document that comes with it',
    submission: { ...withAssociations(otherOwn, ofThisOne), ...two },
    object: ofThisOne.entryUuid,
    rule: 'T13c',
    at: 'targetObject',
  },
  {
    case: 'a change of status outside a metadata update',
    submission: withAssociations(update),
    object: update.entryUuid,
    rule: 'A2',
    at: 'associationType',
  },
  {
    case: 'an association type of nobody',
    submission: withAssociations(unknown),
    object: unknown.entryUuid,
    rule: 'A2',
    at: 'associationType',
  },
  { case: 'a document filed by nobody', submission: withFolder(filing), object: filing.entryUuid, rule: 'T7' },
  { case: 'a document filed twice', submission: withFolder(filing, ...twice), object: filing.entryUuid, rule: 'T7' },
  {
    case: 'something else than a document in a folder',
    submission: withFolder(intoFolder, aMembership(set.entryUuid, intoFolder.entryUuid)),
    object: intoFolder.entryUuid,
    rule: 'T7',
    at: 'targetObject',
  },
  {
    case: 'a replacement as a member',
    submission: withAssociations(replace, replacesMember),
    object: replacesMember.entryUuid,
    rule: 'T7',
    at: 'targetObject',
  },
]

describe('rules of associations', () => {
  for (const [case_, submission, profile] of accepted) {
    it(`accept ${case_}`, () => assert.deepEqual(check(submission, profile), []))
  }

  for (const { case: case_, submission, object, rule, at, code = 'XDSRegistryMetadataError' } of refused) {
    it(`refuse ${case_} (${rule})`, () => {
      const found = check(submission).map((issue) => [issue.rule, issue.location, issue.code])
      assert.deepEqual(found, [[rule, at === undefined ? object : `${object}/${at}`, code]])
    })
  }

  it('refuse an association of an object with itself', () => {
    const rules = check(withAssociations(self)).map((issue) => [issue.rule, issue.location])
    assert.ok(rules.some(([rule, location]) => rule === 'A1' && location === `${self.entryUuid}/targetObject`))
  })

  it('refuse a document with members', () => {
    const membership = aMembership(entry.entryUuid, other.entryUuid)
    const found = check({ ...withAssociations(otherOwn, membership), ...two })
    assert.ok(found.some(({ rule, location }) => rule === 'T7' && location === `${membership.entryUuid}/sourceObject`))
  })

  it('accept the associations of a metadata update where it is one', () => {
    assert.deepEqual(check(withAssociations(update), 'ihe', true), [])
  })

  it('accept an association submitted by a metadata update, a filing included', () => {
    const submits = anAssociation({ type: 'SubmitAssociation', source: set.entryUuid, target: filing.entryUuid })
    const old = { ...filing, source: stored() }
    assert.deepEqual(check(withAssociations(old, submits), 'ihe', true), [])
  })

  it('refuse a metadata update that starts elsewhere or submits nothing', () => {
    const elsewhere = { ...update, source: entry.entryUuid }
    const nothing = anAssociation({ type: 'SubmitAssociation', source: set.entryUuid, target: stored() })
    const found = check(withAssociations(elsewhere, nothing), 'ihe', true)
    assert.deepEqual(
      found.map(({ rule, location }) => [rule, location]),
      [
        ['T4', `${elsewhere.entryUuid}/sourceObject`],
        ['T4', `${nothing.entryUuid}/targetObject`],
      ],
    )
  })
})

describe('identifiers within a submission', () => {
  it('refuse two objects with one uniqueId, of any kind', () => {
    const twin = aDocumentEntry({ uniqueId: entry.uniqueId })
    const namesake = aFolder({ uniqueId: entry.uniqueId })
    const issues = check(aSubmission({ entries: [entry, twin], folders: [namesake] }))
    assert.deepEqual(
      issues.map(({ rule, location, code }) => [rule, location, code]),
      [twin, namesake].map(({ entryUuid }) => [
        'T12',
        `${entryUuid}/uniqueId`,
        'XDSRegistryDuplicateUniqueIdInMessage',
      ]),
    )
  })

  it('refuse two objects with one entryUUID', () => {
    const twin = aDocumentEntry({ entryUuid: entry.entryUuid })
    const issues = check({ ...withAssociations(), entries: [entry, twin] })
    assert.deepEqual(
      issues.map(({ rule, location }) => [rule, location]),
      [['C4', `${entry.entryUuid}/entryUUID`]],
    )
  })

  it('refuse two versions of one object', () => {
    const next = aDocumentEntry({ logicalId: entry.logicalId, version: 2 })
    const issues = check(aSubmission({ entries: [entry, next] }))
    assert.deepEqual(
      issues.map(({ rule, location }) => [rule, location]),
      [['M15', `${next.entryUuid}/logicalId`]],
    )
  })
})
