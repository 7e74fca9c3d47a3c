/** The choices of a patient: each in force for the next request, and itself in the history. */
import { HIDDEN_FROM_PATIENT, isLotSignature, MASKED } from '../access/confidentiality.ts'
import type { DocumentFacts, RecordFacts } from '../access/types.ts'
import { GatewayError } from '../errors.ts'
import { newEntryUuid, type PatientKey } from '../metadata/identifiers.ts'
import type { AvailabilityStatus, Code, DocumentEntry } from '../metadata/model.ts'
import { codeOf } from '../nomenclature/index.ts'
import { type Authorised, authorise, type OperationParts, permittedRecord } from './access.ts'
import type { RequestContext, StoredChange } from './ports.ts'
import type { PatientChoice } from './record-operations.ts'
import { viewOf } from './view.ts'

export async function choose(
  parts: OperationParts,
  patient: PatientKey,
  change: PatientChoice,
  context: RequestContext,
): Promise<void> {
  const authorised = await authorise(parts, 'choose', context, { patient, change })
  if (change.kind === 'mask-all' || change.kind === 'unmask-all')
    return maskAll(parts, patient, change.kind, context, authorised)
  const record = permittedRecord(parts, 'choose', context, {
    patient,
    documents: [],
    permit: authorised.permit,
    change,
  })
  return parts.choices.apply(patient, [change, ...following(change, authorised.facts)], record)
}

/** Mon espace santé: with both emergency modes refused, so are masked documents in emergency (DMP-FACTS 6.3). */
function following(change: StoredChange, facts: RecordFacts | undefined): readonly StoredChange[] {
  if (change.kind !== 'choice' || change.value) return []
  const other = { breakGlassPermitted: 'regulationPermitted', regulationPermitted: 'breakGlassPermitted' } as const
  if (change.choice !== 'breakGlassPermitted' && change.choice !== 'regulationPermitted') return []
  if (facts?.choices[other[change.choice]] !== false) return []
  return [{ kind: 'choice', choice: 'maskedInEmergencyPermitted', value: false }]
}

export async function close(parts: OperationParts, patient: PatientKey, context: RequestContext): Promise<void> {
  return settle(parts, 'close', patient, { kind: 'close' }, context)
}

export async function reopen(parts: OperationParts, patient: PatientKey, context: RequestContext): Promise<void> {
  return settle(parts, 'reopen', patient, { kind: 'reopen' }, context)
}

async function settle(
  parts: OperationParts,
  operation: 'close' | 'reopen',
  patient: PatientKey,
  change: StoredChange,
  context: RequestContext,
): Promise<void> {
  const { permit } = await authorise(parts, operation, context, { patient, change })
  const record = permittedRecord(parts, operation, context, { patient, documents: [], permit, change })
  return parts.choices.apply(patient, [change], record)
}

/** Every document but the deleted, which change no more; what is fed meanwhile is the business of `$mask-by-default`. */
const everyStatus: readonly AvailabilityStatus[] = ['Approved', 'Deprecated', 'Archived']
/** A document changed by somebody else between reading and writing: read again, so many times. */
const attempts = 4

/** Masks or unmasks, in one commit, every document that the caller may see: a new metadata version of each. */
async function maskAll(
  parts: OperationParts,
  patient: PatientKey,
  kind: 'mask-all' | 'unmask-all',
  context: RequestContext,
  authorised: Authorised,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await maskOnce(parts, patient, kind, context, authorised)
    } catch (error) {
      const overtaken = error instanceof GatewayError && error.code === 'XDSMetadataVersionError'
      if (!overtaken || attempt === attempts) throw error
    }
  }
}

async function maskOnce(
  parts: OperationParts,
  patient: PatientKey,
  kind: 'mask-all' | 'unmask-all',
  context: RequestContext,
  { facts, permit }: Authorised,
): Promise<void> {
  if (facts === undefined) throw new GatewayError({ code: 'dmp-unknown', rule: 'ID2' })
  const operation = kind === 'mask-all' ? 'TD3.3a.mask' : 'TD3.3a.unmask'
  const found = await parts.dmp.find({ kind: 'FindDocuments', patient, statuses: everyStatus, criteria: {} })
  const asPatient = { ...context, caller: patientSelf(context, patient) }
  // The administrator sees no document: what is done at the patient's request is done to what the patient sees
  const visible = viewOf(parts, operation, context.caller.kind === 'system' ? asPatient : context, facts)
  const lifted = viewOf(parts, 'TD3.1a', asPatient, facts)
  const targets = found.documents.filter((document) => visible(document) && isToChange(document, kind, lifted, parts))
  const record = permittedRecord(parts, 'choose', context, { patient, documents: targets, permit, change: { kind } })
  if (targets.length === 0) return parts.trace.record(record)
  const versions = []
  for await (const entry of parts.dmp.read(targets.map(({ entryUuid }) => entryUuid)))
    versions.push({ object: withMask(entry, kind), previousVersion: entry.version, propagate: true })
  // A document keeps its status, whatever it is.
  await parts.dmp.update({ patient, restricted: true, versions, statuses: [], associations: [] }, record)
}

/** The patient as a reader: what is hidden from the patient now is not the patient's to mask. */
function patientSelf({ caller }: RequestContext, patient: PatientKey): RequestContext['caller'] {
  return { ...caller, kind: 'patient', patient }
}

/** MASQUE_PS does not go with INVISIBLE_PATIENT (FE4): such a document is left alone until it has become visible. */
function isToChange(
  document: DocumentFacts,
  kind: 'mask-all' | 'unmask-all',
  visibleToPatient: (document: DocumentFacts) => boolean,
  { policy }: OperationParts,
): boolean {
  const { confidentiality } = document
  if (isLotSignature(document)) return false
  if (kind === 'unmask-all') return confidentiality.includes(MASKED)
  return !confidentiality.includes(MASKED) && (policy.cumulativeMasking || visibleToPatient(document))
}

const masked: Code = codeOf('confidentialityCode', MASKED) ?? unknownCode()

function unknownCode(): never {
  throw new RangeError(`${MASKED} is not in JDV_J58`)
}

function withMask(entry: DocumentEntry, kind: 'mask-all' | 'unmask-all'): DocumentEntry {
  const codes = entry.confidentialityCodes
  const changed =
    kind === 'unmask-all'
      ? codes.filter(({ code }) => code !== MASKED)
      : // What was hidden from the patient and has become visible is so no more.
        [...codes.filter(({ code }) => code !== HIDDEN_FROM_PATIENT), masked]
  return { ...entry, entryUuid: newEntryUuid(), version: entry.version + 1, confidentialityCodes: changed }
}
