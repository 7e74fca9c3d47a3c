/**
 * The spool: where a document waits between the wire and the store. Up to 256 KiB it stays in memory, above it goes to a
 * file; SHA-1 and size are counted as the bytes pass, so that nothing is read twice.
 */
import type { DocumentContent } from '../operations/ports.ts'

export interface Spooled extends DocumentContent {
  /** Forgets the bytes; does nothing when a store has renamed the file away. */
  dispose(): Promise<void>
}
