/** The stored queries (ITI TF-2 3.18.4.1.2.3.7), one record each: what they require and what they ask of the registry. */
import { GatewayError } from '../../errors.ts'
import type { DocumentCriteria } from '../../metadata/criteria.ts'
import type { StoredQuery } from '../../operations/operations.ts'
import { attribute, type XmlElement } from '../../xml/tree.ts'
import { defined } from '../defined.ts'
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

const findDocuments: StoredQueryDefinition = {
  name: 'FindDocuments',
  id: '14d4debf-8f97-4251-9a74-a90016b0af0d',
  required: ['$XDSDocumentEntryPatientId', '$XDSDocumentEntryStatus'],
  read: (parameters) => ({
    kind: 'FindDocuments',
    patient: parameters.patient('$XDSDocumentEntryPatientId'),
    statuses: parameters.statuses('$XDSDocumentEntryStatus'),
    criteria: documentCriteria(parameters),
  }),
}

const findDocumentsByReferenceId: StoredQueryDefinition = {
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
}

const getDocuments: StoredQueryDefinition = {
  name: 'GetDocuments',
  id: '5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4',
  oneOf: ['$XDSDocumentEntryEntryUUID', '$XDSDocumentEntryUniqueId', '$XDSDocumentEntryLogicalID'],
  read: (parameters) => {
    const uniqueIds = parameters.texts('$XDSDocumentEntryUniqueId')
    if (uniqueIds) return { kind: 'GetDocuments', by: 'uniqueId', ids: uniqueIds }
    return parameters.has('$XDSDocumentEntryLogicalID')
      ? { kind: 'GetDocuments', by: 'logicalId', ids: parameters.uuids('$XDSDocumentEntryLogicalID') }
      : { kind: 'GetDocuments', by: 'entryUuid', ids: parameters.uuids('$XDSDocumentEntryEntryUUID') }
  },
}

const getAssociations: StoredQueryDefinition = {
  name: 'GetAssociations',
  id: 'a7ae438b-4bc2-4642-93e9-be891f7bb155',
  required: ['$uuid'],
  read: (parameters) => ({ kind: 'GetAssociations', ids: parameters.uuids('$uuid') }),
}

const queries = new Map(
  [findDocuments, findDocumentsByReferenceId, getDocuments, getAssociations].map((query) => [
    `urn:uuid:${query.id}`,
    query,
  ]),
)

/**
 * The query that a rim:AdhocQuery asks. Parameters that the query does not know are ignored (ITI TF-2 3.18.4.1.2.3.7).
 * @throws GatewayError XDSUnknownStoredQuery, XDSStoredQueryMissingParam, XDSStoredQueryParamNumber or XDSRegistryError,
 * with everything that is wrong.
 */
export function readStoredQuery(query: XmlElement): StoredQuery {
  const id = attribute(query, 'id')?.trim().toLowerCase() ?? ''
  const definition = queries.get(id)
  if (definition === undefined) {
    const known = [...queries].map(([uuid, { name }]) => `${name} (${uuid})`).join(', ')
    throw new GatewayError({
      code: 'XDSUnknownStoredQuery',
      rule: 'SQ',
      location: 'AdhocQuery/id',
      detail: `This stored query is not known here: send one of ${known}.`,
    })
  }
  const parameters = new QueryParameters(query)
  checkPresence(definition, parameters)
  const read = definition.read(parameters)
  if (parameters.issues.length > 0) throw new GatewayError(parameters.issues)
  return read
}

function checkPresence({ name, required = [], oneOf = [] }: StoredQueryDefinition, parameters: QueryParameters): void {
  for (const parameter of required)
    if (!parameters.has(parameter)) parameters.report(parameter, `${name} requires it.`, 'XDSStoredQueryMissingParam')
  const given = oneOf.filter((parameter) => parameters.has(parameter))
  if (oneOf.length > 0 && given.length === 0)
    parameters.report(oneOf.join(', '), `${name} requires one of them.`, 'XDSStoredQueryMissingParam')
  if (given.length > 1) parameters.report(given.join(', '), `${name} takes one of them.`, 'XDSStoredQueryParamNumber')
}

function documentCriteria(parameters: QueryParameters): DocumentCriteria {
  const attribute = (name: string) => `$XDSDocumentEntry${name}`
  return {
    stability: parameters.stability(attribute('Type')),
    ...defined({
      classCodes: parameters.codes(attribute('ClassCode')),
      typeCodes: parameters.codes(attribute('TypeCode')),
      practiceSettingCodes: parameters.codes(attribute('PracticeSettingCode')),
      healthcareFacilityTypeCodes: parameters.codes(attribute('HealthcareFacilityTypeCode')),
      formatCodes: parameters.codes(attribute('FormatCode')),
      eventCodes: parameters.codeGroups(attribute('EventCodeList')),
      confidentialityCodes: parameters.codeGroups(attribute('ConfidentialityCode')),
      creationTime: parameters.range(attribute('CreationTime')),
      serviceStartTime: parameters.range(attribute('ServiceStartTime')),
      serviceStopTime: parameters.range(attribute('ServiceStopTime')),
      documentAvailability: parameters.availability(attribute('DocumentAvailability')),
      authorPersons: parameters.texts(attribute('AuthorPerson')),
    }),
  }
}
