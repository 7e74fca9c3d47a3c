import assert from 'node:assert/strict'
import type { TestDocument } from '../support/documents.ts'
import type { PortRules } from './port-suite.ts'
import { author, colleague, fed, found, opened } from './port-support.ts'

/** Two callers at once. */
export function identityRules(rules: PortRules): void {
  describe('callers at the same time', () => {
    const port = opened(rules)

    it('get each the answers to what they asked, under their own identity', async () => {
      const callers = [author, colleague]
      const patients = await Promise.all([port().patient(), port().patient()])
      const documents: TestDocument[] = []
      for (const patient of patients) {
        await port().harness.records.authorise(patient.key, '899700000002')
        documents.push((await fed(port(), patient)).document)
      }
      const asked = callers.flatMap((caller) => patients.map((patient, index) => ({ caller, patient, index })))
      const ask = async () => {
        const answers = await Promise.all(
          asked.map(({ caller, patient }) => found(port().harness.as({ caller }), patient)),
        )
        assert.deepEqual(
          answers.map((each) => each.map(({ uniqueId }) => uniqueId)),
          asked.map(({ index }) => [documents[index]?.entry.uniqueId]),
        )
      }
      const { shown } = port().harness
      if (shown === undefined) return ask()
      assert.deepEqual(
        [...(await shown(ask, asked.length))].sort(),
        asked.map(({ caller, patient }) => `${caller.person?.id} ${patient.key}`).sort(),
      )
    })
  })
}
