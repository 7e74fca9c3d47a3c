/** Where the attributes of the metadata stand in the resources they were read from: what an error names is what was sent. */

/** A Binary yields metadata as a whole (ITI-106): its attributes have no elements. */
type Kind = 'DocumentReference' | 'List' | 'Binary'

/** The resource behind an object of a submission. */
export interface Place {
  readonly kind: Kind
  /** FHIRPath of the resource. */
  readonly path: string
}

const attachment = 'content[0].attachment'
const elements: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  DocumentReference: {
    uniqueId: 'masterIdentifier',
    availabilityStatus: 'status',
    patientId: 'subject',
    sourcePatientId: 'context.sourcePatientInfo',
    sourcePatientInfo: 'context.sourcePatientInfo',
    author: 'author',
    legalAuthenticator: 'authenticator',
    classCode: 'category',
    typeCode: 'type',
    formatCode: 'content[0].format',
    healthcareFacilityTypeCode: 'context.facilityType',
    practiceSettingCode: 'context.practiceSetting',
    confidentialityCode: 'securityLabel',
    eventCodeList: 'context.event',
    referenceIdList: 'context.related',
    creationTime: `${attachment}.creation`,
    serviceStartTime: 'context.period.start',
    serviceStopTime: 'context.period.end',
    languageCode: `${attachment}.language`,
    mimeType: `${attachment}.contentType`,
    title: `${attachment}.title`,
    hash: `${attachment}.hash`,
    size: `${attachment}.size`,
    comments: 'description',
  },
  List: {
    uniqueId: 'identifier',
    availabilityStatus: 'status',
    patientId: 'subject',
    author: 'source',
    contentTypeCode: 'extension',
    sourceId: 'extension',
    codeList: 'extension',
    intendedRecipient: 'extension',
    submissionTime: 'date',
    lastUpdateTime: 'date',
    title: 'title',
    comments: 'note',
  },
  Binary: {},
}

/**
 * FHIRPath of an attribute as the rules name it (`typeCode`, `author[1].authorPerson`); of the resource where the
 * attribute has no element of its own. Authors keep their order: theirs alone is an index here too.
 */
export function placeOf({ kind, path }: Place, attribute: string | undefined): string {
  const [, name = '', index = ''] = /^(\w+)(\[\d+\])?/.exec(attribute ?? '') ?? []
  const element = Object.hasOwn(elements[kind], name) ? elements[kind][name] : undefined
  if (element === undefined) return path
  return `${path}.${element}${element === 'author' ? index : ''}`
}
