/**
 * The rules of a submission, all violations at once. Rule ids are those of docs/conformance.md:
 *
 * - C1 … C11 (every object), D1 … D11 (DocumentEntry), A1 … A5 (Association), T3 … T14 (how the parts hang together):
 *   the checks of the NIST XDS Toolkit, stated by ITI TF-3 4.2 and 4.3;
 * - M3 … M48: where these have no check, the row of the validation table of the IPF toolkit (M25: chronology);
 * - CS1 … CS7, profile `ci-sis` only: CS1 patientId is an INS, CS2 attributes that CI-SIS requires, CS3 XCN and CS4 XON
 *   in French form, CS5 how many, CS6 no limited metadata, CS7 CXi with an authority.
 *
 * French components that IHE would leave empty (CX.5 NH, XON.7 IDNST, authorSpecialty as code^label^OID) are taken in
 * both profiles: they travel without loss. Codes of the DMP are checked by the access rules (FE3), references
 * to stored objects by the DMP, documents by their operation.
 */
import type { Issue } from '../errors.ts'
import type { AffinityDomain } from './affinity-domain.ts'
import type { Cx } from './hl7.ts'
import { formatCx, patientKeyOf } from './hl7.ts'
import type { RegistryObject, Submission } from './model.ts'
import { checkAffinityDomain } from './rules/affinity-domain.ts'
import { checkAssociations } from './rules/associations.ts'
import { checkFrenchProfile } from './rules/ci-sis.ts'
import { checkDocumentEntry } from './rules/document-entry.ts'
import { Findings } from './rules/findings.ts'
import { checkFolder, checkSubmissionSet } from './rules/sets.ts'

/** `metadata.profile` of the configuration. */
export type Profile = 'ihe' | 'ci-sis'

export interface ValidationOptions {
  readonly profile: Profile
  /** A metadata update (ITI-57): UpdateAvailabilityStatus and SubmitAssociation have their place. Default false. */
  readonly update?: boolean
  /** Metadata alone (ITI-42, 57, 92): hash, size and repositoryUniqueId come with it (D5, D6). Default false. */
  readonly register?: boolean
  /** Codes are checked against it (C11); absent: any code. */
  readonly affinityDomain?: AffinityDomain
}

/**
 * Every violation of a submission; an empty list means that it is valid. `location` is the entryUUID and the attribute
 * (`urn:uuid:…/author[1].authorPerson`), `detail` says what to send instead and names nobody. At most 500 issues, then
 * one that counts the rest.
 */
export function validateSubmission(submission: Submission, options: ValidationOptions): readonly Issue[] {
  const findings = new Findings(options.profile)
  checkSubmissionSet(submission.submissionSet, findings)
  for (const entry of submission.entries) checkDocumentEntry(entry, options.register ?? false, findings)
  for (const folder of submission.folders) checkFolder(folder, findings)
  checkIdentifiers(submission, findings)
  checkOnePatient(submission, findings)
  checkAssociations(submission, options.update ?? false, findings)
  if (options.affinityDomain) checkAffinityDomain(submission, options.affinityDomain, findings)
  if (options.profile === 'ci-sis') checkFrenchProfile(submission, findings)
  return findings.issues
}

/** C4: ids are unique. T12: so are uniqueIds, over all kinds. M15: one version of an object in one message. */
function checkIdentifiers({ submissionSet, entries, folders, associations }: Submission, findings: Findings): void {
  const withUniqueId = [submissionSet, ...entries, ...folders]
  const objects: readonly RegistryObject[] = [...withUniqueId, ...associations]
  for (const object of repeated(objects, ({ entryUuid }) => entryUuid)) {
    findings.about(object.entryUuid)('C4', 'entryUUID', 'Two objects have this id: send each with an id of its own.')
  }
  for (const object of repeated(withUniqueId, ({ uniqueId }) => uniqueId)) {
    const detail = 'Two objects have this uniqueId: send each with a uniqueId of its own.'
    findings.about(object.entryUuid)('T12', 'uniqueId', detail, 'XDSRegistryDuplicateUniqueIdInMessage')
  }
  const distinct = new Map(objects.map((object) => [object.entryUuid, object]))
  for (const object of repeated([...distinct.values()], ({ kind, logicalId }) => `${kind} ${logicalId}`)) {
    findings.about(object.entryUuid)('M15', 'logicalId', 'Two objects have this lid: send one version of an object.')
  }
}

/** The second and further objects with the same key. */
function repeated<T>(objects: readonly T[], key: (object: T) => string): readonly T[] {
  const seen = new Set<string>()
  return objects.filter((object) => {
    const own = key(object)
    if (seen.has(own)) return true
    seen.add(own)
    return false
  })
}

/** T9: one patient. CX.5 is not part of who the patient is. */
function checkOnePatient({ submissionSet, entries, folders }: Submission, findings: Findings): void {
  const same = (cx: Cx): string => patientKeyOf(cx) ?? formatCx(cx)
  const first = submissionSet.patientId ?? entries[0]?.patientId ?? folders[0]?.patientId
  if (first === undefined) return
  const patient = same(first)
  for (const { entryUuid, patientId } of [...entries, ...folders]) {
    if (patientId !== undefined && same(patientId) !== patient) {
      const detail = 'The patientId is not that of the SubmissionSet: send one submission for each patient.'
      findings.about(entryUuid)('T9', 'patientId', detail, 'XDSPatientIdDoesNotMatch')
    }
  }
}
