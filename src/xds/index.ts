/**
 * The XDS.b door: SOAP 1.2 over HTTP. A request is read whole into the spool, its envelope and identity are checked
 * (faults), then its transaction answers with a RegistryResponse of its own kind, in the packaging it came in.
 *
 *   exchange, context, transaction   one request and its answer; who asks; what a transaction is
 *   iti-NN                            the transactions; submission, metadata-update, document-requests: what some share
 *   stored-query/                     what ITI-18 can ask
 *   ebrim/                            registry objects, read and written
 *   soap/, mtom/                      envelope, faults, packaging
 *   schema/, wsdl/                    the messages as XML Schema, the services as WSDL
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Fragments } from './ebrim/fragments.ts'
import type { Actor } from './ebrim/response.ts'
import { Exchange, type ExchangeParts } from './exchange.ts'
import { registryStoredQuery } from './iti-18.ts'
import { provideAndRegister } from './iti-41.ts'
import { registerDocumentSet } from './iti-42.ts'
import { retrieveDocumentSet } from './iti-43.ts'
import { updateDocumentSet } from './iti-57.ts'
import { removeMetadata } from './iti-62.ts'
import { removeDocuments } from './iti-86.ts'
import { restrictedUpdateDocumentSet } from './iti-92.ts'
import { createSchemaCheck, type SchemaMode } from './schema/index.ts'
import type { Transaction } from './transaction.ts'
import { compareContract } from './wsdl/contract.ts'
import { createDescriptions } from './wsdl/index.ts'

export type { Logger } from './exchange.ts'
export type { SchemaMode } from './schema/index.ts'

export interface XdsParts extends Omit<ExchangeParts, 'fragments' | 'schemaMode' | 'checkSchema'> {
  /** `metadata.xsd`; strict by default. */
  readonly xsd?: SchemaMode
  /** URL in front of `/xds`, as clients see it; from the Host of the request when absent. */
  readonly baseUrl?: string
}

export interface XdsDoor {
  registry(request: IncomingMessage, response: ServerResponse): Promise<void>
  repository(request: IncomingMessage, response: ServerResponse): Promise<void>
}

const transactions: readonly Transaction[] = [
  registryStoredQuery,
  provideAndRegister,
  registerDocumentSet,
  retrieveDocumentSet,
  updateDocumentSet,
  removeMetadata,
  removeDocuments,
  restrictedUpdateDocumentSet,
]

/**
 * What the WSDLs promise is what the transactions take.
 * @throws Error that names what differs
 */
export const checkContract = (): Promise<void> => compareContract(transactions)

export function createXdsDoor({ xsd: schemaMode = 'strict', baseUrl, ...parts }: XdsParts): XdsDoor {
  const checkSchema = schemaMode === 'off' ? () => [] : createSchemaCheck()
  const exchange = { ...parts, fragments: new Fragments(), schemaMode, checkSchema }
  const describe = createDescriptions(baseUrl)
  const at = (endpoint: Actor) => {
    const byAction = new Map(
      transactions.filter((each) => each.endpoint === endpoint).map((each) => [each.requestAction, each]),
    )
    return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      if (describe(endpoint, request, response)) return
      await new Exchange(exchange, byAction, request, response).run()
    }
  }
  return { registry: at('registry'), repository: at('repository') }
}
