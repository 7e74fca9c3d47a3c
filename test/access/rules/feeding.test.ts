import { aHospital, aPatient, aRecord, aRequest } from '../../mothers/access.ts'
import { aDocumentEntry, aSubmissionSet, codes } from '../../mothers/metadata.ts'
import { deny, describeRules, feed, minor, patientEntry, permit, signature } from './table.ts'

describeRules('feeding', {
  FE1: [
    deny(
      'FE1',
      'feed-opposed',
      'an opposition declared',
      feed({ declaration: { informed: true, opposition: true, reason: 'motif légitime' } }),
    ),
    deny('FE1', 'feed-opposed', 'an opposition on record', feed({ caller: aHospital() }), {
      facts: aRecord({ informedOfFeeding: true }, { feedOpposed: true }),
    }),
    permit(
      'PA1',
      'a patient feeding against the own opposition',
      aRequest('TD2.1', { caller: aPatient(), entries: [patientEntry] }),
      { facts: aRecord({}, { feedOpposed: true }) },
    ),
  ],
  FE2: [
    permit('FRM TD2.1 ps_non_medecin.normal', 'a patient informed now', feed()),
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'a patient informed before by this structure',
      feed({ declaration: {} }),
      { facts: aRecord({ informedOfFeeding: true }) },
    ),
    deny('FE2', 'patient-not-informed', 'a patient not informed', feed({ declaration: {} })),
    deny(
      'FE2',
      'patient-not-informed',
      'a patient informed by a poster alone',
      feed({ declaration: { informed: true, means: 'poster' } }),
    ),
    deny(
      'FE2',
      'patient-not-informed',
      'a patient said not to be informed',
      feed({ declaration: { informed: false } }),
    ),
  ],
  FE3: [
    permit('FRM TD2.1 ps_non_medecin.normal', 'accepted codes', feed()),
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'an entry without class, to be derived',
      feed({ entries: [aDocumentEntry({ classCode: undefined })] }),
    ),
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'a contentTypeCode of JDV_J59',
      feed({ submissionSet: aSubmissionSet() }),
    ),
    deny(
      'FE3',
      'code-not-accepted',
      'a contentTypeCode outside JDV_J59',
      feed({ submissionSet: aSubmissionSet({ contentTypeCode: { code: 'SA01', system: '1.2.250.1.71.4.2.4' } }) }),
    ),
    deny(
      'FE3',
      'type-not-accepted',
      'a type of CI-SIS that the DMP does not take',
      feed({ entries: [aDocumentEntry({ typeCode: { code: '34876-3', system: '2.16.840.1.113883.6.1' } })] }),
    ),
    deny('FE3', 'type-not-accepted', 'no type', feed({ entries: [aDocumentEntry({ typeCode: undefined })] })),
    deny(
      'FE3',
      'type-not-accepted',
      'a type in the wrong code system',
      feed({ entries: [aDocumentEntry({ typeCode: { code: '11502-2', system: 'LOINC' } })] }),
    ),
    deny(
      'FE3',
      'class-type-mismatch',
      'a class that is not the type’s',
      feed({ entries: [aDocumentEntry({ classCode: codes.summary })] }),
    ),
    deny(
      'FE3',
      'code-not-accepted',
      'a format outside JDV_J60',
      feed({ entries: [aDocumentEntry({ formatCode: { code: 'x', system: 'URN' } })] }),
    ),
    deny(
      'FE3',
      'code-not-accepted',
      'a practice setting of social care',
      feed({ entries: [aDocumentEntry({ practiceSettingCode: { code: 'ESSMS', system: '1.2.250.1.213.1.1.4.9' } })] }),
    ),
    deny(
      'FE3',
      'code-not-accepted',
      'a visibility code that is not the DMP’s',
      feed({
        entries: [
          aDocumentEntry({
            confidentialityCodes: [codes.normal, { code: 'MASQUE_PT', system: '1.2.250.1.213.1.1.4.13' }],
          }),
        ],
      }),
    ),
    deny(
      'FE3',
      'code-not-accepted',
      'a reference of a type outside JDV_J231',
      feed({
        entries: [aDocumentEntry({ referenceIds: [{ id: '1', typeCode: 'urn:ihe:iti:xds:2015:encounterId' }] })],
      }),
    ),
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'any code in profile ihe',
      feed({ entries: [aDocumentEntry({ typeCode: { code: 'x', system: 'y' }, confidentialityCodes: [] })] }),
      { policy: { profile: 'ihe' } },
    ),
  ],
  FE4: [
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'N with MASQUE_PS',
      feed({ entries: [aDocumentEntry({ confidentialityCodes: [codes.normal, codes.maskedToProfessionals] })] }),
    ),
    deny(
      'FE4',
      'code-not-accepted',
      'no N',
      feed({ entries: [aDocumentEntry({ confidentialityCodes: [codes.maskedToProfessionals] })] }),
    ),
    ...['R', 'V'].map((code) =>
      deny(
        'FE4',
        'confidentiality-not-shareable',
        `confidentiality ${code}`,
        feed({
          entries: [
            aDocumentEntry({ confidentialityCodes: [codes.normal, { code, system: '2.16.840.1.113883.5.25' }] }),
          ],
        }),
      ),
    ),
    deny(
      'FE4',
      'confidentiality-combination',
      'INVISIBLE_PATIENT with MASQUE_PS',
      feed({
        entries: [
          aDocumentEntry({
            confidentialityCodes: [codes.normal, codes.maskedToProfessionals, codes.hiddenFromPatient],
          }),
        ],
      }),
    ),
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'the same where the house allows it',
      feed({
        entries: [
          aDocumentEntry({
            confidentialityCodes: [codes.normal, codes.maskedToProfessionals, codes.hiddenFromPatient],
          }),
        ],
      }),
      { policy: { cumulativeMasking: true } },
    ),
    deny(
      'FE4',
      'confidentiality-not-applicable',
      'INVISIBLE_REPRESENTANTS_LEGAUX for an adult',
      feed({ entries: [aDocumentEntry({ confidentialityCodes: [codes.normal, codes.hiddenFromRepresentatives] })] }),
    ),
    deny(
      'FE4',
      'confidentiality-not-applicable',
      'INVISIBLE_REPRESENTANTS_LEGAUX where no birth date is on record',
      feed({ entries: [aDocumentEntry({ confidentialityCodes: [codes.normal, codes.hiddenFromRepresentatives] })] }),
      { facts: aRecord({ minor: undefined }) },
    ),
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'INVISIBLE_REPRESENTANTS_LEGAUX for a minor',
      feed({ entries: [aDocumentEntry({ confidentialityCodes: [codes.normal, codes.hiddenFromRepresentatives] })] }),
      { facts: minor },
    ),
    permit(
      'FRM TD2.1 ps_non_medecin.normal',
      'the lot signature, which is exempt',
      feed({ entries: [aDocumentEntry(), signature] }),
    ),
  ],
})
