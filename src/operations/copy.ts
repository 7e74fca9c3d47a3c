/**
 * A copy of everything (SEED3 Q9): documents, metadata, choices, notices and history, through the filter of every other
 * reading. Closure does not end the right to it.
 */

import { GatewayError } from '../errors.ts'
import type { EntryUuid, PatientKey } from '../metadata/identifiers.ts'
import type { AvailabilityStatus } from '../metadata/model.ts'
import { authorise, type OperationParts, permittedRecord } from './access.ts'
import { readableHistory } from './history.ts'
import { dueNotices } from './notices.ts'
import type { RequestContext } from './ports.ts'
import type { RecordCopy } from './record-operations.ts'
import { settingsOf } from './settings.ts'
import { viewOf } from './view.ts'

const everyStatus: readonly AvailabilityStatus[] = ['Approved', 'Deprecated', 'Archived', 'Deleted']

export async function copy(parts: OperationParts, patient: PatientKey, context: RequestContext): Promise<RecordCopy> {
  const { facts, permit } = await authorise(parts, 'copy', context, { patient })
  if (facts === undefined) throw new GatewayError({ code: 'dmp-unknown', rule: 'ID2' })
  const { dmp, clock } = parts
  const found = await dmp.find({ kind: 'FindDocuments', patient, statuses: everyStatus, criteria: {} })
  const documents = found.documents.filter(viewOf(parts, 'copy', context, facts))
  const ids = documents.map(({ entryUuid }) => entryUuid)
  const related = ids.length === 0 ? [] : (await dmp.find({ kind: 'GetAssociations', ids })).associations
  const shown = new Set<EntryUuid>(ids)
  // What happens while the copy is written is not in it
  const [newest] = await parts.trace.history({ patient, limit: 1 })
  const beyond = (newest?.sequence ?? 0) + 1
  const notices = context.caller.kind === 'professional' ? [] : await dueNotices(parts, patient, facts)
  const settings = await settingsOf(parts, patient, context, facts)
  // On record, durably, before anything of it leaves.
  await parts.trace.record(permittedRecord(parts, 'copy', context, { patient, documents, permit }))
  return {
    at: clock.now().toISOString(),
    demographics: await dmp.demographics(patient),
    settings,
    documents,
    associations: related.filter(
      ({ type, source, target }) => type !== 'HasMember' && shown.has(source) && shown.has(target),
    ),
    entries: () => dmp.read(ids),
    content: (entryUuid) => dmp.content(entryUuid),
    history: () => readableHistory(parts, { patient, beyond }, context, facts),
    notices: notices.filter(({ recipient }) => recipient === 'patient'),
  }
}
