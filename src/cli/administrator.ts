/** Whoever may read the data folder is its administrator: what a command does to a record, it does as this caller. */

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { localSystem } from '../access/caller.ts'
import { openEmbeddedDmp } from '../dmp/embedded/index.ts'
import type { OperationParts, RequestContext } from '../operations/index.ts'
import type { Config } from '../server/config.ts'
import { policyOf } from '../server/policy.ts'

/** @param transaction the command, for the trace; @param reason at whose request, and how that was made sure of */
export function commandContext(transaction: string, reason?: string): RequestContext {
  return {
    caller: localSystem,
    purpose: 'normal',
    ...(reason !== undefined && { reason }),
    declaration: {},
    door: 'cli',
    transaction,
    requestId: randomUUID(),
  }
}

/** The embedded DMP of a data folder, for one command, with the gateway stopped. Throws Error with a line for the operator. */
export async function withRecords<T>(config: Config, run: (parts: OperationParts) => Promise<T>): Promise<T> {
  if (config.dmp.kind !== 'embedded')
    throw new RangeError('the records are kept by the national DMP (dmp.kind): there is nothing to settle here')
  const directory = path.resolve(config.data)
  // Opening would make one
  if (!existsSync(path.join(directory, 'dmp.sqlite')))
    throw new RangeError(`${directory} holds no store (dmp.sqlite): name the data folder`)
  const { repositoryUniqueId } = config.dmp
  const clock = { now: () => new Date() }
  const store = await openEmbeddedDmp({ directory, repositoryUniqueId, clock })
  try {
    const { dmp, trace, choices } = store
    return await run({ dmp, trace, choices, clock, policy: policyOf(config) })
  } finally {
    await store.close()
  }
}
