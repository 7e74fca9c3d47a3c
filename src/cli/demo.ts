/** `npm run demo [-- --json --through-connector[=national|fhir]]`: the main job end to end; exits 0 only if every step did what it says. */
import { parseArgs } from 'node:util'
import { lineOf } from './command.ts'
import { accessHistory, scenario } from './demo/scenario.ts'
import { type Connector, createWorld } from './demo/world.ts'

interface Result {
  readonly step: number
  readonly door: string
  readonly who: string
  readonly what: string
  readonly expected: string
  readonly obtained: string
  readonly ok: boolean
}

async function demo(json: boolean, connector: Connector | undefined): Promise<boolean> {
  const world = await createWorld(connector && { connector })
  try {
    const results: Result[] = []
    for (const [index, { run, ...step }] of scenario().entries()) {
      const obtained = await run(world).catch(
        (error: unknown) => `erreur : ${error instanceof Error ? error.message : error}`,
      )
      results.push({ step: index + 1, ...step, obtained, ok: obtained === step.expected })
    }
    const history = await accessHistory(world)
    const ok = results.every((result) => result.ok) && history.length > 0
    if (json) console.log(JSON.stringify({ ok, steps: results, history }, null, 2))
    else print(results, history, ok)
    return ok
  } finally {
    await world.close()
  }
}

function print(results: readonly Result[], history: Awaited<ReturnType<typeof accessHistory>>, ok: boolean): void {
  console.log('\nDMP-GATEWAY · le travail principal, de bout en bout (patients et professionnels inventés)\n')
  table(
    ['', 'Porte', 'Qui', 'Quoi', 'Obtenu'],
    results.map(({ ok, door, who, what, expected, obtained }) => [
      ok ? '✓' : '✗',
      door,
      who,
      what,
      ok ? obtained : `${obtained}  (attendu : ${expected})`,
    ]),
  )
  console.log('\nHistorique des accès, tel que la patiente le lit\n')
  table(['Date', 'Auteur de l’action', 'Action réalisée', 'Contexte'], history)
  const failed = results.filter((result) => !result.ok).length
  console.log(ok ? `\n${results.length} étapes, toutes conformes.` : `\n${failed} étape(s) non conforme(s).`)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  console.log(line(head))
  console.log(widths.map((width) => '─'.repeat(width)).join('  '))
  for (const row of rows) console.log(line(row))
}

const usage = `usage: npm run demo -- [--through-connector[=national|fhir]] [--json]
  --through-connector  the DMP stands at the far end of a connector: the simulated national one, or one that speaks PDSm
  --json               steps and history as JSON`

try {
  const { values } = parseArgs({
    // Without a value it is the national DMP
    args: process.argv.slice(2).map((each) => (each === '--through-connector' ? `${each}=national` : each)),
    options: {
      json: { type: 'boolean', default: false },
      'through-connector': { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const connector = values['through-connector']
  if (connector !== undefined && connector !== 'national' && connector !== 'fhir')
    throw new Error('--through-connector: national or fhir')
  if (values.help) console.log(usage)
  else process.exitCode = (await demo(values.json, connector)) ? 0 : 1
} catch (error) {
  console.error(`demo: ${lineOf(error)}`)
  process.exitCode = 1
}
