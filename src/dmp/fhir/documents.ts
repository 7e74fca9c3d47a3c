/** A DocumentReference of the DMP as an entry with what the guard must know of it; one that cannot be read is not used. */
import type { DocumentReference } from '@medplum/fhirtypes'
import type { DocumentFacts } from '../../access/types.ts'
import type { Issue } from '../../errors.ts'
import { fromDocumentReference, type ReadRelation } from '../../fhir/mapping/index.ts'
import { patientKeyOf } from '../../metadata/hl7.ts'
import type { Oid, PatientKey } from '../../metadata/identifiers.ts'
import type { DocumentEntry } from '../../metadata/model.ts'
import { factsOf } from '../remote/facts.ts'
import { asResource, invalid } from './answers.ts'
import type { Base } from './base.ts'
import { identified, revisionOf } from './identity.ts'

export interface Located {
  readonly entry: DocumentEntry
  readonly patient: PatientKey
  /** Id at the DMP. */
  readonly id: string
  /** As the DMP serves it: what a PATCH is made on. */
  readonly resource: DocumentReference
  readonly relations: readonly ReadRelation[]
  /** Struct_IdNat of the custodian: the structure that fed it. */
  readonly custodian: string | undefined
}

export interface Reader {
  readonly base: Base
  readonly repositoryUniqueId: Oid
  /** The patient behind `Patient/ID` of the DMP, where TD0.2 has told. */
  readonly patientOf: (reference: string) => PatientKey | undefined
}

/**
 * @param asked the patient whose documents were asked for; undefined when the request could not name one
 * @throws GatewayError dmp-answer-invalid, for a document of another patient too
 */
export function readDocument(
  body: unknown,
  { base, repositoryUniqueId, patientOf }: Reader,
  asked: PatientKey | undefined,
): Located {
  const resource = asResource(body, 'DocumentReference')
  const { id } = resource
  if (id === undefined) throw invalid('a DocumentReference in it has no id')
  const read = fromDocumentReference(identified(resource, base.url), { profile: 'ci-sis', resolvePatient: patientOf })
  const { entry } = read
  if (entry === undefined) throw unreadable('DocumentReference', read.issues)
  // A label that is not said may be one that hides the document
  if (entry.confidentialityCodes.length === 0) throw invalid('a DocumentReference in it has no securityLabel')
  return {
    // Whoever asks here finds the documents here
    entry: { ...entry, repositoryUniqueId },
    patient: ofPatient(patientKeyOf(entry.patientId), asked),
    id,
    resource,
    relations: read.relations,
    custodian: read.custodian?.id,
  }
}

/** @throws GatewayError dmp-answer-invalid for the object of another patient, or of nobody */
export function ofPatient(patient: PatientKey | undefined, asked: PatientKey | undefined): PatientKey {
  if (patient === undefined) throw invalid('a resource in it names no patient')
  if (asked !== undefined && patient !== asked) throw invalid('a resource in it is about another patient')
  return patient
}

/** @throws GatewayError dmp-answer-invalid */
export function unreadable(type: string, issues: readonly Issue[]) {
  const worst = issues.find(({ severity }) => severity !== 'warning')
  return invalid(`a ${type} in it breaks ${worst?.rule ?? 'the mapping'} at ${worst?.location ?? 'an unknown place'}`)
}

/**
 * The DMP tells which structure fed a document (custodian), not who there and when.
 * @param ownStructure of a caller that is a structure or its staff: what it fed itself
 */
export function documentFacts({ entry, patient, resource, custodian }: Located, ownStructure?: string): DocumentFacts {
  const { lastUpdated, versionId } = resource.meta ?? {}
  const own = ownStructure !== undefined && custodian === ownStructure
  const revision = revisionOf(versionId)
  return {
    ...factsOf(entry, patient, own ? ownStructure : undefined),
    ...(custodian !== undefined && { feedingStructure: custodian }),
    ...(lastUpdated !== undefined && { updatedAt: new Date(lastUpdated).toISOString() }),
    ...(revision !== undefined && revision > 0 && { revision }),
  }
}
