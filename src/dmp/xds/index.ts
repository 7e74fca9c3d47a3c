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
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Clock, Dmp, Trace } from '../../operations/ports.ts'
import type { Spool } from '../../spool/index.ts'
import { byRequest } from '../remote/by-request.ts'
import { openJournal } from '../remote/journal.ts'
import type { Observer } from '../remote/observer.ts'
import { openReferences } from '../remote/references.ts'
import { StatusCache } from '../remote/status-cache.ts'
import type { Parts } from './calls.ts'
import { type CredentialFiles, openCredentials } from './credentials.ts'
import type { NationalOptions } from './options.ts'
import { createSession } from './session.ts'
import { readTemplates } from './template.ts'
import { createTransport } from './transport.ts'

export type { CredentialFiles } from './credentials.ts'
export type { NationalOptions, Service } from './options.ts'

export interface NationalDmpParts {
  readonly options: NationalOptions
  readonly credentials: CredentialFiles
  /** Data folder; `national/` inside it is the connector's. */
  readonly directory: string
  readonly spool: Spool
  /** The gateway's own store, for what it alone knows. */
  readonly local: Pick<Dmp, 'status' | 'open'>
  readonly trace: Trace
  readonly observer: Observer
  readonly clock: Clock
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
  const { options, spool, trace, clock } = given
  const directory = path.join(given.directory, 'national')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const templates = readTemplates(options.messages)
  const credentials = await openCredentials(given.credentials)
  const journal = openJournal(path.join(directory, 'intents'), trace)
  const unsettled = await journal.settle()
  const references = openReferences(path.join(directory, 'references.sqlite'))
  const transport = createTransport(options, credentials, spool)
  const parts: Parts = {
    ...{ options, credentials, transport, templates, spool, trace, journal, references, clock },
    local: given.local,
    observer: given.observer,
    statuses: new StatusCache(options.statusAge, () => clock.now().getTime()),
  }
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
      references.close()
    },
  }
}
