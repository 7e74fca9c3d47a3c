/** The trace as a test reads it: whole, and without places. */
import { accesses } from '../../src/operations/accesses.ts'
import type { AccessRecord, HistoryQuery, Trace, TracedAccess } from '../../src/operations/ports.ts'

/** Every access to a record, newest first unless asked otherwise. */
export function accessesOf(trace: Trace, query: Omit<HistoryQuery, 'limit'>): Promise<AccessRecord[]> {
  return recordsOf(accesses(trace, query))
}

export async function recordsOf(rows: AsyncIterable<TracedAccess>): Promise<AccessRecord[]> {
  const records: AccessRecord[] = []
  for await (const { record } of rows) records.push(record)
  return records
}
