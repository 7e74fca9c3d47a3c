/**
 * The rules of MHD on the resources of a provided Bundle (docs/conformance.md: CMP, DR, SSLIST, RM4_5). What reading a
 * resource into metadata already requires is not repeated here; metadata rules on the values come after.
 */
import type { DocumentReference, List } from '@medplum/fhirtypes'
import type { Entry, ProvidedBundle, Reporter } from './bundle.ts'
import { ext } from './mapping/index.ts'

export function checkRules(bundle: ProvidedBundle, profile: 'ci-sis' | 'ihe', report: Reporter): void {
  if (bundle.level === 'minimal' && profile === 'ci-sis')
    report.error('CS6', 'Bundle.meta.profile', 'The DMP takes complete metadata only: send a Comprehensive Bundle.')
  if (profile === 'ci-sis')
    for (const { path } of [...bundle.folders, ...bundle.folderUpdates])
      report.error('UP7', path, 'The DMP has no folders: leave this List out.', 'not-a-dmp-operation')
  for (const entry of bundle.documents) {
    checkAttachment(entry, bundle, report)
    if (bundle.level !== 'minimal') checkComplete(entry, profile, report)
  }
  for (const entry of [...bundle.sets, ...bundle.folders]) checkList(entry, bundle, report)
  checkBinaries(bundle, report)
  checkMembership(bundle, report)
}

/** DR_2 to DR_6: the document is a Binary of the Bundle, and both say the same of it. */
function checkAttachment({ resource, path }: Entry<DocumentReference>, bundle: ProvidedBundle, report: Reporter): void {
  const attachment = resource.content?.[0]?.attachment
  const at = `${path}.content[0].attachment`
  if (attachment?.data !== undefined)
    report.error(
      'DR_4',
      `${at}.data`,
      'Send the document as a Binary of the Bundle, and its fullUrl in attachment.url.',
    )
  if (attachment?.url === undefined) {
    report.error('DR_2', `${at}.url`, 'Send the fullUrl of the Binary that holds the document.')
    return
  }
  const target = bundle.follow(attachment.url)?.resource
  if (target?.resourceType === 'Bundle') return
  if (target?.resourceType !== 'Binary')
    report.error('DR_5', `${at}.url`, 'Send a Binary with this fullUrl in the Bundle.', 'XDSMissingDocument')
  else if (attachment.contentType !== undefined && target.contentType !== attachment.contentType)
    report.error('DR_6', `${at}.contentType`, 'Send the same contentType here and in the Binary.')
}

/** CMPDR and CMPMETA: what Comprehensive metadata must have. */
function checkComplete(
  { resource, path }: Entry<DocumentReference>,
  profile: 'ci-sis' | 'ihe',
  report: Reporter,
): void {
  const { content: [content] = [], context } = resource
  const required: readonly (readonly [rule: string, element: string, value: unknown])[] = [
    ['CMPDR_1', 'content[0].format', content?.format],
    ['CMPDR_2', 'content[0].attachment.language', content?.attachment?.language],
    // Drafts differ on where creationTime stands: either will do
    ['CMPDR_3_1', 'content[0].attachment.creation', content?.attachment?.creation ?? resource.date],
    ['CMPDR_4', 'context.facilityType', context?.facilityType],
    ['CMPDR_5', 'context.practiceSetting', context?.practiceSetting],
    ['CMPDR_6', 'context.sourcePatientInfo', context?.sourcePatientInfo],
    ['CMPMETA_4', 'securityLabel', resource.securityLabel],
    ['CMPMETA_1', 'type', resource.type],
    // In the DMP the class follows from the type (ASS_X16)
    ...(profile === 'ihe' ? [['CMPMETA_1', 'category', resource.category] as const] : []),
  ]
  for (const [rule, element, value] of required)
    if (value === undefined) report.error(rule, `${path}.${element}`, 'Send it: Comprehensive metadata requires it.')
}

function checkList({ resource, path }: Entry<List>, bundle: ProvidedBundle, report: Reporter): void {
  if (bundle.level === 'minimal') return
  if (resource.subject === undefined) report.error('CMPMETA4_1', `${path}.subject`, 'Send the patient.')
  if (!resource.extension?.some(({ url }) => url === ext.designationType))
    report.error('CMPMETA4_2', `${path}.extension`, `Send the extension ${ext.designationType}.`)
}

/** Each Binary belongs to one DocumentReference. */
function checkBinaries(bundle: ProvidedBundle, report: Reporter): void {
  const uses = new Map<number, number>()
  for (const { resource } of bundle.documents) {
    const target = bundle.follow(resource.content?.[0]?.attachment?.url ?? '')
    if (target) uses.set(target.index, (uses.get(target.index) ?? 0) + 1)
  }
  for (const { index, path, resource } of bundle.binaries) {
    if (resource.data === undefined)
      report.error('DR_5', `${path}.data`, 'Send the bytes of the document in base64.', 'XDSMissingDocument')
    const count = uses.get(index) ?? 0
    if (count === 0)
      report.error(
        'M56',
        path,
        'Send a DocumentReference whose attachment.url is the fullUrl of this Binary.',
        'XDSMissingDocumentMetadata',
      )
    else if (count > 1) report.error('DR_5', path, 'Send a Binary of its own for each DocumentReference.')
  }
}

/** RM4_5 and T3: the SubmissionSet links what is in the Bundle, and all of it. */
function checkMembership(bundle: ProvidedBundle, report: Reporter): void {
  const [set] = bundle.sets
  if (set === undefined) return
  const linked = new Set<number>()
  for (const [index, { item }] of (set.resource.entry ?? []).entries()) {
    const target = bundle.follow(item?.reference ?? '')
    const type = target?.resource.resourceType
    if (target && (type === 'DocumentReference' || type === 'List')) linked.add(target.index)
    else
      report.error(
        'RM4_5',
        `${set.path}.entry[${index}].item`,
        'Link DocumentReferences and Folders of this Bundle by their fullUrl.',
      )
  }
  for (const { index, path } of [...bundle.documents, ...bundle.folders])
    if (!linked.has(index)) report.error('T3', path, 'Link it from List.entry of the SubmissionSet.')
}
