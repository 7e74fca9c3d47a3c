/** Every path of the door in one table: the router is made from it, and so is the CapabilityStatement. */

import { readJob } from './async/respond-async.ts'
import { sendCapabilities } from './capability.ts'
import { changesDefinition, findChanges } from './changes.ts'
import { documentParameters } from './document-parameters.ts'
import { provideDocumentBundle } from './iti-65.ts'
import { findDocumentLists, findDocumentListsByPost, readDocumentList, readListHistory } from './iti-66.ts'
import {
  findDocumentReferences,
  findDocumentReferencesByPost,
  readDocumentHistory,
  readDocumentReference,
  readDocumentVersion,
} from './iti-67.ts'
import { retrieveDocument } from './iti-68.ts'
import { auditParameters, findAuditEvents } from './iti-81.ts'
import { feedPatient } from './iti-104.ts'
import { publishDocument } from './iti-105.ts'
import { generateMetadata, generateMetadataDefinition } from './iti-106.ts'
import { listParameters } from './list-parameters.ts'
import type { Handler } from './parts.ts'
import { patchDocument } from './patch-document.ts'
import { findPatient, patientParameters, readPatient } from './patient.ts'
import { recordRoutes } from './record-routes.ts'
import { validateDefinition, validateResource } from './validate.ts'

export interface SearchParameterRow {
  readonly type: 'token' | 'date' | 'string' | 'reference'
  readonly documentation: string
}

/** What the CapabilityStatement says of a route; absent where another route says it. */
export type Declaration =
  | { readonly system: 'transaction' }
  | {
      readonly resource: string
      readonly interaction: 'read' | 'vread' | 'history-instance' | 'search-type' | 'create' | 'update' | 'patch'
      readonly conditional?: true
      readonly parameters?: Readonly<Record<string, SearchParameterRow>>
    }
  | {
      /** Absent for an operation of the whole door. */
      readonly resource?: string
      /** Name without `$`. */
      readonly operation: string
      /** Canonical URL of the OperationDefinition. */
      readonly definition: string
    }

export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch'
  readonly path: string
  /** IHE transaction or DMP operation, for the trace. */
  readonly transaction: string
  readonly handle: Handler
  readonly declares?: Declaration
  /** Answered to anyone. */
  readonly open?: true
}

const patientRows: Readonly<Record<string, SearchParameterRow>> = {
  patient: { type: 'reference', documentation: 'The patient; this or patient.identifier is required.' },
  'patient.identifier': { type: 'token', documentation: 'urn:oid:AUTHORITY|IDENTIFIER of the patient.' },
}

export const routes: readonly Route[] = [
  { method: 'get', path: '/metadata', transaction: 'capabilities', handle: sendCapabilities, open: true },
  {
    method: 'post',
    path: '/',
    transaction: 'ITI-65',
    handle: provideDocumentBundle,
    declares: { system: 'transaction' },
  },
  {
    method: 'post',
    path: '/$validate',
    transaction: 'validate',
    handle: validateResource(),
    declares: { operation: 'validate', definition: validateDefinition },
  },
  // Before the reads: `$copy` is no id
  ...recordRoutes(patientRows),
  {
    method: 'get',
    path: '/List',
    transaction: 'ITI-66',
    handle: findDocumentLists,
    declares: { resource: 'List', interaction: 'search-type', parameters: { ...patientRows, ...listParameters } },
  },
  { method: 'post', path: '/List/_search', transaction: 'ITI-66', handle: findDocumentListsByPost },
  {
    method: 'get',
    path: '/List/:id',
    transaction: 'ITI-66',
    handle: readDocumentList,
    declares: { resource: 'List', interaction: 'read' },
  },
  {
    method: 'get',
    path: '/List/:id/_history',
    transaction: 'ITI-66',
    handle: readListHistory,
    declares: { resource: 'List', interaction: 'history-instance' },
  },
  {
    method: 'get',
    path: '/List/:id/_history/:version',
    transaction: 'ITI-66',
    handle: readDocumentList,
    declares: { resource: 'List', interaction: 'vread' },
  },
  { method: 'get', path: '/_async/:id', transaction: 'async', handle: readJob },
  {
    method: 'get',
    path: '/DocumentReference',
    transaction: 'ITI-67',
    handle: findDocumentReferences,
    declares: {
      resource: 'DocumentReference',
      interaction: 'search-type',
      parameters: { ...patientRows, ...documentParameters },
    },
  },
  {
    method: 'post',
    path: '/DocumentReference/_search',
    transaction: 'ITI-67',
    handle: findDocumentReferencesByPost,
  },
  {
    method: 'post',
    path: '/DocumentReference',
    transaction: 'ITI-105',
    handle: publishDocument,
    declares: { resource: 'DocumentReference', interaction: 'create' },
  },
  {
    method: 'post',
    path: '/DocumentReference/$validate',
    transaction: 'validate',
    handle: validateResource('DocumentReference'),
    declares: { resource: 'DocumentReference', operation: 'validate', definition: validateDefinition },
  },
  {
    method: 'post',
    path: '/DocumentReference/$generate-metadata',
    transaction: 'ITI-106',
    handle: generateMetadata,
    declares: {
      resource: 'DocumentReference',
      operation: 'generate-metadata',
      definition: generateMetadataDefinition,
    },
  },
  {
    method: 'get',
    path: '/DocumentReference/$changes',
    transaction: 'changes',
    handle: findChanges,
    declares: { resource: 'DocumentReference', operation: 'changes', definition: changesDefinition },
  },
  {
    method: 'get',
    path: '/DocumentReference/:id',
    transaction: 'ITI-67',
    handle: readDocumentReference,
    declares: { resource: 'DocumentReference', interaction: 'read' },
  },
  {
    method: 'patch',
    path: '/DocumentReference',
    transaction: 'TD3.3',
    handle: patchDocument,
    declares: { resource: 'DocumentReference', interaction: 'patch', conditional: true },
  },
  { method: 'patch', path: '/DocumentReference/:id', transaction: 'TD3.3', handle: patchDocument },
  {
    method: 'get',
    path: '/DocumentReference/:id/_history',
    transaction: 'ITI-67',
    handle: readDocumentHistory,
    declares: { resource: 'DocumentReference', interaction: 'history-instance' },
  },
  {
    method: 'get',
    path: '/DocumentReference/:id/_history/:version',
    transaction: 'ITI-67',
    handle: readDocumentVersion,
    declares: { resource: 'DocumentReference', interaction: 'vread' },
  },
  {
    method: 'get',
    path: '/Binary/:id',
    transaction: 'ITI-68',
    handle: retrieveDocument,
    declares: { resource: 'Binary', interaction: 'read' },
  },
  {
    method: 'get',
    path: '/Patient',
    transaction: 'TD0.2',
    handle: findPatient,
    declares: { resource: 'Patient', interaction: 'search-type', parameters: patientParameters },
  },
  {
    method: 'put',
    path: '/Patient',
    transaction: 'ITI-104',
    handle: feedPatient,
    declares: { resource: 'Patient', interaction: 'update', conditional: true },
  },
  {
    method: 'get',
    path: '/Patient/:id',
    transaction: 'TD0.2',
    handle: readPatient,
    declares: { resource: 'Patient', interaction: 'read' },
  },
  {
    method: 'get',
    path: '/AuditEvent',
    transaction: 'ITI-81',
    handle: findAuditEvents,
    declares: {
      resource: 'AuditEvent',
      interaction: 'search-type',
      parameters: { ...patientRows, ...auditParameters },
    },
  },
]
