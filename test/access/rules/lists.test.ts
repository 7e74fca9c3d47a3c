import {
  aHospital,
  aNurse,
  anAdministrator,
  aPatient,
  aPhysician,
  aRequest,
  aSecretary,
  patient,
} from '../../mothers/access.ts'
import { deny, describeRules, permit } from './table.ts'

const list = (caller: ReturnType<typeof aNurse>, by: 'authorisation' | 'document' = 'authorisation', more = {}) =>
  aRequest('TD0.4', { caller, by, patient: undefined, ...more })
/** A list is about no record: nothing is known of one. */
const nothing = { facts: undefined }

describeRules('the list of authorised records', {
  LI1: [
    permit('FRM TD0.4 ps_non_medecin.normal', 'a nurse', list(aNurse()), nothing),
    permit('FRM AIR TD0.4 medecin.normal', 'a physician by AIR', list(aPhysician({ authentication: 'air' })), nothing),
    permit(
      'FRM TD0.4 medecin.bris_de_glace',
      'a physician in an emergency',
      list(aPhysician(), 'document', { purpose: 'bris_de_glace', reason: 'inconscient' }),
      nothing,
    ),
    permit('FRM TD0.4 cpe_non_ps.normal', 'a secretary', list(aSecretary(), 'document'), nothing),
    deny('LI1', 'patient-mismatch', 'a nurse whose token names a patient', list(aNurse({ patient })), nothing),
  ],
  LI2: [
    permit('FRM TD0.4 es_cert.normal', 'a hospital, by authorisation', list(aHospital()), nothing),
    deny('LI2', 'not-permitted-for-role', 'a hospital, by document', list(aHospital(), 'document'), nothing),
    deny(
      'LI2',
      'not-permitted-for-role',
      'a nurse behind a certificate alone, by document',
      list(aNurse({ authentication: 'indirect' }), 'document'),
      nothing,
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'a hospital in regulation mode',
      list(aHospital({ regulation: true }), 'authorisation', { purpose: 'centre_15' }),
      nothing,
    ),
    deny('FR2', 'not-permitted-for-role', 'an insurer', list(aPhysician({ sector: 'SA23' })), nothing),
    deny('DEFAULT', 'not-permitted-for-role', 'a patient', list(aPatient()), nothing),
    deny('SY1', 'not-permitted-for-role', 'the administrator', list(anAdministrator()), nothing),
  ],
})
