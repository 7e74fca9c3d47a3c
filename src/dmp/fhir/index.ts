/**
 * A DMP that speaks PDSm (IHE MHD) behind the port: FHIR R4 over mutual TLS, under a token made for each request
 * (docs/pdsm-dmp.md).
 *
 *   index, options, session   the port; what it is configured with; the port as one request has it
 *   credentials, token, declaration   the certificate and the key; who is presented; what was declared about consent
 *   base, transport, wire, client   where the DMP is; HTTPS; fhir-kit-client over it; the calls of one request
 *   answers, outcome, capability   shapes of answers; errors of the DMP; what it declares
 *   patient, consents   TD0.2, TD0.3, TD1.3a, TD1.6
 *   registry, relations, known, documents, lists, identity, search-parameters   TD3.1, and what is known of ids
 *   publish, streamed   TD2.1: a Bundle made as it is sent
 *   retrieve, update   TD3.2, TD3.3
 *   ../remote   what every remote DMP needs: intents on disk, what is known of ids, what is settled here
 */
import type { Dmp } from '../../operations/ports.ts'
import type { Spool } from '../../spool/index.ts'
import { byRequest } from '../remote/by-request.ts'
import { type GivenParts, openRemoteParts } from '../remote/parts.ts'
import { createBase } from './base.ts'
import { createCapabilities } from './capability.ts'
import { type CredentialFiles, openCredentials } from './credentials.ts'
import type { FhirDmpOptions } from './options.ts'
import type { Parts } from './parts.ts'
import type { PatientStatus } from './patient.ts'
import { createSession } from './session.ts'
import { createTransport } from './transport.ts'
import { Wire } from './wire.ts'

export type { CredentialFiles } from './credentials.ts'
export type { FhirDmpOptions } from './options.ts'

/** In the data folder `pdsm/` is the connector's. */
export interface FhirDmpParts extends GivenParts {
  readonly options: FhirDmpOptions
  readonly credentials: CredentialFiles
  readonly spool: Spool
}

export interface FhirDmp {
  readonly dmp: Dmp
  /** Acts that a crash has left without an outcome, told to the trace at this start. */
  readonly unsettled: number
  readonly expiry: { readonly authentication: string }
  /** Certificate and keys again from their files. */
  reload(): Promise<void>
  close(): void
}

/** @throws Error with a line for the operator: a file that cannot be used */
export async function openFhirDmp(given: FhirDmpParts): Promise<FhirDmp> {
  const { options, spool } = given
  const credentials = await openCredentials(given.credentials)
  const { shared, unsettled } = await openRemoteParts<PatientStatus>(given, 'pdsm', options.statusAge)
  const base = createBase(options.baseUrl, options.knownAs)
  const transport = createTransport(options, credentials)
  const capabilities = createCapabilities(new Wire(transport, base, options.limits.answer), options)
  const parts: Parts = { ...shared, spool, options, base, credentials, transport, capabilities }
  const { repositoryUniqueId } = options
  const check = () => parts.capabilities.check()
  return {
    dmp: byRequest({ repositoryUniqueId, check }, (context) => createSession(parts, context)),
    unsettled,
    get expiry() {
      return { authentication: credentials.expiry }
    },
    reload: () => credentials.reload(),
    close() {
      credentials.close()
      shared.references.close()
    },
  }
}
