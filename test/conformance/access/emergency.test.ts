/** Break-glass and medical regulation (EM1–EM3), and who is kept out whatever the mode (BL1, BL2, BD1, ID2, ID3). */
import assert from 'node:assert/strict'
import { aDocument, aPatient, type Door, declared, people } from '../../support/gateway.ts'
import { atBothDoors, feed, found, withGateway } from './suite.ts'

const { author, colleague, nurse, staff, structure } = people
const urgent = { ...colleague, purpose: 'bris_de_glace', reason: 'patient inconscient' } as const
const careTeam = { consent: declared.careTeam }
const informed = { consent: declared.informed }

withGateway('break-glass', (suite) => {
  atBothDoors(
    suite,
    'opens the record without consent, and tells the patient and the treating physician',
    async (door) => {
      const { gateway } = suite
      const patient = await gateway.patient()
      const { stored, bytes } = await feed(door, patient)
      assert.deepEqual(await found(door, urgent, patient, {}), [stored.uniqueId])
      assert.ok((await door.retrieve({ ...urgent, ins: patient.ins }, stored)).bytes?.equals(bytes))
      const told = await gateway.embedded.administration.notifications(patient.key)
      const emergency = told.filter(({ kind }) => kind === 'emergency-access')
      assert.deepEqual([...new Set(emergency.map(({ recipient }) => recipient))].sort(), [
        'patient',
        'treating-physician',
      ])
      assert.match(emergency[0]?.text ?? '', /Bris de glace.*patient inconscient/)
      const [retrieval] = await gateway.records(patient)
      assert.deepEqual(
        [retrieval?.operation, retrieval?.purpose, retrieval?.reason],
        ['TD3.2', 'bris_de_glace', urgent.reason],
      )
    },
  )

  atBothDoors(suite, 'needs a reason', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(door, patient)
    const { reason: _, ...without } = urgent
    assert.equal((await door.find(without, patient, careTeam)).outcome.code, 'reason-required')
    const { outcome, bytes } = await door.retrieve({ ...without, ins: patient.ins }, stored, careTeam)
    assert.deepEqual([outcome.code, bytes], ['reason-required', undefined])
  })

  atBothDoors(suite, 'is refused where the patient has refused it', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await gateway.embedded.administration.setChoice(patient.key, 'breakGlassPermitted', false, gateway.change(patient))
    assert.equal((await door.find(urgent, patient)).outcome.code, 'emergency-refused-by-patient')
    assert.deepEqual(await found(door, colleague, patient), [])
  })

  it('is asked for in the header where the token says no mode, with the reason; the answer says the mode', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await feed(gateway.fhirDoor, patient)
    const ask = (purpose: string, who: object = colleague) => gateway.fhir.find(who, patient, { purpose })
    assert.equal((await ask('bris_de_glace')).outcome.code, 'reason-required')
    assert.equal((await ask('bris_de_glace; reason="patient inconscient"')).total, 1)
    assert.equal((await ask('normal')).outcome.code, 'consent-missing')
    assert.equal((await ask('n_importe_quoi')).outcome.code, 'header-invalid')
    const contradiction = await ask('bris_de_glace; reason="x"', { ...colleague, purpose: 'normal' })
    assert.deepEqual([contradiction.outcome.status, contradiction.outcome.code], [400, 'header-invalid'])
    const target = `/DocumentReference?patient.identifier=urn:oid:${patient.authority}%7C${patient.ins}`
    const { headers } = await gateway.fhir.call(urgent, 'GET', target)
    assert.equal(headers.get('dmp-access-mode'), 'bris_de_glace')
  })

  atBothDoors(suite, 'feeds as the functional-rights matrix says, and the mode is on record', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    assert.ok((await door.feed(urgent, aDocument(patient), informed)).ok)
    const [record] = await gateway.records(patient)
    assert.deepEqual([record?.operation, record?.purpose], ['TD2.1', 'bris_de_glace'])
  })
})

withGateway(
  'medical regulation',
  (suite) => {
    const regulation = { ...colleague, purpose: 'centre_15' } as const

    atBothDoors(suite, 'is for regulation centres, by the token or by the configuration', async (door) => {
      const patient = await suite.gateway.patient()
      const { stored } = await feed(door, patient)
      assert.equal((await door.find(regulation, patient)).outcome.code, 'not-a-regulation-centre')
      assert.deepEqual(await found(door, { ...regulation, regulation: true }, patient, {}), [stored.uniqueId])
      assert.deepEqual(await found(door, { ...regulation, structure: '1150099999' }, patient, {}), [stored.uniqueId])
    })

    atBothDoors(suite, 'is refused where the patient has refused it', async (door) => {
      const { gateway } = suite
      const patient = await gateway.patient()
      await gateway.embedded.administration.setChoice(
        patient.key,
        'regulationPermitted',
        false,
        gateway.change(patient),
      )
      const { code } = (await door.find({ ...regulation, regulation: true }, patient)).outcome
      assert.equal(code, 'emergency-refused-by-patient')
    })
  },
  { 'access.regulationCentres': ['1150099999'] },
)

withGateway('a person the patient has blocked', (suite) => {
  atBothDoors(suite, 'neither consults nor feeds, in an emergency either; the structure still feeds', async (door) => {
    const { gateway } = suite
    const { administration } = gateway.embedded
    const patient = await gateway.patient()
    const { stored } = await feed(door, patient)
    await administration.block(patient.key, colleague.id, gateway.change(patient))
    for (const who of [colleague, urgent]) {
      assert.equal((await door.find(who, patient, careTeam)).outcome.code, 'professional-blocked')
      const { outcome, bytes } = await door.retrieve({ ...who, ins: patient.ins }, stored, careTeam)
      assert.deepEqual([outcome.code, bytes], ['professional-blocked', undefined])
    }
    assert.equal((await door.feed(colleague, aDocument(patient), informed)).code, 'professional-blocked')
    assert.ok((await door.feed(structure, aDocument(patient), informed)).ok)
    assert.equal((await found(door, author, patient)).length, 2)
    await administration.unblock(patient.key, colleague.id, gateway.change(patient))
    assert.equal((await found(door, colleague, patient)).length, 2)
  })

  atBothDoors(suite, 'whose token names no patient is told nothing of why a document is not there', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(door, patient)
    await gateway.embedded.administration.block(patient.key, colleague.id, gateway.change(patient))
    const { outcome } = await door.retrieve(colleague, stored, careTeam)
    assert.ok(['not-found', 'XDSDocumentUniqueIdError'].includes(outcome.code ?? ''), outcome.code)
    const [record] = await gateway.records(patient)
    assert.deepEqual([record?.outcome, record?.reasonCode, record?.rule], ['refused', 'professional-blocked', 'BL1'])
  })
})

withGateway('a record', (suite) => {
  async function refusedEverywhere(door: Door, patient: ReturnType<typeof aPatient>, code: string): Promise<void> {
    assert.equal((await door.find(colleague, patient, careTeam)).outcome.code, code)
    assert.equal((await door.find(urgent, patient)).outcome.code, code)
    assert.equal((await door.feed(structure, aDocument(patient), informed)).code, code)
  }

  atBothDoors(suite, 'that is closed is neither read nor fed, and its history is', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await feed(door, patient)
    await gateway.embedded.administration.close(patient.key, gateway.change(patient))
    await refusedEverywhere(door, patient, 'dmp-closed')
    assert.equal((await door.find(patient.identity, patient)).outcome.code, 'dmp-closed')
    assert.ok((await gateway.fhir.history(patient.identity, patient)).outcome.ok)
    await gateway.embedded.administration.reopen(patient.key, gateway.change(patient))
    assert.equal((await found(door, colleague, patient)).length, 1)
  })

  atBothDoors(suite, 'of a person in brain death is closed to all who care, not the history', async (door) => {
    const { gateway } = suite
    const patient = await gateway.patient()
    await gateway.embedded.administration.setBrainDeath(patient.key, true, gateway.change(patient))
    await refusedEverywhere(door, patient, 'brain-death')
    assert.ok((await gateway.fhir.history(patient.identity, patient)).outcome.ok)
  })

  atBothDoors(suite, 'that does not exist is said so to those who feed and search', async (door) => {
    await refusedEverywhere(door, aPatient(), 'dmp-unknown')
  })

  atBothDoors(suite, 'of another patient than the token’s is out of reach', async (door) => {
    const [mine, other] = [await suite.gateway.patient(), await suite.gateway.patient()]
    const { stored } = await feed(door, other)
    const bound = { ...colleague, ins: mine.ins }
    assert.equal((await door.find(bound, other, careTeam)).outcome.code, 'patient-mismatch')
    assert.equal((await door.find(mine.identity, other)).outcome.code, 'patient-mismatch')
    // A document of another patient is absent, not refused
    const { outcome, bytes } = await door.retrieve(bound, stored, careTeam)
    assert.ok(['not-found', 'XDSDocumentUniqueIdError'].includes(outcome.code ?? ''), outcome.code)
    assert.equal(bytes, undefined)
  })
})

withGateway('roles', (suite) => {
  atBothDoors(suite, 'structure and staff feed and never consult', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(door, patient, {}, staff)
    for (const [who, code] of [
      [structure, 'nominative-identity-required'],
      [staff, 'not-permitted-for-role'],
    ] as const) {
      assert.equal((await door.find(who, patient, careTeam)).outcome.code, code)
      assert.equal((await door.retrieve({ ...who, ins: patient.ins }, stored, careTeam)).outcome.code, code)
    }
  })

  atBothDoors(suite, 'a professional behind a plain structure certificate does not consult', async (door) => {
    const patient = await suite.gateway.patient()
    const { code } = (await door.find({ ...colleague, authentication: 'indirect' }, patient, careTeam)).outcome
    assert.equal(code, 'nominative-identity-required')
  })

  atBothDoors(suite, 'the administrator of the embedded DMP reads nothing', async (door) => {
    const patient = await suite.gateway.patient()
    const { stored } = await feed(door, patient)
    const system = { ...people.system, ins: patient.ins }
    assert.equal((await door.find(system, patient, careTeam)).outcome.code, 'not-permitted-for-role')
    assert.equal((await door.retrieve(system, stored, careTeam)).bytes, undefined)
  })

  atBothDoors(suite, 'an occupational physician never consults', async (door) => {
    const patient = await suite.gateway.patient()
    const { code } = (await door.find({ ...colleague, specialities: ['SM25'] }, patient, careTeam)).outcome
    assert.equal(code, 'not-permitted-for-role')
  })

  atBothDoors(
    suite,
    'a representative reads the record of a minor, without what is hidden from representatives',
    async (door) => {
      const { gateway } = suite
      const birthDate = `${new Date().getUTCFullYear() - 10}-01-01`
      const minor = await gateway.patient({ birthDate })
      const adult = await gateway.patient({ birthDate: '1980-01-01' })
      const { entry } = await feed(door, minor)
      await feed(door, adult)
      const parent = (ins: string) => ({ kind: 'representative', ins }) as const
      assert.deepEqual(await found(door, parent(minor.ins), minor, {}), [entry.uniqueId])
      assert.equal((await door.find(parent(adult.ins), adult)).outcome.code, 'not-permitted-for-role')
    },
  )

  atBothDoors(suite, 'a nurse consults as the matrix says', async (door) => {
    const patient = await suite.gateway.patient()
    await feed(door, patient)
    assert.equal((await found(door, nurse, patient)).length, 1)
  })
})
