/** ITI-92 Restricted Update Document Set (IHE RMU, 3.92), XDS Persistence Option. Only conformance mode knows it (UP7). */
import { update } from './iti-57.ts'
import { restrictedUpdateCodes } from './metadata-update.ts'
import { ns } from './namespaces.ts'
import { registryResponse, type Transaction } from './transaction.ts'

export const restrictedUpdateDocumentSet: Transaction = {
  name: 'ITI-92',
  requestAction: 'urn:ihe:iti:2018:RestrictedUpdateDocumentSet',
  responseAction: 'urn:ihe:iti:2018:RestrictedUpdateDocumentSetResponse',
  requestElement: { ns: ns.lcm, local: 'SubmitObjectsRequest' },
  endpoint: 'registry',
  packaging: 'simple',
  violation: 'XDSRegistryMetadataError',
  handle: (request) => update(request, restrictedUpdateCodes),
  failure: (issues) => registryResponse('Failure', issues, 'registry'),
}
