import assert from 'node:assert/strict'
import { decide, decideWithoutObject } from '../../src/access/decide.ts'
import type { AccessRequest, Obligation, Permit, RecordFacts } from '../../src/access/types.ts'
import {
  aHospital,
  aNurse,
  aPatient,
  aPhysician,
  aPolicy,
  aRecord,
  aRequest,
  aSecretary,
  aStoredDocument,
  aTester,
  careTeam,
  informed,
  profession,
} from '../mothers/access.ts'
import { aDocumentEntry, codes } from '../mothers/metadata.ts'
import { breakGlass, centre15, consult, feed, patientEntry, signature } from './rules/table.ts'

function permitted(request: AccessRequest, facts: RecordFacts | undefined = aRecord(), policy = aPolicy()): Permit {
  const decision = decide(request, facts, policy)
  if (decision.verdict === 'deny') assert.fail(`${decision.rule} ${decision.issues[0].code}`)
  return decision
}
const obligations = (request: AccessRequest, facts?: RecordFacts): readonly Obligation[] =>
  permitted(request, facts).obligations

describe('a refusal', () => {
  it('names every wrong code of every entry at once, each with its rule, place and remedy', () => {
    const first = aDocumentEntry({
      typeCode: { code: '34876-3', system: '2.16.840.1.113883.6.1' },
      formatCode: { code: 'urn:ihe:iti:xds-sd:pdf:2008', system: 'IHE' },
      confidentialityCodes: [codes.normal, { code: 'V', system: '2.16.840.1.113883.5.25' }],
    })
    const second = aDocumentEntry({
      classCode: codes.summary,
      healthcareFacilityTypeCode: { code: 'SA66', system: '1.2.250.1.71.4.2.4' },
    })
    const decision = decide(feed({ entries: [first, second] }), aRecord(), aPolicy())
    assert.equal(decision.verdict, 'deny')
    if (decision.verdict !== 'deny') return
    assert.equal(decision.rule, 'FE3')
    assert.deepEqual(
      decision.issues.map(({ rule, code, location }) => [rule, code, location]),
      [
        ['FE3', 'type-not-accepted', `${first.entryUuid}/typeCode`],
        ['FE3', 'code-not-accepted', `${first.entryUuid}/formatCode`],
        ['FE3', 'class-type-mismatch', `${second.entryUuid}/classCode`],
        ['FE3', 'code-not-accepted', `${second.entryUuid}/healthcareFacilityTypeCode`],
        ['FE4', 'confidentiality-not-shareable', `${first.entryUuid}/confidentialityCode`],
      ],
    )
    for (const { detail } of decision.issues) assert.match(detail ?? '', /send/)
    assert.match(decision.issues[1]?.detail ?? '', /1\.3\.6\.1\.4\.1\.19376\.1\.2\.3/)
  })

  it('is the first in the order of the rules', () => {
    const everything = aRecord(
      { blocked: true, brainDeath: true },
      { consultationOpposed: true, breakGlassPermitted: false },
    )
    const order = (request: AccessRequest, facts: RecordFacts) => decide(request, facts, aPolicy()).rule
    assert.equal(order(consult({ declaration: {} }), everything), 'BL1')
    assert.equal(order(consult({ declaration: {} }), { ...everything, blocked: false }), 'BD1')
    assert.equal(
      order(consult({ ...breakGlass, reason: '' }), { ...everything, blocked: false, brainDeath: false }),
      'EM1',
    )
    assert.equal(order(consult({ declaration: {} }), { ...everything, blocked: false, brainDeath: false }), 'CO1')
  })

  it('names the facts it rests on, up to the rule that refused', () => {
    const { used } = decide(consult(), aRecord({ blocked: true }), aPolicy())
    assert.ok(used.includes('record.blocked') && used.includes('record.status'))
    assert.ok(!used.includes('declaration'))
  })

  it('never repeats what was declared, nor who called', () => {
    const request = consult({ declaration: { basis: 'care-team', reason: 'SECRET-REASON', by: '899799999999' } })
    const text = JSON.stringify(decide(request, aRecord(), aPolicy()))
    for (const secret of ['SECRET-REASON', '899799999999', request.caller.person?.id ?? '?', request.patient ?? '?'])
      assert.ok(!text.includes(secret), secret)
  })
})

describe('a permission', () => {
  it('records the authorisation and the information, and tells the patient of a first consultation', () => {
    assert.deepEqual(obligations(consult()), [
      'record-authorisation',
      'record-information',
      'notify-first-consultation',
    ])
    assert.deepEqual(obligations(aRequest('TD3.1a', { declaration: { basis: 'explicit' } })), [
      'record-authorisation',
      'notify-first-consultation',
    ])
  })

  it('obliges to nothing where consent and information already stand', () => {
    const known = aRecord({ authorisation: 'VALIDE', informedEpisodes: ['E-118'] })
    assert.deepEqual(obligations(consult(), known), [])
    assert.deepEqual(obligations(consult({ declaration: { ...careTeam, episode: 'E-119' } }), known), [
      'record-information',
    ])
  })

  it('never records an authorisation that nobody declared (AU1)', () => {
    const { obligations: none } = permitted(
      consult({ declaration: {} }),
      aRecord({ authorisation: 'VALIDE' }),
      aPolicy({ authorisationSuffices: true }),
    )
    assert.deepEqual(none, [])
    assert.deepEqual(obligations(consult(breakGlass)), ['notify-emergency-access', 'display-mode'])
  })

  it('tells the patient of emergency access (NO1) and shows the mode', () => {
    const regulator = aPhysician({ regulation: true })
    assert.deepEqual(obligations(consult({ ...centre15, caller: regulator })), [
      'notify-emergency-access',
      'display-mode',
    ])
  })

  it('tells the patient of feeding, and keeps the information given with it', () => {
    assert.deepEqual(obligations(feed()), ['record-information', 'notify-feed'])
    assert.deepEqual(obligations(feed({ declaration: {} }), aRecord({ informedOfFeeding: true })), ['notify-feed'])
  })

  it('tells nobody of the lot signature', () => {
    assert.deepEqual(obligations(feed({ entries: [signature] })), ['record-information'])
  })

  it('tells the patient of a change of visibility, but not of the own acts', () => {
    const target = aStoredDocument()
    assert.deepEqual(obligations(aRequest('TD3.3a.mask', { target })), ['notify-visibility-change'])
    assert.deepEqual(obligations(aRequest('TD3.3a.mask', { caller: aPatient(), target })), [])
    assert.deepEqual(obligations(aRequest('TD2.1', { caller: aPatient(), entries: [patientEntry] })), [])
  })

  it('warns an author who could not read the type back (FE5), and feeds all the same', () => {
    const report = aDocumentEntry({
      typeCode: { code: '57057-2', system: '2.16.840.1.113883.6.1' },
      classCode: codes.summary,
    })
    const midwife = aNurse({ profession: profession('50') })
    const { warnings } = permitted(feed({ caller: midwife, entries: [aDocumentEntry(), report] }))
    assert.deepEqual(warnings, [
      { code: 'author-cannot-read', severity: 'warning', rule: 'FE5', location: `${report.entryUuid}/typeCode` },
    ])
    assert.deepEqual(permitted(feed({ caller: aPhysician(), entries: [report] })).warnings, [])
    assert.deepEqual(permitted(feed({ caller: aHospital(), entries: [report] })).warnings, [])
    assert.deepEqual(permitted(feed({ caller: midwife, entries: [signature] })).warnings, [])
  })

  it('lets the tester of conformance mode do everything, without obligations', () => {
    for (const operation of ['TD0.2', 'TD2.1', 'TD3.1a', 'TD3.2', 'TD3.3c', 'open', 'history', 'registry'] as const)
      assert.deepEqual(decide(aRequest(operation, { caller: aTester() }), undefined, aPolicy({ profile: 'ihe' })), {
        verdict: 'permit',
        rule: 'IHE',
        obligations: [],
        warnings: [],
        used: ['kind', 'policy.profile'],
      })
  })
})

describe('what is decided before the object is looked up', () => {
  const without = (request: AccessRequest, policy = aPolicy()) => {
    const { patient: _, ...unnamed } = request
    const deny = decideWithoutObject(unnamed, policy)
    return deny && `${deny.rule} ${deny.issues[0].code}`
  }

  it('refuses on identity, role, reason, regulation and a missing or malformed declaration', () => {
    assert.equal(without(consult({ caller: aHospital() })), 'FR1 nominative-identity-required')
    assert.equal(without(consult({ caller: aSecretary() })), 'FR1 not-permitted-for-role')
    assert.equal(without(consult({ purpose: 'bris_de_glace' })), 'EM1 reason-required')
    assert.equal(without(consult(centre15)), 'EM3 not-a-regulation-centre')
    assert.equal(without(consult({ declaration: {} })), 'CO3 consent-missing')
    assert.equal(without(consult({ declaration: { basis: 'care-team' } })), 'CO3 patient-not-informed')
    assert.equal(without(consult({ declaration: { basis: 'care-team', informed: true } })), 'CO3 consent-missing')
    assert.equal(without(aRequest('TD3.2', { caller: aPatient({ patient: undefined }) })), 'ID3 patient-mismatch')
    assert.equal(without(aRequest('TD3.3a.mask', { caller: aHospital() })), 'UP6 use-replacement')
    assert.equal(without(aRequest('registry')), 'UP7 not-a-dmp-operation')
    assert.equal(without(aRequest('open')), 'DEFAULT not-permitted-for-role')
    assert.equal(without(aRequest('TD0.3.add', { caller: aPatient() })), 'DEFAULT not-permitted-for-role')
    assert.equal(without(feed({ caller: aPhysician({ authentication: 'air' }) })), 'FR1 not-permitted-for-role')
  })

  it('leaves open what only the record can say', () => {
    assert.equal(without(consult()), undefined)
    assert.equal(without(consult({ declaration: { basis: 'care-team', episode: 'E-1' } })), undefined)
    assert.equal(without(consult({ declaration: {} }), aPolicy({ authorisationSuffices: true })), undefined)
    assert.equal(without(feed({ declaration: {} })), undefined)
    assert.equal(without(aRequest('TD3.3c')), undefined)
    assert.equal(without(aRequest('TD3.2', { caller: aPatient() })), undefined)
    assert.equal(without(aRequest('registry', { caller: aTester() }), aPolicy({ profile: 'ihe' })), undefined)
  })

  it('never refuses what the treating physician alone may do, before the DMP says who that is', () => {
    // S526: a nurse does not archive in an emergency, the treating physician does.
    assert.equal(without(aRequest('TD3.3d', breakGlass)), undefined)
    assert.equal(without(aRequest('TD3.3a.mask', breakGlass)), 'FR1 not-permitted-for-role')
  })

  it('refuses nothing that the full decision would permit', () => {
    const callers = [
      aNurse(),
      aPhysician(),
      aHospital(),
      aSecretary(),
      aPatient(),
      aPhysician({ authentication: 'air' }),
    ]
    const operations = ['TD0.2', 'TD0.3.add', 'TD2.1', 'TD2.1b', 'TD3.1a', 'TD3.1b', 'TD3.2', 'TD3.3a.mask'] as const
    const more = ['TD3.3a.unmask', 'TD3.3b', 'TD3.3c', 'TD3.3d', 'open', 'history', 'registry'] as const
    const records = [aRecord(), aRecord({ treatingPhysician: true, authorisation: 'VALIDE', informedOfFeeding: true })]
    let permits = 0
    for (const caller of callers)
      for (const operation of [...operations, ...more])
        for (const mode of [{}, breakGlass, centre15])
          for (const declaration of [{}, informed, careTeam])
            for (const facts of records)
              for (const policy of [aPolicy(), aPolicy({ profile: 'ihe', authorisationSuffices: true })]) {
                const request = aRequest(operation, { ...mode, declaration, caller, target: aStoredDocument() })
                if (decide(request, facts, policy).verdict === 'deny') continue
                permits += 1
                assert.equal(decideWithoutObject(request, policy), undefined, `${operation} ${caller.kind}`)
              }
    assert.ok(permits > 100)
  })
})
