import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Cx } from '../../../src/metadata/hl7.ts'
import type { Dtm } from '../../../src/metadata/identifiers.ts'
import { type Profile, validateSubmission } from '../../../src/metadata/rules.ts'
import * as arbitrary from '../../arbitraries/metadata.ts'
import {
  aDocumentEntry,
  aFolder,
  anAuthor,
  aPatientId,
  aSubmission,
  aSubmissionSet,
  type Changes,
} from '../../mothers/metadata.ts'
import { authority, both, expectRefusal } from './refusals.ts'

describe('rules of the patient of a submission', () => {
  /** Rules and places of the issues about a SubmissionSet and a document of the same patient. */
  function about(changes: Changes<Cx>, profile: Profile): readonly string[] {
    const patientId = aPatientId(changes)
    const submission = aSubmission({
      submissionSet: aSubmissionSet({ patientId }),
      entries: [aDocumentEntry({ patientId })],
    })
    const owner = new Map<string, string>([
      [submission.submissionSet.entryUuid, 'set'],
      ...submission.entries.map(({ entryUuid }) => [entryUuid, 'entry'] as const),
    ])
    return validateSubmission(submission, { profile }).map(({ rule, location }) => {
      const [id = '', place] = location?.split('/') ?? []
      return `${rule} ${owner.get(id)} ${place}`
    })
  }
  const refused = (rule: string) => [`${rule} set patientId`, `${rule} entry patientId`]
  const of = (changes: Partial<NonNullable<Cx['assigningAuthority']>>) => ({
    assigningAuthority: { ...authority, ...changes },
  })

  const rows: readonly (readonly [string, Changes<Cx>, Profile, readonly string[]])[] = [
    ['refuse an empty identifier', { id: '' }, 'ihe', refused('C10')],
    ['refuse an empty identifier', { id: '' }, 'ci-sis', refused('C10')],
    ['refuse a missing authority', { assigningAuthority: undefined }, 'ihe', refused('C10')],
    ['refuse an authority that is no OID', of({ universalId: 'INS' }), 'ihe', refused('C10')],
    ['refuse an authority with a namespace', of({ namespaceId: 'INS' }), 'ihe', refused('C10')],
    ['refuse an authority of another kind', of({ universalIdType: 'DNS' }), 'ihe', refused('C10')],
    [
      'refuse an authority of too many parts',
      { assigningAuthority: undefined, rest: { 4: 'a&b&c&d' } },
      'ihe',
      refused('C10'),
    ],
    ['refuse further components', { rest: { 7: '20260101' } }, 'ihe', refused('C10')],
    ['accept further components of French samples', { rest: { 7: '20260101' } }, 'ci-sis', []],
    ['accept any authority', of({}), 'ihe', []],
    ['refuse an authority that is not of the INS', of({}), 'ci-sis', refused('CS1')],
    ['accept a missing NH', { typeCode: undefined }, 'ihe', []],
    ['refuse a missing NH', { typeCode: undefined }, 'ci-sis', refused('CS1')],
    ['refuse another type than NH', { typeCode: 'PI' }, 'ci-sis', refused('CS1')],
    ...['8', '9', '10', '11'].map(
      (last) => [`accept an INS of .${last}`, of({ universalId: `1.2.250.1.213.1.4.${last}` }), 'ci-sis', []] as const,
    ),
  ]
  for (const [rule, changes, profile, expected] of rows) {
    it(`${rule} (${profile})`, () => assert.deepEqual(about(changes, profile), expected))
  }

  const another = aPatientId({ id: '260059999999998' })

  it('refuse two patients in one submission', () => {
    const entry = aDocumentEntry({ patientId: another })
    const issues = validateSubmission(aSubmission({ entries: [aDocumentEntry(), entry] }), { profile: 'ci-sis' })
    expectRefusal(issues, entry.entryUuid, { rule: 'T9', at: 'patientId', code: 'XDSPatientIdDoesNotMatch' })
  })

  it('refuse a folder of another patient', () => {
    const folder = aFolder({ patientId: another })
    const issues = validateSubmission(aSubmission({ folders: [folder] }), { profile: 'ihe' })
    expectRefusal(issues, folder.entryUuid, { rule: 'T9', at: 'patientId', code: 'XDSPatientIdDoesNotMatch' })
  })

  it('refuse two patients under a SubmissionSet that names none', () => {
    const submissionSet = aSubmissionSet({ limitedMetadata: true, patientId: undefined })
    const entry = aDocumentEntry({ patientId: another })
    const issues = validateSubmission(aSubmission({ submissionSet, entries: [aDocumentEntry(), entry] }), {
      profile: 'ihe',
    })
    expectRefusal(issues, entry.entryUuid, { rule: 'T9', at: 'patientId', code: 'XDSPatientIdDoesNotMatch' })
  })

  it('take the same patient with and without NH as one (ihe)', () => {
    const entry = aDocumentEntry({ patientId: aPatientId({ typeCode: undefined }) })
    assert.deepEqual(validateSubmission(aSubmission({ entries: [entry] }), { profile: 'ihe' }), [])
  })
})

describe('validation of a submission', () => {
  it('accepts everything that the arbitraries call valid (ihe)', () => {
    fc.assert(
      fc.property(arbitrary.submission, (value) => {
        assert.deepEqual(validateSubmission(value, { profile: 'ihe' }), [])
      }),
    )
  })

  it('accepts everything that the arbitraries call valid (ci-sis), in ihe too', () => {
    fc.assert(
      fc.property(arbitrary.submissionFor('ci-sis'), (value) => {
        for (const profile of both) assert.deepEqual(validateSubmission(value, { profile }), [])
      }),
    )
  })

  it('reports every violation at once', () => {
    const entry = aDocumentEntry({
      typeCode: undefined,
      hash: 'x',
      title: undefined,
      creationTime: '20230231' as Dtm,
    })
    const submissionSet = aSubmissionSet({ sourceId: 'here', contentTypeCode: undefined })
    const issues = validateSubmission(aSubmission({ submissionSet, entries: [entry] }), { profile: 'ci-sis' })
    assert.deepEqual(issues.map(({ rule }) => rule).sort(), ['CS2', 'D7', 'D7', 'D9', 'M8', 'M9'])
  })

  it('names no person, patient or identifier in what it says', () => {
    const bad = { id: 'SECRET-ID', family: 'SECRET-NAME', rest: { 9: 'SECRET&SECRET&SECRET&SECRET' } }
    const entry = aDocumentEntry({
      patientId: { id: 'SECRET-PATIENT', rest: { 2: 'SECRET' } },
      sourcePatientId: { id: 'SECRET-IPP' },
      sourcePatientInfo: ['PID-5', 'PID-3|SECRET', 'PID-7|SECRET', 'PID-8|SECRET', 'SECRET'],
      authors: [anAuthor({ person: bad, telecoms: [{ type: 'SECRET', email: 'SECRET' }] })],
      legalAuthenticator: bad,
      referenceIds: [{ id: 'SECRET' }],
    })
    const issues = validateSubmission(aSubmission({ entries: [entry] }), { profile: 'ci-sis' })
    assert.ok(issues.length > 12)
    assert.ok(!JSON.stringify(issues).includes('SECRET'))
  })

  it('lists 500 violations and counts the others', () => {
    const entry = aDocumentEntry({ sourcePatientInfo: Array.from({ length: 700 }, () => 'x') })
    const issues = validateSubmission(aSubmission({ entries: [entry] }), { profile: 'ihe' })
    assert.equal(issues.length, 501)
    assert.match(issues.at(-1)?.detail ?? '', /^200 more violations/)
  })

  it('takes time in proportion to the submission', () => {
    const submission = aSubmission({ entries: Array.from({ length: 4000 }, () => aDocumentEntry()) })
    const start = performance.now()
    assert.deepEqual(validateSubmission(submission, { profile: 'ci-sis' }), [])
    assert.ok(performance.now() - start < 2000)
  })
})
