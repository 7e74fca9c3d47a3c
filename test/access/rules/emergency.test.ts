import { aHospital, aNurse, aPhysician, aRecord, aRequest, careTeam, structureId } from '../../mothers/access.ts'
import { breakGlass, centre15, consult, deny, describeRules, feed, permit } from './table.ts'

describeRules('who is kept out, and the emergency modes', {
  BL1: [
    permit('FRM TD3.2.normal ps_non_medecin.normal', 'a professional who is not blocked', consult()),
    deny('BL1', 'professional-blocked', 'a blocked professional', consult(), { facts: aRecord({ blocked: true }) }),
    deny('BL1', 'professional-blocked', 'a blocked professional who breaks the glass', consult(breakGlass), {
      facts: aRecord({ blocked: true }),
    }),
    deny('BL1', 'professional-blocked', 'an authorisation INTERDIT', aRequest('TD3.1a', { declaration: careTeam }), {
      facts: aRecord({ authorisation: 'INTERDIT' }),
    }),
    deny(
      'BL1',
      'professional-blocked',
      'a blocked professional adding an authorisation',
      aRequest('TD0.3.add', { declaration: careTeam }),
      { facts: aRecord({ blocked: true }) },
    ),
    deny('BL1', 'professional-blocked', 'a blocked treating physician', consult({ caller: aPhysician() }), {
      facts: aRecord({ blocked: true, treatingPhysician: true }),
    }),
  ],
  BL2: [
    deny('BL2', 'professional-blocked', 'a blocked professional feeding', feed(), {
      facts: aRecord({ blocked: true }),
    }),
    permit('FRM TD2.1 ps_non_medecin.normal', 'a blocked professional feeding where the house lets them', feed(), {
      facts: aRecord({ blocked: true }),
      policy: { blockedMayFeed: true },
    }),
    permit(
      'FRM TD2.1 es_cert.normal',
      'the structure of a blocked professional feeding',
      feed({ caller: aHospital() }),
      { facts: aRecord({ blocked: true }) },
    ),
  ],
  BD1: [
    deny('BD1', 'brain-death', 'feeding in brain death', feed(), { facts: aRecord({ brainDeath: true }) }),
    deny('BD1', 'brain-death', 'breaking the glass in brain death', consult(breakGlass), {
      facts: aRecord({ brainDeath: true }),
    }),
    deny('BD1', 'brain-death', 'a structure feeding in brain death', feed({ caller: aHospital() }), {
      facts: aRecord({ brainDeath: true }),
    }),
    permit('FRM TD3.2.normal ps_non_medecin.normal', 'consulting where the house decided otherwise', consult(), {
      facts: aRecord({ brainDeath: true }),
      policy: { brainDeath: 'allow' },
    }),
    permit('HI1', 'a professional reading the history in brain death', aRequest('history'), {
      facts: aRecord({ brainDeath: true }),
    }),
  ],
  EM1: [
    permit('FRM TD3.2.normal ps_non_medecin.bris_de_glace', 'breaking the glass with a reason', consult(breakGlass)),
    permit(
      'FRM TD3.2.normal ps_non_medecin.bris_de_glace',
      'breaking the glass with the reason of the token',
      consult({ purpose: 'bris_de_glace', declaration: {}, caller: aNurse({ reason: 'coma' }) }),
    ),
    deny(
      'EM1',
      'reason-required',
      'breaking the glass without a reason',
      consult({ purpose: 'bris_de_glace', declaration: {} }),
    ),
    deny('EM1', 'reason-required', 'breaking the glass with a blank reason', consult({ ...breakGlass, reason: '  ' })),
  ],
  EM2: [
    permit(
      'FRM TD3.2.normal ps_non_medecin.bris_de_glace',
      'breaking the glass against consultation opposed',
      consult(breakGlass),
      { facts: aRecord({}, { consultationOpposed: true }) },
    ),
    deny('EM2', 'emergency-refused-by-patient', 'breaking the glass that the patient refused', consult(breakGlass), {
      facts: aRecord({}, { breakGlassPermitted: false }),
    }),
    deny(
      'EM2',
      'emergency-refused-by-patient',
      'regulation that the patient refused',
      consult({ ...centre15, caller: aPhysician({ regulation: true }) }),
      { facts: aRecord({}, { regulationPermitted: false }) },
    ),
    permit(
      'FRM TD3.2.normal ps_non_medecin.bris_de_glace',
      'breaking the glass where only regulation was refused',
      consult(breakGlass),
      { facts: aRecord({}, { regulationPermitted: false }) },
    ),
  ],
  EM3: [
    permit(
      'FRM TD3.2.normal medecin.regulation',
      'a regulating physician',
      consult({ ...centre15, caller: aPhysician({ regulation: true }) }),
    ),
    permit(
      'FRM TD3.2.normal medecin.regulation',
      'a physician of a configured centre',
      consult({ ...centre15, caller: aPhysician() }),
      { policy: { regulationCentres: [structureId] } },
    ),
    deny('EM3', 'not-a-regulation-centre', 'a physician of no centre', consult({ ...centre15, caller: aPhysician() })),
  ],
})
