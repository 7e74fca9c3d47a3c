/**
 * Rules on associations and on how a submission hangs together (ITI TF-3 4.2.2, 4.1.4; XDS-RULES §1.2 rows 14–22,
 * A1–A5, T3–T8). What the registry holds is checked by the DMP; an identifier that is not in the submission may be one
 * of its objects.
 */
import { isEntryUuid } from '../identifiers.ts'
import type { Association, AssociationType, RegistryObject, Submission, SubmissionSet } from '../model.ts'
import type { Findings, Report } from './findings.ts'
import { checkCode, checkObject } from './values.ts'

const relationships: ReadonlySet<AssociationType> = new Set(['RPLC', 'APND', 'XFRM', 'XFRM_RPLC', 'signs'])
/** Those whose target was there before; a signature may arrive together with what it signs. */
const toEarlierDocuments: ReadonlySet<AssociationType> = new Set(['RPLC', 'APND', 'XFRM', 'XFRM_RPLC'])
const ofMetadataUpdate: ReadonlySet<AssociationType> = new Set(['UpdateAvailabilityStatus', 'SubmitAssociation'])

interface Members {
  readonly submission: Submission
  readonly objects: ReadonlyMap<string, RegistryObject>
  readonly update: boolean
}

export function checkAssociations(submission: Submission, update: boolean, findings: Findings): void {
  const { submissionSet, entries, folders, associations } = submission
  const all: readonly RegistryObject[] = [submissionSet, ...entries, ...folders, ...associations]
  const members: Members = { submission, update, objects: new Map(all.map((object) => [object.entryUuid, object])) }
  for (const association of associations) checkAssociation(association, members, findings)
  checkMembership(submission, members, findings)
}

function checkAssociation(association: Association, members: Members, findings: Findings): void {
  const report = findings.about(association.entryUuid)
  checkObject(association, report)
  checkEnds(association, members, report)
  checkDocumentation(association, report)
  checkSubmissionSetStatus(association, members, report)
  if (association.type === 'HasMember') checkHasMember(association, members, report)
  else if (relationships.has(association.type)) checkRelationship(association, members, findings, report)
  else if (association.type === 'IsSnapshotOf') checkSnapshot(association, members, report)
  else checkUpdate(association, members, report)
}

function checkEnds({ type, source, target }: Association, { objects, submission }: Members, report: Report): void {
  if (!isEntryUuid(source))
    report('A1', 'sourceObject', 'sourceObject is not in the submission and no urn:uuid: send one.')
  if (!isEntryUuid(target))
    report('A1', 'targetObject', 'targetObject is not in the submission and no urn:uuid: send one.')
  if (source === target) report('A1', 'targetObject', 'The association refers to one object twice: send two objects.')
  // CI-SIS signs the whole lot: the signature document points to the SubmissionSet (DMP-FACTS §3.2).
  if (objects.get(target)?.kind === 'SubmissionSet' && type !== 'signs') {
    report(
      'A5',
      'targetObject',
      'A SubmissionSet cannot be a target: exchange the two ends, or leave the association out.',
    )
  }
  if (source === submission.submissionSet.entryUuid && relationships.has(type)) {
    report(
      'T4',
      'sourceObject',
      `${type} starts at a document, not at the SubmissionSet: send the entryUUID of the document.`,
    )
  }
}

function checkDocumentation({ type, documentation }: Association, report: Report): void {
  checkCode(documentation, 'A3', 'associationDocumentation', report)
  if (documentation !== undefined && !relationships.has(type)) {
    report('A3', 'associationDocumentation', `${type} takes no documentation code: leave it out.`)
  }
}

/** A4, T6 and M17; the slot belongs to SS–DE HasMember and is not looked at where it has no meaning. */
function checkSubmissionSetStatus(association: Association, { submission, objects }: Members, report: Report): void {
  const { type, source, target, submissionSetStatus } = association
  if (type !== 'HasMember' || source !== submission.submissionSet.entryUuid) return
  const kind = objects.get(target)?.kind
  const attribute = 'SubmissionSetStatus'
  if (submissionSetStatus === undefined) {
    if (kind === 'DocumentEntry') report('M17', attribute, 'SubmissionSetStatus is missing: send Original.')
    if (kind === undefined)
      report('M17', attribute, 'The member is not in the submission: send SubmissionSetStatus Reference.')
  } else if (submissionSetStatus !== 'Original' && submissionSetStatus !== 'Reference') {
    report('A4', attribute, 'SubmissionSetStatus is neither Original nor Reference: send one of these.')
  } else if (submissionSetStatus === 'Original' && kind === undefined) {
    report('T6', attribute, 'An Original member is missing from the submission: send the document, or Reference.')
  } else if (submissionSetStatus === 'Reference' && kind !== undefined) {
    report(
      'T6',
      attribute,
      'The member is in the submission: send Original, Reference is for documents already stored.',
    )
  }
}

/** The source is the SubmissionSet or a Folder; a source that is not in the submission may be a stored Folder. */
function checkHasMember({ source, target }: Association, { objects }: Members, report: Report): void {
  const [from, to] = [objects.get(source)?.kind, objects.get(target)?.kind]
  if (from === 'DocumentEntry' || from === 'Association') {
    report('T7', 'sourceObject', 'Only a SubmissionSet or a Folder has members: send one of them as source.')
  } else if (from !== 'SubmissionSet' && to !== undefined && to !== 'DocumentEntry') {
    report('T7', 'targetObject', 'A Folder has only documents as members: send the entryUUID of a document.')
  }
}

function checkRelationship(association: Association, members: Members, findings: Findings, report: Report): void {
  const { type, source, target } = association
  const [from, to] = [members.objects.get(source)?.kind, members.objects.get(target)?.kind]
  // An update links documents that are registered (3.57.4.1.3.3.6); what they are is for the registry to say
  if (members.update && from === undefined) return
  if (from !== 'DocumentEntry' && from !== 'SubmissionSet') {
    const detail = `The source of ${type} is no document of this submission: send the new document with it.`
    report('T8', 'sourceObject', detail, 'UnresolvedReferenceException')
  }
  if (toEarlierDocuments.has(type) && to !== undefined && to !== 'SubmissionSet') {
    report(
      'T8',
      'targetObject',
      `The target of ${type} is in this submission: send the entryUUID of a stored document.`,
    )
  }
  if (type === 'signs' && (to === 'Association' || to === 'Folder')) {
    report('T8', 'targetObject', 'A signature signs documents or the SubmissionSet: send the entryUUID of one.')
  }
  if (type === 'signs' && to === 'SubmissionSet' && findings.profile === 'ihe') {
    report('A5', 'targetObject', 'A SubmissionSet cannot be a target: send the entryUUID of the signed document.')
  }
}

function checkSnapshot({ source, target }: Association, { objects, update }: Members, report: Report): void {
  if (!(update && !objects.has(source)) && objects.get(source)?.kind !== 'DocumentEntry') {
    const detail = 'The source of IsSnapshotOf is no document of this submission: send the stable document with it.'
    report('T13c', 'sourceObject', detail, 'UnresolvedReferenceException')
  }
  if (objects.has(target)) {
    report('T13c', 'targetObject', 'The target of IsSnapshotOf is a stored on-demand entry: send its entryUUID.')
  }
}

function checkUpdate({ type, source, target }: Association, { objects, update }: Members, report: Report): void {
  if (!ofMetadataUpdate.has(type)) {
    report('A2', 'associationType', 'The association type is unknown: send one of ITI TF-3 4.2.2.')
  } else if (!update) {
    report('A2', 'associationType', `${type} belongs to a metadata update (ITI-57): send it there.`)
  }
  if (objects.get(source)?.kind !== 'SubmissionSet') {
    report('T4', 'sourceObject', `${type} starts at the SubmissionSet of the request: send its id as sourceObject.`)
  }
  if (type === 'SubmitAssociation' && objects.get(target)?.kind !== 'Association') {
    report(
      'T4',
      'targetObject',
      'SubmitAssociation points to an association of the request: send its id as targetObject.',
    )
  }
}

/** T3: everything submitted belongs to the SubmissionSet. T7: so does the filing of a document in a Folder, once. */
function checkMembership(submission: Submission, { objects, update }: Members, findings: Findings): void {
  const { submissionSet, entries, folders, associations } = submission
  // A metadata update submits an association by SubmitAssociation instead (ITI TF-2 3.57.4.1.3.3.4).
  const linking = (type: AssociationType): boolean => type === 'HasMember' || (update && type === 'SubmitAssociation')
  const links = new Map<string, Association[]>()
  for (const each of associations) {
    if (!linking(each.type) || each.source !== submissionSet.entryUuid) continue
    const known = links.get(each.target)
    if (known) known.push(each)
    else links.set(each.target, [each])
  }
  for (const { entryUuid } of entries) {
    if (!links.has(entryUuid)) {
      findings.about(entryUuid)('T3', '', 'The SubmissionSet has no HasMember to this document: send one, Original.')
    }
  }
  for (const { entryUuid } of folders) {
    if (!links.has(entryUuid)) {
      findings.about(entryUuid)('T3', '', 'The SubmissionSet has no HasMember to this folder: send one.')
    }
  }
  for (const filing of associations) {
    if (!isFiling(filing, submissionSet)) continue
    if (links.get(filing.entryUuid)?.length !== 1) {
      const detail = 'A document is filed by the SubmissionSet: send exactly one HasMember from it to this association.'
      findings.about(filing.entryUuid)('T7', '', detail)
    }
  }
  for (const [target, each] of links) {
    const member = objects.get(target)
    if (member?.kind !== 'Association' || isFiling(member, submissionSet)) continue
    for (const { entryUuid, type } of each) {
      if (type !== 'HasMember') continue
      const detail = 'Only the filing of a document in a folder is itself a member: leave this HasMember out.'
      findings.about(entryUuid)('T7', 'targetObject', detail)
    }
  }
}

function isFiling({ type, source }: Association, { entryUuid }: SubmissionSet): boolean {
  return type === 'HasMember' && source !== entryUuid
}
