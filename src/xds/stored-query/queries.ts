/** The stored queries (ITI TF-2 3.18.4.1.2.3.7), one record each: what they require and what they ask of the middle. */
import { GatewayError } from '../../errors.ts'
import type { StoredQuery } from '../../operations/operations.ts'
import { attribute, type XmlElement } from '../../xml/tree.ts'
import { defined } from '../defined.ts'
import { contentCriteria, documentCriteria, folderCriteria, submissionSetCriteria } from './criteria.ts'
import { QueryParameters } from './parameters.ts'

export interface StoredQueryDefinition {
  readonly name: string
  /** AdhocQuery/@id without `urn:uuid:`. */
  readonly id: string
  readonly required?: readonly string[]
  /** Exactly one of these. */
  readonly oneOf?: readonly string[]
  /** What is wrong with a parameter is collected in `parameters.issues`; the result counts only without any. */
  read(parameters: QueryParameters): StoredQuery
}

/** A stored query as it was asked. */
export interface AskedQuery {
  readonly query: StoredQuery
  /** XDS Metadata Update, 3.18.4.1.2.3.5.1.1: 1 when the consumer says nothing. */
  readonly metadataLevel: 1 | 2
}

const documentEntry = {
  entryUuid: '$XDSDocumentEntryEntryUUID',
  uniqueId: '$XDSDocumentEntryUniqueId',
  logicalId: '$XDSDocumentEntryLogicalID',
} as const
const submissionSet = { entryUuid: '$XDSSubmissionSetEntryUUID', uniqueId: '$XDSSubmissionSetUniqueId' } as const
const folder = {
  entryUuid: '$XDSFolderEntryUUID',
  uniqueId: '$XDSFolderUniqueId',
  logicalId: '$XDSFolderLogicalID',
} as const

/** Identifiers of a list parameter, of whichever kind was given. */
function objectIds(parameters: QueryParameters, names: { entryUuid: string; uniqueId: string }) {
  const uniqueIds = parameters.texts(names.uniqueId)
  return uniqueIds
    ? ({ by: 'uniqueId', ids: uniqueIds } as const)
    : ({ by: 'entryUuid', ids: parameters.uuids(names.entryUuid) } as const)
}

/** The same where the logicalID is a third way to name an object (XDS Metadata Update). */
function logicalIds(parameters: QueryParameters, names: typeof documentEntry | typeof folder) {
  return parameters.has(names.logicalId)
    ? ({ by: 'logicalId', ids: parameters.uuids(names.logicalId) } as const)
    : objectIds(parameters, names)
}

/** The one identifier of a parameter that takes one. */
function objectId(parameters: QueryParameters, names: { entryUuid: string; uniqueId: string }) {
  return parameters.has(names.uniqueId)
    ? ({ by: 'uniqueId', id: parameters.text(names.uniqueId)?.[0] ?? '' } as const)
    : ({ by: 'entryUuid', id: parameters.uuid(names.entryUuid) } as const)
}

const associationStatuses = (parameters: QueryParameters) =>
  parameters.has('$XDSAssociationStatus')
    ? { associationStatuses: parameters.statuses('$XDSAssociationStatus') }
    : undefined

const definitions: readonly StoredQueryDefinition[] = [
  {
    name: 'FindDocuments',
    id: '14d4debf-8f97-4251-9a74-a90016b0af0d',
    required: ['$XDSDocumentEntryPatientId', '$XDSDocumentEntryStatus'],
    read: (parameters) => ({
      kind: 'FindDocuments',
      patient: parameters.patient('$XDSDocumentEntryPatientId'),
      statuses: parameters.statuses('$XDSDocumentEntryStatus'),
      criteria: documentCriteria(parameters),
    }),
  },
  {
    name: 'FindDocumentsByReferenceId',
    id: '12941a89-e02e-4be5-967c-ce4bfc8fe492',
    required: ['$XDSDocumentEntryPatientId', '$XDSDocumentEntryStatus', '$XDSDocumentEntryReferenceIdList'],
    read: (parameters) => ({
      kind: 'FindDocuments',
      patient: parameters.patient('$XDSDocumentEntryPatientId'),
      statuses: parameters.statuses('$XDSDocumentEntryStatus'),
      criteria: {
        ...documentCriteria(parameters),
        ...defined({ referenceIds: parameters.textGroups('$XDSDocumentEntryReferenceIdList') }),
      },
    }),
  },
  {
    name: 'FindSubmissionSets',
    id: 'f26abbcb-ac74-4422-8a30-edb644bbc1a9',
    required: ['$XDSSubmissionSetPatientId', '$XDSSubmissionSetStatus'],
    read: (parameters) => ({
      kind: 'FindSubmissionSets',
      patient: parameters.patient('$XDSSubmissionSetPatientId'),
      statuses: parameters.statuses('$XDSSubmissionSetStatus'),
      criteria: submissionSetCriteria(parameters),
    }),
  },
  {
    name: 'FindFolders',
    id: '958f3006-baad-4929-a4de-ff1114824431',
    required: ['$XDSFolderPatientId', '$XDSFolderStatus'],
    read: (parameters) => ({
      kind: 'FindFolders',
      patient: parameters.patient('$XDSFolderPatientId'),
      statuses: parameters.statuses('$XDSFolderStatus'),
      criteria: folderCriteria(parameters),
    }),
  },
  {
    name: 'GetAll',
    id: '10b545ea-725c-446d-9b95-8aeb444eddf3',
    required: ['$patientId', '$XDSDocumentEntryStatus', '$XDSSubmissionSetStatus', '$XDSFolderStatus'],
    read: (parameters) => ({
      kind: 'GetAll',
      patient: parameters.patient('$patientId'),
      documentStatuses: parameters.statuses('$XDSDocumentEntryStatus'),
      submissionSetStatuses: parameters.statuses('$XDSSubmissionSetStatus'),
      folderStatuses: parameters.statuses('$XDSFolderStatus'),
      criteria: contentCriteria(parameters),
    }),
  },
  {
    name: 'GetDocuments',
    id: '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
    oneOf: Object.values(documentEntry),
    read: (parameters) => ({ kind: 'GetDocuments', ...logicalIds(parameters, documentEntry) }),
  },
  {
    name: 'GetFolders',
    id: '5737b14c-8a1a-4539-b659-e03a34a5e1e4',
    oneOf: Object.values(folder),
    read: (parameters) => ({ kind: 'GetFolders', ...logicalIds(parameters, folder) }),
  },
  {
    name: 'GetAssociations',
    id: 'a7ae438b-4bc2-4642-93e9-be891f7bb155',
    required: ['$uuid'],
    read: (parameters) => {
      const { associationStatuses: statuses } = associationStatuses(parameters) ?? {}
      return { kind: 'GetAssociations', ids: parameters.uuids('$uuid'), ...defined({ statuses }) }
    },
  },
  {
    name: 'GetDocumentsAndAssociations',
    id: 'bab9529a-4a10-40b3-a01f-f68a615d247a',
    oneOf: [documentEntry.entryUuid, documentEntry.uniqueId],
    read: (parameters) => ({
      kind: 'GetDocumentsAndAssociations',
      ...objectIds(parameters, documentEntry),
      ...associationStatuses(parameters),
    }),
  },
  {
    name: 'GetSubmissionSets',
    id: '51224314-5390-4169-9b91-b1980040715a',
    required: ['$uuid'],
    read: (parameters) => ({ kind: 'GetSubmissionSetsOf', ids: parameters.uuids('$uuid') }),
  },
  {
    name: 'GetSubmissionSetAndContents',
    id: 'e8e3cb2c-e39c-46b9-99e4-c12f57260b83',
    oneOf: Object.values(submissionSet),
    read: (parameters) => ({
      kind: 'GetSubmissionSetAndContents',
      ...objectId(parameters, submissionSet),
      criteria: contentCriteria(parameters),
      ...associationStatuses(parameters),
    }),
  },
  {
    name: 'GetFolderAndContents',
    id: 'b909a503-523d-4517-8acf-8e5834dfc4c7',
    oneOf: [folder.entryUuid, folder.uniqueId],
    read: (parameters) => ({
      kind: 'GetFolderAndContents',
      ...objectId(parameters, folder),
      criteria: contentCriteria(parameters),
      ...associationStatuses(parameters),
    }),
  },
  {
    name: 'GetFoldersForDocument',
    id: '10cae35a-c7f9-4cf5-b61e-fc3278ffb578',
    oneOf: [documentEntry.entryUuid, documentEntry.uniqueId],
    read: (parameters) => {
      const { by, id } = objectId(parameters, documentEntry)
      return { kind: 'GetFoldersForDocument', by, ids: [id], ...associationStatuses(parameters) }
    },
  },
  {
    name: 'GetRelatedDocuments',
    id: 'd90e5407-b356-4d91-a89f-873917b4b0e6',
    required: ['$AssociationTypes'],
    oneOf: [documentEntry.entryUuid, documentEntry.uniqueId],
    read: (parameters) => ({
      kind: 'GetRelatedDocuments',
      ...objectId(parameters, documentEntry),
      associationTypes: parameters.associationTypes('$AssociationTypes'),
      criteria: contentCriteria(parameters),
    }),
  },
]

const queries = new Map(definitions.map((query) => [`urn:uuid:${query.id}`, query]))

/** Names of the stored queries, for what describes the door. */
export const storedQueryNames: readonly string[] = definitions.map(({ name }) => name)

/**
 * The query that a rim:AdhocQuery asks. Parameters that the query does not know are ignored (ITI TF-2 3.18.4.1.2.3.7).
 * @throws GatewayError XDSUnknownStoredQuery, XDSStoredQueryMissingParam, XDSStoredQueryParamNumber or XDSRegistryError,
 * with everything that is wrong.
 */
export function readStoredQuery(query: XmlElement): AskedQuery {
  const id = attribute(query, 'id')?.trim().toLowerCase() ?? ''
  const definition = queries.get(id)
  if (definition === undefined) {
    const known = definitions.map(({ name }) => name).join(', ')
    throw new GatewayError({
      code: 'XDSUnknownStoredQuery',
      rule: 'SQ',
      location: 'AdhocQuery/id',
      detail: `This stored query is not known here: send the id of ${known} (ITI TF-2 3.18.4.1.2.4).`,
    })
  }
  const parameters = new QueryParameters(query)
  checkPresence(definition, parameters)
  const read = definition.read(parameters)
  const metadataLevel = parameters.metadataLevel('$MetadataLevel')
  if (parameters.issues.length > 0) throw new GatewayError(parameters.issues)
  return { query: read, metadataLevel }
}

function checkPresence({ name, required = [], oneOf = [] }: StoredQueryDefinition, parameters: QueryParameters): void {
  for (const parameter of required)
    if (!parameters.has(parameter)) parameters.report(parameter, `${name} requires it.`, 'XDSStoredQueryMissingParam')
  const given = oneOf.filter((parameter) => parameters.has(parameter))
  if (oneOf.length > 0 && given.length === 0)
    parameters.report(oneOf.join(', '), `${name} requires one of them.`, 'XDSStoredQueryMissingParam')
  if (given.length > 1) parameters.report(given.join(', '), `${name} takes one of them.`, 'XDSStoredQueryParamNumber')
}
