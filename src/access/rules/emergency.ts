/** Who is kept out whatever the mode, and what the emergency modes ask: BL1, BL2, BD1, EM1–EM3. */
import { isPhysician } from '../role.ts'
import { carers, feeding, patientActs, type Question, type Refusal, type Rule, refusal, td3 } from '../rule.ts'

const blocked = refusal('BL1', 'professional-blocked', 'The patient alone lifts the block: no mode of access does.')
const blockedFeeding = refusal(
  'BL2',
  'professional-blocked',
  'The patient has blocked this professional; the structure may feed in its own name.',
)
const brainDeath = refusal(
  'BD1',
  'brain-death',
  'No mode of access opens the record; a physician clears the statement (Patient/$brain-death).',
)
const physiciansOnly = refusal(
  'BD2',
  'not-permitted-for-role',
  'Brain death is declared and cleared by a named physician (direct CPS or e-CPS, or air).',
)
const notInvolved = refusal(
  'BD2',
  'not-permitted-for-role',
  'Brain death is declared from a structure that has fed or consulted this record.',
)
const whyBrainDeath = refusal('BD2', 'reason-required', 'Send the parameter reason with $brain-death.')
const reasonRequired = refusal(
  'EM1',
  'reason-required',
  'Send the reason with the mode: DMP-Purpose-Of-Use: bris_de_glace; reason="patient inconscient".',
)
const emergencyRefused = refusal(
  'EM2',
  'emergency-refused-by-patient',
  'Use the normal mode with DMP-Consent, where the patient can be asked. The patient alone permits this mode again.',
)
const notRegulation = refusal(
  'EM3',
  'not-a-regulation-centre',
  'Use bris_de_glace, or present an identity of a medical regulation centre.',
)

function brainDeathDeclared({ request: { caller, change, structureInvolved, reason } }: Question): Refusal | undefined {
  if (!isPhysician(caller)) return physiciansOnly
  if (change?.kind !== 'brain-death' || !change.value) return undefined
  if ((reason ?? '').trim() === '') return whyBrainDeath
  return structureInvolved === true ? undefined : notInvolved
}

export const emergencyRules: readonly Rule[] = [
  {
    id: 'BL1',
    says: 'the person is neither blocked by the patient nor forbidden (INTERDIT), in any mode',
    source: 'SEED0, SEED2, DMP-FACTS 6.2',
    operations: ['TD0.3.add', 'TD0.3.remove', 'TD1.6', ...td3, ...patientActs, 'brain-death'],
    kinds: ['professional', 'staff'],
    needs: 'record',
    uses: ['record.blocked', 'record.authorisation'],
    refuse: ({ facts }) => (facts?.blocked === true || facts?.authorisation === 'INTERDIT' ? blocked : undefined),
  },
  {
    // Sources differ: SEED2 says neither feeds nor consults, SEED0 only forbids consulting. access.blockedMayFeed settles it.
    id: 'BL2',
    says: 'a blocked person does not feed in own name',
    source: 'SEED2, SEED0',
    operations: feeding,
    kinds: ['professional'],
    needs: 'record',
    uses: ['record.blocked', 'record.authorisation', 'policy.blockedMayFeed'],
    refuse: ({ facts, policy, column }) =>
      (facts?.blocked === true || facts?.authorisation === 'INTERDIT') && !policy.blockedMayFeed && column !== 'es_cert'
        ? blockedFeeding
        : undefined,
  },
  {
    id: 'BD1',
    says: 'no feeding and no consultation in brain death, break-glass included',
    source: 'SEED1',
    operations: ['TD0.3.add', ...feeding, ...td3, 'choose', 'copy', 'rectify'],
    kinds: carers,
    needs: 'record',
    uses: ['record.brainDeath', 'policy.brainDeath'],
    refuse: ({ facts, policy }) =>
      facts?.brainDeath === true && policy.brainDeath === 'deny' ? brainDeath : undefined,
  },
  {
    id: 'BD2',
    says: 'brain death is declared, with its reason, by a physician of a structure that has fed or consulted the record, and cleared by any physician',
    source: 'SEED1; design',
    operations: ['brain-death'],
    kinds: carers,
    needs: 'record',
    uses: ['kind', 'authentication', 'profession', 'specialities', 'change', 'reason', 'trace.structureInvolved'],
    refuse: brainDeathDeclared,
  },
  {
    id: 'EM1',
    says: 'break-glass needs a reason',
    source: 'DMP-FACTS 2.2',
    operations: td3,
    kinds: carers,
    needs: 'request',
    uses: ['purpose', 'reason'],
    refuse: ({ request: { purpose, reason, caller } }) =>
      purpose === 'bris_de_glace' && (reason ?? caller.reason ?? '').trim() === '' ? reasonRequired : undefined,
  },
  {
    id: 'EM2',
    says: 'the patient has not refused the emergency mode',
    source: 'SEED0, SEED2, SEED3 Q6',
    operations: td3,
    kinds: carers,
    needs: 'record',
    uses: ['purpose', 'choices.breakGlassPermitted', 'choices.regulationPermitted'],
    refuse: ({ request: { purpose }, facts }) => {
      if (purpose === 'normal') return undefined
      const permitted =
        purpose === 'bris_de_glace' ? facts?.choices.breakGlassPermitted : facts?.choices.regulationPermitted
      return permitted === true ? undefined : emergencyRefused
    },
  },
  {
    id: 'EM3',
    says: 'the centre_15 mode is for medical regulation centres',
    source: 'DMP-FACTS 6.3',
    operations: td3,
    kinds: carers,
    needs: 'request',
    uses: ['purpose', 'regulation', 'structure', 'policy.regulationCentres'],
    refuse: ({ request: { purpose, caller }, policy }) => {
      if (purpose !== 'centre_15' || caller.regulation) return undefined
      const known = caller.structure !== undefined && policy.regulationCentres.includes(caller.structure.id)
      return known ? undefined : notRegulation
    },
  },
]
