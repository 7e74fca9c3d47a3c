import {
  aHospital,
  aNurse,
  aPatient,
  aPhysician,
  aRequest,
  aSecretary,
  aStoredDocument,
  aTester,
  structureId,
} from '../../mothers/access.ts'
import {
  breakGlass,
  deny,
  describeRules,
  feed,
  mine,
  minor,
  mt,
  patientEntry,
  patients,
  permit,
  structures,
} from './table.ts'

describeRules('updates and replacement', {
  UP1: [
    permit(
      'FRM TD3.3a.mask ps_non_medecin.normal',
      'masking by any professional',
      aRequest('TD3.3a.mask', { target: aStoredDocument() }),
    ),
    permit('PA1', 'masking by the patient', aRequest('TD3.3a.mask', { caller: aPatient(), target: aStoredDocument() })),
    deny(
      'FR1',
      'not-permitted-for-role',
      'masking in an emergency',
      aRequest('TD3.3a.mask', { ...breakGlass, target: aStoredDocument() }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'masking by staff',
      aRequest('TD3.3a.mask', { caller: aSecretary(), target: structures }),
    ),
  ],
  UP2: [
    permit(
      'FRM TD3.3a.unmask ps_non_medecin.normal',
      'unmasking by the author',
      aRequest('TD3.3a.unmask', { target: mine }),
    ),
    deny(
      'UP2',
      'not-the-author',
      'unmasking by another professional',
      aRequest('TD3.3a.unmask', { target: aStoredDocument({ feedingStructure: structureId }) }),
    ),
    permit(
      'FRM TD3.3a.unmask mt.normal',
      'unmasking by the treating physician',
      aRequest('TD3.3a.unmask', { caller: aPhysician(), target: aStoredDocument() }),
      { facts: mt },
    ),
    permit(
      'PA1',
      'unmasking by the patient',
      aRequest('TD3.3a.unmask', { caller: aPatient(), target: aStoredDocument() }),
    ),
    deny('UP2', 'not-the-author', 'unmasking nothing', aRequest('TD3.3a.unmask')),
  ],
  UP3: [
    permit(
      'FRM TD3.3b ps_non_medecin.normal',
      'making a document visible to the patient',
      aRequest('TD3.3b', {
        target: aStoredDocument({ confidentiality: ['N', 'INVISIBLE_PATIENT'] }),
        newConfidentiality: ['N'],
      }),
    ),
    deny(
      'UP3',
      'set-at-feeding',
      'making a document invisible to the patient',
      aRequest('TD3.3b', { target: aStoredDocument(), newConfidentiality: ['N', 'INVISIBLE_PATIENT'] }),
    ),
    deny(
      'UP3',
      'set-at-feeding',
      'making a document invisible to the representatives while masking it',
      aRequest('TD3.3a.mask', {
        target: aStoredDocument(),
        newConfidentiality: ['N', 'MASQUE_PS', 'INVISIBLE_REPRESENTANTS_LEGAUX'],
      }),
      { facts: minor },
    ),
    deny(
      'FE4',
      'confidentiality-combination',
      'masking a document that is invisible to the patient',
      aRequest('TD3.3a.mask', {
        target: aStoredDocument({ confidentiality: ['N', 'INVISIBLE_PATIENT'] }),
        newConfidentiality: ['N', 'MASQUE_PS', 'INVISIBLE_PATIENT'],
      }),
    ),
    deny(
      'FE4',
      'code-not-accepted',
      'a new set without N',
      aRequest('TD3.3a.mask', { target: aStoredDocument(), newConfidentiality: ['MASQUE_PS'] }),
    ),
    deny(
      'FR1',
      'not-permitted-for-role',
      'making visible in an emergency',
      aRequest('TD3.3b', { ...breakGlass, target: aStoredDocument() }),
    ),
  ],
  UP4: [
    permit('FRM TD3.3c ps_non_medecin.normal', 'deleting an own document', aRequest('TD3.3c', { target: mine })),
    deny('UP4', 'not-the-author', 'deleting another’s document', aRequest('TD3.3c', { target: aStoredDocument() })),
    deny('UP4', 'not-the-author', 'deleting what one’s structure fed', aRequest('TD3.3c', { target: structures })),
    permit(
      'FRM TD3.3c es_cert.normal',
      'a structure deleting its own',
      aRequest('TD3.3c', { caller: aHospital(), target: structures }),
    ),
    permit(
      'FRM TD3.3c cpe_non_ps.normal',
      'staff deleting the structure’s',
      aRequest('TD3.3c', { caller: aSecretary(), target: structures }),
    ),
    deny(
      'UP4',
      'not-the-author',
      'a structure deleting another structure’s',
      aRequest('TD3.3c', { caller: aHospital({ structure: { id: '2' } }), target: structures }),
    ),
    deny(
      'UP4',
      'not-the-author',
      'a structure deleting what its physician fed by card',
      aRequest('TD3.3c', { caller: aHospital(), target: aStoredDocument({ feedingStructure: structureId }) }),
    ),
    deny(
      'UP4',
      'not-the-author',
      'the treating physician deleting another’s document',
      aRequest('TD3.3c', { caller: aPhysician(), target: aStoredDocument() }),
      { facts: mt },
    ),
    permit(
      'MT1',
      'the treating physician deleting a patient’s document',
      aRequest('TD3.3c', { caller: aPhysician(), target: patients }),
      { facts: mt },
    ),
    deny(
      'UP4',
      'not-the-author',
      'a professional deleting a patient’s document',
      aRequest('TD3.3c', { target: patients }),
    ),
    permit('PA1', 'a patient deleting an own document', aRequest('TD3.3c', { caller: aPatient(), target: patients })),
    deny(
      'UP4',
      'not-the-author',
      'a patient deleting a professional’s document',
      aRequest('TD3.3c', { caller: aPatient(), target: aStoredDocument() }),
    ),
  ],
  UP5: [
    permit(
      'FRM TD3.3d.archive ps_non_medecin.normal',
      'archiving an own document',
      aRequest('TD3.3d', { target: mine }),
    ),
    deny('UP5', 'not-the-author', 'a nurse archiving another’s', aRequest('TD3.3d', { target: aStoredDocument() })),
    permit(
      'FRM AIR TD3.3d.archive medecin.normal',
      'a physician archiving another’s by AIR',
      aRequest('TD3.3d', { caller: aPhysician({ authentication: 'air' }), target: aStoredDocument() }),
    ),
    deny(
      'UP5',
      'not-the-author',
      'a physician archiving another’s by card',
      aRequest('TD3.3d', { caller: aPhysician(), target: aStoredDocument() }),
    ),
    permit(
      'FRM TD3.3d.archive mt.normal',
      'the treating physician archiving another’s',
      aRequest('TD3.3d', { caller: aPhysician(), target: aStoredDocument() }),
      { facts: mt },
    ),
    permit(
      'MT1',
      'the treating physician archiving a patient’s',
      aRequest('TD3.3d', { caller: aPhysician(), target: patients }),
      { facts: mt },
    ),
    deny(
      'UP5',
      'not-the-author',
      'a physician archiving a patient’s by AIR',
      aRequest('TD3.3d', { caller: aPhysician({ authentication: 'air' }), target: patients }),
    ),
    deny('UP5', 'not-the-author', 'archiving nothing', aRequest('TD3.3d', { caller: aPhysician() }), { facts: mt }),
  ],
  UP6: [
    deny(
      'UP6',
      'use-replacement',
      'a structure masking',
      aRequest('TD3.3a.mask', { caller: aHospital(), target: structures }),
    ),
    deny(
      'UP6',
      'use-replacement',
      'a structure unmasking',
      aRequest('TD3.3a.unmask', { caller: aHospital(), target: structures }),
    ),
    deny(
      'UP6',
      'use-replacement',
      'a structure making visible',
      aRequest('TD3.3b', { caller: aHospital(), target: structures }),
    ),
    deny(
      'UP6',
      'use-replacement',
      'a professional behind the certificate archiving',
      aRequest('TD3.3d', { caller: aNurse({ authentication: 'indirect' }), target: mine }),
    ),
    permit(
      'FRM TD2.1 es_cert.normal',
      'a structure replacing instead',
      feed({ operation: 'TD2.1b', caller: aHospital(), target: structures }),
    ),
  ],
  UP7: [
    deny('UP7', 'not-a-dmp-operation', 'a professional in the DMP', aRequest('registry')),
    deny('UP7', 'not-a-dmp-operation', 'the patient in the DMP', aRequest('registry', { caller: aPatient() })),
    permit('UP7', 'a structure in profile ihe', aRequest('registry', { caller: aHospital() }), {
      policy: { profile: 'ihe' },
    }),
    deny(
      'DEFAULT',
      'not-permitted-for-role',
      'the patient in profile ihe',
      aRequest('registry', { caller: aPatient() }),
      { policy: { profile: 'ihe' } },
    ),
    permit('IHE', 'the tester', aRequest('registry', { caller: aTester() }), {
      facts: undefined,
      policy: { profile: 'ihe' },
    }),
  ],
  UP9: [
    permit('FRM TD2.1 ps_non_medecin.normal', 'replacing an own document', feed({ operation: 'TD2.1b', target: mine })),
    deny('UP9', 'not-the-author', 'replacing another’s', feed({ operation: 'TD2.1b', target: aStoredDocument() })),
    deny(
      'UP9',
      'not-the-author',
      'replacing what one’s structure fed',
      feed({ operation: 'TD2.1b', target: structures }),
    ),
    permit(
      'FRM TD2.2 cpe_non_ps.normal',
      'staff replacing what the structure fed',
      feed({ operation: 'TD2.1b', caller: aSecretary(), target: structures }),
    ),
    deny(
      'UP9',
      'not-the-author',
      'a structure replacing another’s',
      feed({ operation: 'TD2.1b', caller: aHospital(), target: aStoredDocument() }),
    ),
    permit(
      'MT1',
      'the treating physician replacing a patient’s',
      feed({ operation: 'TD2.1b', caller: aPhysician(), target: patients }),
      { facts: mt },
    ),
    permit(
      'PA1',
      'a patient replacing an own document',
      aRequest('TD2.1b', { caller: aPatient(), entries: [patientEntry], target: patients }),
    ),
    deny(
      'UP9',
      'not-the-author',
      'a patient replacing a professional’s',
      aRequest('TD2.1b', { caller: aPatient(), entries: [patientEntry], target: mine }),
    ),
  ],
})
