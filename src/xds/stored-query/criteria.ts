/** The parameters that several stored queries share, as criteria of the middle (ITI TF-2 3.18.4.1.2.3.7). */
import type { DocumentCriteria, FolderCriteria, SubmissionSetCriteria } from '../../metadata/criteria.ts'
import { defined } from '../defined.ts'
import type { QueryParameters } from './parameters.ts'

/** FindDocuments and its kin (3.18.4.1.2.3.7.1). */
export function documentCriteria(parameters: QueryParameters): DocumentCriteria {
  const attribute = (name: string) => `$XDSDocumentEntry${name}`
  return {
    ...defined({
      classCodes: parameters.codes(attribute('ClassCode')),
      typeCodes: parameters.codes(attribute('TypeCode')),
      practiceSettingCodes: parameters.codes(attribute('PracticeSettingCode')),
      healthcareFacilityTypeCodes: parameters.codes(attribute('HealthcareFacilityTypeCode')),
      eventCodes: parameters.codeGroups(attribute('EventCodeList')),
    }),
    ...contentCriteria(parameters),
    ...defined({
      creationTime: parameters.range(attribute('CreationTime')),
      serviceStartTime: parameters.range(attribute('ServiceStartTime')),
      serviceStopTime: parameters.range(attribute('ServiceStopTime')),
      documentAvailability: parameters.availability(attribute('DocumentAvailability')),
      authorPersons: parameters.texts(attribute('AuthorPerson')),
    }),
  }
}

/** What may narrow the documents of a SubmissionSet, of a Folder or of a whole record (3.18.4.1.2.3.7.4, .10, .11). */
export function contentCriteria(parameters: QueryParameters): DocumentCriteria {
  return {
    stability: parameters.stability('$XDSDocumentEntryType'),
    ...defined({
      formatCodes: parameters.codes('$XDSDocumentEntryFormatCode'),
      confidentialityCodes: parameters.codeGroups('$XDSDocumentEntryConfidentialityCode'),
    }),
  }
}

/** 3.18.4.1.2.3.7.2 */
export function submissionSetCriteria(parameters: QueryParameters): SubmissionSetCriteria {
  const attribute = (name: string) => `$XDSSubmissionSet${name}`
  return defined({
    sourceIds: parameters.texts(attribute('SourceId')),
    submissionTime: parameters.range(attribute('SubmissionTime')),
    authorPersons: parameters.text(attribute('AuthorPerson')),
    contentTypeCodes: parameters.codes(attribute('ContentType')),
  })
}

/** 3.18.4.1.2.3.7.3 */
export function folderCriteria(parameters: QueryParameters): FolderCriteria {
  return defined({
    lastUpdateTime: parameters.range('$XDSFolderLastUpdateTime'),
    codes: parameters.codeGroups('$XDSFolderCodeList'),
  })
}
