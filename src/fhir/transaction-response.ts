/**
 * The answer to ITI-65: one entry for each of the request, in its order (2:3.65.4.2.2). What it takes of the request is
 * plain data, so that a submission that is stored later is answered alike.
 */
import type { Bundle, BundleEntry } from '@medplum/fhirtypes'
import type { Issue } from '../errors.ts'
import { patientKeyOf } from '../metadata/hl7.ts'
import type { EntryUuid } from '../metadata/identifiers.ts'
import type { Receipt } from '../operations/ports.ts'
import type { ProvidedBundle } from './bundle.ts'
import { outcomeOf } from './outcome.ts'
import type { Exchange } from './parts.ts'
import { documentIdIn } from './relation-targets.ts'
import type { ReadSubmission } from './submission-reader.ts'

export interface AnswerPlan {
  readonly entries: readonly PlannedEntry[]
  /** Index of the SubmissionSet: what is about no entry of its own is said there. */
  readonly set: number
  /** Of the reading of the message. */
  readonly warnings: readonly Issue[]
}

interface PlannedEntry {
  /** Type of the resource of the request. */
  readonly type: string
  /** `request.url`. */
  readonly url: string
  /** What is stored from it; of a Binary, its document. */
  readonly id?: EntryUuid
  /** A registered Folder that takes in documents. */
  readonly folder?: { readonly logicalId: EntryUuid; readonly version: number }
}

export function planAnswer({ entry = [] }: Bundle, bundle: ProvidedBundle, read: ReadSubmission): AnswerPlan {
  const folders = new Map(read.updates.map(({ entry: { index }, folder }) => [index, folder]))
  return {
    set: bundle.sets[0]?.index ?? 0,
    warnings: read.warnings,
    entries: entry.map(({ resource, request }, index) => {
      const [id, folder] = [read.ids.get(index), folders.get(index)]
      return {
        type: resource?.resourceType ?? '',
        url: request?.url ?? '',
        ...(id === undefined ? {} : { id }),
        ...(folder && { folder: { logicalId: folder.logicalId, version: folder.version } }),
      }
    }),
  }
}

export function writeAnswer(
  plan: AnswerPlan,
  receipt: Receipt,
  exchange: Pick<Exchange, 'baseUrl' | 'patientIds'>,
): Bundle {
  const warnings = byEntry(plan, receipt)
  const entry: BundleEntry[] = plan.entries.map((planned, index) => {
    const own = warnings.get(index)
    return {
      response: {
        ...place(planned, receipt, exchange),
        lastModified: receipt.at,
        ...(own && { outcome: outcomeOf(own.map((issue) => ({ ...issue, severity: 'warning' }))) }),
      },
    }
  })
  return { resourceType: 'Bundle', type: 'transaction-response', entry }
}

/** Each warning with the entry it is about. */
function byEntry({ entries, set, warnings }: AnswerPlan, receipt: Receipt): ReadonlyMap<number, readonly Issue[]> {
  const indexes = new Map<string, number>()
  for (const [index, { id, type }] of entries.entries())
    if (id !== undefined && type !== 'Binary') indexes.set(id, index)
  return Map.groupBy([...warnings, ...receipt.warnings], ({ location = '' }) => {
    const index = /^Bundle\.entry\[(\d+)\]/.exec(location)?.[1]
    return index === undefined ? (indexes.get(location.slice(0, 'urn:uuid:'.length + 36)) ?? set) : Number(index)
  })
}

/** Locations are relative to the base of the door. */
function place(
  { type, url, id, folder }: PlannedEntry,
  { submissionSet }: Receipt,
  { baseUrl, patientIds }: Pick<Exchange, 'baseUrl' | 'patientIds'>,
): { status: string; location?: string; etag?: string } {
  if (folder) {
    // It has no new version for that in XDS
    const location = `List/${bare(folder.logicalId)}/_history/${folder.version}`
    return { status: '200 OK', location, etag: `W/"${folder.version}"` }
  }
  if (id !== undefined) {
    const location = type === 'Binary' ? `Binary/${bare(id)}` : `${type}/${bare(id)}/_history/1`
    return { status: '201 Created', location, etag: 'W/"1"' }
  }
  if (type === 'Parameters') {
    const target = documentIdIn(url, baseUrl)
    return { status: '200 OK', ...(target === undefined ? {} : { location: `DocumentReference/${target}` }) }
  }
  // A Patient or an author was referred to, and is not stored; the Patient has a place of its own here
  const { patientId } = submissionSet ?? {}
  const patient = type === 'Patient' && patientId ? patientKeyOf(patientId) : undefined
  const known = patient && patientIds.toId(patient)
  return { status: '200 OK', ...(known === undefined ? {} : { location: `Patient/${known}` }) }
}

function bare(id: EntryUuid): string {
  return id.slice('urn:uuid:'.length)
}
