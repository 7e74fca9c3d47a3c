import assert from 'node:assert/strict'
import { scenario } from '../../src/cli/demo/scenario.ts'
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
  })
