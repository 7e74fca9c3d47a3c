/** `$explain-access`: the administrator is told the path of a decision, and nothing of documents. */
import assert from 'node:assert/strict'
import type { Parameters } from '@medplum/fhirtypes'
import { codes } from '../../mothers/metadata.ts'
import { choose, provisions } from '../../support/consent.ts'
import { type IdentityOptions, people } from '../../support/gateway.ts'
import { feed, withGateway } from './suite.ts'

const { colleague, structure, system } = people

withGateway('the explanation of a decision', (suite) => {
  const explain = async (parameter: NonNullable<Parameters['parameter']>, who: IdentityOptions = system) => {
    const body = { resourceType: 'Parameters', parameter }
    const reply = await suite.gateway.fhir.call(who, 'POST', '/DocumentReference/$explain-access', { body })
    const answer = reply.json as unknown as Parameters | undefined
    return { ...reply, steps: (answer?.parameter ?? []).map(({ valueString }) => valueString ?? '') }
  }

  it('is the path through the rules, ending with the decision', async () => {
    const { status, steps } = await explain([
      { name: 'profession', valueCode: '60' },
      { name: 'type', valueCode: '11502-2' },
    ])
    assert.equal(status, 200)
    assert.match(steps[0] ?? '', /^TD3\.2 by professional \(direct\), mode normal$/)
    assert.ok(steps.some((step) => /^CO3\s+REFUSED/.test(step)))
    assert.match(steps.at(-1) ?? '', /11502-2: open to column/)
    const permitted = await explain([
      { name: 'profession', valueCode: '60' },
      { name: 'basis', valueCode: 'explicit' },
    ])
    assert.match(permitted.steps.at(-1) ?? '', /^permit by FRM/)
  })

  it('is about the record of a patient where one is named, and names no document', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const { stored } = await feed(gateway.fhirDoor, patient)
    await choose(gateway.fhir, patient.identity, patient, provisions.person('deny', colleague.id))
    const { steps } = await explain([
      { name: 'identifier', valueIdentifier: { system: `urn:oid:${patient.authority}`, value: patient.ins } },
      { name: 'person', valueString: colleague.id },
      { name: 'basis', valueCode: 'explicit' },
    ])
    assert.match(steps.at(-1) ?? '', /^deny by BL1: professional-blocked/)
    for (const secret of [stored.uniqueId, patient.ins, colleague.id]) assert.ok(!steps.join('\n').includes(secret))
    const [record] = await gateway.records(patient)
    assert.deepEqual([record?.operation, record?.rule], ['explain', 'SY1'])
  })

  it('names the rule that shows a document to somebody, and is silent of what that one cannot see (DF6)', async () => {
    const { gateway } = suite
    const patient = await gateway.patient()
    const open = await feed(gateway.fhirDoor, patient)
    const masked = await feed(gateway.fhirDoor, patient, {
      confidentialityCodes: [codes.normal, codes.maskedToProfessionals],
    })
    const ofAnother = await feed(gateway.fhirDoor, await gateway.patient())
    const about = async (document: string, ...more: NonNullable<Parameters['parameter']>) =>
      explain([
        { name: 'identifier', valueIdentifier: { system: `urn:oid:${patient.authority}`, value: patient.ins } },
        { name: 'person', valueString: colleague.id },
        { name: 'basis', valueCode: 'explicit' },
        { name: 'document', valueUri: document },
        ...more,
      ])
    for (const name of [`urn:oid:${open.stored.uniqueId}`, open.stored.logicalId]) {
      const { status, steps } = await about(name)
      assert.equal(status, 200)
      assert.deepEqual(steps.slice(-2), ['FRM  SHOWS: nothing hides it from this caller', 'the document is shown'])
      assert.ok(steps.some((step) => step.startsWith('DF2  passed')))
    }
    // Masked, of another record, not there: the same to the letter, whatever is asked to be done with it
    for (const operation of ['TD3.2', 'TD3.3c', 'TD3.1a'])
      for (const kind of ['professional', 'representative', 'system']) {
        const names = [masked.stored.uniqueId, ofAnother.stored.uniqueId, '1.2.250.1.999.404']
        const more = [
          { name: 'operation', valueCode: operation },
          { name: 'kind', valueCode: kind },
        ]
        const answers = []
        for (const name of names) answers.push((await about(name, ...more)).bytes.toString())
        assert.equal(new Set(answers).size, 1, `${operation} ${kind}`)
        assert.match(answers[0] ?? '', /no document is known to this caller under this name/)
      }
    // A record that is closed to the caller of the question hides all it has
    const withoutConsent = await explain([
      { name: 'identifier', valueIdentifier: { system: `urn:oid:${patient.authority}`, value: patient.ins } },
      { name: 'document', valueUri: open.stored.uniqueId },
    ])
    assert.match(withoutConsent.steps.at(-1) ?? '', /^no document is known/)
    assert.match(
      (await explain([{ name: 'document', valueUri: open.stored.uniqueId }])).outcome.text,
      /goes with identifier/,
    )
  })

  it('is for the administrator', async () => {
    for (const who of [colleague, structure])
      assert.equal((await explain([{ name: 'profession', valueCode: '60' }], who)).status, 403)
  })

  it('says what to send instead of a word it does not know', async () => {
    const { status, outcome } = await explain([{ name: 'operation', valueCode: 'TD9.9' }])
    assert.equal(status, 422)
    assert.match(outcome.text, /operation is one of TD0\.2/)
    assert.match((await explain([{ name: 'nonsense', valueCode: 'x' }])).outcome.text, /nonsense is not a parameter/)
  })
})
