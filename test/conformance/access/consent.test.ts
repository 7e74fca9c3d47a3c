/** Declarations: what must be declared, what is remembered and for whom (INTERFACE, Consent headers; CO1–CO3, FE1, FE2). */
import assert from 'node:assert/strict'
import { choose, provisions } from '../../support/consent.ts'
import { aDocument, type Declaration, declared, people, type TestPatient } from '../../support/gateway.ts'
import { at } from '../../support/json.ts'
import { atBothDoors, feed, found, withGateway } from './suite.ts'

const { author, colleague, structure, stranger } = people

const careTeam = (episode: string, informed?: boolean): { readonly consent: Declaration } => ({
  consent: { basis: 'care-team', episode, ...(informed !== undefined && { informed }) },
})

withGateway('consultation', (suite) => {
  async function recordWithDocument(): Promise<TestPatient> {
    const patient = await suite.gateway.patient()
    await feed(suite.gateway.xdsDoor, patient)
    return patient
  }

  atBothDoors(suite, 'is refused as a whole without a declaration, a search too', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(door, patient)
    const search = await door.find(colleague, patient)
    assert.deepEqual([search.outcome.ok, search.outcome.code, search.outcome.rule], [false, 'consent-missing', 'CO3'])
    assert.deepEqual(search.entries, [])
    const retrieval = await door.retrieve({ ...colleague, ins: patient.ins }, stored)
    assert.equal(retrieval.outcome.code, 'consent-missing')
    assert.equal(retrieval.bytes, undefined)
  })

  atBothDoors(suite, 'by the care team needs the episode and the information for it', async (door) => {
    const patient = await recordWithDocument()
    const ask = async (consent: Declaration) => (await door.find(colleague, patient, { consent })).outcome.code
    assert.equal(await ask({ basis: 'care-team' }), 'patient-not-informed')
    assert.equal(await ask({ basis: 'care-team', informed: true }), 'consent-missing')
    assert.equal(await ask({ basis: 'care-team', episode: 'E-1' }), 'patient-not-informed')
    assert.equal(await ask({ basis: 'care-team', episode: 'E-1', informed: false }), 'patient-not-informed')
    assert.equal(
      await ask({ basis: 'care-team', episode: 'E-1', informed: true, means: 'poster' }),
      'patient-not-informed',
    )
    assert.equal(await ask({ basis: 'care-team', episode: 'E-1', informed: true }), undefined)
  })

  atBothDoors(suite, 'is informed once for a patient, a structure and an episode, whoever of it asks', async (door) => {
    const patient = await recordWithDocument()
    const ask = async (who: typeof colleague | typeof stranger, which: TestPatient, episode: string) =>
      (await door.find(who, which, careTeam(episode))).outcome.code
    assert.equal((await found(door, colleague, patient, careTeam('E-7', true))).length, 1)
    assert.equal(await ask(colleague, patient, 'E-7'), undefined)
    assert.equal((await found(door, author, patient, careTeam('E-7'))).length, 1)
    assert.equal(await ask(colleague, patient, 'E-8'), 'patient-not-informed')
    assert.equal(await ask(stranger, patient, 'E-7'), 'patient-not-informed')
    assert.equal(await ask(colleague, await recordWithDocument(), 'E-7'), 'patient-not-informed')
  })

  it('informed at one door is informed at the other', async () => {
    const { gateway } = suite
    const patient = await recordWithDocument()
    assert.equal((await found(gateway.xdsDoor, colleague, patient, careTeam('E-9', true))).length, 1)
    assert.equal((await found(gateway.fhirDoor, colleague, patient, careTeam('E-9'))).length, 1)
  })

  atBothDoors(suite, 'with explicit consent is declared at each consultation', async (door) => {
    const patient = await recordWithDocument()
    assert.equal((await found(door, stranger, patient, { consent: declared.explicit })).length, 1)
    assert.equal((await door.find(stranger, patient)).outcome.code, 'consent-missing')
    const poster = { consent: { basis: 'explicit', means: 'poster' } } as const
    assert.equal((await door.find(stranger, patient, poster)).outcome.code, 'consent-missing')
  })

  atBothDoors(suite, 'is what information on feeding does not open', async (door) => {
    const patient = await recordWithDocument()
    const { code } = (await door.find(colleague, patient, { consent: { basis: 'care-team', episode: 'E-1' } })).outcome
    assert.equal(code, 'patient-not-informed')
  })

  atBothDoors(suite, 'is closed by the patient’s opposition, whatever is declared', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(door, patient)
    await gateway.embedded.administration.setChoice(patient.key, 'consultationOpposed', true, gateway.change(patient))
    for (const consent of [declared.careTeam, declared.explicit]) {
      assert.equal((await door.find(colleague, patient, { consent })).outcome.code, 'consultation-opposed')
      const { outcome, bytes } = await door.retrieve({ ...colleague, ins: patient.ins }, stored, { consent })
      assert.deepEqual([outcome.code, bytes], ['consultation-opposed', undefined])
    }
    const urgent = { ...colleague, purpose: 'bris_de_glace', reason: 'patient inconscient' } as const
    assert.equal((await found(door, urgent, patient, {})).length, 1)
    assert.equal((await found(door, patient.identity, patient, {})).length, 1)
  })

  atBothDoors(suite, 'of the own record needs no declaration', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored, bytes } = await feed(door, patient)
    assert.deepEqual(await found(door, patient.identity, patient, {}), [stored.uniqueId])
    assert.ok((await door.retrieve(patient.identity, stored)).bytes?.equals(bytes))
  })
})

withGateway('feeding', (suite) => {
  atBothDoors(suite, 'needs the patient informed, once for a patient and a structure', async (door) => {
    const patient = await suite.gateway.patient()
    const take = async (who: typeof structure | typeof stranger, which: TestPatient, consent?: Declaration) =>
      (await door.feed(who, aDocument(which), consent ? { consent } : {})).code
    assert.equal(await take(structure, patient), 'patient-not-informed')
    assert.equal(await take(structure, patient, { informed: true, means: 'poster' }), 'patient-not-informed')
    assert.equal(await take(structure, patient, { informed: true }), undefined)
    assert.equal(await take(structure, patient), undefined)
    assert.equal((await door.feed(author, aDocument(patient))).code, undefined, 'a collaborator may have informed')
    assert.equal(await take(stranger, patient), 'patient-not-informed')
    assert.equal(await take(structure, await suite.gateway.patient()), 'patient-not-informed')
    assert.equal((await found(door, patient.identity, patient, {})).length, 3)
  })

  it('informed at one door is informed at the other', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await feed(gateway.fhirDoor, patient)
    assert.ok((await gateway.xdsDoor.feed(structure, aDocument(patient))).ok)
  })

  atBothDoors(
    suite,
    'the patient opposes for a legitimate reason stores nothing, and the refusal is on record',
    async (door) => {
      const { gateway } = suite
      const patient = await gateway.patient()
      const consent = { opposition: true, informed: true, reason: 'motif légitime : « à demander »' } as const
      const outcome = await door.feed(structure, aDocument(patient), { consent })
      assert.deepEqual([outcome.ok, outcome.code, outcome.rule], [false, 'feed-opposed', 'FE1'])
      assert.deepEqual(await found(door, patient.identity, patient, {}), [])
      const [search, refusal] = await gateway.records(patient)
      assert.equal(search?.operation, 'TD3.1a')
      assert.deepEqual(
        [refusal?.operation, refusal?.outcome, refusal?.reasonCode, refusal?.declaration.reason],
        ['TD2.1', 'refused', 'feed-opposed', consent.reason],
      )
    },
  )

  atBothDoors(suite, 'the patient has opposed once and for all is refused', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await gateway.embedded.administration.setChoice(patient.key, 'feedOpposed', true, gateway.change(patient))
    assert.equal((await door.feed(structure, aDocument(patient), { consent: declared.informed })).code, 'feed-opposed')
  })

  atBothDoors(suite, 'tells the patient', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(door, patient)
    const notifications = await gateway.embedded.administration.notifications(patient.key)
    assert.deepEqual(
      notifications.map(({ kind, recipient, documents }) => [kind, recipient, documents]),
      [['feed', 'patient', [stored.logicalId]]],
    )
  })
})

withGateway('a declaration', (suite) => {
  it('in FHIR is a dictionary of RFC 9651, with accents as a Display String', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const header = 'opposition=?1, reason=%"motif l%c3%a9gitime"'
    const search = `/DocumentReference?patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}`
    const { outcome } = await gateway.fhir.call(colleague, 'GET', search, { headers: { 'DMP-Consent': header } })
    assert.equal(outcome.code, 'consent-missing')
    const wrong = await gateway.fhir.call(colleague, 'GET', search, { headers: { 'DMP-Consent': 'reason="légitime"' } })
    assert.equal(wrong.status, 400)
    assert.equal(wrong.outcome.code, 'header-invalid')
    assert.match(String(at(wrong.json, 'issue', 0, 'diagnostics')), /%"/, 'the answer names the Display String')
  })

  atBothDoors(suite, 'is kept with the access', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const consent = { ...declared.explicit, by: '899700000009' }
    await door.find(colleague, patient, { consent })
    const [search] = await gateway.records(patient)
    assert.deepEqual(search?.declaration, consent)
  })
})

withGateway(
  'consultation where a first consent is required (access.initialConsent: true)',
  (suite) => {
    atBothDoors(
      suite,
      'waits for one consent of the patient to the care team, and ends with it (CO4)',
      async (door) => {
        const { fhir, patient: open } = suite.gateway
        const patient = await open()
        const { stored } = await feed(door, patient)
        const refused = async () => {
          const { outcome } = await door.find(colleague, patient, careTeam('E-1', true))
          assert.deepEqual([outcome.ok, outcome.code, outcome.rule], [false, 'initial-consent-missing', 'CO4'])
        }
        await refused()
        assert.equal((await choose(fhir, patient.identity, patient, provisions.initialConsent('permit'))).status, 201)
        assert.deepEqual(await found(door, colleague, patient, careTeam('E-1', true)), [stored.uniqueId])
        assert.equal((await choose(fhir, patient.identity, patient, provisions.initialConsent('deny'))).status, 201)
        await refused()
      },
    )
  },
  { 'access.initialConsent': true },
)
