import assert from 'node:assert/strict'
import type { Consent, ConsentProvision } from '@medplum/fhirtypes'
import type { ChoiceName } from '../../src/access/types.ts'
import { GatewayError } from '../../src/errors.ts'
import { readConsent } from '../../src/fhir/consent-reader.ts'
import { shapes } from '../../src/fhir/consent-terms.ts'
import { consentsOf, consentWriter, parseConsentId } from '../../src/fhir/consent-writer.ts'
import { checkStructure } from '../../src/fhir/structure/check.ts'
import { aRecord, patient } from '../mothers/access.ts'
import { aConsent, provisions } from '../support/consent.ts'
import { aPatient } from '../support/people.ts'

const somebody = aPatient()
const read = (provision: ConsentProvision, changes: Partial<Consent> = {}) =>
  readConsent(aConsent(somebody, provision, changes))

/** Sentences that say what to send instead. */
function refusals(provision: ConsentProvision | undefined, changes: Partial<Consent> = {}): readonly string[] {
  try {
    readConsent({
      ...aConsent(somebody, provision ?? {}, changes),
      ...(provision === undefined && { provision }),
    } as Consent)
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    return error.issues.map(({ code, location, detail }) => {
      assert.equal(code, 'profile-violation')
      assert.match(detail ?? '', /[Ss]end|[Ll]eave/)
      return location ?? ''
    })
  }
  return []
}

describe('a Consent', () => {
  it('is one choice, by purpose, action, label or actor', () => {
    const choices: readonly (readonly [ConsentProvision, ChoiceName, boolean])[] = [
      [provisions.breakGlass('permit'), 'breakGlassPermitted', true],
      [provisions.breakGlass('deny'), 'breakGlassPermitted', false],
      [provisions.regulation('deny'), 'regulationPermitted', false],
      [provisions.maskedInEmergency('permit'), 'maskedInEmergencyPermitted', true],
      [{ type: 'deny', securityLabel: [{ code: 'MASQUE_PS' }] }, 'maskedInEmergencyPermitted', false],
      [
        { ...provisions.regulation('permit'), securityLabel: [{ code: 'MASQUE_PS' }] },
        'maskedInEmergencyPermitted',
        true,
      ],
      [provisions.consultation('deny'), 'consultationOpposed', true],
      [provisions.consultation('permit'), 'consultationOpposed', false],
      [provisions.feeding('deny'), 'feedOpposed', true],
      [provisions.initialConsent('permit'), 'initialConsent', true],
      [{ ...provisions.feeding('deny'), securityLabel: [{ code: 'MASQUE_PS' }] }, 'maskByDefault', true],
    ]
    for (const [provision, choice, value] of choices)
      assert.deepEqual(read(provision), { choice: { kind: 'choice', choice, value } })
    assert.deepEqual(read(provisions.person('deny', '899700000001')), { person: '899700000001', permit: false })
  })

  it('reads back as it was written, and is sound FHIR', () => {
    const write = consentWriter(patient, '0123456789abcdef0123456789abcdef')
    for (const shape of shapes)
      for (const value of [true, false]) {
        const consent = write.general(shape, value)
        assert.deepEqual(readConsent(consent), { choice: { kind: 'choice', choice: shape.choice, value } })
        assert.deepEqual(checkStructure(consent), [])
        assert.equal(parseConsentId(consent.id ?? '')?.key, shape.key)
      }
    const until = '2027-01-01T00:00:00.000Z'
    const about = { person: '31010099999/0001', permit: true, until }
    const consent = write.person('authorisation', about, '2026-01-01T00:00:00.000Z')
    assert.deepEqual(readConsent(consent), about)
    assert.deepEqual(checkStructure(consent), [])
    assert.ok(!consent.id?.includes('31010099999'))
  })

  it('takes codes without a system, and refuses those of another system', () => {
    assert.deepEqual(read({ type: 'deny', purpose: [{ code: 'BTG' }] }), {
      choice: { kind: 'choice', choice: 'breakGlassPermitted', value: false },
    })
    assert.deepEqual(refusals({ type: 'deny', purpose: [{ system: 'urn:other', code: 'BTG' }] }), ['Consent.provision'])
  })

  it('says what to send instead of a shape that it does not know', () => {
    const { person, breakGlass, consultation } = provisions
    const two = [...person('deny', '899700000001').actor, ...person('deny', '899700000002').actor]
    const actor = person('deny', '899700000001').actor[0]
    const unknown: readonly (readonly [ConsentProvision, readonly string[]])[] = [
      [{}, ['Consent.provision.type', 'Consent.provision']],
      [{ type: 'deny' }, ['Consent.provision']],
      [{ type: 'deny', purpose: [{ code: 'HRESCH' }] }, ['Consent.provision']],
      [{ type: 'deny', purpose: [{ code: 'BTG' }, { code: 'ETREAT' }] }, ['Consent.provision']],
      [{ type: 'deny', securityLabel: [{ code: 'R' }] }, ['Consent.provision']],
      [{ ...breakGlass('deny'), ...consultation('deny') }, ['Consent.provision']],
      [{ ...breakGlass('deny'), data: [] }, ['Consent.provision.data']],
      [{ ...breakGlass('deny'), provision: [] }, ['Consent.provision.provision']],
      [{ ...breakGlass('deny'), period: { end: '2027-01-01' } }, ['Consent.provision.period']],
      [{ type: 'deny', actor: two }, ['Consent.provision.actor']],
      [{ ...person('deny', '899700000001'), ...breakGlass('deny') }, ['Consent.provision']],
      [
        { type: 'deny', actor: [{ role: { coding: [{ code: 'AUT' }] }, reference: actor?.reference ?? {} }] },
        ['Consent.provision.actor[0].role'],
      ],
      [person('deny', 'DUPONT Anne'), ['Consent.provision.actor[0].reference']],
      [person('deny', '2700000001'), ['Consent.provision.actor[0].reference']],
      [{ ...person('permit', '899700000001'), period: { start: '2026-01-01' } }, ['Consent.provision.period.start']],
      [{ ...person('permit', '899700000001'), period: { end: '2026' } }, ['Consent.provision.period.end']],
      [{ ...person('deny', '899700000001'), period: { end: '2027-01-01' } }, ['Consent.provision.period']],
    ]
    for (const [provision, locations] of unknown)
      assert.deepEqual(refusals(provision), locations, JSON.stringify(provision))
    assert.deepEqual(refusals(undefined), ['Consent.provision'])
  })

  it('has all that is wrong with it said at once', () => {
    const changes: Partial<Consent> = {
      status: 'draft',
      scope: { text: 'patient' },
      category: [{ text: 'consentement' }],
    }
    assert.deepEqual(refusals(provisions.breakGlass('deny'), changes), [
      'Consent.status',
      'Consent.scope',
      'Consent.category',
    ])
  })
})

describe('the Consents in force', () => {
  const write = consentWriter(patient, undefined)
  const choices = {
    ...aRecord().choices,
    initialConsent: false,
  }
  const now = '2026-06-01T12:00:00.000Z'
  const persons = {
    blocked: [{ person: '899700000001', since: '2026-01-01T00:00:00.000Z' }],
    designated: [],
    authorised: [
      { person: '899700000002', since: '2026-01-01T00:00:00.000Z', until: '2026-12-31T00:00:00.000Z' },
      { person: '899700000003', since: '2026-01-01T00:00:00.000Z', until: '2026-05-31T00:00:00.000Z' },
      { structure: '1010099999', since: '2026-01-01T00:00:00.000Z' },
    ],
  }
  const about = (consents: readonly Consent[]) =>
    consents.flatMap(({ provision }) =>
      provision?.actor ? [`${provision.type} ${provision.actor[0]?.reference?.identifier?.value}`] : [],
    )

  it('name the persons to whoever may see them, and no authorisation that has ended', () => {
    const consents = consentsOf({ facts: aRecord(), choices, persons }, write, { caller: undefined, now })
    assert.deepEqual(about(consents), ['deny 899700000001', 'permit 899700000002'])
  })

  it('tell others only where they stand themselves', () => {
    const asked = (facts = aRecord()) => about(consentsOf({ facts, choices }, write, { caller: '899700000009', now }))
    assert.deepEqual(asked(), [])
    assert.deepEqual(asked(aRecord({ authorisation: 'VALIDE' })), ['permit 899700000009'])
    assert.deepEqual(asked(aRecord({ authorisation: 'INTERDIT' })), ['deny 899700000009'])
    assert.deepEqual(asked(aRecord({ authorisation: 'EXPIRE' })), [])
  })
})
