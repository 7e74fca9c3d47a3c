/** A patient asks the author to rectify a document (PA1, RC1): on record, told, read by whom it is for, and nothing else. */
import assert from 'node:assert/strict'
import { codes } from '../../mothers/metadata.ts'
import { aDocument, aPatient, declared, type IdentityOptions, people, type TestPatient } from '../../support/gateway.ts'
import { at, type Json } from '../../support/json.ts'
import { acrossDoors, feed, withGateway } from './suite.ts'

const { author, colleague, nurse, structure, system, staff } = people
const why = 'Je ne suis pas allergique à la pénicilline.'

withGateway('a request for rectification', (suite) => {
  const ask = async (who: IdentityOptions, logicalId: string, reason: string | undefined = why) => {
    const target = `/DocumentReference/${logicalId.slice('urn:uuid:'.length)}/$request-rectification`
    const body = { resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: reason }] }
    return suite.gateway.fhir.call(who, 'POST', target, reason === '' ? {} : { body })
  }
  const rows = async (who: IdentityOptions, patient: TestPatient): Promise<readonly string[]> => {
    const { json } = await suite.gateway.fhir.history(who, patient)
    const entries = at(json, 'entry')
    return (Array.isArray(entries) ? entries : [])
      .map((entry: Json) => at(entry, 'resource'))
      .filter((event) => at(event, 'subtype', 0, 'code') === 'rectify')
      .map((event) => `${at(event, 'outcome')} ${at(event, 'outcomeDesc')}`)
  }
  const notices = async (patient: TestPatient) =>
    (await suite.gateway.embedded.choices.notices(patient.key)).filter(({ kind }) => kind === 'rectification')

  acrossDoors(
    suite,
    'is recorded, told to the author, and answered by a replacement (PA1, NO1)',
    async (fedBy, door) => {
      const { gateway } = suite
      const patient = await gateway.patient()
      const { stored } = await feed(fedBy, patient, {}, author)
      const reply = await ask(patient.identity, stored.logicalId)
      assert.equal(reply.status, 200, reply.outcome.text)
      const [record] = await gateway.records(patient)
      assert.deepEqual(
        [record?.operation, record?.outcome, record?.rule, record?.reason, record?.documents[0]?.logicalId],
        ['rectify', 'permitted', 'PA1', why, stored.logicalId],
      )
      assert.deepEqual(
        (await notices(patient)).map(({ recipient, documents }) => [recipient, documents]),
        [['author', [stored.logicalId]]],
      )
      for (const who of [patient.identity, author]) {
        const [row = ''] = await rows(who, patient)
        assert.match(row, /^0 .*Demande de rectification.*allergique/)
      }
      // The author acts on it: afterwards there is nothing to rectify in what was replaced
      const replaced = await door.feed(author, aDocument(patient), { replaces: stored, consent: declared.informed })
      assert.ok(replaced.ok, replaced.text)
      const again = await ask(patient.identity, stored.logicalId)
      assert.deepEqual([again.status, again.outcome.rule], [409, 'RC1'])
    },
  )

  it('is read by the author, of own documents alone, and by no other professional (HI1)', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.fhirDoor, patient, {}, author)
    await ask(patient.identity, stored.logicalId)
    assert.equal((await rows(author, patient)).length, 1)
    for (const who of [colleague, nurse]) assert.deepEqual(await rows(who, patient), [])
    await gateway.embedded.administration.designate(patient.key, 'treating', colleague.id, gateway.change(patient))
    assert.equal((await rows(colleague, patient)).length, 1)
  })

  it('stays in the history of an author whom the patient has blocked', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.fhirDoor, patient, {}, author)
    await gateway.embedded.administration.block(patient.key, author.id, gateway.change(patient))
    await ask(patient.identity, stored.logicalId)
    assert.equal((await rows(author, patient)).length, 1)
  })

  it('is made by the patient, the representative of a minor, or the treating physician for the patient', async () => {
    const { gateway } = suite
    const child = await gateway.patient({ birthDate: '2020-03-01' })
    const { stored } = await feed(gateway.fhirDoor, child)
    const parent: IdentityOptions = { ...child.identity, kind: 'representative' }
    assert.equal((await ask(parent, stored.logicalId)).status, 200)
    await gateway.embedded.administration.designate(child.key, 'treating', colleague.id, gateway.change(child))
    assert.equal((await ask(colleague, stored.logicalId)).status, 200)
    const rules = (await gateway.records(child)).flatMap(({ operation, rule }) => (operation === 'rectify' ? rule : []))
    assert.deepEqual(rules, ['MT1', 'PA2'])
  })

  it('is for nobody else, whether or not there is such a document', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.fhirDoor, patient)
    const nothing = stored.logicalId.replace(/.{4}$/, '0000')
    for (const who of [author, nurse, structure, staff, system]) {
      const [there, absent] = [await ask(who, stored.logicalId), await ask(who, nothing)]
      assert.ok(there.status === 403 || there.status === 404, `${there.status}`)
      assert.deepEqual([there.status, there.outcome.text], [absent.status, absent.outcome.text])
    }
    assert.deepEqual(await notices(patient), [])
  })

  it('answers a document that the patient may not know of as an absent one (DF3, DF6)', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const hidden = { confidentialityCodes: [codes.normal, codes.hiddenFromPatient] }
    const { stored } = await feed(gateway.fhirDoor, patient, hidden)
    const ofAnother = await feed(gateway.fhirDoor, await gateway.patient())
    const nothing = stored.logicalId.replace(/.{4}$/, '0000')
    const replies = []
    for (const id of [stored.logicalId, ofAnother.stored.logicalId, nothing])
      replies.push(await ask(patient.identity, id))
    const [first] = replies
    assert.equal(first?.status, 404)
    for (const { status, bytes } of replies) assert.deepEqual([status, `${bytes}`], [404, `${first?.bytes}`])
    assert.deepEqual(await notices(patient), [])
    // Nor does the own history tell one from the other
    assert.equal(new Set((await rows(patient.identity, patient)).map((row) => row.replace(/^4 \S+ \S+/, ''))).size, 1)
    assert.equal((await rows(patient.identity, patient)).length, 3)
  })

  it('says what is wrong, of a document in force that somebody else deposited (RC1)', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.fhirDoor, patient)
    const wordless = await ask(patient.identity, stored.logicalId, '')
    assert.deepEqual([wordless.status, wordless.outcome.code, wordless.outcome.rule], [403, 'reason-required', 'RC1'])
    assert.equal((await ask(patient.identity, stored.logicalId, 'x'.repeat(1001))).status, 422)
    const nobody = aPatient()
    assert.equal((await ask(nobody.identity, stored.logicalId)).outcome.code, 'dmp-unknown')
  })

  it('tells the author by the channels of the house, without what is wrong', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.fhirDoor, patient, {}, structure)
    await ask(patient.identity, stored.logicalId)
    const [notice] = await notices(patient)
    assert.ok(notice && !notice.text.includes('allergique'))
    assert.deepEqual(notice?.documents, [stored.logicalId])
  })
})
