import assert from 'node:assert/strict'
import { aDocument, aPatient, declared, people, type TestDocument } from '../../support/gateway.ts'
import { at, type Json } from '../../support/json.ts'
import { openPdsmGateway, type PdsmGateway } from '../../support/pdsm.ts'
import type { Asked, Between } from '../../support/pdsm-proxy.ts'

describe('who asks a DMP that speaks PDSm', () => {
  let gateway: PdsmGateway
  let between: Between
  before(async () => {
    gateway = await openPdsmGateway({}, {}, true)
    assert.ok(gateway.between)
    between = gateway.between
    // What the DMP declares is read once, whoever comes first
    assert.equal((await fetch(`${gateway.url}/health/ready`)).status, 200)
  })
  after(() => gateway.close())

  /** What the DMP was asked while `act` ran: `POST /fhir/List/_search`, without queries. */
  const asked = async (act: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = between.asked.length
    await act()
    return between.asked.slice(before).map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`)
  }
  const searched = 'POST /fhir/DocumentReference/_search'
  const status = 'GET /fhir/Patient'
  const feed = async (document: TestDocument, who: object = people.structure) => {
    const fed = await gateway.xdsDoor.feed(who, document, { consent: declared.informed })
    assert.ok(fed.ok, JSON.stringify(fed))
    return fed
  }

  it('presents to each call the professional who makes it, however many at once', async () => {
    const patients = await Promise.all(Array.from({ length: 4 }, () => gateway.patient()))
    const before = between.asked.length
    await Promise.all(
      patients.flatMap((patient) =>
        [people.author, people.colleague].map((who) =>
          gateway.fhirDoor.find(who, patient, { consent: declared.careTeam }),
        ),
      ),
    )
    const seen = between.asked.slice(before)
    for (const { ins } of patients)
      for (const { id } of [people.author, people.colleague]) {
        const own = seen.filter((each) => personOf(each) === id && patientOf(each) === ins)
        assert.deepEqual(own.map(({ method, path }) => `${method} ${path.replace(/\?.*/, '')}`).sort(), [
          status,
          'POST /fhir/Consent',
          searched,
        ])
      }
    assert.equal(seen.length, 24)
    const tokens = seen.map(({ headers }) => headers.authorization)
    assert.equal(new Set(tokens).size, tokens.length, 'no token is used twice')
  })

  it('says in the token who asks, how, why and about whom, for a moment and with our certificate only', async () => {
    const patient = await gateway.patient()
    const who = { ...people.author, purpose: 'bris_de_glace', reason: 'patient inconscient, détresse' } as const
    await asked(() => gateway.xds.find(who, patient))
    const last = between.asked.findLast(({ path }) => path.includes('DocumentReference'))
    assert.ok(last)
    const { iss, aud, sub, exp = 0, iat = 0, cnf, extensions } = last.claims
    assert.deepEqual([iss, aud, sub], ['urn:dmp-gateway:front', 'urn:dmp-gateway:pdsm', people.author.id])
    assert.equal(exp - iat, 60)
    assert.match(String((cnf as { 'x5t#S256'?: string })['x5t#S256']), /^[\w-]{43}$/)
    const { ihe_iua: iua, ihe_bppc: bppc, dmp } = extensions as { [name: string]: { [name: string]: Json } }
    assert.equal(at(iua?.purpose_of_use, 0, 'code'), 'bris_de_glace')
    assert.deepEqual(dmp, {
      kind: 'professional',
      authentication: 'air',
      sector: 'SA01',
      reason: 'patient inconscient, détresse',
    })
    assert.match(String(bppc?.patient_id), new RegExp(`^${patient.ins}\\^`))
  })

  it('sends along what was declared, accents included', async () => {
    const patient = await gateway.patient()
    const consent = { ...declared.careTeam, episode: 'séjour-12' }
    await asked(() => gateway.xds.find(people.author, patient, { consent }))
    const last = between.asked.findLast(({ path }) => path.includes('DocumentReference'))
    assert.equal(last?.headers['dmp-consent'], 'basis=care-team, informed, episode=%"s%c3%a9jour-12"')
  })

  it('costs a consultation no more calls than it needs', async () => {
    const patient = await gateway.patient()
    await feed(aDocument(patient))
    const find = () => gateway.fhirDoor.find(people.author, patient, { consent: declared.careTeam })
    assert.deepEqual(await asked(find), [status, 'POST /fhir/Consent', searched])
    assert.deepEqual(await asked(find), [status, searched], 'TD0.3 has changed what TD0.2 says')
    assert.deepEqual(await asked(find), [searched], 'TD0.2 serves again for a while')
    const [entry] = (await find()).entries
    assert.ok(entry)
    const read = () => gateway.fhirDoor.retrieve(people.author, entry, { consent: declared.careTeam })
    assert.deepEqual(
      (await asked(read)).map((each) => each.replace(/Binary.*/, 'Binary')),
      [searched, 'GET /fhir/Binary'],
    )
    assert.deepEqual(await asked(() => feed(aDocument(patient), people.author)), ['POST /fhir'])
  })

  it('authorises nobody without a declared consent, and asks nothing of documents then', async () => {
    const patient = await gateway.patient()
    const seen = await asked(async () => {
      const { outcome } = await gateway.xds.find(people.author, patient)
      assert.equal(outcome.code, 'consent-missing')
    })
    assert.deepEqual(seen, [status])
  })

  it('asks in an emergency whether the patient allows it, and authorises nobody', async () => {
    const patient = await gateway.patient()
    await feed(aDocument(patient))
    const who = { ...people.author, purpose: 'bris_de_glace', reason: 'inconscient' } as const
    const seen = await asked(async () => {
      const { outcome } = await gateway.fhirDoor.find(who, patient)
      assert.ok(outcome.ok, outcome.text)
    })
    assert.deepEqual(seen, [status, 'GET /fhir/Consent', searched])
    const { administration } = gateway.farEnd.embedded
    await administration.setChoice(patient.key, 'breakGlassPermitted', false, gateway.change(patient))
    const again = await asked(async () => {
      const { outcome } = await gateway.fhirDoor.find(who, patient)
      assert.equal(outcome.code, 'emergency-refused-by-patient')
    })
    assert.ok(!again.includes(searched))
  })

  it('lets the guard of each side refuse: who is blocked there is refused here', async () => {
    const patient = await gateway.patient()
    const { administration } = gateway.farEnd.embedded
    await administration.block(patient.key, people.colleague.id, gateway.change(patient))
    for (const door of gateway.doors) {
      const { outcome } = await door.find(people.colleague, patient, { consent: declared.careTeam })
      assert.equal(outcome.code, 'professional-blocked', door.name)
    }
  })

  it('tells a patient without a DMP from one with', async () => {
    const { outcome } = await gateway.xds.find(people.author, aPatient(), { consent: declared.careTeam })
    assert.match(outcome.text, /dmp-unknown|XDSUnknownPatientId/)
  })

  it('lets nobody of another structure use the certificate', async () => {
    const patient = await gateway.patient()
    const seen = await asked(async () => {
      const { outcome } = await gateway.xds.find(people.stranger, patient, { consent: declared.careTeam })
      assert.equal(outcome.code, 'not-permitted-for-role')
    })
    assert.deepEqual(seen, [])
  })

  it('presents no patient: what is known here is what a patient reads here', async () => {
    const patient = await gateway.patient()
    await feed(aDocument(patient), people.author)
    const seen = await asked(async () => {
      const own = await gateway.fhirDoor.find(patient.identity, patient)
      assert.equal(own.total, 0)
      const token = encodeURIComponent(`urn:oid:${patient.authority}|${patient.ins}`)
      const history = await gateway.fhir.call(patient.identity, 'GET', `/AuditEvent?patient.identifier=${token}`)
      assert.equal(history.status, 200)
    })
    assert.deepEqual(seen, [])
  })
})

interface Extensions {
  readonly ihe_iua?: { readonly person_id?: string }
  readonly ihe_bppc?: { readonly patient_id?: string }
}

function personOf({ claims }: Asked): string | undefined {
  return (claims.extensions as Extensions | undefined)?.ihe_iua?.person_id
}

function patientOf({ claims }: Asked): string | undefined {
  return (claims.extensions as Extensions | undefined)?.ihe_bppc?.patient_id?.split('^')[0]
}
