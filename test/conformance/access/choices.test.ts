/** The patient's choices, by Consent and by operation: in force for the very next request, and in the history. */
import assert from 'node:assert/strict'
import { choose, consentsOf, operate, provisions } from '../../support/consent.ts'
import { aDocument, declared, people, type TestPatient } from '../../support/gateway.ts'
import { atBothDoors, feed, found, withGateway } from './suite.ts'

const { author, colleague, nurse, staff, stranger, structure, system } = people
const careTeam = { consent: declared.careTeam }
const urgent = { ...colleague, purpose: 'bris_de_glace', reason: 'patient inconscient' } as const
const parent = ({ ins, authority }: TestPatient) => ({ kind: 'representative', ins, insSystem: authority }) as const
const minor = { birthDate: `${new Date().getUTCFullYear() - 10}-01-01` }
const administrator = { name: 'MARCHAL Inès', id: '899700000009', specialities: ['SM26'] }
const designate = (id: string) => [{ name: 'person', valueString: id }]
const yes = [{ name: 'value', valueBoolean: true }]

withGateway('the choices of a patient', (suite) => {
  const chosen = async (patient: TestPatient, provision: Parameters<typeof choose>[3], who = patient.identity) => {
    const reply = await choose(suite.gateway.fhir, who, patient, provision)
    assert.equal(reply.status, 201, reply.outcome.text)
    return reply
  }
  const done = async (patient: TestPatient, name: string, parameter: Parameters<typeof operate>[4] = []) => {
    const reply = await operate(suite.gateway.fhir, patient.identity, name, patient, parameter)
    assert.equal(reply.status, 200, reply.outcome.text)
  }

  atBothDoors(suite, 'close and open break-glass, on the very next request', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(door, patient)
    assert.deepEqual(await found(door, urgent, patient, {}), [stored.uniqueId])
    await chosen(patient, provisions.breakGlass('deny'))
    assert.equal((await door.find(urgent, patient)).outcome.code, 'emergency-refused-by-patient')
    await chosen(patient, provisions.breakGlass('permit'))
    assert.deepEqual(await found(door, urgent, patient, {}), [stored.uniqueId])
  })

  atBothDoors(suite, 'close access by the regulation centres', async (door) => {
    const patient = await suite.gateway.patient()
    const regulator = { ...colleague, purpose: 'centre_15', regulation: true } as const
    await feed(door, patient)
    assert.equal((await found(door, regulator, patient, {})).length, 1)
    await chosen(patient, provisions.regulation('deny'))
    assert.equal((await door.find(regulator, patient)).outcome.code, 'emergency-refused-by-patient')
  })

  atBothDoors(suite, 'open masked documents in emergency, and only where an emergency mode is open', async (door) => {
    const patient = await suite.gateway.patient()
    await feed(door, patient)
    await done(patient, 'mask-all')
    assert.deepEqual(await found(door, urgent, patient, {}), [])
    await chosen(patient, provisions.maskedInEmergency('permit'))
    assert.equal((await found(door, urgent, patient, {})).length, 1)
    await chosen(patient, provisions.breakGlass('deny'))
    await chosen(patient, provisions.regulation('deny'))
    const contradiction = await choose(
      suite.gateway.fhir,
      patient.identity,
      patient,
      provisions.maskedInEmergency('permit'),
    )
    assert.deepEqual([contradiction.status, contradiction.outcome.code], [422, 'choice-contradictory'])
    // Both modes refused: so are masked documents, even once a mode is permitted again.
    await chosen(patient, provisions.breakGlass('permit'))
    assert.deepEqual(await found(door, urgent, patient, {}), [])
  })

  atBothDoors(suite, 'block and unblock a professional, emergency included', async (door) => {
    const patient = await suite.gateway.patient()
    await feed(door, patient)
    await chosen(patient, provisions.person('deny', colleague.id))
    for (const who of [colleague, urgent])
      assert.equal((await door.find(who, patient, careTeam)).outcome.code, 'professional-blocked')
    assert.equal((await found(door, author, patient)).length, 1)
    await chosen(patient, provisions.person('permit', colleague.id))
    assert.equal((await found(door, colleague, patient)).length, 1)
  })

  atBothDoors(suite, 'oppose consultation, and feeding', async (door) => {
    const patient = await suite.gateway.patient()
    await feed(door, patient)
    await chosen(patient, provisions.consultation('deny'))
    assert.equal((await door.find(colleague, patient, careTeam)).outcome.code, 'consultation-opposed')
    await chosen(patient, provisions.feeding('deny'))
    const informed = { consent: declared.informed }
    assert.equal((await door.feed(structure, aDocument(patient), informed)).code, 'feed-opposed')
    await chosen(patient, provisions.feeding('permit'))
    await chosen(patient, provisions.consultation('permit'))
    await feed(door, patient)
    assert.equal((await found(door, colleague, patient)).length, 2)
  })

  atBothDoors(suite, 'mask every document at once, and unmask them', async (door) => {
    const patient = await suite.gateway.patient()
    const own = await feed(door, patient, {}, author)
    const other = await feed(door, patient)
    await done(patient, 'mask-all')
    assert.deepEqual(await found(door, colleague, patient), [])
    assert.deepEqual(await found(door, author, patient), [own.stored.uniqueId, other.stored.uniqueId].sort())
    assert.equal((await found(door, { ...patient.identity }, patient, {})).length, 2)
    await done(patient, 'unmask-all')
    assert.equal((await found(door, colleague, patient)).length, 2)
  })

  atBothDoors(suite, 'mask by default what is fed afterwards', async (door) => {
    const patient = await suite.gateway.patient()
    await done(patient, 'mask-by-default', yes)
    await feed(door, patient)
    assert.deepEqual(await found(door, colleague, patient), [])
    await done(patient, 'mask-by-default', [{ name: 'value', valueBoolean: false }])
    await feed(door, patient)
    assert.equal((await found(door, colleague, patient)).length, 1)
  })

  atBothDoors(suite, 'close the record and open it again', async (door) => {
    const patient = await suite.gateway.patient()
    await feed(door, patient)
    await done(patient, 'close')
    assert.equal((await door.find(colleague, patient, careTeam)).outcome.code, 'dmp-closed')
    assert.equal((await door.feed(structure, aDocument(patient), { consent: declared.informed })).code, 'dmp-closed')
    await done(patient, 'reopen')
    assert.equal((await found(door, colleague, patient)).length, 1)
  })

  atBothDoors(
    suite,
    'designate the administrator, who sees masked documents and acts for the patient',
    async (door) => {
      const { gateway } = suite
      const patient = await gateway.patient()
      await feed(door, patient)
      await done(patient, 'mask-all')
      const refused = await choose(gateway.fhir, administrator, patient, provisions.person('deny', colleague.id))
      assert.deepEqual(
        [refused.status, refused.outcome.code, refused.outcome.rule],
        [403, 'not-permitted-for-role', 'MT1'],
      )
      await done(patient, 'designate-administrator', designate(administrator.id))
      assert.equal((await found(door, administrator, patient)).length, 1)
      await chosen(patient, provisions.person('deny', colleague.id), administrator)
      const [record] = await gateway.records(patient)
      assert.deepEqual(
        [record?.operation, record?.rule, record?.caller.person?.id, record?.change],
        ['choose', 'MT1', administrator.id, { kind: 'block', person: colleague.id }],
      )
      assert.equal((await door.find(colleague, patient, careTeam)).outcome.code, 'professional-blocked')
      await done(patient, 'designate-administrator', [{ name: 'none', valueBoolean: true }])
      assert.deepEqual(await found(door, administrator, patient), [])
    },
  )

  atBothDoors(suite, 'are made for a minor by the representative, and not for an adult', async (door) => {
    const { gateway } = suite
    const child = await gateway.patient(minor)
    await feed(door, child)
    await chosen(child, provisions.consultation('deny'), parent(child))
    assert.equal((await door.find(colleague, child, careTeam)).outcome.code, 'consultation-opposed')
    const adult = await gateway.patient({ birthDate: '1980-01-01' })
    const reply = await choose(gateway.fhir, parent(adult), adult, provisions.consultation('deny'))
    assert.deepEqual([reply.status, reply.outcome.rule], [403, 'PA2'])
  })

  it('are made by nobody else', async () => {
    const { fhir, patient } = suite.gateway
    const mine = await patient()
    const other = await patient()
    for (const who of [colleague, nurse, staff, structure]) {
      const reply = await choose(fhir, who, mine, provisions.breakGlass('deny'))
      assert.deepEqual([reply.status, reply.outcome.code], [403, 'not-permitted-for-role'], JSON.stringify(who))
      for (const name of ['mask-all', 'unmask-all', 'close', 'reopen', 'copy'])
        assert.equal((await operate(fhir, who, name, mine)).status, 403, name)
    }
    assert.equal(
      (await choose(fhir, system, mine, provisions.breakGlass('deny'))).outcome.code,
      'not-permitted-for-role',
    )
    const mismatch = await choose(fhir, other.identity, mine, provisions.breakGlass('deny'))
    assert.equal(mismatch.outcome.code, 'patient-mismatch')
    const { consents } = await consentsOf(fhir, mine.identity, mine)
    assert.equal(consents.find(({ id }) => id?.endsWith('.break-glass'))?.provision?.type, 'permit')
  })

  it('let the administrator of the service close and reopen a record', async () => {
    const { fhir, patient } = suite.gateway
    const mine = await patient()
    assert.equal((await operate(fhir, system, 'close', mine)).status, 200)
    assert.equal((await choose(fhir, mine.identity, mine, provisions.breakGlass('deny'))).outcome.code, 'dmp-closed')
    assert.equal((await operate(fhir, system, 'reopen', mine)).status, 200)
    await chosen(mine, provisions.breakGlass('deny'))
  })

  it('are in the history, refused ones too, in words that the patient reads', async () => {
    const { fhir, patient } = suite.gateway
    const mine = await patient()
    await chosen(mine, provisions.breakGlass('deny'))
    await done(mine, 'mask-by-default', yes)
    await choose(fhir, colleague, mine, provisions.person('deny', nurse.id))
    await done(mine, 'close')
    const { json } = await fhir.history(mine.identity, mine)
    const text = JSON.stringify(json)
    for (const words of [
      'Choix du patient : le refus du bris de glace – autorisé',
      'Choix du patient : le masquage des nouveaux documents – autorisé',
      `Choix du patient : le blocage du professionnel ${nurse.id} – refusé`,
      'Fermeture du DMP – autorisé',
    ])
      assert.ok(text.includes(words), words)
  })

  it('are all of them in force as Consents, each under its own id', async () => {
    const { fhir, patient } = suite.gateway
    const mine = await patient()
    const reply = await chosen(mine, provisions.consultation('deny'))
    await chosen(mine, provisions.person('deny', stranger.id))
    const { consents } = await consentsOf(fhir, mine.identity, mine)
    const types = Object.fromEntries(
      consents.map(({ id, provision }) => [id?.split('.')[1]?.split('-')[0], provision?.type]),
    )
    assert.deepEqual(types, {
      break: 'permit',
      regulation: 'permit',
      masked: 'deny',
      consultation: 'deny',
      feeding: 'permit',
      mask: 'permit',
      initial: 'deny',
      block: 'deny',
    })
    const read = await fhir.call(mine.identity, 'GET', String(reply.headers.get('location')))
    assert.deepEqual([read.status, read.json], [200, JSON.parse(reply.bytes.toString())])
    for (const { id } of consents) assert.match(id ?? '', /^[A-Za-z0-9.-]{1,64}$/)
    assert.ok(!reply.headers.get('location')?.includes(mine.ins))
    const posted = await fhir.call(mine.identity, 'POST', '/Consent/_search', {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: `patient.identifier=urn:oid:${mine.authority}|${mine.ins}&status=active`,
    })
    assert.equal((posted.json as { total?: number } | undefined)?.total, consents.length)
  })
})

withGateway('an own authorisation (TD0.3, AU1)', (suite) => {
  const statusOf = async (patient: TestPatient, who: object) => {
    const { consents } = await consentsOf(suite.gateway.fhir, who, patient)
    return consents.filter(({ id }) => id?.includes('.authorisation-')).map(({ provision }) => provision?.type)
  }

  it('is added after a declared consent, and withdrawn', async () => {
    const { fhir, patient } = suite.gateway
    const mine = await patient()
    const without = await choose(fhir, colleague, mine, provisions.person('permit', colleague.id))
    assert.deepEqual([without.status, without.outcome.code], [403, 'consent-missing'])
    assert.deepEqual(await statusOf(mine, colleague), [])
    const added = await choose(fhir, colleague, mine, provisions.person('permit', colleague.id), careTeam)
    assert.equal(added.status, 201, added.outcome.text)
    assert.deepEqual(await statusOf(mine, colleague), ['permit'])
    assert.equal((await fhir.call(colleague, 'GET', String(added.headers.get('location')))).status, 200)
    await choose(fhir, colleague, mine, provisions.person('deny', colleague.id))
    assert.deepEqual(await statusOf(mine, colleague), [])
  })

  it('is for the normal mode only', async () => {
    const { fhir, patient } = suite.gateway
    const reply = await choose(fhir, urgent, await patient(), provisions.person('permit', colleague.id), careTeam)
    assert.deepEqual([reply.status, reply.outcome.code], [403, 'not-permitted-for-role'])
  })

  it('ends where its period ends', async () => {
    const { fhir, patient, embedded } = suite.gateway
    const mine = await patient()
    const provision = { ...provisions.person('permit', colleague.id), period: { end: '2100-01-01' } }
    assert.equal((await choose(fhir, colleague, mine, provision, careTeam)).status, 201)
    const [held] = (await embedded.choices.inForce(mine.key))?.authorised ?? []
    assert.equal(held?.until, '2100-01-01T23:59:59.999Z')
    const past = { ...provisions.person('permit', colleague.id), period: { end: '2020-01-01T00:00:00Z' } }
    assert.equal((await choose(fhir, colleague, mine, past, careTeam)).status, 201)
    assert.deepEqual(await statusOf(mine, colleague), [])
  })

  it('is not for somebody who is blocked', async () => {
    const { fhir, patient } = suite.gateway
    const mine = await patient()
    await choose(fhir, mine.identity, mine, provisions.person('deny', colleague.id))
    const reply = await choose(fhir, colleague, mine, provisions.person('permit', colleague.id), careTeam)
    assert.equal(reply.outcome.code, 'professional-blocked')
  })
})
