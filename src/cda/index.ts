/**
 * CDA R2 documents, as far as document sharing looks into them: the header as metadata (ITI-106), and the header against
 * the metadata that came with it (`metadata.checkCda`). The body is never read.
 */
import type { Issue } from '../errors.ts'
import type { DocumentEntry } from '../metadata/model.ts'
import { differences } from './compare.ts'
import { type DocumentBytes, readCda } from './reader.ts'

export { type EntryOfHeader, type EntryOptions, entryOf } from './entry.ts'
export type { CdaHeader, RelatedDocument } from './header.ts'
export { type CdaReading, type DocumentBytes, maxHeaderBytes, readCda } from './reader.ts'

/** Media types under which CDA documents travel (CI-SIS: text/xml, and application/xslt+xml for those that present themselves). */
const xml = /^(text\/xml|application\/(xml|[\w.-]+\+xml))\s*(;|$)/i

/**
 * What the header of a document says otherwise than its metadata; nothing for a document that is no CDA.
 */
export async function checkCda(
  entry: DocumentEntry,
  document: DocumentBytes,
  severity: 'warning' | 'error',
): Promise<readonly Issue[]> {
  if (!xml.test(entry.mimeType)) return []
  const reading = await readCda(document)
  if (reading.kind === 'header') return differences(entry, reading.header, severity)
  if (reading.kind === 'other') return []
  const detail = `The header of the document cannot be read (${reading.why}): send a well-formed CDA R2 document.`
  return [{ code: 'InvalidDocumentContent', severity, rule: 'CDA', location: entry.entryUuid, detail }]
}
