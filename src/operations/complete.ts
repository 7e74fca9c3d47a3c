/** What the house adds to a submission before it is stored: what the bytes say, what follows, what the patient chose. */
import type { RecordFacts } from '../access/types.ts'
import type { Issue } from '../errors.ts'
import type { Oid } from '../metadata/identifiers.ts'
import type { Code, DocumentEntry, Submission } from '../metadata/model.ts'
import { classOfType, codeOf } from '../nomenclature/index.ts'
import type { DocumentContent } from './ports.ts'

/**
 * CI-SIS requires legalAuthenticator, serviceStartTime and title, and some sources (MHD Simplified Publish, the PDSm
 * samples) leave them out. What says the same thing elsewhere in the entry stands for them, and the receipt tells:
 * the first author that is a person signs, the act is dated as the document, the type names it and has its class (FE3).
 * Nothing else is guessed.
 */
export function complete(entry: DocumentEntry): { readonly entry: DocumentEntry; readonly warnings: readonly Issue[] } {
  const person = entry.authors.find((author) => author.person !== undefined)?.person
  const classCode = entry.typeCode && classOfType(entry.typeCode.code)
  const found = {
    ...(entry.classCode === undefined && classCode !== undefined && { classCode }),
    ...(entry.legalAuthenticator === undefined && person !== undefined && { legalAuthenticator: person }),
    ...(entry.serviceStartTime === undefined &&
      entry.creationTime !== undefined && { serviceStartTime: entry.creationTime }),
    ...(entry.title === undefined && entry.typeCode?.display !== undefined && { title: entry.typeCode.display }),
  }
  const from = {
    classCode: 'typeCode (ASS_X16)',
    legalAuthenticator: 'author',
    serviceStartTime: 'creationTime',
    title: 'the display of typeCode',
  }
  return {
    entry: { ...entry, ...found },
    warnings: (Object.keys(found) as (keyof typeof from)[]).map((attribute) => ({
      code: 'metadata-completed',
      severity: 'warning',
      rule: 'CS2',
      location: `${entry.entryUuid}/${attribute}`,
      detail: `${attribute} was taken from ${from[attribute]}: send it to say otherwise.`,
    })),
  }
}

/** Hash, size and repository are what the bytes and the house say; a claim that differs is a violation. */
export function measure(
  entry: DocumentEntry,
  content: DocumentContent | undefined,
  repositoryUniqueId: Oid,
): { entry: DocumentEntry; issues: Issue[] } {
  const issues: Issue[] = []
  const report = (attribute: string, detail: string) =>
    issues.push({ code: 'XDSRepositoryMetadataError', rule: 'D5', location: `${entry.entryUuid}/${attribute}`, detail })
  if (content === undefined) {
    issues.push({
      code: 'XDSMissingDocument',
      location: entry.entryUuid,
      detail: 'The DocumentEntry has no document: send its bytes with it.',
    })
    return { entry, issues }
  }
  if (entry.hash !== undefined && entry.hash.toLowerCase() !== content.sha1)
    report('hash', `The SHA-1 of the ${content.size} bytes received is ${content.sha1}: send that, or no hash.`)
  if (entry.size !== undefined && entry.size !== content.size)
    report('size', `${content.size} bytes were received, the metadata say ${entry.size}: send the right size, or none.`)
  return {
    entry: { ...entry, hash: content.sha1, size: content.size, repositoryUniqueId },
    issues,
  }
}

const masked: Code | undefined = codeOf('confidentialityCode', 'MASQUE_PS')

/** DF7: what is fed as plain N is stored masked when the patient chose so, and the receipt says it. */
export function maskedByDefault(
  submission: Submission,
  facts: RecordFacts | undefined,
): { submission: Submission; warnings: Issue[] } {
  if (!facts?.choices.maskByDefault || masked === undefined) return { submission, warnings: [] }
  const warnings: Issue[] = []
  const entries = submission.entries.map((entry) => {
    if (entry.confidentialityCodes.some(({ code }) => code !== 'N')) return entry
    warnings.push({
      code: 'XDSExtraMetadataNotSaved',
      severity: 'warning',
      rule: 'DF7',
      location: `${entry.entryUuid}/confidentialityCode`,
      detail: 'The patient masks new documents by default: this one is stored with MASQUE_PS.',
    })
    return { ...entry, confidentialityCodes: [...entry.confidentialityCodes, masked] }
  })
  return { submission: { ...submission, entries }, warnings }
}
