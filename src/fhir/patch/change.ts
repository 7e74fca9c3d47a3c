/**
 * What a patched DocumentReference asks of the DMP (PDSm st_maj): other labels, another status, archived or not. Any
 * other difference is refused.
 */
import { isDeepStrictEqual } from 'node:util'
import type { DocumentReference, Extension } from '@medplum/fhirtypes'
import { GatewayError, type Issue } from '../../errors.ts'
import type { AvailabilityStatus, Code, DocumentEntry } from '../../metadata/model.ts'
import { codeOf, displayOf } from '../../nomenclature/index.ts'
import { codeOfCoding, ext, statusOf, visibilityLast } from '../mapping/index.ts'
import { isObject } from '../structure/check.ts'

/** Absent: not changed. */
export interface Change {
  readonly confidentialityCodes?: readonly Code[]
  readonly status?: AvailabilityStatus
}

/** The elements of a DocumentReference that a PATCH may name. */
export const patchable: ReadonlySet<string> = new Set(['securityLabel', 'status', 'extension'])

/**
 * Reads the change out of the resource as it was served and as the patch left it. Throws GatewayError
 * `method-not-allowed` for a change of anything else, `patch-invalid` for a value that means nothing.
 */
export function readChange(
  served: DocumentReference,
  patched: Record<string, unknown>,
  entry: DocumentEntry,
  profile: 'ci-sis' | 'ihe',
): Change {
  const before: ReadonlyMap<string, unknown> = new Map(Object.entries(served))
  for (const name of new Set([...before.keys(), ...Object.keys(patched)]))
    if (!patchable.has(name) && !isDeepStrictEqual(before.get(name), patched[name])) throw notPatchable(name)
  const archived = readArchived(served.extension, patched.extension)
  const status = readStatus(patched.status, archived, entry.availabilityStatus, profile)
  // What nobody touched is as it was, and where a structure is told no labels (TD3.1b) it stays untold
  const untouched = isDeepStrictEqual(served.securityLabel, patched.securityLabel)
  const codes = untouched ? entry.confidentialityCodes : readLabels(patched.securityLabel, entry, profile)
  return {
    ...(sameCodes(codes, entry.confidentialityCodes) ? {} : { confidentialityCodes: codes }),
    ...(status === entry.availabilityStatus ? {} : { status }),
  }
}

/** A name as the caller sent it may be anything. */
export function notPatchable(name: string): GatewayError {
  const element = /^\w{1,40}$/.test(name) ? name : 'This element'
  return new GatewayError({
    code: 'method-not-allowed',
    rule: 'UP8',
    location: 'DocumentReference',
    detail: `${element} is not changed by PATCH: only securityLabel, status and the extension isArchived are. Feed a replacement (relatesTo replaces) for anything else.`,
  })
}

function readArchived(served: readonly Extension[] = [], patched: unknown = []): boolean {
  if (!Array.isArray(patched)) throw invalid('extension', 'Send an array of extensions.')
  const isArchivedFlag = (each: unknown) => isObject(each) && each.url === ext.isArchived
  const others = (extensions: readonly unknown[]) => extensions.filter((each) => !isArchivedFlag(each))
  if (!isDeepStrictEqual(others(patched), others(served))) throw notPatchable('extension')
  const [flag, ...more] = patched.filter(isArchivedFlag)
  if (flag === undefined) return false
  if (more.length > 0) throw invalid('extension', `Send the extension ${ext.isArchived} once.`)
  const value = isObject(flag) && Object.keys(flag).length === 2 ? flag.valueBoolean : undefined
  if (typeof value !== 'boolean') throw invalid('extension', `Send ${ext.isArchived} with valueBoolean true or false.`)
  return value
}

/**
 * MAPPING TD3.3c, TD3.3d. In ci-sis a document becomes Deprecated by its replacement only, and PDSm, the DMP drafts and
 * MHD disagree on what a bare `superseded` is to mean: it is refused, and what to send is named.
 */
function readStatus(
  asked: unknown,
  archived: boolean,
  now: AvailabilityStatus,
  profile: 'ci-sis' | 'ihe',
): AvailabilityStatus {
  if (asked === 'entered-in-error') return 'Deleted'
  if (asked === 'current') return archived ? 'Archived' : 'Approved'
  if (asked !== 'superseded') throw invalid('status', 'Send current, superseded or entered-in-error.')
  // The flag of an archived document stays where nobody touched it
  if (archived && statusOf(now).archived === false)
    throw invalid('extension', 'A superseded document is not archived: leave isArchived out.')
  if (profile === 'ci-sis' && now !== 'Deprecated')
    throw invalid(
      'status',
      'A document of the DMP is superseded by its replacement (relatesTo replaces) only; to withdraw it send entered-in-error.',
    )
  return 'Deprecated'
}

/** RFC 6902 has been applied to the array as served; then duplicates go, and in ci-sis N, which is always there, stays. */
function readLabels(labels: unknown = [], entry: DocumentEntry, profile: 'ci-sis' | 'ihe'): readonly Code[] {
  if (!Array.isArray(labels)) throw invalid('securityLabel', 'Send an array of labels.')
  const issues: Issue[] = []
  const codes = new Map<string, Code>()
  for (const [index, label] of labels.entries()) {
    const code = readLabel(label, entry)
    if (code === undefined)
      issues.push({
        code: 'patch-invalid',
        location: `DocumentReference.securityLabel[${index}]`,
        detail: 'Send one coding with its system and code in each label.',
      })
    else codes.set(keyOf(code), code)
  }
  if (issues.length > 0) throw new GatewayError(issues)
  const normal = codeOf('confidentialityCode', 'N')
  const kept = [...codes.values()]
  if (profile === 'ci-sis' && normal && !codes.has(keyOf(normal))) kept.push(normal)
  if (kept.length === 0 && !entry.limitedMetadata) throw invalid('securityLabel', 'Leave at least one label.')
  return visibilityLast(kept)
}

/** A label that was there keeps its display. */
function readLabel(label: unknown, { confidentialityCodes }: DocumentEntry): Code | undefined {
  const coding =
    isObject(label) && Array.isArray(label.coding) && label.coding.length === 1 ? label.coding[0] : undefined
  if (!isObject(coding)) return undefined
  const { system, code, display } = coding
  if (typeof system !== 'string' || typeof code !== 'string' || !/\S/.test(code)) return undefined
  const read = codeOfCoding({ system, code, ...(typeof display === 'string' ? { display } : {}) })
  if (read === undefined) return undefined
  const known = confidentialityCodes.find((each) => keyOf(each) === keyOf(read))
  const name = displayOf(read.system, read.code)
  return known ?? (read.display === undefined && name !== undefined ? { ...read, display: name } : read)
}

function keyOf({ code, system }: Code): string {
  return `${system}|${code}`
}

function sameCodes(codes: readonly Code[], others: readonly Code[]): boolean {
  const keys = new Set(codes.map(keyOf))
  return keys.size === new Set(others.map(keyOf)).size && others.every((code) => keys.has(keyOf(code)))
}

function invalid(element: string, detail: string): GatewayError {
  return new GatewayError({ code: 'patch-invalid', location: `DocumentReference.${element}`, detail })
}
