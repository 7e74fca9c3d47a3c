/** What holds for the whole suite, whatever part of it ran. */
import assert from 'node:assert/strict'
import { breachesFound, linesLogged } from './suite-log.ts'

export const mochaHooks = {
  afterAll(): void {
    assert.deepEqual(breachesFound(), [], `of ${linesLogged()} lines that the gateways of the suite logged`)
  },
}
