import { aPatient, aPhysician, aRecord, aRequest, careTeam, informed } from '../../mothers/access.ts'
import { consult, deny, describeRules, feed, permit } from './table.ts'

describeRules('consent to consultation', {
  CO1: [
    deny('CO1', 'consultation-opposed', 'consultation that the patient opposed', consult(), {
      facts: aRecord({}, { consultationOpposed: true }),
    }),
    deny(
      'CO1',
      'consultation-opposed',
      'consultation by the treating physician that the patient opposed',
      consult({ caller: aPhysician() }),
      { facts: aRecord({ treatingPhysician: true }, { consultationOpposed: true }) },
    ),
    permit('FRM TD2.1 ps_non_medecin.normal', 'feeding where consultation is opposed', feed(), {
      facts: aRecord({}, { consultationOpposed: true }),
    }),
  ],
  CO3: [
    permit('FRM TD3.2.normal ps_non_medecin.normal', 'the care team with the patient informed now', consult()),
    permit(
      'FRM TD3.2.normal ps_non_medecin.normal',
      'the care team in an episode informed before',
      consult({ declaration: { basis: 'care-team', episode: 'E-1' } }),
      { facts: aRecord({ informedEpisodes: ['E-1'] }) },
    ),
    permit(
      'FRM TD3.2.normal ps_non_medecin.normal',
      'explicit consent',
      consult({ declaration: { basis: 'explicit', means: 'oral' } }),
    ),
    deny('CO3', 'consent-missing', 'no declaration', consult({ declaration: {} })),
    deny('CO3', 'consent-missing', 'no declaration, for a search', aRequest('TD3.1a')),
    deny('CO3', 'consent-missing', 'an information without a basis', consult({ declaration: informed })),
    deny(
      'CO3',
      'patient-not-informed',
      'the care team, not informed',
      consult({ declaration: { basis: 'care-team', episode: 'E-2' } }),
      { facts: aRecord({ informedEpisodes: ['E-1'] }) },
    ),
    deny(
      'CO3',
      'patient-not-informed',
      'the care team, neither informed nor in an episode',
      consult({ declaration: { basis: 'care-team' } }),
    ),
    deny(
      'CO3',
      'patient-not-informed',
      'the care team, informed by a poster alone',
      consult({ declaration: { ...careTeam, means: 'poster' } }),
    ),
    deny(
      'CO3',
      'consent-missing',
      'the care team without an episode',
      consult({ declaration: { basis: 'care-team', informed: true } }),
    ),
    deny(
      'CO3',
      'consent-missing',
      'explicit consent by poster',
      consult({ declaration: { basis: 'explicit', means: 'poster' } }),
    ),
    deny(
      'CO3',
      'consent-missing',
      'a standing authorisation, which by default does not suffice',
      consult({ declaration: {} }),
      { facts: aRecord({ authorisation: 'VALIDE' }) },
    ),
    permit(
      'FRM TD3.2.normal ps_non_medecin.normal',
      'a standing authorisation where the house lets it suffice',
      consult({ declaration: {} }),
      { facts: aRecord({ authorisation: 'VALIDE' }), policy: { authorisationSuffices: true } },
    ),
    deny('CO3', 'consent-missing', 'an expired authorisation', consult({ declaration: {} }), {
      facts: aRecord({ authorisation: 'EXPIRE' }),
      policy: { authorisationSuffices: true },
    }),
    permit(
      'FRM TD0.3.add ps_non_medecin.normal',
      'an authorisation added after declared consent',
      aRequest('TD0.3.add', { declaration: careTeam }),
    ),
    deny('CO3', 'consent-missing', 'an authorisation added without', aRequest('TD0.3.add'), {
      facts: aRecord({ authorisation: 'VALIDE' }),
      policy: { authorisationSuffices: true },
    }),
    permit('PA1', 'a patient, who declares nothing', aRequest('TD3.2', { caller: aPatient() })),
  ],
  CO4: [
    deny('CO4', 'initial-consent-missing', 'the care team without initial consent where it is required', consult(), {
      policy: { initialConsent: true },
    }),
    permit('FRM TD3.2.normal ps_non_medecin.normal', 'the care team with it', consult(), {
      facts: aRecord({ initialConsent: true }),
      policy: { initialConsent: true },
    }),
    permit(
      'FRM TD3.2.normal ps_non_medecin.normal',
      'explicit consent where it is required',
      consult({ declaration: { basis: 'explicit' } }),
      { policy: { initialConsent: true } },
    ),
  ],
})
