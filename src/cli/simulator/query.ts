/** TD3.1 and TD3.2: ITI-18 and ITI-43 as DMP-SERVICES §4.1 to §4.3 state them. */
import type { XmlElement } from '../../xml/tree.ts'
import { all, type Check, first, insCx, ns, of, oid, slot, textOf } from './check.ts'
import type { Td } from './vihf.ts'

/** Stored queries that the sources name, by id. */
const queries: Readonly<Record<string, string>> = {
  'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d': 'FindDocuments',
  'urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492': 'FindDocumentsByReferenceId',
  'urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9': 'FindSubmissionSets',
  'urn:uuid:a7ae438b-4bc2-4642-93e9-be891f7bb155': 'GetAssociations',
  'urn:uuid:bab9529a-4a10-40b3-a01f-f68a615d247a': 'GetDocumentsAndAssociations',
  'urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4': 'GetDocuments',
}

/** What each cannot do without. */
const required: Readonly<Record<string, readonly string[]>> = {
  FindDocuments: ['$XDSDocumentEntryStatus'],
  FindDocumentsByReferenceId: ['$XDSDocumentEntryStatus', '$XDSDocumentEntryReferenceIdList'],
  FindSubmissionSets: ['$XDSSubmissionSetStatus'],
  GetAssociations: ['$uuid'],
}

const patientParameters = ['$XDSDocumentEntryPatientId', '$XDSSubmissionSetPatientId']
const coded =
  /(ClassCode|TypeCode|PracticeSettingCode|HealthcareFacilityTypeCode|EventCodeList|ConfidentialityCode|FormatCode)$/
const time = /Time(From|To)$/
const literal = "'(?:[^']|'')*'"
const list = new RegExp(`^\\(${literal}(,\\s*${literal})*\\)$`)
const statuses = new Set([
  'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
  'urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated',
  'urn:asip:ci-sis:2010:StatusType:Archived',
  'urn:asip:ci-sis:2010:StatusType:Deleted',
])
/** GetDocumentsAndAssociations is asked in batches (§4.1). */
const batch = 20

export interface Asked {
  readonly td: Td
  readonly patients: readonly (string | undefined)[]
}

export function checkQuery(body: XmlElement, check: Check): Asked {
  const option = first(body, ns.query, 'ResponseOption')
  const returns = of(option, 'returnType')
  check.that(
    ['true', 'false'].includes(of(option, 'returnComposedObjects')),
    '§4.1 ResponseOption',
    'returnComposedObjects',
  )
  check.that(['LeafClass', 'ObjectRef'].includes(returns), '§4.1 ResponseOption', 'returnType : LeafClass ou ObjectRef')
  const query = first(body, ns.rim, 'AdhocQuery')
  const name = queries[of(query, 'id')]
  check.that(name !== undefined, '§4.1 AdhocQuery', 'requête inconnue du DMP', { code: 'XDSUnknownStoredQuery' })
  const names = all(query, ns.rim, 'Slot').map((each) => of(each, 'name'))
  const more = { code: 'XDSStoredQueryMissingParam' }
  for (const parameter of required[name ?? ''] ?? [])
    check.that(names.includes(parameter), '§4.1 paramètre', `${parameter} manque`, more)
  if (name === 'GetDocuments')
    check.that(
      names.includes('$XDSDocumentEntryUniqueId') !== names.includes('$XDSDocumentEntryEntryUUID'),
      '§4.2 GetDocuments',
      'uniqueId ou entryUUID',
      more,
    )
  for (const [index, parameter] of names.entries())
    checkForm(query, parameter, names.indexOf(parameter) === index, check)
  const uniqueIds = valuesOf(query, '$XDSDocumentEntryUniqueId')
  check.that(
    uniqueIds.every((id) => oid.test(id)),
    '§4.2',
    'uniqueId : un OID',
    { code: 'XDSDocumentUniqueIdError' },
  )
  const together = valuesOf(query, '$XDSDocumentEntryEntryUUID')
  if (name === 'GetDocumentsAndAssociations')
    check.that(together.length <= batch, '§4.1 lots', `${batch} documents au plus à la fois`)
  const patients = patientParameters.flatMap((parameter) => slot(query, parameter) ?? [])
  return {
    // §4.2: the reference of a document by its uniqueId, the only query open to a structure
    td: name === 'GetDocuments' && uniqueIds.length > 0 && names.length === 1 ? 'TD3.1b' : 'TD3.1a',
    patients: patients.map((quoted) => {
      const found = insCx.exec(quoted.slice(1, -1))
      return found ? `${found[2]}|${found[1]}` : undefined
    }),
  }
}

/** §4.1: the patient quoted without parentheses, lists quoted in them, dates in digits alone. */
function checkForm(query: XmlElement | undefined, parameter: string, firstOfName: boolean, check: Check): void {
  const rule = `§4.1 ${parameter}`
  const more = { code: 'XDSRegistryError' }
  // Several slots of one name are several conditions, all to be met: only lists of codes and references can be
  const several = coded.test(parameter) || parameter.endsWith('ReferenceIdList')
  check.that(firstOfName || several, rule, 'un Slot au plus', more)
  for (const value of slot(query, parameter) ?? []) {
    if (patientParameters.includes(parameter))
      check.that(
        value.startsWith("'") && value.endsWith("'") && insCx.test(value.slice(1, -1)),
        rule,
        "'INS^^^&OID&ISO^NH'",
        more,
      )
    else if (time.test(parameter)) check.that(/^\d{4}(\d\d){0,5}$/.test(value), rule, 'chiffres seuls', more)
    else check.that(list.test(value) || (parameter === '$uuid' && list.test(value)), rule, "('a','b') attendu", more)
  }
  if (coded.test(parameter))
    for (const code of valuesOf(query, parameter))
      check.that(/^[^^]+\^\^[^^]+$/.test(code), rule, "'CODE^^scheme'", more)
  if (parameter.endsWith('Status'))
    check.that(
      valuesOf(query, parameter).every((status) => statuses.has(status)),
      rule,
      'statut inconnu',
      more,
    )
}

/** The literals of all the slots of this name. */
function valuesOf(query: XmlElement | undefined, parameter: string): readonly string[] {
  return (slot(query, parameter) ?? []).flatMap((value) =>
    [...value.matchAll(new RegExp(literal, 'g'))].map(([each]) => each.slice(1, -1).replaceAll("''", "'")),
  )
}

/** §4.3: documents by the OIDs of repository and document. */
export function checkRetrieve(body: XmlElement, check: Check): Asked {
  const requests = all(body, ns.xdsb, 'DocumentRequest')
  check.that(requests.length > 0, '§4.3', 'au moins un DocumentRequest')
  for (const request of requests) {
    const names = request.children.map(({ local }) => local).join()
    check.that(
      names === 'RepositoryUniqueId,DocumentUniqueId',
      '§4.3 DocumentRequest',
      'RepositoryUniqueId, DocumentUniqueId',
    )
    check.that(oid.test(textOf(first(request, ns.xdsb, 'RepositoryUniqueId'))), '§4.3 RepositoryUniqueId', 'OID')
    const id = textOf(first(request, ns.xdsb, 'DocumentUniqueId'))
    const more = { code: 'XDSDocumentUniqueIdError', location: id }
    check.that(oid.test(id), '§4.3 DocumentUniqueId', 'OID du document, pas son entryUUID', more)
  }
  return { td: 'TD3.2', patients: [] }
}
