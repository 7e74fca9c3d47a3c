/**
 * Every benchmark, each a ratio against a limit or a peer measured in the same run, with its floor and its goal. Ends with
 * 1 when one is below its floor. Run: npm run bench, or npm run bench -- P1 P6 for some.
 */
import { benchAccess } from './access.ts'
import { benchDoors } from './doors.ts'
import { benchIdentity } from './identity.ts'
import { type Measure, table, verdictOf } from './measure.ts'
import { measureMemory, memoryFloor, memoryGoal } from './memory.ts'
import { benchStore } from './store.ts'

const wanted = process.argv.slice(2)
const asked = (...names: readonly string[]): boolean =>
  wanted.length === 0 || names.some((name) => wanted.includes(name))

/** 300 MiB as PERFORMANCE asks; the ratio is MiB over idle, the worst of the four transactions. */
async function benchMemory(): Promise<readonly Measure[]> {
  const { idle, uses } = await measureMemory(300)
  const worst = Math.max(...uses.map(({ overIdle }) => overIdle))
  const name = 'P10 MiB over idle for 300 MiB in and out of every door'
  const absolute = `idle ${idle.toFixed(0)} MiB`
  return [{ name, floor: memoryFloor, goal: memoryGoal, ratios: [worst], atMost: true, absolute }]
}

const doors = ['P1', 'P4', 'P5', 'P6', 'P7']
const suites: readonly (readonly [names: readonly string[], run: () => Promise<readonly Measure[]>])[] = [
  [doors, () => benchDoors([], wanted.length === 0 ? /./ : new RegExp(wanted.join('|')))],
  [['P2', 'P3', 'P11'], benchStore],
  [['P8'], benchIdentity],
  [['P9'], benchAccess],
  [['P10'], benchMemory],
]

const measures: Measure[] = []
for (const [names, run] of suites) if (asked(...names)) measures.push(...(await run()))
console.log(table(measures))
process.exitCode = measures.some((measure) => verdictOf(measure) === 'BELOW FLOOR') ? 1 : 0
