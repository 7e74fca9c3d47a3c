import type { RecordChange } from '../../../src/access/types.ts'
import {
  aHospital,
  aNurse,
  anAdministrator,
  anOccupationalPhysician,
  aPatient,
  aPhysician,
  aRecord,
  aRepresentative,
  aRequest,
  aSecretary,
} from '../../mothers/access.ts'
import { breakGlass, deny, describeRules, minor, mt, permit } from './table.ts'

const block: RecordChange = { kind: 'block', person: '899700000066' }
const maskedInEmergency: RecordChange = { kind: 'choice', choice: 'maskedInEmergencyPermitted', value: true }
const treating: RecordChange = { kind: 'designate', role: 'treating', person: '899700000066' }
const administrator: RecordChange = { kind: 'designate', role: 'administrator', person: '899700000066' }
const declared: RecordChange = { kind: 'brain-death', value: true }
const cleared: RecordChange = { kind: 'brain-death', value: false }

const choose = (change: RecordChange, changes = {}) => aRequest('choose', { caller: aPatient(), change, ...changes })
const brainDeath = (changes = {}) =>
  aRequest('brain-death', {
    caller: aPhysician(),
    change: declared,
    reason: 'constat',
    structureInvolved: true,
    ...changes,
  })

describeRules('what is settled about a record', {
  MT1: [
    ...(['choose', 'close', 'reopen', 'copy'] as const).flatMap((operation) => [
      permit('PA1', `the patient asking for ${operation}`, aRequest(operation, { caller: aPatient(), change: block })),
      permit(
        'PA2',
        `the representative of a minor asking for ${operation}`,
        aRequest(operation, { caller: aRepresentative(), change: block }),
        { facts: minor },
      ),
      permit(
        'MT1',
        `the treating physician asking for ${operation} at the patient’s request`,
        aRequest(operation, { caller: aPhysician(), change: block }),
        { facts: mt },
      ),
      permit(
        'MT1',
        `the treating physician asking for ${operation} by AIR`,
        aRequest(operation, { caller: aPhysician({ authentication: 'air' }), change: block }),
        { facts: mt },
      ),
      deny(
        'MT1',
        'not-permitted-for-role',
        `another physician asking for ${operation}`,
        aRequest(operation, { caller: aPhysician(), change: block }),
      ),
      deny(
        'MT1',
        'not-permitted-for-role',
        `a structure asking for ${operation}`,
        aRequest(operation, { caller: aHospital(), change: block }),
        { facts: mt },
      ),
      deny(
        'MT1',
        'not-permitted-for-role',
        `staff asking for ${operation}`,
        aRequest(operation, { caller: aSecretary(), change: block }),
      ),
      deny(
        'MT1',
        'not-permitted-for-role',
        `the treating physician behind the certificate asking for ${operation}`,
        aRequest(operation, { caller: aPhysician({ authentication: 'indirect' }), change: block }),
        { facts: mt },
      ),
      deny(
        'MT1',
        'not-permitted-for-role',
        `an occupational physician asking for ${operation}`,
        aRequest(operation, { caller: anOccupationalPhysician(), change: block }),
        { facts: mt },
      ),
    ]),
    deny(
      'MT1',
      'not-permitted-for-role',
      'the treating physician choosing in an emergency',
      aRequest('choose', { caller: aPhysician(), change: block, ...breakGlass }),
      { facts: mt },
    ),
    deny(
      'BL1',
      'professional-blocked',
      'a treating physician whom the patient has blocked',
      aRequest('choose', { caller: aPhysician(), change: block }),
      {
        facts: aRecord({ treatingPhysician: true, blocked: true }),
      },
    ),
    deny(
      'BD1',
      'brain-death',
      'the treating physician choosing in brain death',
      aRequest('choose', { caller: aPhysician(), change: block }),
      {
        facts: aRecord({ treatingPhysician: true, brainDeath: true }),
      },
    ),
    deny(
      'CO1',
      'consultation-opposed',
      'the treating physician copying where the patient opposes consultation',
      aRequest('copy', { caller: aPhysician() }),
      {
        facts: aRecord({ treatingPhysician: true }, { consultationOpposed: true }),
      },
    ),
    permit('PA1', 'the patient copying where they oppose consultation', aRequest('copy', { caller: aPatient() }), {
      facts: aRecord({}, { consultationOpposed: true }),
    }),
    deny(
      'FR2',
      'not-permitted-for-role',
      'a physician of the health insurance copying',
      aRequest('copy', { caller: aPhysician({ sector: 'SA24' }) }),
      { facts: mt },
    ),
  ],
  CH1: [
    permit(
      'SY1',
      'the administrator of the service setting the treating physician',
      choose(treating, { caller: anAdministrator() }),
    ),
    deny('CH1', 'not-permitted-for-role', 'the patient setting the treating physician', choose(treating)),
    deny(
      'CH1',
      'not-permitted-for-role',
      'the administrator of the service blocking a professional',
      choose(block, { caller: anAdministrator() }),
    ),
    deny(
      'CH1',
      'not-permitted-for-role',
      'the administrator of the service designating the administrator physician',
      choose(administrator, { caller: anAdministrator() }),
    ),
    permit('PA1', 'the patient designating the administrator physician', choose(administrator)),
    ...[block, administrator, treating].map((change) =>
      permit(
        'SY1',
        `the administrator on the command line, at the patient’s request (${change.kind})`,
        choose(change, { caller: anAdministrator({ proof: 'local' }) }),
      ),
    ),
    permit(
      'MT1',
      'the treating physician designating an administrator physician for the patient',
      choose(administrator, { caller: aPhysician() }),
      { facts: mt },
    ),
  ],
  CH2: [
    permit('PA1', 'masked documents in emergency where the modes stand', choose(maskedInEmergency)),
    permit('PA1', 'masked documents in emergency where one mode stands', choose(maskedInEmergency), {
      facts: aRecord({}, { breakGlassPermitted: false }),
    }),
    deny(
      'CH2',
      'choice-contradictory',
      'masked documents in emergency where both modes are refused',
      choose(maskedInEmergency),
      {
        facts: aRecord({}, { breakGlassPermitted: false, regulationPermitted: false }),
      },
    ),
    permit('PA1', 'refusing masked documents whatever the modes', choose({ ...maskedInEmergency, value: false }), {
      facts: aRecord({}, { breakGlassPermitted: false, regulationPermitted: false }),
    }),
  ],
  BD2: [
    permit('BD2', 'a physician of a structure that knows the record declaring', brainDeath()),
    permit('BD2', 'a physician by AIR declaring', brainDeath({ caller: aPhysician({ authentication: 'air' }) })),
    permit(
      'BD2',
      'any physician clearing, without a reason',
      brainDeath({ change: cleared, structureInvolved: false, reason: undefined }),
    ),
    deny(
      'BD2',
      'not-permitted-for-role',
      'a physician of a structure that never saw the record declaring',
      brainDeath({ structureInvolved: false }),
    ),
    deny('BD2', 'reason-required', 'declaring without a reason', brainDeath({ reason: ' ' })),
    deny('BD2', 'not-permitted-for-role', 'a nurse declaring', brainDeath({ caller: aNurse() })),
    deny('BD2', 'not-permitted-for-role', 'a nurse clearing', brainDeath({ caller: aNurse(), change: cleared })),
    deny(
      'BD2',
      'not-permitted-for-role',
      'an occupational physician declaring',
      brainDeath({ caller: anOccupationalPhysician() }),
    ),
    deny(
      'BD2',
      'not-permitted-for-role',
      'a physician behind the certificate declaring',
      brainDeath({ caller: aPhysician({ authentication: 'indirect' }) }),
    ),
    deny('BD2', 'not-permitted-for-role', 'a structure declaring', brainDeath({ caller: aHospital() })),
    deny('BL1', 'professional-blocked', 'a blocked physician declaring', brainDeath(), {
      facts: aRecord({ blocked: true }),
    }),
    deny('DEFAULT', 'not-permitted-for-role', 'the patient declaring', brainDeath({ caller: aPatient() })),
    deny('SY1', 'not-permitted-for-role', 'the administrator declaring', brainDeath({ caller: anAdministrator() })),
    permit('BD2', 'clearing while it is declared', brainDeath({ change: cleared }), {
      facts: aRecord({ brainDeath: true }),
    }),
  ],
  SY1: [
    permit('SY1', 'the administrator closing a record', aRequest('close', { caller: anAdministrator() })),
    permit(
      'SY1',
      'the administrator opening a closed record again',
      aRequest('reopen', { caller: anAdministrator() }),
      { facts: aRecord({ status: 'closed' }) },
    ),
    permit(
      'SY1',
      'the administrator asking for an explanation',
      aRequest('explain', { caller: anAdministrator(), patient: undefined }),
      { facts: undefined },
    ),
    permit('SY1', 'the administrator destroying', aRequest('destroy', { caller: anAdministrator() }), {
      facts: undefined,
    }),
    deny('SY1', 'not-permitted-for-role', 'the administrator copying', aRequest('copy', { caller: anAdministrator() })),
    deny(
      'SY1',
      'not-permitted-for-role',
      'the administrator reading the choices',
      aRequest('TD1.3a', { caller: anAdministrator() }),
    ),
    ...[aNurse(), aHospital(), aSecretary(), aPatient()].flatMap((caller) =>
      (['explain', 'destroy'] as const).map((operation) =>
        deny(
          'DEFAULT',
          'not-permitted-for-role',
          `${caller.kind} asking for ${operation}`,
          aRequest(operation, { caller }),
        ),
      ),
    ),
  ],
  ID2: [
    deny('ID2', 'dmp-closed', 'a choice about a closed record', choose(block), {
      facts: aRecord({ status: 'closed' }),
    }),
    deny('ID2', 'dmp-closed', 'closing a closed record', aRequest('close', { caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
    deny('ID2', 'dmp-closed', 'the choices of a closed record', aRequest('TD1.3a', { caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
    permit('PA1', 'opening a closed record again', aRequest('reopen', { caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
    permit('PA1', 'a copy of a closed record', aRequest('copy', { caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
    permit('PA1', 'the history of a closed record', aRequest('history', { caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
    ...(['choose', 'close', 'reopen', 'copy', 'TD1.3a'] as const).map((operation) =>
      deny(
        'ID2',
        'dmp-unknown',
        `${operation} where there is no record`,
        aRequest(operation, { caller: aPatient(), change: block }),
        { facts: undefined },
      ),
    ),
  ],
  AD1: [
    permit(
      'FRM TD1.3a cpe_non_ps.normal',
      'staff reading the administrative part',
      aRequest('TD1.3a', { caller: aSecretary() }),
    ),
    permit(
      'FRM TD1.3a es_cert.normal',
      'a structure reading the administrative part',
      aRequest('TD1.3a', { caller: aHospital() }),
    ),
    deny('FR1', 'not-permitted-for-role', 'staff reading who is blocked', aRequest('TD1.6', { caller: aSecretary() })),
    deny(
      'FR1',
      'not-permitted-for-role',
      'a structure reading who is blocked',
      aRequest('TD1.6', { caller: aHospital() }),
    ),
    permit('FRM TD1.6 ps_non_medecin.normal', 'a professional reading who is blocked', aRequest('TD1.6')),
    deny('FR1', 'not-permitted-for-role', 'a professional reading it in an emergency', aRequest('TD1.6', breakGlass)),
    deny('BL1', 'professional-blocked', 'a blocked professional reading it', aRequest('TD1.6'), {
      facts: aRecord({ blocked: true }),
    }),
    permit('PA1', 'the patient reading who is blocked', aRequest('TD1.6', { caller: aPatient() })),
  ],
})
