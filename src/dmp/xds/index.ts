/**
 * The national DMP behind the port: SOAP 1.2, MTOM, WS-Addressing and VIHF over mutual TLS (docs/national-dmp.md).
 *
 *   index, options, session   the port; what it is configured with; the port as one request has it
 *   credentials, profile, vihf   the structure's certificates; who is presented, by operation; the assertion
 *   calls, transport, soap   one call; HTTPS; the frame of messages
 *   patient-status, authorization, template, messages/   TD0.2, TD1.3a, TD0.3
 *   registry, stored-query, registry-response, reference-entry   TD3.1, and what is known of ids
 *   feed, documents, lot-signature   TD2.1: what the DMP accepts, signed
 *   retrieve, update   TD3.2, TD3.3
 *   ../remote   what every remote DMP needs: intents on disk, what is known of ids, what is settled here
 */
import type { Dmp } from '../../operations/ports.ts'
import type { Spool } from '../../spool/index.ts'
import { byRequest } from '../remote/by-request.ts'
import { type GivenParts, openRemoteParts } from '../remote/parts.ts'
import type { Parts } from './calls.ts'
import { type CredentialFiles, openCredentials } from './credentials.ts'
import type { NationalOptions } from './options.ts'
import type { PatientStatus } from './patient-status.ts'
import { createSession } from './session.ts'
import { readTemplates } from './template.ts'
import { createTransport } from './transport.ts'

export type { CredentialFiles } from './credentials.ts'
export type { NationalOptions, Service } from './options.ts'

/** In the data folder `national/` is the connector's. */
export interface NationalDmpParts extends GivenParts {
  readonly options: NationalOptions
  readonly credentials: CredentialFiles
  readonly spool: Spool
}

export interface NationalDmp {
  readonly dmp: Dmp
  /** Acts that a crash has left without an outcome, told to the trace at this start. */
  readonly unsettled: number
  readonly expiry: { readonly authentication: string; readonly signature: string }
  /** Certificates and keys again from their files. */
  reload(): Promise<void>
  close(): void
}

/** @throws Error with a line for the operator: a file that cannot be used, a template that is not well formed */
export async function openNationalDmp(given: NationalDmpParts): Promise<NationalDmp> {
  const { options, spool } = given
  const templates = readTemplates(options.messages)
  const credentials = await openCredentials(given.credentials)
  const { shared, unsettled } = await openRemoteParts<PatientStatus>(given, 'national', options.statusAge)
  const transport = createTransport(options, credentials, spool)
  const parts: Parts = { ...shared, spool, options, credentials, transport, templates }
  const { repositoryUniqueId } = options
  const check = () => parts.transport.check()
  return {
    dmp: byRequest({ repositoryUniqueId, check }, (context) => createSession(parts, context)),
    unsettled,
    get expiry() {
      return credentials.expiry
    },
    reload: () => credentials.reload(),
    close() {
      credentials.close()
      shared.references.close()
    },
  }
}
