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
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Clock, Dmp, Trace } from '../../operations/ports.ts'
import type { Spool } from '../../spool/index.ts'
import { byRequest } from '../remote/by-request.ts'
import { openJournal } from '../remote/journal.ts'
import type { Observer } from '../remote/observer.ts'
import { openReferences } from '../remote/references.ts'
import { StatusCache } from '../remote/status-cache.ts'
import { createBase } from './base.ts'
import { createCapabilities } from './capability.ts'
import { type CredentialFiles, openCredentials } from './credentials.ts'
import type { FhirDmpOptions } from './options.ts'
import type { Parts } from './parts.ts'
import { createSession } from './session.ts'
import { createTransport } from './transport.ts'
import { Wire } from './wire.ts'

export type { CredentialFiles } from './credentials.ts'
export type { FhirDmpOptions } from './options.ts'

export interface FhirDmpParts {
  readonly options: FhirDmpOptions
  readonly credentials: CredentialFiles
  /** Data folder; `pdsm/` inside it is the connector's. */
  readonly directory: string
  readonly spool: Spool
  /** The gateway's own store, for what it alone knows. */
  readonly local: Pick<Dmp, 'status' | 'open'>
  readonly trace: Trace
  readonly observer: Observer
  readonly clock: Clock
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
  const { options, spool, trace, clock } = given
  const directory = path.join(given.directory, 'pdsm')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const credentials = await openCredentials(given.credentials)
  const journal = openJournal(path.join(directory, 'intents'), trace)
  const unsettled = await journal.settle()
  const references = openReferences(path.join(directory, 'references.sqlite'))
  const base = createBase(options.baseUrl, options.knownAs)
  const transport = createTransport(options, credentials)
  const parts: Parts = {
    ...{ options, base, credentials, transport, spool, trace, journal, references, clock },
    capabilities: createCapabilities(new Wire(transport, base, options.limits.answer), options),
    local: given.local,
    observer: given.observer,
    statuses: new StatusCache(options.statusAge, () => clock.now().getTime()),
  }
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
      references.close()
    },
  }
}
