/** A List of the DMP as a SubmissionSet (lot) and the ids of its documents. */
import { fromSubmissionSetList, listKind } from '../../fhir/mapping/index.ts'
import { patientKeyOf } from '../../metadata/hl7.ts'
import type { PatientKey } from '../../metadata/identifiers.ts'
import type { SubmissionSet } from '../../metadata/model.ts'
import { asResource, invalid } from './answers.ts'
import { ofPatient, type Reader, unreadable } from './documents.ts'
import { identified } from './identity.ts'

export interface LocatedSet {
  readonly set: SubmissionSet
  readonly patient: PatientKey
  /** Ids of its documents at the DMP. */
  readonly members: readonly string[]
  /** ISO 8601 instant. */
  readonly updatedAt: string | undefined
}

/**
 * Undefined for a List that is no SubmissionSet: the DMP has no folders.
 * @throws GatewayError dmp-answer-invalid
 */
export function readList(
  body: unknown,
  { base, patientOf }: Reader,
  asked: PatientKey | undefined,
): LocatedSet | undefined {
  const list = asResource(body, 'List')
  if (listKind(list) !== 'submissionset') return undefined
  if (list.id === undefined) throw invalid('a List in it has no id')
  const read = fromSubmissionSetList(identified(list, base.url), { profile: 'ci-sis', resolvePatient: patientOf })
  const { value: set } = read
  if (set === undefined) throw unreadable('List', read.issues)
  const { lastUpdated } = list.meta ?? {}
  return {
    set,
    patient: ofPatient(set.patientId && patientKeyOf(set.patientId), asked),
    members: read.items.flatMap(({ reference }) => base.idIn(reference ?? '', 'DocumentReference') ?? []),
    updatedAt: lastUpdated === undefined ? undefined : new Date(lastUpdated).toISOString(),
  }
}
