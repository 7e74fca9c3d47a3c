import { patientKey } from '../../../src/metadata/identifiers.ts'
import {
  aHospital,
  aNurse,
  anOccupationalPhysician,
  aPatient,
  aPhysician,
  aRecord,
  aRequest,
  aSecretary,
  aStoredDocument,
  aTester,
  careTeam,
  otherPatient,
  patient,
  profession,
} from '../../mothers/access.ts'
import { breakGlass, consult, deny, describeRules, feed, mt, permit } from './table.ts'

describeRules('who calls, about whom', {
  ID1: [
    permit('FRM TD3.2.normal ps_non_medecin.normal', 'a verified caller', consult()),
    deny('ID1', 'identity-missing', 'an anonymous caller', consult({ caller: aNurse({ proof: 'anonymous' }) })),
    deny('ID1', 'identity-missing', 'the tester outside conformance mode', consult({ caller: aTester() })),
  ],
  ID4: [
    ...(['open', 'TD0.2', 'TD2.1', 'TD3.1a', 'history', 'copy', 'choose'] as const).map((operation) =>
      deny(
        'ID4',
        'test-patient',
        `${operation} for a patient of the test authority in production`,
        aRequest(operation),
        {
          policy: { testPatients: false },
        },
      ),
    ),
    deny(
      'ID4',
      'test-patient',
      'a patient of the demonstration authority in production',
      consult({ patient: patientKey('1.2.250.1.213.1.4.11', '260059999999999') }),
      { policy: { testPatients: false } },
    ),
    deny(
      'ID4',
      'test-patient',
      'a token bound to a test patient in production, whatever it asks',
      aRequest('TD3.2', { caller: aPatient(), patient: undefined }),
      { policy: { testPatients: false } },
    ),
    permit(
      'FRM TD3.2.normal ps_non_medecin.normal',
      'a qualified INS in production',
      consult({ patient: patientKey('1.2.250.1.213.1.4.8', '260059999999999') }),
      { policy: { testPatients: false } },
    ),
    permit('FRM TD3.2.normal ps_non_medecin.normal', 'a test patient in development', consult()),
  ],
  ID3: [
    permit(
      'FRM TD3.2.normal ps_non_medecin.normal',
      'a token bound to this patient',
      consult({ caller: aNurse({ patient }) }),
    ),
    deny(
      'ID3',
      'patient-mismatch',
      'a token bound to another patient',
      consult({ caller: aNurse({ patient: otherPatient }) }),
    ),
    deny(
      'ID3',
      'patient-mismatch',
      'a token bound to another patient, about a record that does not exist',
      consult({ caller: aNurse({ patient: otherPatient }) }),
      { facts: undefined },
    ),
    deny(
      'ID3',
      'patient-mismatch',
      'a patient token that names no patient',
      aRequest('TD3.2', { caller: aPatient({ patient: undefined }) }),
    ),
    deny(
      'ID3',
      'patient-mismatch',
      'a target of another patient',
      aRequest('TD3.3a.mask', { caller: aNurse({ patient }), target: aStoredDocument({ patient: otherPatient }) }),
    ),
  ],
  ID2: [
    permit('FRM TD0.2 ps_non_medecin.normal', 'TD0.2 of a record that does not exist', aRequest('TD0.2'), {
      facts: undefined,
    }),
    permit('PA1', 'the history of a closed record', aRequest('history', { caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
    permit('OPEN', 'opening a record that does not exist', aRequest('open', { caller: aHospital() }), {
      facts: undefined,
    }),
    deny('ID2', 'dmp-unknown', 'consulting a record that does not exist', consult(), { facts: undefined }),
    deny('ID2', 'dmp-closed', 'consulting a closed record', consult(), { facts: aRecord({ status: 'closed' }) }),
    deny('ID2', 'dmp-closed', 'feeding a closed record', feed(), { facts: aRecord({ status: 'closed' }) }),
    deny('ID2', 'dmp-closed', 'a patient reading the own closed record', aRequest('TD3.2', { caller: aPatient() }), {
      facts: aRecord({ status: 'closed' }),
    }),
  ],
  FR1: [
    permit(
      'FRM AIR TD3.2.normal medecin.normal',
      'a physician by AIR consulting',
      consult({ caller: aPhysician({ authentication: 'air' }) }),
    ),
    deny('FR1', 'nominative-identity-required', 'a structure consulting', consult({ caller: aHospital() })),
    deny(
      'FR1',
      'nominative-identity-required',
      'a structure searching',
      aRequest('TD3.1a', { caller: aHospital(), declaration: careTeam }),
    ),
    deny(
      'FR1',
      'nominative-identity-required',
      'a physician behind the certificate of the structure consulting',
      consult({ caller: aPhysician({ authentication: 'indirect' }) }),
    ),
    deny(
      'FR1',
      'nominative-identity-required',
      'a physician who is not named consulting',
      consult({ caller: aPhysician({ person: undefined }) }),
    ),
    deny('FR1', 'not-permitted-for-role', 'staff consulting', consult({ caller: aSecretary() })),
    deny(
      'FR1',
      'not-permitted-for-role',
      'staff behind the certificate of the structure consulting',
      consult({ caller: aSecretary({ authentication: 'indirect' }) }),
    ),
    permit('FRM TD2.2 cpe_non_ps.normal', 'staff feeding', feed({ caller: aSecretary() })),
    deny(
      'FR1',
      'not-permitted-for-role',
      'staff by AIR feeding',
      feed({ caller: aSecretary({ authentication: 'air' }) }),
    ),
    permit('FRM TD2.1 es_cert.normal', 'a structure feeding', feed({ caller: aHospital() })),
    permit(
      'FRM TD2.1 es_cert.normal',
      'a professional behind the certificate feeding',
      feed({ caller: aNurse({ authentication: 'indirect' }) }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'a physician by AIR feeding',
      feed({ caller: aPhysician({ authentication: 'air' }) }),
    ),
    permit(
      'FRM TD3.1.reference es_cert.normal',
      'a structure looking up a reference',
      aRequest('TD3.1b', { caller: aHospital() }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'a structure authorising itself',
      aRequest('TD0.3.add', { caller: aHospital(), declaration: careTeam }),
    ),
    permit(
      'FRM TD2.1 medecin_du_travail.sans_objet',
      'an occupational physician feeding',
      feed({ caller: anOccupationalPhysician() }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'an occupational physician consulting',
      consult({ caller: anOccupationalPhysician() }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'an occupational physician searching',
      aRequest('TD3.1a', { caller: anOccupationalPhysician(), declaration: careTeam }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'an occupational physician breaking the glass',
      feed({ caller: anOccupationalPhysician(), ...breakGlass }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'an occupational physician whom the DMP names treating physician consulting',
      consult({ caller: anOccupationalPhysician() }),
      { facts: mt },
    ),
    permit(
      'FRM TD3.1.metadata ps_non_medecin.normal',
      'a social worker searching',
      aRequest('TD3.1a', { caller: aNurse({ profession: profession('41') }), declaration: careTeam }),
    ),
    permit(
      'FRM TD3.1.metadata ps_non_medecin.normal',
      'a coordinator searching',
      aRequest('TD3.1a', { caller: aNurse({ profession: profession('GENR08') }), declaration: careTeam }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'a user of a title (TRE_R95) consulting',
      consult({ caller: aNurse({ profession: { code: '93', system: '1.2.250.1.213.1.6.1.109' } }) }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'a professional without a profession consulting',
      consult({ caller: aNurse({ profession: undefined }) }),
    ),
    permit(
      'FRM TD3.2.normal mt.normal',
      'a treating physician of the DMP consulting',
      consult({ caller: aPhysician() }),
      { facts: mt },
    ),
    permit('FRM TD0.3.remove ps_non_medecin.normal', 'a nurse revoking her authorisation', aRequest('TD0.3.remove')),
    deny('FR1', 'not-permitted-for-role', 'a nurse revoking it in an emergency', aRequest('TD0.3.remove', breakGlass)),
  ],
  FR2: [
    permit('FRM TD3.2.normal medecin.normal', 'a physician of a hospital', consult({ caller: aPhysician() })),
    ...['SA23', 'SA24', 'SA32', 'SA46', 'SA55'].map((sector) =>
      deny(
        'FR2',
        'not-permitted-for-role',
        `a physician of sector ${sector} consulting`,
        consult({ caller: aPhysician({ sector }) }),
      ),
    ),
    permit('FRM TD2.1 es_cert.normal', 'the health insurance feeding', feed({ caller: aHospital({ sector: 'SA24' }) })),
  ],
})
