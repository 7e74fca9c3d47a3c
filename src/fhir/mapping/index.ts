/**
 * The mapping between the document-sharing model and FHIR R4 (MHD 4.2, PDSm 3.1.1), both ways, without I/O: what one
 * file per noun says in its header is the whole of it. Reading collects every violation and never throws for a message.
 */
export type { Identity } from './attributes.ts'
export { codeOfCoding, writeCoding, writeConcept } from './coding.ts'
export {
  toDocumentReference,
  type WriteOptions,
  type WrittenDocumentReference,
} from './document-reference.ts'
export { type DocumentReadOptions, fromDocumentReference, type ReadDocument } from './document-reference-reader.ts'
export { isComplete, statusOf, visibilityFirst, visibilityLast } from './entry.ts'
export { authorityOf, readIdentifier, systemOf, uniqueIdOf, writeIdentifier } from './identifier.ts'
export { type ListOptions, toFolderList, toSubmissionSetList, type WrittenList } from './list.ts'
export {
  fromFolderList,
  fromSubmissionSetList,
  type ListItem,
  type ListReadOptions,
  listKind,
  type ReadList,
} from './list-reader.ts'
export { conditionalPatient } from './patient.ts'
export type { ReadOptions } from './reading.ts'
export { writeReferenceId } from './related.ts'
export { isRelationType, type ReadRelation, type Relation, type RelationType, relationsOf } from './relation.ts'
export { type SingleOptions, submissionForSingle } from './submission.ts'
export { ext, oids, profiles, systems } from './terms.ts'
