/**
 * One read transaction serves what a turn of the event loop reads. Each statement by itself would take the locks of the log
 * again, and after every commit drop the pages it knows: with a commit for each batch of requests, that is most of a read.
 */
import type { DatabaseSync } from 'node:sqlite'

export interface Snapshot {
  /** To be called before a statement is run; what it sees is no older than the last `end`. */
  begin(): void
  /** What is read next sees every commit until now: to be called when the writer has answered, before anyone learns of it. */
  end(): void
}

/** The snapshot is given up at the end of the turn: the log is not taken back into the database behind an open one. */
export function createSnapshot(reader: DatabaseSync): Snapshot {
  const beginning = reader.prepare('BEGIN')
  const ending = reader.prepare('COMMIT')
  let open = false
  const end = (): void => {
    if (!open) return
    open = false
    // An I/O error has ended it already
    if (reader.isTransaction) ending.run()
  }
  return {
    begin() {
      if (open) return
      beginning.run()
      open = true
      setImmediate(end)
    },
    end,
  }
}
