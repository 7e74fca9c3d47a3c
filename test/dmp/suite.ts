/**
 * What every DMP behind the port must do, whatever it stores in: the same suite runs on each implementation. Parts of it
 * stand in suite-*.ts.
 */
import type { Clock, Dmp, Trace } from '../../src/operations/ports.ts'
import { contentSuite } from './suite-content.ts'
import { feedSuite } from './suite-feed.ts'
import { findSuite } from './suite-find.ts'
import { recordSuite } from './suite-record.ts'
import { removeSuite } from './suite-remove.ts'
import { replaceSuite } from './suite-replace.ts'
import { updateSuite } from './suite-update.ts'

export interface OpenedDmp {
  readonly dmp: Dmp
  readonly trace: Trace
  /** Closes it and removes what it stored in. */
  close(): Promise<void>
}

export type OpenDmp = (options: { readonly clock?: Clock; readonly duplicates?: 'same-hash' }) => Promise<OpenedDmp>

export function dmpSuite(name: string, open: OpenDmp): void {
  describe(`${name} as a Dmp`, () => {
    feedSuite(open)
    replaceSuite(open)
    findSuite(open)
    contentSuite(open)
    recordSuite(open)
    updateSuite(open)
    removeSuite(open)
  })
}
