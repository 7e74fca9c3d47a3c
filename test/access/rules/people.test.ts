import type { AccessRequest } from '../../../src/access/types.ts'
import {
  aHospital,
  aNurse,
  anAdministrator,
  aPatient,
  aPhysician,
  aRecord,
  aRepresentative,
  aRequest,
  aSecretary,
  aStoredDocument,
  careTeam,
} from '../../mothers/access.ts'
import { aDocumentEntry, anAuthor } from '../../mothers/metadata.ts'
import {
  breakGlass,
  deny,
  describeRules,
  mine,
  minor,
  mt,
  patientEntry,
  patients,
  permit,
  structures,
} from './table.ts'

const asks = (changes: Partial<AccessRequest>): AccessRequest =>
  aRequest('rectify', { reason: 'allergie inexacte', ...changes })
const archived = aStoredDocument({ availabilityStatus: 'Archived' })

describeRules('callers outside the matrix', {
  SY1: [
    permit('SY1', 'the administrator opening a record', aRequest('open', { caller: anAdministrator() }), {
      facts: undefined,
    }),
    permit('SY1', 'the administrator asking for the status', aRequest('TD0.2', { caller: anAdministrator() })),
    ...(['TD3.1a', 'TD3.2', 'TD2.1', 'history', 'TD3.3c'] as const).map((operation) =>
      deny(
        'SY1',
        'not-permitted-for-role',
        `the administrator asking for ${operation}`,
        aRequest(operation, { caller: anAdministrator(), declaration: careTeam, target: mine }),
      ),
    ),
  ],
  'SY1 for choices': (['TD1.3a', 'TD1.6'] as const).flatMap((operation) => [
    permit(
      'SY1',
      `the administrator on the command line asking for ${operation}`,
      aRequest(operation, { caller: anAdministrator({ proof: 'local' }) }),
    ),
    deny(
      'SY1',
      'not-permitted-for-role',
      `the administrator with a token asking for ${operation}`,
      aRequest(operation, { caller: anAdministrator() }),
    ),
  ]),
  HI1: [
    permit('HI1', 'a professional reading own actions', aRequest('history')),
    permit('MT1', 'the treating physician reading all', aRequest('history', { caller: aPhysician() }), { facts: mt }),
    deny(
      'HI1',
      'nominative-identity-required',
      'a professional behind the certificate',
      aRequest('history', { caller: aNurse({ authentication: 'indirect' }) }),
    ),
  ],
  PA1: [
    permit(
      'PA1',
      'the patient feeding an own document',
      aRequest('TD2.1', { caller: aPatient(), entries: [patientEntry] }),
    ),
    deny(
      'PA1',
      'not-permitted-for-role',
      'the patient feeding a report',
      aRequest('TD2.1', { caller: aPatient(), entries: [aDocumentEntry({ authors: patientEntry.authors })] }),
    ),
    deny(
      'PA1',
      'not-permitted-for-role',
      'the patient feeding in the name of a professional',
      aRequest('TD2.1', { caller: aPatient(), entries: [{ ...patientEntry, authors: [anAuthor()] }] }),
    ),
    deny(
      'PA1',
      'not-permitted-for-role',
      'the patient breaking the glass',
      aRequest('TD3.2', { caller: aPatient(), ...breakGlass }),
    ),
    permit('PA1', 'the patient asking for the own status', aRequest('TD0.2', { caller: aPatient() })),
    permit('PA1', 'the patient reading the history', aRequest('history', { caller: aPatient() })),
    deny(
      'DEFAULT',
      'not-permitted-for-role',
      'the patient adding an authorisation',
      aRequest('TD0.3.add', { caller: aPatient() }),
    ),
    permit('PA1', 'the patient in brain death, by whoever acts', aRequest('TD3.2', { caller: aPatient() }), {
      facts: aRecord({ brainDeath: true }),
    }),
  ],
  PA2: [
    permit('PA2', 'the representative of a minor', aRequest('TD3.2', { caller: aRepresentative() }), { facts: minor }),
    deny(
      'PA2',
      'not-permitted-for-role',
      'the representative of an adult',
      aRequest('TD3.2', { caller: aRepresentative() }),
    ),
    deny(
      'PA2',
      'not-permitted-for-role',
      'the representative where no birth date is on record',
      aRequest('TD3.1a', { caller: aRepresentative() }),
      { facts: aRecord({ minor: undefined }) },
    ),
    deny(
      'PA2',
      'not-permitted-for-role',
      'the history by the representative of an adult',
      aRequest('history', { caller: aRepresentative() }),
    ),
    permit('PA2', 'the status of a record that does not exist', aRequest('TD0.2', { caller: aRepresentative() }), {
      facts: undefined,
    }),
  ],
  RC1: [
    permit('PA1', 'the patient asking for rectification', asks({ caller: aPatient(), target: mine })),
    permit('PA1', 'asking about an archived document', asks({ caller: aPatient(), target: archived })),
    permit('PA2', 'the representative of a minor', asks({ caller: aRepresentative(), target: mine }), { facts: minor }),
    permit('MT1', 'the treating physician for the patient', asks({ caller: aPhysician(), target: mine }), {
      facts: mt,
    }),
    deny('RC1', 'reason-required', 'asking without a word', asks({ caller: aPatient(), target: mine, reason: ' ' })),
    deny('RC1', 'not-permitted-for-role', 'an own document', asks({ caller: aPatient(), target: patients })),
    deny(
      'RC1',
      'XDSRegistryDeprecatedDocumentError',
      'a document that is replaced',
      asks({ caller: aPatient(), target: aStoredDocument({ availabilityStatus: 'Deprecated' }) }),
    ),
    deny('MT1', 'not-permitted-for-role', 'another professional', asks({ target: structures })),
    deny('MT1', 'not-permitted-for-role', 'a structure', asks({ caller: aHospital(), target: structures })),
    deny('SY1', 'not-permitted-for-role', 'the administrator', asks({ caller: anAdministrator(), target: mine })),
    deny('PA2', 'not-permitted-for-role', 'the representative of an adult', asks({ caller: aRepresentative() })),
    deny('ID2', 'dmp-closed', 'after closure', asks({ caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
  ],
  DEFAULT: [
    permit('OPEN', 'a structure opening a record', aRequest('open', { caller: aHospital() })),
    deny('DEFAULT', 'not-permitted-for-role', 'a professional opening a record', aRequest('open')),
    deny(
      'DEFAULT',
      'not-permitted-for-role',
      'staff reading the history',
      aRequest('history', { caller: aSecretary() }),
    ),
    deny(
      'DEFAULT',
      'not-permitted-for-role',
      'a structure reading the history',
      aRequest('history', { caller: aHospital() }),
    ),
    deny('DEFAULT', 'not-permitted-for-role', 'a patient opening a record', aRequest('open', { caller: aPatient() })),
  ],
})
