/** The accesses to a record as the trace has them, however many there are: a page at a time, never all in memory. */
import { setImmediate as turn } from 'node:timers/promises'
import type { HistoryQuery, Trace, TracedAccess } from './ports.ts'

const pageLength = 500

/** In the order of the trace, newest first unless asked otherwise. Read as it is consumed. */
export async function* accesses(
  trace: Pick<Trace, 'history'>,
  query: Omit<HistoryQuery, 'limit'>,
): AsyncGenerator<TracedAccess> {
  for await (const page of accessPages(trace, query)) yield* page
}

/** The same in pages, for who looks something up for all rows of one at once. */
export async function* accessPages(
  trace: Pick<Trace, 'history'>,
  query: Omit<HistoryQuery, 'limit'>,
): AsyncGenerator<readonly TracedAccess[]> {
  let { beyond } = query
  for (;;) {
    const page = await trace.history({ ...query, ...(beyond !== undefined && { beyond }), limit: pageLength })
    if (page.length > 0) yield page
    if (page.length < pageLength) return
    beyond = page.at(-1)?.sequence
    // Others are served between two pages
    await turn()
  }
}
