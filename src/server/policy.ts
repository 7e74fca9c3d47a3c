/** The policy of the guard, as the configuration settles it. */
import type { Policy } from '../access/types.ts'
import type { Config } from './config.ts'

export function policyOf({ access, metadata, mode }: Config): Policy {
  const { authorisationDays, ...settled } = access
  return {
    profile: metadata.profile,
    testPatients: mode === 'development',
    ...settled,
    ...(authorisationDays !== undefined && { authorisationDays }),
  }
}
