/**
 * What a change of metadata amounts to in DMP terms (UP3, UP8): the doors carry a whole new version or a whole label set,
 * the DMP knows mask, unmask, make visible, archive and delete, and nothing else.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Issue } from '../errors.ts'
import type { AvailabilityStatus, DocumentEntry } from '../metadata/model.ts'
import { HIDDEN_FROM_PATIENT, HIDDEN_FROM_REPRESENTATIVES, MASKED } from './confidentiality.ts'
import type { Operation } from './types.ts'

/**
 * The operations that turn one set of confidentiality codes into another; each must be permitted. Adding an INVISIBLE_*
 * code counts as TD3.3b, which refuses it (`set-at-feeding`). Empty when visibility does not change.
 */
export function visibilityOperations(before: readonly string[], after: readonly string[]): readonly Operation[] {
  const operations: Operation[] = []
  const changed = (code: string) => before.includes(code) !== after.includes(code)
  if (changed(MASKED)) operations.push(after.includes(MASKED) ? 'TD3.3a.mask' : 'TD3.3a.unmask')
  if (changed(HIDDEN_FROM_PATIENT) || changed(HIDDEN_FROM_REPRESENTATIVES)) operations.push('TD3.3b')
  return operations
}

/**
 * The operation that takes a document from one status to another in `ci-sis`, or undefined where there is none: deletion
 * is final, and a document becomes Deprecated only by its replacement.
 */
export function statusOperation(from: AvailabilityStatus, to: AvailabilityStatus): 'TD3.3c' | 'TD3.3d' | undefined {
  if (from === to || from === 'Deleted') return undefined
  if (to === 'Deleted') return 'TD3.3c'
  return (from === 'Approved' && to === 'Archived') || (from === 'Archived' && to === 'Approved') ? 'TD3.3d' : undefined
}

/** Attributes that name a version, that only the registry sets, or that UP8 lets change. */
const free: ReadonlySet<string> = new Set(['entryUuid', 'version', 'availabilityStatus', 'confidentialityCodes'])
/** Attributes that the repository sets: a new version may leave them out. */
const ofTheRepository: ReadonlySet<string> = new Set([
  'repositoryUniqueId',
  'hash',
  'size',
  'uri',
  'homeCommunityId',
  'documentAvailability',
])
const names: Readonly<Record<string, string>> = {
  authors: 'author',
  eventCodes: 'eventCodeList',
  referenceIds: 'referenceIdList',
}

/** UP8: every attribute of a new version that differs from the stored one and may not (PDSm st_maj). */
export function unmodifiable(stored: DocumentEntry, version: DocumentEntry): Issue[] {
  const before = new Map<string, unknown>(Object.entries(stored))
  const after = new Map<string, unknown>(Object.entries(version))
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !free.has(key) && !(ofTheRepository.has(key) && after.get(key) === undefined))
    .filter((key) => !isDeepStrictEqual(before.get(key), after.get(key)))
    .map((key) => ({
      code: 'attribute-not-modifiable',
      rule: 'UP8',
      location: `${version.entryUuid}/${names[key] ?? key}`,
      detail: `${names[key] ?? key} differs from the stored version: send it unchanged; only confidentialityCode changes after feeding.`,
    }))
}
