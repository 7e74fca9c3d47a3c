/**
 * `npm run --silent retention -- --dry-run` says which records were closed ten years ago, `--destroy` destroys them. The
 * gateway must be stopped. Patients are not named: the trace has the destruction of each.
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import { localSystem } from '../access/caller.ts'
import { openEmbeddedDmp } from '../dmp/embedded/index.ts'
import type { ClosedRecord } from '../operations/ports.ts'
import { destroyDue, dueForDestruction, type RetentionParts, retentionYears } from '../operations/retention.ts'
import { loadConfig } from '../server/config.ts'
import { policyOf } from '../server/policy.ts'
import { lineOf, UsageError } from './command.ts'

const options = {
  config: { type: 'string' },
  data: { type: 'string' },
  'dry-run': { type: 'boolean' },
  destroy: { type: 'boolean' },
  help: { type: 'boolean' },
} as const
const usage = 'usage: npm run --silent retention -- --dry-run | --destroy [--data FOLDER] [--config FILE]'

async function run(): Promise<void> {
  const { values } = parseArgs({ options, allowPositionals: false })
  if (values.help) {
    console.log(usage)
    return
  }
  if (values.destroy === values['dry-run']) throw new UsageError(usage)
  const config = loadConfig({
    file: values.config ?? process.env.DMP_GATEWAY_CONFIG,
    environment: process.env,
    overrides: { data: values.data },
  })
  const { repositoryUniqueId } = config.dmp
  const clock = { now: () => new Date() }
  const store = await openEmbeddedDmp({ directory: path.resolve(config.data), repositoryUniqueId, clock })
  try {
    const { dmp, trace, choices, retention } = store
    const parts: RetentionParts = { dmp, trace, choices, retention, clock, policy: policyOf(config) }
    report(await dueForDestruction(parts))
    if (values.destroy) console.log(`destroyed: ${(await destroyDue(parts, localSystem)).length}`)
  } finally {
    await store.close()
  }
}

function report(due: readonly ClosedRecord[]): void {
  console.log(`closed more than ${retentionYears} years ago: ${due.length}`)
  for (const { closedAt, documents } of due) console.log(`  closed ${closedAt.slice(0, 10)}, ${documents} documents`)
}

try {
  await run()
} catch (error) {
  console.error(`retention: ${lineOf(error)}`)
  process.exitCode = 1
}
