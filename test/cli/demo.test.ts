import assert from 'node:assert/strict'
import { accessHistory, scenario } from '../../src/cli/demo/scenario.ts'
import { type Connector, createWorld, type World } from '../../src/cli/demo/world.ts'

for (const connector of [undefined, 'national', 'fhir'] as const satisfies readonly (Connector | undefined)[])
  describe(`the demo, ${connector ? `through the connector ${connector}` : 'with the embedded DMP'}`, () => {
    let world: World
    before(async () => {
      world = await createWorld(connector && { connector })
    })
    after(() => world.close())

    for (const { what, expected, run } of scenario())
      it(`${what}: ${expected}`, async () => {
        assert.equal(await run(world), expected)
      })

    it('shows the access history as the patient reads it: who did what', async () => {
      const rows = await accessHistory(world)
      const authors = new Set(rows.map(([, author]) => author))
      const own = rows.filter(([, author]) => author === 'Patient').map(([, , action]) => action)
      for (const author of ['CH EXEMPLE', 'DUPONT Anne (CH EXEMPLE)', 'BENALI Karim (CH EXEMPLE)'])
        assert.ok(authors.has(author), `${author} is not in ${[...authors].join(', ')}`)
      assert.deepEqual(own, ['a consulté l’historique des accès'])
      assert.ok(
        rows.some(([, , action, context]) => action.startsWith('s’est vu refuser') && context === 'Bris de glace'),
      )
    })
  })
