/** The paths of what is settled about a record, and of what is asked about it as a whole (routes.ts). */
import { authorisedDefinition, findAuthorised } from './authorised.ts'
import { consentParameters, createConsent, findConsents, findConsentsByPost, readConsentById } from './consent.ts'
import { explainAccess } from './explain-access.ts'
import { type PatientOperation, patientOperation, patientOperations } from './patient-operations.ts'
import { copyRecord } from './record-copy.ts'
import { requestRectification } from './request-rectification.ts'
import type { Route, SearchParameterRow } from './routes.ts'

const definitions = 'https://dmp-gateway.example.org/fhir/OperationDefinition'

const declared = (resource: string, operation: string) => ({
  resource,
  operation,
  definition: `${definitions}/${operation}`,
})

/** @param patientRows how a search names its patient */
export function recordRoutes(patientRows: Readonly<Record<string, SearchParameterRow>>): readonly Route[] {
  return [
    ...(Object.keys(patientOperations) as PatientOperation[]).map(
      (name): Route => ({
        method: 'post',
        path: `/Patient/$${name}`,
        transaction: name,
        handle: patientOperation(name),
        declares: declared('Patient', name),
      }),
    ),
    {
      method: 'post',
      path: '/Patient/$copy',
      transaction: 'copy',
      handle: copyRecord,
      declares: declared('Patient', 'copy'),
    },
    { method: 'get', path: '/Patient/$copy', transaction: 'copy', handle: copyRecord },
    {
      method: 'get',
      path: '/Patient/$authorised',
      transaction: 'TD0.4',
      handle: findAuthorised,
      declares: { resource: 'Patient', operation: 'authorised', definition: authorisedDefinition },
    },
    {
      method: 'post',
      path: '/DocumentReference/$explain-access',
      transaction: 'explain-access',
      handle: explainAccess,
      declares: declared('DocumentReference', 'explain-access'),
    },
    {
      method: 'post',
      path: '/DocumentReference/:id/$request-rectification',
      transaction: 'request-rectification',
      handle: requestRectification,
      declares: declared('DocumentReference', 'request-rectification'),
    },
    {
      method: 'get',
      path: '/Consent',
      transaction: 'TD1.3a',
      handle: findConsents,
      declares: {
        resource: 'Consent',
        interaction: 'search-type',
        parameters: { ...patientRows, ...consentParameters },
      },
    },
    { method: 'post', path: '/Consent/_search', transaction: 'TD1.3a', handle: findConsentsByPost },
    {
      method: 'post',
      path: '/Consent',
      transaction: 'Consent',
      handle: createConsent,
      declares: { resource: 'Consent', interaction: 'create' },
    },
    {
      method: 'get',
      path: '/Consent/:id',
      transaction: 'TD1.3a',
      handle: readConsentById,
      declares: { resource: 'Consent', interaction: 'read' },
    },
  ]
}
